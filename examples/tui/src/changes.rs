//! What the daemon answers of versions, in words for a person.

use plugd_rust_client::protocol::{
    PlugdInspectionCategory, PlugdInspectionChange, PlugdVersionChange, PlugdVersionReason,
};

use crate::state::Agreed;

/// A sentence about what became of a plugin.
pub(crate) fn said(change: Option<&PlugdVersionChange>) -> String {
    let Some(change) = change else {
        return "nothing was changed".to_owned();
    };
    let id = &change.plugin_id;
    let (from, to) = (shown(change.from.as_ref()), shown(change.to.as_ref()));
    match change.reason {
        PlugdVersionReason::Current => format!("{id} is what it was to be"),
        PlugdVersionReason::RolledBack => format!("{id} is back at {to}, and stays there"),
        PlugdVersionReason::HeldByPin => format!("{id} is pinned to {from}; there is {to}"),
        _ if change.changed => format!("updated {id} from {from} to {to}"),
        _ => match change.problems.first() {
            Some(problem) => problem.message.clone(),
            None => format!("{id} stays at {from}"),
        },
    }
}

fn shown(version: Option<&String>) -> &str {
    version.map_or("nothing", |version| version)
}

/// What somebody has to agree to, if anything.
pub(crate) fn asks(change: &PlugdVersionChange) -> Option<Agreed> {
    if change.reason != PlugdVersionReason::NeedsConfirmation {
        return None;
    }
    let grew = change.grew.iter().flatten().map(line);
    // What could not be looked at has to be agreed to as well.
    let unseen = change
        .problems
        .iter()
        .map(|problem| problem.message.clone());
    Some(Agreed {
        version: shown(change.to.as_ref()).to_owned(),
        digest: change.to_digest.clone()?,
        grew: grew.chain(unseen).collect(),
    })
}

fn line(change: &PlugdInspectionChange) -> String {
    let what = match change.category {
        PlugdInspectionCategory::McpServer => "MCP server",
        PlugdInspectionCategory::Hook => "hook",
        PlugdInspectionCategory::App => "app",
        PlugdInspectionCategory::Executable => "program",
        PlugdInspectionCategory::Environment => "variable",
        PlugdInspectionCategory::HiddenCharacters => "hidden characters",
        _ => "other",
    };
    let does = change.to.as_deref().unwrap_or_default();
    let new = if change.from.is_none() {
        "new"
    } else {
        "other"
    };
    // A text of the plugin must not look like another line of the question.
    format!("{new} {what} {}: {does}", change.name).replace(char::is_control, " ")
}
