//! Properties of edits and undo on generated documents: headers in any order, dotted keys, braces,
//! arrays of tables, comments, both line endings, byte order mark, with and without a last line
//! ending.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::UndoRecord;
use crate::edit::{self, EditError, Splice};
use crate::write::Target;
use crate::{Edit, KeyPath, Merge};

fn comment() -> impl Strategy<Value = &'static str> {
    select(vec!["", "", " # c", "  # \"x\" [y] = {"])
}

fn value() -> impl Strategy<Value = &'static str> {
    select(vec![
        "true",
        "0x1F",
        "-1.5e3",
        "1979-05-27T07:32:00Z",
        "\"a # b\"",
        "'c\\d'",
        "\"\"\"m\n[x]\n# no\"\"\"",
        "'''\n'''",
        "[]",
        "[1, 2, 3,]",
        "[\n  1, # one\n  # two\n  2\n]",
        "{}",
        "{ }",
        "{ a = 1, b.c = 2, b.d = { e = 3 } }",
        "{a={b=1},}",
        "{ # one\n  a = 1, # two\n  b.c = 2 # three\n}",
        "[{ a = 1 }, { a = 2 }]",
    ])
}

fn line() -> impl Strategy<Value = String> {
    let key = select(vec![
        "a", "b", "c", "k.a", "k.b", "\"q r\"", "p . s", "t.a.b", "t.a.c",
    ]);
    let indent = select(vec!["", "  ", "\t"]);
    let space = select(vec!["", " ", "  "]);
    (indent, key, space, value(), comment()).prop_map(|(indent, key, space, value, tail)| {
        format!("{indent}{key}{space}={space}{value}{tail}\n")
    })
}

fn block() -> impl Strategy<Value = String> {
    let header = select(vec![
        "[t]",
        "[t.a]",
        "[ t . b ]",
        "[t.b.c]",
        "[u]",
        "[[l]]",
        "[[l]]",
        "[l.x]",
        "[[l.m]]",
        "[k]",
        "[\"q r\".s]",
        "[v.w]",
        "[[v.l]]",
    ]);
    let between = select(vec!["", "\n", "# own line\n", "\n\n# two\n", "  \n"]);
    let lines = proptest::collection::vec((between.clone(), line()), 0..4);
    (between, header, comment(), lines).prop_map(|(between, header, tail, lines)| {
        let lines: String = lines
            .into_iter()
            .map(|(gap, line)| format!("{gap}{line}"))
            .collect();
        format!("{between}{header}{tail}\n{lines}")
    })
}

/// A valid document. Lines and blocks that contradict those in front of them are left out.
fn document() -> impl Strategy<Value = String> {
    let lines = proptest::collection::vec(line(), 0..4);
    let blocks = proptest::collection::vec(block(), 0..6);
    let tail = select(vec!["", "# end\n", "\n", "\n\n"]);
    (lines, blocks, tail, any::<[bool; 3]>()).prop_map(|(lines, blocks, tail, [crlf, bom, cut])| {
        let mut text = String::new();
        for part in lines.into_iter().chain(blocks) {
            let mut longer = text.clone();
            longer.push_str(&part);
            if edit::meaning(&longer).is_ok() {
                text = longer;
            }
        }
        text.push_str(tail);
        if cut {
            text.truncate(text.trim_end_matches('\n').len());
        }
        if crlf {
            text = text.replace('\n', "\r\n");
        }
        if bom {
            text.insert(0, '\u{feff}');
        }
        text
    })
}

/// Every path of a document, tables and elements included.
fn paths(value: &Value, path: &mut Vec<String>, out: &mut Vec<Vec<String>>) {
    let members: Vec<(String, &Value)> = match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, value)| (at.to_string(), value))
            .collect(),
        _ => Vec::new(),
    };
    for (name, member) in members {
        path.push(name);
        out.push(path.clone());
        paths(member, path, out);
        path.pop();
    }
}

/// A key that is there, or one below it or below the top that is probably not.
fn key(before: &Value, pick: Index, new: &[&str], below: bool) -> KeyPath {
    let mut all = Vec::new();
    paths(before, &mut Vec::new(), &mut all);
    let mut path = match (all.is_empty(), below || new.is_empty()) {
        (false, true) => pick.get(&all).clone(),
        _ => Vec::new(),
    };
    path.extend(new.iter().map(|name| (*name).to_owned()));
    KeyPath::new(path).unwrap_or_else(|_| KeyPath::parse("n").unwrap())
}

fn new_value() -> impl Strategy<Value = Option<Value>> {
    select(vec![
        None,
        Some(json!(true)),
        Some(json!("x\ny")),
        Some(json!([1, {"z": 1}])),
        Some(json!({})),
        Some(json!({"a": 7, "y": {"z": 1}})),
        Some(json!([{"a": 1}, {"a": 2}])),
    ])
}

/// A document without what stands at a path.
fn without(value: &Value, path: &[String]) -> Value {
    let mut value = value.clone();
    let Some((last, parents)) = path.split_last() else {
        return value;
    };
    let pointer: String = parents.iter().map(|name| format!("/{name}")).collect();
    match value.pointer_mut(&pointer) {
        Some(Value::Object(members)) => {
            members.remove(last);
        }
        Some(Value::Array(items)) => {
            if let Some(index) = last.parse().ok().filter(|index| *index < items.len()) {
                items.remove(index);
            }
        }
        _ => {}
    }
    value
}

/// A document without tables and arrays that are empty, which a removal may take along.
fn pruned(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| (name.clone(), pruned(member)))
            .filter(|(_, member)| *member != json!({}) && *member != json!([]))
            .collect(),
        Value::Array(items) => items.iter().map(pruned).collect(),
        other => other.clone(),
    }
}

/// The text after its splices, each checked against what it says it removes.
fn replay(text: &str, splices: &[Splice]) -> String {
    let mut text = text.to_owned();
    for splice in splices {
        let span = splice.at..splice.at + splice.removed.len();
        assert_eq!(text[span.clone()], splice.removed);
        text.replace_range(span, &splice.inserted);
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_edit_changes_its_key_only_and_can_be_undone(
        text in document(),
        pick in any::<Index>(),
        new in select(vec![vec![], vec!["n"], vec!["n", "m"], vec!["n n", "m", "o"], vec!["0"]]),
        below in any::<bool>(),
        value in new_value(),
        upsert in any::<bool>(),
    ) {
        let before = edit::meaning(&text).unwrap();
        let key_path = key(&before, pick, &new, below);
        let strategy = if upsert { Merge::Upsert } else { Merge::Replace };
        let edit = Edit { key_path: key_path.clone(), value: value.clone(), strategy };
        let path = key_path.segments();
        let edited = match edit::apply(&text, std::slice::from_ref(&edit)) {
            Ok(edited) => edited,
            // Something above the key is no table.
            Err(EditError::Refused { .. }) => return Ok(()),
            Err(error) => return Err(TestCaseError::fail(format!("{error:?}"))),
        };

        // The result means what it must, and nothing else does.
        let after = edit::meaning(&edited.after.text).unwrap();
        prop_assert_eq!(&after, &edited.after.meaning);
        let is_element = path.split_last().is_some_and(|(_, parents)| {
            edit::lookup(&before, parents).is_some_and(Value::is_array)
        });
        let others = match value.is_none() && is_element {
            // The elements behind a removed one have moved up.
            true => after.clone(),
            false => without(&after, path),
        };
        prop_assert_eq!(pruned(&without(&before, path)), pruned(&others));
        match (&value, upsert) {
            (Some(value), false) => prop_assert_eq!(edit::lookup(&after, path), Some(value)),
            (None, _) if !is_element => prop_assert_eq!(edit::lookup(&after, path), None),
            _ => {}
        }

        // Bytes: an insertion removes none, a removal inserts none, no change changes none.
        let was_there = edit::lookup(&before, path).is_some();
        if !was_there {
            prop_assert!(edited.splices.iter().all(|splice| splice.removed.is_empty()));
        }
        if value.is_none() {
            prop_assert!(edited.splices.iter().all(|splice| splice.inserted.is_empty()));
        }
        if before == after {
            prop_assert_eq!(&edited.after.text, &text);
        }
        let is_single = |value: &Value| !value.is_object() && !value.is_array();
        if let (Some(old), Some(new)) = (edit::lookup(&before, path), &value)
            && is_single(old) && is_single(new) && old != new
        {
            // Of a value in place of another one, nothing but the value is touched.
            prop_assert_eq!(edited.splices.len(), 1);
            let removed = edit::meaning(&format!("x = {}", edited.splices[0].removed)).unwrap();
            prop_assert_eq!(&removed["x"], old);
        }
        prop_assert_eq!(&replay(&text, &edited.splices), &edited.after.text);
        let bare = edited.after.text.matches('\n').count() - edited.after.text.matches("\r\n").count();
        if text.contains("\r\n") {
            prop_assert_eq!(bare, 0, "a line ending of another kind");
        }
        prop_assert_eq!(text.starts_with('\u{feff}'), edited.after.text.starts_with('\u{feff}'));

        // Undo, also through JSON, and also when something was added at both ends meanwhile.
        let record = UndoRecord::of(Target::Config, std::slice::from_ref(&edit), &edited);
        let record = UndoRecord::from_json(&record.to_json()).unwrap();
        let (undone, _) = record.undo(&edited.after.text).unwrap();
        prop_assert_eq!(&undone, &text);
        let longer = format!("{}\n[zz]\nz = 1\n", edited.after.text);
        let (undone, _) = record.undo(&longer).unwrap();
        let mut expected = before.clone();
        expected["zz"] = json!({"z": 1});
        prop_assert_eq!(pruned(&edit::meaning(&undone).unwrap()), pruned(&expected));
    }

    /// What an insertion added, a plain removal takes away again.
    #[test]
    fn a_removal_mirrors_an_insertion(
        text in document(),
        new in select(vec![vec!["n"], vec!["n", "m"], vec!["t", "n", "m"], vec!["u", "n"], vec!["k", "n"]]),
        value in select(vec![json!(1), json!({"x": 1}), json!({"x": {"y": 1}})]),
    ) {
        let before = edit::meaning(&text).unwrap();
        let path = KeyPath::new(new).unwrap();
        let Ok(edited) = edit::apply(&text, &[Edit::set(path.clone(), value)]) else {
            return Ok(());
        };
        let existing = (0..path.segments().len())
            .rev()
            .find(|depth| edit::lookup(&before, &path.segments()[..*depth]).is_some())
            .unwrap();
        let created = KeyPath::new(path.segments()[..=existing].to_vec()).unwrap();
        let removed = edit::apply(&edited.after.text, &[Edit::delete(created)]).unwrap();
        prop_assert_eq!(removed.after.text.replace("{ }", "{}"), text.replace("{ }", "{}"));
    }
}
