//! What a listing says, and the pure function that works it out.
//!
//! [`join`] takes facts that were read before and decides nothing by looking again, so the rules of
//! a listing can be tested without a disk.

use std::collections::BTreeMap;
use std::sync::Arc;

use plugd_manifest::{Fallback, Loaded, MarketplaceEntry};
use plugd_model::{
    AbsPath, AuthPolicy, InstallPolicy, Interface, PluginId, PluginManifest, Problem, Source,
    VersionSegment,
};
use plugd_store::Installed;

use crate::remote_row::{PictureUrls, RemoteRow, ShareContext};
use crate::rows::ListedPlugin;

/// A whole listing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Listing {
    /// The marketplaces that have something to show, in order.
    pub marketplaces: Vec<ListedMarketplace>,
    /// Everything that could not be shown, or needs to be told.
    pub load_errors: Vec<LoadError>,
    /// Ids of plugins that the remote catalog puts in front.
    pub featured: Vec<String>,
}

/// One marketplace of a listing.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedMarketplace {
    /// Its name.
    pub name: String,
    /// Its manifest; absent for a group of orphans.
    pub path: Option<AbsPath>,
    /// The name to show.
    pub display_name: Option<String>,
    /// Its plugins.
    pub plugins: Vec<ListedPlugin>,
}

/// One row of `marketplaceLoadErrors`.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadError {
    /// The marketplace's manifest, or the config file or directory that named it.
    pub marketplace_path: AbsPath,
    /// What is wrong.
    pub problem: Problem,
}

/// What a listing says about one plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Its id.
    pub id: PluginId,
    /// The version that the source declares (for git and npm: the installed copy).
    pub local_version: Option<String>,
    /// Configured, and in the store.
    pub installed: bool,
    /// Configured and not switched off, installed or not.
    pub enabled: bool,
    /// Where its content comes from.
    pub source: Source,
    /// Whether it may be installed.
    pub install_policy: InstallPolicy,
    /// When its apps ask for a login.
    pub auth_policy: AuthPolicy,
    /// Texts and pictures.
    pub interface: Option<ShownInterface>,
    /// Search words.
    pub keywords: Vec<String>,
    /// The version directory in the store.
    pub installed_version: Option<VersionSegment>,
    /// The source has something else than the store.
    pub update_available: bool,
    /// How it is shared through an account.
    pub share: Option<Box<ShareContext>>,
    /// What only the remote catalog says; absent for everything else.
    pub remote: Option<Box<RemoteRow>>,
    /// The working tree that stands in for it.
    pub linked: Option<AbsPath>,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

impl Summary {
    /// The row of a plugin that nobody offers, as far as its directory tells it: neither installed nor on.
    pub(crate) fn unoffered(
        id: PluginId,
        root: &AbsPath,
        manifest: Option<&PluginManifest>,
    ) -> Self {
        let interface = manifest.and_then(|manifest| manifest.interface.clone());
        Self {
            id,
            local_version: manifest.and_then(|manifest| manifest.version.clone()),
            installed: false,
            enabled: false,
            source: Source::Local { path: root.clone() },
            install_policy: InstallPolicy::NotAvailable,
            auth_policy: AuthPolicy::default(),
            interface: interface.map(|interface| ShownInterface::of(interface, Some(root.clone()))),
            keywords: manifest.map_or_else(Vec::new, |manifest| manifest.keywords.clone()),
            installed_version: None,
            update_available: false,
            share: None,
            remote: None,
            linked: None,
            problems: Vec::new(),
        }
    }

    /// Whether a refresh would have something to do for it: there is something else, or nothing in the store.
    pub(crate) fn is_behind(&self) -> bool {
        let is_missing = self.enabled && !self.installed && self.linked.is_none();
        is_missing || self.update_available
    }
}

/// Texts and pictures together with the directory that the pictures' paths count from.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownInterface {
    /// The texts and relative paths, as the plugin declares them.
    pub interface: Arc<Interface>,
    /// The category that a marketplace files it under, whatever the plugin says.
    pub filed: Option<String>,
    /// The plugin's root; absent while nothing of the plugin is on this disk.
    pub root: Option<AbsPath>,
    /// Pictures that are addresses and no files.
    pub urls: PictureUrls,
}

impl ShownInterface {
    /// What a plugin on this disk declares, which is filed nowhere else.
    pub(crate) fn of(interface: Arc<Interface>, root: Option<AbsPath>) -> Self {
        Self {
            interface,
            filed: None,
            root,
            urls: PictureUrls::default(),
        }
    }
}

/// What was read about one offered plugin before it is shown.
#[derive(Debug, Clone)]
pub(crate) struct Facts<'a> {
    pub(crate) id: PluginId,
    pub(crate) entry: &'a MarketplaceEntry,
    pub(crate) details: &'a Details,
    pub(crate) installed: Option<&'a Installed>,
    /// The configured value over all scopes; absent when no scope configures the plugin.
    pub(crate) setting: Option<bool>,
    /// The version directory that an installation from the source would make.
    pub(crate) offered_version: Option<String>,
    /// Whether the last background comparison found other content under the same version.
    pub(crate) content_differs: bool,
    /// The working tree that stands in for it; the details are of that one then.
    pub(crate) linked: Option<&'a AbsPath>,
}

/// What is known about the inside of a plugin.
#[derive(Debug, Clone)]
pub(crate) enum Details {
    /// Its manifest, and the directory it was read from.
    Manifest(Arc<Loaded<PluginManifest>>, AbsPath),
    /// No manifest; the marketplace entry describes the plugin.
    Fallback(Arc<Fallback>, Option<AbsPath>),
    /// Nothing, and that is normal: a git or npm source that is not installed.
    NotHere,
    /// Nothing, because the directory does not exist; what the entry says of the plugin, and where the
    /// directory would be.
    NoDirectory(Problem, Option<(Arc<Fallback>, AbsPath)>),
    /// Nothing that may be read, because the directory lies outside of the marketplace.
    Outside(Problem),
    /// Nothing, and that is a fault.
    Broken(Problem),
}

impl Details {
    pub(crate) fn manifest(&self) -> Option<&PluginManifest> {
        match self {
            Self::Manifest(loaded, _) => Some(&loaded.value),
            Self::Fallback(fallback, _) | Self::NoDirectory(_, Some((fallback, _))) => {
                Some(fallback.manifest())
            }
            Self::NotHere | Self::NoDirectory(_, None) | Self::Outside(_) | Self::Broken(_) => None,
        }
    }

    pub(crate) fn root(&self) -> Option<&AbsPath> {
        match self {
            Self::Manifest(_, root) => Some(root),
            Self::Fallback(_, root) => root.as_ref(),
            Self::NoDirectory(_, said) => said.as_ref().map(|(_, root)| root),
            Self::NotHere | Self::Outside(_) | Self::Broken(_) => None,
        }
    }

    pub(crate) fn problems(&self) -> Vec<Problem> {
        match self {
            Self::Manifest(loaded, _) => loaded.problems.clone(),
            Self::Fallback(fallback, _) => fallback.problems().to_vec(),
            Self::NoDirectory(problem, said) => {
                let said = said.iter().flat_map(|(fallback, _)| fallback.problems());
                std::iter::once(problem).chain(said).cloned().collect()
            }
            Self::Outside(problem) | Self::Broken(problem) => vec![problem.clone()],
            Self::NotHere => Vec::new(),
        }
    }
}

/// Works out what to show for one plugin.
pub(crate) fn join(facts: Facts<'_>) -> Summary {
    let manifest = facts.details.manifest();
    let installed = facts.setting.is_some() && facts.installed.is_some();
    let installed_version = facts
        .installed
        .filter(|_| installed)
        .map(|copy| copy.version.clone());
    let update_available = installed_version
        .as_ref()
        .zip(facts.offered_version.as_ref())
        .is_some_and(|(have, offered)| have.as_str() != offered)
        || (installed && facts.content_differs);
    Summary {
        local_version: manifest.and_then(|manifest| manifest.version.clone()),
        installed,
        // Whoever links a plugin wants to use it.
        enabled: facts.setting.unwrap_or(facts.linked.is_some()),
        source: facts.entry.source.without_secrets(),
        install_policy: facts.entry.install_policy,
        auth_policy: facts.entry.auth_policy,
        interface: interface(&facts),
        keywords: manifest
            .map(|manifest| manifest.keywords.clone())
            .unwrap_or_default(),
        installed_version,
        update_available,
        share: None,
        remote: None,
        linked: facts.linked.cloned(),
        problems: facts.details.problems(),
        id: facts.id,
    }
}

/// The entry's category overrides the manifest's, and makes an interface where there was none.
fn interface(facts: &Facts<'_>) -> Option<ShownInterface> {
    let declared = facts
        .details
        .manifest()
        .and_then(|manifest| manifest.interface.clone());
    let interface = match &facts.entry.category {
        None => declared?,
        Some(_) => declared.unwrap_or_default(),
    };
    Some(ShownInterface {
        filed: facts.entry.category.clone(),
        ..ShownInterface::of(interface, facts.details.root().cloned())
    })
}

/// The configured plugins of all scopes, or one `only`: switched on when any scope has it on.
pub(crate) fn settings_of<'a>(
    configs: impl IntoIterator<Item = &'a plugd_config::Snapshot>,
    only: Option<&PluginId>,
) -> BTreeMap<PluginId, bool> {
    let mut settings = BTreeMap::new();
    for config in configs {
        let rows = config.plugins().iter();
        for row in rows.filter(|row| only.is_none_or(|id| row.id == *id)) {
            *settings.entry(row.id.clone()).or_insert(false) |= row.enabled;
        }
    }
    settings
}

#[cfg(test)]
#[path = "listing_tests.rs"]
mod tests;
