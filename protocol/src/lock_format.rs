//! The format of `plugins.lock`, for the schema that is published: editors and reviewers read the
//! file too. What writes and reads it does so by itself; a test of the suite holds both together.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A project's lock, `.agents/plugins/plugins.lock`: a TOML file to be committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PluginsLock {
    /// The format, 1.
    #[schemars(range(min = 1, max = 1))]
    pub version: u64,
    /// The marketplaces of the plugins, by name.
    #[serde(default)]
    pub marketplaces: BTreeMap<String, PluginsLockMarketplace>,
    /// The plugins, by `name@marketplace`.
    #[serde(default)]
    pub plugins: BTreeMap<String, PluginsLockPlugin>,
}

/// Where a marketplace is: one of `git`, `path`, `oci`, `archive` and `curated`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PluginsLockMarketplace {
    /// The address of a git repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<String>,
    /// The branch or tag that a new home follows.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub ref_name: Option<String>,
    /// The directories of the repository that are fetched; without it, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sparse_paths: Option<Vec<String>>,
    /// A directory: `./` and the way from the project's root, or an absolute path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// An artifact of an OCI registry: `oci://host/repository:tag`, with a digest where one is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oci: Option<String>,
    /// The address of an archive, with `#sha256=` where one is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<String>,
    /// `true` for the curated marketplace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub curated: Option<bool>,
}

/// One plugin, exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PluginsLockPlugin {
    /// Its version.
    pub version: String,
    /// Where it is.
    pub source: PluginsLockSource,
    /// The commit that it came from, where that is git.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The exact version of a package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<String>,
    /// The digest of the artifact or archive that it came from, `sha256:` and 64 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^sha256:[0-9a-f]{64}$"))]
    pub digest: Option<String>,
    /// The digest of what was copied, `sha256:` and 64 hexadecimal digits.
    #[schemars(regex(pattern = r"^sha256:[0-9a-f]{64}$"))]
    pub source_digest: String,
    /// The digest of what the installation left on disk.
    #[schemars(regex(pattern = r"^sha256:[0-9a-f]{64}$"))]
    pub tree_digest: String,
}

/// The source of a plugin: `path` in its marketplace, `git` (with `path` in the repository), `npm`,
/// `oci` or `archive`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PluginsLockSource {
    /// A directory of the marketplace, `./` first; of a git repository, the directory in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The address of a git repository of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<String>,
    /// The branch or tag that the marketplace names.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub ref_name: Option<String>,
    /// A package of an npm registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub npm: Option<String>,
    /// The version or range that the marketplace names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The registry; without it, the user's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// An artifact of an OCI registry: `oci://host/repository:tag`, without its digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oci: Option<String>,
    /// The address of an archive, without its digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archive: Option<String>,
}
