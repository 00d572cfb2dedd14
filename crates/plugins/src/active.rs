//! Which plugins count: installed, switched on by a configuration, and with a manifest that loads.
//! A plugin of the remote catalog is switched on by its account, and configuration can only say no.
//! A copy of a curated snapshot counts only for the logins that the snapshot is for. A working tree that
//! somebody linked takes the place of its plugin.
//!
//! What a host gets of plugins (skills, hooks, servers) comes from these and from no others, so that
//! no two answers disagree about which ones they are.

use std::collections::BTreeSet;
use std::sync::Arc;

use plugd_catalog::{InstalledItem, InstalledSet};
use plugd_config::Snapshot;
use plugd_manifest::{Loaded, Loader};
use plugd_model::{PluginId, PluginManifest, Problem, ProblemKind, RemoteMarketplace};
use plugd_store::Installed;

use crate::Lookup;
use crate::curated_now::{CuratedNow, is_of_snapshot};
use crate::links;

/// A plugin that counts.
#[derive(Debug, Clone)]
pub(crate) struct ActivePlugin {
    /// The installed copy.
    pub(crate) copy: Installed,
    /// Its manifest.
    pub(crate) manifest: Arc<Loaded<PluginManifest>>,
    /// Names of its skills that the account has switched off.
    pub(crate) silenced: BTreeSet<String>,
    /// Whether it is a working tree that somebody linked, which its author changes as he likes.
    pub(crate) is_linked: bool,
}

/// The plugins that count under one configuration.
#[derive(Debug, Clone, Default)]
pub(crate) struct ActivePlugins {
    /// By id, ascending, which is their order everywhere.
    pub(crate) plugins: Vec<ActivePlugin>,
    /// Why one that is switched on does not count.
    pub(crate) problems: Vec<(PluginId, Problem)>,
}

impl ActivePlugin {
    /// Its id.
    pub(crate) fn id(&self) -> &PluginId {
        &self.copy.id
    }

    /// Whether the account has switched off this skill, which has the plugin's name in front.
    pub(crate) fn silences(&self, skill: &str) -> bool {
        let bare = skill.split_once(':').map_or(skill, |(_, bare)| bare);
        self.silenced.contains(bare) || self.silenced.contains(skill)
    }
}

/// Picks the plugins that count out of everything that is installed. With plugins switched off there
/// are none.
pub(crate) fn active_plugins(
    lookup: &Lookup,
    copies: &[Installed],
    config: &Snapshot,
) -> ActivePlugins {
    let mut active = ActivePlugins::default();
    if !config.features().plugins {
        return active;
    }
    let of_account = OfAccount::new(lookup, copies, config);
    let is_curated = copies.iter().any(|copy| is_of_snapshot(&copy.id));
    let curated = is_curated.then(|| CuratedNow::of(lookup.remote(), config));
    let rests = |id: &PluginId| curated.is_some_and(|curated| curated.rests(id));
    // One that is configured and not installed is what a refresh brings, and no mistake here.
    let links = lookup.links();
    let is_here = |id| links.of_plugin(id).is_some() || copies.iter().any(|copy| copy.id == *id);
    for row in config.plugins() {
        if let Some(problem) = row.forbidden.as_ref().filter(|_| is_here(&row.id)) {
            active.problems.push((row.id.clone(), problem.clone()));
        }
    }
    let copies = copies.iter().filter(|copy| {
        links.of_plugin(&copy.id).is_none() && is_on(copy, config, &of_account) && !rests(&copy.id)
    });
    for copy in copies {
        match manifest_of(lookup.loader(), copy) {
            Ok(manifest) => active.plugins.push(ActivePlugin {
                copy: copy.clone(),
                manifest,
                silenced: of_account.silenced(&copy.id),
                is_linked: false,
            }),
            Err(problem) => active.problems.push((copy.id.clone(), problem)),
        }
    }
    // Whoever links a plugin wants to use it; configuration and requirements can only say no.
    let linked = links.rows.iter();
    for (id, path) in linked.filter(|(id, _)| setting_of(config, id) != Some(false)) {
        let allowed = config.requirements().allows_tree(path);
        match allowed.and_then(|()| links::manifest(lookup.loader(), id, path)) {
            Ok(manifest) => active.plugins.push(ActivePlugin {
                copy: links::stand_in(id, path, &manifest.value),
                manifest,
                silenced: of_account.silenced(id),
                is_linked: true,
            }),
            Err(problem) => active.problems.push((id.clone(), problem)),
        }
    }
    // The text decides and not the parts of an id: `a-b@m` comes before `a@m`.
    active
        .plugins
        .sort_by_cached_key(|plugin| plugin.copy.id.to_string());
    active.problems.sort_by_cached_key(|(id, _)| id.to_string());
    active
}

/// What the account says about installed plugins of the remote catalog. Nobody is asked when there
/// is none of those here.
struct OfAccount(Option<Arc<InstalledSet>>);

impl OfAccount {
    fn new(lookup: &Lookup, copies: &[Installed], config: &Snapshot) -> Self {
        let is_any = copies.iter().any(|copy| is_remote(&copy.id));
        Self(is_any.then(|| lookup.remote().installed(config)).flatten())
    }

    fn find(&self, id: &PluginId) -> Option<&InstalledItem> {
        let items = &self.0.as_ref()?.items;
        items.iter().find(|one| one.item.plugin_id() == *id)
    }

    fn silenced(&self, id: &PluginId) -> BTreeSet<String> {
        let found = self.find(id);
        found.map_or_else(BTreeSet::new, |one| one.disabled_skill_names.clone())
    }
}

/// Whether the id is one of the remote catalog's.
pub(crate) fn is_remote(id: &PluginId) -> bool {
    RemoteMarketplace::of_name(id.marketplace.as_str()).is_some()
}

fn setting_of(config: &Snapshot, id: &PluginId) -> Option<bool> {
    let mut settings = config.plugins().iter();
    let setting = settings.find(|setting| setting.id == *id);
    setting.map(|setting| setting.enabled)
}

fn is_on(copy: &Installed, config: &Snapshot, account: &OfAccount) -> bool {
    let setting = setting_of(config, &copy.id);
    if is_remote(&copy.id) {
        let installed = account.find(&copy.id);
        return installed.is_some_and(|one| one.enabled) && setting != Some(false);
    }
    setting == Some(true)
}

/// The manifest of an installed copy, whose directory is named after the version.
pub(crate) fn manifest_of(
    loader: &Loader,
    copy: &Installed,
) -> Result<Arc<Loaded<PluginManifest>>, Problem> {
    match loader.plugin_named(&copy.root, copy.id.plugin.as_str())? {
        Some(manifest) => Ok(manifest),
        None => {
            let text = format!("the installed copy of `{}` has no manifest", copy.id);
            Err(Problem::error(ProblemKind::Missing, text).in_file(&copy.root))
        }
    }
}
