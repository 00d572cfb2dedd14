//! TypeScript, written from the JSON Schema.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::GeneratedFile;
use super::catalog::{Catalog, DEFINITIONS, references};
use super::folder::Folder;

/// The type of a value that can be anything.
pub(super) const JSON_VALUE: &str = "JsonValue";

const HEADER: &str = "// Generated from the protocol of plugd. Changes are overwritten.\n";

/// The widest line of a comment.
const WIDTH: usize = 96;

/// The TypeScript files: one per type, and an index per folder.
#[must_use]
pub fn typescript_files() -> Vec<GeneratedFile> {
    let catalog = Catalog::build();
    let mut files = vec![json_value_file()];
    for (name, schema) in &catalog.definitions {
        files.push(GeneratedFile {
            path: Folder::of(name).path(&format!("{name}.ts")),
            content: module(name, schema),
        });
    }
    for folder in [Folder::Top, Folder::V2, Folder::Plugd] {
        files.push(index(&catalog, folder));
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn json_value_file() -> GeneratedFile {
    GeneratedFile {
        path: Folder::SerdeJson.path(&format!("{JSON_VALUE}.ts")),
        content: format!(
            "{HEADER}\n/** Any JSON value. */\nexport type {JSON_VALUE} =\n  \
             | number\n  | string\n  | boolean\n  | Array<{JSON_VALUE}>\n  \
             | {{ [key in string]?: {JSON_VALUE} }}\n  | null;\n"
        ),
    }
}

fn index(catalog: &Catalog, folder: Folder) -> GeneratedFile {
    let mut content = HEADER.to_owned();
    content.push('\n');
    for name in catalog
        .definitions
        .keys()
        .filter(|name| Folder::of(name) == folder)
    {
        let _ = writeln!(content, "export type {{ {name} }} from \"./{name}\";");
    }
    if folder == Folder::Top {
        let path = folder.reach(Folder::SerdeJson, JSON_VALUE);
        let _ = writeln!(content, "export type {{ {JSON_VALUE} }} from \"{path}\";");
        for below in [Folder::Plugd, Folder::V2] {
            let name = below.path("");
            let name = name.trim_end_matches('/');
            let _ = writeln!(content, "export * as {name} from \"./{name}\";");
        }
    }
    GeneratedFile {
        path: folder.path("index.ts"),
        content,
    }
}

fn module(name: &str, schema: &Value) -> String {
    let folder = Folder::of(name);
    let body = type_of(schema, 0);
    let mut imports = references(schema);
    imports.remove(name);
    if mentions_any(schema) {
        imports.insert(JSON_VALUE.to_owned());
    }
    let mut content = HEADER.to_owned();
    for import in &imports {
        let path = folder.reach(Folder::of(import), import);
        let _ = writeln!(content, "import type {{ {import} }} from \"{path}\";");
    }
    content.push('\n');
    content.push_str(&comment(schema, 0));
    // A choice begins with a line break, since each of its parts has lines of its own.
    let space = if body.starts_with('\n') { "" } else { " " };
    let _ = writeln!(content, "export type {name} ={space}{body};");
    content
}

/// The type of a schema. Lines after the first are indented by `depth` steps.
pub(super) fn type_of(schema: &Value, depth: usize) -> String {
    let Value::Object(members) = schema else {
        return any_or_never(schema);
    };
    if let Some(name) = reference_of(members) {
        return name.to_owned();
    }
    if let Some(constant) = members.get("const") {
        return constant.to_string();
    }
    if let Some(values) = list(members, "enum") {
        return union(values.iter().map(Value::to_string).collect());
    }
    if let Some(parts) = list(members, "allOf") {
        let parts: Vec<_> = parts.iter().map(|part| type_of(part, depth)).collect();
        return parts.join(" & ");
    }
    if let Some(choices) = list(members, "oneOf").or_else(|| list(members, "anyOf")) {
        let choices = choice(choices, depth);
        // A choice among members that stand beside others.
        return match members.contains_key("properties") {
            true => format!("{} & ({choices})", object(members, depth)),
            false => choices,
        };
    }
    match members.get("type") {
        Some(Value::Array(types)) => {
            let types = types.iter().filter_map(Value::as_str);
            union(types.map(|kind| type_named(kind, members, depth)).collect())
        }
        Some(Value::String(kind)) => type_named(kind, members, depth),
        _ => JSON_VALUE.to_owned(),
    }
}

fn type_named(kind: &str, members: &Map<String, Value>, depth: usize) -> String {
    match kind {
        "string" => "string".to_owned(),
        "number" | "integer" => "number".to_owned(),
        "boolean" => "boolean".to_owned(),
        "null" => "null".to_owned(),
        "array" => match members.get("items") {
            Some(items) => format!("Array<{}>", type_of(items, depth)),
            None => format!("Array<{JSON_VALUE}>"),
        },
        "object" => object(members, depth),
        _ => JSON_VALUE.to_owned(),
    }
}

fn object(members: &Map<String, Value>, depth: usize) -> String {
    let properties = members.get("properties").and_then(Value::as_object);
    let named = properties.map(|named| properties_of(named, list(members, "required"), depth));
    let other = match members.get("additionalProperties") {
        None | Some(Value::Bool(false)) => None,
        Some(values) => Some(format!(
            "{{ [key in string]?: {} }}",
            type_of(values, depth)
        )),
    };
    match (named, other) {
        (Some(named), Some(other)) => format!("{named} & {other}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => "Record<string, never>".to_owned(),
    }
}

fn properties_of(
    properties: &Map<String, Value>,
    required: Option<&Vec<Value>>,
    depth: usize,
) -> String {
    let mut text = "{\n".to_owned();
    let indent = indent(depth + 1);
    for (name, schema) in properties {
        let is_required =
            required.is_some_and(|names| names.iter().any(|required| required == name));
        let mark = if is_required { "" } else { "?" };
        let key = key(name);
        let value = type_of(schema, depth + 1);
        let space = if value.starts_with('\n') { "" } else { " " };
        text.push_str(&comment(schema, depth + 1));
        let _ = writeln!(text, "{indent}{key}{mark}:{space}{value};");
    }
    let _ = write!(text, "{}}}", self::indent(depth));
    text
}

/// A choice. With comments, or with objects in it, each possibility has lines of its own.
fn choice(choices: &[Value], depth: usize) -> String {
    let spacious = choices
        .iter()
        .any(|choice| choice.get("description").is_some() || choice.get("properties").is_some());
    if !spacious {
        return union(
            choices
                .iter()
                .map(|choice| type_of(choice, depth))
                .collect(),
        );
    }
    let indent = indent(depth + 1);
    let lines = choices.iter().map(|choice| {
        let value = type_of(choice, depth + 1);
        format!(
            "\n{}{indent}| {}",
            comment(choice, depth + 1),
            value.trim_start()
        )
    });
    lines.collect()
}

fn union(mut parts: Vec<String>) -> String {
    let mut seen = Vec::new();
    parts.retain(|part| {
        let is_new = !seen.contains(part);
        seen.push(part.clone());
        is_new
    });
    parts.join(" | ")
}

fn reference_of(members: &Map<String, Value>) -> Option<&str> {
    members.get("$ref")?.as_str()?.strip_prefix(DEFINITIONS)
}

fn list<'a>(members: &'a Map<String, Value>, key: &str) -> Option<&'a Vec<Value>> {
    members.get(key)?.as_array()
}

fn any_or_never(schema: &Value) -> String {
    let name = if schema == &Value::Bool(false) {
        "never"
    } else {
        JSON_VALUE
    };
    name.to_owned()
}

/// Whether the type of a schema names the type of any value.
fn mentions_any(schema: &Value) -> bool {
    type_of(schema, 0)
        .split(|character: char| !(character.is_alphanumeric() || character == '_'))
        .any(|word| word == JSON_VALUE)
}

/// A member's name, in quotes where it is no identifier.
fn key(name: &str) -> String {
    let is_plain = !name.starts_with(|first: char| first.is_ascii_digit())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$');
    if is_plain {
        name.to_owned()
    } else {
        Value::from(name).to_string()
    }
}

/// The description of a schema as a comment with a line break behind it; empty without one.
fn comment(schema: &Value, depth: usize) -> String {
    let Some(description) = schema.get("description").and_then(Value::as_str) else {
        return String::new();
    };
    let indent = indent(depth);
    let lines = wrap(&description.replace("*/", "* /"), WIDTH - indent.len() - 3);
    if let [line] = lines.as_slice() {
        return format!("{indent}/** {line} */\n");
    }
    let mut text = format!("{indent}/**\n");
    for line in lines {
        let _ = writeln!(text, "{}", format!("{indent} * {line}").trim_end());
    }
    let _ = writeln!(text, "{indent} */");
    text
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

fn indent(depth: usize) -> String {
    "  ".repeat(depth)
}
