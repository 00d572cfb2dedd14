//! `plugd link` and `plugd unlink`. The JSON is the result of the method.

use plugd_model::PluginId;
use serde_json::{Value, json};

use crate::args::{LinkArgs, UnlinkArgs};
use crate::asked::{Question, is_set, items, member};
use crate::escape;
use crate::session::Session;
use crate::style::Style;

pub(super) fn link(session: &Session, args: &LinkArgs) -> Question {
    let LinkArgs {
        path,
        plugin,
        dry_run,
    } = args;
    Question {
        method: "plugd/link",
        params: json!({
            "path": session.cwd().join(path).to_text(),
            "pluginId": plugin,
            "dryRun": dry_run,
        }),
    }
}

/// Whatever is no id is a directory.
pub(super) fn unlink(session: &Session, args: &UnlinkArgs) -> Question {
    let UnlinkArgs { what, dry_run } = args;
    let is_id = what
        .to_str()
        .is_some_and(|text| PluginId::parse(text).is_ok());
    let path = (!is_id).then(|| session.cwd().join(what).to_text());
    Question {
        method: "plugd/unlink",
        params: json!({
            "pluginId": is_id.then(|| what.to_string_lossy()),
            "path": path,
            "dryRun": dry_run,
        }),
    }
}

/// A line for each link that is another than before, and what to do next.
pub(super) fn changes(result: &Value, _: Style) -> String {
    let is_dry = is_set(result, "dryRun");
    let mut text = String::new();
    for change in items(result, "changes") {
        let (id, from, to) = (
            member(change, "pluginId"),
            member(change, "from"),
            member(change, "to"),
        );
        let line = match (is_set(change, "changed"), is_dry, to.is_empty()) {
            (false, _, _) => format!("`{id}` is linked to {to} already."),
            (true, false, false) => format!("Linked `{id}` to {to}."),
            (true, true, false) => format!("Would link `{id}` to {to}."),
            (true, false, true) => format!("Unlinked `{id}` from {from}."),
            (true, true, true) => format!("Would unlink `{id}` from {from}."),
        };
        text.push_str(&escape::line(&line));
        text.push('\n');
    }
    text
}
