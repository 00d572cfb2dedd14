//! Params and result of `hooks/list`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AbsolutePathBuf, HookEventName, Problem};

/// Params of `hooks/list`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HooksListParams {
    /// The directories to look from. Absent or empty means the server's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwds: Option<Vec<String>>,
    /// A conversation of the reference. This server has none, so it finds none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<String>,
}

/// Result of `hooks/list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HooksListResponse {
    /// An entry for each directory, in the order of the request.
    pub data: Vec<HooksListEntry>,
}

/// The hooks as seen from one directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HooksListEntry {
    /// The directory, as it was asked for.
    pub cwd: String,
    /// The hooks, by plugin id.
    pub hooks: Vec<HookMetadata>,
    /// What was left out and why, in texts for people.
    pub warnings: Vec<String>,
    /// What is wrong with files of the configuration.
    pub errors: Vec<HookErrorInfo>,
    /// The same warnings and errors with their places. Not in the reference.
    pub problems: Vec<Problem>,
}

/// Something wrong with a file of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HookErrorInfo {
    /// The file.
    pub path: AbsolutePathBuf,
    /// A text for people.
    pub message: String,
}

/// A hook. It runs only when it is enabled and trusted or managed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HookMetadata {
    /// Plugin, file, event, group and handler, joined by colons. Its state is stored under it.
    pub key: String,
    /// The event it waits for.
    pub event_name: HookEventName,
    /// What it does.
    #[serde(flatten)]
    pub handler: HookMetadataHandler,
    /// A regular expression for the occasions it waits for; null for all.
    pub matcher: Option<String>,
    /// How long it may take, in seconds.
    pub timeout_sec: u64,
    /// What to show while it runs.
    pub status_message: Option<String>,
    /// From how many tokens on what it adds for the model is put aside; null for the default, 0 for
    /// never.
    pub additional_context_limit: Option<u64>,
    /// The file it stands in.
    pub source_path: AbsolutePathBuf,
    /// What brings it.
    pub source: HookSource,
    /// The plugin that brings it, as `name@marketplace`.
    pub plugin_id: Option<String>,
    /// Concerns environments of the reference: null.
    pub environment_id: Option<String>,
    /// Its place among all hooks.
    pub display_order: i64,
    /// Whether the configuration leaves it enabled.
    pub enabled: bool,
    /// Whether the organisation prescribes it.
    pub is_managed: bool,
    /// What to write as `trusted_hash` below `hooks.state` to trust it as it is.
    pub current_hash: String,
    /// Whether it is trusted.
    pub trust_status: HookTrustStatus,
}

/// What a hook does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    tag = "handlerType",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum HookMetadataHandler {
    /// It runs a command in a shell.
    Command {
        /// The command, with the plugin's directories put in.
        command: String,
        /// Whether nobody waits for it.
        #[serde(rename = "async")]
        is_async: bool,
    },
    /// It calls a tool of an MCP server.
    McpTool {
        /// The server.
        server: String,
        /// The tool.
        tool: String,
    },
    /// It asks a model. No such hook is listed, because none runs.
    Prompt,
    /// It starts an agent. No such hook is listed, because none runs.
    Agent,
}

/// What brings a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum HookSource {
    /// The configuration of the machine.
    System,
    /// The configuration of the user.
    User,
    /// The configuration of a project.
    Project,
    /// Device management.
    Mdm,
    /// The command line.
    SessionFlags,
    /// A plugin.
    Plugin,
    /// Requirements from the network.
    CloudRequirements,
    /// Managed configuration from the network.
    CloudManagedConfig,
    /// The managed file.
    LegacyManagedConfigFile,
    /// The same from device management.
    LegacyManagedConfigMdm,
    /// Something else.
    Unknown,
}

/// Whether a hook is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum HookTrustStatus {
    /// The organisation prescribes it.
    Managed,
    /// Nobody has said so.
    Untrusted,
    /// The user trusts it as it is.
    Trusted,
    /// The user trusted it when it was another one.
    Modified,
}
