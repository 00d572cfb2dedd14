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

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::said;

    #[test]
    fn what_became_of_a_version_is_a_sentence() {
        #[track_caller]
        fn check(reason: &str, changed: bool, expected: &str) {
            let row = json!({
                "pluginId": "a@m", "from": "1.0.0", "to": "2.0.0", "changed": changed,
                "reason": reason, "fromCommit": null, "toCommit": null, "fromDigest": null,
                "toDigest": null, "pin": null, "problems": [],
            });
            assert_eq!(said(Some(&serde_json::from_value(row).unwrap())), expected);
        }
        check("newer", true, "updated a@m from 1.0.0 to 2.0.0");
        check("current", false, "a@m is what it was to be");
        check("heldByPin", false, "a@m is pinned to 1.0.0; there is 2.0.0");
        check("rolledBack", true, "a@m is back at 2.0.0, and stays there");
        check("policy", false, "a@m stays at 1.0.0");
        assert_eq!(said(None), "nothing was changed");
    }
}
