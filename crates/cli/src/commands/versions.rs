//! `plugd plugin versions`, `outdated`, `update`, `rollback` and `pin`. The JSON is the result of the
//! method of that name.

use serde_json::{Value, json};

use super::approvals;
use crate::args::VersionCommand;
use crate::asked::{self, Question, is_set, items, member};
use crate::escape;
use crate::failure::Failure;
use crate::page::{Form, Page};
use crate::session::Session;
use crate::style::{Paint, Style};
use crate::table::Table;

/// How much of a commit or digest a person needs.
const SHOWN_DIGITS: usize = 12;

/// How a command's result is shown.
type Shown = fn(&Value, Style) -> String;

pub(super) async fn run(
    session: &Session,
    command: &VersionCommand,
    form: Form,
) -> Result<Page, Failure> {
    let (question, text) = question(command);
    asked::judged(session, question, form, &text, lacks).await
}

/// Why a script should look at the answer.
fn lacks(result: &Value) -> Option<&'static str> {
    let any = |reason: &str| items(result, "changes").any(|row| member(row, "reason") == reason);
    if any("failed") {
        Some("not every plugin could be looked at or brought")
    } else if any("needsConfirmation") {
        Some("a plugin that could do more than before waits to be confirmed")
    } else if any("approvalNeeded") || any("commitTooYoung") {
        Some("a plugin waits to be approved, or to grow older")
    } else {
        None
    }
}

fn question(command: &VersionCommand) -> (Question, Shown) {
    match command {
        VersionCommand::Versions(args) => (
            Question {
                method: "plugd/versions",
                params: json!({"pluginId": args.plugin}),
            },
            versions,
        ),
        VersionCommand::Outdated(args) => (
            Question {
                method: "plugd/outdated",
                params: json!({"pluginId": args.plugin}),
            },
            outdated,
        ),
        VersionCommand::Update(args) => (
            Question {
                method: "plugd/update",
                params: json!({
                    "pluginId": args.plugin, "dryRun": args.dry_run,
                    "confirm": args.confirm.then_some("capabilities"),
                    "confirmed": args.confirmed,
                }),
            },
            changes,
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
        VersionCommand::Approve(args) => (
            Question {
                method: "plugd/approve",
                params: json!({
                    "pluginId": args.plugin, "digest": args.digest, "anyAge": args.any_age,
                    "revoke": args.revoke,
                    // What was not shown cannot be approved, so it is shown.
                    "dryRun": args.dry_run || (args.digest.is_none() && !args.revoke),
                    "by": "plugd",
                }),
            },
            approvals::text,
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

/// What everything is when there is nothing to tell.
const CURRENT: &str = "Everything is what its source has.\n";

fn outdated(result: &Value, style: Style) -> String {
    let mut table = Table::new(&["PLUGIN", "INSTALLED", "AVAILABLE", "WHY"]);
    let mut any = false;
    for row in items(result, "changes") {
        let (why, paint) = match member(row, "reason") {
            "current" => continue,
            "newer" => ("a newer version", Paint::Good),
            "older" => ("an older version", Paint::Warning),
            "content" => ("other content", Paint::Good),
            "heldByPin" => ("held by its pin", Paint::Weak),
            "noSource" => ("nothing offers it", Paint::Warning),
            "approvalNeeded" => ("waits to be approved", Paint::Warning),
            "commitTooYoung" => ("has to grow older", Paint::Warning),
            "policy" => ("its marketplace forbids it", Paint::Warning),
            "drift" => ("changed by another program", Paint::Warning),
            "failed" => ("cannot be told", Paint::Error),
            _ => ("another version", Paint::Good),
        };
        any = true;
        let to = match row["to"].as_str() {
            Some(version) => version.to_owned(),
            None => short(member(row, "toCommit")),
        };
        table.row(&[
            (member(row, "pluginId"), Paint::Text),
            (member(row, "from"), Paint::Text),
            (&to, Paint::Text),
            (why, paint),
        ]);
    }
    match any {
        true => table.render(style),
        false => CURRENT.to_owned(),
    }
}

/// A sentence for each plugin, and below it what it could do that it could not before.
fn changes(result: &Value, style: Style) -> String {
    let would = is_set(result, "dryRun");
    let rows: Vec<&Value> = items(result, "changes").collect();
    let alone = rows.len() == 1;
    let mut text = String::new();
    for row in rows {
        if member(row, "reason") == "current" && !alone {
            continue;
        }
        let id = escape::line(member(row, "pluginId"));
        text.push_str(&format!("{id} {}\n", sentence(row, would, style)));
        text.extend(items(row, "grew").map(grown));
        if member(row, "reason") == "needsConfirmation" {
            let digest = escape::line(member(row, "toDigest"));
            text.push_str(&format!(
                "  to bring it: plugd plugin update {id} --confirm --confirmed {digest}\n"
            ));
        }
    }
    match text.is_empty() {
        true => CURRENT.to_owned(),
        false => text,
    }
}

/// One capability that is new, or is something else.
pub(super) fn grown(row: &Value) -> String {
    let what = match member(row, "category") {
        "mcpServer" => "MCP server",
        "hiddenCharacters" => "hidden characters",
        other => other,
    };
    let (name, to) = (
        escape::line(member(row, "name")),
        escape::line(member(row, "to")),
    );
    let new = match row["from"].as_str() {
        None => "new",
        Some(_) => "other",
    };
    match to.is_empty() {
        true => format!("  {new} {what} {name}\n"),
        false => format!("  {new} {what} {name}: {to}\n"),
    }
}

fn sentence(row: &Value, would: bool, style: Style) -> String {
    let version = |name: &str, commit: &str| match (row[name].as_str(), row[commit].as_str()) {
        (Some(version), _) => escape::line(version),
        (None, Some(commit)) => format!("commit {}", escape::line(&short(commit))),
        (None, None) => "nothing".to_owned(),
    };
    let (from, to) = (version("from", "fromCommit"), version("to", "toCommit"));
    match (member(row, "reason"), would) {
        ("rolledBack", false) => format!("went back from {from} to {to} and is pinned there."),
        ("rolledBack", true) => format!("would go back from {from} to {to} and be pinned there."),
        ("pinned", false) => format!("is pinned to {}.", pinned(row)),
        ("pinned", true) => format!("would be pinned to {}.", pinned(row)),
        ("unpinned", false) => format!("is no longer pinned to {from}."),
        ("unpinned", true) => format!("would no longer be pinned to {from}."),
        ("heldByPin", _) if row["to"].is_null() && row["toCommit"].is_null() => {
            format!("stays at {from}, where it is pinned; its source cannot be asked.")
        }
        ("heldByPin", _) => format!("stays at {from}, where it is pinned; there is {to}."),
        ("needsConfirmation", _) => format!("stays at {from}: {to} could do more."),
        ("approvalNeeded" | "commitTooYoung", _) => {
            format!("stays at {from}: {to} may not come yet.")
        }
        ("noSource", _) => format!("stays at {from}: nothing offers it."),
        ("policy", _) => format!("stays at {from}: its marketplace hands it out no more."),
        ("drift", _) => format!("stays at {from}: another program has changed it."),
        ("failed", _) => style
            .paint(Paint::Error, "could not be looked at.")
            .to_string(),
        ("current", _) => style.paint(Paint::Weak, "needs no change.").to_string(),
        ("content", false) => format!("has other content of {to}."),
        ("content", true) => format!("would get other content of {to}."),
        (_, false) => format!("went from {from} to {to}."),
        (_, true) => format!("would go from {from} to {to}."),
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

    use super::{changes, lacks, outdated, versions};
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
        check(false, row("current"), "needs no change.");
        check(false, row("newer"), "went from 2.0.0 to 1.0.0.");
        check(true, row("other"), "would go from 2.0.0 to 1.0.0.");
        check(false, row("content"), "has other content of 1.0.0.");
        check(
            false,
            row("heldByPin"),
            "stays at 2.0.0, where it is pinned; there is 1.0.0.",
        );
        let mut gone = row("heldByPin");
        (gone["to"], gone["toCommit"]) = (Value::Null, Value::Null);
        check(
            false,
            gone,
            "stays at 2.0.0, where it is pinned; its source cannot be asked.",
        );
        let mut asks = row("needsConfirmation");
        asks["toDigest"] = json!("sha256:ab");
        asks["grew"] = json!([
            {"category": "hook", "name": "stop", "from": null, "to": "echo"},
            {"category": "environment", "name": "TOKEN", "from": null, "to": ""},
        ]);
        check(
            false,
            asks,
            "stays at 2.0.0: 1.0.0 could do more.\n  new hook stop: echo\n  \
             new environment TOKEN\n  \
             to bring it: plugd plugin update hello@demo --confirm --confirmed sha256:ab",
        );
    }

    #[test]
    fn what_is_current_is_told_once() {
        let row = |id: &str| json!({"pluginId": id, "reason": "current", "from": "1"});
        let result = json!({"dryRun": false, "changes": [row("a@m"), row("b@m")]});
        let told = "Everything is what its source has.\n";
        assert_eq!(changes(&result, Style::PLAIN), told);
        assert_eq!(outdated(&result, Style::PLAIN), told);
    }

    #[test]
    fn what_is_outdated_is_a_table() {
        let result = json!({"changes": [
            {"pluginId": "a@m", "reason": "current", "from": "1", "to": "1"},
            {"pluginId": "b@m", "reason": "newer", "from": "1.0.0", "to": "2.0.0"},
            {"pluginId": "c@m", "reason": "content", "from": "1.0.0", "to": null,
             "toCommit": "abcdef0123456789"},
        ]});
        assert_eq!(
            outdated(&result, Style::PLAIN),
            "PLUGIN  INSTALLED  AVAILABLE     WHY\n\
             b@m     1.0.0      2.0.0         a newer version\n\
             c@m     1.0.0      abcdef012345  other content\n"
        );
    }

    #[test]
    fn a_script_hears_of_what_was_not_done() {
        let result = |reason: &str| json!({"changes": [{"reason": reason}]});
        for fine in ["current", "newer", "heldByPin", "noSource"] {
            assert_eq!(lacks(&result(fine)), None);
        }
        assert!(lacks(&result("failed")).is_some());
        assert!(lacks(&result("needsConfirmation")).is_some());
    }
}
