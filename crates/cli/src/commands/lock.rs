//! `plugd lock` and `plugd sync`, `plugd export` and `plugd import`. The JSON is the result of the
//! method of that name.

use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::args::{ExportArgs, ImportArgs, LockArgs, SyncArgs};
use crate::asked::{self, Question, is_set, items, member};
use crate::escape;
use crate::failure::Failure;
use crate::page::{Form, Page};
use crate::session::Session;
use crate::style::{Paint, Style};

/// What to ask for a lock.
pub(super) fn lock(session: &Session, args: &LockArgs) -> Question {
    let ids = (!args.plugins.is_empty()).then_some(&args.plugins);
    Question {
        method: "plugd/lock",
        params: json!({
            "cwd": session.cwd().to_text(), "path": file(session, args.file.as_deref()),
            "pluginIds": ids, "dryRun": args.dry_run,
        }),
    }
}

/// A path of the command line, as the method takes it.
fn file(session: &Session, path: Option<&Path>) -> Option<String> {
    path.map(|path| session.cwd().join(path).to_text())
}

pub(super) fn locked(result: &Value, style: Style) -> String {
    let would = is_set(result, "dryRun");
    let rows: String = items(result, "changes")
        .filter(|row| is_set(row, "changed"))
        .map(|row| format!("{}\n", block(row, style)))
        .collect();
    let path = escape::line(member(result, "path"));
    if items(result, "changes").next().is_none() {
        return format!("There is nothing to lock; {path} names no plugin.\n");
    }
    let end = match (rows.is_empty(), would) {
        (true, _) => format!("{path} says all that already.\n"),
        (false, true) => format!("{path} would be written.\n"),
        (false, false) => format!("Wrote {path}.\n"),
    };
    format!("{rows}{end}")
}

/// One block that is another one than before.
fn block(row: &Value, style: Style) -> String {
    let (from, to) = (version(row, "from"), version(row, "to"));
    let text = match member(row, "reason") {
        "added" => format!("{to}, new in the lock"),
        "moved" => format!("{from} -> {to}"),
        "replaced" => format!("{to}, from elsewhere or with other content"),
        _ => format!("{from}, no longer in the lock"),
    };
    format!("{} {}", name(row), style.paint(Paint::Text, &text))
}

fn name(row: &Value) -> String {
    match member(row, "pluginId") {
        "" => format!(
            "marketplace {}",
            escape::line(member(row, "marketplaceName"))
        ),
        id => escape::line(id),
    }
}

fn version(row: &Value, key: &str) -> String {
    match member(row, key) {
        "" => "nothing".to_owned(),
        text => escape::line(text),
    }
}

/// Makes the home match. A person is told the plan before anything happens.
pub(super) async fn sync(session: &Session, args: &SyncArgs, form: Form) -> Result<Page, Failure> {
    let question = |dry_run: bool| Question {
        method: "plugd/sync",
        params: json!({
            "cwd": session.cwd().to_text(), "path": file(session, args.file.as_deref()),
            "frozen": args.frozen, "offline": args.offline, "switch": args.switch,
            "dryRun": dry_run,
        }),
    };
    if let (Form::Text { err, .. }, false) = (form, args.dry_run || args.frozen) {
        let plan = asked::result(session, &question(true)).await?;
        // Nobody may be reading, which is no reason to stop.
        let _ = std::io::stderr().write_all(plan_text(&plan, err).as_bytes());
    }
    asked::page(session, question(args.dry_run), form, &synced).await
}

/// What to ask for an archive.
pub(super) fn export(session: &Session, args: &ExportArgs) -> Question {
    let ids = (!args.plugins.is_empty()).then_some(&args.plugins);
    Question {
        method: "plugd/export",
        params: json!({
            "path": file(session, Some(&args.file)), "plugins": ids,
            "lockPath": file(session, args.lock.as_deref()), "force": args.force,
        }),
    }
}

pub(super) fn exported(result: &Value, _: Style) -> String {
    let plugins = items(result, "plugins");
    let mut text: String = plugins
        .map(|row| format!("{} {}\n", name(row), version(row, "version")))
        .collect();
    let path = escape::line(member(result, "path"));
    let bytes = result["bytes"].as_u64().unwrap_or_default();
    let sha256 = escape::line(member(result, "sha256"));
    text.push_str(&format!("Wrote {path} ({bytes} bytes, sha256 {sha256}).\n"));
    text
}

/// Brings what an archive holds. The plan is not asked for first: that would unpack it twice.
pub(super) async fn import(
    session: &Session,
    args: &ImportArgs,
    form: Form,
) -> Result<Page, Failure> {
    let question = |dry_run: bool| Question {
        method: "plugd/import",
        params: json!({
            "path": file(session, Some(&args.file)), "sha256": args.sha256,
            "switch": args.switch, "dryRun": dry_run,
        }),
    };
    asked::page(session, question(args.dry_run), form, &synced).await
}

fn plan_text(plan: &Value, style: Style) -> String {
    let changed = items(plan, "changes").filter(|row| is_set(row, "changed"));
    let rows: String = changed
        .map(|row| format!("  {}\n", step(row, true)))
        .collect();
    match rows.is_empty() {
        true => rows,
        false => format!("{}\n{rows}", style.paint(Paint::Weak, "The plan:")),
    }
}

fn synced(result: &Value, _: Style) -> String {
    let would = is_set(result, "dryRun");
    let all = items(result, "changes").filter(|row| !member(row, "pluginId").is_empty());
    let all = all.count();
    let rows: String = items(result, "changes")
        .filter(|row| is_set(row, "changed"))
        .map(|row| format!("{}\n", step(row, would)))
        .collect();
    let path = escape::line(member(result, "path"));
    match (rows.is_empty(), would) {
        (true, _) => format!("The home matches {path} ({all} plugins).\n"),
        (false, true) => rows,
        (false, false) => format!("{rows}The home matches {path} now.\n"),
    }
}

/// What happens, happened or would happen to one marketplace or plugin.
fn step(row: &Value, would: bool) -> String {
    let (name, to) = (name(row), version(row, "to"));
    let from = version(row, "from");
    let (is, did) = match member(row, "reason") {
        "added" => (
            format!("add {name} from {to}"),
            format!("added {name} from {to}"),
        ),
        "installed" => (
            format!("install {name} {to}"),
            format!("installed {name} {to}"),
        ),
        "moved" => (
            format!("move {name} from {from} to {to}"),
            format!("moved {name} from {from} to {to}"),
        ),
        "replaced" => (
            format!("replace the content of {name} {to}"),
            format!("replaced the content of {name} {to}"),
        ),
        "pinned" => (
            format!("pin {name} to {to}"),
            format!("pinned {name} to {to}"),
        ),
        _ => (format!("switch on {name}"), format!("switched on {name}")),
    };
    match would {
        true => is,
        false => did,
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::{Value, json};

    use super::{locked, plan_text, synced};
    use crate::style::Style;

    fn rows() -> Value {
        let row = |id: &str, from: Option<&str>, to: &str, reason: &str| {
            json!({"pluginId": id, "from": from, "to": to, "reason": reason,
                   "changed": reason != "unchanged"})
        };
        json!([
            {"marketplaceName": "m", "from": null, "to": "./m", "reason": "added", "changed": true},
            row("a@m", None, "1.0.0", "installed"),
            row("b@m", Some("1.0.0"), "2.0.0", "moved"),
            row("c@m", Some("1.0.0"), "1.0.0", "replaced"),
            row("d@m", Some("1.0.0"), "1.0.0", "pinned"),
            row("e@m", Some("1.0.0"), "1.0.0", "unchanged"),
            row("f@m", Some("1.0.0"), "1.0.0", "switchedOn"),
        ])
    }

    #[test]
    fn a_lock_of_nothing_says_so() {
        let result = json!({"path": "/p/plugins.lock", "dryRun": false, "changes": []});
        assert_eq!(
            locked(&result, Style::PLAIN),
            "There is nothing to lock; /p/plugins.lock names no plugin.\n"
        );
    }

    #[test]
    fn a_sync_says_what_it_did_and_a_plan_what_it_will() {
        let result = json!({"path": "/p/plugins.lock", "dryRun": false, "changes": rows()});
        assert_eq!(
            synced(&result, Style::PLAIN),
            "added marketplace m from ./m\ninstalled a@m 1.0.0\nmoved b@m from 1.0.0 to 2.0.0\n\
             replaced the content of c@m 1.0.0\npinned d@m to 1.0.0\nswitched on f@m\n\
             The home matches /p/plugins.lock now.\n"
        );
        let plan = plan_text(&result, Style::PLAIN);
        assert!(
            plan.starts_with("The plan:\n  add marketplace m from ./m\n"),
            "{plan}"
        );
        let nothing = json!({"path": "/p/l", "changes": [rows()[5].clone()]});
        assert_eq!(
            synced(&nothing, Style::PLAIN),
            "The home matches /p/l (1 plugins).\n"
        );
        assert_eq!(plan_text(&nothing, Style::PLAIN), "");
    }

    #[test]
    fn a_lock_says_what_is_new_in_it() {
        let rows = json!([
            {"pluginId": "a@m", "from": null, "to": "1.0.0", "reason": "added", "changed": true},
            {"pluginId": "b@m", "from": "1.0.0", "to": null, "reason": "removed", "changed": true},
            {"pluginId": "c@m", "from": "1", "to": "1", "reason": "unchanged", "changed": false},
        ]);
        let result = json!({"path": "/p/l", "dryRun": false, "changes": rows});
        assert_eq!(
            locked(&result, Style::PLAIN),
            "a@m 1.0.0, new in the lock\nb@m 1.0.0, no longer in the lock\nWrote /p/l.\n"
        );
    }
}
