//! Proves that no answer says that there is nothing because of a configuration that cannot be used.

use plugd_testkit::{Daemon, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{cli, install, small, start};
use crate::versions::MANIFEST;

/// A home with `hello@demo` installed, and a daemon that knows it as it was.
fn installed() -> (Sandbox, Daemon) {
    let sandbox = small(&[("hello", "1.0.0")]);
    let mut daemon = start(&sandbox);
    install(&mut daemon, MANIFEST, "hello");
    (sandbox, daemon)
}

/// The kinds and members of what an answer says about the configuration.
#[track_caller]
fn told(answer: &Value) -> Vec<(&str, Option<&str>)> {
    let problems = answer["problems"].as_array().unwrap().iter();
    let of_config = problems.filter(|one| {
        let path = one["path"].as_str().unwrap_or_default();
        one["severity"] == "error" && path.ends_with("/ch/config.toml")
    });
    of_config
        .map(|one| (one["kind"].as_str().unwrap(), one["field"].as_str()))
        .collect()
}

/// What the configuration says, and how every answer for a host tells that it cannot be used.
#[track_caller]
fn check(config: &str, expected: (&str, Option<&str>)) {
    let (sandbox, mut daemon) = installed();
    sandbox.write("ch/config.toml", config);
    let components = daemon.ok("plugd/components", json!({}));
    assert_eq!(components["plugins"], json!([]));
    assert_eq!(told(&components), [expected]);
    let skills = daemon.ok("skills/list", json!({"cwds": ["$ROOT/work"]}));
    assert_eq!(told(&skills["data"][0]), [expected]);
    assert_eq!(skills["data"][0]["errors"].as_array().unwrap().len(), 1);
    let mentions = daemon.ok(
        "plugd/mentions",
        json!({"text": "[@h](plugin://hello@demo)"}),
    );
    assert_eq!(mentions["unknown"][0]["reason"], "broken");
    assert_eq!(told(&mentions), [expected]);
    let instructions = daemon.ok("plugd/instructions", json!({}));
    assert_eq!(told(&instructions), [expected]);
    let list = cli(&sandbox, &["plugin", "list", "--json"]);
    assert_eq!(list.status.code(), Some(1));
    daemon.shut_down();
}

#[test]
fn a_file_that_is_no_toml() {
    check("[plugins\n", ("config", None));
}

#[test]
fn a_table_of_the_wrong_type() {
    check("plugins = 5\n", ("wrongType", Some("plugins")));
}

/// What has nothing to do with what a host loads is not told there.
#[test]
fn a_marketplace_of_the_wrong_type_hides_nothing_that_is_installed() {
    let (sandbox, mut daemon) = installed();
    let config = sandbox.text("ch/config.toml");
    let installed_part = &config[config.find("[plugins.").unwrap()..];
    sandbox.write(
        "ch/config.toml",
        format!("marketplaces = 5\n{installed_part}"),
    );
    let components = daemon.ok("plugd/components", json!({}));
    assert_eq!(components["plugins"][0]["pluginId"], "hello@demo");
    assert_eq!(told(&components), []);
    daemon.shut_down();
}
