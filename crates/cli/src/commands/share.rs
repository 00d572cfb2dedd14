//! `plugd plugin share`. The JSON is the result of `plugin/share/…`.

use serde_json::{Value, json};

use crate::args::{ShareCommand, Target, Visibility};
use crate::asked::{Question, items, member};
use crate::escape;
use crate::session::Session;
use crate::style::{Paint, Style};
use crate::table::Table;

/// What to ask, and how to show the answer.
pub(super) fn question(
    session: &Session,
    command: &ShareCommand,
) -> (Question, fn(&Value, Style) -> String) {
    let of = |id: &str| json!({"remotePluginId": id});
    match command {
        ShareCommand::Save(args) => {
            let mut params = json!({"pluginPath": session.cwd().join(&args.path).to_text()});
            if let Some(id) = &args.id {
                params["remotePluginId"] = json!(id);
            }
            if let Some(visibility) = args.visibility {
                params["discoverability"] = json!(Visibility::from(visibility).word());
            }
            if !args.with.is_empty() {
                params["shareTargets"] = targets(&args.with);
            }
            (ask("plugin/share/save", params), saved)
        }
        ShareCommand::List => (ask("plugin/share/list", json!({})), list),
        ShareCommand::Update(args) => {
            let mut params = of(&args.id);
            params["discoverability"] = json!(args.visibility.word());
            params["shareTargets"] = targets(&args.with);
            (ask("plugin/share/updateTargets", params), updated)
        }
        ShareCommand::Checkout(args) => (ask("plugin/share/checkout", of(&args.id)), checked_out),
        ShareCommand::Delete(args) => (ask("plugin/share/delete", of(&args.id)), deleted),
    }
}

fn ask(method: &'static str, params: Value) -> Question {
    Question { method, params }
}

fn targets(with: &[Target]) -> Value {
    let rows = with.iter();
    rows.map(|one| json!({"principalType": one.kind, "principalId": one.id, "role": one.role}))
        .collect()
}

fn saved(result: &Value, style: Style) -> String {
    let id = escape::line(member(result, "remotePluginId"));
    let url = escape::line(member(result, "shareUrl"));
    let mut text = format!("Shared as `{id}`: {url}\n");
    for file in items(result, "leftOut") {
        let path = escape::line(member(file, "path"));
        let reason = escape::line(member(file, "reason"));
        let label = style.paint(Paint::Warning, "Left out");
        text.push_str(&format!("{label}: {path} ({reason})\n"));
    }
    text
}

fn list(result: &Value, style: Style) -> String {
    let mut table = Table::new(&["ID", "PLUGIN", "VISIBILITY", "HERE"]);
    let mut any = false;
    for share in items(result, "data") {
        any = true;
        let plugin = &share["plugin"];
        let context = &plugin["shareContext"];
        table.row(&[
            (member(context, "remotePluginId"), Paint::Text),
            (member(plugin, "name"), Paint::Text),
            (member(context, "discoverability"), Paint::Text),
            (member(share, "localPluginPath"), Paint::Weak),
        ]);
    }
    match any {
        true => table.render(style),
        false => "Nothing is shared.\n".to_owned(),
    }
}

fn updated(result: &Value, _: Style) -> String {
    let visibility = escape::line(member(result, "discoverability"));
    let mut text = format!("The share is {visibility} now.\n");
    for principal in items(result, "principals") {
        let name = escape::line(member(principal, "name"));
        let role = escape::line(member(principal, "role"));
        text.push_str(&format!("  {name} ({role})\n"));
    }
    text
}

fn checked_out(result: &Value, _: Style) -> String {
    let verb = match result["changed"].as_bool() {
        Some(false) => "is there already",
        _ => "is checked out",
    };
    let id = escape::line(member(result, "pluginId"));
    let path = escape::line(member(result, "pluginPath"));
    format!("`{id}` {verb}: {path}\n")
}

fn deleted(_: &Value, _: Style) -> String {
    "The share is withdrawn.\n".to_owned()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::{checked_out, list, saved, updated};
    use crate::style::Style;

    #[test]
    fn what_was_left_out_of_a_share_is_told() {
        let result = json!({
            "remotePluginId": "plugins~1", "shareUrl": "https://example.invalid/s",
            "leftOut": [{"path": ".env", "reason": "secret"}],
        });
        assert_eq!(
            saved(&result, Style::PLAIN),
            "Shared as `plugins~1`: https://example.invalid/s\nLeft out: .env (secret)\n"
        );
    }

    #[test]
    fn shares_are_a_table() {
        assert_eq!(
            list(&json!({"data": []}), Style::PLAIN),
            "Nothing is shared.\n"
        );
        let result = json!({"data": [{"localPluginPath": "/p", "plugin": {
            "name": "hello", "shareContext": {"remotePluginId": "r1", "discoverability": "LISTED"},
        }}]});
        assert_eq!(
            list(&result, Style::PLAIN),
            "ID  PLUGIN  VISIBILITY  HERE\nr1  hello   LISTED      /p\n"
        );
    }

    #[test]
    fn the_others_are_sentences() {
        let result = json!({
            "discoverability": "PRIVATE", "principals": [{"name": "Ann", "role": "editor"}],
        });
        let expected = "The share is PRIVATE now.\n  Ann (editor)\n";
        assert_eq!(updated(&result, Style::PLAIN), expected);
        let result = json!({"pluginId": "a@b", "pluginPath": "/p", "changed": false});
        let expected = "`a@b` is there already: /p\n";
        assert_eq!(checked_out(&result, Style::PLAIN), expected);
    }
}
