//! What a host loads: `plugd skills`, `hooks`, `components`, `mentions`, `instructions`. The JSON is
//! the result of the method of the same name.

use plugd_disk::Kind;
use serde_json::{Value, json};

use crate::args::{InstructionsArgs, MentionsArgs, PlaceArgs};
use crate::asked::{Question, is_set, items, member};
use crate::escape;
use crate::failure::{Failure, hint_line};
use crate::session::Session;
use crate::style::{Paint, Style};
use crate::suggest;
use crate::table::Table;

/// The directory to look from. A client may ask about one that is not there yet; somebody who types
/// one has made a mistake, and an empty list would hide it.
///
/// # Errors
/// There is no such directory.
pub(super) fn cwd(session: &Session, place: &PlaceArgs) -> Result<String, Failure> {
    let Some(given) = &place.cwd else {
        return Ok(session.cwd().to_text());
    };
    let cwd = session.cwd().join(given);
    let stamp = session.lookup.disk().stamp(&cwd);
    let is_dir = stamp.is_ok_and(|stamp| stamp.is_some_and(|stamp| stamp.kind == Kind::Dir));
    match is_dir {
        true => Ok(cwd.to_text()),
        false => Err(plugd_plugins::Error::BadValue {
            field: "cwd",
            reason: format!("`{cwd}` is no directory"),
        }
        .into()),
    }
}

pub(super) fn skills(session: &Session, place: &PlaceArgs) -> Result<Question, Failure> {
    Ok(Question {
        method: "skills/list",
        params: json!({"cwds": [cwd(session, place)?]}),
    })
}

pub(super) fn skill_rows(result: &Value, style: Style) -> String {
    let mut table = Table::new(&["SKILL", "STATUS", "SCOPE", "DESCRIPTION"]);
    let mut errors = String::new();
    let mut any = false;
    for entry in items(result, "data") {
        for skill in items(entry, "skills") {
            any = true;
            let (status, paint) = switch(is_set(skill, "enabled"));
            table.row(&[
                (member(skill, "name"), Paint::Text),
                (status, paint),
                (member(skill, "scope"), Paint::Weak),
                (member(skill, "description"), Paint::Weak),
            ]);
        }
        errors.push_str(&broken(entry, style));
    }
    let table = match any {
        true => table.render(style),
        false => "No skills found.\n".to_owned(),
    };
    table + &errors
}

/// The files of a list that could not be read.
fn broken(entry: &Value, style: Style) -> String {
    let rows = items(entry, "errors").map(|error| {
        let path = escape::line(member(error, "path"));
        let message = escape::line(member(error, "message"));
        let label = style.paint(Paint::Error, "Cannot be used");
        format!("{label}: {path}: {message}\n")
    });
    rows.collect()
}

pub(super) fn switch(enabled: bool) -> (&'static str, Paint) {
    match enabled {
        true => ("enabled", Paint::Good),
        false => ("disabled", Paint::Warning),
    }
}

pub(super) fn hooks(session: &Session, place: &PlaceArgs) -> Result<Question, Failure> {
    Ok(Question {
        method: "hooks/list",
        params: json!({"cwds": [cwd(session, place)?]}),
    })
}

pub(super) fn hook_rows(result: &Value, style: Style) -> String {
    let mut table = Table::new(&["EVENT", "STATUS", "TRUST", "PLUGIN", "RUNS"]);
    let mut errors = String::new();
    let mut any = false;
    for entry in items(result, "data") {
        for hook in items(entry, "hooks") {
            any = true;
            let (status, paint) = switch(is_set(hook, "enabled"));
            let runs = ["command", "tool", "handlerType"].iter();
            let mut runs = runs.filter_map(|name| hook[*name].as_str());
            table.row(&[
                (member(hook, "eventName"), Paint::Text),
                (status, paint),
                (member(hook, "trustStatus"), Paint::Text),
                (member(hook, "pluginId"), Paint::Text),
                (runs.next().unwrap_or_default(), Paint::Weak),
            ]);
        }
        errors.push_str(&broken(entry, style));
    }
    let table = match any {
        true => table.render(style),
        false => "No hooks found.\n".to_owned(),
    };
    table + &errors
}

pub(super) fn components(session: &Session, place: &PlaceArgs) -> Result<Question, Failure> {
    Ok(Question {
        method: "plugd/components",
        params: json!({"cwd": cwd(session, place)?}),
    })
}

pub(super) fn component_rows(result: &Value, style: Style) -> String {
    let mut table = Table::new(&["KIND", "NAME", "PLUGIN", "STATUS"]);
    let mut any = false;
    let kinds = [
        ("plugin", "plugins", "displayName"),
        ("skill", "skills", "name"),
        ("MCP server", "mcpServers", "name"),
        ("hook", "hooks", "eventName"),
        ("app", "apps", "label"),
    ];
    for (kind, list, name) in kinds {
        for one in items(result, list) {
            any = true;
            let (status, paint) = match one["enabled"].as_bool() {
                Some(true) if one["runs"] == false => (held_back(one), Paint::Warning),
                Some(enabled) => switch(enabled),
                None if one["linked"].is_object() => ("linked", Paint::Good),
                None => ("", Paint::Text),
            };
            table.row(&[
                (kind, Paint::Text),
                (member(one, name), Paint::Text),
                (member(one, "pluginId"), Paint::Weak),
                (status, paint),
            ]);
        }
    }
    match any {
        true => table.render(style),
        false => "Nothing to load.\n".to_owned(),
    }
}

/// Why a hook that is switched on does not run.
fn held_back(hook: &Value) -> &str {
    match member(hook, "trustStatus") {
        trust @ ("untrusted" | "modified") => trust,
        _ => "held back",
    }
}

pub(super) fn mentions(session: &Session, args: &MentionsArgs) -> Result<Question, Failure> {
    Ok(Question {
        method: "plugd/mentions",
        params: json!({"text": args.text, "cwd": cwd(session, &args.place)?}),
    })
}

pub(super) fn mentioned(result: &Value, style: Style) -> String {
    let mut text = String::new();
    for mention in items(result, "mentions") {
        let id = escape::line(member(mention, "pluginId"));
        text.push_str(&style.paint(Paint::Heading, &id));
        text.push('\n');
        text.push_str(&escape::paragraph(member(mention, "text"), "  "));
    }
    for unknown in items(result, "unknown") {
        let mention = escape::line(member(unknown, "mention"));
        let message = escape::line(member(unknown, "message"));
        text.push_str(&style.paint(Paint::Warning, &format!("{mention}: {message}")));
        text.push('\n');
        let candidates = items(unknown, "candidates").filter_map(Value::as_str);
        let candidates = candidates.map(str::to_owned).collect();
        if let Some(hint) = suggest::did_you_mean(candidates) {
            text.push_str(&hint_line(&hint, style));
        }
    }
    if text.is_empty() {
        return "No plugin is mentioned.\n".to_owned();
    }
    text
}

pub(super) fn instructions(
    session: &Session,
    args: &InstructionsArgs,
) -> Result<Question, Failure> {
    Ok(Question {
        method: "plugd/instructions",
        params: json!({"budget": args.budget, "cwd": cwd(session, &args.place)?}),
    })
}

pub(super) fn instruction_text(result: &Value, _: Style) -> String {
    escape::paragraph(member(result, "text"), "")
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;
    use serde_json::json;

    use super::{component_rows, hook_rows, mentioned, skill_rows};
    use crate::style::Style;

    #[test]
    fn skills_and_what_is_broken() {
        let result = json!({"data": [{
            "skills": [{"name": "greet", "enabled": false, "scope": "user", "description": "hi"}],
            "errors": [{"path": "/s/SKILL.md", "message": "no name"}],
        }]});
        assert_eq!(
            skill_rows(&result, Style::PLAIN),
            "SKILL  STATUS    SCOPE  DESCRIPTION\n\
             greet  disabled  user   hi\n\
             Cannot be used: /s/SKILL.md: no name\n"
        );
        let none = json!({"data": [{"skills": []}]});
        assert_eq!(skill_rows(&none, Style::PLAIN), "No skills found.\n");
    }

    #[test]
    fn hooks_say_what_they_run() {
        let result = json!({"data": [{"hooks": [{
            "eventName": "stop", "enabled": true, "trustStatus": "trusted", "pluginId": "a@b",
            "handlerType": "command", "command": "true",
        }]}]});
        assert_eq!(
            hook_rows(&result, Style::PLAIN),
            "EVENT  STATUS   TRUST    PLUGIN  RUNS\nstop   enabled  trusted  a@b     true\n"
        );
        assert_eq!(hook_rows(&json!({}), Style::PLAIN), "No hooks found.\n");
    }

    #[test]
    fn components_of_every_kind() {
        let result = json!({
            "plugins": [{"displayName": "Hello", "pluginId": "hello@demo"}],
            "mcpServers": [{"name": "srv", "pluginId": "hello@demo", "enabled": true}],
            "hooks": [
                {"eventName": "stop", "enabled": true, "trustStatus": "trusted", "runs": true},
                {"eventName": "stop", "enabled": true, "trustStatus": "trusted", "runs": false},
                {"eventName": "stop", "enabled": true, "trustStatus": "modified", "runs": false},
                {"eventName": "stop", "enabled": false, "trustStatus": "untrusted", "runs": false},
            ],
        });
        assert_eq!(
            component_rows(&result, Style::PLAIN),
            "KIND        NAME   PLUGIN      STATUS\n\
             plugin      Hello  hello@demo\n\
             MCP server  srv    hello@demo  enabled\n\
             hook        stop               enabled\n\
             hook        stop               held back\n\
             hook        stop               modified\n\
             hook        stop               disabled\n"
        );
    }

    #[test]
    fn mentions_known_and_unknown() {
        let result = json!({
            "mentions": [{"pluginId": "hello@demo", "text": "use it\nwell"}],
            "unknown": [
                {"mention": "@other", "message": "it is not there"},
                {"mention": "@two", "message": "which?", "candidates": ["two@a", "two@b"]},
            ],
        });
        assert_eq!(
            mentioned(&result, Style::PLAIN),
            "hello@demo\n  use it\n  well\n@other: it is not there\n@two: which?\n\
             hint: did you mean `two@a` or `two@b`?\n"
        );
    }
}
