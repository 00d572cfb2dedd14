//! What authors get to read, from values made by hand.

use plugd_model::{ManifestFormat, Place, Problem, ProblemKind};
use plugd_plugins::{Validated, ValidatedKind, Validation};
use pretty_assertions::assert_eq;
use serde_json::json;

use super::page;
use crate::fixture::{path, text};
use crate::page::Form;

fn validation(problems: Vec<Problem>) -> Validation {
    Validation {
        subjects: vec![Validated {
            kind: ValidatedKind::Plugin,
            name: Some("hello\u{1b}".to_owned()),
            path: path("/p/hello"),
            format: Some(ManifestFormat::Claude),
            problems,
        }],
    }
}

fn warning() -> Problem {
    Problem::warning(ProblemKind::UnknownField, "did you mean `skills`")
        .in_file(&path("/p/hello/plugin.json"))
        .at_field("skils")
        .at(Place { line: 3, column: 5 })
}

#[track_caller]
fn check(problems: Vec<Problem>, strict: bool, body: &str, incomplete: Option<&str>) {
    let page = page(validation(problems), strict, text()).unwrap();
    assert_eq!(page.body, body);
    assert_eq!(page.incomplete.as_deref(), incomplete);
    assert_eq!(page.warnings, "");
}

#[test]
fn errors_fail_and_warnings_only_when_strict() {
    let title = "plugin `hello\\u{1b}` (/p/hello)";
    check(Vec::new(), true, &format!("{title}: valid\n"), None);
    let line = "  warning: /p/hello/plugin.json:3:5: skils: did you mean `skills`\n";
    let body = format!("{title}: 1 warning\n{line}");
    check(vec![warning()], false, &body, None);
    let strict = Some("1 warning, and --strict allows none");
    check(vec![warning()], true, &body, strict);
    let error = Problem::error(ProblemKind::Missing, "gone");
    let body = format!("{title}: 2 errors, 1 warning\n  error: gone\n  error: gone\n{line}");
    let problems = vec![error.clone(), error, warning()];
    check(problems, false, &body, Some("2 errors, 1 warning"));
}

#[test]
fn json_says_the_same() {
    let page = page(validation(vec![warning()]), true, Form::Json).unwrap();
    let expected = json!({
        "subjects": [{
            "kind": "plugin", "name": "hello\u{1b}", "path": "/p/hello", "format": "claude",
            "problems": [{
                "kind": "unknownField", "severity": "warning",
                "message": "did you mean `skills`", "path": "/p/hello/plugin.json",
                "field": "skils", "line": 3, "column": 5,
            }],
        }],
        "valid": false, "errors": 0, "warnings": 1,
    });
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&page.body).unwrap(),
        expected
    );
    assert!(page.incomplete.is_some());
}
