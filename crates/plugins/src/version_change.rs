//! What became of the version of a plugin, in the one form that all methods about versions answer.

use std::cmp::Ordering;

use plugd_disk::tree::Digest;
use plugd_model::{PluginId, Problem, semantic_order};
use plugd_store::{Installed, Pin};

use crate::standing::Standing;
use crate::version_growth::Growth;

/// The answer of a method about versions.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionChanges {
    /// Whether nothing was done.
    pub dry_run: bool,
    /// A row for each plugin that was looked at, by id.
    pub changes: Vec<VersionChange>,
}

/// One plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct VersionChange {
    /// The plugin.
    pub id: PluginId,
    /// What it was, or is.
    pub from: VersionName,
    /// What it has become, would become or could become.
    pub to: VersionName,
    /// Whether something changed, or would in a dry run.
    pub changed: bool,
    /// Why, or why not.
    pub reason: VersionReason,
    /// The pin that holds from now on.
    pub pin: Option<Pin>,
    /// What an update changes of what runs or is read by a model.
    pub growth: Option<Box<Growth>>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// Everything that names a version, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionName {
    /// The version.
    pub version: Option<String>,
    /// What the source meant: the commit for git, the exact version for a registry.
    pub commit: Option<String>,
    /// The digest of the copy.
    pub digest: Option<Digest>,
}

/// Why a plugin moved, would move, or stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionReason {
    /// It is what it should be.
    Current,
    /// A higher semantic version.
    Newer,
    /// A lower semantic version.
    Older,
    /// Another version, and nobody can say which is the later one.
    Other,
    /// The same version with other content, or from another commit.
    Content,
    /// There is no copy.
    Missing,
    /// A kept version came back.
    RolledBack,
    /// It has another pin.
    Pinned,
    /// It has no pin any more.
    Unpinned,
    /// A pin holds it.
    HeldByPin,
    /// More would run, and nobody has confirmed that.
    NeedsConfirmation,
    /// It may come only after somebody has approved exactly that.
    ApprovalNeeded,
    /// Its commit is younger than is asked for.
    CommitTooYoung,
    /// Its marketplace hands it out no more.
    Policy,
    /// Another program has put its own copy there.
    Drift,
    /// Nothing offers it where it came from.
    NoSource,
    /// It could not be compared or brought.
    Failed,
}

impl VersionName {
    /// What is installed.
    pub(crate) fn of(standing: &Standing) -> Self {
        let copy = standing.copy.as_ref();
        let record = copy.and_then(Installed::provenance_record);
        Self {
            version: copy.map(|copy| copy.version.to_string()),
            commit: record.and_then(|record| record.commit.clone()),
            digest: record.map(|record| record.tree_digest),
        }
    }
}

/// How one version stands to another.
pub(crate) fn compared(from: Option<&str>, to: Option<&str>) -> VersionReason {
    let (Some(from), Some(to)) = (from, to) else {
        return match from {
            None => VersionReason::Missing,
            Some(_) => VersionReason::Other,
        };
    };
    if from == to {
        return VersionReason::Content;
    }
    match semantic_order(from, to) {
        Some(Ordering::Less) => VersionReason::Newer,
        Some(Ordering::Greater) => VersionReason::Older,
        // Versions that differ only in their build are equal to each other.
        Some(Ordering::Equal) | None => VersionReason::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::{VersionReason, compared};

    #[test]
    fn versions_are_compared_as_far_as_they_can_be() {
        #[track_caller]
        fn check(from: &str, to: &str, expected: VersionReason) {
            assert_eq!(compared(Some(from), Some(to)), expected, "{from} {to}");
        }
        check("1.9.0", "1.10.0", VersionReason::Newer);
        check("2.0.0", "2.0.0-rc.1", VersionReason::Older);
        check("1.0.0", "1.0.0", VersionReason::Content);
        check("1.0.0+a", "1.0.0+b", VersionReason::Other);
        check("local", "1.0.0", VersionReason::Other);
        check("unknown", "2024-05", VersionReason::Other);
        assert_eq!(compared(None, Some("1.0.0")), VersionReason::Missing);
        assert_eq!(compared(Some("1.0.0"), None), VersionReason::Other);
    }
}
