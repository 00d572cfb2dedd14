//! What the methods about versions have in common: the ids they take and the rows they answer.

use plugd_model::git_url::without_secrets;
use plugd_model::{PackedOrigin, PluginId};
use plugd_plugins::{
    Before, BoundSource, Grown, Growth, InstalledBy, Pin, VersionChange, VersionChanges,
    VersionName, VersionOrigin, VersionReason, VersionRefusal,
};
use plugd_protocol as wire;

use super::{plugd_inspect, shared};

/// The plugin that a request names.
///
/// # Errors
/// The text is no id.
pub(super) fn plugin_id(id: String) -> Result<PluginId, plugd_plugins::Error> {
    PluginId::parse(&id).map_err(|_| plugd_plugins::Error::BadPluginId { id })
}

/// The one of some members that is given.
///
/// # Errors
/// Two are.
pub(super) fn only_one<T, const N: usize>(
    members: [Option<(&'static str, T)>; N],
) -> Result<Option<T>, plugd_plugins::Error> {
    let mut found = None;
    for (field, value) in members.into_iter().flatten() {
        if let Some((other, _)) = found.replace((field, value)) {
            return Err(VersionRefusal::Together { field, other }.into());
        }
    }
    Ok(found.map(|(_, value)| value))
}

pub(super) fn changed(changes: VersionChanges) -> wire::PlugdVersionsChanged {
    let VersionChanges { dry_run, changes } = changes;
    wire::PlugdVersionsChanged {
        dry_run,
        changes: changes.into_iter().map(change).collect(),
    }
}

fn change(change: VersionChange) -> wire::PlugdVersionChange {
    let VersionChange {
        id,
        from,
        to,
        changed,
        reason,
        pin: held,
        growth,
        problems,
    } = change;
    let (difference, grew) = growth.as_deref().map(self::growth).unzip();
    let digest = |name: &VersionName| name.digest.map(|digest| digest.to_string());
    wire::PlugdVersionChange {
        plugin_id: id.to_string(),
        from_digest: digest(&from),
        to_digest: digest(&to),
        from: from.version,
        to: to.version,
        changed,
        reason: self::reason(reason),
        from_commit: from.commit,
        to_commit: to.commit,
        pin: held.map(pin),
        difference,
        grew,
        problems: problems.into_iter().map(shared::problem).collect(),
    }
}

fn growth(
    growth: &Growth,
) -> (
    wire::PlugdInspectionDifference,
    Vec<wire::PlugdInspectionChange>,
) {
    (
        plugd_inspect::difference(&growth.difference),
        grew(&growth.grew),
    )
}

/// What of a change lets a plugin do more.
pub(super) fn grew(grew: &[Grown]) -> Vec<wire::PlugdInspectionChange> {
    let grew = grew.iter().map(|one| wire::PlugdInspectionChange {
        category: plugd_inspect::category(one.category),
        name: one.name.clone(),
        from: one.from.clone(),
        to: Some(one.to.clone()),
    });
    grew.collect()
}

fn reason(reason: VersionReason) -> wire::PlugdVersionReason {
    match reason {
        VersionReason::Current => wire::PlugdVersionReason::Current,
        VersionReason::Newer => wire::PlugdVersionReason::Newer,
        VersionReason::Older => wire::PlugdVersionReason::Older,
        VersionReason::Other => wire::PlugdVersionReason::Other,
        VersionReason::Content => wire::PlugdVersionReason::Content,
        VersionReason::Missing => wire::PlugdVersionReason::Missing,
        VersionReason::RolledBack => wire::PlugdVersionReason::RolledBack,
        VersionReason::Pinned => wire::PlugdVersionReason::Pinned,
        VersionReason::Unpinned => wire::PlugdVersionReason::Unpinned,
        VersionReason::HeldByPin => wire::PlugdVersionReason::HeldByPin,
        VersionReason::NeedsConfirmation => wire::PlugdVersionReason::NeedsConfirmation,
        VersionReason::ApprovalNeeded => wire::PlugdVersionReason::ApprovalNeeded,
        VersionReason::CommitTooYoung => wire::PlugdVersionReason::CommitTooYoung,
        VersionReason::Policy => wire::PlugdVersionReason::Policy,
        VersionReason::Drift => wire::PlugdVersionReason::Drift,
        VersionReason::NoSource => wire::PlugdVersionReason::NoSource,
        VersionReason::Failed => wire::PlugdVersionReason::Failed,
    }
}

pub(super) fn pin(pin: Pin) -> wire::PlugdPin {
    let Pin {
        version,
        commit,
        tree_digest,
        locks,
    } = pin;
    wire::PlugdPin {
        version: version.to_string(),
        commit,
        digest: tree_digest.map(|digest| digest.to_string()),
        lock_paths: locks.iter().map(shared::path).collect(),
    }
}

/// Where a version came from, with the kind of its marketplace.
pub(super) fn origin(origin: &VersionOrigin) -> (wire::PluginBinding, wire::PlugdBoundTo) {
    let mut binding = wire::PluginBinding {
        marketplace_path: None,
        marketplace_url: None,
        marketplace_ref: None,
        source: Some(shared::source(origin.source.clone())),
    };
    let kind = match &origin.bound {
        BoundSource::Manifest(path) => {
            binding.marketplace_path = Some(shared::path(path));
            wire::PlugdBoundTo::Manifest
        }
        BoundSource::Git { url, ref_name } => {
            binding.marketplace_url = Some(without_secrets(url));
            binding.marketplace_ref.clone_from(ref_name);
            wire::PlugdBoundTo::Git
        }
        BoundSource::Packed(origin) => {
            binding.marketplace_url = Some(origin.to_string());
            match origin {
                PackedOrigin::Oci(_) => wire::PlugdBoundTo::Oci,
                PackedOrigin::Archive(_) => wire::PlugdBoundTo::Archive,
            }
        }
        BoundSource::Curated => wire::PlugdBoundTo::Curated,
        BoundSource::Remote { .. } => wire::PlugdBoundTo::Remote,
    };
    (binding, kind)
}

pub(super) fn by(by: InstalledBy) -> wire::PlugdInstalledBy {
    match by {
        InstalledBy::Request => wire::PlugdInstalledBy::Request,
        InstalledBy::Refresh => wire::PlugdInstalledBy::Refresh,
        InstalledBy::Sync => wire::PlugdInstalledBy::Sync,
        // Which of the two it is decides what has to be asked, and is nothing to show.
        InstalledBy::Lock | InstalledBy::LockAlone => wire::PlugdInstalledBy::Lock,
        InstalledBy::Import => wire::PlugdInstalledBy::Import,
        InstalledBy::Adopted => wire::PlugdInstalledBy::Adopted,
    }
}

pub(super) fn replaced(before: &Before) -> Option<wire::PlugdReplaced> {
    match before {
        Before::Unknown | Before::Nothing => None,
        Before::Replaced {
            version,
            tree_digest,
        } => Some(wire::PlugdReplaced {
            version: version.to_string(),
            tree_digest: tree_digest.to_string(),
        }),
    }
}
