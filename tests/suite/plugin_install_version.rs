//! Proves `version`, `ref` and `sha` of `plugin/install`: what is named comes and stays, from the
//! source, the registry, the repository or what is kept; and a pinned plugin comes as it is pinned.

use plugd_testkit::{Daemon, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::accounts::{Account, remote};
use crate::fixtures::{
    cli, home_tree, list_and_settle, plugin, plugin_in, refused, start, start_listening, text, with,
};
use crate::git_plugin_install::{Shop, p, top};
use crate::npm_plugin_install;
use crate::remotes::nothing_left;
use crate::versions::{CACHE, MANIFEST, order, through, versions};

fn hello(members: Value) -> Value {
    let params = json!({"marketplacePath": MANIFEST, "pluginName": "hello"});
    with(params, members)
}

/// Installs, and answers version and whether something changed.
#[track_caller]
fn install(daemon: &mut Daemon, params: Value) -> (String, bool) {
    let answer = daemon.ok("plugin/install", params);
    let version = text(&answer["installedVersion"]).to_owned();
    (version, answer["changed"] == true)
}

#[track_caller]
fn pinned(daemon: &mut Daemon, id: &str) -> Value {
    versions(daemon, id)["pin"].take()
}

fn is(version: &str, changed: bool) -> (String, bool) {
    (version.to_owned(), changed)
}

fn switch_off(sandbox: &Sandbox) {
    let config = sandbox.text("ch/config.toml");
    let config = config.replace("enabled = true", "enabled = false");
    sandbox.write("ch/config.toml", sandbox.expand(&config));
}

#[test]
fn a_version_that_is_offered_comes_and_stays() {
    let (sandbox, mut daemon) = through(&["1.0.0"]);
    sandbox.add(&plugin("demo/hello", "hello", "2.0.0"));
    let done = install(&mut daemon, hello(json!({"version": "2.0.0"})));
    assert_eq!(done, is("2.0.0", true));
    let pin = json!({"version": "2.0.0", "commit": null, "digest": null, "lockPaths": []});
    assert_eq!(pinned(&mut daemon, "hello@demo"), pin);
    // Now it is there, and pinned.
    let again = install(&mut daemon, hello(json!({"version": "2.0.0"})));
    assert_eq!(again, is("2.0.0", false));
    sandbox.add(&plugin("demo/hello", "hello", "3.0.0"));
    list_and_settle(&mut daemon, json!({}));
    assert!(sandbox.exists(&format!("{CACHE}/2.0.0")));
    nothing_left(&sandbox);
    daemon.shut_down();
}

#[test]
fn a_version_that_is_installed_is_only_pinned() {
    let (sandbox, mut daemon) = through(&["1.0.0"]);
    sandbox.add(&plugin("demo/hello", "hello", "2.0.0"));
    let copy = sandbox.tree(CACHE);
    let done = install(&mut daemon, hello(json!({"version": "1.0.0"})));
    assert_eq!(done, is("1.0.0", true));
    assert_eq!(sandbox.tree(CACHE), copy);
    assert_eq!(pinned(&mut daemon, "hello@demo")["version"], "1.0.0");
    // The same for one whose source has it too.
    let (_sandbox, mut other) = through(&["1.0.0"]);
    let done = install(&mut other, hello(json!({"version": "1.0.0"})));
    assert_eq!(done, is("1.0.0", true));
    assert_eq!(pinned(&mut other, "hello@demo")["version"], "1.0.0");
    other.shut_down();
    daemon.shut_down();
}

#[test]
fn a_version_that_is_kept_comes_back_and_is_switched_on() {
    let (sandbox, mut daemon) = through(&["1.0.0", "2.0.0"]);
    switch_off(&sandbox);
    let done = install(&mut daemon, hello(json!({"version": "1.0.0"})));
    assert_eq!(done, is("1.0.0", true));
    let listing = daemon.ok("plugin/list", json!({}));
    let row = plugin_in(&listing, "hello@demo");
    assert_eq!(
        (&row["installedVersion"], &row["enabled"]),
        (&json!("1.0.0"), &json!(true))
    );
    let found = versions(&mut daemon, "hello@demo");
    assert_eq!(order(&found), ["2.0.0 kept", "1.0.0 installed"]);
    assert_eq!(found["pin"]["digest"], found["versions"][1]["treeDigest"]);
    // Done again it changes nothing, and lets nothing go.
    let pin = found["pin"].clone();
    let done = install(&mut daemon, hello(json!({"version": "1.0.0"})));
    assert_eq!(done, is("1.0.0", false));
    assert_eq!(pinned(&mut daemon, "hello@demo"), pin);
    // Naming another one moves the pin.
    let done = install(&mut daemon, hello(json!({"version": "2.0.0"})));
    assert_eq!(done, is("2.0.0", true));
    assert_eq!(pinned(&mut daemon, "hello@demo")["version"], "2.0.0");
    nothing_left(&sandbox);
    daemon.shut_down();
}

#[test]
fn a_pinned_plugin_comes_as_it_is_pinned() {
    let (sandbox, mut daemon) = through(&["1.0.0", "2.0.0"]);
    daemon.ok("plugd/rollback", json!({"pluginId": "hello@demo"}));
    let pin = pinned(&mut daemon, "hello@demo");
    assert_eq!(install(&mut daemon, hello(json!({}))), is("1.0.0", false));
    // It is switched on, as by every installation.
    switch_off(&sandbox);
    assert_eq!(install(&mut daemon, hello(json!({}))), is("1.0.0", true));
    assert_eq!(pinned(&mut daemon, "hello@demo"), pin);
    // Somebody has deleted the copy, and the pin has kept its content.
    sandbox.remove(CACHE);
    assert_eq!(install(&mut daemon, hello(json!({}))), is("1.0.0", true));
    assert_eq!(pinned(&mut daemon, "hello@demo"), pin);
    daemon.shut_down();
}

#[test]
fn what_is_pinned_and_nowhere_to_be_had_is_refused_until_its_source_has_it() {
    let (sandbox, mut daemon) = through(&["1.0.0"]);
    daemon.ok("plugd/pin", json!({"pluginId": "hello@demo"}));
    sandbox.add(&plugin("demo/hello", "hello", "2.0.0"));
    sandbox.remove(CACHE);
    let before = home_tree(&sandbox);
    let error = refused(&mut daemon, "plugin/install", hello(json!({})));
    assert_eq!(error, "-32600 conflict");
    // The same version with other content is not it either.
    sandbox.add(&plugin("demo/hello", "hello", "1.0.0"));
    sandbox.write("demo/hello/notes.md", "other\n");
    let error = refused(&mut daemon, "plugin/install", hello(json!({})));
    assert_eq!(error, "-32600 conflict");
    assert_eq!(home_tree(&sandbox), before);
    sandbox.write("demo/hello/notes.md", "hello 1.0.0\n");
    assert_eq!(install(&mut daemon, hello(json!({}))), is("1.0.0", true));
    nothing_left(&sandbox);
    daemon.shut_down();
}

/// The reference knows no pins: its refresh puts what the source has over what went back.
#[test]
fn a_pinned_plugin_that_another_program_replaced_comes_back_on_request() {
    let (sandbox, mut daemon) = through(&["1.0.0", "2.0.0"]);
    daemon.ok("plugd/rollback", json!({"pluginId": "hello@demo"}));
    let mut check = |restore: &dyn Fn(&mut Daemon)| {
        sandbox.remove(&format!("{CACHE}/1.0.0"));
        sandbox.add(&plugin(&format!("{CACHE}/2.0.0"), "hello", "2.0.0"));
        list_and_settle(&mut daemon, json!({}));
        // Nobody fights over it.
        assert!(sandbox.exists(&format!("{CACHE}/2.0.0")));
        let found = versions(&mut daemon, "hello@demo");
        assert_eq!(
            order(&found)[..],
            ["2.0.0 installed", "2.0.0 kept", "1.0.0 kept*"]
        );
        restore(&mut daemon);
        assert_eq!(sandbox.tree(CACHE), plugin("1.0.0", "hello", "1.0.0"));
        let found = versions(&mut daemon, "hello@demo");
        assert_eq!(order(&found), ["2.0.0 kept", "1.0.0 installed"]);
        assert_eq!(found["versions"][1]["pinned"], true);
    };
    check(&|daemon| assert_eq!(install(daemon, hello(json!({}))), is("1.0.0", true)));
    check(&|daemon| {
        daemon.ok("plugd/rollback", json!({"pluginId": "hello@demo"}));
    });
    // The same for a file that somebody changed.
    sandbox.write(&format!("{CACHE}/1.0.0/notes.md"), "changed\n");
    assert_eq!(install(&mut daemon, hello(json!({}))), is("1.0.0", true));
    assert_eq!(sandbox.tree(CACHE), plugin("1.0.0", "hello", "1.0.0"));
    daemon.shut_down();
}

#[test]
fn a_loose_pin_takes_new_content_of_its_version() {
    let (sandbox, mut daemon) = through(&["1.0.0"]);
    daemon.ok(
        "plugd/pin",
        json!({"pluginId": "hello@demo", "version": "1.0.0"}),
    );
    sandbox.write("demo/hello/notes.md", "rewritten\n");
    assert_eq!(install(&mut daemon, hello(json!({}))), is("1.0.0", true));
    assert_eq!(
        sandbox.text(&format!("{CACHE}/1.0.0/notes.md")),
        "rewritten\n"
    );
    // Not another version: the copy stays.
    sandbox.add(&plugin("demo/hello", "hello", "2.0.0"));
    assert_eq!(install(&mut daemon, hello(json!({}))), is("1.0.0", false));
    daemon.shut_down();
}

#[test]
fn a_ref_or_commit_of_a_repository_comes_and_is_pinned() {
    let shop = Shop::open();
    shop.offer_p();
    let first = shop.repo.commit(&top("1.0.0"));
    let beta = shop.repo.commit_to("beta", &top("2.0.0-beta"));
    shop.repo.tag("v1", &first);
    let newest = shop.repo.commit(&top("3.0.0"));
    let mut daemon = start_listening(&shop.sandbox);
    let mut check = |members: Value, version: &str, commit: &str| {
        let done = install(&mut daemon, with(p(), members.clone()));
        assert_eq!(done, is(version, true), "{members}");
        assert_eq!(
            pinned(&mut daemon, "p@demo"),
            json!({"version": version, "commit": commit, "digest": null, "lockPaths": []})
        );
        assert_eq!(install(&mut daemon, with(p(), members)), is(version, false));
        // Nothing moves it.
        list_and_settle(&mut daemon, json!({}));
        assert_eq!(
            versions(&mut daemon, "p@demo")["versions"]
                .as_array()
                .unwrap()
                .iter()
                .find(|row| row["state"] == "installed")
                .unwrap()["commit"],
            commit
        );
    };
    check(json!({"ref": "beta"}), "2.0.0-beta", &beta);
    check(json!({"ref": "v1"}), "1.0.0", &first);
    check(json!({"sha": newest}), "3.0.0", &newest);
    check(json!({"sha": first}), "1.0.0", &first);
    // A pinned one that was lost is fetched as it was.
    shop.sandbox.remove("ch/plugins/cache/demo/p");
    assert_eq!(install(&mut daemon, p()), is("1.0.0", true));
    // Let go, it comes back to what the entry means.
    daemon.ok("plugd/pin", json!({"pluginId": "p@demo", "none": true}));
    let row = daemon.ok("plugd/update", json!({"pluginId": "p@demo"}))["changes"][0].take();
    assert_eq!(
        (&row["to"], &row["toCommit"]),
        (&json!("3.0.0"), &json!(newest))
    );
    nothing_left(&shop.sandbox);
    daemon.shut_down();
}

#[test]
fn a_release_of_a_registry() {
    let shop = npm_plugin_install::Shop::open();
    for version in ["1.1.0", "2.0.0"] {
        let files = npm_plugin_install::files(version);
        shop.registry.publish("tool", version, &files);
    }
    let mut daemon = start(&shop.sandbox);
    let done = install(&mut daemon, with(p(), json!({"version": "1.1.0"})));
    assert_eq!(done, is("1.1.0", true));
    assert_eq!(
        pinned(&mut daemon, "p@demo"),
        json!({"version": "1.1.0", "commit": "1.1.0", "digest": null, "lockPaths": []})
    );
    shop.sandbox.remove("ch/plugins/cache/demo/p");
    assert_eq!(install(&mut daemon, p()), is("1.1.0", true));
    for (version, kind) in [("9.9.9", "notFound"), ("^1", "notFound")] {
        let params = with(p(), json!({"version": version}));
        let error = daemon.err("plugin/install", params);
        assert_eq!(error["data"]["kind"], kind, "{error:#}");
    }
    daemon.shut_down();
}

#[test]
fn what_cannot_be_named() {
    let (sandbox, mut daemon) = through(&["1.0.0", "2.0.0"]);
    let before = home_tree(&sandbox);
    let mut check = |members: Value, expected: &str, field: &str| {
        let error = daemon.err("plugin/install", hello(members.clone()));
        let found = (text(&error["data"]["kind"]), text(&error["data"]["field"]));
        assert_eq!(found, (expected, field), "{members}: {error:#}");
        text(&error["message"]).to_owned()
    };
    let message = check(json!({"version": "9.9"}), "notFound", "version");
    assert!(
        message.contains("offers 2.0.0") && message.contains("kept: 1.0.0 (sha256:"),
        "{message}"
    );
    check(json!({"version": ""}), "notFound", "version");
    check(
        json!({"version": "1.0.0", "sha": "abcd"}),
        "invalidInput",
        "sha",
    );
    check(
        json!({"version": "1.0.0", "ref": "main"}),
        "invalidInput",
        "ref",
    );
    check(json!({"ref": "main", "sha": "abcd"}), "invalidInput", "sha");
    check(json!({"ref": "main"}), "invalidInput", "ref");
    check(json!({"sha": "abcd"}), "invalidInput", "sha");
    check(json!({"version": 5}), "invalidParams", "version");
    assert_eq!(home_tree(&sandbox), before);
    daemon.shut_down();

    let shop = Shop::open();
    shop.offer_p();
    let mut daemon = shop.start();
    for (members, kind, field) in [
        (json!({"ref": "absent"}), "notFound", None),
        (
            json!({"sha": "0123456789012345678901234567890123456789"}),
            "notFound",
            None,
        ),
        (json!({"sha": "no commit"}), "invalidInput", Some("sha")),
        (json!({"ref": "a..b"}), "invalidInput", Some("ref")),
        (json!({"version": "9.9"}), "notFound", Some("version")),
    ] {
        let error = daemon.err("plugin/install", with(p(), members.clone()));
        assert_eq!(error["data"]["kind"], kind, "{members}: {error:#}");
        assert_eq!(
            error["data"]["field"].as_str(),
            field,
            "{members}: {error:#}"
        );
        assert!(!shop.sandbox.exists("ch/plugins/cache/demo"), "{members}");
    }
    nothing_left(&shop.sandbox);
    daemon.shut_down();

    let account = Account::new();
    let id = account.offer(&["alpha"]).remove(0);
    let mut daemon = account.start();
    for member in ["version", "ref", "sha"] {
        let params = with(remote(&id), json!({member: "1.0.0"}));
        let error = daemon.err("plugin/install", params);
        assert_eq!(error["data"]["field"], member, "{error:#}");
        assert!(text(&error["message"]).contains("hands out one version"));
    }
    daemon.shut_down();
}

#[test]
fn a_broken_configuration_leaves_the_pin_alone() {
    let (sandbox, mut daemon) = through(&["1.0.0", "2.0.0"]);
    let config = sandbox.text("ch/config.toml");
    let broken = format!("{config}\nbroken =");
    sandbox.write("ch/config.toml", sandbox.expand(&broken));
    let before = home_tree(&sandbox);
    for version in ["1.0.0", "2.0.0"] {
        let error = daemon.err("plugin/install", hello(json!({"version": version})));
        assert!(error["data"]["kind"].is_string(), "{error:#}");
    }
    assert_eq!(home_tree(&sandbox), before);
    daemon.shut_down();
}

#[test]
fn the_command() {
    let (sandbox, mut daemon) = through(&["1.0.0", "2.0.0"]);
    daemon.shut_down();
    let added = cli(
        &sandbox,
        &[
            "plugin",
            "add",
            "hello@demo",
            "--version",
            "1.0.0",
            "--json",
        ],
    );
    assert_eq!(added.json()["version"], "1.0.0", "{added}");
    let both = [
        "plugin",
        "add",
        "hello@demo",
        "--version",
        "1",
        "--sha",
        "ab",
    ];
    assert_eq!(cli(&sandbox, &both).status.code(), Some(2));
    let local = cli(&sandbox, &["plugin", "add", "hello@demo", "--ref", "main"]);
    assert_eq!(local.status.code(), Some(1), "{local}");
    assert!(local.stderr.contains("no git or OCI repository"), "{local}");
}
