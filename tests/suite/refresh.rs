//! Proves that installed copies follow the sources they came from, by version and by content, that
//! nobody else's directory ever replaces them, and that a listing never waits for any of it.

use std::thread;
use std::time::{Duration, Instant};

use plugd_testkit::{Daemon, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    config, hold_lock, install, installed_in, list_and_settle, load_errors, marketplace, plugin,
    plugin_in, shown, small, start, start_listening,
};

const MANIFEST: &str = "$ROOT/demo/.agents/plugins/marketplace.json";
const CACHE: &str = "ch/plugins/cache/demo/hello";

/// A marketplace outside the home directory, known by configuration only, with one plugin
/// installed from it.
#[track_caller]
fn installed(version: &str) -> (Sandbox, Daemon) {
    let sandbox = small(&[("hello", version)]);
    let mut daemon = start_listening(&sandbox);
    install(&mut daemon, MANIFEST, "hello");
    daemon.wait_notification("plugd/changed", |change| change["reason"] == "request");
    (sandbox, daemon)
}

#[track_caller]
fn outcome(daemon: &mut Daemon) -> Value {
    let status = daemon.ok("plugd/status", json!({}));
    let tasks = status["tasks"].as_array().unwrap();
    let refresh = tasks.iter().find(|task| task["kind"] == "refresh").unwrap();
    shown(&refresh["plugins"], &daemon.sandbox().clone())
}

#[test]
fn a_version_bump_of_a_configured_marketplace_arrives() {
    let (sandbox, mut daemon) = installed("1.0.0");
    assert_eq!(sandbox.tree(CACHE), plugin("1.0.0", "hello", "1.0.0"));
    sandbox.add(&plugin("demo/hello", "hello", "1.1.0"));
    let listing = list_and_settle(&mut daemon, json!({}));
    let row = plugin_in(&listing, "hello@demo");
    assert_eq!(row["localVersion"], "1.1.0");
    assert_eq!(sandbox.tree(CACHE), plugin("1.1.0", "hello", "1.1.0"));
    let change = daemon.wait_notification("plugd/changed", |change| change["reason"] == "refresh");
    assert_eq!(change["plugins"], json!(["hello@demo"]));
    assert_eq!(change["configKeys"], json!([]));
    let listing = daemon.ok("plugin/list", json!({}));
    let row = plugin_in(&listing, "hello@demo");
    assert_eq!(
        (&row["installedVersion"], &row["updateAvailable"]),
        (&json!("1.1.0"), &json!(false))
    );
    // There is no link into the home directory that would explain it.
    assert_eq!(sandbox.tree("home"), "");
    daemon.shut_down();
}

/// What was told when a copy came is told again as long as the copy is there.
#[test]
fn a_command_that_became_no_skill_is_told_in_each_run() {
    let (sandbox, mut daemon) = installed("1.0.0");
    sandbox.write("demo/hello/commands/bare.md", "no front matter\n");
    for outcome_of_run in ["updated", "unchanged", "unchanged"] {
        list_and_settle(&mut daemon, json!({}));
        let row = &outcome(&mut daemon)[0];
        assert_eq!(row["outcome"], outcome_of_run);
        let path = row["problem"]["path"].as_str().unwrap_or_default();
        assert!(path.ends_with("commands/bare.md"), "{row:#}");
    }
    sandbox.write(
        "demo/hello/commands/bare.md",
        "---\ndescription: Says it\n---\nSay it.\n",
    );
    for outcome_of_run in ["updated", "unchanged"] {
        list_and_settle(&mut daemon, json!({}));
        let row = &outcome(&mut daemon)[0];
        assert_eq!(
            (&row["outcome"], &row["problem"]),
            (&json!(outcome_of_run), &Value::Null)
        );
    }
    daemon.shut_down();
}

#[test]
fn new_content_under_the_same_version_arrives() {
    let (sandbox, mut daemon) = installed("1.0.0");
    sandbox.write("demo/hello/notes.md", "rewritten\n");
    sandbox.write("demo/hello/more.md", "more\n");
    list_and_settle(&mut daemon, json!({}));
    assert_eq!(
        sandbox.text(&format!("{CACHE}/1.0.0/notes.md")),
        "rewritten\n"
    );
    assert_eq!(sandbox.text(&format!("{CACHE}/1.0.0/more.md")), "more\n");
    daemon.shut_down();
}

#[test]
fn what_has_no_version_follows_too() {
    let sandbox = small(&[("hello", "1.0.0")]);
    sandbox.write(
        "demo/hello/.codex-plugin/plugin.json",
        "{\"name\": \"hello\"}",
    );
    let mut daemon = start_listening(&sandbox);
    install(&mut daemon, MANIFEST, "hello");
    sandbox.write("demo/hello/notes.md", "rewritten\n");
    list_and_settle(&mut daemon, json!({}));
    assert_eq!(
        sandbox.text(&format!("{CACHE}/local/notes.md")),
        "rewritten\n"
    );
    daemon.shut_down();
}

#[test]
fn nothing_new_is_nothing_done() {
    let (sandbox, mut daemon) = installed("1.0.0");
    // What the source holds is written down once, as soon as that is not from the last moment.
    let end = Instant::now() + Duration::from_secs(20);
    while !sandbox.exists("ch/plugins/.plugd/sources.json") && Instant::now() < end {
        list_and_settle(&mut daemon, json!({}));
        thread::sleep(Duration::from_millis(50));
    }
    let before = sandbox.tree("ch");
    for _ in 0..3 {
        list_and_settle(&mut daemon, json!({}));
    }
    assert_eq!(sandbox.tree("ch"), before);
    assert_eq!(
        daemon.take_notifications("plugd/changed"),
        Vec::<Value>::new()
    );
    assert_eq!(outcome(&mut daemon)[0]["outcome"], "unchanged");
    daemon.shut_down();
}

#[test]
fn a_missing_or_emptied_copy_is_repaired_each_time() {
    let (sandbox, mut daemon) = installed("1.0.0");
    let whole = plugin("1.0.0", "hello", "1.0.0");
    for round in 0..2 {
        sandbox.remove(CACHE);
        list_and_settle(&mut daemon, json!({}));
        assert_eq!(sandbox.tree(CACHE), whole, "{round}");
    }
    sandbox.remove(CACHE);
    sandbox.add(&format!("== {CACHE}/1.0.0/\n"));
    list_and_settle(&mut daemon, json!({}));
    assert_eq!(sandbox.tree(CACHE), whole);
    daemon.shut_down();
}

#[test]
fn a_configured_plugin_without_a_copy_is_fetched() {
    let sandbox = small(&[("hello", "1.0.0")]);
    let rows = format!(
        "{}[plugins.\"hello@demo\"]\n",
        sandbox.text("ch/config.toml")
    );
    sandbox.write("ch/config.toml", sandbox.expand(&rows));
    let mut daemon = start_listening(&sandbox);
    list_and_settle(&mut daemon, json!({}));
    assert_eq!(sandbox.tree(CACHE), plugin("1.0.0", "hello", "1.0.0"));
    assert_eq!(outcome(&mut daemon)[0]["outcome"], "installed");
    assert_eq!(sandbox.text("ch/config.toml"), rows);
    daemon.shut_down();
}

#[test]
fn switched_off_stays_switched_off() {
    let (sandbox, mut daemon) = installed("1.0.0");
    let off = json!({
        "keyPath": "plugins.\"hello@demo\".enabled", "value": false, "mergeStrategy": "replace",
    });
    daemon.ok("config/value/write", off);
    let before = sandbox.text("ch/config.toml");
    sandbox.add(&plugin("demo/hello", "hello", "1.1.0"));
    list_and_settle(&mut daemon, json!({}));
    assert_eq!(sandbox.tree(CACHE), plugin("1.1.0", "hello", "1.1.0"));
    assert_eq!(sandbox.text("ch/config.toml"), before);
    let listing = daemon.ok("plugin/list", json!({}));
    assert_eq!(plugin_in(&listing, "hello@demo")["enabled"], false);
    daemon.shut_down();
}

#[test]
fn a_stranger_of_the_same_name_never_takes_over() {
    let (sandbox, mut daemon) = installed("1.0.0");
    // An untrusted directory whose path sorts before the configured one.
    sandbox.add(&marketplace(
        "a",
        "demo",
        &[("hello", "9.9.9"), ("other", "9.9.9")],
    ));
    let stranger = json!({"cwds": ["$ROOT/a"]});
    for _ in 0..2 {
        let listing = list_and_settle(&mut daemon, stranger.clone());
        let row = plugin_in(&listing, "hello@demo");
        assert_eq!(row["localVersion"], "1.0.0");
        let errors = load_errors(&listing, &sandbox);
        assert_eq!(
            errors,
            ["conflict $ROOT/a/.agents/plugins/marketplace.json"]
        );
        assert_eq!(sandbox.tree(CACHE), plugin("1.0.0", "hello", "1.0.0"));
    }
    // Not even when the right place is gone, or the copy is.
    sandbox.rename("demo", "away");
    sandbox.remove(CACHE);
    list_and_settle(&mut daemon, stranger.clone());
    assert!(!sandbox.exists(CACHE));
    sandbox.rename("away", "demo");
    list_and_settle(&mut daemon, stranger);
    assert_eq!(sandbox.tree(CACHE), plugin("1.0.0", "hello", "1.0.0"));
    daemon.shut_down();
}

#[test]
fn what_was_installed_from_a_request_follows_that_place() {
    let sandbox = small(&[("hello", "1.0.0")]);
    sandbox.add(&marketplace("a", "demo", &[("hello", "9.0.0")]));
    let mut daemon = start_listening(&sandbox);
    install(
        &mut daemon,
        "$ROOT/a/.agents/plugins/marketplace.json",
        "hello",
    );
    // The configured marketplace of that name is not its source.
    list_and_settle(&mut daemon, json!({}));
    assert_eq!(sandbox.tree(CACHE), plugin("9.0.0", "hello", "9.0.0"));
    sandbox.add(&plugin("a/hello", "hello", "9.1.0"));
    list_and_settle(&mut daemon, json!({"cwds": ["$ROOT/a"]}));
    assert_eq!(sandbox.tree(CACHE), plugin("9.1.0", "hello", "9.1.0"));
    daemon.shut_down();
}

#[test]
fn a_foreign_copy_is_adopted_from_a_trusted_place_only() {
    // The reference installed this one; its source is configured.
    let sandbox = small(&[("hello", "1.1.0")]);
    let rows = format!(
        "{}[plugins.\"hello@demo\"]\n[plugins.\"r@repo\"]\n",
        sandbox.text("ch/config.toml")
    );
    sandbox.write("ch/config.toml", sandbox.expand(&rows));
    sandbox.add(&plugin(&format!("{CACHE}/1.0.0"), "hello", "1.0.0"));
    // This one only a repository offers, which may be anybody's.
    sandbox.add(&marketplace("repo", "repo", &[("r", "2.0.0")]));
    sandbox.add(&plugin("ch/plugins/cache/repo/r/1.0.0", "r", "1.0.0"));
    let mut daemon = start_listening(&sandbox);
    list_and_settle(&mut daemon, json!({"cwds": ["$ROOT/repo"]}));
    assert_eq!(sandbox.tree(CACHE), plugin("1.1.0", "hello", "1.1.0"));
    assert_eq!(
        sandbox.tree("ch/plugins/cache/repo/r"),
        plugin("1.0.0", "r", "1.0.0")
    );
    daemon.shut_down();
}

#[test]
fn a_second_foreign_change_is_drift_and_left_alone() {
    let (sandbox, mut daemon) = installed("1.0.0");
    let foreign = plugin(&format!("{CACHE}/0.1.0"), "hello", "0.1.0");
    let overwrite = || {
        sandbox.remove(CACHE);
        sandbox.add(&foreign);
    };
    overwrite();
    list_and_settle(&mut daemon, json!({}));
    assert_eq!(
        sandbox.tree(CACHE),
        plugin("1.0.0", "hello", "1.0.0"),
        "repaired once"
    );
    overwrite();
    list_and_settle(&mut daemon, json!({}));
    assert_eq!(
        sandbox.tree(CACHE),
        plugin("0.1.0", "hello", "0.1.0"),
        "never fought over"
    );
    let told = outcome(&mut daemon);
    assert_eq!(
        (&told[0]["outcome"], &told[0]["problem"]["kind"]),
        (&json!("heldBack"), &json!("drift"))
    );
    // Asked for, it comes.
    install(&mut daemon, MANIFEST, "hello");
    assert_eq!(sandbox.tree(CACHE), plugin("1.0.0", "hello", "1.0.0"));
    daemon.shut_down();
}

#[test]
fn a_listing_does_not_wait_and_many_become_one() {
    let (sandbox, mut daemon) = installed("1.0.0");
    sandbox.add(&plugin("demo/hello", "hello", "1.1.0"));
    let lock = hold_lock(&sandbox, "store");
    daemon.take_notifications("plugd/task");
    for round in 0..20 {
        let listing = daemon.ok("plugin/list", json!({}));
        assert_eq!(installed_in(&listing), ["hello@demo 1.0.0"]);
        if round == 0 {
            daemon.wait_notification("plugd/task", |task| task["state"] == "started");
        }
    }
    drop(lock);
    daemon.wait_notification("plugd/changed", |change| change["reason"] == "refresh");
    // Whatever was asked while the first run worked is one run afterwards.
    daemon.wait_notification("plugd/task", |task| task["state"] == "done");
    daemon.wait_notification("plugd/task", |task| task["state"] == "done");
    let rest = daemon.shut_down();
    assert_eq!(
        rest.iter()
            .filter(|message| message["method"] == "plugd/task")
            .count(),
        1,
        "{rest:#?}"
    );
    assert_eq!(sandbox.tree(CACHE), plugin("1.1.0", "hello", "1.1.0"));
}

#[test]
fn what_is_uninstalled_meanwhile_does_not_come_back() {
    let names: Vec<String> = (0..10).map(|number| format!("p{number}")).collect();
    let plugins: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1.0.0")).collect();
    let sandbox = small(&plugins);
    let mut daemon = start_listening(&sandbox);
    for name in &names {
        install(&mut daemon, MANIFEST, name);
    }
    for name in &names {
        sandbox.add(&plugin(&format!("demo/{name}"), name, "1.1.0"));
    }
    daemon.ok("plugin/list", json!({}));
    for name in names.iter().rev() {
        daemon.request(
            "plugin/uninstall",
            json!({"pluginId": format!("{name}@demo")}),
        );
    }
    daemon.wait_notification("plugd/task", |task| task["state"] != "started");
    for answer in daemon.shut_down() {
        assert!(answer.get("error").is_none(), "{answer:#}");
    }
    assert!(
        !sandbox.tree("ch/plugins/cache").contains("notes.md"),
        "{}",
        sandbox.tree("ch/plugins/cache")
    );
    assert!(!sandbox.text("ch/config.toml").contains("plugins"));
}

#[test]
fn nothing_else_than_a_listing_starts_it() {
    let (sandbox, mut daemon) = installed("1.0.0");
    daemon.shut_down();
    sandbox.add(&plugin("demo/hello", "hello", "1.1.0"));
    let mut daemon = start(&sandbox);
    let named = json!({"marketplacePath": MANIFEST, "pluginName": "hello"});
    daemon.ok("plugin/installed", json!({}));
    daemon.ok("plugin/read", named);
    daemon.ok("plugin/search", json!({"searchTerm": "hello"}));
    daemon.ok("plugd/status", json!({}));
    daemon.shut_down();
    assert_eq!(sandbox.tree(CACHE), plugin("1.0.0", "hello", "1.0.0"));
}

#[test]
fn switched_off_features_stop_it() {
    let (sandbox, mut daemon) = installed("1.0.0");
    daemon.shut_down();
    sandbox.add(&plugin("demo/hello", "hello", "1.1.0"));
    let mut daemon = crate::fixtures::launch()
        .args(&["--disable", "plugins"])
        .start(&sandbox);
    daemon.initialize();
    daemon.ok("plugin/list", json!({}));
    daemon.shut_down();
    assert_eq!(sandbox.tree(CACHE), plugin("1.0.0", "hello", "1.0.0"));
}

#[test]
fn a_lost_entry_or_policy_leaves_the_copy() {
    let (sandbox, mut daemon) = installed("1.0.0");
    sandbox.add(&plugin("demo/hello", "hello", "1.1.0"));
    for manifest in [
        json!({"name": "demo", "plugins": []}),
        json!({"name": "demo", "plugins": [
            {"name": "hello", "source": "./hello", "policy": {"installation": "NOT_AVAILABLE"}},
        ]}),
    ] {
        sandbox.write(
            "demo/.agents/plugins/marketplace.json",
            manifest.to_string(),
        );
        list_and_settle(&mut daemon, json!({}));
        assert_eq!(
            sandbox.tree(CACHE),
            plugin("1.0.0", "hello", "1.0.0"),
            "{manifest}"
        );
    }
    sandbox.add(&config(&[]));
    list_and_settle(&mut daemon, json!({}));
    assert_eq!(sandbox.tree(CACHE), plugin("1.0.0", "hello", "1.0.0"));
    daemon.shut_down();
}

#[test]
fn a_client_that_leaves_at_once_loses_nothing_that_was_known() {
    let (sandbox, mut daemon) = installed("1.0.0");
    daemon.ok("plugin/list", json!({}));
    daemon.wait_notification("plugd/task", |task| task["state"] == "done");
    let known = outcome(&mut daemon);
    assert_eq!(known[0]["outcome"], "unchanged", "{known:#}");
    daemon.shut_down();
    for _ in 0..3 {
        let mut hasty = start_listening(&sandbox);
        hasty.ok("plugin/list", json!({}));
        hasty.shut_down();
        let mut later = start_listening(&sandbox);
        assert_eq!(outcome(&mut later), known);
        later.shut_down();
    }
}
