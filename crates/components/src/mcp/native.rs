//! The format of `.mcp.json` and of `mcpServers` in a manifest: servers as user settings write
//! them, below `mcpServers` or bare.

use std::time::Duration;

use plugd_model::{Problem, ProblemKind, ToolApproval};

use crate::Found;
use crate::item::{Item, Member, clip, report_misspelt, take};
use crate::placeholders::Spelling;
use crate::spelling;

use super::{HttpProtocol, McpDefinition, McpOauth, McpTransport, refused};

/// The members that are read.
const KNOWN: &[&str] = &[
    "type",
    "command",
    "args",
    "env",
    "env_vars",
    "cwd",
    "url",
    "headers",
    "http_headers",
    "env_http_headers",
    "bearer_token_env_var",
    "http_headers_helper",
    "oauth",
    "scopes",
    "startup_timeout_sec",
    "startup_timeout_ms",
    "tool_timeout_sec",
    "enabled",
    "disabled",
    "required",
    "enabled_tools",
    "disabled_tools",
    "default_tools_approval_mode",
    "tools",
];
/// Members that hosts read and this crate does not; they are no typing errors, and neither are those
/// whose values are judged in `refused`.
const FOREIGN: &[&str] = &[
    "timeout",
    "description",
    "transport",
    "autoApprove",
    "alwaysAllow",
    "headersHelper",
    "note",
    "$comment",
];

/// The members of `oauth`, in both ways of writing.
const OAUTH: &[&str] = &[
    "client_id",
    "clientId",
    "callback_port",
    "callbackPort",
    "callback_url",
    "callbackUrl",
];

/// Reads an object of servers, or an object that holds one as `mcpServers`. What stands there and may
/// be servers for another program becomes an error among the strays.
pub(super) fn servers(
    root: &Item<'_>,
    strays: &mut Vec<Problem>,
) -> Result<Found<McpDefinition>, Problem> {
    let mut found = Found::nothing();
    let outer = root.object(&mut found.problems)?;
    // Only an object is a wrapper; anything else under that name is a server that cannot be read.
    let wrapped = take(&outer, "mcpServers").filter(Item::is_object);
    let is_wrapped = wrapped.is_some();
    let members = match wrapped {
        Some(inner) => {
            let beside = outer.iter().filter(|(name, _)| name != "mcpServers");
            strays.extend(beside.filter_map(stray));
            inner.object(&mut found.problems)?
        }
        None => outer,
    };
    for (name, value) in members {
        // Beside bare servers stand things such as `$schema`, which are not meant as servers.
        if !is_wrapped && !value.is_object() {
            strays.extend(stray(&(name, value.clone())));
            let text = "this is no MCP server, because it is no object";
            found
                .problems
                .push(value.warning(ProblemKind::WrongType, text));
            continue;
        }
        if !is_wrapped && is_misspelt_wrapper(&name, &value) {
            strays.push(value.stray());
            let text = format!(
                "nobody reads `{}` here; did you mean `mcpServers`",
                clip(&name)
            );
            let problem = value.warning(ProblemKind::UnknownField, text);
            found.problems.push(problem);
            continue;
        }
        match understand(&name, &value, &mut found.problems) {
            Ok(definition) => {
                if !is_startable(&name) {
                    let text = format!(
                        "a server named `{}` cannot start; use ASCII letters, digits and `_:@/.-`",
                        clip(&name)
                    );
                    found
                        .problems
                        .push(value.warning(ProblemKind::BadName, text));
                }
                found.items.push(definition);
            }
            Err(problem) => found.problems.push(problem),
        }
    }
    Ok(found)
}

/// What a member is beside those that are read, when something stands in it.
fn stray((_, value): &Member<'_>) -> Option<Problem> {
    value.holds_values().then(|| value.stray())
}

/// Whether something is likely meant to hold the servers and is no server itself.
fn is_misspelt_wrapper(name: &str, value: &Item<'_>) -> bool {
    let members = value.object(&mut Vec::new()).unwrap_or_default();
    let is_server = ["command", "url", "type"]
        .iter()
        .any(|member| take(&members, member).is_some());
    // Settings of other programs call it `servers`.
    let is_meant = spelling::meant(name, &["mcpServers"]).is_some()
        || name.eq_ignore_ascii_case("servers")
            && members.iter().all(|(_, value)| value.is_object());
    !is_server && is_meant
}

/// Whether a host would accept the name when it starts the server.
#[must_use]
pub fn is_startable(name: &str) -> bool {
    let legal =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '@' | '/' | '.' | '-');
    !name.is_empty() && name.chars().all(legal)
}

/// Reads one server. A member of a wrong type drops the server, because what would start without
/// that member is not what its author wrote.
fn understand(
    name: &str,
    value: &Item<'_>,
    problems: &mut Vec<Problem>,
) -> Result<McpDefinition, Problem> {
    let members = value.object(problems)?;
    let known = KNOWN.iter().chain(FOREIGN).copied();
    let known: Vec<&str> = known.chain(refused::judged()).collect();
    report_misspelt(&members, &known, problems);
    let extra = members
        .iter()
        .filter(|(name, _)| !KNOWN.contains(&name.as_str()))
        .map(|(name, member)| (name.clone(), member.text().to_owned()))
        .collect();
    let definition = McpDefinition {
        name: name.to_owned(),
        transport: transport(value, &members, problems)?,
        oauth: oauth(&members, problems)?,
        scopes: strings(&members, "scopes")?.unwrap_or_default(),
        startup_timeout: startup_timeout(&members)?,
        tool_timeout: seconds(&members, "tool_timeout_sec")?,
        enabled: boolean(&members, "enabled")?.unwrap_or(true)
            & !boolean(&members, "disabled")?.unwrap_or(false),
        required: boolean(&members, "required")?.unwrap_or(false),
        enabled_tools: strings(&members, "enabled_tools")?,
        disabled_tools: strings(&members, "disabled_tools")?.unwrap_or_default(),
        default_approval: approval(&members, "default_tools_approval_mode")?,
        tool_approvals: tool_approvals(&members, problems)?,
        extra,
        spelling: Spelling::Both,
        origin: value.origin(),
        json: value.text().to_owned(),
    };
    refused::check(&members, &definition.transport)?;
    Ok(definition)
}

/// Reads everything that decides how the server is reached, also the members of the other
/// transport: a wrong type anywhere means that its author meant something else.
fn transport(
    value: &Item<'_>,
    members: &[Member<'_>],
    problems: &mut Vec<Problem>,
) -> Result<McpTransport, Problem> {
    let kind = kind(members, problems);
    let command = text(members, "command")?;
    let url = text(members, "url")?;
    let args = strings(members, "args")?.unwrap_or_default();
    let cwd = text(members, "cwd")?;
    let mut env = map(members, "env", problems)?;
    env.sort();
    let env_vars = env_vars(members, problems)?;
    let headers = headers(members, problems)?;
    let env_headers = map(members, "env_http_headers", problems)?;
    let bearer_token_env_var = text(members, "bearer_token_env_var")?;
    let headers_helper = text(members, "http_headers_helper")?;
    match (command, url) {
        (Some(command), None) => Ok(McpTransport::Stdio {
            command,
            args,
            env,
            env_vars,
            cwd,
        }),
        (None, Some(url)) => Ok(McpTransport::Http {
            url,
            protocol: match kind.as_deref() {
                Some("sse") => HttpProtocol::Sse,
                _ => HttpProtocol::Streamable,
            },
            headers,
            env_headers,
            bearer_token_env_var,
            headers_helper,
        }),
        (Some(_), Some(_)) => {
            let text = "a server has a `command` or a `url`, not both";
            let url = take(members, "url").unwrap_or_else(|| value.clone());
            Err(url.problem(ProblemKind::BadValue, text))
        }
        (None, None) => {
            let text = "a server has a `command` or a `url`, and this one has neither";
            Err(value.problem(ProblemKind::MissingField, text))
        }
    }
}

/// The kind of transport. Which one it is, the other members say, so that anything may stand here.
fn kind(members: &[Member<'_>], problems: &mut Vec<Problem>) -> Option<String> {
    match take(members, "type")?.string() {
        Ok(kind) => Some(kind),
        Err(problem) => {
            problems.push(problem.as_warning());
            None
        }
    }
}

/// The headers of both members. `http_headers` is the name in user settings and wins over `headers`,
/// which is what most plugins write.
fn headers(
    members: &[Member<'_>],
    problems: &mut Vec<Problem>,
) -> Result<Vec<(String, String)>, Problem> {
    let mut headers = map(members, "headers", problems)?;
    for (name, value) in map(members, "http_headers", problems)? {
        headers.retain(|(other, _)| !other.eq_ignore_ascii_case(&name));
        headers.push((name, value));
    }
    headers.sort();
    headers.dedup_by(|next, first| {
        let repeated = next.0.eq_ignore_ascii_case(&first.0);
        if repeated && let Some(item) = take(members, "headers") {
            let text = format!("the header `{}` stands here twice", clip(&next.0));
            problems.push(item.warning(ProblemKind::Duplicate, text));
        }
        repeated
    });
    Ok(headers)
}

/// Names of variables, each a text or an object with a `name`.
fn env_vars(members: &[Member<'_>], problems: &mut Vec<Problem>) -> Result<Vec<String>, Problem> {
    let Some(item) = take(members, "env_vars") else {
        return Ok(Vec::new());
    };
    let mut names = Vec::new();
    for element in item.array()? {
        let name = if element.is_object() {
            let members = element.object(problems)?;
            refused::check_variable(&members)?;
            let Some(name) = take(&members, "name") else {
                let text = "a variable to pass on needs a `name`";
                return Err(element.problem(ProblemKind::MissingField, text));
            };
            name.string()?
        } else {
            element.string()?
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

/// How a user signs in. What is no object says nothing; in one that is, a wrong type drops the server.
fn oauth(members: &[Member<'_>], problems: &mut Vec<Problem>) -> Result<Option<McpOauth>, Problem> {
    let Some(item) = take(members, "oauth") else {
        return Ok(None);
    };
    if !item.is_object() {
        problems.push(item.wrong_type("an object").as_warning());
        return Ok(None);
    }
    let inner = item.object(problems)?;
    report_misspelt(&inner, OAUTH, problems);
    refused::check_oauth(&inner)?;
    // Both ways of writing are common; the one of user settings goes first.
    let either = |one: &str, other: &str| take(&inner, one).or_else(|| take(&inner, other));
    let text = |item: Item<'_>| item.string();
    let port = |item: Item<'_>| {
        let port = item.whole_number().ok().and_then(|n| u16::try_from(n).ok());
        port.ok_or_else(|| item.problem(ProblemKind::BadValue, "a port is expected here"))
    };
    let client_id = either("client_id", "clientId").map(text).transpose()?;
    let callback_port = either("callback_port", "callbackPort").map(port);
    let callback_port = callback_port.transpose()?;
    // Of the address only the type is judged; a host finds it in the whole object.
    either("callback_url", "callbackUrl")
        .map(text)
        .transpose()?;
    Ok(Some(McpOauth {
        client_id,
        callback_port,
        json: item.text().to_owned(),
    }))
}

/// How long the start may take; of both members the one in seconds counts.
fn startup_timeout(members: &[Member<'_>]) -> Result<Option<Duration>, Problem> {
    let milliseconds = take(members, "startup_timeout_ms").map(|item| item.whole_number());
    let milliseconds = milliseconds.transpose()?.map(Duration::from_millis);
    Ok(seconds(members, "startup_timeout_sec")?.or(milliseconds))
}

fn tool_approvals(
    members: &[Member<'_>],
    problems: &mut Vec<Problem>,
) -> Result<Vec<(String, ToolApproval)>, Problem> {
    let Some(item) = take(members, "tools") else {
        return Ok(Vec::new());
    };
    let mut approvals = Vec::new();
    for (name, tool) in item.object(problems)? {
        let members = tool.object(problems)?;
        report_misspelt(&members, &["approval_mode"], problems);
        let mode = approval(&members, "approval_mode")?;
        approvals.extend(mode.map(|mode| (name, mode)));
    }
    Ok(approvals)
}

fn approval(members: &[Member<'_>], name: &str) -> Result<Option<ToolApproval>, Problem> {
    let Some(item) = take(members, name) else {
        return Ok(None);
    };
    refused::one_of(&item, &ToolApproval::WORDS)?;
    Ok(ToolApproval::of_word(&item.string()?))
}

fn text(members: &[Member<'_>], name: &str) -> Result<Option<String>, Problem> {
    take(members, name).map(|item| item.string()).transpose()
}

fn strings(members: &[Member<'_>], name: &str) -> Result<Option<Vec<String>>, Problem> {
    take(members, name).map(|item| item.strings()).transpose()
}

fn boolean(members: &[Member<'_>], name: &str) -> Result<Option<bool>, Problem> {
    take(members, name).map(|item| item.boolean()).transpose()
}

fn seconds(members: &[Member<'_>], name: &str) -> Result<Option<Duration>, Problem> {
    take(members, name).map(|item| item.seconds()).transpose()
}

fn map(
    members: &[Member<'_>],
    name: &str,
    problems: &mut Vec<Problem>,
) -> Result<Vec<(String, String)>, Problem> {
    match take(members, name) {
        Some(item) => item.string_map(problems),
        None => Ok(Vec::new()),
    }
}
