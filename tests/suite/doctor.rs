//! Proves `plugd doctor`: it finds what is wrong, says what to do, changes nothing, and works on a
//! broken home.

use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;
use serde_json::Value;

use crate::fixtures::{DEMO, cli, hold_lock};

fn installed() -> Sandbox {
    let sandbox = Sandbox::from(DEMO);
    let _ = cli(&sandbox, &["plugin", "add", "hello@demo"]).success();
    sandbox
}

/// The findings of an area as JSON, and the exit code. Nothing below the root is touched.
#[track_caller]
fn finds(sandbox: &Sandbox, area: &str) -> (Vec<Value>, i32) {
    let before = sandbox.tree("");
    let output = cli(sandbox, &["doctor", "--json"]);
    assert_eq!(sandbox.tree(""), before, "{output}");
    let json = output.json();
    let checks = json["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["area"] == area).unwrap();
    let findings = check["findings"].as_array().unwrap().clone();
    for finding in &findings {
        assert!(!finding["advice"].as_str().unwrap().is_empty(), "{finding}");
    }
    (findings, output.code())
}

#[track_caller]
fn finds_one(sandbox: &Sandbox, area: &str, message: &str, code: i32) {
    let (findings, found) = finds(sandbox, area);
    let texts: Vec<&str> = findings
        .iter()
        .filter_map(|finding| finding["problem"]["message"].as_str())
        .collect();
    let has = texts.iter().any(|text| text.contains(message));
    assert!(has, "{area}: {message}: {texts:?}");
    assert_eq!(found, code, "{area}");
}

#[test]
fn a_sound_home_is_healthy() {
    let sandbox = installed();
    let output = cli(&sandbox, &["doctor", "--json"]);
    assert_eq!(
        (output.code(), &output.json()["errors"]),
        (0, &Value::from(0)),
        "{output}"
    );
    let text = cli(&sandbox, &["doctor"]);
    for part in [
        "versions: ",
        "home: ok",
        "store: ok",
        "git: ok",
        "  libgit2: the worker starts",
    ] {
        assert!(text.success().contains(part), "{part}: {text}");
    }
}

#[test]
fn a_home_that_is_not_there_yet_is_healthy_and_stays_away() {
    let sandbox = Sandbox::new();
    let (_, code) = finds(&sandbox, "home");
    assert_eq!(code, 0);
}

#[test]
fn a_changed_copy_is_an_error() {
    let sandbox = installed();
    sandbox.write("ch/plugins/cache/demo/hello/1.0.0/new.txt", "x");
    let message = "the copy of `hello@demo` is not what was installed";
    finds_one(&sandbox, "store", message, 1);
}

#[test]
fn a_broken_configuration_is_told_with_its_place() {
    let sandbox = installed();
    sandbox.write("ch/config.toml", "[marketplaces\n");
    let (findings, code) = finds(&sandbox, "configuration");
    assert_eq!(
        (code, &findings[0]["problem"]["line"]),
        (1, &Value::from(1))
    );
}

#[test]
fn a_marketplace_that_is_gone_is_told() {
    let sandbox = Sandbox::from(DEMO);
    sandbox.remove("demo");
    let (findings, code) = finds(&sandbox, "marketplaces");
    assert_eq!((findings.is_empty(), code), (false, 1));
}

#[test]
fn remains_of_the_dead_are_told_and_not_undone() {
    let sandbox = installed();
    sandbox.write("ch/plugins/.plugd/journal/dead.json", "{}");
    finds_one(&sandbox, "remains", "interrupted operation", 0);
    let strict = cli(&sandbox, &["doctor", "--strict"]);
    assert_eq!(strict.code(), 1, "{strict}");
    assert!(strict.stdout.contains("hint: `plugd gc`"), "{strict}");
    // What a living process works on is its own affair.
    let _lock = hold_lock(&sandbox, "store");
    let (findings, _) = finds(&sandbox, "remains");
    assert_eq!(findings, Vec::<Value>::new());
}

#[test]
fn without_a_home_there_is_still_an_answer() {
    let sandbox = Sandbox::new();
    sandbox.remove("ch");
    let output = cli(&sandbox, &["doctor", "--json"]);
    assert_eq!(output.code(), 1, "{output}");
    assert_eq!(output.json()["healthy"], false, "{output}");
    assert!(
        cli(&sandbox, &["doctor"]).stdout.contains("set HOME"),
        "no advice"
    );
}
