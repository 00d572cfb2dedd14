//! Proves `[trust]` and `plugd/approve`: in strict mode nothing comes that nobody has said yes to, on
//! any way, a refusal leaves nothing and says what to approve, and a yes is to what was shown.

use plugd_testkit::{Daemon, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    DEMO_MANIFEST, cli, home_tree, install, list_and_settle, marketplace, plugin, plugin_in,
    refused, small, start, start_listening, text, with,
};
use crate::git_plugin_install::{Shop, p};
use crate::lock::{LOCK, MANIFEST as TEAM_MANIFEST, in_project, lock, project};
use crate::remotes::nothing_left;
use crate::versions::{CACHE, through};

pub(crate) const STRICT: &str = "[trust]\nmode = \"strict\"\n";
const APPROVALS: &str = "ch/plugins/.plugd/approvals.json";

fn hello() -> Value {
    json!({"marketplacePath": DEMO_MANIFEST, "pluginName": "hello"})
}

/// A plugin that runs things.
fn risky(dir: &str, name: &str, version: &str) -> String {
    let hooks = json!({"hooks": {"Stop": [{"hooks": [
        {"type": "command", "command": "${PLUGIN_ROOT}/run.sh"}
    ]}]}});
    let servers = json!({"mcpServers": {"srv": {"command": "./run.sh"}}});
    format!(
        "{}== {dir}/hooks/hooks.json\n{hooks}\n== {dir}/.mcp.json\n{servers}\n\
         == {dir}/run.sh (mode 755)\necho {version}\n",
        plugin(dir, name, version)
    )
}

/// The marketplace `demo` with `hello`, in strict mode.
fn strict() -> (Sandbox, Daemon) {
    let sandbox = small(&[("hello", "1.0.0")]);
    sandbox.add(&risky("demo/hello", "hello", "1.0.0"));
    sandbox.write("ch/plugd.toml", STRICT);
    let daemon = start_listening(&sandbox);
    (sandbox, daemon)
}

/// Approves what the data of a refusal names.
#[track_caller]
pub(crate) fn approve(daemon: &mut Daemon, id: &str, digest: &Value) -> Value {
    let answer = daemon.ok("plugd/approve", json!({"pluginId": id, "digest": digest}));
    assert_eq!(answer["changes"][0]["reason"], "approved", "{answer:#}");
    answer
}

/// The digest that would have to be approved.
#[track_caller]
pub(crate) fn shown(daemon: &mut Daemon, id: &str) -> Value {
    let mut answer = daemon.ok("plugd/approve", json!({"pluginId": id, "dryRun": true}));
    answer["changes"][0]["to"].take()
}

/// What the last refresh says of a plugin: outcome and kind of the problem.
#[track_caller]
pub(crate) fn outcome(daemon: &mut Daemon, task: &str, id: &str) -> (String, String) {
    let status = daemon.ok("plugd/status", json!({}));
    let tasks = status["tasks"].as_array().unwrap();
    let task = tasks.iter().find(|row| row["kind"] == task).unwrap();
    let rows = task["plugins"].as_array().unwrap();
    let row = rows.iter().find(|row| row["pluginId"] == id);
    let row = row.unwrap_or_else(|| panic!("nothing of {id}: {task:#}"));
    let kind = row["problem"]["kind"].as_str().unwrap_or_default();
    (text(&row["outcome"]).to_owned(), kind.to_owned())
}

#[test]
fn a_refusal_leaves_nothing_and_says_what_to_approve() {
    let (sandbox, mut daemon) = strict();
    let before = home_tree(&sandbox);
    let error = daemon.err("plugin/install", hello());
    let data = &error["data"];
    assert_eq!(
        (&error["code"], &data["kind"], &data["reason"]),
        (
            &json!(-32600),
            &json!("approvalNeeded"),
            &json!("untrustedMarketplace")
        )
    );
    assert_eq!(
        (&data["plugin"], &data["marketplace"]),
        (&json!("hello@demo"), &json!("demo"))
    );
    let runs: Vec<_> = data["wouldRun"].as_array().unwrap().iter().collect();
    for category in ["hook", "mcpServer", "executable"] {
        assert!(
            runs.iter().any(|row| row["category"] == category),
            "{data:#}"
        );
    }
    let digest = text(&data["digest"]);
    assert!(text(&data["hint"]).contains(&format!("hello@demo --digest {digest}")));
    assert_eq!(home_tree(&sandbox), before);
    assert!(!sandbox.exists("ch/plugins/cache/demo"));
    nothing_left(&sandbox);
    // Everybody names the same digest.
    let inspected = daemon.ok("plugd/inspect", json!({"pluginId": "hello@demo"}));
    let trust = &inspected["trust"];
    assert_eq!(
        (
            &trust["digest"],
            &trust["allowed"],
            &trust["approved"],
            &trust["trusted"]
        ),
        (&data["digest"], &json!(false), &json!(false), &json!(false))
    );
    assert_eq!(trust["wouldRun"], data["wouldRun"]);
    assert_eq!(shown(&mut daemon, "hello@demo"), data["digest"]);
    nothing_left(&sandbox);
    assert!(!sandbox.exists(APPROVALS));

    let answer = approve(&mut daemon, "hello@demo", &data["digest"]);
    assert_eq!(answer["approvals"][0]["digest"], data["digest"]);
    assert_eq!(
        daemon.ok("plugin/install", hello())["installedVersion"],
        "1.0.0"
    );
    let verified = daemon.ok("plugd/verify", json!({}));
    assert_eq!(verified["plugins"][0]["foundDigest"], data["digest"]);
    daemon.shut_down();
}

#[test]
fn a_yes_is_to_what_was_shown_and_can_be_taken_back() {
    let (sandbox, mut daemon) = strict();
    let digest = shown(&mut daemon, "hello@demo");
    // Without a digest nothing is approved.
    let error = daemon.err("plugd/approve", json!({"pluginId": "hello@demo"}));
    assert_eq!(
        (
            &error["data"]["kind"],
            &error["data"]["field"],
            &error["data"]["digest"]
        ),
        (&json!("invalidInput"), &json!("digest"), &digest)
    );
    let params = json!({"pluginId": "hello@demo", "digest": digest, "by": "me", "dryRun": true});
    let dry = daemon.ok("plugd/approve", params.clone());
    assert_eq!(dry["changes"][0]["changed"], true);
    assert!(!sandbox.exists(APPROVALS));
    daemon.ok(
        "plugd/approve",
        with(params.clone(), json!({"dryRun": false})),
    );
    daemon.wait_notification("plugd/changed", |told| {
        told["plugins"] == json!(["hello@demo"])
    });
    let again = daemon.ok("plugd/approve", with(params, json!({"dryRun": false})));
    assert_eq!(again["changes"][0]["reason"], "unchanged");
    let list = daemon.ok("plugd/approve", json!({}));
    let row = &list["approvals"][0];
    assert_eq!(
        (&row["pluginId"], &row["by"], &row["anyAge"]),
        (&json!("hello@demo"), &json!("me"), &json!(false))
    );
    assert!(text(&row["source"]).starts_with("manifest:"), "{row:#}");
    // Other content has another digest.
    sandbox.write("demo/hello/run.sh", "echo something else\n");
    assert_eq!(
        refused(&mut daemon, "plugin/install", hello()),
        "-32600 approvalNeeded"
    );
    let second = shown(&mut daemon, "hello@demo");
    assert!(second != digest);
    approve(&mut daemon, "hello@demo", &second);
    let gone = daemon.ok(
        "plugd/approve",
        json!({"pluginId": "hello@demo", "digest": second, "revoke": true}),
    );
    assert_eq!(gone["changes"][0]["reason"], "revoked");
    assert_eq!(gone["approvals"].as_array().unwrap().len(), 1);
    assert_eq!(
        refused(&mut daemon, "plugin/install", hello()),
        "-32600 approvalNeeded"
    );
    let mut check = |params: Value, expected: &str| {
        assert_eq!(
            refused(&mut daemon, "plugd/approve", params.clone()),
            expected,
            "{params}"
        );
    };
    let of = |members: Value| with(json!({"pluginId": "hello@demo"}), members);
    check(
        of(json!({"digest": second, "revoke": true})),
        "-32600 notFound",
    );
    check(of(json!({"digest": "sha256:12"})), "-32600 invalidInput");
    check(
        json!({"pluginId": "absent@demo", "digest": second}),
        "-32600 notFound",
    );
    check(
        json!({"pluginId": "no id", "digest": second}),
        "-32600 invalidInput",
    );
    check(json!({"digest": second}), "-32602 invalidParams");
    check(of(json!({"digest": 5})), "-32602 invalidParams");
    daemon.shut_down();
}

#[test]
fn open_mode_is_as_before_and_a_name_is_only_a_name() {
    let sandbox = small(&[("hello", "1.0.0")]);
    let mut daemon = start(&sandbox);
    let inspected = daemon.ok("plugd/inspect", json!({"pluginId": "hello@demo"}));
    assert_eq!(inspected["trust"], Value::Null);
    install(&mut daemon, DEMO_MANIFEST, "hello");
    daemon.ok("plugin/uninstall", json!({"pluginId": "hello@demo"}));
    sandbox.write(
        "ch/plugd.toml",
        "[trust]\nmode = \"strict\"\nmarketplaces = [\"demo\"]\n",
    );
    install(&mut daemon, DEMO_MANIFEST, "hello");
    // Another checkout that calls itself so.
    sandbox.add(&marketplace(
        "other",
        "demo",
        &[("hello", "3.0.0"), ("more", "1.0.0")],
    ));
    for name in ["hello", "more"] {
        let params = json!({
            "marketplacePath": "$ROOT/other/.agents/plugins/marketplace.json", "pluginName": name,
        });
        assert_eq!(
            refused(&mut daemon, "plugin/install", params.clone()),
            "-32600 approvalNeeded"
        );
        let mut seen = daemon.ok(
            "plugd/approve",
            with(params.clone(), json!({"dryRun": true})),
        );
        let digest = seen["changes"][0]["to"].take();
        daemon.ok(
            "plugd/approve",
            with(params.clone(), json!({"digest": digest})),
        );
        daemon.ok("plugin/install", params);
    }
    daemon.shut_down();
}

#[test]
fn where_there_is_nothing_to_say_yes_to() {
    let sandbox = small(&[("hello", "1.0.0")]);
    sandbox.add(&plugin("work", "hello", "2.0.0"));
    let mut daemon = start(&sandbox);
    install(&mut daemon, DEMO_MANIFEST, "hello");
    let dry = json!({"pluginId": "hello@demo", "dryRun": true});
    daemon.ok(
        "plugd/link",
        json!({"path": "$ROOT/work", "pluginId": "hello@demo"}),
    );
    let error = daemon.err("plugd/approve", dry.clone());
    assert_eq!(error["data"]["kind"], "invalidInput");
    assert!(text(&error["message"]).contains("linked to a working tree"));
    daemon.ok("plugd/unlink", json!({"pluginId": "hello@demo"}));
    sandbox.remove("demo/hello");
    let error = daemon.err("plugd/approve", dry);
    assert_eq!(error["data"]["kind"], "notFound");
    assert_eq!(error["data"]["plugin"], "hello@demo");
    assert!(text(&error["message"]).contains("demo/hello"), "{error:#}");
}

#[test]
fn what_moves_by_itself_is_left_and_reported() {
    let sandbox = small(&[("hello", "1.0.0")]);
    let mut daemon = start_listening(&sandbox);
    install(&mut daemon, DEMO_MANIFEST, "hello");
    sandbox.write("ch/plugd.toml", STRICT);
    sandbox.add(&plugin("demo/hello", "hello", "2.0.0"));
    let held = ("heldBack".to_owned(), "approvalNeeded".to_owned());
    for _ in 0..2 {
        // No listing besides: the end of the run behind it would be taken for that of a later one.
        let listing = list_and_settle(&mut daemon, json!({}));
        assert_eq!(outcome(&mut daemon, "refresh", "hello@demo"), held);
        assert!(sandbox.exists(&format!("{CACHE}/1.0.0")));
        assert_eq!(plugin_in(&listing, "hello@demo")["updateAvailable"], true);
    }
    nothing_left(&sandbox);
    let waiting = daemon.ok("plugd/approve", json!({}))["waiting"].take();
    assert_eq!(waiting[0]["pluginId"], "hello@demo");
    // An update says it with the digest.
    let params = json!({"pluginId": "hello@demo"});
    let row = daemon.ok("plugd/update", params.clone())["changes"][0].take();
    assert_eq!(
        (&row["reason"], &row["changed"], &row["to"]),
        (&json!("approvalNeeded"), &json!(false), &json!("2.0.0"))
    );
    assert_eq!(row["toDigest"], shown(&mut daemon, "hello@demo"));
    approve(&mut daemon, "hello@demo", &row["toDigest"]);
    list_and_settle(&mut daemon, json!({}));
    assert!(sandbox.exists(&format!("{CACHE}/2.0.0")));
    assert_eq!(daemon.ok("plugd/approve", json!({}))["waiting"], json!([]));
    // A yes to one version is none to the next.
    sandbox.add(&plugin("demo/hello", "hello", "3.0.0"));
    list_and_settle(&mut daemon, json!({}));
    assert_eq!(outcome(&mut daemon, "refresh", "hello@demo"), held);
    let row = daemon.ok("plugd/update", params.clone())["changes"][0].take();
    approve(&mut daemon, "hello@demo", &row["toDigest"]);
    let row = daemon.ok("plugd/update", params)["changes"][0].take();
    assert_eq!(
        (&row["changed"], &row["to"]),
        (&json!(true), &json!("3.0.0"))
    );
    daemon.shut_down();
}

#[test]
fn a_missing_copy_comes_back_when_it_is_approved() {
    let sandbox = small(&[("hello", "1.0.0")]);
    let mut daemon = start_listening(&sandbox);
    install(&mut daemon, DEMO_MANIFEST, "hello");
    sandbox.write("ch/plugd.toml", STRICT);
    sandbox.remove("ch/plugins/cache/demo/hello");
    list_and_settle(&mut daemon, json!({}));
    assert!(!sandbox.exists(CACHE));
    let held = ("heldBack".to_owned(), "approvalNeeded".to_owned());
    assert_eq!(outcome(&mut daemon, "refresh", "hello@demo"), held);
    let digest = shown(&mut daemon, "hello@demo");
    approve(&mut daemon, "hello@demo", &digest);
    list_and_settle(&mut daemon, json!({}));
    assert!(sandbox.exists(&format!("{CACHE}/1.0.0")));
    daemon.shut_down();
}

#[test]
fn a_kept_version_comes_back_when_it_is_approved() {
    let (sandbox, mut daemon) = through(&["1.0.0", "2.0.0"]);
    sandbox.write("ch/plugd.toml", STRICT);
    let before = home_tree(&sandbox);
    for dry_run in [true, false] {
        let params = json!({"pluginId": "hello@demo", "dryRun": dry_run});
        let error = daemon.err("plugd/rollback", params);
        assert_eq!(error["data"]["kind"], "approvalNeeded", "{error:#}");
        assert_eq!(home_tree(&sandbox), before);
        nothing_left(&sandbox);
        if !dry_run {
            approve(&mut daemon, "hello@demo", &error["data"]["digest"]);
        }
    }
    daemon.ok("plugd/rollback", json!({"pluginId": "hello@demo"}));
    assert!(sandbox.exists(&format!("{CACHE}/1.0.0")));
    daemon.shut_down();
}

#[test]
fn a_lock_is_followed_when_it_is_approved() {
    let sandbox = project();
    let mut first = start(&sandbox);
    install(&mut first, TEAM_MANIFEST, "a");
    lock(&mut first, json!({}));
    first.ok("plugin/uninstall", json!({"pluginId": "a@team"}));
    sandbox.write("ch/plugd.toml", STRICT);
    assert!(sandbox.exists(LOCK));
    let before = home_tree(&sandbox);
    let dry = first.ok("plugd/sync", in_project(json!({"dryRun": true})));
    assert_eq!(dry["problems"][0]["kind"], "approvalNeeded", "{dry:#}");
    let error = first.err("plugd/sync", in_project(json!({})));
    assert_eq!(error["data"]["kind"], "approvalNeeded", "{error:#}");
    assert_eq!(home_tree(&sandbox), before);
    nothing_left(&sandbox);
    approve(&mut first, "a@team", &error["data"]["digest"]);
    first.ok("plugd/sync", in_project(json!({})));
    assert!(sandbox.exists("ch/plugins/cache/team/a/1.0.0"));
    first.shut_down();
}

#[test]
fn a_commit_of_a_third_party_has_to_grow_old() {
    let shop = Shop::open();
    shop.offer_p();
    // The marketplace is trusted, and the repository that it names is not its own.
    let settings = |age: &str| {
        let text = format!("[trust]\nmarketplaces = [\"demo\"]\nmin_commit_age = \"{age}\"\n");
        shop.sandbox.write("ch/plugd.toml", text);
    };
    settings("36500d");
    let mut daemon = start_listening(&shop.sandbox);
    let error = daemon.err("plugin/install", p());
    let data = &error["data"];
    assert_eq!(
        (&data["kind"], &data["reason"], &data["retryable"]),
        (
            &json!("commitTooYoung"),
            &json!("commitTooYoung"),
            &json!(true)
        )
    );
    assert!(
        data["notBefore"].as_u64().unwrap() > 3_000_000_000,
        "{data:#}"
    );
    nothing_left(&shop.sandbox);
    // A yes makes no commit older, unless it says so.
    approve(&mut daemon, "p@demo", &data["digest"]);
    assert_eq!(
        refused(&mut daemon, "plugin/install", p()),
        "-32600 commitTooYoung"
    );
    daemon.ok(
        "plugd/approve",
        json!({"pluginId": "p@demo", "digest": data["digest"], "anyAge": true}),
    );
    daemon.ok("plugin/install", p());
    let next = shop.repo.commit(&crate::git_plugin_install::top("2.0.0"));
    for _ in 0..2 {
        list_and_settle(&mut daemon, json!({}));
        let held = ("heldBack".to_owned(), "commitTooYoung".to_owned());
        assert_eq!(outcome(&mut daemon, "refresh", "p@demo"), held, "{next}");
    }
    let row = daemon.ok("plugd/update", json!({"pluginId": "p@demo"}))["changes"][0].take();
    assert_eq!(row["reason"], "commitTooYoung", "{row:#}");
    settings("0s");
    let row = daemon.ok("plugd/update", json!({"pluginId": "p@demo"}))["changes"][0].take();
    assert_eq!(
        (&row["changed"], &row["to"]),
        (&json!(true), &json!("2.0.0"))
    );
    daemon.shut_down();
}

#[test]
fn the_command_line_shows_before_it_approves() {
    let (sandbox, mut daemon) = strict();
    daemon.shut_down();
    let add = cli(&sandbox, &["plugin", "add", "hello@demo"]);
    assert_eq!(add.status.code(), Some(1), "{}", add.stdout);
    assert!(add.stderr.contains("not approved"), "{}", add.stderr);
    let seen = cli(&sandbox, &["plugin", "approve", "hello@demo"]);
    assert!(
        seen.stdout
            .contains("hello@demo is not approved as sha256:"),
        "{}",
        seen.stdout
    );
    assert!(seen.stdout.contains("MCP server"), "{}", seen.stdout);
    let digest = seen.stdout.split("--digest ").nth(1).unwrap().trim();
    let given = cli(
        &sandbox,
        &["plugin", "approve", "hello@demo", "--digest", digest],
    );
    assert_eq!(given.status.code(), Some(0), "{}", given.stderr);
    let list = cli(&sandbox, &["plugin", "approve"]);
    assert!(list.stdout.contains(digest), "{}", list.stdout);
    let inspected = cli(&sandbox, &["plugin", "inspect", "hello@demo"]);
    assert!(
        inspected.stdout.contains("Trust: approved"),
        "{}",
        inspected.stdout
    );
    let add = cli(&sandbox, &["plugin", "add", "hello@demo"]);
    assert_eq!(add.status.code(), Some(0), "{}", add.stderr);
    let doctor = || cli(&sandbox, &["doctor"]).stdout;
    assert!(!doctor().contains("not approved"), "{}", doctor());
    let revoked = cli(&sandbox, &["plugin", "approve", "hello@demo", "--revoke"]);
    assert_eq!(revoked.status.code(), Some(0), "{}", revoked.stderr);
    assert!(
        doctor().contains("`hello@demo` is not approved"),
        "{}",
        doctor()
    );
}

/// A look says what an update would be held back for.
#[test]
fn what_is_outdated_and_held_back_says_so() {
    let sandbox = small(&[("hello", "1.0.0")]);
    let mut daemon = start(&sandbox);
    install(&mut daemon, DEMO_MANIFEST, "hello");
    sandbox.add(&plugin("demo/hello", "hello", "2.0.0"));
    let mut row = || daemon.ok("plugd/outdated", json!({}))["changes"][0].take();
    assert_eq!(row()["reason"], "newer");
    sandbox.write("ch/plugd.toml", STRICT);
    let held = row();
    assert_eq!(
        (&held["reason"], &held["changed"], &held["to"]),
        (&json!("approvalNeeded"), &json!(false), &json!("2.0.0"))
    );
    assert_eq!(held["problems"][0]["kind"], "approvalNeeded");
    let digest = shown(&mut daemon, "hello@demo");
    approve(&mut daemon, "hello@demo", &digest);
    let row = daemon.ok("plugd/outdated", json!({}))["changes"][0].take();
    assert_eq!(
        (&row["reason"], &row["changed"]),
        (&json!("newer"), &json!(true))
    );
    daemon.shut_down();
}
