use plugd_disk::Disk;
use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::write::tests::{PATIENCE, set, write_to};
use crate::{Edit, KeyPath, Merge, WriteError, undo};

fn key(path: &str) -> KeyPath {
    KeyPath::parse(path).unwrap()
}

/// Writes the edits into a home with this `plugd.toml`, undoes them, and answers what the first of
/// them replaced.
#[track_caller]
fn check(before: &str, edits: &[Edit], after: &str) -> Option<Value> {
    let sandbox = Sandbox::from("== ch/config.toml\nx = 1\n");
    sandbox.write("ch/plugd.toml", before);
    let written = write_to(&sandbox, edits).unwrap();
    assert_eq!(sandbox.text("ch/plugd.toml"), after);
    assert_eq!(sandbox.text("ch/config.toml"), "x = 1\n");
    assert_eq!(written.file, sandbox.path("ch/plugd.toml"));
    assert_eq!(written.changed, before != after);
    undo(&Disk::new(), &sandbox.layout(), &written.undo(), PATIENCE).unwrap();
    assert_eq!(sandbox.text("ch/plugd.toml"), before);
    let (path, old) = written.before.into_iter().next().unwrap();
    assert_eq!(path, edits[0].key_path);
    old
}

#[track_caller]
fn refused(edits: &[Edit]) -> WriteError {
    let sandbox = Sandbox::from("== ch/plugd.toml\ngit = \"auto\"\n== ch/config.toml\nx = 1\n");
    let error = write_to(&sandbox, edits).unwrap_err();
    assert_eq!(sandbox.text("ch/plugd.toml"), "git = \"auto\"\n");
    assert_eq!(sandbox.text("ch/config.toml"), "x = 1\n");
    error
}

#[track_caller]
fn check_invalid(path: &str, value: Value, field: &str) {
    let error = refused(&[set(path, value)]);
    assert!(
        matches!(&error, WriteError::Invalid { field: found, .. } if found == field),
        "{error:?}"
    );
}

const SETTINGS: &str = "# mine\ngit = \"auto\" # why\nkeep_versions = 3\n";

#[test]
fn the_table_of_settings_is_replaced_key_by_key() {
    let old = check(
        SETTINGS,
        &[set(
            "plugd",
            json!({"git": "command", "curated_sync": false}),
        )],
        "# mine\ngit = \"command\" # why\ncurated_sync = false\n",
    );
    assert_eq!(old, Some(json!({"git": "auto", "keep_versions": 3})));
    check(
        SETTINGS,
        &[set("plugd", json!({"git": "auto", "keep_versions": 3}))],
        SETTINGS,
    );
    check(
        "",
        &[set("plugd", json!({"git": "command"}))],
        "git = \"command\"\n",
    );
    check(SETTINGS, &[set("plugd", json!({}))], "# mine\n");
}

#[test]
fn the_table_of_settings_is_joined() {
    let edit = Edit {
        strategy: Merge::Upsert,
        ..set(
            "plugd",
            json!({"git": "command", "trust": {"default": "ask"}}),
        )
    };
    check(
        SETTINGS,
        &[edit],
        "# mine\ngit = \"command\" # why\nkeep_versions = 3\n\n[trust]\ndefault = \"ask\"\n",
    );
}

#[test]
fn the_table_of_settings_is_deleted() {
    let tables = format!("{SETTINGS}\n[trust]\ndefault = \"ask\"\n");
    for value in [None, Some(Value::Null)] {
        for strategy in [Merge::Replace, Merge::Upsert] {
            let edit = Edit {
                key_path: key("plugd"),
                value: value.clone(),
                strategy,
            };
            check(&tables, &[edit], "# mine\n");
        }
    }
}

#[test]
fn edits_see_those_in_front_of_them() {
    check(
        SETTINGS,
        &[
            set("plugd.curated_sync", json!(true)),
            Edit::delete(key("plugd")),
            set("plugd.git", json!("libgit2")),
        ],
        "# mine\ngit = \"libgit2\"\n",
    );
}

#[test]
fn the_table_of_settings_is_judged_like_its_keys() {
    for value in [json!(5), json!("x"), json!([])] {
        check_invalid("plugd", value, "plugd");
    }
    check_invalid("plugd", json!({"git": "svn"}), "plugd.git");
    let both = [set("plugd", json!({})), set("x", json!(2))];
    assert!(matches!(refused(&both), WriteError::TwoFiles));
}

#[test]
fn a_null_inside_a_value_is_refused_with_its_place() {
    for (value, field) in [
        (json!({"b": null}), "a.b"),
        (json!({"b": {"c d": null}}), "a.b.\"c d\""),
        (json!([1, null]), "a.1"),
        (json!([{"b": 1}, {"b": [null]}]), "a.1.b.0"),
    ] {
        check_invalid("a", value.clone(), field);
        let edit = Edit {
            strategy: Merge::Upsert,
            ..set("a", value)
        };
        assert!(matches!(refused(&[edit]), WriteError::Invalid { .. }));
    }
    check_invalid("plugd", json!({"git": null}), "plugd.git");
    check_invalid(
        "plugins.p@m",
        json!({"enabled": null}),
        "plugins.\"p@m\".enabled",
    );
}

#[test]
fn an_element_of_an_array_has_no_key() {
    let text = "[[skills.config]]\nname = \"a\"\nenabled = true\n[t]\nl = [1]\n";
    for edit in [
        set("skills.config.0.enabled", false.into()),
        set("skills.config.1", json!({"name": "b", "enabled": false})),
        Edit::delete(key("skills.config.0")),
        set("t.l.0", 2.into()),
        set("t.l.0.a", 2.into()),
    ] {
        let sandbox = Sandbox::new();
        sandbox.write("ch/config.toml", text);
        let field = edit.key_path.to_string();
        match write_to(&sandbox, &[edit]).unwrap_err() {
            WriteError::Invalid { field: found, .. } => assert_eq!(found, field),
            other => panic!("{field}: {other:?}"),
        }
        assert_eq!(sandbox.text("ch/config.toml"), text);
        write_to(&sandbox, &[set("t.0", 5.into())]).unwrap();
    }
}

/// Whoever uninstalls deletes the key of a plugin, whatever somebody has made of the table.
#[test]
fn what_cannot_be_in_an_array_is_deleted_already() {
    for text in ["plugins = []\n", "[[plugins]]\na = 1\n"] {
        let sandbox = Sandbox::new();
        sandbox.write("ch/config.toml", text);
        write_to(&sandbox, &[Edit::delete(key("plugins.p@m"))]).unwrap();
        assert_eq!(sandbox.text("ch/config.toml"), text);
    }
}
