//! `mcp.json` of the Agent Plugins format: closed objects, every rule a must (sections 7.2 and 9.2).
//!
//! A file that breaks a rule of its own gives no servers; a server that breaks one is dropped alone.

use plugd_disk::Kind;
use plugd_model::{AbsPath, Problem, ProblemKind};

use crate::Found;
use crate::item::{Document, Item, Member, clip};
use crate::placeholders::Spelling;
use crate::spelling;
use crate::tree::PluginTree;

use super::{HttpProtocol, McpDefinition, McpTransport, url};

/// The one version of the format that is supported; the manifest's was checked before.
const SCHEMA: &str = "https://agent-plugins.org/schemas/1.0.0/mcp.schema.json";

/// Reads the servers of an `mcp.json`.
pub(super) fn servers(
    tree: &PluginTree<'_>,
    document: &Document<'_>,
) -> Result<Found<McpDefinition>, Problem> {
    let mut found = Found::nothing();
    let root = document.root("");
    let members = root.object(&mut found.problems)?;
    let Some(schema) = member(&members, "$schema") else {
        let text = "`$schema` is missing, so the version of the format is unknown";
        return Err(root.problem(ProblemKind::MissingField, text));
    };
    if schema.string()? != SCHEMA {
        let text = format!("only `{SCHEMA}` is supported");
        return Err(schema.problem(ProblemKind::UnsupportedSchema, text));
    }
    closed(&members, &["$schema", "mcpServers"])?;
    let Some(servers) = member(&members, "mcpServers") else {
        let text = "`mcpServers` is missing";
        return Err(root.problem(ProblemKind::MissingField, text));
    };
    for (name, value) in servers.object(&mut found.problems)? {
        match server(tree, &value, &mut found.problems) {
            Ok(transport) => found.items.push(McpDefinition {
                name,
                transport,
                oauth: None,
                scopes: Vec::new(),
                startup_timeout: None,
                tool_timeout: None,
                enabled: true,
                required: false,
                enabled_tools: None,
                disabled_tools: Vec::new(),
                default_approval: None,
                tool_approvals: Vec::new(),
                extra: Vec::new(),
                spelling: Spelling::Portable,
                origin: value.origin(),
                json: value.text().to_owned(),
            }),
            Err(problem) => found.problems.push(problem),
        }
    }
    Ok(found)
}

fn server(
    tree: &PluginTree<'_>,
    value: &Item<'_>,
    problems: &mut Vec<Problem>,
) -> Result<McpTransport, Problem> {
    let members = value.object(problems)?;
    let kind = required(value, &members, "type")?;
    match kind.string()?.as_str() {
        "stdio" => {
            closed(&members, &["type", "command", "args", "env", "cwd"])?;
            stdio(tree, value, &members, problems)
        }
        "streamable-http" => remote(value, &members, problems),
        "sse" => {
            remote(value, &members, problems)?;
            let text = "the transport `sse` is not supported";
            Err(kind.warning(ProblemKind::BadValue, text))
        }
        other => {
            let text = format!(
                "the type `{}` is none of `stdio`, `streamable-http` and `sse`",
                clip(other)
            );
            Err(kind.problem(ProblemKind::BadValue, text))
        }
    }
}

/// Section 7.2.1: no shell cuts a command.
const ONE_TOKEN: &str = "a command is one program without arguments; put those into `args`";

fn stdio(
    tree: &PluginTree<'_>,
    value: &Item<'_>,
    members: &[Member<'_>],
    problems: &mut Vec<Problem>,
) -> Result<McpTransport, Problem> {
    let command = required(value, members, "command")?;
    let text = command.string()?;
    let has_blanks = text.contains(char::is_whitespace);
    if text.starts_with("./") {
        inside(tree, &command, tree.root(), &text)?;
        names_file(tree, &command, &text)?;
        // A file may be called so; otherwise somebody has written what only a shell would cut.
        let is_there = matches!(tree.locate(&tree.root().join(&text)), Ok(Some(_)));
        if has_blanks && !is_there {
            return Err(command.problem(ProblemKind::BadValue, ONE_TOKEN));
        }
    } else if has_blanks && !text.trim().is_empty() {
        return Err(command.problem(ProblemKind::BadValue, ONE_TOKEN));
    } else if text.is_empty()
        || has_blanks
        || matches!(text.as_str(), "." | "..")
        || text.contains(['/', '\\', '\0'])
    {
        let text = "a command is a bare name, or a path that begins with `./`";
        return Err(command.problem(ProblemKind::BadValue, text));
    }
    let args = match member(members, "args") {
        Some(args) => args.strings()?,
        None => Vec::new(),
    };
    let mut env = Vec::new();
    if let Some(item) = member(members, "env") {
        for (name, entry) in item.object(problems)? {
            if matches!(name.as_str(), "PLUGIN_ROOT" | "PLUGIN_DATA") {
                let text = format!("`{name}` is set by the host and may not be set here");
                return Err(entry.problem(ProblemKind::BadValue, text));
            }
            env.push((name, entry.string()?));
        }
        env.sort();
    }
    let cwd = match member(members, "cwd") {
        Some(cwd) => Some(working_directory(tree, &cwd)?),
        None => None,
    };
    Ok(McpTransport::Stdio {
        command: text,
        args,
        env,
        env_vars: Vec::new(),
        cwd,
    })
}

/// Refuses a path that can be no program: a directory, or something below a file. One that is not
/// there is nobody's concern before somebody starts it.
fn names_file(tree: &PluginTree<'_>, command: &Item<'_>, text: &str) -> Result<(), Problem> {
    let path = tree.root().join(text);
    let is = |path: &AbsPath, kind| matches!(tree.locate(path), Ok(Some(at)) if at.kind == kind);
    let refused = |text| Err(command.problem(ProblemKind::BadPath, text));
    let mut above = path.ancestors().skip(1);
    let mut above = above.by_ref().take_while(|dir| dir != tree.root());
    if above.any(|dir| is(&dir, Kind::File)) {
        return refused("the path leads through a file, where no program can be");
    }
    if text.ends_with('/') || path == *tree.root() || is(&path, Kind::Dir) {
        return refused("a directory is no program");
    }
    Ok(())
}

/// The three forms of a working directory, each of which must stay where it begins.
fn working_directory(tree: &PluginTree<'_>, cwd: &Item<'_>) -> Result<String, Problem> {
    let text = cwd.string()?;
    if text.starts_with("./") {
        inside(tree, cwd, tree.root(), &text)?;
        return Ok(text);
    }
    for placeholder in ["${PLUGIN_ROOT}", "${PLUGIN_DATA}"] {
        let Some(rest) = text.strip_prefix(placeholder) else {
            continue;
        };
        if !rest.is_empty() && !rest.starts_with('/') {
            break;
        }
        if placeholder == "${PLUGIN_ROOT}" {
            inside(tree, cwd, tree.root(), &format!(".{rest}"))?;
        } else if climbs(rest) {
            // Where the data directory is, and what lies in it, is known only to the host: here the
            // text is judged, the rest when the server is resolved.
            return Err(leaves(cwd));
        }
        return Ok(text);
    }
    let text = "a working directory begins with `./`, `${PLUGIN_ROOT}` or `${PLUGIN_DATA}`";
    Err(cwd.problem(ProblemKind::BadPath, text))
}

/// Checks that a path below a directory stays in the plugin, links included.
fn inside(
    tree: &PluginTree<'_>,
    item: &Item<'_>,
    base: &AbsPath,
    relative: &str,
) -> Result<(), Problem> {
    if relative.contains('\0') || climbs(relative) || !tree.contains(&base.join(relative)) {
        return Err(leaves(item));
    }
    Ok(())
}

/// Whether a relative path leaves its base on the way, judged by its text.
pub(super) fn climbs(relative: &str) -> bool {
    let mut depth = 0_i64;
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => depth -= 1,
            _ => depth += 1,
        }
        if depth < 0 {
            return true;
        }
    }
    false
}

fn leaves(item: &Item<'_>) -> Problem {
    item.problem(ProblemKind::BadPath, "the path leaves its directory")
}

fn remote(
    value: &Item<'_>,
    members: &[Member<'_>],
    problems: &mut Vec<Problem>,
) -> Result<McpTransport, Problem> {
    closed(members, &["type", "url", "headers"])?;
    let item = required(value, members, "url")?;
    let address = item.string()?;
    url::check(&address).map_err(|why| item.problem(ProblemKind::BadValue, why))?;
    let mut headers: Vec<(String, String)> = Vec::new();
    let declared = match member(members, "headers") {
        Some(item) => item.object(problems)?,
        None => Vec::new(),
    };
    for (name, header) in declared {
        let text = header.string()?;
        let bad = |text: &str| Err(header.problem(ProblemKind::BadValue, text));
        if name.is_empty() || !name.bytes().all(is_token) {
            return bad("the name of the header has a character that HTTP does not allow");
        }
        if text
            .bytes()
            .any(|byte| (byte < b' ' && byte != b'\t') || byte == 0x7f)
        {
            return bad("the value of the header has a control character");
        }
        if headers
            .iter()
            .any(|(other, _)| other.eq_ignore_ascii_case(&name))
        {
            return bad("the header stands here twice; case does not count");
        }
        headers.push((name, text));
    }
    headers.sort();
    Ok(McpTransport::Http {
        url: address,
        protocol: HttpProtocol::Streamable,
        headers,
        env_headers: Vec::new(),
        bearer_token_env_var: None,
        headers_helper: None,
    })
}

/// The characters of a header's name.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// A member; unlike elsewhere `null` is a value, and of the wrong type.
fn member<'a>(members: &[Member<'a>], name: &str) -> Option<Item<'a>> {
    let found = members.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.clone())
}

fn required<'a>(value: &Item<'a>, members: &[Member<'a>], name: &str) -> Result<Item<'a>, Problem> {
    member(members, name).ok_or_else(|| {
        let text = format!("`{name}` is missing");
        value.problem(ProblemKind::MissingField, text)
    })
}

/// Refuses members outside a set.
fn closed(members: &[Member<'_>], known: &[&str]) -> Result<(), Problem> {
    let unknown = members
        .iter()
        .find(|(name, _)| !known.contains(&name.as_str()));
    match unknown {
        None => Ok(()),
        Some((name, value)) => {
            let text = match spelling::meant(name, known) {
                Some(meant) => format!(
                    "`{}` is not allowed here; did you mean `{meant}`",
                    clip(name)
                ),
                None => format!("`{}` is not allowed here", clip(name)),
            };
            Err(value.problem(ProblemKind::UnknownField, text))
        }
    }
}
