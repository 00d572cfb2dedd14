use pretty_assertions::assert_eq;
use serde_json::json;

use super::{requested, required, rows, split, status_text, write, written};
use crate::args::ConfigWriteArgs;
use crate::style::Style;

#[test]
fn values_with_their_layers() {
    let result = json!({
        "config": {"features": {"plugins": true}, "plugins": {"a@b.c": {"enabled": false}}},
        "origins": {
            "features.plugins": {"name": {"type": "sessionFlags"}, "version": "1"},
            "plugins.a@b.c.enabled":
                {"name": {"type": "user", "file": "/ch/config.toml"}, "version": "2"},
        },
    });
    assert_eq!(
        rows(&result, None, Style::PLAIN),
        "KEY                      VALUE  LAYER\n\
         features.plugins         true   sessionFlags\n\
         plugins.\"a@b.c\".enabled  false  user /ch/config.toml\n"
    );
    let one = rows(&result, Some("features"), Style::PLAIN);
    assert_eq!(one.lines().count(), 2, "{one}");
    let none = rows(&result, Some("feature"), Style::PLAIN);
    assert_eq!(none, "Nothing is configured at feature.\n");
    // As the table and as the JSON spell it.
    for key in [
        "plugins.\"a@b.c\".enabled",
        "plugins.'a@b.c'",
        "plugins.a@b.c.enabled",
        "plugins.a@b.c",
        "plugins",
    ] {
        let one = rows(&result, Some(key), Style::PLAIN);
        assert_eq!(one.lines().count(), 2, "{key}: {one}");
        assert!(one.contains("plugins.\"a@b.c\".enabled  false"), "{one}");
    }
    let part = rows(&result, Some("plugins.\"a@b\""), Style::PLAIN);
    assert!(part.starts_with("Nothing is configured at"), "{part}");
}

#[test]
fn layers_follow() {
    let result = json!({"layers": [
        {"name": {"type": "user", "file": "/f"}, "config": {}, "disabledReason": "untrusted"},
    ]});
    assert_eq!(
        rows(&result, None, Style::PLAIN),
        "Nothing is configured.\n\nuser /f (off: untrusted)\n  {}\n"
    );
}

#[test]
fn keys_in_single_quotes_are_asked_for_in_double_ones() {
    for (key, expected) in [
        ("a.b", Some("a.b")),
        ("plugins.'a.b@m'.enabled", Some("plugins.\"a.b@m\".enabled")),
        (
            "plugins.\"it's@m\".enabled",
            Some("plugins.\"it's@m\".enabled"),
        ),
        ("a.'b\"c'", Some("a.\"b\\\"c\"")),
        ("'a'", Some("a")),
        ("a.", Some("a.")),
        ("a.'b'c", None),
        ("a.b'c'", None),
        ("a.'b", None),
    ] {
        assert_eq!(requested(key).as_deref(), expected, "{key}");
    }
}

#[track_caller]
fn splits(edit: &str, expected: Option<(&str, &str)>) {
    assert_eq!(split(edit), expected, "{edit}");
}

#[test]
fn edits() {
    splits("a=1", Some(("a", "1")));
    splits("a.\"b=c\" = x=y", Some(("a.\"b=c\"", "x=y")));
    splits("a", None);
    let args = |edits: &[&str], merge| ConfigWriteArgs {
        edits: edits.iter().map(|&edit| edit.to_owned()).collect(),
        merge,
        expected_version: None,
    };
    let question = write(&args(&["a=1", "b=word"], true)).unwrap();
    assert_eq!(
        question.params,
        json!({"expectedVersion": null, "edits": [
            {"keyPath": "a", "value": 1, "mergeStrategy": "upsert"},
            {"keyPath": "b", "value": "word", "mergeStrategy": "upsert"},
        ]})
    );
    assert!(write(&args(&["a"], false)).is_err());
}

#[test]
fn what_was_written_and_what_counts_instead() {
    let result = json!({"filePath": "/f", "overriddenMetadata": {"message": "another wins"}});
    assert_eq!(written(&result, Style::PLAIN), "Wrote /f.\nanother wins\n");
    let none = json!({"requirements": null});
    assert_eq!(required(&none, Style::PLAIN), "Nothing is required.\n");
}

#[test]
fn the_status_is_two_tables() {
    let result = json!({
        "version": "1", "home": "/ch",
        "layers": [{"kind": "store", "state": "stale", "stale": ["a@b"], "message": null}],
        "tasks": [{"kind": "refresh", "state": "idle", "outcome": "ok", "problem": null}],
    });
    assert_eq!(
        status_text(&result, Style::PLAIN),
        "plugd 1, home /ch\n\n\
         LAYER  STATE  STALE  NOTE\nstore  stale  a@b\n\n\
         TASK     STATE  OUTCOME  NOTE\nrefresh  idle   ok\n"
    );
}
