//! Proves that there is one answer to the question which marketplaces exist: for one world with
//! every kind of place, listing, searching, reading, installing, refreshing and the command line
//! see the same set.

use std::collections::BTreeSet;

use plugd_testkit::{Daemon, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    cli, config, install, installed_in, list_and_settle, load_errors, marketplace, plugin,
    plugins_in, start, start_listening, text,
};

/// What the world of these tests offers, in the order of an answer without a cwd.
const BY_CONFIGURATION: [&str; 4] = ["a@mine", "twin@double", "only@double", "c@configured"];

/// What comes to it from a cwd inside a repository.
const BY_CWD: [&str; 6] = [
    "a@mine",
    "twin@double",
    "only@double",
    "c@configured",
    "extra@double",
    "r@repo",
];

/// Every kind of place: the home directory, configured ones (usable, gone, broken, reserved, with
/// bad entries, one twice), the root of a repository above the cwd, and one that claims a name.
fn world() -> Sandbox {
    let sandbox = Sandbox::from(&config(&[
        ("configured", "c/configured"),
        ("gone", "c/gone"),
        ("broken", "c/broken"),
        ("double", "b/double"),
        ("again", "alias"),
        ("reserved", "c/reserved"),
    ]));
    sandbox.add(&marketplace("home", "mine", &[("a", "1.0.0")]));
    sandbox.add(&marketplace(
        "c/configured",
        "configured",
        &[("c", "1.0.0")],
    ));
    sandbox.add(&marketplace(
        "b/double",
        "double",
        &[("twin", "1.0.0"), ("only", "1.0.0")],
    ));
    sandbox.add(&marketplace(
        "c/reserved",
        "openai-curated",
        &[("p", "1.0.0")],
    ));
    sandbox.add("== alias -> b/double\n== c/broken/.agents/plugins/marketplace.json\n{\"name\":\n");
    let entries = json!({"name": "configured", "plugins": [
        {"name": "bad name", "source": "./c"},
        {"name": "climber", "source": "./../../x"},
        {"name": "c", "source": "./c"},
    ]});
    sandbox.write(
        "c/configured/.agents/plugins/marketplace.json",
        entries.to_string(),
    );
    sandbox.add("== x/repo/.git/HEAD\nref\n== x/repo/deep/er/\n");
    sandbox.add(&marketplace("x/repo", "repo", &[("r", "1.0.0")]));
    // Its path sorts before the configured one of the same name.
    sandbox.add(&marketplace(
        "a/claims",
        "double",
        &[("twin", "6.6.6"), ("extra", "1.0.0")],
    ));
    sandbox
}

fn cwds() -> Value {
    json!(["$ROOT/x/repo/deep/er", "$ROOT/a/claims"])
}

fn ids(answer: &Value) -> BTreeSet<String> {
    plugins_in(answer)
        .map(|plugin| text(&plugin["id"]).to_owned())
        .collect()
}

fn set(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|&id| id.to_owned()).collect()
}

/// Every plugin that a search of one letter at a time finds.
#[track_caller]
fn searched(daemon: &mut Daemon, params: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for term in ["a", "c", "e", "i", "o", "r", "x"] {
        let mut params = params.clone();
        params["searchTerm"] = json!(term);
        let answer = daemon.ok("plugin/search", params);
        let hits = answer["data"].as_array().unwrap().iter();
        found.extend(hits.map(|hit| text(&hit["plugin"]["id"]).to_owned()));
    }
    found
}

#[test]
fn list_search_and_suggestions_see_the_same_set() {
    let sandbox = world();
    let mut daemon = start(&sandbox);
    for (params, expected) in [
        (json!({}), set(&BY_CONFIGURATION)),
        (json!({"cwds": cwds()}), set(&BY_CWD)),
    ] {
        let listing = daemon.ok("plugin/list", params.clone());
        assert_eq!(ids(&listing), expected);
        assert_eq!(searched(&mut daemon, &params), expected);
        let mut params = params;
        let names = [
            "a", "twin", "only", "c", "extra", "r", "p", "climber", "bad name",
        ];
        params["installSuggestionPluginNames"] = json!(names);
        let suggested = daemon.ok("plugin/installed", params.clone());
        assert_eq!(ids(&suggested), expected);
        assert_eq!(
            load_errors(&listing, &sandbox),
            load_errors(&suggested, &sandbox),
            "{params}"
        );
        params["searchTerm"] = json!("a");
        let search = daemon.ok("plugin/search", params);
        assert_eq!(
            load_errors(&listing, &sandbox),
            load_errors(&search, &sandbox)
        );
    }
    daemon.shut_down();
}

#[test]
fn what_cannot_be_used_is_told_once() {
    let sandbox = world();
    let mut daemon = start(&sandbox);
    let listing = daemon.ok("plugin/list", json!({"cwds": cwds()}));
    let rows = load_errors(&listing, &sandbox);
    let unique: BTreeSet<&String> = rows.iter().collect();
    let has = |kind: &str, path: &str| {
        assert!(
            rows.contains(&format!("{kind} $ROOT/{path}")),
            "{kind} {path} in {rows:#?}"
        );
    };
    has("missing", "ch/config.toml");
    has("syntax", "c/broken/.agents/plugins/marketplace.json");
    has(
        "reservedName",
        "c/reserved/.agents/plugins/marketplace.json",
    );
    has("badName", "c/configured/.agents/plugins/marketplace.json");
    has("badSource", "c/configured/.agents/plugins/marketplace.json");
    has("conflict", "a/claims/.agents/plugins/marketplace.json");
    assert_eq!(rows.len(), unique.len(), "{rows:#?}");
    daemon.shut_down();
}

#[test]
fn read_and_install_accept_what_is_listed() {
    let sandbox = world();
    let mut daemon = start(&sandbox);
    let listing = daemon.ok("plugin/list", json!({"cwds": cwds()}));
    for marketplace in listing["marketplaces"].as_array().unwrap() {
        for plugin in marketplace["plugins"].as_array().unwrap() {
            let params = json!({
                "marketplacePath": marketplace["path"], "pluginName": plugin["name"],
            });
            let read = daemon.ok("plugin/read", params.clone());
            let shown = &read["plugin"]["summary"];
            assert_eq!(
                (&shown["id"], &shown["localVersion"]),
                (&plugin["id"], &plugin["localVersion"])
            );
            let installed = daemon.ok("plugin/install", params);
            assert_eq!(installed["installedVersion"], plugin["localVersion"]);
        }
    }
    let installed = daemon.ok("plugin/installed", json!({"cwds": cwds()}));
    assert_eq!(ids(&installed), set(&BY_CWD));
    // What is listed nowhere is refused by both.
    for (path, plugin) in [
        ("c/configured", "climber"),
        ("c/configured", "bad name"),
        ("c/broken", "p"),
        ("c/reserved", "p"),
        ("c/gone", "p"),
    ] {
        let params = json!({
            "marketplacePath": format!("$ROOT/{path}/.agents/plugins/marketplace.json"),
            "pluginName": plugin,
        });
        let read = daemon.err("plugin/read", params.clone());
        let installed = daemon.err("plugin/install", params);
        assert_eq!(read["data"], installed["data"], "{path} {plugin}");
    }
    for id in BY_CWD {
        let answer = daemon.ok("plugin/uninstall", json!({"pluginId": id}));
        assert_eq!(answer["changed"], true, "{id}");
    }
    daemon.shut_down();
}

#[test]
fn the_refresh_follows_what_is_listed() {
    let sandbox = world();
    let mut daemon = start_listening(&sandbox);
    for (dir, plugin) in [("home", "a"), ("c/configured", "c"), ("b/double", "twin")] {
        install(
            &mut daemon,
            &format!("$ROOT/{dir}/.agents/plugins/marketplace.json"),
            plugin,
        );
    }
    for (dir, name) in [
        ("home/a", "a"),
        ("c/configured/c", "c"),
        ("b/double/twin", "twin"),
    ] {
        sandbox.add(&plugin(dir, name, "1.1.0"));
    }
    list_and_settle(&mut daemon, json!({"cwds": cwds()}));
    let listing = daemon.ok("plugin/installed", json!({}));
    assert_eq!(
        installed_in(&listing),
        ["a@mine 1.1.0", "twin@double 1.1.0", "c@configured 1.1.0"]
    );
    daemon.shut_down();
}

#[test]
fn the_command_line_sees_it_too() {
    let sandbox = world();
    let mut daemon = start(&sandbox);
    let listing = daemon.ok("plugin/list", json!({}));
    daemon.shut_down();
    let output = cli(&sandbox, &["plugin", "list", "--available", "--json"]);
    let shown = output.json();
    let available = shown["available"].as_array().unwrap().iter();
    let found: Vec<&str> = available.map(|plugin| text(&plugin["pluginId"])).collect();
    let listed: Vec<&str> = plugins_in(&listing)
        .map(|plugin| text(&plugin["id"]))
        .collect();
    assert_eq!(found, listed);
    assert_eq!(set(&found), set(&BY_CONFIGURATION));
    let output = cli(&sandbox, &["plugin", "add", "c@configured", "--json"]);
    assert_eq!(output.json()["version"], "1.0.0");
    let output = cli(&sandbox, &["plugin", "add", "p@openai-curated", "--json"]);
    assert_eq!(output.code(), 1);
}

#[test]
fn the_order_is_stable() {
    let sandbox = world();
    let mut daemon = start(&sandbox);
    let order = |answer: &Value| -> Vec<String> {
        plugins_in(answer)
            .map(|plugin| text(&plugin["id"]).to_owned())
            .collect()
    };
    let first = order(&daemon.ok("plugin/list", json!({"cwds": cwds()})));
    for _ in 0..5 {
        assert_eq!(
            order(&daemon.ok("plugin/list", json!({"cwds": cwds()}))),
            first
        );
    }
    daemon.shut_down();
    let mut daemon = start(&sandbox);
    assert_eq!(
        order(&daemon.ok("plugin/list", json!({"cwds": cwds()}))),
        first
    );
    daemon.shut_down();
}
