//! Keys that this daemon does not read itself, and whose wrong values make the reference refuse the
//! whole configuration.
//!
//! Only an edit is judged by these rules, before it is written: one bad value would take the user's
//! other program down. A file that holds such a value already is read as ever. The rules are no
//! schema: a key or word that is not named here is nobody's business.

use plugd_model::ProblemKind;

use crate::KeyPath;
use crate::reader::Reader;
use crate::tree::{Kind, Node};

/// Top-level keys that hold a string.
const TEXTS: [&str; 3] = ["model", "model_provider", "model_reasoning_effort"];
/// Top-level keys that hold a table.
const TABLES: [&str; 2] = ["hooks", "tui"];
const TRUST_LEVELS: [&str; 2] = ["trusted", "untrusted"];
const SANDBOX_MODES: [&str; 3] = ["read-only", "workspace-write", "danger-full-access"];
const APPROVAL_POLICIES: [&str; 4] = ["untrusted", "on-failure", "on-request", "never"];
const TOOL_APPROVALS: [&str; 4] = ["auto", "prompt", "writes", "approve"];

/// Notes a problem for every value that the reference would refuse.
///
/// What a reader answers is of no interest here, only what it notes.
pub(crate) fn check(reader: &mut Reader<'_>, tree: &Node) {
    for name in TEXTS {
        let _ = reader.text(tree, &KeyPath::of([name]));
    }
    for name in TABLES {
        let _ = reader.table(tree.get(name), &KeyPath::of([name]));
    }
    let _ = reader.texts(tree, &KeyPath::of(["notify"]));
    word(reader, tree, &KeyPath::of(["sandbox_mode"]), &SANDBOX_MODES);
    approval_policy(reader, tree);
    profile(reader, tree);
    tables(reader, tree, &KeyPath::of(["profiles"]));
    for (field, project) in tables(reader, tree, &KeyPath::of(["projects"])) {
        let field = field.child("trust_level");
        word(reader, project, &field, &TRUST_LEVELS);
    }
    features(reader, tree);
    skills(reader, tree);
    servers(reader, tree);
    // A row that is no table has been noted by the reader of the plugins.
    let rows = tree.get("plugins").and_then(Node::members);
    for (name, row) in rows.unwrap_or_default() {
        overlays(reader, row, &KeyPath::of(["plugins", name, "mcp_servers"]));
    }
}

/// The rows of a table of tables, each with its field.
fn tables<'n>(
    reader: &mut Reader<'_>,
    parent: &'n Node,
    field: &KeyPath,
) -> Vec<(KeyPath, &'n Node)> {
    let name = field.segments().last().map_or("", String::as_str);
    let rows = reader.table(parent.get(name), field).unwrap_or_default();
    let mut good = Vec::new();
    for (name, row) in rows {
        let field = field.child(name);
        if reader.table(Some(row), &field).is_ok() {
            good.push((field, row));
        }
    }
    good
}

/// An optional string that is one of a set.
fn word(reader: &mut Reader<'_>, table: &Node, field: &KeyPath, words: &[&str]) {
    let Ok(Some(text)) = reader.text(table, field) else {
        return;
    };
    if !words.contains(&text.as_str()) {
        let name = field.segments().last().map_or("", String::as_str);
        let mark = table.get(name).unwrap_or(table).mark;
        let message = format!(
            "`{}` is none of `{}`",
            text.escape_debug(),
            words.join("`, `")
        );
        reader.error(ProblemKind::BadValue, mark, field, message);
    }
}

/// A word, or a table with the one member `granular`.
fn approval_policy(reader: &mut Reader<'_>, tree: &Node) {
    let field = KeyPath::of(["approval_policy"]);
    let Some(node) = tree.get("approval_policy") else {
        return;
    };
    match &node.kind {
        Kind::Text(_) => word(reader, tree, &field, &APPROVAL_POLICIES),
        Kind::Table(members) => match members.as_slice() {
            [(name, granular)] if name == "granular" => {
                let _ = reader.table(Some(granular), &field.child("granular"));
            }
            _ => {
                let message = "the table must have the one member `granular`";
                reader.error(ProblemKind::BadValue, node.mark, &field, message);
            }
        },
        _ => {
            reader.wrong_type(node, &field, "a string or a table");
        }
    }
}

/// A profile is selected on the command line only. The message holds the name, so that one that is
/// there already does not excuse another one.
fn profile(reader: &mut Reader<'_>, tree: &Node) {
    let field = KeyPath::of(["profile"]);
    let (Some(node), Ok(Some(name))) = (tree.get("profile"), reader.text(tree, &field)) else {
        return;
    };
    let message = no_longer_supported(&name);
    reader.error(ProblemKind::BadValue, node.mark, &field, message);
}

/// What to say of the key `profile`, which once selected a profile.
pub(crate) fn no_longer_supported(name: &str) -> String {
    let name = name.escape_debug();
    format!("this key is no longer supported, select the profile `{name}` with `--profile {name}`")
}

/// Switches are booleans; some have a table of their own.
fn features(reader: &mut Reader<'_>, tree: &Node) {
    let rows = tree.get("features").and_then(Node::members);
    for (name, node) in rows.unwrap_or_default() {
        if !matches!(node.kind, Kind::Bool(_) | Kind::Table(_)) {
            let field = KeyPath::of(["features", name]);
            reader.wrong_type(node, &field, "a boolean");
        }
    }
}

fn skills(reader: &mut Reader<'_>, tree: &Node) {
    let field = KeyPath::of(["skills"]);
    let (Some(skills), Ok(_)) = (tree.get("skills"), reader.table(tree.get("skills"), &field))
    else {
        return;
    };
    let _ = reader.table(skills.get("bundled"), &field.child("bundled"));
    let _ = reader.flag(skills, &field.child("include_instructions"));
    let Some(rules) = skills.get("config") else {
        return;
    };
    let field = field.child("config");
    let Kind::Array(rules) = &rules.kind else {
        reader.wrong_type(rules, &field, "an array of tables");
        return;
    };
    for (index, rule) in rules.iter().enumerate() {
        let field = field.child(index.to_string());
        if reader.table(Some(rule), &field).is_err() {
            continue;
        }
        let _ = reader.text(rule, &field.child("path"));
        let _ = reader.text(rule, &field.child("name"));
        if let Ok(None) = reader.flag(rule, &field.child("enabled")) {
            let message = "the rule does not say whether it is `enabled`";
            reader.error(ProblemKind::BadValue, rule.mark, &field, message);
        }
    }
}

fn servers(reader: &mut Reader<'_>, tree: &Node) {
    for (field, server) in tables(reader, tree, &KeyPath::of(["mcp_servers"])) {
        let _ = reader.flag(server, &field.child("enabled"));
        let _ = reader.texts(server, &field.child("args"));
        let command = reader.text(server, &field.child("command"));
        let url = reader.text(server, &field.child("url"));
        // A server with neither may have them in another layer.
        if let (Ok(Some(_)), Ok(Some(_))) = (command, url) {
            let message = "a server has either a `command` or a `url`";
            reader.error(ProblemKind::BadValue, server.mark, &field, message);
        }
    }
}

/// What is laid over the servers of a plugin. That they are tables is known already.
fn overlays(reader: &mut Reader<'_>, plugin: &Node, field: &KeyPath) {
    let rows = plugin.get("mcp_servers").and_then(Node::members);
    for (name, server) in rows.unwrap_or_default() {
        let field = field.child(name);
        if server.members().is_none() {
            continue;
        }
        let _ = reader.flag(server, &field.child("enabled"));
        let _ = reader.texts(server, &field.child("enabled_tools"));
        let _ = reader.texts(server, &field.child("disabled_tools"));
        let approval = field.child("default_tools_approval_mode");
        word(reader, server, &approval, &TOOL_APPROVALS);
        for (field, tool) in tables(reader, server, &field.child("tools")) {
            let approval = field.child("approval_mode");
            word(reader, tool, &approval, &TOOL_APPROVALS);
        }
    }
}

#[cfg(test)]
mod tests;
