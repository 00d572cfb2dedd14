//! Edits of a configuration: what comes out means what it should, all else stays, and the way back
//! leads to the same bytes.

use plugd_config::{Edit, KeyPath, Merge, SessionFlags, UndoRecord, load, undo, write};
use plugd_disk::Disk;
use plugd_model::Layout;
use serde_json::{Map, Value};
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, Value as Toml};

use super::parts;
use super::place::Place;

pub(crate) const WORDS: &[&str] = &[
    "\n[plugins.\"a@b\"]\n",
    "\n[[skills.config]]\n",
    "enabled = true\n",
    "= features.plugins := false\n",
    "\n%%\n",
    "- plugins.\"a@b\" := null\n",
    "+ a := {\"b\": [1, {\"c\": \"d\"}]}\n",
    "> a.list := {\"x\": 1}\n",
    "a.b.c = 1\n",
    "x = { y = 1, z = { } }\n",
    "# comment\n",
    "\r\n",
    "\"\"\"",
    "'''",
    "\\u00e9",
    "\u{feff}",
    "1979-05-27T07:32:00Z",
    "0x1F",
    "nan",
    "-inf",
    "[a.b]\n",
    "[[a]]\n",
    "\"quoted key\"",
    "'lit'",
    "{",
    "}",
    "[",
    "]",
    ",",
    "=",
    "\"",
    ".",
    "\t",
];

/// A document, and behind a line `%%` the edits, one per line: `=` replaces, `+` merges, `>` appends,
/// `-` deletes; then the key path, ` := ` and a value.
pub(crate) fn run(input: &[u8]) {
    let parts = parts(input);
    let edits = match parts.get(1) {
        Some(text) => edits(&String::from_utf8_lossy(text)),
        None => Vec::new(),
    };
    let edits = if edits.is_empty() {
        vec![edit("= features.plugins := true").unwrap()]
    } else {
        edits
    };
    let place = Place::new();
    let layout = Layout::new(place.path("ch"), place.path("etc"));
    place.write("ch/config.toml", parts[0]);
    let disk = Disk::new();
    let flags = SessionFlags::none();
    drop(load(&disk, &layout, &flags, None));
    let written = write(
        &disk,
        &layout,
        &edits,
        None,
        std::time::Duration::from_secs(10),
    );
    let after = place.read("ch/config.toml");
    let written = match written {
        Ok(written) => written,
        Err(error) => {
            assert!(after == parts[0], "refused and changed: {error}");
            return;
        }
    };
    assert_eq!(written.changed, after != parts[0]);
    drop(load(&disk, &layout, &flags, None));
    check_meaning(parts[0], &after, &edits);
    let record = UndoRecord::from_json(&written.undo().to_json()).unwrap();
    assert_eq!(
        record,
        written.undo(),
        "the record does not survive its file"
    );
    let undone = undo(&disk, &layout, &record, std::time::Duration::from_secs(10)).unwrap();
    assert!(undone.left.is_empty(), "{undone:?}");
    let back = place.read("ch/config.toml");
    let text = String::from_utf8_lossy;
    assert!(
        back == parts[0],
        "the way back leads elsewhere:\n{}\n-- and not --\n{}\n-- by {edits:?}",
        text(&back),
        text(parts[0])
    );
}

fn edits(text: &str) -> Vec<Edit> {
    let is_of_us = |edit: &Edit| edit.key_path.segments()[0] != "plugd";
    text.lines()
        .filter_map(edit)
        .filter(is_of_us)
        .take(4)
        .collect()
}

fn edit(line: &str) -> Option<Edit> {
    let mut chars = line.chars();
    let strategy = chars.next()?;
    let (key, value) = chars.as_str().split_once(" := ")?;
    let key_path = KeyPath::parse(key.trim()).ok()?;
    let value = serde_json::from_str(value).ok();
    match strategy {
        '-' => Some(Edit::delete(key_path)),
        '=' => Some(Edit::set(key_path, value?)),
        '+' | '>' => Some(Edit {
            key_path,
            value: Some(value?),
            strategy: if strategy == '+' {
                Merge::Upsert
            } else {
                Merge::Append
            },
        }),
        _ => None,
    }
}

/// Another reader of the same format finds what was meant, and everything else as it was.
fn check_meaning(before: &[u8], after: &[u8], edits: &[Edit]) {
    let mut now = meaning(after).unwrap_or_else(|| {
        panic!(
            "what was written is no TOML:\n{}",
            String::from_utf8_lossy(after)
        )
    });
    let mut then = meaning(before).expect("what was edited is TOML");
    let is_new =
        |edit: &Edit| edit.strategy != Merge::Append && at(&then, &edit.key_path).is_none();
    let adds_only = edits
        .iter()
        .all(|edit| is_new(edit) && edit.value.is_some());
    if let [edit] = edits {
        check_edited(&now, &then, edit);
    }
    for edit in edits {
        for meaning in [&mut now, &mut then] {
            forget(meaning, edit.key_path.segments());
        }
    }
    assert_eq!(now, then, "a foreign key has changed by {edits:?}");
    if adds_only {
        check_nothing_lost(before, after);
    }
}

fn check_edited(now: &Value, then: &Value, edit: &Edit) {
    let found = at(now, &edit.key_path);
    // A number in a path may mean an element, and a switch of a hook brings its other half along.
    let is_plain = |part: &String| part.parse::<usize>().is_err() && part != "hooks";
    if !edit.key_path.segments().iter().all(is_plain) {
        return;
    }
    match (&edit.value, edit.strategy) {
        (None, _) => assert_eq!(found, None, "{edit:?}"),
        (Some(Value::Null), _) => assert_eq!(found, None, "{edit:?}"),
        (Some(value), Merge::Replace) => {
            assert!(
                found.is_some_and(|found| same(found, value)),
                "{edit:?} made {found:?}"
            );
        }
        (Some(value), Merge::Append) => {
            let list = found.and_then(Value::as_array);
            assert!(
                list.and_then(|list| list.last())
                    .is_some_and(|last| same(last, value)),
                "{edit:?}"
            );
            let length = at(then, &edit.key_path)
                .and_then(Value::as_array)
                .map_or(0, Vec::len);
            assert_eq!(list.unwrap().len(), length + 1, "{edit:?}");
        }
        (Some(_), _) => assert!(found.is_some(), "{edit:?}"),
    }
}

/// Equal for the reader of a configuration: numbers have no spelling.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            left == right || left.as_f64() == right.as_f64()
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| same(l, r))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(name, l)| right.get(name).is_some_and(|r| same(l, r)))
        }
        _ => left == right,
    }
}

/// A new key takes nothing away: all bytes are still there, in their order.
fn check_nothing_lost(before: &[u8], after: &[u8]) {
    let mut rest = before.iter().peekable();
    for byte in after {
        rest.next_if(|wanted| *wanted == byte);
    }
    assert!(
        rest.peek().is_none(),
        "a new key took something away:\n{}",
        String::from_utf8_lossy(after)
    );
}

fn at<'v>(meaning: &'v Value, path: &KeyPath) -> Option<&'v Value> {
    let mut parts = path.segments().iter();
    parts.try_fold(meaning, |value, part| match value {
        Value::Array(elements) => elements.get(part.parse::<usize>().ok()?),
        other => other.get(part),
    })
}

/// Removes a key with what was made for it: an array that stands on the way goes as a whole, and a
/// table that is empty then says nothing.
fn forget(meaning: &mut Value, path: &[String]) {
    let (Some(table), Some((first, rest))) = (meaning.as_object_mut(), path.split_first()) else {
        return;
    };
    if let Some(below) = table.get_mut(first) {
        if below.is_object() && !rest.is_empty() {
            forget(below, rest);
        }
        let is_empty = below.as_object().is_some_and(Map::is_empty);
        if rest.is_empty() || below.is_array() || is_empty {
            table.remove(first);
        }
    }
}

fn meaning(text: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(text).ok()?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let document: DocumentMut = text.parse().ok()?;
    Some(of_table(document.as_table()))
}

fn of_table(table: &Table) -> Value {
    let members = table.iter().filter(|(_, item)| !item.is_none());
    Value::Object(
        members
            .map(|(name, item)| (name.to_owned(), of_item(item)))
            .collect(),
    )
}

fn of_item(item: &Item) -> Value {
    match item {
        Item::None => Value::Null,
        Item::Value(value) => of_value(value),
        Item::Table(table) => of_table(table),
        Item::ArrayOfTables(tables) => Value::Array(tables.iter().map(of_table).collect()),
    }
}

fn of_value(value: &Toml) -> Value {
    match value {
        Toml::String(text) => Value::from(text.value().as_str()),
        Toml::Integer(number) => Value::from(*number.value()),
        Toml::Float(number) if number.value().is_finite() => Value::from(*number.value()),
        Toml::Float(number) => Value::from(format!("float {}", number.value())),
        Toml::Boolean(choice) => Value::from(*choice.value()),
        Toml::Datetime(time) => Value::from(format!("time {}", time.value())),
        Toml::Array(array) => of_array(array),
        Toml::InlineTable(table) => of_inline(table),
    }
}

fn of_array(array: &Array) -> Value {
    Value::Array(array.iter().map(of_value).collect())
}

fn of_inline(table: &InlineTable) -> Value {
    Value::Object(
        table
            .iter()
            .map(|(name, value)| (name.to_owned(), of_value(value)))
            .collect(),
    )
}
