//! The OpenRPC document that `rpc.discover` answers.

use serde_json::{Map, Value, json};

use super::GeneratedFile;
use super::catalog::{Catalog, DEFINITIONS, sorted};
use crate::{Direction, DiscoverResponse, METHODS, NOTIFICATIONS, Origin, TypeSpec};

const COMPONENTS: &str = "#/components/schemas/";

/// The document as a file.
#[must_use]
pub fn openrpc() -> GeneratedFile {
    let document = Value::Object(openrpc_document().0);
    GeneratedFile {
        path: "openrpc.json".to_owned(),
        content: format!("{document:#}\n"),
    }
}

/// This protocol as an OpenRPC 1.3 document. A notification that a client may send is a method
/// without a result, as OpenRPC has it; those that the server sends have no place in OpenRPC and
/// stand below `x-notifications` in the same form.
#[must_use]
pub fn openrpc_document() -> DiscoverResponse {
    let catalog = Catalog::build();
    let mut methods: Vec<Value> = METHODS
        .iter()
        .map(|method| {
            let mut entry = entry(
                &catalog,
                method.name,
                method.summary,
                method.origin,
                method.params,
            );
            entry.insert("result".to_owned(), result(&catalog, method.result));
            entry.into()
        })
        .collect();
    methods.extend(notifications(&catalog, Direction::FromClient));
    let sent: Vec<Value> = notifications(&catalog, Direction::FromServer).collect();
    let named = json!([methods, sent, error_reference()]);
    let components: Map<String, Value> = catalog
        .closure(&named)
        .into_iter()
        .filter_map(|name| {
            let definition = catalog.definitions.get(&name)?.clone();
            Some((name, definition))
        })
        .collect();
    let document = json!({
        "openrpc": "1.3.2",
        "info": {
            "title": "plugd",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "JSON-RPC 2.0 over stdio. Every error carries data of the schema \
                            ErrorData, whose kind is what a client decides by.",
        },
        "methods": methods,
        "components": { "schemas": components },
        "x-notifications": sent,
    });
    match redirect(sorted(document)) {
        Value::Object(members) => DiscoverResponse(members),
        _ => DiscoverResponse(Map::new()),
    }
}

fn notifications(catalog: &Catalog, direction: Direction) -> impl Iterator<Item = Value> {
    NOTIFICATIONS
        .iter()
        .filter(move |notification| notification.direction == direction)
        .map(|notification| {
            let (name, summary) = (notification.name, notification.summary);
            entry(
                catalog,
                name,
                summary,
                notification.origin,
                notification.params,
            )
            .into()
        })
}

fn entry(
    catalog: &Catalog,
    name: &str,
    summary: &str,
    origin: Origin,
    params: TypeSpec,
) -> Map<String, Value> {
    let tag = match origin {
        Origin::Reference => "reference",
        Origin::Own => "plugd",
    };
    let mut entry = Map::new();
    entry.insert("name".to_owned(), name.into());
    entry.insert("summary".to_owned(), summary.into());
    entry.insert("tags".to_owned(), json!([{ "name": tag }]));
    entry.insert("paramStructure".to_owned(), "by-name".into());
    entry.insert("params".to_owned(), descriptors(catalog, params));
    entry
}

/// One content descriptor for each member of the params; those that are needed come first, as
/// OpenRPC demands.
fn descriptors(catalog: &Catalog, params: TypeSpec) -> Value {
    let definition = catalog.definitions.get((params.name)().as_ref());
    let member = |key: &str| definition.and_then(|definition| definition.get(key));
    let required = member("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|n| n == name));
    let mut descriptors: Vec<(bool, Value)> = member("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .map(|(name, schema)| {
            let required = is_required(name);
            let mut descriptor = json!({ "name": name, "required": required, "schema": schema });
            if let Some(description) = schema.get("description") {
                descriptor["description"] = description.clone();
            }
            (required, descriptor)
        })
        .collect();
    descriptors.sort_by_key(|(required, _)| !required);
    descriptors
        .into_iter()
        .map(|(_, descriptor)| descriptor)
        .collect()
}

fn result(catalog: &Catalog, result: TypeSpec) -> Value {
    let name = (result.name)();
    let mut descriptor = json!({
        "name": name,
        "schema": { "$ref": format!("{DEFINITIONS}{name}") },
    });
    if let Some(description) = catalog
        .definitions
        .get(name.as_ref())
        .and_then(|d| d.get("description"))
    {
        descriptor["description"] = description.clone();
    }
    descriptor
}

fn error_reference() -> Value {
    json!({ "$ref": format!("{DEFINITIONS}ErrorData") })
}

/// The same document, with references to where OpenRPC keeps its schemas.
fn redirect(value: Value) -> Value {
    match value {
        Value::Object(members) => members
            .into_iter()
            .map(|(key, value)| {
                match value
                    .as_str()
                    .and_then(|text| text.strip_prefix(DEFINITIONS))
                {
                    Some(name) if key == "$ref" => (key, format!("{COMPONENTS}{name}").into()),
                    _ => (key, redirect(value)),
                }
            })
            .collect(),
        Value::Array(items) => items.into_iter().map(redirect).collect(),
        other => other,
    }
}
