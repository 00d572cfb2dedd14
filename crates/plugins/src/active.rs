//! Which plugins count: installed, switched on by a configuration, and with a manifest that loads.
//!
//! What a host gets of plugins (skills, hooks, servers) comes from these and from no others, so that
//! no two answers disagree about which ones they are.

use std::sync::Arc;

use plugd_config::Snapshot;
use plugd_manifest::{Loaded, Loader};
use plugd_model::{PluginId, PluginManifest, Problem, ProblemKind};
use plugd_store::Installed;

/// A plugin that counts.
#[derive(Debug, Clone)]
pub(crate) struct ActivePlugin {
    /// The installed copy.
    pub(crate) copy: Installed,
    /// Its manifest.
    pub(crate) manifest: Arc<Loaded<PluginManifest>>,
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
}

/// Picks the plugins that count out of everything that is installed. With plugins switched off there
/// are none.
pub(crate) fn active_plugins(
    loader: &Loader,
    copies: &[Installed],
    config: &Snapshot,
) -> ActivePlugins {
    let mut active = ActivePlugins::default();
    if !config.features().plugins {
        return active;
    }
    let mut settings: Vec<_> = config.plugins().iter().collect();
    settings.retain(|setting| setting.enabled);
    // The text decides and not the parts of an id: `a-b@m` comes before `a@m`.
    settings.sort_by_cached_key(|setting| setting.id.to_string());
    for setting in settings {
        // One that is configured and not installed is what a refresh brings, and no mistake here.
        let Some(copy) = copies.iter().find(|copy| copy.id == setting.id) else {
            continue;
        };
        match manifest_of(loader, copy) {
            Ok(manifest) => active.plugins.push(ActivePlugin {
                copy: copy.clone(),
                manifest,
            }),
            Err(problem) => active.problems.push((copy.id.clone(), problem)),
        }
    }
    active
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
