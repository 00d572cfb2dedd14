//! Proves how a connection begins: what is refused before `initialize`, what it answers to clients
//! of the reference and to language clients, and what is sent only to those who asked.

use std::time::Duration;

use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    DEMO, DEMO_MANIFEST, check, install, launch, list_and_settle, refused, start, text,
};

/// Every method of this build, in alphabetical order.
const METHODS: [&str; 47] = [
    "config/batchWrite",
    "config/read",
    "config/value/write",
    "configRequirements/read",
    "hooks/list",
    "initialize",
    "marketplace/add",
    "marketplace/remove",
    "marketplace/upgrade",
    "plugd/approve",
    "plugd/components",
    "plugd/export",
    "plugd/gc",
    "plugd/import",
    "plugd/inspect",
    "plugd/instructions",
    "plugd/link",
    "plugd/lock",
    "plugd/mentions",
    "plugd/outdated",
    "plugd/pin",
    "plugd/release",
    "plugd/rollback",
    "plugd/status",
    "plugd/sync",
    "plugd/unlink",
    "plugd/update",
    "plugd/verify",
    "plugd/versions",
    "plugin/install",
    "plugin/installed",
    "plugin/list",
    "plugin/read",
    "plugin/reconcile",
    "plugin/search",
    "plugin/share/checkout",
    "plugin/share/delete",
    "plugin/share/list",
    "plugin/share/save",
    "plugin/share/updateTargets",
    "plugin/skill/read",
    "plugin/uninstall",
    "rpc.discover",
    "shutdown",
    "skills/config/write",
    "skills/extraRoots/set",
    "skills/list",
];

fn sorted(names: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = names.as_array().unwrap().iter().map(text).collect();
    names.sort_unstable();
    names
}

#[test]
fn nothing_is_answered_before_it() {
    let mut daemon = launch().start(&Sandbox::new());
    for method in METHODS.iter().filter(|method| **method != "initialize") {
        let error = daemon.err(method, json!({}));
        assert_eq!(error["code"], -32600, "{method}");
        assert_eq!(error["message"], "Not initialized", "{method}");
        assert_eq!(error["data"]["kind"], "notInitialized", "{method}");
    }
    // An unknown name is an unknown name at any time.
    assert_eq!(
        refused(&mut daemon, "no/such", json!({})),
        "-32601 methodNotFound"
    );
    daemon.initialize();
    daemon.ok("plugin/list", json!({}));
    daemon.shut_down();
}

#[test]
fn a_refused_attempt_leaves_the_way_open() {
    let mut daemon = launch().start(&Sandbox::new());
    let info = |name: Value| json!({"clientInfo": {"name": name, "version": "1"}});
    assert_eq!(
        refused(&mut daemon, "initialize", info(json!(5))),
        "-32602 invalidParams"
    );
    assert_eq!(
        refused(&mut daemon, "initialize", info(json!("a\nb"))),
        "-32600 invalidInput"
    );
    assert_eq!(
        refused(&mut daemon, "plugin/list", json!({})),
        "-32600 notInitialized"
    );
    daemon.initialize();
    let error = daemon.err("initialize", info(json!("again")));
    assert_eq!(error["code"], -32600);
    assert_eq!(error["message"], "Already initialized");
    daemon.ok("plugin/list", json!({}));
    daemon.shut_down();
}

#[test]
fn the_whole_answer() {
    let sandbox = Sandbox::new();
    let mut daemon = launch().start(&sandbox);
    let mut result = daemon.initialize();
    let agent = text(&result["userAgent"]).to_owned();
    assert!(agent.starts_with("plugd-tests/0.169.0 ("), "{agent}");
    assert!(agent.ends_with("(plugd-tests; 1.0.0)"), "{agent}");
    let built = result["capabilities"]["plugd"].take();
    assert_eq!(sorted(&built["methods"]), METHODS);
    let sent = [
        "$/progress",
        "configWarning",
        "notifications/progress",
        "plugd/changed",
        "plugd/task",
        "skills/changed",
    ];
    assert_eq!(sorted(&built["notifications"]), sent);
    assert!(built["version"].is_u64(), "{built:#}");
    let expected = json!({
        "userAgent": agent,
        "codexHome": "$ROOT/ch",
        "platformFamily": std::env::consts::FAMILY,
        "platformOs": std::env::consts::OS,
        "serverInfo": {"name": "plugd", "version": env!("CARGO_PKG_VERSION")},
        "capabilities": {"plugd": null},
    });
    check(&result, &sandbox, &expected);
    daemon.shut_down();
}

#[test]
fn what_is_named_is_built_and_nothing_else_answers() {
    let mut daemon = start(&Sandbox::new());
    for method in METHODS.iter().filter(|method| **method != "shutdown") {
        let response = daemon.call(method, json!({}));
        assert_ne!(response["error"]["code"], -32601, "{method}");
    }
    for method in ["plugd/nothing", "plugd/everything"] {
        assert_eq!(
            refused(&mut daemon, method, json!({})),
            "-32601 methodNotFound",
            "{method}"
        );
    }
    daemon.shut_down();
}

#[test]
fn clients_of_all_kinds_are_welcome() {
    let language_client = json!({
        "processId": 1,
        "clientInfo": {"name": "Some Editor"},
        "locale": "en",
        "rootUri": null,
        "rootPath": null,
        "capabilities": {"textDocument": {"hover": {}}, "workspace": {"applyEdit": true}},
        "initializationOptions": null,
        "trace": "off",
        "workspaceFolders": null,
    });
    let reference_client = json!({
        "clientInfo": {"name": "ide", "title": null, "version": "26.1.1"},
        "capabilities": {
            "experimentalApi": true,
            "requestAttestation": false,
            "optOutNotificationMethods": null,
            "extensions": {"x": 1},
        },
    });
    for (params, agent) in [
        (language_client, "Some Editor/0.169.0 ("),
        (reference_client, "ide/0.169.0 ("),
        (json!({}), "plugd-client/0.169.0 ("),
        (
            json!({"clientInfo": null, "capabilities": null}),
            "plugd-client/0.169.0 (",
        ),
    ] {
        let mut daemon = launch().start(&Sandbox::new());
        let result = daemon.ok("initialize", params);
        assert!(text(&result["userAgent"]).starts_with(agent), "{result:#}");
        // Some clients never send `initialized`.
        daemon.ok("plugin/search", json!({"searchTerm": "x"}));
        daemon.shut_down();
    }
}

#[test]
fn shutdown_and_exit_end_it() {
    let mut daemon = start(&Sandbox::new());
    assert_eq!(daemon.ok("shutdown", json!(null)), Value::Null);
    daemon.notify("exit", json!(null));
    assert!(daemon.rest().is_empty());
    assert_eq!(daemon.wait_exit().code(), Some(0));
}

#[test]
fn a_broken_configuration_is_told_right_after_the_answer() {
    let sandbox = Sandbox::from("== ch/config.toml\nmodel = \"x\"\n[features\nplugins = true\n");
    let mut daemon = launch().start(&sandbox);
    daemon.initialize();
    let warning = daemon.wait_notification("configWarning", |_| true);
    assert_eq!(warning["path"], sandbox.path("ch/config.toml").to_text());
    assert_eq!(warning["range"]["start"]["line"], 2, "{warning:#}");
    assert!(text(&warning["summary"]).contains("default"), "{warning:#}");
    daemon.shut_down();
}

#[test]
fn what_was_opted_out_of_is_not_sent() {
    let sandbox = Sandbox::from("== ch/config.toml\n[features\n");
    let mut daemon = launch().start(&sandbox);
    daemon.initialize_with(json!({
        "capabilities": {"optOutNotificationMethods": ["configWarning", "some/other"]},
    }));
    daemon.ok("plugin/search", json!({"searchTerm": "x"}));
    assert_eq!(daemon.shut_down(), Vec::<Value>::new());
}

#[test]
fn own_notifications_go_to_those_who_asked() {
    let asked = json!({"plugd": {"notifications": true}});
    for (params, wanted) in [
        (json!({"capabilities": asked}), true),
        (
            json!({"initializationOptions": {"capabilities": asked}}),
            true,
        ),
        (
            json!({"capabilities": {"plugd": {"notifications": false}}}),
            false,
        ),
        (json!({"capabilities": {}}), false),
        (
            json!({"capabilities": {"plugd": {"notifications": true},
                "optOutNotificationMethods": ["plugd/changed", "plugd/task", "skills/changed"]}}),
            false,
        ),
    ] {
        let mut daemon = launch().start(&Sandbox::from(DEMO));
        daemon.initialize_with(params.clone());
        install(&mut daemon, DEMO_MANIFEST, "hello");
        if wanted {
            let change = daemon.wait_notification("plugd/changed", |_| true);
            assert_eq!(change["plugins"], json!(["hello@demo"]), "{params}");
            assert_eq!(change["reason"], "request", "{params}");
            list_and_settle(&mut daemon, json!({}));
            daemon.shut_down();
        } else {
            daemon.ok("plugin/list", json!({}));
            let rest = daemon.shut_down();
            assert_eq!(rest, Vec::<Value>::new(), "{params}");
        }
    }
}

#[test]
fn it_is_answered_before_anything_is_written() {
    let sandbox = Sandbox::new();
    let before = sandbox.tree("");
    let mut daemon = launch().start(&sandbox);
    daemon.initialize();
    assert!(daemon.next_message(Duration::ZERO).is_none());
    assert_eq!(sandbox.tree(""), before);
    daemon.shut_down();
    assert_eq!(sandbox.tree(""), before);
}
