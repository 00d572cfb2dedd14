//! What a listing says about a plugin of the remote catalog, and the pure function that works it out.
//!
//! The service says what is offered and what the account has installed and switched on; the store
//! says which version lies here. A plugin that configuration switches off is off, whatever the
//! service says: a no is always heard.

use std::sync::Arc;

use plugd_catalog::{
    Availability, DisabledReason, InstallPolicySource, InstalledItem, Item, Principal,
    ReleaseInterface, Sharing,
};
use plugd_model::{Discoverability, Problem, RemotePluginId, RemoteScope, Source};
use plugd_store::Installed;

use crate::listing::{ShownInterface, Summary};

/// What only the remote catalog says about a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteRow {
    /// What the service calls it.
    pub id: RemotePluginId,
    /// The version that is offered.
    pub version: Option<String>,
    /// When the account installed it, in seconds since the epoch.
    pub installed_at: Option<i64>,
    /// Who decided on the install policy.
    pub install_policy_source: Option<InstallPolicySource>,
    /// Whether a page is to be shown before the installation.
    pub must_show_interstitial: Option<bool>,
    /// Whether it may be used at all.
    pub availability: Availability,
    /// Why it is withheld.
    pub disabled_reason: Option<DisabledReason>,
    /// The plans that may have it.
    pub eligible_plan_types: Option<Vec<String>>,
}

/// How a plugin is shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareContext {
    /// What the service calls it.
    pub id: RemotePluginId,
    /// The version that is shared.
    pub version: Option<String>,
    /// Who comes across it.
    pub discoverability: Option<Discoverability>,
    /// A link to it.
    pub url: Option<String>,
    /// The account that made it.
    pub creator_account_user_id: Option<String>,
    /// The person who made it.
    pub creator_name: Option<String>,
    /// Who may do what.
    pub principals: Option<Vec<Principal>>,
    /// Whether this account may offer it to the whole workspace.
    pub can_publish_to_workspace: Option<bool>,
}

/// Pictures that lie on another machine.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PictureUrls {
    /// The icon beside an input field.
    pub composer_icon: Option<String>,
    /// The logo.
    pub logo: Option<String>,
    /// The logo on a dark ground.
    pub logo_dark: Option<String>,
    /// Pictures.
    pub screenshots: Vec<String>,
}

/// What is known here about a plugin that the service speaks of.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Here<'a> {
    /// What the account has of it.
    pub(crate) installed: Option<&'a InstalledItem>,
    /// The bundle in the store.
    pub(crate) copy: Option<&'a Installed>,
    /// What configuration says about it.
    pub(crate) setting: Option<bool>,
    /// Why the last synchronisation could not bring it.
    pub(crate) trouble: Option<&'a Problem>,
}

/// The row of a plugin.
pub(crate) fn row(item: &Item, here: Here<'_>) -> Summary {
    let release = &item.release;
    let version = here.copy.map(|copy| copy.version.clone());
    let installed = here.installed.is_some();
    let offered = release.version.as_deref();
    let is_older = version
        .as_ref()
        .zip(offered)
        .is_some_and(|(have, offered)| have.as_str() != offered);
    // It may have come by another way since.
    let is_lacking = installed && (here.copy.is_none() || is_older);
    let trouble = here.trouble.filter(|_| is_lacking);
    Summary {
        id: item.plugin_id(),
        local_version: version.as_ref().map(ToString::to_string),
        installed,
        enabled: is_on(here),
        source: Source::Remote,
        install_policy: item.install_policy,
        auth_policy: item.auth_policy,
        interface: release.interface.as_ref().map(shown),
        keywords: release.keywords.clone(),
        installed_version: version,
        update_available: installed && is_older,
        share: share_context(item).map(Box::new),
        remote: Some(Box::new(RemoteRow {
            id: item.id.clone(),
            version: release.version.clone(),
            installed_at: here.installed.and_then(|one| one.installed_at),
            install_policy_source: item.install_policy_source,
            must_show_interstitial: item.must_show_interstitial,
            availability: item.availability,
            disabled_reason: item.disabled_reason,
            eligible_plan_types: item.eligible_plan_types.clone(),
        })),
        linked: None,
        problems: trouble.cloned().into_iter().collect(),
    }
}

/// Whether a plugin that the account has installed counts.
pub(crate) fn is_on(here: Here<'_>) -> bool {
    here.installed.is_some_and(|one| one.enabled) && here.setting != Some(false)
}

/// How an item is shared; only a workspace shares.
pub(crate) fn share_context(item: &Item) -> Option<ShareContext> {
    let Sharing {
        creator_account_user_id,
        creator_name,
        share_url,
        can_publish_to_workspace,
        principals,
    } = &item.sharing;
    (item.scope == RemoteScope::Workspace).then(|| ShareContext {
        id: item.id.clone(),
        version: item.release.version.clone(),
        discoverability: item.discoverability,
        url: share_url.clone(),
        creator_account_user_id: creator_account_user_id.clone(),
        creator_name: creator_name.clone(),
        principals: principals.clone(),
        can_publish_to_workspace: *can_publish_to_workspace,
    })
}

fn shown(interface: &ReleaseInterface) -> ShownInterface {
    let ReleaseInterface {
        texts,
        composer_icon_url,
        logo_url,
        logo_url_dark,
        screenshot_urls,
    } = interface;
    ShownInterface {
        interface: Arc::new(texts.clone()),
        filed: None,
        root: None,
        urls: PictureUrls {
            composer_icon: composer_icon_url.clone(),
            logo: logo_url.clone(),
            logo_dark: logo_url_dark.clone(),
            screenshots: screenshot_urls.clone(),
        },
    }
}
