//! What the remote catalog says about a plugin, as it goes over the wire.

use plugd_model::Discoverability;
use plugd_plugins::{
    Availability, DisabledReason, InstallPolicySource, Principal, PrincipalKind, PrincipalRole,
    RemoteApp, ShareContext,
};
use plugd_protocol as wire;

pub(super) fn share_context(context: ShareContext) -> wire::PluginShareContext {
    let ShareContext {
        id,
        version,
        discoverability: found_by,
        url,
        creator_account_user_id,
        creator_name,
        principals,
        can_publish_to_workspace,
    } = context;
    wire::PluginShareContext {
        remote_plugin_id: id.to_string(),
        remote_version: version,
        discoverability: found_by.map(discoverability),
        share_url: url,
        creator_account_user_id,
        creator_name,
        share_principals: principals.map(|all| all.into_iter().map(principal).collect()),
        can_publish_to_workspace,
    }
}

pub(super) fn discoverability(value: Discoverability) -> wire::PluginShareDiscoverability {
    match value {
        Discoverability::Listed => wire::PluginShareDiscoverability::Listed,
        Discoverability::Unlisted => wire::PluginShareDiscoverability::Unlisted,
        Discoverability::Private => wire::PluginShareDiscoverability::Private,
    }
}

pub(super) fn principal(principal: Principal) -> wire::PluginSharePrincipal {
    let Principal {
        kind,
        id,
        role,
        name,
    } = principal;
    wire::PluginSharePrincipal {
        principal_type: match kind {
            PrincipalKind::User => wire::PluginSharePrincipalType::User,
            PrincipalKind::Group => wire::PluginSharePrincipalType::Group,
            PrincipalKind::Workspace => wire::PluginSharePrincipalType::Workspace,
        },
        principal_id: id,
        role: match role {
            PrincipalRole::Reader => wire::PluginSharePrincipalRole::Reader,
            PrincipalRole::Editor => wire::PluginSharePrincipalRole::Editor,
            PrincipalRole::Owner => wire::PluginSharePrincipalRole::Owner,
        },
        name,
    }
}

pub(super) fn availability(value: Availability) -> wire::PluginAvailability {
    match value {
        Availability::Available => wire::PluginAvailability::Available,
        Availability::DisabledByAdmin => wire::PluginAvailability::DisabledByAdmin,
    }
}

pub(super) fn disabled_reason(reason: DisabledReason) -> wire::PluginDisabledReason {
    match reason {
        DisabledReason::DisabledByAdmin => wire::PluginDisabledReason::DisabledByAdmin,
        DisabledReason::PlanNotEligible => wire::PluginDisabledReason::PlanNotEligible,
        DisabledReason::RequiredAppUnavailable => {
            wire::PluginDisabledReason::RequiredAppUnavailable
        }
        DisabledReason::Unknown => wire::PluginDisabledReason::Unknown,
    }
}

pub(super) fn policy_source(source: InstallPolicySource) -> wire::PluginInstallPolicySource {
    match source {
        InstallPolicySource::WorkspaceSetting => wire::PluginInstallPolicySource::WorkspaceSetting,
        InstallPolicySource::ImplicitCanonicalApp => {
            wire::PluginInstallPolicySource::ImplicitCanonicalApp
        }
    }
}

/// An app with what the service knows of it.
pub(super) fn app(app: RemoteApp) -> wire::AppSummary {
    let RemoteApp {
        id,
        name,
        description,
        category,
        install_url,
    } = app;
    wire::AppSummary {
        id,
        name,
        description,
        install_url: Some(install_url),
        category,
    }
}
