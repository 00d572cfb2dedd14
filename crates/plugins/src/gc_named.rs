//! What any configuration of this home names: the user's, that of each profile and that of each
//! project that the user has trusted. A request sees one of these; what is collected has to see all.

use std::sync::Arc;

use plugd_config::{MarketplaceSetting, Snapshot};
use plugd_model::{AbsPath, PluginId};

use crate::Lookup;

/// More than a profile has.
const MAX_PROFILE: u64 = 16 << 20;
/// What the files of profiles end with.
const PROFILE: &str = ".config.toml";

/// All configurations, as they were read.
pub(crate) struct Named {
    configs: Vec<Arc<Snapshot>>,
    /// The texts of profiles: one that mentions a name names it, whatever it says of it.
    profiles: Vec<String>,
    unreadable: Option<String>,
}

impl Named {
    /// Reads them.
    pub(crate) fn read(lookup: &Lookup, user: Arc<Snapshot>) -> Self {
        let (mut profiles, mut unreadable) = (Vec::new(), None);
        let (disk, home) = (lookup.disk(), lookup.layout().home());
        let entries = disk.list(home).unwrap_or_default().into_iter();
        for name in entries.filter_map(|entry| entry.name.into_string().ok()) {
            if !name.ends_with(PROFILE) {
                continue;
            }
            match disk.read(&home.join(&name), MAX_PROFILE) {
                Ok(bytes) => profiles.push(String::from_utf8_lossy(&bytes).into_owned()),
                Err(_) => unreadable = Some(format!("`{name}` cannot be read")),
            }
        }
        let effective = user.effective();
        let projects = effective.get("projects");
        let dirs = projects.and_then(|value| value.as_object()).into_iter();
        let dirs: Vec<AbsPath> = dirs
            .flatten()
            .filter_map(|(dir, _)| AbsPath::new(dir).ok())
            .collect();
        let mut configs = vec![Arc::clone(&user)];
        configs.extend(dirs.iter().map(|dir| lookup.config(Some(dir))));
        if configs.iter().any(|config| config.is_broken()) {
            unreadable = Some("the configuration cannot be read".to_owned());
        }
        Self {
            configs,
            profiles,
            unreadable,
        }
    }

    /// Why nobody can say what is named; nothing when it is known.
    pub(crate) fn unknown(&self) -> Option<&str> {
        self.unreadable.as_deref()
    }

    /// Whether a plugin is configured, switched on or off.
    pub(crate) fn has_plugin(&self, id: &PluginId) -> bool {
        let text = id.to_string();
        let mut configs = self.configs.iter();
        configs.any(|config| config.plugins().iter().any(|row| row.id == *id))
            || self.mentions(&text)
    }

    /// Every marketplace that is configured anywhere, but for those of profiles.
    pub(crate) fn marketplaces(&self) -> impl Iterator<Item = &MarketplaceSetting> {
        let configs = self.configs.iter();
        configs.flat_map(|config| config.marketplaces())
    }

    /// Whether a marketplace of this name is configured. Case does not count: not every file system
    /// knows it.
    pub(crate) fn has_marketplace(&self, name: &str) -> bool {
        let mut rows = self.marketplaces();
        rows.any(|row| row.key.eq_ignore_ascii_case(name)) || self.mentions(name)
    }

    fn mentions(&self, text: &str) -> bool {
        self.profiles.iter().any(|profile| profile.contains(text))
    }
}
