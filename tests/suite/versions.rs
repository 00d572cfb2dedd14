//! Proves `plugd/versions`: where each version came from, what replaced what, and an order for every
//! kind of version.

use plugd_testkit::{Daemon, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    cli, home_tree, install, list_and_settle, plugin, refused, shown, small, start,
    start_listening, text,
};
use crate::git_plugin_install::{Shop, p, top};

pub(crate) const MANIFEST: &str = "$ROOT/demo/.agents/plugins/marketplace.json";
pub(crate) const CACHE: &str = "ch/plugins/cache/demo/hello";

/// `hello`, brought to each of these versions in turn.
#[track_caller]
pub(crate) fn through(versions: &[&str]) -> (Sandbox, Daemon) {
    let sandbox = small(&[("hello", versions[0])]);
    let mut daemon = start_listening(&sandbox);
    for version in versions {
        sandbox.add(&plugin("demo/hello", "hello", version));
        install(&mut daemon, MANIFEST, "hello");
    }
    (sandbox, daemon)
}

/// The versions of a plugin, the latest first.
#[track_caller]
pub(crate) fn versions(daemon: &mut Daemon, id: &str) -> Value {
    let answer = daemon.ok("plugd/versions", json!({"pluginId": id}));
    shown(&answer["plugins"][0], &daemon.sandbox().clone())
}

/// Each with what matters of its place: version, state, `*` for the one before.
pub(crate) fn order(plugin: &Value) -> Vec<String> {
    let rows = plugin["versions"].as_array().unwrap().iter();
    rows.map(|row| {
        let before = if row["predecessor"] == true { "*" } else { "" };
        format!("{} {}{before}", text(&row["version"]), text(&row["state"]))
    })
    .collect()
}

#[test]
fn each_version_tells_where_it_came_from() {
    let (sandbox, mut daemon) = through(&["1.0.0", "1.1.0"]);
    sandbox.add(&plugin("demo/hello", "hello", "1.2.0"));
    list_and_settle(&mut daemon, json!({}));
    let before = home_tree(&sandbox);
    let found = versions(&mut daemon, "hello@demo");
    assert_eq!(home_tree(&sandbox), before);
    assert_eq!(
        (&found["pin"], &found["orderedBy"]),
        (&Value::Null, &json!("semver"))
    );
    assert_eq!(
        order(&found),
        ["1.2.0 installed", "1.1.0 kept*", "1.0.0 kept"]
    );
    let rows = found["versions"].as_array().unwrap();
    let by: Vec<&str> = rows.iter().map(|row| text(&row["by"])).collect();
    assert_eq!(by, ["refresh", "request", "request"]);
    for row in rows {
        assert_eq!(
            row["origin"],
            json!({
                "marketplacePath": MANIFEST, "marketplaceUrl": null, "marketplaceRef": null,
                "source": {"type": "local", "path": "$ROOT/demo/hello"},
            })
        );
        assert_eq!(
            (&row["boundTo"], &row["commit"]),
            (&json!("manifest"), &Value::Null)
        );
        assert_eq!(row["sourceDigest"], row["treeDigest"]);
        assert!(row["installedAt"].is_i64());
    }
    assert_eq!(rows[0]["path"], format!("$ROOT/{CACHE}/1.2.0"));
    assert_eq!(rows[0]["replacedAt"], Value::Null);
    assert!(rows[1]["replacedAt"].is_i64());
    for at in [0, 1] {
        let replaced = &rows[at]["replaced"];
        assert_eq!(replaced["version"], rows[at + 1]["version"]);
        assert_eq!(replaced["treeDigest"], rows[at + 1]["treeDigest"]);
    }
    assert_eq!(rows[2]["replaced"], Value::Null);
    daemon.shut_down();
}

#[test]
fn a_commit_is_part_of_where_it_came_from() {
    let shop = Shop::open();
    shop.offer_p();
    let mut daemon = shop.start();
    daemon.ok("plugin/install", p());
    let second = shop.repo.commit(&top("2.0.0"));
    daemon.ok("plugin/install", p());
    let found = versions(&mut daemon, "p@demo");
    assert_eq!(order(&found), ["2.0.0 installed", "1.0.0 kept*"]);
    assert_eq!(found["versions"][0]["commit"], second.as_str());
    assert_ne!(found["versions"][1]["commit"], second.as_str());
    assert_eq!(found["versions"][1]["origin"]["source"]["url"], shop.url);
    daemon.shut_down();
}

#[test]
fn versions_that_are_not_semantic_are_sorted_by_time_and_none_is_refused() {
    let (_sandbox, mut daemon) = through(&["unknown", "2024-05"]);
    let found = versions(&mut daemon, "hello@demo");
    assert_eq!(found["orderedBy"], "time");
    assert_eq!(order(&found), ["2024-05 installed", "unknown kept*"]);
    daemon.shut_down();
    // By version, not in the order of the installations.
    let (_sandbox, mut daemon) = through(&["1.10.0", "1.9.0"]);
    let found = versions(&mut daemon, "hello@demo");
    assert_eq!(found["orderedBy"], "semver");
    assert_eq!(order(&found), ["1.10.0 kept*", "1.9.0 installed"]);
    daemon.shut_down();
}

#[test]
fn a_copy_of_another_program_has_a_version_and_nothing_more() {
    let sandbox = Sandbox::new();
    sandbox.add(&plugin(&format!("{CACHE}/1.0.0"), "hello", "1.0.0"));
    let mut daemon = start(&sandbox);
    let found = versions(&mut daemon, "hello@demo");
    assert_eq!(order(&found), ["1.0.0 installed"]);
    let row = &found["versions"][0];
    for unknown in [
        "origin",
        "boundTo",
        "commit",
        "treeDigest",
        "installedAt",
        "by",
    ] {
        assert_eq!(row[unknown], Value::Null, "{unknown}");
    }
    daemon.shut_down();
}

#[test]
fn an_orphan_has_its_versions_still() {
    let (sandbox, mut daemon) = through(&["1.0.0", "2.0.0"]);
    sandbox.write(
        "ch/config.toml",
        "[plugins.\"hello@demo\"]\nenabled = true\n",
    );
    let found = versions(&mut daemon, "hello@demo");
    assert_eq!(order(&found), ["2.0.0 installed", "1.0.0 kept*"]);
    daemon.shut_down();
}

#[test]
fn what_cannot_be_asked() {
    let (_sandbox, mut daemon) = through(&["1.0.0"]);
    let mut check = |params: Value, expected: &str| {
        assert_eq!(refused(&mut daemon, "plugd/versions", params), expected);
    };
    check(json!({"pluginId": "absent@demo"}), "-32600 notFound");
    check(json!({"pluginId": "no id"}), "-32600 invalidInput");
    check(json!({"pluginId": 5}), "-32602 invalidParams");
    daemon.shut_down();
}

#[test]
fn the_command_shows_a_table() {
    let (sandbox, mut daemon) = through(&["1.0.0", "2.0.0"]);
    daemon.ok("plugd/pin", json!({"pluginId": "hello@demo"}));
    daemon.shut_down();
    let output = cli(&sandbox, &["plugin", "versions"]);
    assert!(output.status.success(), "{output}");
    let lines: Vec<Vec<&str>> = output
        .stdout
        .lines()
        .map(|line| {
            line.split("  ")
                .map(str::trim)
                .filter(|cell| !cell.is_empty())
                .collect()
        })
        .collect();
    assert_eq!(
        lines[0],
        ["PLUGIN", "VERSION", "STATE", "COMMIT", "DIGEST", "BY"]
    );
    assert_eq!(lines[1][..3], ["hello@demo", "2.0.0", "installed, pinned"]);
    assert_eq!(
        lines[2][..3],
        ["hello@demo", "1.0.0", "kept, the one before"]
    );
    let json = cli(&sandbox, &["plugin", "versions", "hello@demo", "--json"]).json();
    assert_eq!(
        order(&json["plugins"][0]),
        ["2.0.0 installed", "1.0.0 kept*"]
    );
}
