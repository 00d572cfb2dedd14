//! What became of the version of a plugin, in the one form that all methods about versions answer.

use plugd_disk::tree::Digest;
use plugd_model::{PluginId, Problem};
use plugd_store::Pin;

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
    /// Its marketplace hands it out no more.
    Policy,
    /// Another program has put its own copy there.
    Drift,
    /// Nothing offers it where it came from.
    NoSource,
    /// It could not be compared or brought.
    Failed,
}
