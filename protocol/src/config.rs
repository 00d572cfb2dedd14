//! Params and results of the configuration methods.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{AbsolutePathBuf, Config, ConfigLayer, ConfigLayerMetadata, object};

/// Params of `config/read`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigReadParams {
    /// Whether to answer the layers too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub include_layers: Option<bool>,
    /// The directory whose project layers count; absent means none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<String>,
}

/// Result of `config/read`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigReadResponse {
    /// All layers merged, the higher over the lower.
    pub config: Config,
    /// The layer that each value comes from, by its dotted key path.
    pub origins: BTreeMap<String, ConfigLayerMetadata>,
    /// The layers, the highest first; omitted unless asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layers: Option<Vec<ConfigLayer>>,
}

/// Params of `config/value/write`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigValueWriteParams {
    /// The key, with dots between its parts and quotes around a part that needs them. Below
    /// `plugd` it is a key of this server's own file.
    pub key_path: String,
    /// The new value; null deletes the key.
    pub value: Value,
    /// What becomes of the members of a table that the value does not name.
    pub merge_strategy: MergeStrategy,
    /// The file to write; absent means the user's, and any other is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_path: Option<String>,
    /// The version that the file must still have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<String>,
}

/// Params of `config/batchWrite`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigBatchWriteParams {
    /// The edits, in order. An empty list succeeds and changes nothing.
    #[serde(deserialize_with = "object::list")]
    pub edits: Vec<ConfigEdit>,
    /// The file to write; absent means the user's, and any other is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_path: Option<String>,
    /// The version that the file must still have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<String>,
    /// Changes nothing: every request reads the configuration as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reload_user_config: Option<bool>,
}

/// One edit of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigEdit {
    /// The key, with dots between its parts and quotes around a part that needs them.
    pub key_path: String,
    /// The new value; null deletes the key.
    pub value: Value,
    /// What becomes of the members of a table that the value does not name.
    pub merge_strategy: MergeStrategy,
}

/// What becomes of the members of a table that a new value does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum MergeStrategy {
    /// They go.
    Replace,
    /// They stay.
    Upsert,
}

/// Result of a configuration write. It is on disk when this is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigWriteResponse {
    /// Whether what was written is in effect.
    pub status: WriteStatus,
    /// The version that the file has now.
    pub version: String,
    /// The file that was written.
    pub file_path: AbsolutePathBuf,
    /// What is in effect instead, when a higher layer overrides what was written.
    pub overridden_metadata: Option<OverriddenMetadata>,
}

/// Whether what was written is in effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum WriteStatus {
    /// It is.
    Ok,
    /// It is written, and a higher layer overrides it.
    OkOverridden,
}

/// What is in effect instead of what was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OverriddenMetadata {
    /// A text for people.
    pub message: String,
    /// The layer that wins.
    pub overriding_layer: ConfigLayerMetadata,
    /// Its value.
    pub effective_value: Value,
}
