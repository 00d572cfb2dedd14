//! `plugd plugin versions`, `rollback` and `pin`. The JSON is the result of `plugd/versions`,
//! `plugd/rollback` and `plugd/pin`.

use serde_json::{Value, json};

use crate::args::VersionCommand;
use crate::asked::{Question, is_set, items, member};
use crate::escape;
use crate::style::{Paint, Style};
use crate::table::Table;

/// How much of a commit or digest a person needs.
const SHOWN_DIGITS: usize = 12;

/// How a command's result is shown.
type Shown = fn(&Value, Style) -> String;

pub(super) fn question(command: &VersionCommand) -> (Question, Shown) {
    match command {
        VersionCommand::Versions(args) => (
            Question {
                method: "plugd/versions",
                params: json!({"pluginId": args.plugin}),
            },
            versions,
        ),
        VersionCommand::Rollback(args) => (
            Question {
                method: "plugd/rollback",
                params: json!({
                    "pluginId": args.plugin, "to": args.to, "dryRun": args.dry_run,
                }),
            },
            changes,
        ),
        VersionCommand::Pin(args) => (
            Question {
                method: "plugd/pin",
                params: json!({
                    "pluginId": args.plugin, "version": args.to.version, "commit": args.to.commit,
                    "digest": args.to.digest, "none": args.to.none, "dryRun": args.dry_run,
                }),
            },
            changes,
        ),
    }
}

fn versions(result: &Value, style: Style) -> String {
    let mut table = Table::new(&["PLUGIN", "VERSION", "STATE", "COMMIT", "DIGEST", "BY"]);
    let mut any = false;
    for plugin in items(result, "plugins") {
        for version in items(plugin, "versions") {
            any = true;
            let (state, paint) = match member(version, "state") {
                "installed" => ("installed", Paint::Good),
                _ if is_set(version, "predecessor") => ("kept, the one before", Paint::Text),
                _ => ("kept", Paint::Text),
            };
            let state = match is_set(version, "pinned") {
                true => format!("{state}, pinned"),
                false => state.to_owned(),
            };
            table.row(&[
                (member(plugin, "pluginId"), Paint::Text),
                (member(version, "version"), Paint::Text),
                (&state, paint),
                (&short(member(version, "commit")), Paint::Weak),
                (&short(member(version, "treeDigest")), Paint::Weak),
                (member(version, "by"), Paint::Weak),
            ]);
        }
    }
    match any {
        true => table.render(style),
        false => "Nothing is installed.\n".to_owned(),
    }
}

/// The beginning of a commit or digest, which is enough to name it by.
fn short(text: &str) -> String {
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    hex.chars().take(SHOWN_DIGITS).collect()
}

/// A sentence for each plugin.
fn changes(result: &Value, style: Style) -> String {
    let would = is_set(result, "dryRun");
    let rows = items(result, "changes").map(|row| {
        let id = escape::line(member(row, "pluginId"));
        format!("{id} {}\n", sentence(row, would, style))
    });
    rows.collect()
}

fn sentence(row: &Value, would: bool, style: Style) -> String {
    let version = |name| match row[name].as_str() {
        Some(version) => escape::line(version),
        None => "nothing".to_owned(),
    };
    let (from, to) = (version("from"), version("to"));
    match (member(row, "reason"), would) {
        ("rolledBack", false) => format!("went back from {from} to {to} and is pinned there."),
        ("rolledBack", true) => format!("would go back from {from} to {to} and be pinned there."),
        ("pinned", false) => format!("is pinned to {}.", pinned(row)),
        ("pinned", true) => format!("would be pinned to {}.", pinned(row)),
        ("unpinned", false) => format!("is no longer pinned to {from}."),
        ("unpinned", true) => format!("would no longer be pinned to {from}."),
        _ => style.paint(Paint::Weak, "is as it was to be.").to_string(),
    }
}

/// What a pin holds, as far as it goes.
fn pinned(row: &Value) -> String {
    let pin = &row["pin"];
    let mut text = escape::line(member(pin, "version"));
    for (word, name) in [("commit", "commit"), ("content", "digest")] {
        let value = short(member(pin, name));
        if !value.is_empty() {
            text.push_str(&format!(", {word} {}", escape::line(&value)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::{Value, json};

    use super::{changes, versions};
    use crate::style::Style;

    #[test]
    fn versions_are_a_table() {
        let result = json!({"plugins": [{"pluginId": "hello@demo", "versions": [
            {"version": "2.0.0", "state": "installed", "pinned": false, "predecessor": false,
             "commit": null, "treeDigest": "sha256:0123456789abcdef", "by": "refresh"},
            {"version": "1.0.0", "state": "kept", "pinned": true, "predecessor": true,
             "commit": "abcdef0123456789", "treeDigest": null, "by": null},
        ]}], "problems": []});
        assert_eq!(
            versions(&result, Style::PLAIN),
            "PLUGIN      VERSION  STATE                         COMMIT        DIGEST        BY\n\
             hello@demo  2.0.0    installed                                   0123456789ab  refresh\n\
             hello@demo  1.0.0    kept, the one before, pinned  abcdef012345\n"
        );
        let nothing = json!({"plugins": [], "problems": []});
        assert_eq!(versions(&nothing, Style::PLAIN), "Nothing is installed.\n");
    }

    #[test]
    fn each_change_is_a_sentence() {
        #[track_caller]
        fn check(dry_run: bool, row: Value, expected: &str) {
            let result = json!({"dryRun": dry_run, "changes": [row]});
            let expected = format!("hello@demo {expected}\n");
            assert_eq!(changes(&result, Style::PLAIN), expected);
        }
        let row = |reason: &str| {
            json!({"pluginId": "hello@demo", "from": "2.0.0", "to": "1.0.0", "reason": reason,
                "pin": {"version": "1.0.0", "commit": null, "digest": "sha256:0123456789abcdef"}})
        };
        check(
            false,
            row("rolledBack"),
            "went back from 2.0.0 to 1.0.0 and is pinned there.",
        );
        check(
            true,
            row("rolledBack"),
            "would go back from 2.0.0 to 1.0.0 and be pinned there.",
        );
        check(
            false,
            row("pinned"),
            "is pinned to 1.0.0, content 0123456789ab.",
        );
        check(false, row("unpinned"), "is no longer pinned to 2.0.0.");
        check(false, row("current"), "is as it was to be.");
    }
}
