//! Proves `plugd/status`: the layers with how fresh they are, the last run of the background work
//! plugin by plugin, and that this outlives the process.

use plugd_testkit::{Daemon, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    DEMO, DEMO_MANIFEST, install, list_and_settle, plugin, refused, shown, small, start,
    start_listening,
};

#[track_caller]
fn status(daemon: &mut Daemon) -> Value {
    let status = daemon.ok("plugd/status", json!({}));
    shown(&status, &daemon.sandbox().clone())
}

#[track_caller]
fn part<'a>(status: &'a Value, list: &str, kind: &str) -> &'a Value {
    let parts = status[list].as_array().unwrap();
    match parts.iter().find(|part| part["kind"] == kind) {
        Some(part) => part,
        None => panic!("no {kind} in {status:#}"),
    }
}

/// The status once the work that begins with the connection has found out that it is switched off.
#[track_caller]
pub(crate) fn at_rest(daemon: &mut Daemon) -> Value {
    for _ in 0..10_000 {
        let status = status(daemon);
        let mut tasks = status["tasks"].as_array().unwrap().iter();
        if tasks.all(|task| task["state"] == "idle") {
            return status;
        }
    }
    panic!("something goes on for ever");
}

#[test]
fn the_whole_answer_of_a_new_home() {
    let mut daemon = start(&Sandbox::new());
    let status = at_rest(&mut daemon);
    let members: Vec<&String> = status.as_object().unwrap().keys().collect();
    assert_eq!(members, ["home", "layers", "problems", "tasks", "version"]);
    assert_eq!(status["home"], "$ROOT/ch");
    assert_eq!(status["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(status["problems"], json!([]));
    let layers: Vec<(&Value, &Value)> = status["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|layer| (&layer["kind"], &layer["state"]))
        .collect();
    // The farthest first; what is not built or switched off says that it is off.
    let expected = [
        ("remote", "off"),
        ("catalogClone", "off"),
        ("installedCopy", "unknown"),
    ];
    let expected: Vec<(Value, Value)> =
        expected.iter().map(|(k, s)| (json!(k), json!(s))).collect();
    assert_eq!(
        layers,
        expected.iter().map(|(k, s)| (k, s)).collect::<Vec<_>>()
    );
    let never = json!({
        "kind": "refresh", "state": "idle", "startedAt": null, "finishedAt": null,
        "outcome": null, "message": null, "problem": null, "plugins": [],
    });
    assert_eq!(part(&status, "tasks", "refresh"), &never);
    let never = crate::fixtures::with(never, json!({"kind": "curatedSync"}));
    assert_eq!(part(&status, "tasks", "curatedSync"), &never);
    // The sandbox switches it off.
    let clone = part(&status, "layers", "catalogClone");
    assert_eq!(clone["message"], "CODEX_DISABLE_CURATED_PLUGIN_SYNC is set");
    daemon.shut_down();
}

#[test]
fn what_a_refresh_did_is_told_also_by_the_next_process() {
    let sandbox = small(&[("hello", "1.0.0"), ("other", "1.0.0")]);
    let manifest = "$ROOT/demo/.agents/plugins/marketplace.json";
    let mut daemon = start_listening(&sandbox);
    install(&mut daemon, manifest, "hello");
    install(&mut daemon, manifest, "other");
    sandbox.add(&plugin("demo/hello", "hello", "1.1.0"));
    list_and_settle(&mut daemon, json!({}));
    let before = status(&mut daemon);
    let refresh = part(&before, "tasks", "refresh");
    assert_eq!(
        (&refresh["state"], &refresh["outcome"]),
        (&json!("idle"), &json!("ok"))
    );
    assert!(
        refresh["startedAt"].is_i64() && refresh["finishedAt"].is_i64(),
        "{refresh:#}"
    );
    let told = |id: &str, outcome: &str, from: &str, to: &str| json!({"pluginId": id, "outcome": outcome, "from": from, "to": to, "problem": null});
    assert_eq!(
        refresh["plugins"],
        json!([
            told("hello@demo", "updated", "1.0.0", "1.1.0"),
            told("other@demo", "unchanged", "1.0.0", "1.0.0"),
        ])
    );
    let installed = part(&before, "layers", "installedCopy");
    assert_eq!(
        (&installed["state"], &installed["stale"]),
        (&json!("fresh"), &json!([]))
    );
    daemon.shut_down();
    let mut next = start(&sandbox);
    let after = status(&mut next);
    assert_eq!(part(&after, "tasks", "refresh"), refresh);
    next.shut_down();
}

#[test]
fn a_failure_is_remembered_and_tried_again() {
    let sandbox = small(&[("hello", "1.0.0")]);
    let mut daemon = start_listening(&sandbox);
    install(
        &mut daemon,
        "$ROOT/demo/.agents/plugins/marketplace.json",
        "hello",
    );
    sandbox.write(
        "demo/hello/.codex-plugin/plugin.json",
        "{\"name\": \"hello\", \"version\": \"2.0.0\"",
    );
    list_and_settle(&mut daemon, json!({}));
    let failed = status(&mut daemon);
    let told = &part(&failed, "tasks", "refresh")["plugins"][0];
    assert_eq!(
        (&told["outcome"], &told["from"]),
        (&json!("failed"), &json!("1.0.0"))
    );
    assert_eq!(
        told["problem"]["path"],
        "$ROOT/demo/hello/.codex-plugin/plugin.json"
    );
    assert_eq!(told["problem"]["line"], 1);
    assert_eq!(
        part(&failed, "layers", "installedCopy")["stale"],
        json!(["hello@demo"])
    );
    // The copy before is untouched, and mending the source is all it takes.
    assert_eq!(
        sandbox.text("ch/plugins/cache/demo/hello/1.0.0/notes.md"),
        "hello 1.0.0\n"
    );
    sandbox.add(&plugin("demo/hello", "hello", "2.0.0"));
    list_and_settle(&mut daemon, json!({}));
    let mended = status(&mut daemon);
    assert_eq!(
        part(&mended, "tasks", "refresh")["plugins"][0]["outcome"],
        "updated"
    );
    assert_eq!(
        sandbox.text("ch/plugins/cache/demo/hello/2.0.0/notes.md"),
        "hello 2.0.0\n"
    );
    daemon.shut_down();
}

#[test]
fn a_broken_configuration_is_a_problem_of_the_home() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    install(&mut daemon, DEMO_MANIFEST, "hello");
    sandbox.write("ch/config.toml", "a = 1\n[oops\n");
    let status = status(&mut daemon);
    let problem = &status["problems"][0];
    assert_eq!(problem["kind"], "config");
    assert_eq!(
        (&problem["path"], &problem["line"]),
        (&json!("$ROOT/ch/config.toml"), &json!(2))
    );
    daemon.shut_down();
}

#[test]
fn malformed_params_and_concurrent_use() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    assert_eq!(
        refused(&mut daemon, "plugd/status", json!(["x"])),
        "-32602 invalidParams"
    );
    let params = json!({"marketplacePath": DEMO_MANIFEST, "pluginName": "hello"});
    let install = daemon.request("plugin/install", params);
    for _ in 0..10 {
        status(&mut daemon);
    }
    daemon.response(install);
    daemon.shut_down();
}
