//! Params and results of the marketplace methods.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::AbsolutePathBuf;

/// Params of `marketplace/add`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MarketplaceAddParams {
    /// A directory, a git URL, or `owner/repo` on GitHub. `#ref` behind it names a branch or tag.
    pub source: String,
    /// The branch or tag; it wins over one in `source`. Only for git.
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
    /// Whether the same source was configured before.
    pub already_added: bool,
}

/// Params of `marketplace/remove`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MarketplaceRemoveParams {
    /// Its name, spelled as it is configured.
    pub marketplace_name: String,
}

/// Result of `marketplace/remove`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MarketplaceRemoveResponse {
    /// Its name.
    pub marketplace_name: String,
    /// The checkout that was deleted; null for a local one, whose directory is left alone.
    pub installed_root: Option<AbsolutePathBuf>,
}
