//! The generators: everything that is named exists, the parts agree, and the output depends on
//! nothing but the types.

use std::collections::{BTreeMap, BTreeSet};

use pretty_assertions::assert_eq;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::catalog::{Catalog, DEFINITIONS, incoming, outgoing, references};
use super::folder::{Folder, listed};
use super::{
    all_files, json_schema_files, openrpc, openrpc_document, typescript::type_of, typescript_files,
};
use crate::{HookMetadata, METHODS, NOTIFICATIONS};

/// All references in a schema, whatever they point to.
fn pointers(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Object(members) => members
            .iter()
            .flat_map(|(key, value)| match value {
                Value::String(pointer) if key == "$ref" => BTreeSet::from([pointer.clone()]),
                other => pointers(other),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(pointers).collect(),
        _ => BTreeSet::new(),
    }
}

fn assert_pointers_resolve(path: &str, document: &Value) {
    for pointer in pointers(document) {
        let target = pointer.strip_prefix('#').expect("inside the document");
        assert!(document.pointer(target).is_some(), "{path}: {pointer}");
    }
}

#[test]
fn every_reference_resolves() {
    let files = json_schema_files();
    assert!(files.len() > METHODS.len());
    for file in files {
        let schema: Value = serde_json::from_str(&file.content).expect(&file.path);
        assert_pointers_resolve(&file.path, &schema);
    }
    let document = Value::Object(openrpc_document().0);
    assert!(!pointers(&document).is_empty());
    assert_pointers_resolve("openrpc.json", &document);
    let file: Value = serde_json::from_str(&openrpc().content).expect("openrpc.json");
    assert_eq!(file, document);
}

#[test]
fn every_message_has_its_file_where_the_reference_has_it() {
    let paths: BTreeSet<String> = json_schema_files()
        .into_iter()
        .map(|file| file.path)
        .collect();
    for path in [
        "v1/InitializeParams.json",
        "v1/InitializeResponse.json",
        "v2/PluginListParams.json",
        "v2/PluginListResponse.json",
        "v2/ConfigWarningNotification.json",
        "v2/ConfigWriteResponse.json",
        "ClientRequest.json",
        "ServerNotification.json",
        "RequestId.json",
        "codex_app_server_protocol.v2.schemas.json",
        "plugd/PlugdStatusResponse.json",
    ] {
        assert!(paths.contains(path), "{path}");
    }
    let specs = METHODS
        .iter()
        .flat_map(|method| [method.params, method.result])
        .chain(NOTIFICATIONS.iter().map(|notification| notification.params));
    for spec in specs {
        let suffix = format!("/{}.json", (spec.name)());
        assert!(paths.iter().any(|path| path.ends_with(&suffix)), "{suffix}");
    }
}

#[test]
fn types_used_both_ways_have_one_description() {
    let outgoing = outgoing();
    for (name, schema) in incoming() {
        if let Some(other) = outgoing.get(&name) {
            assert_eq!(&schema, other, "{name}");
        }
    }
}

#[test]
fn no_folder_lists_a_type_that_is_gone() {
    let catalog = Catalog::build();
    for name in listed() {
        assert!(catalog.definitions.contains_key(name), "{name}");
    }
}

#[test]
fn folders() {
    for (name, expected) in [
        ("PluginSummary", "v2/"),
        ("AbsolutePathBuf", ""),
        ("Problem", "plugd/"),
        ("PlugdTask", "plugd/"),
        ("JsonValue", "serde_json/"),
    ] {
        assert_eq!(Folder::of(name).path(""), expected, "{name}");
    }
}

#[test]
fn two_runs_are_equal() {
    assert_eq!(all_files(), all_files());
}

#[test]
fn keys_are_sorted_whatever_the_map_keeps() {
    fn check(path: &str, value: &Value) {
        if let Value::Object(members) = value {
            let keys: Vec<_> = members.keys().collect();
            assert!(keys.is_sorted(), "{path}: {keys:?}");
            members.values().for_each(|member| check(path, member));
        }
    }
    let document = Value::Object(openrpc_document().0);
    check("openrpc", &document);
    for (name, schema) in Catalog::build().definitions {
        check(&name, &schema);
    }
}

#[test]
fn omitted_members_are_never_null() {
    let definitions = outgoing();
    let path = &definitions["Problem"]["properties"]["path"];
    assert_eq!(
        path["allOf"],
        json!([{ "$ref": format!("{DEFINITIONS}AbsolutePathBuf") }])
    );
    assert_eq!(
        definitions["Problem"]["properties"]["line"]["type"],
        "integer"
    );
    let marketplace = &definitions["PluginMarketplaceEntry"]["properties"]["path"];
    assert_eq!(marketplace["anyOf"].as_array().map(Vec::len), Some(2));
}

#[test]
fn every_member_of_an_answer_is_required() {
    let summary = &outgoing()["PluginSummary"];
    let members = summary["properties"].as_object().map(serde_json::Map::len);
    assert_eq!(summary["required"].as_array().map(Vec::len), members);
}

#[test]
fn openrpc_names_every_method() {
    let document = openrpc_document().0;
    let methods = document["methods"].as_array().expect("methods");
    let names: BTreeSet<_> = methods
        .iter()
        .filter_map(|method| method["name"].as_str())
        .collect();
    for method in METHODS {
        assert!(names.contains(method.name), "{}", method.name);
    }
    for method in methods {
        let required: Vec<bool> = method["params"]
            .as_array()
            .expect("params")
            .iter()
            .map(|param| param["required"] == json!(true))
            .collect();
        assert!(required.is_sorted_by(|a, b| a >= b), "{}", method["name"]);
    }
    let read = methods
        .iter()
        .find(|method| method["name"] == "plugin/read")
        .expect("plugin/read");
    assert_eq!(read["params"][0]["name"], "pluginName");
    assert_eq!(
        read["result"]["schema"]["$ref"],
        "#/components/schemas/PluginReadResponse"
    );
    let cancel = methods
        .iter()
        .find(|method| method["name"] == "$/cancelRequest");
    assert_eq!(cancel.and_then(|method| method.get("result")), None);
    let sent = document["x-notifications"]
        .as_array()
        .expect("notifications");
    assert!(
        sent.iter()
            .any(|notification| notification["name"] == "plugd/changed")
    );
}

#[test]
fn types_become_typescript() {
    fn check(schema: Value, expected: &str) {
        assert_eq!(type_of(&schema, 0), expected);
    }
    check(json!(true), "JsonValue");
    check(json!({}), "JsonValue");
    check(json!(false), "never");
    check(json!({"type": "string"}), "string");
    check(
        json!({"type": "integer", "format": "uint32", "minimum": 0}),
        "number",
    );
    check(json!({"type": ["boolean", "null"]}), "boolean | null");
    check(
        json!({"type": ["array", "null"], "items": {"type": "string"}}),
        "Array<string> | null",
    );
    check(json!({"type": "array"}), "Array<JsonValue>");
    check(
        json!({"enum": ["a", "b"], "type": "string"}),
        "\"a\" | \"b\"",
    );
    check(json!({"const": "a\"b", "type": "string"}), "\"a\\\"b\"");
    check(json!({"$ref": "#/definitions/X"}), "X");
    check(
        json!({"allOf": [{"$ref": "#/definitions/X"}], "description": "d"}),
        "X",
    );
    check(
        json!({"anyOf": [{"$ref": "#/definitions/X"}, {"type": "null"}]}),
        "X | null",
    );
    check(json!({"type": "object"}), "Record<string, never>");
    check(
        json!({"type": "object", "additionalProperties": {"type": "boolean"}}),
        "{ [key in string]?: boolean }",
    );
    check(
        json!({"properties": {"a": {"type": "string"}, "b-c": true}, "required": ["a"],
               "type": "object"}),
        "{\n  a: string;\n  \"b-c\"?: JsonValue;\n}",
    );
    check(
        json!({"properties": {"a": {"type": "null"}}, "type": "object",
               "additionalProperties": true}),
        "{\n  a?: null;\n} & { [key in string]?: JsonValue }",
    );
    check(
        json!({"properties": {"a": {"type": "null", "description": "x */ y"}}, "type": "object"}),
        "{\n  /** x * / y */\n  a?: null;\n}",
    );
    check(
        json!({"oneOf": [{"const": "a", "description": "A."}, {"const": "b"}]}),
        "\n  /** A. */\n  | \"a\"\n  | \"b\"",
    );
}

/// A choice among members is no alternative to those that stand beside it.
#[test]
fn members_beside_a_choice_stay() {
    let schema = json!({
        "type": "object",
        "properties": {"key": {"type": "string"}},
        "required": ["key"],
        "oneOf": [
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
            {"type": "object", "properties": {"b": {"type": "string"}}, "required": ["b"]},
        ],
    });
    let expected =
        "{\n  key: string;\n} & (\n  | {\n    a: string;\n  }\n  | {\n    b: string;\n  })";
    assert_eq!(type_of(&schema, 0), expected);

    let settings = SchemaSettings::draft07().for_serialize();
    let mut generator = SchemaGenerator::new(settings);
    generator.subschema_for::<HookMetadata>();
    let hook = &generator.definitions()["HookMetadata"];
    let text = type_of(hook, 0);
    for line in [
        "  currentHash: string;",
        "    handlerType: \"mcpTool\";",
        "    async: boolean;",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert_balanced("HookMetadata", &code_of(&text));
}

/// The text without comments and string literals.
fn code_of(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("/*") {
        code.push_str(&rest[..start]);
        rest = rest[start..].split_once("*/").expect("a comment ends").1;
    }
    code.push_str(rest);
    let lines = code.lines().filter(|line| !line.starts_with("//"));
    let code = lines.collect::<Vec<_>>().join("\n");
    code.split('"').step_by(2).collect::<Vec<_>>().join("''")
}

fn assert_balanced(path: &str, code: &str) {
    let mut open = Vec::new();
    for character in code.chars() {
        match character {
            '{' | '(' | '[' | '<' => open.push(character),
            '}' | ')' | ']' | '>' => {
                let expected = match character {
                    '}' => '{',
                    ')' => '(',
                    ']' => '[',
                    _ => '<',
                };
                assert_eq!(open.pop(), Some(expected), "{path}");
            }
            _ => {}
        }
    }
    assert!(open.is_empty(), "{path}: {open:?}");
}

/// Where an import leads, from the file that has it.
fn target(from: &str, import: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in import.split('/') {
        match part {
            "." => {}
            ".." => assert!(parts.pop().is_some(), "{from}: {import}"),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[test]
fn typescript_holds_together() {
    let files: BTreeMap<String, String> = typescript_files()
        .into_iter()
        .map(|file| (file.path, file.content))
        .collect();
    for (path, content) in &files {
        let code = code_of(content);
        assert_balanced(path, &code);
        let mut known = BTreeSet::from(["Array", "Record"]);
        for line in content.lines().filter(|line| line.contains(" from \"")) {
            let (names, module) = line.split_once(" from \"").expect("an import");
            let module = target(path, module.trim_end_matches("\";"));
            let is_there = [format!("{module}.ts"), format!("{module}/index.ts")]
                .iter()
                .any(|path| files.contains_key(path));
            assert!(is_there, "{path}: {line}");
            known.extend(names.split(|c: char| !c.is_alphanumeric()));
        }
        for line in code.lines().filter(|line| !line.contains(" from ")) {
            let words: Vec<_> = line
                .split(|c: char| !(c.is_alphanumeric() || c == '_'))
                .collect();
            if let ["export", "type", name, ..] = words.as_slice() {
                known.insert(name);
            }
            // Types are the words that begin with a capital; members do not.
            for word in words
                .iter()
                .filter(|word| word.starts_with(char::is_uppercase))
            {
                assert!(known.contains(word), "{path}: {word}");
            }
        }
    }
}

#[test]
fn typescript_exports_every_type() {
    let files: BTreeMap<String, String> = typescript_files()
        .into_iter()
        .map(|file| (file.path, file.content))
        .collect();
    for (name, schema) in Catalog::build().definitions {
        let folder = Folder::of(&name);
        let module = &files[&folder.path(&format!("{name}.ts"))];
        assert!(module.contains(&format!("export type {name} =")), "{name}");
        for reference in references(&schema) {
            assert!(
                module.contains(&format!("import type {{ {reference} }}")),
                "{name}"
            );
        }
        let index = &files[&folder.path("index.ts")];
        assert!(
            index.contains(&format!("export type {{ {name} }} from \"./{name}\";")),
            "{name}"
        );
    }
}
