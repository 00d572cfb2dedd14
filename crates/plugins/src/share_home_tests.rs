use plugd_model::{AuthPolicy, InstallPolicy, PluginName};
use pretty_assertions::assert_eq;

use super::{HomeEntry, with_entry};

fn entry() -> HomeEntry {
    HomeEntry {
        name: PluginName::new("one").unwrap(),
        path: "./plugins/one".to_owned(),
        install_policy: InstallPolicy::Available,
        auth_policy: AuthPolicy::OnUse,
        category: Some("Tools".to_owned()),
    }
}

/// The file afterwards, or what is wrong with it and where.
#[track_caller]
fn check(present: &str, expected: &str) {
    let edited = with_entry(Some(present.as_bytes()), &entry()).unwrap();
    assert_eq!(edited.text, expected);
    let value: serde_json::Value = serde_json::from_str(&edited.text).unwrap();
    assert_eq!(value["name"], edited.name.as_str());
    // What was written says the same when it is written again.
    let again = with_entry(Some(edited.text.as_bytes()), &entry()).unwrap();
    assert_eq!(again, edited);
}

#[track_caller]
fn check_refused(present: &str, message: &str, place: Option<(u32, u32)>) {
    let problem = with_entry(Some(present.as_bytes()), &entry()).unwrap_err();
    let found = problem.place.map(|place| (place.line, place.column));
    assert_eq!(
        (problem.message.as_str(), found),
        (message, place),
        "{present}"
    );
}

#[test]
fn a_new_marketplace_is_the_one_of_the_reference() {
    let edited = with_entry(None, &entry()).unwrap();
    assert_eq!(edited.name.as_str(), "codex-curated");
    let expected = r#"{
  "name": "codex-curated",
  "interface": {
    "displayName": "Personal"
  },
  "plugins": [
    {
      "name": "one",
      "source": {
        "source": "local",
        "path": "./plugins/one"
      },
      "policy": {
        "installation": "AVAILABLE",
        "authentication": "ON_USE"
      },
      "category": "Tools"
    }
  ]
}
"#;
    assert_eq!(edited.text, expected);
}

#[test]
fn an_entry_comes_behind_the_others_and_looks_like_them() {
    check(
        "{\n\t\"later\": {\"b\": 1.50, \"a\": 2},\n\t\"name\": \"mine\",\n\t\"plugins\": [\n\t\t{\"name\": \"z\"}\n\t],\n\t\"tail\": 1E+2\n}",
        "{\n\t\"later\": {\"b\": 1.50, \"a\": 2},\n\t\"name\": \"mine\",\n\t\"plugins\": [\n\t\t{\"name\": \"z\"},\n\t\t{\n\t\t\t\"name\": \"one\",\n\t\t\t\"source\": {\n\t\t\t\t\"source\": \"local\",\n\t\t\t\t\"path\": \"./plugins/one\"\n\t\t\t},\n\t\t\t\"policy\": {\n\t\t\t\t\"installation\": \"AVAILABLE\",\n\t\t\t\t\"authentication\": \"ON_USE\"\n\t\t\t},\n\t\t\t\"category\": \"Tools\"\n\t\t}\n\t],\n\t\"tail\": 1E+2\n}",
    );
    check(
        r#"{"name": "mine", "plugins": [{"name": "z"}]}"#,
        r#"{"name": "mine", "plugins": [{"name": "z"}, {"name": "one", "source": {"source": "local", "path": "./plugins/one"}, "policy": {"installation": "AVAILABLE", "authentication": "ON_USE"}, "category": "Tools"}]}"#,
    );
}

#[test]
fn an_empty_list_is_filled() {
    check(
        "{\r\n  \"name\": \"mine\",\r\n  \"plugins\": []\r\n}\r\n",
        "{\r\n  \"name\": \"mine\",\r\n  \"plugins\": [\r\n    {\r\n      \"name\": \"one\",\r\n      \"source\": {\r\n        \"source\": \"local\",\r\n        \"path\": \"./plugins/one\"\r\n      },\r\n      \"policy\": {\r\n        \"installation\": \"AVAILABLE\",\r\n        \"authentication\": \"ON_USE\"\r\n      },\r\n      \"category\": \"Tools\"\r\n    }\r\n  ]\r\n}\r\n",
    );
}

#[test]
fn what_is_missing_is_added() {
    let added = r#""plugins": [{"name": "one", "source": {"source": "local", "path": "./plugins/one"}, "policy": {"installation": "AVAILABLE", "authentication": "ON_USE"}, "category": "Tools"}]"#;
    check(
        r#"{"name": "mine"}"#,
        &format!(r#"{{"name": "mine", {added}}}"#),
    );
    check("{}", &format!(r#"{{"name": "codex-curated", {added}}}"#));
}

#[test]
fn an_entry_of_the_same_directory_gets_the_policies_and_keeps_the_rest() {
    check(
        r#"{"name": "mine", "plugins": [{"name": "one", "source": "plugins/one/", "x": [1]}, {"y": 1}]}"#,
        r#"{"name": "mine", "plugins": [{"name": "one", "source": "plugins/one/", "x": [1], "policy": {"installation": "AVAILABLE", "authentication": "ON_USE"}, "category": "Tools"}, {"y": 1}]}"#,
    );
    check(
        r#"{"name": "mine", "plugins": [{"category": "C", "policy": {"installation": "NOT_AVAILABLE", "products": []}, "name": "one", "source": {"path": "./plugins/one", "source": "local"}}]}"#,
        r#"{"name": "mine", "plugins": [{"category": "Tools", "policy": {"installation": "AVAILABLE", "products": [], "authentication": "ON_USE"}, "name": "one", "source": {"path": "./plugins/one", "source": "local"}}]}"#,
    );
}

#[test]
fn an_entry_of_another_directory_is_left_alone() {
    let words = "marketplace already contains plugin `one` with a different source path";
    for source in [
        r#""./plugins/two""#,
        r#"{"source": "local", "path": "./plugins/two"}"#,
        r#"{"source": "url", "path": "./plugins/one"}"#,
        "7",
    ] {
        let present = format!(
            "{{\"name\": \"mine\",\n\"plugins\": [{{\"name\": \"one\", \"source\": {source}}}]}}"
        );
        check_refused(&present, words, Some((2, 13)));
    }
    check_refused(
        r#"{"name": "mine", "plugins": [{"name": "one"}]}"#,
        words,
        Some((1, 30)),
    );
}

#[test]
fn what_cannot_be_understood_is_not_touched() {
    check_refused("[]", "expected an object, found an array", Some((1, 1)));
    check_refused(
        r#"{"name": "mine", "plugins": 7}"#,
        "marketplace plugins must be an array",
        Some((1, 29)),
    );
    check_refused(
        r#"{"name": "workspace-directory"}"#,
        "marketplace name `workspace-directory` is reserved; rename it",
        Some((1, 10)),
    );
    assert!(with_entry(Some(b"{broken"), &entry()).is_err());
    assert!(with_entry(Some(b"\xff{}"), &entry()).is_err());
    assert!(with_entry(Some(br#"{"name": 7}"#), &entry()).is_err());
    assert!(with_entry(Some(br#"{"name": "a/b"}"#), &entry()).is_err());
}
