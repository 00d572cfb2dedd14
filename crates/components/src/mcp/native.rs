//! The format of `.mcp.json` and of `mcpServers` in a manifest: servers as user settings write
//! them, below `mcpServers` or bare.

use plugd_model::{Problem, ProblemKind};

use crate::Found;
use crate::item::{Item, clip, take};

use super::McpServer;

/// Reads an object of servers, or an object that holds one as `mcpServers`.
pub(super) fn servers(root: &Item<'_>) -> Result<Found<McpServer>, Problem> {
    let mut found = Found::nothing();
    let outer = root.object(&mut found.problems)?;
    // Only an object is a wrapper; anything else under that name is a server that cannot be read.
    let wrapped = take(&outer, "mcpServers").filter(Item::is_object);
    let is_wrapped = wrapped.is_some();
    let members = match wrapped {
        Some(inner) => inner.object(&mut found.problems)?,
        None => outer,
    };
    for (name, value) in members {
        // Beside bare servers stand things such as `$schema`, which are not meant as servers.
        if !is_wrapped && !value.is_object() {
            let text = "this is no MCP server, because it is no object";
            found
                .problems
                .push(value.warning(ProblemKind::WrongType, text));
            continue;
        }
        match understand(&value, &mut found.problems) {
            Ok(()) => {
                if !is_startable(&name) {
                    let text = format!(
                        "a server named `{}` cannot start; use ASCII letters, digits and `_:@/.-`",
                        clip(&name)
                    );
                    found
                        .problems
                        .push(value.warning(ProblemKind::BadName, text));
                }
                found.items.push(McpServer {
                    name,
                    json: value.text().to_owned(),
                });
            }
            Err(problem) => found.problems.push(problem),
        }
    }
    Ok(found)
}

/// Whether the host would accept the name when it starts the server.
fn is_startable(name: &str) -> bool {
    let legal =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '@' | '/' | '.' | '-');
    !name.is_empty() && name.chars().all(legal)
}

/// Checks the members that decide what the server is. A wrong type drops the server, because what
/// would start without that member is not what its author wrote.
fn understand(value: &Item<'_>, problems: &mut Vec<Problem>) -> Result<(), Problem> {
    let members = value.object(problems)?;
    for (name, member) in &members {
        if member.is_null() {
            continue;
        }
        match name.as_str() {
            "command" | "cwd" | "url" | "bearer_token_env_var" | "type" => {
                member.string()?;
            }
            "args" | "enabled_tools" | "disabled_tools" | "scopes" => {
                member.strings()?;
            }
            "env" | "http_headers" | "env_http_headers" => {
                member.string_map(problems)?;
            }
            "env_vars" => {
                member.array()?;
            }
            "startup_timeout_sec" | "tool_timeout_sec" => member.number()?,
            "enabled" | "required" => {
                member.boolean()?;
            }
            "oauth" => {
                member.object(problems)?;
            }
            _ => {}
        }
    }
    match (take(&members, "command"), take(&members, "url")) {
        (Some(_), Some(url)) => {
            let text = "a server has a `command` or a `url`, not both";
            Err(url.problem(ProblemKind::BadValue, text))
        }
        (None, None) => {
            let text = "a server has a `command` or a `url`, and this one has neither";
            Err(value.problem(ProblemKind::MissingField, text))
        }
        _ => Ok(()),
    }
}
