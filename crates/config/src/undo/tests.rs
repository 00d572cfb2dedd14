use std::time::Duration;

use plugd_disk::Disk;
use plugd_model::PluginId;
use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{UndoRecord, UndoRecordError, Undone, undo};
use crate::{Edit, KeyPath, LastEdit, MarketplaceKind, plan, write};

const PATIENCE: Duration = Duration::from_secs(20);

fn set(path: &str, value: Value) -> Edit {
    Edit::set(KeyPath::parse(path).unwrap(), value)
}

fn delete(path: &str) -> Edit {
    Edit::delete(KeyPath::parse(path).unwrap())
}

fn enable(id: &str) -> Edit {
    Edit::set_plugin_enabled(&PluginId::parse(id).unwrap(), true)
}

/// Writes the edits, lets `meanwhile` change the text, and undoes. The record goes through JSON.
#[track_caller]
fn check(
    before: &str,
    edits: &[Edit],
    meanwhile: impl Fn(String) -> String,
    after: &str,
) -> Undone {
    let sandbox = Sandbox::new();
    sandbox.write("ch/config.toml", before);
    let (disk, layout) = (Disk::new(), sandbox.layout());
    let planned = plan(&disk, &layout, edits, &LastEdit::default())
        .unwrap()
        .undo();
    assert_eq!(sandbox.text("ch/config.toml"), before);
    let written = write(&disk, &layout, edits, None, PATIENCE).unwrap();
    assert_eq!(planned, written.undo());
    let changed = meanwhile(sandbox.text("ch/config.toml"));
    sandbox.write("ch/config.toml", changed);
    let text = planned.to_json().to_string();
    let record = UndoRecord::from_json(&serde_json::from_str(&text).unwrap()).unwrap();
    assert_eq!(record, planned);
    let undone = undo(&disk, &layout, &record, PATIENCE).unwrap();
    assert_eq!(sandbox.text("ch/config.toml"), after);
    undone
}

/// Checks that the edits and their undo together change no byte.
#[track_caller]
fn check_exact(before: &str, edits: &[Edit]) {
    check(before, edits, |text| text, before);
}

#[test]
fn the_bytes_come_back() {
    let old = "\u{feff}# head\r\n[plugins.\"p@m\"] # why\r\nenabled = false # off\r\n\r\n# end";
    check_exact(old, &[enable("p@m")]);
    check_exact(old, &[enable("q@m")]);
    check_exact(old, &[delete("plugins.p@m")]);
    check_exact(old, &[delete("plugins")]);
    check_exact(
        old,
        &[
            set("plugins", json!({"x@m": {}})),
            delete("plugins.x@m"),
            set("a", json!(1)),
        ],
    );
    check_exact("p = { }", &[set("p.a", json!(1))]);
    check_exact(
        "d = 1979-05-27\nx = 0x10\n",
        &[set("d", json!(1)), set("x", json!(2))],
    );
    check_exact("a.b = 1\n", &[delete("a.b")]);
    let git = MarketplaceKind::Git {
        source: "a/b".to_owned(),
        ref_name: None,
        sparse_paths: Vec::new(),
    };
    check_exact(
        "[marketplaces.m]\nref = 'x' # y\n",
        &Edit::set_marketplace("m", &git),
    );
}

#[test]
fn changes_elsewhere_stay() {
    let other = |text: String| format!("# new\n{text}\n[z]\nk = 1\n");
    let undone = check(
        "a = 1\n",
        &[enable("p@m")],
        other,
        "# new\na = 1\n\n[z]\nk = 1\n",
    );
    assert_eq!(
        undone.restored,
        [KeyPath::parse("plugins.p@m.enabled").unwrap()]
    );
    check(
        "# 1\n[plugins.\"p@m\"] # 2\n# 3\nenabled = true # 4\n",
        &[delete("plugins.p@m")],
        |text| format!("{text}\n[plugins.\"q@m\"]\nenabled = true\n"),
        "# 1\n[plugins.\"p@m\"] # 2\n# 3\nenabled = true # 4\n\n[plugins.\"q@m\"]\nenabled = true\n",
    );
    // A neighbour right behind hides the surroundings; the ordinary edit does it then.
    check(
        "[plugins.\"a@m\"]\nenabled = true\n[z]\n",
        &[enable("p@m")],
        |text| {
            text.replace(
                "true\n[z]",
                "true\n\n[plugins.\"q@m\"]\nenabled = true\n[z]",
            )
        },
        "[plugins.\"a@m\"]\nenabled = true\n\n[plugins.\"q@m\"]\nenabled = true\n[z]\n",
    );
}

#[test]
fn what_somebody_decided_since_stays() {
    let off = |text: String| text.replace("true", "false");
    let undone = check(
        "",
        &[enable("p@m")],
        off,
        "[plugins.\"p@m\"]\nenabled = false\n",
    );
    assert_eq!(
        undone.left,
        [KeyPath::parse("plugins.p@m.enabled").unwrap()]
    );
    assert!(undone.restored.is_empty());
    let gone = check("a = 1\n", &[enable("p@m")], |_| String::new(), "");
    assert_eq!(gone.left.len(), 1);
    // A table that has got something else is not taken away with the key.
    check(
        "",
        &[enable("p@m")],
        |text| format!("{text}mine = 1\n"),
        "[plugins.\"p@m\"]\nmine = 1\n",
    );
    // Of two keys one has changed.
    let undone = check(
        "a = 1\nb = 1\n",
        &[set("a", json!(2)), set("b", json!(2))],
        |text| text.replace("b = 2", "b = 3"),
        "a = 1\nb = 3\n",
    );
    assert_eq!((undone.restored.len(), undone.left.len()), (1, 1));
}

#[test]
fn an_edit_that_was_never_made_needs_no_undo() {
    let sandbox = Sandbox::from("== ch/config.toml\na = 1\n");
    let (disk, layout) = (Disk::new(), sandbox.layout());
    let record = plan(&disk, &layout, &[enable("p@m")], &LastEdit::default())
        .unwrap()
        .undo();
    let undone = undo(&disk, &layout, &record, PATIENCE).unwrap();
    assert_eq!((undone.restored.len(), undone.left.len()), (0, 1));
    assert_eq!(sandbox.text("ch/config.toml"), "a = 1\n");
    // Nothing to change is nothing to undo.
    let record = plan(&disk, &layout, &[set("a", json!(1))], &LastEdit::default())
        .unwrap()
        .undo();
    assert_eq!(
        undo(&disk, &layout, &record, PATIENCE).unwrap(),
        Undone::default()
    );
}

#[test]
fn undoing_twice_is_undoing_once() {
    let sandbox = Sandbox::from("== ch/plugd.toml\n# mine\n");
    let (disk, layout) = (Disk::new(), sandbox.layout());
    let written = write(
        &disk,
        &layout,
        &[set("plugd.git", json!("auto"))],
        None,
        PATIENCE,
    )
    .unwrap();
    assert_eq!(sandbox.text("ch/plugd.toml"), "# mine\ngit = \"auto\"\n");
    for restored in [1, 0] {
        let undone = undo(&disk, &layout, &written.undo(), PATIENCE).unwrap();
        assert_eq!(undone.restored.len(), restored);
        assert_eq!(sandbox.text("ch/plugd.toml"), "# mine\n");
    }
}

#[test]
fn what_is_no_record() {
    let sandbox = Sandbox::new();
    let record = plan(
        &Disk::new(),
        &sandbox.layout(),
        &[enable("p@m")],
        &LastEdit::default(),
    )
    .unwrap()
    .undo();
    for member in ["version", "file", "digestAfter", "keys", "splices"] {
        let mut value = record.to_json();
        value[member] = Value::Null;
        assert_eq!(
            UndoRecord::from_json(&value),
            Err(UndoRecordError::Member { member })
        );
    }
    for (list, members) in [
        ("keys", vec!["path", "before", "after", "created"]),
        (
            "splices",
            vec!["at", "removed", "inserted", "front", "behind"],
        ),
    ] {
        for member in members {
            let mut value = record.to_json();
            value[list][0][member] = Value::Null;
            assert_eq!(
                UndoRecord::from_json(&value),
                Err(UndoRecordError::Member { member })
            );
        }
    }
    let mut value = record.to_json();
    value["version"] = json!(2);
    assert_eq!(
        UndoRecord::from_json(&value),
        Err(UndoRecordError::TooNew { found: 2 })
    );
    assert!(UndoRecord::from_json(&json!([])).is_err());
}
