//! `plugd config` and `plugd status`. The JSON is the result of `config/read`, `config/batchWrite`,
//! `configRequirements/read` and `plugd/status`.

use serde_json::{Value, json};

use crate::args::{ConfigReadArgs, ConfigWriteArgs};
use crate::asked::{Question, items, member};
use crate::escape;
use crate::failure::Failure;
use crate::session::Session;
use crate::style::{Paint, Style};
use crate::table::Table;

pub(super) fn read(session: &Session, args: &ConfigReadArgs) -> Question {
    let base = session.cwd();
    let cwd = args.place.cwd.as_ref().map(|cwd| base.join(cwd));
    Question {
        method: "config/read",
        params: json!({
            "cwd": cwd.as_ref().unwrap_or(base).to_text(),
            "includeLayers": args.layers,
        }),
    }
}

/// One row per value that a layer has set, with the layer.
pub(super) fn rows(result: &Value, key: Option<&str>, style: Style) -> String {
    let mut table = Table::new(&["KEY", "VALUE", "LAYER"]);
    let mut any = false;
    let origins = result["origins"].as_object().into_iter().flatten();
    for (name, origin) in origins {
        if !key.is_none_or(|key| is_within(name, key)) {
            continue;
        }
        any = true;
        let value = at(&result["config"], name).map_or_else(String::new, Value::to_string);
        table.row(&[
            (name, Paint::Text),
            (&value, Paint::Text),
            (&layer(&origin["name"]), Paint::Weak),
        ]);
    }
    let mut text = match any {
        true => table.render(style),
        false => "Nothing is configured.\n".to_owned(),
    };
    for one in items(result, "layers") {
        let title = layer(&one["name"]);
        let off = one["disabledReason"].as_str().map(escape::line);
        let off = off.map_or_else(String::new, |why| format!(" (off: {why})"));
        text.push_str(&format!("\n{}{off}\n", style.paint(Paint::Heading, &title)));
        let config = serde_json::to_string_pretty(&one["config"]).unwrap_or_default();
        text.push_str(&escape::paragraph(&config, "  "));
    }
    text
}

fn is_within(name: &str, key: &str) -> bool {
    let rest = name.strip_prefix(key);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The value of a dotted key; parts in quotes may hold dots.
fn at<'a>(config: &'a Value, key: &str) -> Option<&'a Value> {
    let (mut value, mut part, mut quoted) = (config, String::new(), false);
    for character in key.chars() {
        match character {
            '"' => quoted = !quoted,
            '.' if !quoted => {
                value = step(value, &part)?;
                part.clear();
            }
            _ => part.push(character),
        }
    }
    step(value, &part)
}

fn step<'a>(value: &'a Value, part: &str) -> Option<&'a Value> {
    match value {
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        _ => value.get(part),
    }
}

/// A layer in words: its kind and its file.
fn layer(name: &Value) -> String {
    let places = ["file", "dotCodexFolder", "name", "domain"];
    let place = places.iter().find_map(|place| name[*place].as_str());
    let kind = escape::line(member(name, "type"));
    match place {
        Some(place) => format!("{kind} {}", escape::line(place)),
        None => kind,
    }
}

/// # Errors
/// One of the edits has no value.
pub(super) fn write(args: &ConfigWriteArgs) -> Result<Question, Failure> {
    let strategy = match args.merge {
        true => "upsert",
        false => "replace",
    };
    let mut edits = Vec::new();
    for edit in &args.edits {
        let Some((key, value)) = split(edit) else {
            let reason = format!("`{edit}` has no value: write KEY=VALUE");
            let field = "edits";
            return Err(plugd_plugins::Error::BadValue { field, reason }.into());
        };
        let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
        edits.push(json!({"keyPath": key, "value": value, "mergeStrategy": strategy}));
    }
    Ok(Question {
        method: "config/batchWrite",
        params: json!({"edits": edits, "expectedVersion": args.expected_version}),
    })
}

/// The key and the value; an equals sign in quotes belongs to the key.
fn split(edit: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let at = edit.find(|character| {
        quoted ^= character == '"';
        character == '=' && !quoted
    })?;
    Some((edit[..at].trim(), edit[at + 1..].trim()))
}

pub(super) fn written(result: &Value, style: Style) -> String {
    let path = escape::line(member(result, "filePath"));
    let mut text = format!("Wrote {path}.\n");
    if let Some(message) = result["overriddenMetadata"]["message"].as_str() {
        let message = escape::line(message);
        text.push_str(&format!("{}\n", style.paint(Paint::Warning, &message)));
    }
    text
}

pub(super) fn requirements() -> Question {
    Question {
        method: "configRequirements/read",
        params: json!({}),
    }
}

pub(super) fn required(result: &Value, _: Style) -> String {
    if result["requirements"].is_null() {
        return "Nothing is required.\n".to_owned();
    }
    let text = serde_json::to_string_pretty(&result["requirements"]).unwrap_or_default();
    escape::paragraph(&text, "")
}

pub(super) fn status() -> Question {
    Question {
        method: "plugd/status",
        params: json!({}),
    }
}

pub(super) fn status_text(result: &Value, style: Style) -> String {
    let home = escape::line(member(result, "home"));
    let version = escape::line(member(result, "version"));
    let mut layers = Table::new(&["LAYER", "STATE", "STALE", "NOTE"]);
    for one in items(result, "layers") {
        let stale = items(one, "stale").filter_map(Value::as_str);
        let stale = stale.collect::<Vec<_>>().join(", ");
        layers.row(&[
            (member(one, "kind"), Paint::Text),
            (member(one, "state"), Paint::Text),
            (&stale, Paint::Warning),
            (member(one, "message"), Paint::Weak),
        ]);
    }
    let mut tasks = Table::new(&["TASK", "STATE", "OUTCOME", "NOTE"]);
    for one in items(result, "tasks") {
        let paint = match member(one, "outcome") {
            "failed" => Paint::Error,
            _ => Paint::Good,
        };
        let problem = member(&one["problem"], "message");
        let note = one["message"].as_str().unwrap_or(problem);
        tasks.row(&[
            (member(one, "kind"), Paint::Text),
            (member(one, "state"), Paint::Text),
            (member(one, "outcome"), paint),
            (note, Paint::Weak),
        ]);
    }
    let (layers, tasks) = (layers.render(style), tasks.render(style));
    format!("plugd {version}, home {home}\n\n{layers}\n{tasks}")
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
