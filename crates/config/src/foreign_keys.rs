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
const TEXTS: [&str; 5] = [
    "chatgpt_base_url",
    "cli_auth_credentials_store",
    "model",
    "model_provider",
    "model_reasoning_effort",
];
const TRUST_LEVELS: [&str; 2] = ["trusted", "untrusted"];
const SANDBOX_MODES: [&str; 3] = ["read-only", "workspace-write", "danger-full-access"];
const APPROVAL_POLICIES: [&str; 4] = ["untrusted", "on-failure", "on-request", "never"];

/// Notes a problem for every value that the reference would refuse.
///
/// What a reader answers is of no interest here, only what it notes.
pub(crate) fn check(reader: &mut Reader<'_>, tree: &Node) {
    for name in TEXTS {
        let _ = reader.text(tree, &KeyPath::of([name]));
    }
    let _ = reader.table(tree.get("tui"), &KeyPath::of(["tui"]));
    let _ = reader.texts(tree, &KeyPath::of(["notify"]));
    let _ = reader.word(tree, &KeyPath::of(["sandbox_mode"]), &SANDBOX_MODES);
    approval_policy(reader, tree);
    profile(reader, tree);
    tables(reader, tree, &KeyPath::of(["profiles"]));
    for (field, project) in tables(reader, tree, &KeyPath::of(["projects"])) {
        let field = field.child("trust_level");
        let _ = reader.word(project, &field, &TRUST_LEVELS);
    }
    features(reader, tree);
    servers(reader, tree);
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

/// A word, or a table with the one member `granular`.
fn approval_policy(reader: &mut Reader<'_>, tree: &Node) {
    let field = KeyPath::of(["approval_policy"]);
    let Some(node) = tree.get("approval_policy") else {
        return;
    };
    match &node.kind {
        Kind::Text(_) => {
            let _ = reader.word(tree, &field, &APPROVAL_POLICIES);
        }
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

/// The rows themselves and their switches are judged by the reader of the servers.
fn servers(reader: &mut Reader<'_>, tree: &Node) {
    let rows = tree.get("mcp_servers").and_then(Node::members);
    for (name, server) in rows.unwrap_or_default() {
        let field = KeyPath::of(["mcp_servers", name]);
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

#[cfg(test)]
mod tests;
