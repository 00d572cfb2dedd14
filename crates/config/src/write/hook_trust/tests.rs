use plugd_disk::Disk;
use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::write::tests::{PATIENCE, set, write_to};
use crate::{Edit, KeyPath, Merge, undo};

/// A key as hooks of plugins have it, and its header.
const KEY: &str = "p@m:hooks/hooks.json:stop:0:0";
const HEADER: &str = "[hooks.state.\"p@m:hooks/hooks.json:stop:0:0\"]\n";

/// Writes the edit into a home with this `config.toml`, and undoes it.
#[track_caller]
fn check_edit(before: &str, edit: Edit, after: &str) {
    let sandbox = Sandbox::new();
    sandbox.write("ch/config.toml", before);
    let key_path = edit.key_path.clone();
    let written = write_to(&sandbox, &[edit]).unwrap();
    assert_eq!(sandbox.text("ch/config.toml"), after);
    assert_eq!(written.before.len(), 1);
    assert_eq!(written.before[0].0, key_path);
    undo(&Disk::new(), &sandbox.layout(), &written.undo(), PATIENCE).unwrap();
    assert_eq!(sandbox.text("ch/config.toml"), before);
}

#[track_caller]
fn check(before: &str, path: &[&str], value: Value, after: &str) {
    let path = KeyPath::new(path.iter().copied()).unwrap();
    check_edit(before, Edit::set(path, value), after);
}

fn both(declaration: &str, content: &str) -> String {
    format!("{HEADER}trusted_hash = \"{declaration}\"\ntrusted_content_hash = \"{content}\"\n")
}

#[test]
fn a_hash_of_two_halves_becomes_two_keys() {
    let hash = ["hooks", "state", KEY, "trusted_hash"];
    check("", &hash, json!("a/b"), &both("a", "b"));
    check(&both("x", "y"), &hash, json!("a/b"), &both("a", "b"));
    check("", &hash, json!("a/b/c"), &both("a", "b/c"));
    check("", &hash, json!("a/"), &both("a", ""));
    check(
        &format!("# c\r\n{HEADER}enabled = false # off\r\n")
            .replace("\n", "\r\n")
            .replace("\r\r", "\r"),
        &hash,
        json!("a/b"),
        &format!(
            "# c\r\n{}\r\nenabled = false # off\r\ntrusted_hash = \"a\"\r\n\
             trusted_content_hash = \"b\"\r\n",
            HEADER.trim_end()
        ),
    );
}

#[test]
fn one_half_takes_a_stale_other_away() {
    let hash = ["hooks", "state", KEY, "trusted_hash"];
    let one = format!("{HEADER}trusted_hash = \"a\"\n");
    check("", &hash, json!("a"), &one);
    check(&both("x", "y"), &hash, json!("a"), &one);
    // Taking trust away says nothing about the other half.
    check(
        &both("x", "y"),
        &hash,
        Value::Null,
        &format!("{HEADER}trusted_content_hash = \"y\"\n"),
    );
    let upsert = |key: &str, value: Value| Edit {
        strategy: Merge::Upsert,
        ..set(key, value)
    };
    let states = json!({ KEY: {"trusted_hash": "a"}, "other": {"enabled": false} });
    let other = "\n[hooks.state.other]\nenabled = false\n";
    for edit in [
        upsert("hooks.state", states.clone()),
        upsert("hooks", json!({ "state": states })),
    ] {
        check_edit(&both("x", "y"), edit, &format!("{one}{other}"));
    }
}

#[test]
fn the_other_half_stays_when_the_same_write_sets_it() {
    let path = |member: &str| KeyPath::new(["hooks", "state", KEY, member]).unwrap();
    let hash = Edit::set(path("trusted_hash"), "a");
    let content = Edit::set(path("trusted_content_hash"), "b");
    for edits in [
        [hash.clone(), content.clone()],
        [content.clone(), hash.clone()],
    ] {
        let sandbox = Sandbox::new();
        sandbox.write("ch/config.toml", both("x", "y"));
        write_to(&sandbox, &edits).unwrap();
        assert_eq!(sandbox.text("ch/config.toml"), both("a", "b"));
    }
    let both_members = json!({"trusted_hash": "a", "trusted_content_hash": "b"});
    let upsert = Edit {
        strategy: Merge::Upsert,
        ..set("hooks.state", json!({ KEY: both_members }))
    };
    check_edit(&both("x", "y"), upsert, &both("a", "b"));
}

#[test]
fn tables_with_such_a_hash_are_taken_apart_too() {
    let state = json!({"trusted_hash": "a/b", "trusted_content_hash": "older"});
    let written = format!("{HEADER}trusted_content_hash = \"b\"\ntrusted_hash = \"a\"\n");
    check("", &["hooks", "state", KEY], state.clone(), &written);
    check("", &["hooks", "state"], json!({ KEY: state }), &written);
    check("", &["hooks"], json!({"state": { KEY: state }}), &written);
    let upsert = Edit {
        strategy: Merge::Upsert,
        ..set("hooks.state", json!({ KEY: {"trusted_hash": "a/b"} }))
    };
    check_edit(
        &format!("{HEADER}enabled = false\ntrusted_content_hash = \"y\"\n"),
        upsert,
        &format!("{HEADER}enabled = false\ntrusted_content_hash = \"b\"\ntrusted_hash = \"a\"\n"),
    );
}

#[test]
fn other_keys_are_not_meant() {
    check(
        "",
        &["hooks", "other", "x", "trusted_hash"],
        json!("a/b"),
        "[hooks.other.x]\ntrusted_hash = \"a/b\"\n",
    );
    check(
        "",
        &["hooks", "state", "x", "other"],
        json!("a/b"),
        "[hooks.state.x]\nother = \"a/b\"\n",
    );
    check(
        "",
        &["state", "x", "trusted_hash"],
        json!("a/b"),
        "[state.x]\ntrusted_hash = \"a/b\"\n",
    );
    check(
        "",
        &["hooks", "later"],
        json!({"x": {"trusted_hash": "a/b"}}),
        "[hooks.later.x]\ntrusted_hash = \"a/b\"\n",
    );
}
