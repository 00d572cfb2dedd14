//! Params and result of `plugin/reconcile`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Problem;

/// Params of `plugin/reconcile`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginReconcileParams {
    /// Why the client asks, for the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Result of `plugin/reconcile`: what is different since the look before this one. Without a login
/// to the remote catalog every list is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginReconcileResponse {
    /// Plugins whose content is another now, that were switched on or off, or that are gone.
    pub changed_plugins: Vec<PluginReconcileChangedPlugin>,
    /// Remote ids of the plugins that could not be brought to what the account has.
    pub failed_remote_plugin_ids: Vec<String>,
    /// Those of them whose content could not be brought; an older version may still be there and
    /// active.
    pub failed_materialization_remote_plugin_ids: Vec<String>,
    /// Why each of them failed, and what else of the account's state could not be read. Not in the
    /// reference.
    pub problems: Vec<Problem>,
}

/// A plugin that is not what it was. Each flag says that components of that kind may have changed
/// with it: they are declared by what was there before or by what is there now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginReconcileChangedPlugin {
    /// `name@marketplace`.
    pub id: String,
    /// Whether MCP servers are concerned.
    pub has_mcps: bool,
    /// Whether apps are concerned.
    pub has_apps: bool,
    /// Whether hooks are concerned.
    pub has_hooks: bool,
    /// Whether skills are concerned.
    pub has_skills: bool,
}
