//! Proves `plugd/sync`: another home comes to hold exactly what was locked, nothing is overruled
//! without being asked, and a failure leaves everything as it was.

use plugd_testkit::{Daemon, GitRepo, Launch, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    BINARY, install, launch, list_and_settle, plugin, refused, shown, start, start_listening, text,
};
use crate::lock::{LOCK, MANIFEST, in_project, lock, project, rows};
use crate::remotes::{self, Remote, add, nothing_left, remote, tree};

/// The daemon over the other home.
#[track_caller]
fn other(sandbox: &Sandbox) -> Daemon {
    sandbox.add("== ch2/\n");
    let mut daemon = launch()
        .var("CODEX_HOME", &sandbox.path("ch2").to_text())
        .start(sandbox);
    daemon.initialize_with(json!({
        "clientInfo": {"name": "plugd-tests", "version": "1.0.0"},
        "capabilities": {"plugd": {"notifications": true}},
    }));
    daemon
}

#[track_caller]
fn sync(daemon: &mut Daemon, more: Value) -> Value {
    daemon.ok("plugd/sync", in_project(more))
}

/// Everything below the other home that is not our own bookkeeping.
fn visible(sandbox: &Sandbox) -> [String; 2] {
    let config = match sandbox.exists("ch2/config.toml") {
        true => sandbox.text("ch2/config.toml"),
        false => String::new(),
    };
    let cache = match sandbox.exists("ch2/plugins/cache") {
        true => sandbox.tree("ch2/plugins/cache"),
        false => String::new(),
    };
    [config, cache]
}

/// The digests and the pin of a plugin.
#[track_caller]
fn held(daemon: &mut Daemon, id: &str) -> (Value, Value, Value) {
    let mut answer = daemon.ok("plugd/versions", json!({"pluginId": id}));
    let plugin = answer["plugins"][0].take();
    let versions = plugin["versions"].as_array().unwrap();
    let version = versions.iter().find(|one| one["state"] == "installed");
    let version = version.unwrap().clone();
    (
        version["treeDigest"].clone(),
        version["by"].clone(),
        shown(&plugin["pin"], daemon.sandbox()),
    )
}

/// A project whose lock names both plugins, and the first home's digests.
fn locked() -> (Sandbox, [Value; 2]) {
    let sandbox = project();
    let mut first = start(&sandbox);
    install(&mut first, MANIFEST, "a");
    install(&mut first, MANIFEST, "b");
    lock(&mut first, json!({}));
    let digests = ["a@team", "b@team"].map(|id| held(&mut first, id).0);
    first.shut_down();
    (sandbox, digests)
}

#[test]
fn an_empty_home_comes_to_hold_what_was_locked() {
    let (sandbox, digests) = locked();
    let mut second = other(&sandbox);
    let expected = [
        "team - ./market added",
        "a@team - 1.0.0 installed",
        "b@team - 2.0.0 installed",
    ];
    let dry = sync(&mut second, json!({"dryRun": true}));
    assert_eq!(rows(&dry), expected);
    assert_eq!(visible(&sandbox), [String::new(), String::new()]);
    let frozen = second.err("plugd/sync", in_project(json!({"frozen": true})));
    assert_eq!(frozen["data"]["kind"], "conflict", "{frozen:#}");
    assert!(text(&frozen["message"]).contains("`a@team` is not installed"));
    let answer = sync(&mut second, json!({}));
    assert_eq!(rows(&answer), expected);
    let change = second.wait_notification("plugd/changed", |change| change["reason"] == "sync");
    assert_eq!(change["plugins"], json!(["a@team", "b@team"]));
    for (id, digest) in ["a@team", "b@team"].into_iter().zip(&digests) {
        let (found, by, pin) = held(&mut second, id);
        assert_eq!((&found, &by), (digest, &json!("lock")));
        assert_eq!(pin["digest"], *digest);
        assert_eq!(pin["lockPaths"], json!([format!("$ROOT/{LOCK}")]));
    }
    assert_eq!(
        sandbox.text("ch2/config.toml"),
        "[marketplaces.team]\nsource_type = \"local\"\nsource = \"$ROOT/p/market\"\n\n\
         [plugins.\"a@team\"]\nenabled = true\n\n[plugins.\"b@team\"]\nenabled = true\n"
    );
    // Now it matches, and nobody touches anything.
    let before = sandbox.tree("ch2");
    let again = sync(&mut second, json!({"frozen": true, "offline": true}));
    assert!(
        again["changes"]
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["changed"] == false)
    );
    sync(&mut second, json!({}));
    assert_eq!(sandbox.tree("ch2"), before);
    second.shut_down();
}

#[test]
fn what_is_locked_stays_when_its_source_goes_on() {
    let (sandbox, digests) = locked();
    let mut second = other(&sandbox);
    sync(&mut second, json!({}));
    sandbox.add(&plugin("p/market/a", "a", "9.0.0"));
    list_and_settle(&mut second, json!({}));
    assert_eq!(held(&mut second, "a@team").0, digests[0]);
    // The source has gone on, so nobody new can have it; who has it still matches.
    sync(&mut second, json!({"frozen": true}));
    second.ok("plugin/uninstall", json!({"pluginId": "a@team"}));
    let error = second.err("plugd/sync", in_project(json!({})));
    assert_eq!(error["data"]["kind"], "conflict", "{error:#}");
    assert!(
        text(&error["message"]).contains("its source has 9.0.0"),
        "{error:#}"
    );
    second.shut_down();
}

#[test]
fn tampered_content_is_put_right_and_an_old_version_comes_back() {
    let (sandbox, digests) = locked();
    let mut first = start_listening(&sandbox);
    sandbox.write("ch/plugins/cache/team/a/1.0.0/notes.md", "evil\n");
    let frozen = refused(
        &mut first,
        "plugd/sync",
        in_project(json!({"frozen": true})),
    );
    assert_eq!(frozen, "-32600 conflict");
    let answer = sync(&mut first, json!({}));
    assert_eq!(rows(&answer)[1], "a@team 1.0.0 1.0.0 replaced");
    assert_eq!(held(&mut first, "a@team").0, digests[0]);
    assert_eq!(first.ok("plugd/verify", json!({}))["matches"], true);
    // Moved by hand and then back: the kept version is used, whatever its source says by now.
    first.ok("plugd/pin", json!({"pluginId": "a@team", "none": true}));
    sandbox.add(&plugin("p/market/a", "a", "1.1.0"));
    install(&mut first, MANIFEST, "a");
    let answer = sync(&mut first, json!({"offline": true}));
    assert_eq!(rows(&answer)[1], "a@team 1.1.0 1.0.0 moved");
    assert_eq!(held(&mut first, "a@team").0, digests[0]);
    first.shut_down();
}

#[test]
fn two_locks_that_name_different_versions_meet_in_a_conflict() {
    let (sandbox, _) = locked();
    let mut home = other(&sandbox);
    sync(&mut home, json!({}));
    let theirs = sandbox.text(LOCK);
    sandbox.add("== q/.git/HEAD\nref\n");
    sandbox.write(
        "q/.agents/plugins/plugins.lock",
        theirs.replace("./market", &sandbox.path("p/market").to_text()),
    );
    let in_q = |more: Value| {
        let mut params = in_project(more);
        params["cwd"] = json!("$ROOT/q");
        params
    };
    // The same again from another project is no conflict.
    home.ok("plugd/sync", in_q(json!({})));
    sandbox.add(&plugin("p/market/a", "a", "1.1.0"));
    let mut first = start(&sandbox);
    install(&mut first, MANIFEST, "a");
    lock(&mut first, json!({}));
    first.shut_down();
    let error = home.err("plugd/sync", in_project(json!({})));
    assert_eq!(error["data"]["kind"], "conflict", "{error:#}");
    let message = text(&error["message"]);
    let other = sandbox.path("q/.agents/plugins/plugins.lock").to_text();
    assert!(
        message.contains("`a@team` is held at 1.0.0 by") && message.contains(&other),
        "{message}"
    );
    let answer = sync(&mut home, json!({"switch": true}));
    assert_eq!(rows(&answer)[1], "a@team 1.0.0 1.1.0 moved");
    // The other lock does not hold it any more, and a lock follows itself without being asked.
    assert_eq!(
        held(&mut home, "a@team").2["lockPaths"],
        json!([format!("$ROOT/{LOCK}")])
    );
    sandbox.add(&plugin("p/market/a", "a", "1.2.0"));
    let mut first = start(&sandbox);
    install(&mut first, MANIFEST, "a");
    lock(&mut first, json!({}));
    first.shut_down();
    assert_eq!(
        rows(&sync(&mut home, json!({})))[1],
        "a@team 1.1.0 1.2.0 moved"
    );
    // What somebody pinned by hand is his.
    home.ok(
        "plugd/pin",
        json!({"pluginId": "a@team", "version": "1.2.0"}),
    );
    sandbox.write(LOCK, theirs);
    let error = home.err("plugd/sync", in_project(json!({})));
    assert!(
        text(&error["message"]).contains("pinned to 1.2.0 here"),
        "{error:#}"
    );
    home.shut_down();
}

#[test]
fn a_git_marketplace_at_the_commit_that_was_locked() {
    let world = remote(&[("p", "1.0.0"), ("q", "1.0.0")]);
    let Remote {
        sandbox, repo, url, ..
    } = &world;
    sandbox.add("== p/.git/HEAD\nref\n== p/src/\n");
    let mut first = start(sandbox);
    add(&mut first, url);
    install(&mut first, remotes::MANIFEST, "p");
    install(&mut first, remotes::MANIFEST, "q");
    lock(&mut first, json!({}));
    let digest = held(&mut first, "p@market").0;
    first.shut_down();
    repo.commit(&tree("market", &[("p", "2.0.0"), ("q", "2.0.0")]));
    let mut second = other(sandbox);
    let offline = second.err("plugd/sync", in_project(json!({"offline": true})));
    assert_eq!(offline["data"]["kind"], "unavailable", "{offline:#}");
    assert_eq!(visible(sandbox), [String::new(), String::new()]);
    let answer = sync(&mut second, json!({}));
    assert_eq!(rows(&answer)[1], "p@market - 1.0.0 installed");
    let (found, by, pin) = held(&mut second, "p@market");
    assert_eq!((&found, &by), (&digest, &json!("lock")));
    assert_eq!(pin["version"], "1.0.0");
    // An upgrade of the marketplace leaves it.
    second.ok("marketplace/upgrade", json!({}));
    assert_eq!(held(&mut second, "p@market").0, digest);
    sync(&mut second, json!({"frozen": true, "offline": true}));
    second.shut_down();
    assert_eq!(sandbox.tree("ch2/plugins/.plugd/staging"), "");
    nothing_left(sandbox);
}

#[test]
fn all_or_nothing() {
    let (sandbox, _) = locked();
    let mut second = other(&sandbox);
    // The second plugin is not what was locked.
    sandbox.write("p/market/b/notes.md", "other\n");
    let error = second.err("plugd/sync", in_project(json!({})));
    assert_eq!(
        (&error["data"]["kind"], &error["data"]["plugin"]),
        (&json!("conflict"), &json!("b@team"))
    );
    assert!(
        text(&error["message"]).contains("is not what was locked"),
        "{error:#}"
    );
    assert_eq!(visible(&sandbox), [String::new(), String::new()]);
    // It is, and cannot take its place: the first one goes again, and so does the marketplace.
    sandbox.add(&plugin("p/market/b", "b", "2.0.0"));
    sandbox.add("== ch2/plugins/cache/team/b\nin the way\n");
    let before = visible(&sandbox);
    let error = second.err("plugd/sync", in_project(json!({})));
    assert_eq!(error["data"]["plugin"], "b@team", "{error:#}");
    assert_eq!(visible(&sandbox), before);
    sandbox.remove("ch2/plugins/cache/team/b");
    sync(&mut second, json!({}));
    assert_eq!(second.ok("plugd/verify", json!({}))["matches"], true);
    second.shut_down();
}

#[test]
fn bad_locks_and_marketplaces_in_the_way() {
    let (sandbox, _) = locked();
    let mut second = other(&sandbox);
    let good = sandbox.text(LOCK);
    let check = |second: &mut Daemon, text: &str, expected: &str| {
        sandbox.write(LOCK, text);
        assert_eq!(
            refused(second, "plugd/sync", in_project(json!({}))),
            expected,
            "{text}"
        );
        assert_eq!(visible(&sandbox)[1], "");
    };
    check(&mut second, "", "-32600 invalidInput");
    check(&mut second, "version = 2", "-32600 invalidInput");
    check(
        &mut second,
        &good.replace("./market", "../market"),
        "-32600 invalidInput",
    );
    check(
        &mut second,
        &good.replace("./market", "./gone"),
        "-32600 conflict",
    );
    check(&mut second, &good.replace("./a", "./b"), "-32600 conflict");
    check(
        &mut second,
        &good.replace("a@team", "c@team"),
        "-32600 notFound",
    );
    sandbox.remove(LOCK);
    let missing = second.err("plugd/sync", in_project(json!({})));
    assert_eq!(missing["data"]["kind"], "notFound", "{missing:#}");
    sandbox.write(LOCK, &good);
    sandbox.write(
        "ch2/config.toml",
        "[marketplaces.team]\nsource_type = \"local\"\nsource = \"/elsewhere\"\n",
    );
    let error = second.err("plugd/sync", in_project(json!({"switch": true})));
    assert!(
        text(&error["message"]).contains("is configured from `/elsewhere`"),
        "{error:#}"
    );
    second.shut_down();
}

#[test]
fn what_stands_here_and_is_not_what_was_locked_is_refused() {
    let (sandbox, _) = locked();
    let mut second = other(&sandbox);
    second.ok("marketplace/add", json!({"source": "$ROOT/p/market"}));
    sandbox.write("p/market/a/notes.md", "other\n");
    install(&mut second, MANIFEST, "a");
    let before = visible(&sandbox);
    let error = second.err("plugd/sync", in_project(json!({})));
    assert!(
        text(&error["message"]).contains("is not what was locked"),
        "{error:#}"
    );
    assert_eq!(visible(&sandbox), before);
    assert_eq!(held(&mut second, "a@team").2, Value::Null);
    second.shut_down();
}

#[test]
fn a_lock_takes_no_marketplace_away() {
    let (sandbox, _) = locked();
    let mut second = other(&sandbox);
    second.ok("marketplace/add", json!({"source": "$ROOT/p/market"}));
    let before = visible(&sandbox);
    sandbox.write(
        LOCK,
        "version = 1\n[marketplaces.evil]\npath = \"./market\"\n",
    );
    let error = second.err("plugd/sync", in_project(json!({})));
    assert_eq!(
        (&error["data"]["kind"], &error["data"]["marketplace"]),
        (&json!("conflict"), &json!("evil"))
    );
    assert_eq!(visible(&sandbox), before);
    second.shut_down();
}

#[test]
fn the_marketplace_says_where_a_plugin_is_and_not_the_lock() {
    let (sandbox, _) = locked();
    let evil = GitRepo::bare(&sandbox, "evil.git");
    let commit = evil.commit(&plugin("x", "a", "1.0.0").replace("== x/", "== "));
    let there = format!("{{ git = \"{}\" }}\ncommit = \"{commit}\"", evil.file_url());
    let lock = sandbox.text(LOCK).replace("{ path = \"./a\" }", &there);
    sandbox.write(LOCK, lock);
    let mut second = other(&sandbox);
    let error = second.err("plugd/sync", in_project(json!({})));
    assert!(
        text(&error["message"]).contains("names another repository"),
        "{error:#}"
    );
    assert_eq!(visible(&sandbox), [String::new(), String::new()]);
    second.shut_down();
}

#[test]
fn a_pin_of_the_user_stays_his() {
    let (sandbox, _) = locked();
    let mut first = start(&sandbox);
    first.ok("plugd/pin", json!({"pluginId": "a@team"}));
    sync(&mut first, json!({}));
    assert_eq!(held(&mut first, "a@team").2["lockPaths"], json!([]));
    sync(&mut first, json!({"frozen": true}));
    first.shut_down();
}

#[test]
fn the_command_line() {
    let (sandbox, _) = locked();
    sandbox.add("== ch2/\n");
    let run = |args: &[&str]| {
        Launch::new(BINARY)
            .args(args)
            .dir("p/src")
            .var("CODEX_HOME", &sandbox.path("ch2").to_text())
            .run(&sandbox)
    };
    let frozen = run(&["sync", "--frozen"]);
    assert_eq!(frozen.code(), 1);
    assert!(
        frozen.stderr.contains("`a@team` is not installed"),
        "{frozen}"
    );
    let done = run(&["sync"]);
    let path = sandbox.path(LOCK);
    assert_eq!(
        done.success(),
        format!(
            "added marketplace team from ./market\ninstalled a@team 1.0.0\n\
             installed b@team 2.0.0\nThe home matches {path} now.\n"
        )
    );
    assert!(
        done.stderr
            .starts_with("The plan:\n  add marketplace team from ./market\n"),
        "{done}"
    );
    let again = run(&["sync", "--frozen"]);
    assert_eq!(
        again.success(),
        format!("The home matches {path} (2 plugins).\n")
    );
    assert_eq!(run(&["sync", "--frozen", "--dry-run"]).code(), 2);
    let json = run(&["sync", "--json"]).json();
    assert_eq!(rows(&json)[1], "a@team 1.0.0 1.0.0 unchanged");
}

#[test]
fn nothing_is_said_to_be_missing_that_a_broken_configuration_hides() {
    let (sandbox, _) = locked();
    sandbox.write("ch/config.toml", "model = \"x\"\n[oops\n");
    let mut daemon = start(&sandbox);
    let check = |method: &str, params: Value, daemon: &mut Daemon| {
        let error = daemon.err(method, params.clone());
        let data = &error["data"];
        assert_eq!(data["kind"], "invalidInput", "{method} {params}: {error:#}");
        let at = shown(&json!([data["path"], data["line"], data["hint"]]), &sandbox);
        assert_eq!(
            at,
            json!(["$ROOT/ch/config.toml", 2, "mend the file first"])
        );
    };
    for more in [json!({"dryRun": true}), json!({"frozen": true}), json!({})] {
        check("plugd/sync", in_project(more), &mut daemon);
    }
    check("marketplace/upgrade", json!({}), &mut daemon);
    let path = sandbox.path("out.tar.gz").to_text();
    check("plugd/export", json!({"path": path}), &mut daemon);
    daemon.shut_down();
}
