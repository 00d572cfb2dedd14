//! Tests of how the JSON of the service is split.

use pretty_assertions::assert_eq;
use serde_json::value::RawValue;

use super::{Notes, Object, Source, check, quoted};

fn split(text: &str) -> Object<'_> {
    Object::split(check(text.as_bytes()).unwrap(), "", Source(None)).unwrap()
}

#[test]
fn what_is_no_json_is_told_apart() {
    let reason = |bytes: &[u8]| check(bytes).map(RawValue::get).unwrap_err();
    assert_eq!(reason(b"\xff"), "it is not UTF-8");
    let deep = "[".repeat(129);
    assert_eq!(
        reason(deep.as_bytes()),
        "it is nested deeper than 128 levels"
    );
    assert!(reason(b"<html>").starts_with("it is not valid JSON: "));
    assert!(reason(b"{} {}").starts_with("it is not valid JSON: "));
    let deep = format!("{}{}", "[".repeat(128), "]".repeat(128));
    assert!(check(deep.as_bytes()).is_ok());
}

#[test]
fn null_is_a_member_that_is_not_there() {
    let object = split(r#"{"a": null}"#);
    assert_eq!(object.text("a"), Ok(None));
    assert_eq!((object.has("a"), object.has("b")), (true, false));
    let problem = object.needed("a", object.text("a")).unwrap_err();
    assert_eq!(problem.message, "`a` is missing");
}

#[test]
fn a_problem_names_path_and_place() {
    let text = "{\n \"a\": [{\"b\": 1},\n  {\"b\": \"x\"}, 7]}";
    let raw = check(text.as_bytes()).unwrap();
    let object = Object::split(raw, "", Source(Some(text))).unwrap();
    let mut notes = Notes::default();
    let read = object.readable("a", &mut notes, |one, _| one.needed("b", one.text("b")));
    assert_eq!(read, Some(vec!["x".to_owned()]));
    let shown: Vec<_> = notes
        .0
        .iter()
        .map(|problem| {
            let place = problem.place.unwrap();
            let field = problem.field.as_deref().unwrap();
            format!(
                "{field} {}:{} {}",
                place.line, place.column, problem.message
            )
        })
        .collect();
    assert_eq!(
        shown,
        ["a[0].b 2:14 `b` is not a text", "a[2] 3:15 is no object"]
    );
}

#[test]
fn problems_are_bounded() {
    let text = format!("{{\"a\": [{}1]}}", "1,".repeat(500));
    let mut notes = Notes::default();
    let read = split(&text).readable("a", &mut notes, |_, _| Ok(()));
    assert_eq!((read, notes.0.len()), (Some(Vec::new()), 100));
}

#[test]
fn words_of_a_closed_set() {
    let object = split(r#"{"a": "x", "b": 1, "c": "y\u0007"}"#);
    let of_word = |word: &str| (word == "x").then_some(1);
    assert_eq!(object.word("a", of_word), Ok(Some(1)));
    let message = |key| object.word(key, of_word).unwrap_err().message;
    assert_eq!(message("b"), "`b` is not a text");
    assert_eq!(message("c"), "`c` has the unknown value `y\\u{7}`");
    assert_eq!(quoted(&"ä".repeat(61)), format!("{}…", "ä".repeat(60)));
}
