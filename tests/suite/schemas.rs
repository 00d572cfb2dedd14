//! The committed schemas are what the types say, and the daemon's messages are what the schemas
//! say.
#![expect(
    clippy::disallowed_methods,
    reason = "this test compares a folder of the source tree, which is not a home directory"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use jsonschema::Validator;
use plugd_protocol::generate::{GeneratedFile, all_files, json_schema_files};
use plugd_protocol::{ErrorKind, METHODS, NOTIFICATIONS};
use plugd_testkit::{Sandbox, Seen};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{cli, start};

/// The generated schemas by the name of their type.
static SCHEMAS: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let files = json_schema_files().into_iter();
    files
        .map(|GeneratedFile { path, content }| {
            let stem = Path::new(&path).file_stem().unwrap().to_str().unwrap();
            (stem.to_owned(), serde_json::from_str(&content).unwrap())
        })
        .collect()
});

/// The validators that were needed so far: building one takes longer than using it.
static VALIDATORS: Mutex<BTreeMap<String, Arc<Validator>>> = Mutex::new(BTreeMap::new());

fn validator(type_name: &str) -> Arc<Validator> {
    let mut validators = VALIDATORS.lock().unwrap_or_else(PoisonError::into_inner);
    let known = validators.entry(type_name.to_owned()).or_insert_with(|| {
        let schema = SCHEMAS.get(type_name);
        let schema = schema.unwrap_or_else(|| panic!("no schema is generated for {type_name}"));
        Arc::new(jsonschema::validator_for(schema).unwrap())
    });
    Arc::clone(known)
}

/// The type of a message's payload, and the payload.
fn payload<'a>(seen: &Seen<'a>) -> (String, &'a Value) {
    if let Some(error) = seen.message.get("error") {
        return ("JSONRPCErrorError".to_owned(), error);
    }
    if let Some(result) = seen.message.get("result") {
        let method = METHODS.iter().find(|method| method.name == seen.method);
        let method = method.unwrap_or_else(|| panic!("`{}` has no entry", seen.method));
        return ((method.result.name)().into_owned(), result);
    }
    let known = NOTIFICATIONS.iter().find(|known| known.name == seen.method);
    let known = known.unwrap_or_else(|| panic!("`{}` has no entry", seen.method));
    ((known.params.name)().into_owned(), &seen.message["params"])
}

/// Checks one message of a daemon.
pub(crate) fn validate(seen: &Seen<'_>) {
    let (type_name, payload) = payload(seen);
    let validator = validator(&type_name);
    let faults: Vec<String> = validator
        .iter_errors(payload)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(
        faults.is_empty(),
        "`{}` is no {type_name}: {faults:#?}\n{payload:#}",
        seen.method
    );
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas")
}

fn files_below(dir: &Path, prefix: &str, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{prefix}{}", entry.file_name().to_str().unwrap());
        if entry.file_type().unwrap().is_dir() {
            files_below(&entry.path(), &format!("{path}/"), found);
        } else {
            found.insert(path);
        }
    }
}

#[test]
fn the_committed_files_are_the_generated_ones() {
    let mut committed = BTreeSet::new();
    files_below(&folder(), "", &mut committed);
    let generated: BTreeSet<String> = all_files().into_iter().map(|file| file.path).collect();
    assert_eq!(committed, generated, "`make schemas` writes them anew");
    for GeneratedFile { path, content } in all_files() {
        let committed = fs::read_to_string(folder().join(&path)).unwrap();
        assert_eq!(committed, content, "`make schemas` writes {path} anew");
    }
}

#[test]
fn the_command_writes_the_same_files() {
    let sandbox = Sandbox::new();
    let output = cli(&sandbox, &["schema", "generate", "--out", "$ROOT/out"]);
    assert_eq!(output.code(), 0, "{output}");
    let mut written = BTreeSet::new();
    files_below(sandbox.path("out").as_path(), "", &mut written);
    let generated: BTreeSet<String> = all_files().into_iter().map(|file| file.path).collect();
    assert_eq!(written, generated);
    for GeneratedFile { path, content } in all_files() {
        let written = sandbox.bytes(&format!("out/{path}"));
        assert_eq!(String::from_utf8(written).unwrap(), content, "{path}");
    }
}

#[test]
fn the_reference_page_names_everything() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("protocol/README.md");
    let page = fs::read_to_string(file).unwrap();
    let names = METHODS.iter().map(|method| method.name);
    let names = names.chain(NOTIFICATIONS.iter().map(|notification| notification.name));
    let names = names.chain(ErrorKind::ALL.iter().map(|kind| kind.word()));
    let missing: Vec<&str> = names
        .filter(|name| !page.contains(&format!("`{name}`")))
        .collect();
    assert_eq!(missing, Vec::<&str>::new(), "not in protocol/README.md");
}

#[test]
fn every_schema_is_a_valid_schema() {
    for name in SCHEMAS.keys() {
        validator(name);
    }
}

#[test]
#[should_panic(expected = "is no PluginListResponse")]
fn a_message_of_another_shape_is_noticed() {
    let message = json!({"jsonrpc": "2.0", "id": 1, "result": {"marketplaces": 5}});
    validate(&Seen {
        method: "plugin/list",
        message: &message,
    });
}

#[test]
#[should_panic(expected = "is no JSONRPCErrorError")]
fn an_error_without_a_kind_is_noticed() {
    let message = json!({"id": 1, "error": {"code": -32600, "message": "x", "data": {}}});
    validate(&Seen {
        method: "plugin/list",
        message: &message,
    });
}

#[test]
fn every_method_obeys_its_schema() {
    let sandbox = Sandbox::new();
    let mut daemon = start(&sandbox);
    // Those that need params refuse, which has a schema too; the files of the methods go deeper.
    for method in METHODS.iter().filter(|method| method.name != "shutdown") {
        daemon.call(method.name, json!({}));
    }
    daemon.shut_down();
}
