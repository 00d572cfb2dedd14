//! Proves that a request can be taken back within a second, with nothing left of it, and that a
//! client hears how far a request is when it asked, and else nothing.

use std::fs::File;
use std::time::{Duration, Instant};

use plugd_testkit::{Daemon, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{DEMO, DEMO_MANIFEST, hold_lock, home_tree, install, start, text};

/// A daemon whose installations wait, because a neighbour holds the lock of the store.
#[track_caller]
fn waiting_daemon(sandbox: &Sandbox) -> (Daemon, File) {
    let mut daemon = start(sandbox);
    install(&mut daemon, DEMO_MANIFEST, "tools");
    let lock = hold_lock(sandbox, "store");
    (daemon, lock)
}

fn hello() -> Value {
    json!({"marketplacePath": DEMO_MANIFEST, "pluginName": "hello"})
}

#[track_caller]
fn is_cancelled(answer: &Value) {
    assert_eq!(answer["error"]["code"], -32800, "{answer:#}");
    assert_eq!(answer["error"]["data"]["kind"], "cancelled", "{answer:#}");
}

#[test]
fn every_spelling_of_cancel_is_understood() {
    for (method, member) in [
        ("$/cancelRequest", "id"),
        ("$/cancel_request", "requestId"),
        ("notifications/cancelled", "requestId"),
    ] {
        let sandbox = Sandbox::from(DEMO);
        let (mut daemon, lock) = waiting_daemon(&sandbox);
        let before = home_tree(&sandbox);
        let id = daemon.request("plugin/install", hello());
        daemon.notify(method, json!({member: id}));
        let asked = Instant::now();
        let answer = daemon.response(id);
        let took = asked.elapsed();
        is_cancelled(&answer);
        assert!(took < Duration::from_millis(1500), "{method}: {took:?}");
        drop(lock);
        // The daemon ends when all its work has ended, so nothing comes later.
        daemon.shut_down();
        assert_eq!(home_tree(&sandbox), before, "{method}");
    }
}

#[test]
fn a_wait_for_a_neighbour_can_be_cancelled() {
    let sandbox = Sandbox::from(DEMO);
    let (mut daemon, lock) = waiting_daemon(&sandbox);
    let before = home_tree(&sandbox);
    let mut params = hello();
    params["workDoneToken"] = json!("token");
    let id = daemon.request("plugin/install", params);
    // All that can be done without the lock has been done.
    daemon.wait_notification("$/progress", |one| one["value"]["stage"] == "waiting");
    daemon.notify("$/cancelRequest", json!({"id": id}));
    let asked = Instant::now();
    let answer = daemon.response(id);
    let took = asked.elapsed();
    is_cancelled(&answer);
    assert!(took < Duration::from_millis(1500), "{took:?}");
    drop(lock);
    daemon.shut_down();
    assert_eq!(home_tree(&sandbox), before);
}

#[test]
fn what_waits_in_line_is_answered_at_once() {
    let sandbox = Sandbox::from(DEMO);
    let (mut daemon, lock) = waiting_daemon(&sandbox);
    let first = daemon.request("plugin/install", hello());
    let second = daemon.request("plugin/install", hello());
    daemon.notify("$/cancelRequest", json!({"id": second}));
    is_cancelled(&daemon.response(second));
    // The first one was not asked to stop.
    drop(lock);
    let answer = daemon.response(first);
    assert_eq!(answer["result"]["installedVersion"], "1.0.0", "{answer:#}");
    daemon.shut_down();
}

#[test]
fn one_plugin_does_not_hold_up_another_method() {
    let sandbox = Sandbox::from(DEMO);
    let (mut daemon, lock) = waiting_daemon(&sandbox);
    let waiting = daemon.request("plugin/install", hello());
    daemon.ok("plugin/list", json!({}));
    daemon.ok("plugin/read", hello());
    daemon.ok("plugin/installed", json!({}));
    daemon.ok("config/read", json!({}));
    drop(lock);
    let answer = daemon.response(waiting);
    assert!(answer.get("result").is_some(), "{answer:#}");
    daemon.shut_down();
}

#[test]
fn what_cannot_be_cancelled_is_ignored() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    let done = daemon.request("plugin/list", json!({}));
    daemon.response(done);
    for (method, params) in [
        ("$/cancelRequest", json!({"id": done})),
        ("$/cancelRequest", json!({"id": "nobody"})),
        ("$/cancelRequest", json!({"requestId": done})),
        ("$/cancelRequest", json!(null)),
        ("$/cancel_request", json!({"requestId": {}})),
        ("notifications/cancelled", json!([1, 2])),
    ] {
        daemon.notify(method, params);
    }
    daemon.ok("plugin/list", json!({}));
    assert_eq!(daemon.shut_down(), Vec::<Value>::new());
}

#[test]
fn a_cancel_leaves_the_old_state_or_the_new_one() {
    let sandbox = Sandbox::from(DEMO);
    for number in 0..400 {
        sandbox.write(&format!("demo/plugins/hello/data/{number}.txt"), "x\n");
    }
    let mut daemon = start(&sandbox);
    let before = home_tree(&sandbox);
    let id = daemon.request("plugin/install", hello());
    daemon.notify("$/cancelRequest", json!({"id": id}));
    let answer = daemon.response(id);
    daemon.shut_down();
    match answer.get("result") {
        // It had committed already.
        Some(result) => {
            assert_eq!(result["installedVersion"], "1.0.0");
            assert!(sandbox.exists("ch/plugins/cache/demo/hello/1.0.0/data/399.txt"));
        }
        None => {
            is_cancelled(&answer);
            assert_eq!(home_tree(&sandbox), before);
        }
    }
}

#[test]
fn a_language_client_hears_of_progress() {
    let mut daemon = start(&Sandbox::from(DEMO));
    let mut params = hello();
    params["workDoneToken"] = json!("token-1");
    daemon.ok("plugin/install", params);
    let told = daemon.take_notifications("$/progress");
    assert!(
        told.iter().all(|progress| progress["token"] == "token-1"),
        "{told:#?}"
    );
    let kinds: Vec<&str> = told.iter().map(|one| text(&one["value"]["kind"])).collect();
    assert_eq!(kinds.first(), Some(&"begin"), "{told:#?}");
    // The end is told before the answer.
    assert_eq!(kinds.last(), Some(&"end"), "{told:#?}");
    let reports: Vec<&Value> = told
        .iter()
        .filter(|one| one["value"]["kind"] == "report")
        .collect();
    assert_eq!(reports.len() + 2, told.len(), "{told:#?}");
    assert!(!reports.is_empty());
    for report in reports {
        assert!(report["value"]["stage"].is_string(), "{report:#}");
    }
    daemon.shut_down();
}

#[test]
fn a_wait_for_a_neighbour_is_told_as_such() {
    let sandbox = Sandbox::from(DEMO);
    let (mut daemon, lock) = waiting_daemon(&sandbox);
    let mut params = hello();
    params["workDoneToken"] = json!("token-1");
    let id = daemon.request("plugin/install", params);
    daemon.wait_notification("$/progress", |one| one["value"]["stage"] == "waiting");
    drop(lock);
    let answer = daemon.response(id);
    assert!(answer["error"].is_null(), "{answer:#}");
    daemon.shut_down();
}

#[test]
fn an_agent_client_hears_of_progress() {
    let mut daemon = start(&Sandbox::from(DEMO));
    let mut params = hello();
    params["_meta"] = json!({"progressToken": 7});
    daemon.ok("plugin/install", params);
    let told = daemon.take_notifications("notifications/progress");
    assert!(!told.is_empty());
    let mut last = 0;
    for progress in &told {
        assert_eq!(progress["progressToken"], 7, "{told:#?}");
        let done = progress["progress"].as_u64().unwrap();
        assert!(done >= last, "{told:#?}");
        last = done;
    }
    daemon.shut_down();
}

#[test]
fn nobody_hears_of_progress_unasked() {
    let mut daemon = start(&Sandbox::from(DEMO));
    daemon.ok("plugin/install", hello());
    let mut params = hello();
    params["_meta"] = json!({});
    params["workDoneToken"] = Value::Null;
    daemon.ok("plugin/install", params);
    assert_eq!(daemon.shut_down(), Vec::<Value>::new());
}
