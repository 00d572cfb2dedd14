//! `plugd/gc`, `plugd/verify`, and what `plugd validate` says with `--json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AbsolutePathBuf, Problem};

/// Params of `plugd/verify`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdVerifyParams {
    /// `name@marketplace` of the plugin to look at; without it, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin_id: Option<String>,
}

/// Result of `plugd/verify`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdVerifyResponse {
    /// Whether every copy is exactly what is recorded about it.
    pub matches: bool,
    /// The copies, sorted by id.
    pub plugins: Vec<PlugdVerifiedPlugin>,
    /// What stands among the installed plugins and is none.
    pub problems: Vec<Problem>,
}

/// An installed copy, compared with what is recorded about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdVerifiedPlugin {
    /// `name@marketplace`.
    pub plugin_id: String,
    /// Its version.
    pub version: String,
    /// Its directory.
    pub path: AbsolutePathBuf,
    /// Whether it is exactly what is recorded. False, too, when nothing is recorded about it, or it
    /// cannot be read.
    pub matches: bool,
    /// The digest that was recorded when it was installed; null when nothing is recorded, as for a
    /// copy of another program.
    pub recorded_digest: Option<String>,
    /// The digest of what is there; null when it cannot be read.
    pub found_digest: Option<String>,
    /// Whether the files that differ are known. They are not for a copy that was taken over from
    /// another program, of which no list was made.
    pub names_files: bool,
    /// Files with other content, or with another right to be executed; relative to `path`, with `/`.
    pub changed: Vec<String>,
    /// Files that are gone.
    pub missing: Vec<String>,
    /// Files that were not there.
    pub added: Vec<String>,
    /// What no installation leaves behind (links, special files), and why something could not be
    /// looked at.
    pub problems: Vec<Problem>,
}

/// Params of `plugd/gc`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdGcParams {
    /// Whether to only tell what would be removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
}

/// Result of `plugd/gc`: what was removed, or in a dry run would be. What a living process uses, a
/// pin names or the settings keep is never among it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdGcResponse {
    /// Whether nothing was removed.
    pub dry_run: bool,
    /// Kept versions that nobody needs, by digest.
    pub trees: Vec<PlugdGcTree>,
    /// Bytes of what interrupted processes had half made.
    pub staging_bytes: u64,
    /// Bytes of what interrupted processes had half removed.
    pub trash_bytes: u64,
    /// How many leases of dead processes there were.
    pub dead_leases: u64,
    /// Copies of repositories that no configured marketplace and no installed plugin names, by path.
    /// They save fetching twice and nothing else.
    pub mirrors: Vec<PlugdGcMirror>,
    /// Everything that was removed or would be, what stands above included, by kind and path.
    pub changes: Vec<PlugdGcChange>,
    /// The same in numbers, for each kind of which there is anything.
    pub totals: Vec<PlugdGcTotal>,
    /// All bytes together. Files that a file system shares count in each copy.
    pub freed_bytes: u64,
    /// All files together.
    pub freed_files: u64,
    /// What could not be understood or removed.
    pub problems: Vec<Problem>,
}

/// Something that nobody needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdGcChange {
    /// What it is.
    pub kind: PlugdGcKind,
    /// Where it lies or lay; the directory, for things that are told together.
    pub path: AbsolutePathBuf,
    /// The plugin that it is about.
    pub plugin_id: Option<String>,
    /// The marketplace that it is about.
    pub marketplace_name: Option<String>,
    /// The digest that a tree was named by.
    pub tree_digest: Option<String>,
    /// How many things these are.
    pub entries: u64,
    /// How many files they have.
    pub files: u64,
    /// How many bytes those have.
    pub bytes: u64,
    /// Whether it is gone, or would be; what stays is among the problems.
    pub changed: bool,
    /// Why nobody needs it.
    pub reason: PlugdGcReason,
}

/// Everything of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdGcTotal {
    /// The kind.
    pub kind: PlugdGcKind,
    /// How many things.
    pub entries: u64,
    /// How many files they have.
    pub files: u64,
    /// How many bytes those have.
    pub bytes: u64,
}

/// What kind of thing nobody needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlugdGcKind {
    /// A kept or leased version.
    Tree,
    /// What interrupted operations had half made.
    Staging,
    /// What they had half removed.
    Trash,
    /// Leases of dead processes.
    Lease,
    /// What is recorded of a plugin.
    Record,
    /// A file that was never finished.
    HalfWritten,
    /// A copy of a repository.
    Mirror,
    /// The checkout of a git marketplace.
    Checkout,
    /// A file of the remote catalog.
    Catalog,
}

/// A kept version that nobody needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdGcTree {
    /// The digest of its content, `sha256:` and 64 hexadecimal digits.
    pub tree_digest: String,
    /// Its directory.
    pub path: AbsolutePathBuf,
    /// Its size.
    pub bytes: u64,
    /// Why nobody needs it.
    pub reason: PlugdGcReason,
}

/// A copy of a repository that nothing names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdGcMirror {
    /// Its directory.
    pub path: AbsolutePathBuf,
    /// Its size.
    pub bytes: u64,
}

/// Why something is not needed. Those of kept versions are the first three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlugdGcReason {
    /// No installed plugin names it.
    Unnamed,
    /// The plugins that name it have newer ones, and enough of them.
    TooMany,
    /// It is a copy of what is installed, made for a lease that is over.
    CopyOfInstalled,
    /// The process that it belonged to is gone.
    Dead,
    /// Its plugin is neither installed nor configured nor pinned.
    NotInstalled,
    /// No configuration, entry or record names its source.
    NotNamed,
    /// No configuration has a marketplace of its name.
    NotConfigured,
    /// It is not of the login of this home, and was not written for 30 days.
    Unused,
}

/// What `plugd validate` says about a plugin or a marketplace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdValidateResponse {
    /// What was looked at, one row each: a marketplace, then the plugins that lie in it.
    pub subjects: Vec<PlugdValidatedSubject>,
    /// Whether there is no error, and with `--strict` no warning either.
    pub valid: bool,
    /// How many problems are errors.
    pub errors: u64,
    /// How many problems are warnings.
    pub warnings: u64,
}

/// A plugin or marketplace that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdValidatedSubject {
    /// What it is.
    pub kind: PlugdValidatedKind,
    /// Its name; null when that could not be read.
    pub name: Option<String>,
    /// Its directory, or the file of a marketplace.
    pub path: AbsolutePathBuf,
    /// The format it is written in, such as `agentPlugins`; null when that could not be read.
    pub format: Option<String>,
    /// What is wrong, errors first, each group in the order of files and lines. What would be right
    /// stands in the message.
    pub problems: Vec<Problem>,
}

/// What was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlugdValidatedKind {
    /// A plugin.
    Plugin,
    /// A marketplace.
    Marketplace,
}
