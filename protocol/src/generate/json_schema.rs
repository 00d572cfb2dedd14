//! One JSON Schema (draft 7) per message, and one that holds them all.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::GeneratedFile;
use super::catalog::{Catalog, sorted};
use super::folder::Folder;
use crate::PluginsLock;

/// The file that holds everything, under the name that the reference gives it.
const BUNDLE: &str = "codex_app_server_protocol.v2.schemas.json";

const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// The JSON Schema files. Each stands alone: what it refers to is below its own `definitions`.
#[must_use]
pub fn json_schema_files() -> Vec<GeneratedFile> {
    let catalog = Catalog::build();
    let mut files: Vec<_> = catalog
        .messages
        .iter()
        .filter_map(|name| Some(message_file(&catalog, name, catalog.definitions.get(name)?)))
        .collect();
    files.push(bundle(&catalog));
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn message_file(catalog: &Catalog, name: &str, schema: &Value) -> GeneratedFile {
    let mut root = schema.as_object().cloned().unwrap_or_default();
    root.insert("$schema".to_owned(), DRAFT.into());
    root.insert("title".to_owned(), name.into());
    let definitions: Map<String, Value> = catalog
        .closure(schema)
        .into_iter()
        .filter_map(|name| {
            let definition = catalog.definitions.get(&name)?.clone();
            Some((name, definition))
        })
        .collect();
    if !definitions.is_empty() {
        root.insert("definitions".to_owned(), definitions.into());
    }
    GeneratedFile {
        path: path_of(name),
        content: text(root.into()),
    }
}

fn bundle(catalog: &Catalog) -> GeneratedFile {
    let bundle = json!({
        "$schema": DRAFT,
        "title": "CodexAppServerProtocolV2",
        "description": "Every type of the protocol of plugd.",
        "type": "object",
        "definitions": catalog.definitions,
    });
    GeneratedFile {
        path: BUNDLE.to_owned(),
        content: text(bundle),
    }
}

/// The schema of a file that people commit and edit beside us: a project's lock.
#[must_use]
pub fn lock_schema() -> GeneratedFile {
    let settings = SchemaSettings::draft07().for_deserialize();
    let schema = settings
        .into_generator()
        .into_root_schema_for::<PluginsLock>();
    GeneratedFile {
        path: "plugins.lock.json".to_owned(),
        content: text(schema.to_value()),
    }
}

/// The reference keeps the schemas of the handshake in a folder of their own.
fn path_of(name: &str) -> String {
    let file = format!("{name}.json");
    match name {
        "InitializeParams" | "InitializeResponse" => format!("v1/{file}"),
        _ => Folder::of(name).path(&file),
    }
}

fn text(schema: Value) -> String {
    format!("{:#}\n", sorted(schema))
}
