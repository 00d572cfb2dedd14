//! `plugd config` and `plugd status`. The JSON is the result of `config/read`, `config/batchWrite`,
//! `configRequirements/read` and `plugd/status`.

use serde_json::{Value, json};

use crate::args::{ConfigReadArgs, ConfigWriteArgs};
use crate::asked::{Question, items, member};
use crate::commands::loading;
use crate::escape;
use crate::failure::Failure;
use crate::session::Session;
use crate::style::{Paint, Style};
use crate::table::Table;

/// # Errors
/// There is no such directory to look from.
pub(super) fn read(session: &Session, args: &ConfigReadArgs) -> Result<Question, Failure> {
    Ok(Question {
        method: "config/read",
        params: json!({
            "cwd": loading::cwd(session, &args.place)?,
            "includeLayers": args.layers,
        }),
    })
}

/// One row per value that a layer has set, with the layer. Keys are shown as they can be typed.
pub(super) fn rows(result: &Value, key: Option<&str>, style: Style) -> String {
    let mut table = Table::new(&["KEY", "VALUE", "LAYER"]);
    let mut any = false;
    let wanted = key.map(parts);
    let origins = result["origins"].as_object().into_iter().flatten();
    for (name, origin) in origins {
        let config = &result["config"];
        let (path, value) = match found(config, name) {
            Some((path, value)) => (path, value.to_string()),
            None => (parts(name), String::new()),
        };
        // Without quotes the dots of a name cannot be told from those between names.
        let is_wanted = wanted
            .as_ref()
            .is_none_or(|wanted| path.starts_with(wanted))
            || key.is_some_and(|key| is_within(name, key));
        if !is_wanted {
            continue;
        }
        any = true;
        table.row(&[
            (&typed(&path), Paint::Text),
            (&value, Paint::Text),
            (&layer(&origin["name"]), Paint::Weak),
        ]);
    }
    let mut text = match (any, key) {
        (true, _) => table.render(style),
        (false, Some(key)) => format!("Nothing is configured at {}.\n", escape::line(key)),
        (false, None) => "Nothing is configured.\n".to_owned(),
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

/// The parts of a dotted key; those in quotes may hold dots.
fn parts(key: &str) -> Vec<String> {
    let (mut parts, mut part, mut quoted) = (Vec::new(), String::new(), None);
    for character in key.trim().chars() {
        match (character, quoted) {
            ('"' | '\'', None) => quoted = Some(character),
            (_, Some(quote)) if character == quote => quoted = None,
            ('.', None) => parts.push(std::mem::take(&mut part)),
            _ => part.push(character),
        }
    }
    parts.push(part);
    parts
}

/// The value of a key that is spelled without quotes, as the keys of origins are, with the parts that
/// lead to it. Which dots belong to names is decided by the names that are there.
fn found<'a>(value: &'a Value, key: &str) -> Option<(Vec<String>, &'a Value)> {
    let below = |name: &str, inner: &'a Value| {
        let rest = key.strip_prefix(name)?;
        let (mut path, found) = match rest.strip_prefix('.') {
            Some(rest) => found(inner, rest)?,
            None if rest.is_empty() => (Vec::new(), inner),
            None => return None,
        };
        path.insert(0, name.to_owned());
        Some((path, found))
    };
    match value {
        Value::Object(members) => members.iter().find_map(|(name, inner)| below(name, inner)),
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(index, inner)| below(&index.to_string(), inner))
        }
        _ => None,
    }
}

/// A key as it can be typed: what is no plain word stands in quotes.
fn typed(path: &[String]) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    let parts = path.iter().map(
        |part| match part.chars().all(is_plain) && !part.is_empty() {
            true => part.clone(),
            false => format!("\"{}\"", part.replace('\\', "\\\\").replace('"', "\\\"")),
        },
    );
    parts.collect::<Vec<_>>().join(".")
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
    let bad = |reason| plugd_plugins::Error::BadValue {
        field: "edits",
        reason,
    };
    let mut edits = Vec::new();
    for edit in &args.edits {
        let Some((key, value)) = split(edit) else {
            return Err(bad(format!("`{edit}` has no value")).into());
        };
        let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
        let Some(key) = requested(key) else {
            return Err(bad(format!("`{key}`: quotes hold a whole part of the key")).into());
        };
        edits.push(json!({"keyPath": key, "value": value, "mergeStrategy": strategy}));
    }
    Ok(Question {
        method: "config/batchWrite",
        params: json!({"edits": edits, "expectedVersion": args.expected_version}),
    })
}

/// A key as requests spell it: there a single quote is a character like any other, and in a shell it is the
/// easier one to type. `None` when one begins or ends in the middle of a part.
fn requested(key: &str) -> Option<String> {
    let (mut made, mut rest) = (String::new(), key);
    loop {
        let end = match rest.strip_prefix('\'') {
            Some(quoted) => {
                let end = quoted.find('\'')?;
                made.push_str(&typed(&[quoted[..end].to_owned()]));
                end + 2
            }
            None => {
                let mut quoted = false;
                let end = rest.find(|character| {
                    quoted ^= character == '"';
                    character == '.' && !quoted
                });
                let end = end.unwrap_or(rest.len());
                if rest[..end].contains('\'') && !rest.starts_with('"') {
                    return None;
                }
                made.push_str(&rest[..end]);
                end
            }
        };
        rest = &rest[end..];
        if rest.is_empty() {
            return Some(made);
        }
        rest = rest.strip_prefix('.')?;
        made.push('.');
    }
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
