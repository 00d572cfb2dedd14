//! `plugd/components`: what a host has to load, whichever host it is.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    AbsolutePathBuf, HookEventName, HookTrustStatus, PlugdHeldBack, PlugdLinked, PlugdMcpServer,
    Problem, SkillDependencies, SkillInterface, SkillScope,
};

/// Params of `plugd/components`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdComponentsParams {
    /// The directory that the host works in. Absent means none: then no repository's skills count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<AbsolutePathBuf>,
    /// Whether to keep everything that the answer names as it is, until `plugd/release`, the end of
    /// the connection or that of the process. Without it the paths are those of the installed copies,
    /// which the next update replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lease: Option<bool>,
}

/// Result of `plugd/components`: what is enabled and in effect. What is not, and why, is in
/// `shadowed` and `problems`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdComponentsResponse {
    /// The plugins that count, by id. All other lists follow this order.
    pub plugins: Vec<PlugdComponentPlugin>,
    /// The directories that skills come from, for a host that reads them itself.
    pub skill_roots: Vec<PlugdSkillRoot>,
    /// The skills, in the order of `skills/list`, disabled ones included.
    pub skills: Vec<PlugdSkill>,
    /// The MCP servers of the plugins, ready to be started or called, disabled ones included. The
    /// user's own are not among them: a host has read those from its configuration.
    pub mcp_servers: Vec<PlugdMcpServer>,
    /// Components that another one of the same name keeps out.
    pub shadowed: Vec<PlugdShadowed>,
    /// The hooks of the plugins, by event within a plugin. Only those with `runs` may be run.
    pub hooks: Vec<PlugdHook>,
    /// The apps of the plugins.
    pub apps: Vec<PlugdApp>,
    /// What `plugd/release` takes; null without a lease.
    pub lease_id: Option<String>,
    /// What was left out or ignored, and why.
    pub problems: Vec<Problem>,
}

/// A plugin that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdComponentPlugin {
    /// `name@marketplace`.
    pub plugin_id: String,
    /// Its name for people; its plain name when it has no other.
    pub display_name: String,
    /// What it is, in the words of its author.
    pub description: Option<String>,
    /// The version that is installed.
    pub version: String,
    /// Its directory: with a lease one that nothing changes.
    pub root: AbsolutePathBuf,
    /// The digest of what is in it, `sha256:` and 64 hexadecimal digits; null when nobody knows it.
    pub tree_digest: Option<String>,
    /// The directory for its own data. It need not exist.
    pub data: AbsolutePathBuf,
    /// The working tree that stands in for it, which may change at any time, with a lease too.
    pub linked: Option<PlugdLinked>,
    /// What of it is left out of this answer, because `[trust]` asks for a yes that nobody has given.
    /// Omitted when nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_back: Option<PlugdHeldBack>,
}

/// A directory of skills.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdSkillRoot {
    /// The directory.
    pub path: AbsolutePathBuf,
    /// Whose it is.
    pub scope: SkillScope,
    /// The plugin it belongs to; null for any other.
    pub plugin_id: Option<String>,
}

/// A skill with everything that a host needs to offer it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdSkill {
    /// Its name; that of a skill of a plugin is `plugin:skill`.
    pub name: String,
    /// When to use it, in the words of its author.
    pub description: String,
    /// One line for people.
    pub short_description: Option<String>,
    /// How it wants to be shown.
    pub interface: Option<SkillInterface>,
    /// What it needs.
    pub dependencies: Option<SkillDependencies>,
    /// Its `SKILL.md`.
    pub path: AbsolutePathBuf,
    /// Whose it is.
    pub scope: SkillScope,
    /// Whether the configuration leaves it enabled.
    pub enabled: bool,
    /// Whether a model may use it unasked. Otherwise it waits until a person names it.
    pub allow_implicit_invocation: bool,
    /// The plugin that brings it; null for any other.
    pub plugin_id: Option<String>,
    /// That plugin's name for people.
    pub plugin_display_name: Option<String>,
    /// That plugin's version.
    pub version: Option<String>,
}

/// A component that another one of the same name keeps out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdShadowed {
    /// What kind of component.
    pub kind: PlugdShadowedKind,
    /// The name that both have.
    pub name: String,
    /// The plugin whose component counts; null when it is the user's own.
    pub winner: Option<String>,
    /// The plugin whose component does not.
    pub loser: String,
}

/// The kinds of components of which one name can be used only once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlugdShadowedKind {
    /// An MCP server.
    McpServer,
    /// An app, by its id.
    App,
}

/// A hook of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdHook {
    /// Plugin, file, event, group and handler, joined by colons. Its state is stored under it.
    pub key: String,
    /// The event it waits for.
    pub event_name: HookEventName,
    /// A regular expression for the occasions it waits for; null for all.
    pub matcher: Option<String>,
    /// What it does.
    pub handler: PlugdHookHandler,
    /// How long it may take, in seconds.
    pub timeout_sec: u64,
    /// What to show while it runs.
    pub status_message: Option<String>,
    /// From how many tokens on what it adds for the model is put aside; null for the default, 0 for
    /// never.
    pub additional_context_limit: Option<u64>,
    /// The file it stands in; null when the entry of the marketplace declares it.
    pub source_path: Option<AbsolutePathBuf>,
    /// The plugin that brings it.
    pub plugin_id: String,
    /// That plugin's name for people.
    pub plugin_display_name: String,
    /// That plugin's version.
    pub version: String,
    /// Whether the configuration leaves it enabled.
    pub enabled: bool,
    /// What to write as `trusted_hash` below `hooks.state` to trust it as it is.
    pub current_hash: String,
    /// Whether it is trusted.
    pub trust_status: HookTrustStatus,
    /// Whether a host runs it: it is enabled, and trusted or managed.
    pub runs: bool,
}

/// What a hook does, with everything put in that does not depend on the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum PlugdHookHandler {
    /// It runs a command in a shell, with the plugin's directories in its environment.
    Command {
        /// The command for this system.
        command: String,
        /// Variables that it gets besides those of the host.
        env: BTreeMap<String, String>,
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
        /// What the tool is called with.
        input: Map<String, Value>,
    },
}

/// An app that a plugin uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdApp {
    /// Its id.
    pub id: String,
    /// What the plugin calls it.
    pub label: String,
    /// The shelf it stands on.
    pub category: Option<String>,
    /// The plugin that uses it.
    pub plugin_id: String,
    /// That plugin's name for people.
    pub plugin_display_name: String,
    /// That plugin's version.
    pub version: String,
}

/// Params of `plugd/release`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdReleaseParams {
    /// What `plugd/components` answered.
    pub lease_id: String,
}

/// Result of `plugd/release`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdReleaseResponse {
    /// Whether this connection had such a lease. Without one there is nothing to end.
    pub released: bool,
}
