//! One handler of a hooks file: what it does, and whether a host can do it.

use plugd_model::{Problem, ProblemKind};

use crate::item::{Item, Member, clip, report_misspelt, take};

use super::HookEvent;
use super::digest::{Canonical, canonical};
use super::matcher::{Judge, matches_everything};

/// The members of a handler that runs a command.
const COMMAND: &[&str] = &[
    "type",
    "command",
    "commandWindows",
    "command_windows",
    "timeout",
    "async",
    "statusMessage",
    "additionalContextLimit",
];
/// The members of a handler that calls a tool.
const MCP_TOOL: &[&str] = &[
    "type",
    "server",
    "tool",
    "input",
    "timeout",
    "statusMessage",
];

/// What a hook does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookHandler {
    /// Runs a shell command.
    Command {
        /// The command as written; it may be blank, and then nothing can run.
        command: String,
        /// What to run on Windows instead.
        command_windows: Option<String>,
        /// How long it may take, the event's default and limit applied.
        timeout_sec: u64,
        /// Whether nobody waits for it, as declared; see
        /// [`HookDeclaration::runs_async`](super::HookDeclaration::runs_async) for what holds.
        is_async: bool,
        /// What to show while it runs.
        status_message: Option<String>,
        /// How much of what it prints may reach the model.
        additional_context_limit: Option<u64>,
    },
    /// Calls a tool of an MCP server.
    McpTool {
        /// The server.
        server: String,
        /// The tool.
        tool: String,
        /// The JSON object that is passed to the tool, as written; `{}` when none is declared.
        input: String,
        /// How long it may take, the event's default and limit applied.
        timeout_sec: u64,
        /// What to show while it runs.
        status_message: Option<String>,
    },
    /// Asks a model; declared by plugins for other hosts, run by none here.
    Prompt,
    /// Starts an agent; declared by plugins for other hosts, run by none here.
    Agent,
}

/// Why a declared handler can never run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HookObstacle {
    /// The command is blank.
    #[error("the command is blank, so nothing can run")]
    BlankCommand,
    /// The server or the tool is blank.
    #[error("the server or the tool is blank, so nothing can be called")]
    BlankTool,
    /// No tool is called any more when a session has ended.
    #[error("a tool cannot be called at the end of a session")]
    ToolAtSessionEnd,
    /// The matcher is no regular expression.
    #[error("the matcher is no regular expression that a host compiles")]
    BadMatcher,
    /// The handler asks a model.
    #[error("handlers of the type `prompt` are not run")]
    Prompt,
    /// The handler starts an agent.
    #[error("handlers of the type `agent` are not run")]
    Agent,
}

impl HookHandler {
    /// What keeps it from running at an event, whatever the matcher.
    pub(super) fn obstacle(&self, event: HookEvent) -> Option<HookObstacle> {
        let is_blank = |text: &str| text.trim().is_empty();
        match self {
            Self::Command { command, .. } => {
                is_blank(command).then_some(HookObstacle::BlankCommand)
            }
            Self::McpTool { server, tool, .. } if is_blank(server) || is_blank(tool) => {
                Some(HookObstacle::BlankTool)
            }
            Self::McpTool { .. } if event == HookEvent::SessionEnd => {
                Some(HookObstacle::ToolAtSessionEnd)
            }
            Self::McpTool { .. } => None,
            Self::Prompt => Some(HookObstacle::Prompt),
            Self::Agent => Some(HookObstacle::Agent),
        }
    }

    /// The handler as it is hashed; nothing for one that is never run, and so never trusted.
    pub(super) fn canonical(&self) -> Option<Canonical> {
        match self {
            Self::Command {
                command,
                command_windows: _,
                timeout_sec,
                is_async,
                status_message,
                additional_context_limit,
            } => {
                let object = Canonical::new()
                    .text("type", "command")
                    .text("command", command)
                    .json("timeout", timeout_sec)
                    .json("async", is_async)
                    .some_text("statusMessage", status_message.as_deref());
                Some(match additional_context_limit {
                    Some(limit) => object.json("additionalContextLimit", limit),
                    None => object,
                })
            }
            Self::McpTool {
                server,
                tool,
                input,
                timeout_sec,
                status_message,
            } => Some(
                Canonical::new()
                    .text("type", "mcp_tool")
                    .text("server", server)
                    .text("tool", tool)
                    .json("input", canonical(input).ok()?)
                    .json("timeout", timeout_sec)
                    .some_text("statusMessage", status_message.as_deref()),
            ),
            Self::Prompt | Self::Agent => None,
        }
    }
}

/// The matcher of a group.
#[derive(Debug, Clone, Default)]
pub(super) struct Matcher {
    /// As written.
    pub(super) text: Option<String>,
    /// Whether no host compiles it, and it counts for the event.
    pub(super) is_bad: bool,
}

/// Reads the matcher of a group. One that cannot be read must not become "everything", so it is an
/// error; one that no host compiles stays, because keys and listings go on counting the group.
pub(super) fn read_matcher(
    members: &[Member<'_>],
    event: HookEvent,
    limit: usize,
    judge: &mut Judge,
    problems: &mut Vec<Problem>,
) -> Result<Matcher, Problem> {
    let Some(item) = take(members, "matcher") else {
        return Ok(Matcher::default());
    };
    let text = item.string()?;
    if text.len() > limit {
        let message = format!("the matcher is longer than {limit} bytes");
        return Err(item.problem(ProblemKind::TooLarge, message));
    }
    let mut is_bad = false;
    if event.ignores_matcher() {
        if !matches_everything(&text) {
            let message = format!("the event `{}` has no matcher; it is ignored", event.name());
            problems.push(item.warning(ProblemKind::BadValue, message));
        }
    } else if let Some(why) = judge.mistake(&text) {
        problems.push(item.problem(ProblemKind::BadValue, why));
        is_bad = true;
    }
    let text = Some(text);
    Ok(Matcher { text, is_bad })
}

/// Reads one handler. Members that nobody knows are ignored.
pub(super) fn read(
    value: &Item<'_>,
    event: HookEvent,
    problems: &mut Vec<Problem>,
) -> Result<HookHandler, Problem> {
    let members = value.object(problems)?;
    let kind = required(value, &members, "type")?;
    let handler = match kind.string()?.as_str() {
        "command" => {
            report_misspelt(&members, COMMAND, problems);
            command(value, &members, event, problems)?
        }
        "mcp_tool" => {
            report_misspelt(&members, MCP_TOOL, problems);
            HookHandler::McpTool {
                server: required(value, &members, "server")?.string()?,
                tool: required(value, &members, "tool")?.string()?,
                input: input(&members)?,
                timeout_sec: timeout(&members, event, problems)?,
                status_message: optional_text(&members, "statusMessage")?,
            }
        }
        "prompt" => HookHandler::Prompt,
        "agent" => HookHandler::Agent,
        other => {
            let text = format!(
                "the type `{}` is none of `command`, `mcp_tool`, `prompt` and `agent`",
                clip(other)
            );
            return Err(kind.problem(ProblemKind::BadValue, text));
        }
    };
    if let Some(obstacle) = handler.obstacle(event) {
        let about = match obstacle {
            HookObstacle::BlankCommand => take(&members, "command"),
            HookObstacle::Prompt | HookObstacle::Agent => Some(kind),
            _ => None,
        };
        let about = about.as_ref().unwrap_or(value);
        problems.push(about.warning(ProblemKind::BadValue, obstacle.to_string()));
    }
    Ok(handler)
}

fn command(
    value: &Item<'_>,
    members: &[Member<'_>],
    event: HookEvent,
    problems: &mut Vec<Problem>,
) -> Result<HookHandler, Problem> {
    let windows = optional_text(members, "commandWindows")?;
    let other = optional_text(members, "command_windows")?;
    if let (Some(_), Some(_), Some(item)) = (&windows, &other, take(members, "command_windows")) {
        let text = "`commandWindows` stands here in both spellings; this one is ignored";
        problems.push(item.warning(ProblemKind::Duplicate, text));
    }
    let is_async = match take(members, "async") {
        Some(item) => {
            let is_async = item.boolean()?;
            if is_async && !event.can_be_async() {
                let text = format!(
                    "`{}` waits for its handlers, also for this one",
                    event.name()
                );
                problems.push(item.warning(ProblemKind::BadValue, text));
            }
            is_async
        }
        None => false,
    };
    Ok(HookHandler::Command {
        command: required(value, members, "command")?.string()?,
        command_windows: windows.or(other),
        timeout_sec: timeout(members, event, problems)?,
        is_async,
        status_message: optional_text(members, "statusMessage")?,
        additional_context_limit: context_limit(members, event, problems)?,
    })
}

/// How much may reach the model. At an event where nothing can, the member means nothing and is no
/// part of the declaration that is trusted.
fn context_limit(
    members: &[Member<'_>],
    event: HookEvent,
    problems: &mut Vec<Problem>,
) -> Result<Option<u64>, Problem> {
    let Some(item) = take(members, "additionalContextLimit") else {
        return Ok(None);
    };
    let limit = item.whole_number()?;
    if event.emits_context() {
        return Ok(Some(limit));
    }
    let text = format!(
        "nothing that a handler of `{}` prints reaches the model; the limit is ignored",
        event.name()
    );
    problems.push(item.warning(ProblemKind::BadValue, text));
    Ok(None)
}

/// The input of a tool call. What cannot be hashed could never be trusted, so it is refused here.
fn input(members: &[Member<'_>]) -> Result<String, Problem> {
    let Some(item) = take(members, "input") else {
        return Ok("{}".to_owned());
    };
    if !item.is_object() {
        return Err(item.wrong_type("an object"));
    }
    match canonical(item.text()) {
        Ok(_) => Ok(item.text().to_owned()),
        Err(why) => Err(item.problem(ProblemKind::BadValue, why.to_string())),
    }
}

/// How long a handler may take. Nobody can wait for nothing, so 0 becomes the shortest time.
fn timeout(
    members: &[Member<'_>],
    event: HookEvent,
    problems: &mut Vec<Problem>,
) -> Result<u64, Problem> {
    let Some(item) = take(members, "timeout") else {
        return Ok(event.default_timeout_sec());
    };
    let seconds = item.whole_number()?.max(1);
    match event.longest_timeout_sec() {
        Some(longest) if seconds > longest => {
            let text = format!("a handler of `{}` gets {longest} seconds", event.name());
            problems.push(item.warning(ProblemKind::BadValue, text));
            Ok(longest)
        }
        _ => Ok(seconds),
    }
}

fn required<'a>(value: &Item<'a>, members: &[Member<'a>], name: &str) -> Result<Item<'a>, Problem> {
    take(members, name).ok_or_else(|| {
        let text = format!("the handler has no `{name}`");
        value.problem(ProblemKind::MissingField, text)
    })
}

fn optional_text(members: &[Member<'_>], name: &str) -> Result<Option<String>, Problem> {
    take(members, name).map(|item| item.string()).transpose()
}
