//! All wire types as JSON Schema, in one place.
//!
//! What clients send is described as it may come in (a member with a default may be absent), and
//! what they receive as it goes out (every member that is always written is required). A type used
//! both ways must have one description; a test sees to it.

use std::collections::{BTreeMap, BTreeSet};

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::method::Describe;
use crate::methods::METHOD_SCHEMAS;
use crate::notifications::NOTIFICATION_SCHEMAS;
use crate::{Direction, ErrorObject, METHODS, NOTIFICATIONS, RequestId, TypeSpec};

/// The prefix of a reference to a definition.
pub(super) const DEFINITIONS: &str = "#/definitions/";

/// All wire types.
pub(super) struct Catalog {
    /// Each type by its name, with references in the form `#/definitions/Name`.
    pub(super) definitions: BTreeMap<String, Value>,
    /// The types that are a whole message, or the params or result of one.
    pub(super) messages: BTreeSet<String>,
}

impl Catalog {
    /// Describes everything that the two tables name.
    pub(super) fn build() -> Self {
        let mut definitions = incoming();
        definitions.extend(outgoing());
        let mut messages: BTreeSet<String> =
            specs().map(|spec| (spec.name)().into_owned()).collect();
        for (name, envelope) in envelopes(&definitions) {
            messages.insert(name.to_owned());
            definitions.insert(name.to_owned(), envelope);
        }
        messages.insert("RequestId".to_owned());
        messages.insert("JSONRPCErrorError".to_owned());
        let definitions = definitions
            .into_iter()
            .map(|(name, schema)| (name, sorted(unwrapped(schema))))
            .collect();
        Self {
            definitions,
            messages,
        }
    }

    /// Every type that a schema names, and what those name in turn.
    pub(super) fn closure(&self, schema: &Value) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut open: Vec<String> = references(schema).into_iter().collect();
        while let Some(name) = open.pop() {
            if let Some(definition) = self.definitions.get(&name)
                && found.insert(name)
            {
                open.extend(references(definition));
            }
        }
        found
    }
}

/// The names of the types that a schema refers to directly.
pub(super) fn references(schema: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect_references(schema, &mut found);
    found
}

fn collect_references(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            for (key, value) in members {
                match value
                    .as_str()
                    .and_then(|text| text.strip_prefix(DEFINITIONS))
                {
                    Some(name) if key == "$ref" => {
                        found.insert(name.to_owned());
                    }
                    _ => collect_references(value, found),
                }
            }
        }
        Value::Array(items) => items
            .iter()
            .for_each(|item| collect_references(item, found)),
        _ => {}
    }
}

/// The same value with all keys in alphabetical order, whatever the map type keeps.
pub(super) fn sorted(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members: BTreeMap<_, _> = members.into_iter().collect();
            let members = members.into_iter().map(|(key, value)| (key, sorted(value)));
            Value::Object(members.collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// The same schema with each paragraph of a description on one line, wherever the source broke it.
fn unwrapped(schema: Value) -> Value {
    match schema {
        Value::Object(members) => members
            .into_iter()
            .map(|(key, value)| match value {
                Value::String(text) if key == "description" => (key, one_line(&text).into()),
                other => (key, unwrapped(other)),
            })
            .collect(),
        Value::Array(items) => items.into_iter().map(unwrapped).collect(),
        other => other,
    }
}

fn one_line(text: &str) -> String {
    let paragraphs = text
        .split("\n\n")
        .map(|paragraph| paragraph.replace('\n', " "));
    paragraphs.collect::<Vec<_>>().join("\n\n")
}

/// The types of what clients send.
pub(super) fn incoming() -> BTreeMap<String, Value> {
    let params = METHOD_SCHEMAS.iter().map(|method| method.params);
    let types = params.chain(of_notifications(Direction::FromClient));
    describe(SchemaSettings::draft07().for_deserialize(), types)
}

/// The types of what clients receive.
pub(super) fn outgoing() -> BTreeMap<String, Value> {
    let results = METHOD_SCHEMAS.iter().map(|method| method.result);
    let shared: [Describe; 2] = [
        SchemaGenerator::subschema_for::<ErrorObject>,
        SchemaGenerator::subschema_for::<RequestId>,
    ];
    let types = results
        .chain(of_notifications(Direction::FromServer))
        .chain(shared);
    let mut definitions = describe(SchemaSettings::draft07().for_serialize(), types);
    definitions.values_mut().for_each(omitted_is_not_null);
    definitions
}

/// Takes null from members that may be missing: in what goes out, a member without a value is
/// either written as null or left out, never both.
fn omitted_is_not_null(schema: &mut Value) {
    let required = schema.get("required").and_then(Value::as_array).cloned();
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for (name, property) in properties {
            let is_required = required.iter().flatten().any(|required| required == name);
            if !is_required {
                remove_null(property);
            }
        }
    }
    if let Some(choices) = schema.get_mut("oneOf").and_then(Value::as_array_mut) {
        choices.iter_mut().for_each(omitted_is_not_null);
    }
}

fn remove_null(schema: &mut Value) {
    let Some(members) = schema.as_object_mut() else {
        return;
    };
    if let Some(Value::Array(types)) = members.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [kind] = types.as_slice() {
            let kind = kind.clone();
            members.insert("type".to_owned(), kind);
        }
    }
    if let Some(Value::Array(choices)) = members.get_mut("anyOf") {
        choices.retain(|choice| choice.get("type") != Some(&Value::from("null")));
        if let [_] = choices.as_slice() {
            let choices = std::mem::take(choices);
            members.remove("anyOf");
            members.insert("allOf".to_owned(), choices.into());
        }
    }
}

fn of_notifications(direction: Direction) -> impl Iterator<Item = Describe> {
    NOTIFICATIONS
        .iter()
        .zip(NOTIFICATION_SCHEMAS)
        .filter(move |(notification, _)| notification.direction == direction)
        .map(|(_, params)| *params)
}

fn describe(
    settings: SchemaSettings,
    types: impl Iterator<Item = Describe>,
) -> BTreeMap<String, Value> {
    let mut generator = SchemaGenerator::new(settings);
    for describe in types {
        describe(&mut generator);
    }
    generator.take_definitions(true).into_iter().collect()
}

fn specs() -> impl Iterator<Item = TypeSpec> {
    METHODS
        .iter()
        .flat_map(|method| [method.params, method.result])
        .chain(NOTIFICATIONS.iter().map(|notification| notification.params))
}

/// The messages themselves, each as a choice by the name of its method.
fn envelopes(definitions: &BTreeMap<String, Value>) -> [(&'static str, Value); 3] {
    let requests = METHODS.iter().map(|method| {
        envelope(
            definitions,
            method.name,
            method.summary,
            method.params,
            true,
        )
    });
    let notifications = |direction: Direction| {
        NOTIFICATIONS
            .iter()
            .filter(move |notification| notification.direction == direction)
            .map(|notification| {
                let params = notification.params;
                envelope(
                    definitions,
                    notification.name,
                    notification.summary,
                    params,
                    false,
                )
            })
    };
    [
        (
            "ClientRequest",
            choice("A request from a client.", requests),
        ),
        (
            "ClientNotification",
            choice(
                "A notification from a client.",
                notifications(Direction::FromClient),
            ),
        ),
        (
            "ServerNotification",
            choice(
                "A notification from the server.",
                notifications(Direction::FromServer),
            ),
        ),
    ]
}

fn choice(description: &str, messages: impl Iterator<Item = Value>) -> Value {
    json!({ "description": description, "oneOf": messages.collect::<Vec<_>>() })
}

fn envelope(
    definitions: &BTreeMap<String, Value>,
    method: &str,
    summary: &str,
    params: TypeSpec,
    is_request: bool,
) -> Value {
    let name = (params.name)();
    let mut properties = Map::new();
    let mut required = Vec::new();
    if is_request {
        properties.insert(
            "id".to_owned(),
            json!({ "$ref": format!("{DEFINITIONS}RequestId") }),
        );
        required.push("id");
    }
    properties.insert(
        "method".to_owned(),
        json!({ "const": method, "type": "string" }),
    );
    required.push("method");
    let reference = json!({ "$ref": format!("{DEFINITIONS}{name}") });
    // Params without a required member may be left out altogether.
    if has_required(definitions.get(name.as_ref())) {
        required.push("params");
        properties.insert("params".to_owned(), reference);
    } else {
        let params = json!({ "anyOf": [reference, { "type": "null" }] });
        properties.insert("params".to_owned(), params);
    }
    json!({
        "description": summary,
        "type": "object",
        "properties": properties,
        "required": required,
    })
}

fn has_required(schema: Option<&Value>) -> bool {
    schema
        .and_then(|schema| schema.get("required"))
        .and_then(Value::as_array)
        .is_some_and(|required| !required.is_empty())
}
