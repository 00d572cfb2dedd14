//! One plugin with everything that is inside it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AbsolutePathBuf, PluginSummary};

/// A plugin with everything that is inside it. Components are read from the source where it is a
/// local directory, else from the installed copy; without either the lists are empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginDetail {
    /// The marketplace it is offered by.
    pub marketplace_name: String,
    /// The file of that marketplace; null for a remote one.
    pub marketplace_path: Option<AbsolutePathBuf>,
    /// The row that a listing shows.
    pub summary: PluginSummary,
    /// A link to it, where it is shared.
    pub share_url: Option<String>,
    /// What it is, in the words of its author.
    pub description: Option<String>,
    /// Its skills.
    pub skills: Vec<SkillSummary>,
    /// The skill it wants a new user to begin with; null unless it is installed and enabled.
    pub onboarding_skill: Option<SkillSummary>,
    /// The hooks it declares.
    pub hooks: Vec<PluginHookSummary>,
    /// The apps it uses.
    pub apps: Vec<AppSummary>,
    /// The app templates of a remote plugin.
    pub app_templates: Vec<AppTemplateSummary>,
    /// The names of its MCP servers, sorted.
    pub mcp_servers: Vec<String>,
    /// The scheduled tasks of a remote plugin; null for a local one.
    pub scheduled_tasks: Option<Vec<ScheduledTaskSummary>>,
}

/// A skill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SkillSummary {
    /// `plugin:skill`.
    pub name: String,
    /// When to use it, in the words of its author.
    pub description: String,
    /// One line for people.
    pub short_description: Option<String>,
    /// How it wants to be shown.
    pub interface: Option<SkillInterface>,
    /// Its `SKILL.md`; null for a remote one.
    pub path: Option<AbsolutePathBuf>,
    /// Whether the configuration leaves it enabled.
    pub enabled: bool,
}

/// How a skill wants to be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SkillInterface {
    /// The name for people.
    pub display_name: Option<String>,
    /// One line.
    pub short_description: Option<String>,
    /// The file of the small icon.
    pub icon_small: Option<AbsolutePathBuf>,
    /// The file of the large icon.
    pub icon_large: Option<AbsolutePathBuf>,
    /// The URL of the small icon.
    pub icon_small_url: Option<String>,
    /// The URL of the large icon.
    pub icon_large_url: Option<String>,
    /// A colour such as `#3b82f6`.
    pub brand_color: Option<String>,
    /// A prompt to begin with.
    pub default_prompt: Option<String>,
}

/// A hook that a plugin declares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginHookSummary {
    /// Plugin, file, event, group and handler, joined by colons.
    pub key: String,
    /// The event it waits for.
    pub event_name: HookEventName,
}

/// The events that hooks wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum HookEventName {
    /// Before a request to the model.
    PreModelRequest,
    /// After a request to the model.
    PostModelRequest,
    /// Before a tool runs.
    PreToolUse,
    /// When a permission is asked for.
    PermissionRequest,
    /// After a tool ran.
    PostToolUse,
    /// Before a conversation is shortened.
    PreCompact,
    /// After a conversation was shortened.
    PostCompact,
    /// At the start of a session.
    SessionStart,
    /// At the end of a session.
    SessionEnd,
    /// When a person sends a prompt.
    UserPromptSubmit,
    /// When a sub-agent starts.
    SubagentStart,
    /// When a sub-agent stops.
    SubagentStop,
    /// When the agent stops.
    Stop,
    /// When a person interrupts.
    Interrupt,
}

/// An app that a plugin uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppSummary {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// Where to connect it.
    pub install_url: Option<String>,
    /// The shelf it stands on.
    pub category: Option<String>,
}

/// An app that a workspace can set up from a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AppTemplateSummary {
    /// Its id.
    pub template_id: String,
    /// Its name for people.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// The shelf it stands on.
    pub category: Option<String>,
    /// The connector it stands for.
    pub canonical_connector_id: Option<String>,
    /// The URL of its logo.
    pub logo_url: Option<String>,
    /// The URL of its logo on a dark ground.
    pub logo_url_dark: Option<String>,
    /// The apps that were made from it.
    pub materialized_app_ids: Vec<String>,
    /// Why there is none.
    pub reason: Option<AppTemplateUnavailableReason>,
}

/// Why no app was made from a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AppTemplateUnavailableReason {
    /// The workspace has not set it up.
    NotConfiguredForWorkspace,
    /// The account is in no workspace.
    NoActiveWorkspace,
}

/// A prompt that a plugin wants to run on a schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScheduledTaskSummary {
    /// What it is told apart by.
    pub key: String,
    /// Its name for people.
    pub name: String,
    /// The prompt.
    pub prompt: String,
    /// When it runs.
    pub schedule: ScheduledTaskSchedule,
}

/// When a scheduled task runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum ScheduledTaskSchedule {
    /// Every so many hours.
    Hourly {
        /// How many.
        interval_hours: u32,
        /// On which days; null for all.
        days: Option<Vec<ScheduledTaskWeekday>>,
    },
    /// Once a day.
    Daily {
        /// At what time, such as `09:30`.
        time: String,
    },
    /// Once a day from Monday to Friday.
    Weekdays {
        /// At what time, such as `09:30`.
        time: String,
    },
    /// Once on each of some days.
    Weekly {
        /// On which days.
        days: Vec<ScheduledTaskWeekday>,
        /// At what time, such as `09:30`.
        time: String,
    },
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ScheduledTaskWeekday {
    /// Monday.
    #[serde(rename = "MO")]
    Monday,
    /// Tuesday.
    #[serde(rename = "TU")]
    Tuesday,
    /// Wednesday.
    #[serde(rename = "WE")]
    Wednesday,
    /// Thursday.
    #[serde(rename = "TH")]
    Thursday,
    /// Friday.
    #[serde(rename = "FR")]
    Friday,
    /// Saturday.
    #[serde(rename = "SA")]
    Saturday,
    /// Sunday.
    #[serde(rename = "SU")]
    Sunday,
}
