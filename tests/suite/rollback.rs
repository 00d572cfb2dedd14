//! Proves `plugd/rollback`: the version before comes back at once and stays, and nothing else changes.

use plugd_testkit::Daemon;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    cli, home_tree, install, list_and_settle, plugin, plugin_in, refused, start_listening, text,
};
use crate::git_plugin_install::{Shop, p, top};
use crate::versions::{CACHE, MANIFEST, order, through, versions};

#[track_caller]
fn roll_back(daemon: &mut Daemon, params: Value) -> Value {
    let mut answer = daemon.ok("plugd/rollback", params);
    answer["changes"][0].take()
}

/// What is installed, by its one file.
#[track_caller]
fn check_installed(daemon: &Daemon, version: &str) {
    let sandbox = daemon.sandbox();
    assert_eq!(sandbox.tree(CACHE), plugin(version, "hello", version));
}

#[test]
fn the_version_before_comes_back_and_is_pinned() {
    let (sandbox, mut daemon) = through(&["1.0.0", "2.0.0"]);
    let config = sandbox.text("ch/config.toml");
    let digest = |daemon: &mut Daemon, at: usize| {
        versions(daemon, "hello@demo")["versions"][at]["treeDigest"].take()
    };
    let (new, old) = (digest(&mut daemon, 0), digest(&mut daemon, 1));
    // What the installations tell must not be one message with what the rollback tells.
    daemon.shut_down();
    let mut daemon = start_listening(&sandbox);
    let change = roll_back(&mut daemon, json!({"pluginId": "hello@demo"}));
    assert_eq!(
        change,
        json!({
            "pluginId": "hello@demo", "from": "2.0.0", "to": "1.0.0", "changed": true,
            "reason": "rolledBack", "fromCommit": null, "toCommit": null, "fromDigest": new,
            "toDigest": old, "pin": {"version": "1.0.0", "commit": null, "digest": old, "lockPaths": []},
            "problems": [],
        })
    );
    check_installed(&daemon, "1.0.0");
    assert_eq!(sandbox.text("ch/config.toml"), config);
    let told = daemon.wait_notification("plugd/changed", |change| {
        change["configKeys"] == json!([]) && change["reason"] == "request"
    });
    assert_eq!(told["plugins"], json!(["hello@demo"]));
    let found = versions(&mut daemon, "hello@demo");
    assert_eq!(order(&found), ["2.0.0 kept", "1.0.0 installed"]);
    assert_eq!(found["pin"]["digest"], old);
    let verified = daemon.ok("plugd/verify", json!({"pluginId": "hello@demo"}));
    assert_eq!(verified["matches"], true, "{verified:#}");
    daemon.shut_down();
}

#[test]
fn a_refresh_leaves_it_and_brings_the_new_one_once_it_is_let_go() {
    let (_sandbox, mut daemon) = through(&["1.0.0", "2.0.0"]);
    roll_back(&mut daemon, json!({"pluginId": "hello@demo"}));
    list_and_settle(&mut daemon, json!({}));
    check_installed(&daemon, "1.0.0");
    let listing = list_and_settle(&mut daemon, json!({}));
    let row = plugin_in(&listing, "hello@demo");
    assert_eq!(
        (&row["installedVersion"], &row["updateAvailable"]),
        (&json!("1.0.0"), &json!(true))
    );
    daemon.ok("plugd/pin", json!({"pluginId": "hello@demo", "none": true}));
    list_and_settle(&mut daemon, json!({}));
    check_installed(&daemon, "2.0.0");
    daemon.shut_down();
}

#[test]
fn what_was_switched_off_stays_off() {
    let (sandbox, mut daemon) = through(&["1.0.0", "2.0.0"]);
    let edit = json!({"keyPath": "plugins.\"hello@demo\".enabled", "value": false,
        "mergeStrategy": "replace"});
    daemon.ok("config/value/write", edit);
    let config = sandbox.text("ch/config.toml");
    roll_back(&mut daemon, json!({"pluginId": "hello@demo"}));
    assert_eq!(sandbox.text("ch/config.toml"), config);
    let listing = daemon.ok("plugin/list", json!({}));
    let row = plugin_in(&listing, "hello@demo");
    assert_eq!(
        (&row["enabled"], &row["installed"]),
        (&json!(false), &json!(true))
    );
    daemon.shut_down();
}

#[test]
fn done_again_it_goes_back_further_and_then_says_what_is_kept() {
    let (_sandbox, mut daemon) = through(&["1.0.0", "2.0.0", "3.0.0"]);
    let mut back = |expected: &str| {
        let change = roll_back(&mut daemon, json!({"pluginId": "hello@demo"}));
        assert_eq!(change["to"], expected);
    };
    back("2.0.0");
    back("1.0.0");
    let error = daemon.err("plugd/rollback", json!({"pluginId": "hello@demo"}));
    assert_eq!(error["data"]["kind"], "notFound");
    let message = text(&error["message"]);
    for kept in ["3.0.0 (sha256:", "2.0.0 (sha256:"] {
        assert!(message.contains(kept), "{message}");
    }
    // Everything is still there.
    let change = roll_back(
        &mut daemon,
        json!({"pluginId": "hello@demo", "to": "3.0.0"}),
    );
    assert_eq!(change["changed"], true);
    check_installed(&daemon, "3.0.0");
    daemon.shut_down();
}

#[test]
fn a_version_is_named_by_version_digest_or_commit() {
    let (_sandbox, mut daemon) = through(&["1.0.0", "2.0.0", "3.0.0"]);
    let found = versions(&mut daemon, "hello@demo");
    let digest = text(&found["versions"][2]["treeDigest"]).to_owned();
    for to in [&digest, &digest[..20], &digest["sha256:".len()..][..6]] {
        let change = roll_back(&mut daemon, json!({"pluginId": "hello@demo", "to": to}));
        assert_eq!(
            (&change["to"], &change["changed"]),
            (&json!("1.0.0"), &json!(true)),
            "{to}"
        );
        // What is installed already stays as it is, and its pin too.
        let again = roll_back(&mut daemon, json!({"pluginId": "hello@demo", "to": to}));
        assert_eq!(
            (&again["reason"], &again["changed"]),
            (&json!("current"), &json!(false))
        );
        roll_back(
            &mut daemon,
            json!({"pluginId": "hello@demo", "to": "3.0.0"}),
        );
    }
    daemon.shut_down();

    let shop = Shop::open();
    shop.offer_p();
    let mut daemon = shop.start();
    daemon.ok("plugin/install", p());
    let found = versions(&mut daemon, "p@demo");
    let first = text(&found["versions"][0]["commit"]).to_owned();
    shop.repo.commit(&top("2.0.0"));
    daemon.ok("plugin/install", p());
    // Nobody has to be asked for it.
    drop(shop.server);
    let change = roll_back(&mut daemon, json!({"pluginId": "p@demo", "to": first[..8]}));
    assert_eq!(
        (&change["to"], &change["toCommit"]),
        (&json!("1.0.0"), &json!(first))
    );
    assert_eq!(change["pin"]["commit"], first);
    daemon.shut_down();
}

#[test]
fn a_dry_run_tells_and_changes_nothing() {
    let (sandbox, mut daemon) = through(&["1.0.0", "2.0.0"]);
    let before = home_tree(&sandbox);
    let answer = daemon.ok(
        "plugd/rollback",
        json!({"pluginId": "hello@demo", "dryRun": true}),
    );
    assert_eq!(answer["dryRun"], true);
    let change = &answer["changes"][0];
    assert_eq!(
        (&change["to"], &change["changed"]),
        (&json!("1.0.0"), &json!(true))
    );
    assert_eq!(home_tree(&sandbox), before);
    daemon.shut_down();
}

#[test]
fn an_orphan_and_a_plugin_without_a_copy_come_back_too() {
    let (sandbox, mut daemon) = through(&["1.0.0", "2.0.0"]);
    sandbox.write(
        "ch/config.toml",
        "[plugins.\"hello@demo\"]\nenabled = true\n",
    );
    roll_back(&mut daemon, json!({"pluginId": "hello@demo"}));
    check_installed(&daemon, "1.0.0");
    // Somebody has deleted the copy.
    sandbox.remove(CACHE);
    let change = roll_back(
        &mut daemon,
        json!({"pluginId": "hello@demo", "to": "2.0.0"}),
    );
    assert_eq!(
        (&change["from"], &change["to"]),
        (&Value::Null, &json!("2.0.0"))
    );
    check_installed(&daemon, "2.0.0");
    daemon.shut_down();
}

#[test]
fn what_somebody_runs_in_stays_where_it_is() {
    let (sandbox, mut daemon) = through(&["1.0.0", "2.0.0"]);
    let lease = daemon.ok("plugd/components", json!({"lease": true}));
    let root = text(&lease["plugins"][0]["root"]).to_owned();
    let root = root.replace(&format!("{}/", sandbox.root()), "");
    let before = sandbox.tree(&root);
    roll_back(&mut daemon, json!({"pluginId": "hello@demo"}));
    assert_eq!(sandbox.tree(&root), before);
    daemon.shut_down();
}

#[test]
fn what_cannot_come_back() {
    let (sandbox, mut daemon) = through(&["1.0.0", "2.0.0"]);
    let mut check = |params: Value, expected: &str| {
        assert_eq!(refused(&mut daemon, "plugd/rollback", params), expected);
    };
    check(json!({"pluginId": "absent@demo"}), "-32600 notFound");
    check(json!({"pluginId": "no id"}), "-32600 invalidInput");
    check(json!({}), "-32602 invalidParams");
    check(
        json!({"pluginId": "hello@demo", "to": 5}),
        "-32602 invalidParams",
    );
    for to in ["9.9", "", "1.0", "sha256:", "../..", "ffffffff"] {
        check(
            json!({"pluginId": "hello@demo", "to": to}),
            "-32600 notFound",
        );
    }
    // What was changed where it is kept is no longer that version.
    let found = versions(&mut daemon, "hello@demo");
    let kept = text(&found["versions"][1]["path"]).replace("$ROOT/", "");
    sandbox.write(&format!("{kept}/added"), "x\n");
    let before = home_tree(&sandbox);
    for dry_run in [true, false] {
        let params = json!({"pluginId": "hello@demo", "dryRun": dry_run});
        let error = daemon.err("plugd/rollback", params);
        assert_eq!(error["data"]["kind"], "notFound", "{error:#}");
    }
    assert_eq!(home_tree(&sandbox), before);
    daemon.shut_down();
}

#[test]
fn the_command_says_what_it_did() {
    let (sandbox, mut daemon) = through(&["1.0.0", "2.0.0"]);
    install(&mut daemon, MANIFEST, "hello");
    daemon.shut_down();
    let dry = cli(&sandbox, &["plugin", "rollback", "hello@demo", "--dry-run"]);
    assert_eq!(
        dry.stdout,
        "hello@demo would go back from 2.0.0 to 1.0.0 and be pinned there.\n"
    );
    let done = cli(&sandbox, &["plugin", "rollback", "hello@demo"]);
    assert_eq!(
        done.stdout,
        "hello@demo went back from 2.0.0 to 1.0.0 and is pinned there.\n"
    );
    let gone = cli(&sandbox, &["plugin", "rollback", "hello@demo", "--to", "7"]);
    assert_eq!(gone.status.code(), Some(1), "{gone}");
    assert!(gone.stderr.contains("kept: 2.0.0"), "{gone}");
    let json = cli(
        &sandbox,
        &[
            "plugin",
            "rollback",
            "hello@demo",
            "--to",
            "2.0.0",
            "--json",
        ],
    );
    assert_eq!(json.json()["changes"][0]["to"], "2.0.0");
}
