//! `plugd/link` and `plugd/unlink`, and how a linked plugin is marked everywhere.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AbsolutePathBuf, Problem};

/// The working tree that stands in for a plugin. It is used where it lies and may change at any time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdLinked {
    /// The directory.
    pub path: AbsolutePathBuf,
}

/// Params of `plugd/link`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdLinkParams {
    /// The directory of the plugin.
    pub path: AbsolutePathBuf,
    /// `name@marketplace` of the plugin that it stands in for; the name must be that of its manifest.
    /// Absent means the plugin that a marketplace offers from this directory, else the installed one
    /// of its name, else the configured one, else one of its own, `name@linked`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin_id: Option<String>,
    /// Whether to tell only what would change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
}

/// Result of `plugd/link`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdLinkResponse {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// The plugin that the directory stands in for.
    pub plugin_id: String,
    /// The directory.
    pub path: AbsolutePathBuf,
    /// The links that are others than before; the one that was asked for first.
    pub changes: Vec<PlugdLinkChange>,
    /// What is wrong with the plugin's manifest.
    pub problems: Vec<Problem>,
}

/// Params of `plugd/unlink`: exactly one of the two names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdUnlinkParams {
    /// `name@marketplace` of the plugin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin_id: Option<String>,
    /// The directory, which need not exist any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<AbsolutePathBuf>,
    /// Whether to tell only what would change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
}

/// Result of `plugd/unlink`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdUnlinkResponse {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// The plugin that the directory stood in for.
    pub plugin_id: String,
    /// The directory.
    pub path: AbsolutePathBuf,
    /// The links that ended.
    pub changes: Vec<PlugdLinkChange>,
}

/// A link that came, went, or leads elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdLinkChange {
    /// `name@marketplace`.
    pub plugin_id: String,
    /// The directory before; null when there was no link.
    pub from: Option<AbsolutePathBuf>,
    /// The directory after; null when there is no link any more.
    pub to: Option<AbsolutePathBuf>,
    /// Whether the two differ.
    pub changed: bool,
    /// Why.
    pub reason: PlugdLinkReason,
}

/// Why a link is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlugdLinkReason {
    /// It was asked for.
    Requested,
    /// It was so before.
    Unchanged,
    /// Its directory stands in for another plugin now.
    Moved,
}
