//! Params and results of the marketplace methods.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AbsolutePathBuf, ErrorData, Problem};

/// Params of `marketplace/add`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MarketplaceAddParams {
    /// A directory, a git address (`https://`, `ssh://`, `git@host:path`, `file://`, `http://` to this
    /// machine, the path of a bare repository), or `owner/repo` on GitHub. `#ref` behind it names a
    /// branch, tag or commit, and `@ref` does so behind `owner/repo` and `git@host:path`. An address
    /// that holds a password is refused. Not in the reference: an artifact of an OCI registry, as
    /// `oci://host/repository:tag` with `@sha256:` or without, and the `https://` address of an
    /// archive, which ends in `.tar.gz`, `.tgz` or `.tar`, or has `#sha256=` behind it.
    pub source: String,
    /// The branch, tag or commit; it wins over one in `source`. Only for git.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ref_name: Option<String>,
    /// The directories to check out. Only for git.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sparse_paths: Option<Vec<String>>,
}

/// Result of `marketplace/add`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MarketplaceAddResponse {
    /// The name that its manifest gives it.
    pub marketplace_name: String,
    /// Its directory on this machine.
    pub installed_root: AbsolutePathBuf,
    /// Whether the same source was configured before; then nothing was fetched.
    pub already_added: bool,
    /// The full id of the commit that is checked out, or the digest of the artifact or archive; null
    /// for a local marketplace. Not in the reference.
    pub commit: Option<String>,
    /// What was left out or ignored on the way. Not in the reference.
    pub problems: Vec<Problem>,
}

/// Params of `marketplace/remove`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MarketplaceRemoveParams {
    /// Its name, spelled as it is configured.
    pub marketplace_name: String,
    /// Whether to uninstall the plugins that would have no marketplace any more. Not in the
    /// reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remove_plugins: Option<bool>,
}

/// Result of `marketplace/remove`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MarketplaceRemoveResponse {
    /// Its name.
    pub marketplace_name: String,
    /// The checkout, or what was unpacked, that was deleted; null for a local one, whose directory is
    /// left alone.
    pub installed_root: Option<AbsolutePathBuf>,
    /// Ids of the plugins that stay installed and active and have no marketplace from now on. Not in
    /// the reference.
    pub orphans: Vec<String>,
    /// Ids of the plugins that were uninstalled with it. Not in the reference.
    pub removed_plugins: Vec<String>,
}

/// Params of `marketplace/upgrade`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MarketplaceUpgradeParams {
    /// A configured marketplace of git, of a registry or behind an address; absent means all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marketplace_name: Option<String>,
}

/// Result of `marketplace/upgrade`. What failed stands in `errors`, and holds up nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MarketplaceUpgradeResponse {
    /// Names of the marketplaces that were looked at, sorted.
    pub selected_marketplaces: Vec<String>,
    /// The directories of those that moved.
    pub upgraded_roots: Vec<AbsolutePathBuf>,
    /// The marketplaces that could not be brought, each of which is as it was before, and a row for
    /// each plugin that could not follow.
    pub errors: Vec<MarketplaceUpgradeErrorInfo>,
    /// A row for each marketplace that was looked at, and then one for each of their plugins that
    /// moved, was held back or failed. Not in the reference.
    pub changes: Vec<MarketplaceUpgradeChange>,
}

/// A marketplace that could not be brought to what its source holds, or a plugin of it that could not
/// follow, which the data names then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MarketplaceUpgradeErrorInfo {
    /// Its name.
    pub marketplace_name: String,
    /// A text for people.
    pub message: String,
    /// What a program can act on, as in the `data` of an error. Not in the reference.
    pub data: ErrorData,
}

/// What became of a marketplace or of one of its plugins. Exactly one of the two is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MarketplaceUpgradeChange {
    /// The marketplace; omitted in the row of a plugin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marketplace_name: Option<String>,
    /// The plugin, as `name@marketplace`; omitted in the row of a marketplace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin_id: Option<String>,
    /// The commit, digest or version before; null when there was none or it is not known.
    pub from: Option<String>,
    /// The commit, digest or version after, or the version that is held back; null when there is none.
    pub to: Option<String>,
    /// Whether files changed.
    pub changed: bool,
    /// How the new commit of a marketplace stands to the one before; omitted when the marketplace did
    /// not move or nothing is known of the one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<MarketplaceHistory>,
    /// Why it is where it was although it should have moved; null otherwise.
    pub reason: Option<String>,
    /// What was left out or ignored on the way, or keeps a plugin from moving.
    pub problems: Vec<Problem>,
}

/// How the new commit of a repository stands to the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum MarketplaceHistory {
    /// It descends from it.
    Forward,
    /// It does not: somebody replaced the history.
    Rewritten,
    /// The part of the history that is here does not tell.
    Unknown,
}

#[cfg(test)]
#[path = "marketplace_tests.rs"]
mod tests;
