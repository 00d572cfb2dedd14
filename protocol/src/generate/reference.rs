//! The reference of all methods as a page, written from the tables and the JSON Schema.
//!
//! It is for looking up; the prose beside it is `protocol/README.md`, which says why.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::GeneratedFile;
use super::catalog::{Catalog, DEFINITIONS};
use super::effects::{self, ALWAYS};
use super::typescript::type_of;
use crate::{
    Direction, ErrorKind, Lane, METHODS, MethodSpec, NOTIFICATIONS, NotificationSpec, Origin,
    TypeSpec,
};

const HEADER: &str = "\
<!-- Generated from the protocol of plugd by `make schemas`. Changes are overwritten. -->

# Methods, notifications and types

What each means to a client, with examples, stands in `protocol/README.md`; this page is for looking up.
A type whose name begins with a capital is described below *Types*; the notation is that of TypeScript, as in `typescript/`.
A member that is *optional* may be left out or `null` in what is sent, and is left out in what is received when there is nothing to say.
";

/// The page.
#[must_use]
pub fn method_reference() -> GeneratedFile {
    let catalog = Catalog::build();
    let mut page = HEADER.to_owned();
    page.push_str("\n## Methods\n\n| method | origin | waits for |\n|---|---|---|\n");
    for method in METHODS {
        let (name, origin, lane) = (method.name, origin(method.origin), lane(method.lane));
        let anchor = anchor(name);
        let _ = writeln!(page, "| [`{name}`](#{anchor}) | {origin} | {lane} |");
    }
    let _ = writeln!(
        page,
        "\nEvery request can also be answered with {}.\n\
         Every request whose params have a `workDoneToken` or a `_meta.progressToken` tells its \
         progress.",
        words(ALWAYS)
    );
    for method in METHODS {
        page.push_str(&of_method(&catalog, method));
    }
    page.push_str("\n## Notifications\n");
    for notification in NOTIFICATIONS {
        page.push_str(&of_notification(&catalog, notification));
    }
    page.push_str("\n## Types\n");
    for name in shared_types(&catalog) {
        if let Some(schema) = catalog.definitions.get(&name) {
            page.push_str(&of_type(&name, schema));
        }
    }
    GeneratedFile {
        path: "METHODS.md".to_owned(),
        content: page,
    }
}

fn of_method(catalog: &Catalog, method: &MethodSpec) -> String {
    let mut text = format!("\n### `{}`\n\n{}\n", method.name, method.summary);
    let _ = writeln!(
        text,
        "\nOrigin: {}.\nWaits for: {}.",
        origin(method.origin),
        lane(method.lane)
    );
    let params = members(catalog, method.params, "Params", true);
    let result = members(catalog, method.result, "Result", false);
    let _ = write!(text, "\n{params}\n{result}");
    let Some(effects) = effects::of(method.name) else {
        return text;
    };
    let _ = writeln!(text, "\nErrors: {}.", words(effects.errors));
    if !effects.notifications.is_empty() {
        let names: Vec<_> = effects.notifications.iter().map(code).collect();
        let _ = writeln!(text, "May cause: {}.", names.join(", "));
    }
    text
}

fn of_notification(catalog: &Catalog, notification: &NotificationSpec) -> String {
    let sender = match notification.direction {
        Direction::FromClient => "the client",
        Direction::FromServer => "the server",
    };
    let is_sent = notification.direction == Direction::FromClient;
    format!(
        "\n### `{}`\n\n{}\n\nOrigin: {}.\nSent by: {sender}.\n\n{}",
        notification.name,
        notification.summary,
        origin(notification.origin),
        members(catalog, notification.params, "Params", is_sent),
    )
}

/// The members of a message below its name, or that it has none.
fn members(catalog: &Catalog, spec: TypeSpec, what: &str, is_sent: bool) -> String {
    let name = (spec.name)();
    match catalog.definitions.get(name.as_ref()) {
        Some(schema) if has_members(schema) => {
            let table = table(schema, is_sent);
            let choices = choices(schema, is_sent);
            format!("{what} (`{name}`):\n\n{table}{choices}")
        }
        Some(Value::Object(schema)) if schema.get("type") == Some(&"null".into()) => {
            format!("{what} (`{name}`): `null`.\n")
        }
        Some(schema) if schema.get("oneOf").is_some() => {
            format!("{what} (`{name}`):\n{}", choices(schema, is_sent))
        }
        _ => format!("{what} (`{name}`): no members.\n"),
    }
}

fn of_type(name: &str, schema: &Value) -> String {
    let mut text = format!("\n### {name}\n\n");
    if let Some(description) = schema.get("description").and_then(Value::as_str) {
        let _ = writeln!(text, "{}\n", cell(description));
    }
    if has_members(schema) {
        text.push_str(&table(schema, false));
    }
    if schema.get("oneOf").is_some() {
        text.push_str(&choices(schema, false));
    } else if !has_members(schema) {
        let _ = writeln!(text, "{}", code(type_of(schema, 0)));
    }
    text
}

/// The possibilities of a type: words with what they mean, or objects with their members.
fn choices(schema: &Value, is_sent: bool) -> String {
    let mut text = String::new();
    for choice in schema
        .get("oneOf")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let description = choice.get("description").and_then(Value::as_str);
        if has_members(choice) {
            let description = description.map(cell).unwrap_or_default();
            let _ = write!(text, "\n{description}\n\n{}", table(choice, is_sent));
        } else {
            let value = code(cell(&type_of(&undescribed(choice), 0)));
            let _ = match description {
                Some(description) => writeln!(text, "- {value}: {}", cell(description)),
                None => writeln!(text, "- {value}"),
            };
        }
    }
    text
}

fn has_members(schema: &Value) -> bool {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.is_some_and(|properties| !properties.is_empty())
}

/// One row for each member; those that are needed come first.
fn table(schema: &Value, is_sent: bool) -> String {
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &String| required.is_some_and(|all| all.iter().any(|n| n == name));
    let properties = schema.get("properties").and_then(Value::as_object);
    let mut rows: Vec<(bool, &String, &Value)> = properties
        .into_iter()
        .flatten()
        .map(|(name, schema)| (is_required(name), name, schema))
        .collect();
    rows.sort_by_key(|(required, name, _)| (!required, (*name).clone()));
    let presence = if is_sent { "needed" } else { "present" };
    let mut text = format!("| member | type | {presence} | meaning |\n|---|---|---|---|\n");
    for (required, name, schema) in rows {
        let presence = match (required, is_sent) {
            (true, true) => "yes",
            (true, false) => "always",
            (false, _) => "optional",
        };
        let meaning = schema.get("description").and_then(Value::as_str);
        let meaning = meaning.map(cell).unwrap_or_default();
        let kind = code(cell(&one_line(schema)));
        let _ = writeln!(text, "| `{name}` | {kind} | {presence} | {meaning} |");
    }
    text
}

/// The type of a member; that of an object without a name would need lines of its own.
fn one_line(schema: &Value) -> String {
    let text = type_of(&undescribed(schema), 0);
    if text.contains('\n') {
        "object".to_owned()
    } else {
        text
    }
}

/// The same schema without descriptions, which would be comments in its type.
fn undescribed(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => {
            let kept = members.iter().filter(|(key, value)| {
                // A member of an object may have that name too, and then it is no text.
                key.as_str() != "description" || !value.is_string()
            });
            let kept = kept.map(|(key, value)| (key.clone(), undescribed(value)));
            Value::Object(kept.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(undescribed).collect(),
        other => other.clone(),
    }
}

/// The types that messages are made of: those that are no message themselves.
fn shared_types(catalog: &Catalog) -> BTreeSet<String> {
    let mut found = BTreeSet::from(["ErrorData".to_owned()]);
    let specs = METHODS
        .iter()
        .flat_map(|method| [method.params, method.result])
        .chain(NOTIFICATIONS.iter().map(|notification| notification.params));
    for spec in specs {
        let reference = serde_json::json!({ "$ref": format!("{DEFINITIONS}{}", (spec.name)()) });
        found.extend(catalog.closure(&reference));
    }
    if let Some(data) = catalog.definitions.get("ErrorData") {
        found.extend(catalog.closure(data));
    }
    found
        .into_iter()
        .filter(|name| !catalog.messages.contains(name))
        .collect()
}

const fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Reference => "the reference",
        Origin::Own => "ours",
    }
}

const fn lane(lane: Lane) -> &'static str {
    match lane {
        Lane::Handshake => "nothing; the connection answers it itself",
        Lane::Read => "nothing; it reads what there is now",
        Lane::Plugin => "earlier writes about the same plugin",
        Lane::Marketplace => "earlier writes about the same marketplace",
        Lane::Marketplaces => "earlier writes about the marketplace that it names, or about any",
        Lane::Config => "earlier writes about what its key names",
    }
}

fn words(kinds: &[ErrorKind]) -> String {
    let words: Vec<_> = kinds.iter().map(|kind| code(kind.word())).collect();
    words.join(", ")
}

fn code(text: impl AsRef<str>) -> String {
    format!("`{}`", text.as_ref())
}

/// A text as it may stand in a table: on one line, and without what would end the cell.
fn cell(text: &str) -> String {
    let line: Vec<&str> = text.split_whitespace().collect();
    line.join(" ").replace('|', "\\|")
}

/// What a heading is called in a link to it.
fn anchor(name: &str) -> String {
    let kept = name
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_'));
    kept.collect::<String>().to_lowercase()
}

#[cfg(test)]
#[path = "reference_tests.rs"]
mod tests;
