//! When a layer above the user's decides a key.

use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::tests::read;
use crate::KeyPath;

/// The value in force in the place of the user's own, beside these flags.
#[track_caller]
fn check(config: &str, flags: &[&str], key: &str, expected: Option<Value>) {
    let sandbox = Sandbox::from(&format!("== ch/config.toml\n{config}\n"));
    let snapshot = read(&sandbox, flags, None);
    let overridden = snapshot.overridden(&KeyPath::parse(key).unwrap());
    let found = overridden.map(|(_, value)| value);
    assert_eq!(found, expected, "{config}: {key}");
}

#[test]
fn a_layer_that_says_the_same_overrides_nothing() {
    let flags = ["features.plugins=true"];
    let on = "features = { plugins = true }";
    check(on, &flags, "features.plugins", None);
    check(on, &flags, "features", None);
    check(
        "features = { plugins = true, x = 1 }",
        &flags,
        "features",
        None,
    );
    let off = "features = { plugins = false }";
    check(off, &flags, "features.plugins", Some(json!(true)));
    check(off, &flags, "features", Some(json!({"plugins": true})));
    check("", &flags, "features.plugins", Some(json!(true)));
    check("", &flags, "features.other", None);
    check("l = [1, 2]", &["l=[1, 2]"], "l", None);
    check("l = [1]", &["l=[1, 2]"], "l", Some(json!([1, 2])));
    check("t.a = 1", &["t=5"], "t.a", Some(json!(null)));
}
