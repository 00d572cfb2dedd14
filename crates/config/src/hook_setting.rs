//! The `[hooks.state]` table: which hooks are switched off, and which declaration and content of a
//! hook the user has trusted.
//!
//! It is read from the user's layers and the session only, member by member: a project that could
//! trust its own hooks would make trust worthless. What the hashes are compared with is not known
//! here.

use plugd_model::ProblemKind;

use crate::KeyPath;
use crate::layer::Origin;
use crate::reader::{Reader, Spoiled};
use crate::tree::Node;

/// What the user has decided about one hook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookState {
    /// The key of the hook, as listings show it.
    pub key: String,
    /// Whether it is switched on; a row that does not say is on.
    pub enabled: bool,
    /// The hash of the declaration that was trusted.
    pub trusted_hash: Option<String>,
    /// The hash of the content that was trusted; without one any content is.
    pub trusted_content_hash: Option<String>,
    /// The highest layer that speaks of it.
    pub origin: Origin,
}

const STATES: [&str; 2] = ["hooks", "state"];

/// Reads all rows in the order of the layers and files. A bad one becomes a problem and is not
/// there: a hook without a row does not run.
pub(crate) fn read(reader: &mut Reader<'_>, merged: &Node) -> Vec<HookState> {
    let hooks = merged.get("hooks");
    if reader.table(hooks, &KeyPath::of(["hooks"])).is_err() {
        return Vec::new();
    }
    let field = KeyPath::of(STATES);
    let rows = reader.table(hooks.and_then(|hooks| hooks.get("state")), &field);
    let rows = rows.unwrap_or_default().iter();
    rows.filter_map(|(key, node)| state(reader, key, node, &field.child(key)).ok())
        .collect()
}

fn state(
    reader: &mut Reader<'_>,
    key: &str,
    node: &Node,
    field: &KeyPath,
) -> Result<HookState, Spoiled> {
    reader.table(Some(node), field)?;
    // All members are read before the first error counts, so that each bad one is reported.
    let enabled = reader.flag(node, &field.child("enabled"));
    let trusted_hash = reader.text(node, &field.child("trusted_hash"));
    let trusted_content_hash = reader.text(node, &field.child("trusted_content_hash"));
    Ok(HookState {
        key: key.to_owned(),
        enabled: enabled?.unwrap_or(true),
        trusted_hash: trusted_hash?,
        trusted_content_hash: trusted_content_hash?,
        origin: reader.stack.origin(node.mark),
    })
}

/// Says of a layer whose states are not read that it has some.
pub(crate) fn note_unread(reader: &mut Reader<'_>, tree: &Node) {
    if let Some(node) = tree.at(&STATES) {
        let message = "the state of hooks is read from the user's configuration only";
        reader.warning(
            ProblemKind::UnknownField,
            node.mark,
            &KeyPath::of(STATES),
            message,
        );
    }
}

#[cfg(test)]
mod tests;
