//! `plugd/export` and `plugd/import`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AbsolutePathBuf, PlugdSyncChange, Problem};

/// Params of `plugd/export`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdExportParams {
    /// The archive to write. Its directory has to be there.
    pub path: AbsolutePathBuf,
    /// The plugins, as `name@marketplace`; without them, all that are installed and switched on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugins: Option<Vec<String>>,
    /// A lock whose plugins are meant; each has to be installed as it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock_path: Option<AbsolutePathBuf>,
    /// Write over a file that is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub force: Option<bool>,
}

/// Result of `plugd/export`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdExportResponse {
    /// The archive.
    pub path: AbsolutePathBuf,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, 64 hexadecimal digits. The same home makes the same archive.
    pub sha256: String,
    /// What is in it, sorted by id.
    pub plugins: Vec<PlugdExportedPlugin>,
    /// What is switched on and not in it, with the reason.
    pub problems: Vec<Problem>,
}

/// A plugin in an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdExportedPlugin {
    /// `name@marketplace`.
    pub plugin_id: String,
    /// Its version.
    pub version: String,
    /// The digest of its content in the archive: what its source had.
    pub source_digest: String,
    /// The digest of what its installation left on disk.
    pub tree_digest: String,
    /// How many files are in the archive.
    pub files: u64,
    /// How many bytes those have.
    pub bytes: u64,
}

/// Params of `plugd/import`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdImportParams {
    /// The archive.
    pub path: AbsolutePathBuf,
    /// What its SHA-256 has to be, in 64 hexadecimal digits, also with `sha256:` in front. Another
    /// archive is refused before it is unpacked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Follow it also where a lock or the user has pinned something else, or a plugin is installed
    /// from another marketplace of the same name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switch: Option<bool>,
    /// Only tell what would change. The archive is unpacked and checked all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
}

/// Result of `plugd/import`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdImportResponse {
    /// The archive.
    pub path: AbsolutePathBuf,
    /// Its SHA-256, 64 hexadecimal digits.
    pub sha256: String,
    /// Whether nothing was done because that was asked for.
    pub dry_run: bool,
    /// Every marketplace and every plugin of the archive, each sorted by name.
    pub changes: Vec<PlugdSyncChange>,
    /// What is not as it should be and did no harm.
    pub problems: Vec<Problem>,
}
