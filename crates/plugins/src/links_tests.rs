//! What is read of the file of the links, and what is left of it when it is written.

use std::time::Duration;

use plugd_model::{AbsPath, PluginId};
use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::{LinkEdit, Links, write};
use crate::fixture::lookup;
use crate::link_error::LinkError;

const FILE: &str = "ch/plugins/.plugd/links.json";

fn id(text: &str) -> PluginId {
    PluginId::parse(text).unwrap()
}

fn path(text: &str) -> AbsPath {
    AbsPath::new(text).unwrap()
}

/// The links of a file as `id path`, and the fields that are wrong.
#[track_caller]
fn check(content: &str, expected: &[&str], wrong: &[&str]) {
    let sandbox = Sandbox::new();
    sandbox.write(FILE, content);
    let found = Links::read(lookup(&sandbox).disk(), &sandbox.layout());
    let rows: Vec<_> = found
        .rows
        .iter()
        .map(|(id, path)| format!("{id} {path}"))
        .collect();
    assert_eq!(rows, expected);
    let fields = found.problems.iter();
    let fields: Vec<_> = fields
        .map(|problem| problem.field.as_deref().unwrap_or("-"))
        .collect();
    assert_eq!(fields, wrong);
}

#[test]
fn what_is_read() {
    check(r#"{"version": 1}"#, &[], &[]);
    check(
        r#"{"version": 1, "links": {"a@m": {"path": "/a", "more": 1}, "b@n": {"path": "/b"}}}"#,
        &["a@m /a", "b@n /b"],
        &[],
    );
    check(
        r#"{"links": {"a@m": {"path": "rel"}, "b": {"path": "/b"}, "c@m": 5, "d@m": {"path": "/d"}}}"#,
        &["d@m /d"],
        &["links.a@m", "links.b", "links.c@m"],
    );
    check("[", &[], &["-"]);
    check(
        r#"{"version": 2, "links": {"a@m": {"path": "/a"}}}"#,
        &[],
        &["-"],
    );
    assert_eq!(
        Links::read(lookup(&Sandbox::new()).disk(), &Sandbox::new().layout()),
        Links::default()
    );
}

fn edit(sandbox: &Sandbox, what: &str, to: Option<&str>) -> Result<(), LinkError> {
    let edit = LinkEdit {
        id: id(what),
        to: to.map(path),
    };
    let wait = Duration::ZERO;
    write(lookup(sandbox).disk(), &sandbox.layout(), wait, 7, |_| {
        Ok((vec![edit], ()))
    })
}

#[test]
fn members_of_others_stay() {
    let sandbox = Sandbox::new();
    sandbox.write(
        FILE,
        r#"{"version": 1, "note": true, "links": {"a@m": {"path": "/a", "colour": "red"}, "b@m": 5}}"#,
    );
    edit(&sandbox, "a@m", Some("/other")).unwrap();
    edit(&sandbox, "c@m", Some("/c")).unwrap();
    edit(&sandbox, "gone@m", None).unwrap();
    let written: Value = serde_json::from_str(&sandbox.text(FILE)).unwrap();
    assert_eq!(
        written,
        json!({"version": 1, "note": true, "links": {
            "a@m": {"path": "/other", "colour": "red", "linkedAt": 7},
            "b@m": 5,
            "c@m": {"path": "/c", "linkedAt": 7},
        }})
    );
}

#[test]
fn a_file_that_is_not_understood_is_not_written() {
    for content in ["[", r#"{"version": 2}"#] {
        let sandbox = Sandbox::new();
        sandbox.write(FILE, content);
        assert!(edit(&sandbox, "a@m", Some("/a")).is_err());
        assert_eq!(sandbox.text(FILE), content);
    }
}
