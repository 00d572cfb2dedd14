//! Params and results of the skills methods.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AbsolutePathBuf, Problem, SkillInterface};

/// Params of `skills/list`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SkillsListParams {
    /// The directories to look from. Absent or empty means the server's own; a relative one is meant
    /// from there, and one that does not exist has the skills of the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwds: Option<Vec<String>>,
    /// Whether to read all files again instead of what is remembered of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub force_reload: Option<bool>,
}

/// Result of `skills/list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SkillsListResponse {
    /// An entry for each directory, in the order of the request.
    pub data: Vec<SkillsListEntry>,
}

/// The skills as seen from one directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SkillsListEntry {
    /// The directory, as it was asked for.
    pub cwd: String,
    /// The skills: by scope (`repo`, `user`, `system`, `admin`), then by name, then by path. Those of
    /// plugins are among the user's.
    pub skills: Vec<SkillMetadata>,
    /// The skills that cannot be used.
    pub errors: Vec<SkillErrorInfo>,
    /// The same errors with their places, and everything else that was left out or ignored. Not in
    /// the reference.
    pub problems: Vec<Problem>,
}

/// A skill in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SkillMetadata {
    /// Its name; that of a skill of a plugin is `plugin:skill`. Two files may have the same one.
    pub name: String,
    /// When to use it, in the words of its author.
    pub description: String,
    /// One line for people, from `SKILL.md`; omitted without one. The one of `interface` is newer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub short_description: Option<String>,
    /// How it wants to be shown; omitted when it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<SkillInterface>,
    /// What it needs; omitted when it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependencies: Option<SkillDependencies>,
    /// Its `SKILL.md`. That of a plugin lies in the installed copy.
    pub path: AbsolutePathBuf,
    /// Whose it is.
    pub scope: SkillScope,
    /// Whether the configuration leaves it enabled.
    pub enabled: bool,
    /// The plugin that brings it, as `name@marketplace`; null for any other.
    pub plugin_id: Option<String>,
}

/// What a skill needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SkillDependencies {
    /// The tools.
    pub tools: Vec<SkillToolDependency>,
}

/// A tool that a skill needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SkillToolDependency {
    /// What kind of tool, such as `mcp`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Which one.
    pub value: String,
    /// What for; omitted when the skill does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How it is reached; omitted when the skill does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<String>,
    /// What starts it; omitted when the skill does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// Where it is; omitted when the skill does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Whose a skill is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SkillScope {
    /// The user's, also those of plugins.
    User,
    /// The repository's.
    Repo,
    /// Brought along by the reference.
    System,
    /// The administrator's.
    Admin,
}

/// A skill that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SkillErrorInfo {
    /// Its `SKILL.md`.
    pub path: AbsolutePathBuf,
    /// A text for people.
    pub message: String,
}

/// Params of `skills/config/write`: exactly one of `path` and `name`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SkillsConfigWriteParams {
    /// The `SKILL.md` of the skill. For a skill of an installed plugin the rule is written by name, so
    /// that it outlives the version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<AbsolutePathBuf>,
    /// The name of the skill, as listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether it is to be enabled.
    pub enabled: bool,
}

/// Result of `skills/config/write`. It is on disk when this is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SkillsConfigWriteResponse {
    /// Whether the skill is enabled now, all rules counted. It differs from what was asked for where
    /// another rule decides.
    pub effective_enabled: bool,
}

/// Params of `skills/extraRoots/set`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SkillsExtraRootsSetParams {
    /// Directories of skills for this process, instead of those that were set before.
    pub extra_roots: Vec<AbsolutePathBuf>,
}

/// Result of `skills/extraRoots/set`: nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SkillsExtraRootsSetResponse {}

/// Params of `skills/changed`: nothing. A client lists the skills again when it wants to know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SkillsChangedNotification {}

/// Params of `plugin/skill/read`: `skillName` and one way to name the plugin. These are
/// `remoteMarketplaceName` with `remotePluginId`, as in the reference; `marketplacePath` with
/// `pluginName`, for what a marketplace of this machine offers; `pluginId`, for what is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginSkillReadParams {
    /// The remote marketplace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_marketplace_name: Option<String>,
    /// The id that the remote catalog knows the plugin by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_plugin_id: Option<String>,
    /// The file of a marketplace of this machine. Not in the reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marketplace_path: Option<AbsolutePathBuf>,
    /// The name of the plugin's entry in it. Not in the reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin_name: Option<String>,
    /// An installed plugin, as `name@marketplace`. Not in the reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin_id: Option<String>,
    /// The skill, with or without the name of the plugin in front.
    pub skill_name: String,
}

/// Result of `plugin/skill/read`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginSkillReadResponse {
    /// The text of its `SKILL.md`; null when the remote catalog has none.
    pub contents: Option<String>,
    /// That file; null for a remote one. Not in the reference.
    pub path: Option<AbsolutePathBuf>,
}
