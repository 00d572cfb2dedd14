//! What a client and the command line do with a damaged home, and what they are told.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use plugd_testkit::{Daemon, Output, Sandbox};
use serde_json::{Value, json};

use super::world::greet;
use crate::BINARY;
use crate::reader::Reader;

/// How long background work may go on.
const PATIENCE: Duration = Duration::from_secs(10);

/// Everything that was answered, by the name of what was asked.
#[derive(Debug, Default)]
pub(super) struct Session {
    pub(super) answers: BTreeMap<&'static str, Value>,
    pub(super) notifications: Vec<Value>,
    pub(super) stderr: String,
}

/// What asks without changing anything, and its answer should be the same on the same home.
const QUESTIONS: [(&str, &str, &str); 12] = [
    (
        "list",
        "plugin/list",
        r#"{"cwds": ["$ROOT/desk"], "marketplaceKinds": ["local"]}"#,
    ),
    ("list of all", "plugin/list", "{}"),
    (
        "installed",
        "plugin/installed",
        r#"{"cwds": ["$ROOT/desk"]}"#,
    ),
    (
        "read tools",
        "plugin/read",
        r#"{"marketplacePath": "$ROOT/demo/.agents/plugins/marketplace.json", "pluginName": "tools"}"#,
    ),
    (
        "read hello",
        "plugin/read",
        r#"{"marketplacePath": "$ROOT/demo/.agents/plugins/marketplace.json", "pluginName": "hello"}"#,
    ),
    (
        "read kit",
        "plugin/read",
        r#"{"marketplacePath": "$ROOT/team/.claude-plugin/marketplace.json", "pluginName": "kit"}"#,
    ),
    (
        "read tool",
        "plugin/read",
        r#"{"marketplacePath": "$ROOT/ch/.tmp/marketplaces/market/.agents/plugins/marketplace.json",
            "pluginName": "tool"}"#,
    ),
    ("skills", "skills/list", r#"{"cwds": ["$ROOT/desk"]}"#),
    ("hooks", "hooks/list", r#"{"cwds": ["$ROOT/desk"]}"#),
    (
        "components",
        "plugd/components",
        r#"{"cwds": ["$ROOT/desk"]}"#,
    ),
    (
        "config",
        "config/read",
        r#"{"cwd": "$ROOT/desk", "includeLayers": true}"#,
    ),
    ("shares", "plugin/share/list", "{}"),
];

/// What is about the state itself, or changes it.
const ACTIONS: [(&str, &str, &str); 4] = [
    ("gc", "plugd/gc", r#"{"dryRun": true}"#),
    (
        "install",
        "plugin/install",
        r#"{"marketplacePath": "$ROOT/demo/.agents/plugins/marketplace.json", "pluginName": "extra"}"#,
    ),
    (
        "uninstall",
        "plugin/uninstall",
        r#"{"pluginId": "gone@demo"}"#,
    ),
    ("status", "plugd/status", "{}"),
];

impl Session {
    /// One daemon from its start to its end.
    ///
    /// # Panics
    /// It does not answer in time, or does not end well.
    pub(super) fn run(sandbox: &Sandbox, reader: Reader) -> Self {
        let mut daemon = reader.launch(BINARY).args(&["app-server"]).start(sandbox);
        greet(&mut daemon);
        let mut session = Self::default();
        for (name, method, params) in QUESTIONS.iter().chain(&ACTIONS) {
            let params = serde_json::from_str(params).unwrap();
            let mut answer = daemon.call(method, params);
            let answer = ["result", "error"].map(|member| answer[member].take());
            let [result, error] = answer;
            let answer = if error.is_null() {
                result
            } else {
                json!({"error": error})
            };
            session.answers.insert(name, answer);
            if *name == "list of all" {
                settle(&mut daemon);
            }
        }
        session.notifications = daemon.shut_down();
        session.stderr = daemon.stderr();
        session
    }

    /// A daemon that only begins and ends, which is when the remains of others are removed.
    ///
    /// # Panics
    /// As [`Session::run`].
    pub(super) fn recover(sandbox: &Sandbox, reader: Reader) {
        let mut daemon = reader.launch(BINARY).args(&["app-server"]).start(sandbox);
        greet(&mut daemon);
        daemon.call("plugin/installed", json!({}));
        daemon.shut_down();
    }

    /// What `plugd doctor` says.
    pub(super) fn doctor(sandbox: &Sandbox, reader: Reader) -> Output {
        reader
            .launch(BINARY)
            .args(&["doctor", "--json"])
            .run(sandbox)
    }

    /// Whether a question was answered with a result.
    pub(super) fn went(&self, name: &str) -> bool {
        self.answers[name].get("error").is_none()
    }

    /// The questions that were answered otherwise than in another session.
    pub(super) fn differs(&self, other: &Self) -> Vec<&'static str> {
        let names = QUESTIONS.iter().map(|(name, _, _)| *name);
        names
            .filter(|name| self.answers[name] != other.answers[name])
            .collect()
    }
}

/// Waits until the work that a listing starts is over, so that later answers are about one state.
fn settle(daemon: &mut Daemon) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let status = daemon.ok("plugd/status", json!({}));
        let tasks = status["tasks"].as_array().unwrap();
        if tasks.iter().all(|task| task["state"] != "running") {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "background work does not end: {status:#}"
        );
    }
}
