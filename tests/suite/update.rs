//! Proves `plugd/outdated` and `plugd/update`: from the source that a plugin is bound to and no other,
//! with what would run stated, and nothing brought that was not agreed to.

use plugd_testkit::service::Item;
use plugd_testkit::{Daemon, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::accounts::{Account, remote};
use crate::fixtures::{
    home_tree, install, list_and_settle, plugin, plugin_in, refused, shown, small, start, text,
    with,
};
use crate::git_plugin_install::{Shop, p, top};
use crate::npm_plugin_install;
use crate::remote_sync::{end_of_sync, synced};
use crate::remotes::{self, nothing_left};
use crate::versions::{CACHE, MANIFEST, through};

#[track_caller]
fn outdated(daemon: &mut Daemon, params: Value) -> Vec<Value> {
    rows(daemon.ok("plugd/outdated", params))
}

#[track_caller]
pub(crate) fn update(daemon: &mut Daemon, params: Value) -> Vec<Value> {
    rows(daemon.ok("plugd/update", params))
}

fn rows(mut answer: Value) -> Vec<Value> {
    serde_json::from_value(answer["changes"].take()).unwrap()
}

/// A row as `id from -> to reason`, with a sign for one that changed.
pub(crate) fn told(row: &Value) -> String {
    let sign = if row["changed"] == true { "!" } else { "" };
    format!(
        "{} {} -> {} {}{sign}",
        text(&row["pluginId"]),
        text(&row["from"]),
        text(&row["to"]),
        text(&row["reason"])
    )
}

/// Both say the same of the one plugin, in this order and without a change by the first.
#[track_caller]
fn check_both(daemon: &mut Daemon, id: &str, expected: &str) -> Value {
    let before = home_tree(daemon.sandbox());
    let looked = outdated(daemon, json!({"pluginId": id})).remove(0);
    assert_eq!(told(&looked), expected);
    assert_eq!(home_tree(daemon.sandbox()), before);
    let dry = update(daemon, json!({"pluginId": id, "dryRun": true})).remove(0);
    assert_eq!(told(&dry), expected);
    assert_eq!(home_tree(daemon.sandbox()), before);
    let done = update(daemon, json!({"pluginId": id})).remove(0);
    assert_eq!(told(&done), expected);
    done
}

#[test]
fn a_local_plugin_comes_and_is_current_afterwards() {
    let (sandbox, mut daemon) = through(&["1.0.0"]);
    let config = sandbox.text("ch/config.toml");
    check_both(
        &mut daemon,
        "hello@demo",
        "hello@demo 1.0.0 -> 1.0.0 current",
    );
    sandbox.add(&plugin("demo/hello", "hello", "1.1.0"));
    let done = check_both(
        &mut daemon,
        "hello@demo",
        "hello@demo 1.0.0 -> 1.1.0 newer!",
    );
    assert_eq!(sandbox.tree(CACHE), plugin("1.1.0", "hello", "1.1.0"));
    let verified = daemon.ok("plugd/verify", json!({}));
    assert_eq!(verified["plugins"][0]["recordedDigest"], done["toDigest"]);
    assert_eq!(done["grew"], json!([]));
    let files: Vec<&str> = done["difference"]["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| text(&row["name"]))
        .collect();
    assert!(files.contains(&"notes.md"), "{done:#}");
    assert_eq!(sandbox.text("ch/config.toml"), config);
    check_both(
        &mut daemon,
        "hello@demo",
        "hello@demo 1.1.0 -> 1.1.0 current",
    );
    nothing_left(&sandbox);
    daemon.shut_down();
}

#[test]
fn each_way_to_be_different_has_a_word() {
    let (sandbox, mut daemon) = through(&["1.0.0"]);
    let mut check = |version: &str, notes: &str, expected: &str| {
        sandbox.add(&plugin("demo/hello", "hello", version));
        sandbox.write("demo/hello/notes.md", notes);
        check_both(&mut daemon, "hello@demo", &format!("hello@demo {expected}"));
    };
    check("1.0.0", "other\n", "1.0.0 -> 1.0.0 content!");
    check("1.10.0", "x\n", "1.0.0 -> 1.10.0 newer!");
    check("1.9.0", "x\n", "1.10.0 -> 1.9.0 older!");
    check("unknown", "x\n", "1.9.0 -> unknown other!");
    check("2024-05", "x\n", "unknown -> 2024-05 other!");
    daemon.shut_down();
}

#[test]
fn a_repository_is_asked_and_only_fetched_to_be_brought() {
    let shop = Shop::open();
    shop.offer_p();
    let mut daemon = shop.start();
    daemon.ok("plugin/install", p());
    check_both(&mut daemon, "p@demo", "p@demo 1.0.0 -> 1.0.0 current");
    let second = shop.repo.commit(&top("2.0.0"));
    let row = outdated(&mut daemon, json!({})).remove(0);
    assert_eq!(told(&row), "p@demo 1.0.0 -> - content!");
    assert_eq!(row["toCommit"], second.as_str());
    let row = update(&mut daemon, json!({})).remove(0);
    assert_eq!(told(&row), "p@demo 1.0.0 -> 2.0.0 newer!");
    assert_eq!(row["toCommit"], second.as_str());
    assert_eq!(shop.copy("2.0.0"), top("2.0.0"));
    nothing_left(&shop.sandbox);
    // Nobody answers any more.
    let url = shop.url.clone();
    drop(shop.server);
    let row = outdated(&mut daemon, json!({})).remove(0);
    assert_eq!(told(&row), "p@demo 2.0.0 -> - failed", "{url}");
    assert_eq!(row["problems"][0]["kind"], "unavailable", "{row:#}");
    for method in ["plugd/outdated", "plugd/update"] {
        let error = daemon.err(method, json!({"pluginId": "p@demo"}));
        assert_eq!(error["data"]["kind"], "unavailable", "{error:#}");
    }
    daemon.shut_down();
}

#[test]
fn a_registry_says_its_version() {
    let shop = npm_plugin_install::Shop::open();
    shop.installed();
    let files = npm_plugin_install::files("1.2.0");
    shop.registry.publish("tool", "1.2.0", &files);
    let mut daemon = start(&shop.sandbox);
    check_both(&mut daemon, "p@demo", "p@demo 1.0.0 -> 1.2.0 newer!");
    check_both(&mut daemon, "p@demo", "p@demo 1.2.0 -> 1.2.0 current");
    daemon.shut_down();
}

#[test]
fn a_plugin_of_a_git_marketplace_follows_its_checkout() {
    let remote = remotes::remote(&[("p", "1.0.0")]);
    let mut daemon = start(&remote.sandbox);
    remotes::add(&mut daemon, &remote.url);
    install(&mut daemon, remotes::MANIFEST, "p");
    daemon.ok("plugd/pin", json!({"pluginId": "p@market"}));
    remote
        .repo
        .commit(&remotes::tree("market", &[("p", "2.0.0")]));
    // The upgrade leaves what is pinned, and says so.
    let upgraded = daemon.ok("marketplace/upgrade", json!({}));
    let row = &upgraded["changes"][1];
    assert_eq!(
        (&row["pluginId"], &row["changed"]),
        (&json!("p@market"), &json!(false))
    );
    assert_eq!(row["problems"][0]["kind"], "heldBack", "{row:#}");
    check_both(&mut daemon, "p@market", "p@market 1.0.0 -> 2.0.0 heldByPin");
    daemon.ok("plugd/pin", json!({"pluginId": "p@market", "none": true}));
    check_both(&mut daemon, "p@market", "p@market 1.0.0 -> 2.0.0 newer!");
    daemon.shut_down();
}

#[test]
fn a_plugin_of_the_account_follows_its_catalog() {
    let account = Account::new();
    let id = account.offer(&["alpha"]).remove(0);
    let mut daemon = synced(&account);
    daemon.ok("plugin/install", remote(&id));
    end_of_sync(&mut daemon);
    let name = "alpha@openai-curated-remote";
    check_both(&mut daemon, name, &format!("{name} 1.0.0 -> 1.0.0 current"));
    account
        .service
        .offer_plugin(Item::new("alpha").version("2.0.0"));
    check_both(&mut daemon, name, &format!("{name} 1.0.0 -> 2.0.0 newer!"));
    // Only the copy here goes back, and that is said; the account does not take it along again.
    let mut back = daemon.ok("plugd/rollback", json!({"pluginId": name}));
    let row = back["changes"][0].take();
    assert_eq!(told(&row), format!("{name} 2.0.0 -> 1.0.0 rolledBack!"));
    assert!(
        text(&row["problems"][0]["message"]).contains("the account"),
        "{row:#}"
    );
    daemon.ok("plugin/reconcile", json!({"reason": "test"}));
    check_both(
        &mut daemon,
        name,
        &format!("{name} 1.0.0 -> 2.0.0 heldByPin"),
    );
    nothing_left(&account.sandbox);
    daemon.shut_down();
}

#[test]
fn what_is_pinned_orphaned_or_forbidden_stays_and_holds_up_nothing() {
    let sandbox = small(&[
        ("a", "1.0.0"),
        ("b", "1.0.0"),
        ("c", "1.0.0"),
        ("d", "1.0.0"),
    ]);
    let mut daemon = start(&sandbox);
    for name in ["a", "b", "c", "d"] {
        install(&mut daemon, MANIFEST, name);
        sandbox.add(&plugin(&format!("demo/{name}"), name, "2.0.0"));
    }
    daemon.ok(
        "plugd/pin",
        json!({"pluginId": "a@demo", "version": "1.0.0"}),
    );
    let manifest = json!({"name": "demo", "plugins": [
        {"name": "a", "source": "./a"},
        {"name": "c", "source": "./c", "policy": {"installation": "NOT_AVAILABLE"}},
        {"name": "d", "source": "./d"},
    ]});
    sandbox.write(
        "demo/.agents/plugins/marketplace.json",
        manifest.to_string(),
    );
    let expected = [
        "a@demo 1.0.0 -> 2.0.0 heldByPin",
        "b@demo 1.0.0 -> - noSource",
        "c@demo 1.0.0 -> 2.0.0 policy",
        "d@demo 1.0.0 -> 2.0.0 newer!",
    ];
    let looked: Vec<String> = outdated(&mut daemon, json!({})).iter().map(told).collect();
    assert_eq!(looked, expected);
    let done = update(&mut daemon, json!({}));
    assert_eq!(done.iter().map(told).collect::<Vec<_>>(), expected);
    let kinds: Vec<&str> = done[..3]
        .iter()
        .map(|row| text(&row["problems"][0]["kind"]))
        .collect();
    assert_eq!(kinds, ["heldBack", "orphan", "policy"]);
    assert!(sandbox.exists("ch/plugins/cache/demo/d/2.0.0"));
    daemon.shut_down();
}

/// A broken source is a row among others.
#[test]
fn what_fails_holds_up_nothing() {
    let sandbox = small(&[("a", "1.0.0"), ("b", "1.0.0")]);
    let mut daemon = start(&sandbox);
    for name in ["a", "b"] {
        install(&mut daemon, MANIFEST, name);
        sandbox.add(&plugin(&format!("demo/{name}"), name, "2.0.0"));
    }
    sandbox.write("demo/a/.codex-plugin/plugin.json", "{");
    let done: Vec<String> = update(&mut daemon, json!({})).iter().map(told).collect();
    assert_eq!(
        done,
        ["a@demo 1.0.0 -> - failed", "b@demo 1.0.0 -> 2.0.0 newer!"]
    );
    let error = refused(&mut daemon, "plugd/update", json!({"pluginId": "a@demo"}));
    assert_eq!(error, "-32600 invalidInput");
    daemon.shut_down();
}

#[test]
fn another_marketplace_of_the_name_is_no_source() {
    let (sandbox, mut daemon) = through(&["1.0.0"]);
    // The configured one is another directory now.
    sandbox.add(&plugin("other/hello", "hello", "9.0.0"));
    let manifest = json!({"name": "demo", "plugins": [{"name": "hello", "source": "./hello"}]});
    sandbox.write(
        "other/.agents/plugins/marketplace.json",
        manifest.to_string(),
    );
    let config = sandbox
        .text("ch/config.toml")
        .replace("/demo\"", "/other\"");
    sandbox.write("ch/config.toml", sandbox.expand(&config));
    check_both(
        &mut daemon,
        "hello@demo",
        "hello@demo 1.0.0 -> 1.0.0 current",
    );
    sandbox.remove("demo");
    check_both(&mut daemon, "hello@demo", "hello@demo 1.0.0 -> - noSource");
    daemon.shut_down();
}

#[track_caller]
fn installed_version(daemon: &mut Daemon) -> String {
    let listing = daemon.ok("plugin/list", json!({}));
    text(&plugin_in(&listing, "hello@demo")["installedVersion"]).to_owned()
}

#[test]
fn what_is_switched_off_is_updated_and_stays_off() {
    let (sandbox, mut daemon) = through(&["1.0.0"]);
    let edit = json!({"keyPath": "plugins.\"hello@demo\".enabled", "value": false,
        "mergeStrategy": "replace"});
    daemon.ok("config/value/write", edit);
    let config = sandbox.text("ch/config.toml");
    sandbox.add(&plugin("demo/hello", "hello", "2.0.0"));
    check_both(
        &mut daemon,
        "hello@demo",
        "hello@demo 1.0.0 -> 2.0.0 newer!",
    );
    assert_eq!(sandbox.text("ch/config.toml"), config);
    daemon.shut_down();
}

#[test]
fn what_was_brought_can_go_back() {
    let (sandbox, mut daemon) = through(&["1.0.0"]);
    sandbox.add(&plugin("demo/hello", "hello", "2.0.0"));
    update(&mut daemon, json!({}));
    assert_eq!(installed_version(&mut daemon), "2.0.0");
    daemon.ok("plugd/rollback", json!({"pluginId": "hello@demo"}));
    let row = update(&mut daemon, json!({})).remove(0);
    assert_eq!(told(&row), "hello@demo 1.0.0 -> 2.0.0 heldByPin");
    list_and_settle(&mut daemon, json!({}));
    assert_eq!(sandbox.tree(CACHE), plugin("1.0.0", "hello", "1.0.0"));
    daemon.shut_down();
}

#[test]
fn what_cannot_be_asked() {
    let (_sandbox, mut daemon) = through(&["1.0.0"]);
    for method in ["plugd/outdated", "plugd/update"] {
        let mut check = |params: Value, expected: &str| {
            assert_eq!(refused(&mut daemon, method, params), expected, "{method}");
        };
        check(json!({"pluginId": "absent@demo"}), "-32600 notFound");
        check(json!({"pluginId": "no id"}), "-32600 invalidInput");
        check(json!({"pluginId": 5}), "-32602 invalidParams");
    }
    let mut check = |params: Value, expected: &str| {
        assert_eq!(
            refused(
                &mut daemon,
                "plugd/update",
                with(json!({"pluginId": "hello@demo"}), params)
            ),
            expected
        );
    };
    check(json!({"confirm": "everything"}), "-32602 invalidParams");
    check(json!({"confirmed": ["sha256:abcd"]}), "-32600 invalidInput");
    check(json!({"confirmed": "x"}), "-32602 invalidParams");
    daemon.shut_down();
}

#[test]
fn with_nothing_installed_there_is_nothing_to_say() {
    let sandbox = Sandbox::new();
    let mut daemon = start(&sandbox);
    let answer = daemon.ok("plugd/outdated", json!({}));
    assert_eq!(
        shown(&answer, &sandbox),
        json!({"dryRun": true, "changes": []})
    );
    let answer = daemon.ok("plugd/update", json!({}));
    assert_eq!(answer, json!({"dryRun": false, "changes": []}));
    daemon.shut_down();
}
