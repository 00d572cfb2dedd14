//! `plugd/versions`, `plugd/outdated`, `plugd/update`, `plugd/pin` and `plugd/rollback`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    AbsolutePathBuf, PlugdInspectionChange, PlugdInspectionDifference, PluginBinding, Problem,
};

/// Params of `plugd/versions`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdVersionsParams {
    /// `name@marketplace` of the plugin; without it, all that are installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin_id: Option<String>,
}

/// Result of `plugd/versions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdVersionsResponse {
    /// The plugins, sorted by id.
    pub plugins: Vec<PlugdPluginVersions>,
    /// What stands among the installed plugins and is none.
    pub problems: Vec<Problem>,
}

/// The versions of a plugin that are on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdPluginVersions {
    /// `name@marketplace`.
    pub plugin_id: String,
    /// What it must stay at; null when nothing holds it.
    pub pin: Option<PlugdPin>,
    /// What the rows are sorted by, the latest first.
    pub ordered_by: PlugdVersionOrder,
    /// The installed version and those that are kept.
    pub versions: Vec<PlugdVersion>,
    /// What is wrong with its record.
    pub problems: Vec<Problem>,
}

/// What versions are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlugdVersionOrder {
    /// All of them are semantic versions.
    Semver,
    /// The time they were installed.
    Time,
}

/// What a plugin must stay at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdPin {
    /// The version.
    pub version: String,
    /// The commit, or the exact release of a registry; null where any may stand behind the version.
    pub commit: Option<String>,
    /// The digest of the copy; null where its content may change under the version.
    pub digest: Option<String>,
    /// The locks that hold it there; none when somebody pinned it by hand.
    pub lock_paths: Vec<AbsolutePathBuf>,
}

/// Whether a version is the one that is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlugdVersionState {
    /// It is installed.
    Installed,
    /// It was replaced, and can come back.
    Kept,
}

/// A version of a plugin on this machine. What was not recorded, as for a copy of another program, is
/// null.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdVersion {
    /// The version, which need not be a semantic one.
    pub version: String,
    /// Whether it is the one that is used.
    pub state: PlugdVersionState,
    /// Its directory.
    pub path: AbsolutePathBuf,
    /// Where it came from.
    pub origin: Option<PluginBinding>,
    /// What kind of marketplace that was.
    pub bound_to: Option<PlugdBoundTo>,
    /// What the source meant: the commit for git, the exact version for a registry, the digest of the
    /// archive for the remote catalog.
    pub commit: Option<String>,
    /// The digest of what was copied from the source.
    pub source_digest: Option<String>,
    /// The digest of the copy, which names it in `plugd/rollback` and `plugd/pin`.
    pub tree_digest: Option<String>,
    /// When it was installed, in seconds since 1970.
    pub installed_at: Option<i64>,
    /// Who installed it.
    pub by: Option<PlugdInstalledBy>,
    /// When it was replaced, in seconds since 1970; null for the installed one.
    pub replaced_at: Option<i64>,
    /// What stood in its place before; null when nothing did, or nobody knows.
    pub replaced: Option<PlugdReplaced>,
    /// Whether the pin names it.
    pub pinned: bool,
    /// Whether `plugd/rollback` without `to` brings it back.
    pub predecessor: bool,
}

/// The kind of marketplace that a plugin is bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlugdBoundTo {
    /// The manifest of a directory of this machine.
    Manifest,
    /// A repository.
    Git,
    /// An artifact of an OCI registry.
    Oci,
    /// An archive behind an address.
    Archive,
    /// The curated marketplace.
    Curated,
    /// The remote catalog.
    Remote,
}

/// Who made a copy what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlugdInstalledBy {
    /// A request.
    Request,
    /// The refresh in the background, or the upgrade of a marketplace.
    Refresh,
    /// The account of the remote catalog, or the curated snapshot.
    Sync,
    /// A lockfile.
    Lock,
    /// An archive that was exported elsewhere.
    Import,
    /// Another program; its copy was taken over as it was.
    Adopted,
}

/// A version that another one has replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdReplaced {
    /// Its version.
    pub version: String,
    /// The digest of its copy.
    pub tree_digest: String,
}

/// Params of `plugd/pin`. At most one of `version`, `commit`, `digest` and `none`; without any of them
/// the plugin is pinned to exactly what is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdPinParams {
    /// `name@marketplace`.
    pub plugin_id: String,
    /// The installed version. Its content may change with its source, under the same version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The commit of the installed version, or its beginning; for a registry, the exact release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The digest of the installed copy, or its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Whether to remove the pin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub none: Option<bool>,
    /// Whether to only tell what would change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
}

/// Params of `plugd/rollback`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdRollbackParams {
    /// `name@marketplace`.
    pub plugin_id: String,
    /// A kept version: its version, or the beginning of its commit or digest. Without it, the version
    /// that stood there before the installed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Whether to only tell what would change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
}

/// Params of `plugd/outdated`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdOutdatedParams {
    /// `name@marketplace` of the plugin; without it, all that are installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin_id: Option<String>,
}

/// Params of `plugd/update`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdUpdateParams {
    /// `name@marketplace` of the plugin; without it, all that are installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin_id: Option<String>,
    /// What to be asked about before it comes; absent means nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<PlugdConfirm>,
    /// The `toDigest` of rows with the reason `needsConfirmation` that somebody has agreed to. What
    /// has changed since has another digest, and is asked about again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<Vec<String>>,
    /// Whether to only tell what would change. What lies elsewhere is fetched for that and not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
}

/// What an update has to be asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlugdConfirm {
    /// A plugin that could do more than before: `grew` is not empty, or cannot be told.
    Capabilities,
}

/// Result of `plugd/outdated`, `plugd/update`, `plugd/pin` and `plugd/rollback`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdVersionsChanged {
    /// Whether nothing was done.
    pub dry_run: bool,
    /// A row for each plugin, sorted by id.
    pub changes: Vec<PlugdVersionChange>,
}

/// What became of the version of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdVersionChange {
    /// `name@marketplace`.
    pub plugin_id: String,
    /// The version before: of the copy, for `plugd/pin` of the pin. Null when there was none.
    pub from: Option<String>,
    /// The version after; null when there is none, or nobody can know it without fetching.
    pub to: Option<String>,
    /// Whether something changed, or in a dry run would.
    pub changed: bool,
    /// Why, or why not.
    pub reason: PlugdVersionReason,
    /// The commit before, or the exact release of a registry.
    pub from_commit: Option<String>,
    /// The commit after.
    pub to_commit: Option<String>,
    /// The digest of the copy before.
    pub from_digest: Option<String>,
    /// The digest of the copy after.
    pub to_digest: Option<String>,
    /// What it must stay at from now on; null when nothing holds it.
    pub pin: Option<PlugdPin>,
    /// What differs of what would run or be read by a model, as `plugd/inspect` tells it; omitted
    /// where nothing was brought to be compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<PlugdInspectionDifference>,
    /// What of it lets the plugin do more: what is new and runs, reaches a server, reads a variable or
    /// hides in a text, and a server or hook that does something else. Omitted with `difference`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grew: Option<Vec<PlugdInspectionChange>>,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// Why a plugin moved, would move, or stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlugdVersionReason {
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
    /// It may come only after somebody has approved exactly that, with `plugd/approve`.
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
