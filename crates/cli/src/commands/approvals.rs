//! The text of `plugd plugin approve`.

use serde_json::Value;

use super::versions::grown;
use crate::asked::{is_set, items, member};
use crate::escape;
use crate::style::{Paint, Style};
use crate::table::Table;

pub(super) fn text(result: &Value, style: Style) -> String {
    let would = is_set(result, "dryRun");
    let mut changes = items(result, "changes").peekable();
    if changes.peek().is_none() {
        return list(result, style);
    }
    changes.map(|row| change(row, would)).collect()
}

/// One sentence, and below it what would run.
fn change(row: &Value, would: bool) -> String {
    let id = escape::line(member(row, "pluginId"));
    let (from, to) = (member(row, "from"), member(row, "to"));
    let digest = escape::line(if to.is_empty() { from } else { to });
    let was_shown = row.get("wouldRun").is_some();
    let sentence = match (member(row, "reason"), would) {
        ("unchanged", _) => format!("{id} is approved as {digest}"),
        ("revoked", true) => format!("{id} would not be approved as {digest} any more"),
        ("revoked", false) => format!("{id} is not approved as {digest} any more"),
        (_, true) if was_shown => format!("{id} is not approved as {digest}"),
        (_, true) => format!("{id} would be approved as {digest}"),
        (_, false) => format!("{id} is approved as {digest} now"),
    };
    let mut text = format!("{sentence}\n");
    text.extend(items(row, "wouldRun").map(grown));
    let unseen = items(row, "unseen").filter_map(Value::as_str);
    text.extend(
        unseen.map(|file| format!("  nobody can say what {} would run\n", escape::line(file))),
    );
    if was_shown && is_set(row, "changed") {
        text.push_str(&format!(
            "  to approve exactly this: plugd plugin approve {id} --digest {digest}\n"
        ));
    }
    text
}

/// What is approved, and what waits.
fn list(result: &Value, style: Style) -> String {
    let mut table = Table::new(&["PLUGIN", "APPROVED", "FROM", "BY"]);
    let mut any = false;
    for row in items(result, "approvals") {
        any = true;
        let digest = match is_set(row, "anyAge") {
            true => format!("{}, at any age", member(row, "digest")),
            false => member(row, "digest").to_owned(),
        };
        table.row(&[
            (member(row, "pluginId"), Paint::Text),
            (&digest, Paint::Good),
            (member(row, "source"), Paint::Weak),
            (member(row, "by"), Paint::Weak),
        ]);
    }
    let mut text = match any {
        true => table.render(style),
        false => "Nothing is approved.\n".to_owned(),
    };
    for row in items(result, "waiting") {
        let problem = member(&row["problem"], "message");
        let id = escape::line(member(row, "pluginId"));
        text.push_str(&format!("{id} waits: {}\n", escape::line(problem)));
    }
    text
}
