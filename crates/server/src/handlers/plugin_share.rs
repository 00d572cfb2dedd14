//! What the handlers of `plugin/share/*` share.

use plugd_model::Discoverability;
use plugd_plugins::{NotPacked, PrincipalKind, ShareTarget, TargetRole, WhyNotPacked};
use plugd_protocol as wire;

pub(super) fn discoverability(value: wire::PluginShareDiscoverability) -> Discoverability {
    match value {
        wire::PluginShareDiscoverability::Listed => Discoverability::Listed,
        wire::PluginShareDiscoverability::Unlisted => Discoverability::Unlisted,
        wire::PluginShareDiscoverability::Private => Discoverability::Private,
    }
}

pub(super) fn target(target: wire::PluginShareTarget) -> ShareTarget {
    let wire::PluginShareTarget {
        principal_type,
        principal_id,
        role,
    } = target;
    ShareTarget {
        kind: match principal_type {
            wire::PluginSharePrincipalType::User => PrincipalKind::User,
            wire::PluginSharePrincipalType::Group => PrincipalKind::Group,
            wire::PluginSharePrincipalType::Workspace => PrincipalKind::Workspace,
        },
        id: principal_id,
        role: match role {
            wire::PluginShareTargetRole::Reader => TargetRole::Reader,
            wire::PluginShareTargetRole::Editor => TargetRole::Editor,
        },
    }
}

pub(super) fn left_out(left_out: NotPacked) -> wire::PluginShareLeftOut {
    use wire::PluginShareLeftOutReason as Reason;
    let NotPacked { path, why } = left_out;
    let reason = match why {
        WhyNotPacked::VersionControl => Reason::VersionControl,
        WhyNotPacked::System => Reason::SystemFile,
        WhyNotPacked::Editor => Reason::EditorFile,
        WhyNotPacked::Secret => Reason::Secret,
        WhyNotPacked::LinkTo { target: _ } => Reason::LinkToLeftOut,
        WhyNotPacked::LinkOut => Reason::LinkOutside,
        WhyNotPacked::LinkNowhere | WhyNotPacked::LinkLoop => Reason::BrokenLink,
        WhyNotPacked::Name { reason: _ } => Reason::BadName,
    };
    wire::PluginShareLeftOut { path, reason }
}
