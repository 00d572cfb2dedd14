//! Proves `plugd/pin`: what is pinned stays, against everything that moves copies by itself.

use plugd_testkit::Daemon;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::curated_sync::{Curated, catalog};
use crate::fixtures::{
    cli, home_tree, install, list_and_settle, plugin, plugin_in, refused, start, start_listening,
    text, with,
};
use crate::git_plugin_install::{Shop, p, top};
use crate::status::at_rest;
use crate::versions::{CACHE, MANIFEST, through, versions};

#[track_caller]
fn pin(daemon: &mut Daemon, params: Value) -> Value {
    let mut answer = daemon.ok("plugd/pin", params);
    answer["changes"][0].take()
}

fn hello(members: Value) -> Value {
    with(json!({"pluginId": "hello@demo"}), members)
}

#[test]
fn a_pin_is_set_told_and_removed() {
    let (_sandbox, mut daemon) = through(&["1.0.0"]);
    let found = versions(&mut daemon, "hello@demo");
    let digest = found["versions"][0]["treeDigest"].clone();
    let exact = json!({"version": "1.0.0", "commit": null, "digest": digest, "lockPaths": []});
    let change = pin(&mut daemon, hello(json!({})));
    assert_eq!(
        (
            &change["from"],
            &change["to"],
            &change["reason"],
            &change["pin"]
        ),
        (&Value::Null, &json!("1.0.0"), &json!("pinned"), &exact)
    );
    let again = pin(&mut daemon, hello(json!({"digest": text(&digest)[..15]})));
    assert_eq!(
        (&again["reason"], &again["changed"]),
        (&json!("current"), &json!(false))
    );
    let loose = pin(&mut daemon, hello(json!({"version": "1.0.0"})));
    assert_eq!(
        loose["pin"],
        json!({"version": "1.0.0", "commit": null, "digest": null, "lockPaths": []})
    );
    let found = versions(&mut daemon, "hello@demo");
    assert_eq!(
        (&found["pin"], &found["versions"][0]["pinned"]),
        (&loose["pin"], &json!(true))
    );
    let gone = pin(&mut daemon, hello(json!({"none": true})));
    assert_eq!(
        (&gone["from"], &gone["to"], &gone["reason"], &gone["pin"]),
        (
            &json!("1.0.0"),
            &Value::Null,
            &json!("unpinned"),
            &Value::Null
        )
    );
    let again = pin(&mut daemon, hello(json!({"none": true})));
    assert_eq!(again["changed"], false);
    daemon.shut_down();
}

#[test]
fn a_dry_run_changes_nothing() {
    let (sandbox, mut daemon) = through(&["1.0.0"]);
    let before = home_tree(&sandbox);
    let change = pin(&mut daemon, hello(json!({"dryRun": true})));
    assert_eq!(
        (&change["changed"], &change["pin"]["version"]),
        (&json!(true), &json!("1.0.0"))
    );
    assert_eq!(home_tree(&sandbox), before);
    daemon.shut_down();
}

#[test]
fn a_version_holds_against_another_one_and_not_against_other_content() {
    let (sandbox, mut daemon) = through(&["1.0.0"]);
    pin(&mut daemon, hello(json!({"version": "1.0.0"})));
    sandbox.write("demo/hello/notes.md", "rewritten\n");
    list_and_settle(&mut daemon, json!({}));
    assert_eq!(
        sandbox.text(&format!("{CACHE}/1.0.0/notes.md")),
        "rewritten\n"
    );
    sandbox.add(&plugin("demo/hello", "hello", "2.0.0"));
    list_and_settle(&mut daemon, json!({}));
    assert!(sandbox.exists(&format!("{CACHE}/1.0.0")));
    let listing = daemon.ok("plugin/list", json!({}));
    assert_eq!(plugin_in(&listing, "hello@demo")["updateAvailable"], true);
    daemon.shut_down();
}

#[test]
fn content_holds_under_the_same_version() {
    let (sandbox, mut daemon) = through(&["1.0.0"]);
    pin(&mut daemon, hello(json!({})));
    sandbox.write("demo/hello/notes.md", "rewritten\n");
    list_and_settle(&mut daemon, json!({}));
    assert_eq!(
        sandbox.text(&format!("{CACHE}/1.0.0/notes.md")),
        "hello 1.0.0\n"
    );
    let listing = daemon.ok("plugin/list", json!({}));
    assert_eq!(plugin_in(&listing, "hello@demo")["updateAvailable"], true);
    daemon.shut_down();
}

/// What a run has found holds for the copy that it looked at, and not for the one that came since.
#[test]
fn what_a_pin_held_back_is_no_news_once_it_was_brought() {
    let (sandbox, mut daemon) = through(&["1.0.0"]);
    pin(&mut daemon, hello(json!({})));
    sandbox.write("demo/hello/notes.md", "rewritten\n");
    list_and_settle(&mut daemon, json!({}));
    let update_available = |daemon: &mut Daemon| {
        let installed = daemon.ok("plugin/installed", json!({}));
        plugin_in(&installed, "hello@demo")["updateAvailable"].clone()
    };
    let stale = |daemon: &mut Daemon| {
        let status = at_rest(daemon);
        let mut layers = status["layers"].as_array().unwrap().iter();
        let layer = layers.find(|layer| layer["kind"] == "installedCopy");
        layer.unwrap()["stale"].clone()
    };
    assert_eq!(update_available(&mut daemon), true);
    assert_eq!(stale(&mut daemon), json!(["hello@demo"]));
    pin(&mut daemon, hello(json!({"none": true})));
    assert_eq!(update_available(&mut daemon), true);
    install(&mut daemon, MANIFEST, "hello");
    assert_eq!(update_available(&mut daemon), false);
    assert_eq!(stale(&mut daemon), json!([]));
    daemon.shut_down();
}

#[test]
fn a_commit_holds_against_the_next_one() {
    let shop = Shop::open();
    shop.offer_p();
    let mut daemon = start_listening(&shop.sandbox);
    daemon.ok("plugin/install", p());
    let found = versions(&mut daemon, "p@demo");
    let first = text(&found["versions"][0]["commit"]).to_owned();
    let change = pin(
        &mut daemon,
        json!({"pluginId": "p@demo", "commit": first[..7]}),
    );
    assert_eq!(
        change["pin"],
        json!({"version": "1.0.0", "commit": first, "digest": null, "lockPaths": []})
    );
    // The same version from another commit: a pin to the version would let it move.
    shop.repo.commit("== notes.md\nother\n");
    for _ in 0..2 {
        list_and_settle(&mut daemon, json!({}));
        let found = versions(&mut daemon, "p@demo");
        assert_eq!(found["versions"][0]["commit"], first);
        let listing = daemon.ok("plugin/list", json!({}));
        assert_eq!(plugin_in(&listing, "p@demo")["updateAvailable"], true);
    }
    shop.repo.commit(&top("2.0.0"));
    list_and_settle(&mut daemon, json!({}));
    assert_eq!(
        versions(&mut daemon, "p@demo")["versions"][0]["version"],
        "1.0.0"
    );
    daemon.shut_down();
}

/// What holds it is here and not there, so it stays told as pinned.
#[test]
fn a_pin_outlives_the_source() {
    let shop = Shop::open();
    shop.offer_p();
    let mut daemon = start_listening(&shop.sandbox);
    daemon.ok("plugin/install", p());
    shop.server.withdraw("team/p.git");
    let mut check = |pin: Value, single: &str, several: &str| {
        let mut params = pin;
        params["pluginId"] = json!("p@demo");
        daemon.ok("plugd/pin", params);
        for method in ["plugd/outdated", "plugd/update"] {
            let answer = daemon.ok(method, json!({}));
            let row = &answer["changes"][0];
            assert_eq!(row["reason"], several, "{row:#}");
            assert_eq!(row["pin"]["version"], "1.0.0", "{row:#}");
            assert!(row["fromCommit"].is_string(), "{row:#}");
            let why = match several {
                "failed" => "missing",
                _ => "heldBack",
            };
            assert_eq!(row["problems"][0]["kind"], why, "{row:#}");
            let alone = daemon.call(method, json!({"pluginId": "p@demo"}));
            let told = match alone.get("error") {
                Some(error) => text(&error["data"]["kind"]).to_owned(),
                None => text(&alone["result"]["changes"][0]["reason"]).to_owned(),
            };
            assert_eq!(told, single, "{alone:#}");
        }
    };
    // Nobody knows the version of what would be fetched.
    check(json!({"version": "1.0.0"}), "notFound", "failed");
    check(json!({}), "heldByPin", "heldByPin");
    list_and_settle(&mut daemon, json!({}));
    let status = daemon.ok("plugd/status", json!({}));
    let listing = daemon.ok("plugin/list", json!({}));
    assert_eq!(
        plugin_in(&listing, "p@demo")["updateAvailable"],
        false,
        "{status:#}"
    );
    daemon.shut_down();
}

#[test]
fn a_plugin_of_the_snapshot_stays_behind_it() {
    let curated = Curated::new(&catalog(&[("p", "1.0.0")]));
    let mut daemon = curated.synced();
    let manifest = "$ROOT/ch/.tmp/plugins/.agents/plugins/api_marketplace.json";
    install(&mut daemon, manifest, "p");
    let id = "p@openai-api-curated";
    pin(&mut daemon, json!({"pluginId": id}));
    let before = versions(&mut daemon, id);
    curated.repo.commit(&catalog(&[("p", "2.0.0")]));
    curated.sync_again(&mut daemon);
    // What follows the snapshot is a refresh, and so is what a listing asks for behind it.
    daemon.take_notifications("plugd/task");
    let ended = |task: &Value| task["kind"] == "refresh" && task["state"] != "started";
    daemon.ok("plugin/list", json!({}));
    daemon.wait_notification("plugd/task", ended);
    assert_eq!(versions(&mut daemon, id), before);
    let row = daemon.ok("plugd/outdated", json!({"pluginId": id}))["changes"][0].take();
    assert_eq!(
        (&row["reason"], &row["changed"]),
        (&json!("heldByPin"), &json!(false))
    );
    let listing = daemon.ok("plugin/list", json!({}));
    assert_eq!(plugin_in(&listing, id)["updateAvailable"], true);
    // Another refresh behind it would bring what the update is to bring.
    at_rest(&mut daemon);
    pin(&mut daemon, json!({"pluginId": id, "none": true}));
    let row = daemon.ok("plugd/update", json!({"pluginId": id}))["changes"][0].take();
    assert_eq!(row["changed"], true, "{row:#}");
    daemon.shut_down();
}

#[test]
fn what_cannot_be_pinned() {
    let (sandbox, mut daemon) = through(&["1.0.0", "2.0.0"]);
    let before = home_tree(&sandbox);
    let mut check = |params: Value, expected: &str| {
        assert_eq!(
            refused(&mut daemon, "plugd/pin", params.clone()),
            expected,
            "{params}"
        );
    };
    check(json!({"pluginId": "absent@demo"}), "-32600 notFound");
    check(json!({"pluginId": "no id"}), "-32600 invalidInput");
    check(json!({}), "-32602 invalidParams");
    check(hello(json!({"none": "yes"})), "-32602 invalidParams");
    check(hello(json!({"version": "9.9"})), "-32600 notFound");
    // Kept, and not installed.
    check(hello(json!({"version": "1.0.0"})), "-32600 notFound");
    check(hello(json!({"commit": "abcdef"})), "-32600 notFound");
    for digest in ["", "sha256:", "sha256:ffffffff", "x"] {
        check(hello(json!({"digest": digest})), "-32600 notFound");
    }
    check(
        hello(json!({"version": "2.0.0", "commit": "abcd"})),
        "-32600 invalidInput",
    );
    check(
        hello(json!({"version": "2.0.0", "none": true})),
        "-32600 invalidInput",
    );
    let both = daemon.err("plugd/pin", hello(json!({"digest": "a", "none": true})));
    assert_eq!(both["data"]["field"], "none");
    assert_eq!(home_tree(&sandbox), before);
    // Nothing is known of a copy of another program.
    sandbox.add(&plugin(
        "ch/plugins/cache/demo/foreign/1.0.0",
        "foreign",
        "1.0.0",
    ));
    let foreign = refused(
        &mut daemon,
        "plugd/pin",
        json!({"pluginId": "foreign@demo"}),
    );
    assert_eq!(foreign, "-32600 notFound");
    daemon.shut_down();
}

#[test]
fn the_command_says_what_is_held() {
    let (sandbox, mut daemon) = through(&["1.0.0"]);
    daemon.shut_down();
    let run = |args: &[&str], expected: &str| {
        let output = cli(&sandbox, &[&["plugin", "pin", "hello@demo"], args].concat());
        assert_eq!(
            output.stdout,
            format!("hello@demo {expected}\n"),
            "{output}"
        );
    };
    run(
        &["--version", "1.0.0", "--dry-run"],
        "would be pinned to 1.0.0.",
    );
    run(&["--version", "1.0.0"], "is pinned to 1.0.0.");
    run(&["--version", "1.0.0"], "needs no change.");
    run(&["--none"], "is no longer pinned to 1.0.0.");
    let both = cli(
        &sandbox,
        &["plugin", "pin", "hello@demo", "--none", "--commit", "a"],
    );
    assert_eq!(both.status.code(), Some(2), "{both}");
    let mut daemon = start(&sandbox);
    assert_eq!(versions(&mut daemon, "hello@demo")["pin"], Value::Null);
    daemon.shut_down();
}

#[test]
fn a_copy_that_is_gone_comes_back_as_what_was_pinned_or_not_at_all() {
    let (sandbox, mut daemon) = through(&["1.0.0"]);
    daemon.ok("plugd/pin", hello(json!({})));
    let good = sandbox.text("demo/hello/notes.md");
    sandbox.write("demo/hello/notes.md", "other\n");
    sandbox.remove(CACHE);
    list_and_settle(&mut daemon, json!({}));
    assert!(!sandbox.exists(CACHE), "{}", sandbox.tree(CACHE));
    sandbox.write("demo/hello/notes.md", &good);
    list_and_settle(&mut daemon, json!({}));
    assert_eq!(sandbox.text(&format!("{CACHE}/1.0.0/notes.md")), good);
    daemon.shut_down();
}
