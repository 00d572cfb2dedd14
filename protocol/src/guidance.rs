//! `plugd/mentions` and `plugd/instructions`: texts about plugins for a model.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AbsolutePathBuf, Problem, object};

/// Params of `plugd/mentions`: `text`, `items` or both.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdMentionsParams {
    /// What a person wrote. `[@label](plugin://name@marketplace)` mentions a plugin, and so does its
    /// name for people behind an `@`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The input as clients of the reference send it; items of other types than `text` and `mention`
    /// are passed over.
    #[serde(default, deserialize_with = "object::optional_list")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<PlugdMentionItem>>,
    /// The directory that the host works in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<AbsolutePathBuf>,
}

/// A part of what a person sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdMentionItem {
    /// `text`, `mention` or something else.
    #[serde(rename = "type")]
    pub kind: String,
    /// The text of a `text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What a `mention` is called; any text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What a `mention` is about, such as `plugin://name@marketplace`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// Result of `plugd/mentions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdMentionsResponse {
    /// The plugins that were mentioned and have something to say, each once, by id.
    pub mentions: Vec<PlugdMention>,
    /// What looks like a mention and leads to no text, in the order of the input.
    pub unknown: Vec<PlugdUnknownMention>,
    /// What of the configuration cannot be used, so that a plugin may be missing.
    pub problems: Vec<Problem>,
}

/// A plugin that was mentioned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdMention {
    /// `name@marketplace`.
    pub plugin_id: String,
    /// Its name for people.
    pub display_name: String,
    /// What to tell the model, behind the message of the person.
    pub text: String,
    /// The lines of that text one by one, for a host that puts them together itself.
    pub parts: Vec<PlugdMentionPart>,
}

/// A line of the text about a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdMentionPart {
    /// What it is about.
    pub kind: PlugdMentionPartKind,
    /// The line.
    pub text: String,
    /// The skills, servers or apps that it names.
    pub names: Vec<String>,
}

/// What a line of the text about a plugin is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlugdMentionPartKind {
    /// Which plugin is meant.
    Plugin,
    /// Its skills.
    Skills,
    /// Its MCP servers.
    McpServers,
    /// Its apps.
    Apps,
    /// What to do with them.
    Request,
}

/// Something that looks like a mention and leads to no text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdUnknownMention {
    /// As it was written.
    pub mention: String,
    /// Why it leads to nothing.
    pub reason: PlugdUnknownMentionReason,
    /// A text for people.
    pub message: String,
    /// Ids of the plugins that may be meant.
    pub candidates: Vec<String>,
}

/// Why a mention leads to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlugdUnknownMentionReason {
    /// It is no id of a plugin.
    BadId,
    /// No plugin of that id or name is installed.
    NotInstalled,
    /// The plugin is switched off.
    Disabled,
    /// The plugin is there and cannot be loaded.
    Broken,
    /// The plugin has nothing that a model could use.
    Empty,
    /// Several plugins have this name.
    Ambiguous,
}

/// Params of `plugd/instructions`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdInstructionsParams {
    /// The directory that the host works in. Absent means none: then no repository's skills count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwd: Option<AbsolutePathBuf>,
    /// How many characters the text may have; absent means 8000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<u32>,
}

/// Result of `plugd/instructions`: what to tell a model about the plugins and skills there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdInstructionsResponse {
    /// The whole text; empty when there is nothing to tell.
    pub text: String,
    /// How many characters it has: never more than the budget.
    pub characters: u64,
    /// The budget that held.
    pub budget: u32,
    /// The blocks of that text one by one, for a host that puts them together itself.
    pub parts: Vec<PlugdInstructionsPart>,
    /// What the budget had no room for. The descriptions of skills are shortened first.
    pub left_out: Vec<PlugdLeftOut>,
    /// What of the configuration cannot be used, so that something may be missing.
    pub problems: Vec<Problem>,
}

/// A block of the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdInstructionsPart {
    /// What it is about.
    pub kind: PlugdInstructionsPartKind,
    /// The block.
    pub text: String,
}

/// What a block of the text is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlugdInstructionsPartKind {
    /// The plugins.
    Plugins,
    /// The skills.
    Skills,
}

/// Something that the budget had no room for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdLeftOut {
    /// What it is.
    pub kind: PlugdLeftOutKind,
    /// The id of the plugin or the name of the skill.
    pub name: String,
}

/// What the budget had no room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlugdLeftOutKind {
    /// A plugin altogether.
    Plugin,
    /// A skill altogether.
    Skill,
    /// A part of the description of a plugin or skill.
    Description,
}
