//! Everything that a client and a person can ask about hostile content, and what may not come back.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use plugd_testkit::{Daemon, Sandbox};
use serde_json::{Value, json};

use super::SECRET;
use crate::BINARY;
use crate::reader::{Reader, complaints};

/// How long one answer may take; some content is large, and the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the daemon may use at most at one time, whatever it is shown.
const MOST_MEMORY_KIB: u64 = 1024 * 1024;

/// Everything that is asked before and after the installation.
const QUESTIONS: [(&str, &str); 12] = [
    ("plugin/list", r#"{"cwds": ["$ROOT/bad"]}"#),
    ("plugin/installed", "{}"),
    (
        "plugin/read",
        r#"{"marketplacePath": "$ROOT/bad/.agents/plugins/marketplace.json", "pluginName": "evil"}"#,
    ),
    ("plugin/search", r#"{"searchTerm": "e"}"#),
    ("plugd/inspect", r#"{"pluginId": "evil@bad"}"#),
    (
        "skills/list",
        r#"{"cwds": ["$ROOT/bad/evil"], "forceReload": true}"#,
    ),
    ("hooks/list", r#"{"cwds": ["$ROOT/bad/evil"]}"#),
    ("plugd/components", r#"{"lease": true}"#),
    ("plugd/instructions", "{}"),
    ("plugd/mentions", r#"{"text": "plugin://evil@bad"}"#),
    ("config/read", r#"{"includeLayers": true}"#),
    ("plugd/status", "{}"),
];

/// Every command that shows something, as a person types it.
const COMMANDS: [&[&str]; 14] = [
    &["plugin", "list"],
    &["plugin", "read", "evil@bad"],
    &["plugin", "inspect", "evil@bad"],
    &["plugin", "add", "evil@bad"],
    &["plugin", "search", "e"],
    &["marketplace", "list"],
    &["validate", "$ROOT/bad"],
    &["validate", "$ROOT/bad/evil"],
    &["skills", "list"],
    &["hooks", "list"],
    &["components"],
    &["mentions", "plugin://evil@bad"],
    &["status"],
    &["doctor"],
];

/// What a visit brought.
pub(super) struct Visit {
    /// Every complaint of every answer.
    pub(super) complaints: BTreeSet<String>,
    /// What the daemon used at most, in KiB.
    pub(super) memory: u64,
}

/// Asks everything, installs both plugins, and asks again. The neighbours must be usable. `look` sees the
/// home while the plugins are there and no daemon is.
///
/// # Panics
/// Something is not answered, the secret comes out, or a neighbour suffers.
pub(super) fn visit(
    sandbox: &Sandbox,
    reader: Reader,
    neighbours: &[&str],
    look: impl FnOnce(),
) -> Visit {
    let heard = Arc::new(Mutex::new(String::new()));
    let ear = Arc::clone(&heard);
    let mut daemon = reader
        .launch(BINARY)
        .args(&["app-server"])
        .var("PLUGD_LOG", "trace")
        .patience(PATIENCE)
        .observed_by(move |seen| {
            let mut heard = ear.lock().unwrap_or_else(PoisonError::into_inner);
            heard.push_str(&seen.message.to_string());
        })
        .start(sandbox);
    daemon.initialize();
    let mut answers = Vec::new();
    ask(&mut daemon, &mut answers);
    let manifest =
        |marketplace: &str| format!("$ROOT/{marketplace}/.agents/plugins/marketplace.json");
    let evil = json!({"marketplacePath": manifest("bad"), "pluginName": "evil"});
    answers.push(daemon.call("plugin/install", evil));
    for neighbour in neighbours {
        let (plugin, marketplace) = neighbour.split_once('@').unwrap();
        let params = json!({"marketplacePath": manifest(marketplace), "pluginName": plugin});
        daemon.ok("plugin/install", params);
    }
    ask(&mut daemon, &mut answers);
    let listing = &answers[answers.len() - QUESTIONS.len()]["result"];
    for neighbour in neighbours {
        let row = plugins(listing).find(|plugin| plugin["id"] == *neighbour);
        assert!(
            row.is_some_and(|row| row["installed"] == true),
            "{neighbour} in {listing:#}"
        );
    }
    let memory = most_memory(&daemon);
    daemon.shut_down();
    look();
    let mut after = reader
        .launch(BINARY)
        .args(&["app-server"])
        .patience(PATIENCE)
        .start(sandbox);
    after.initialize();
    answers.push(after.call("plugin/uninstall", json!({"pluginId": "evil@bad"})));
    after.ok("plugd/gc", json!({"dryRun": false}));
    after.shut_down();
    check_text("the log", &after.stderr());
    let stderr = daemon.stderr();
    check_text("the log", &stderr);
    assert!(!stderr.contains("panicked"), "{stderr}");
    let heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(!heard.contains(SECRET), "the secret is in an answer");
    assert!(memory < MOST_MEMORY_KIB, "{memory} KiB");
    let mut found = Vec::new();
    for answer in &answers {
        // What the system refuses to read is named.
        let data = &answer["error"]["data"];
        assert!(
            data["kind"] != "internal" || data["path"].is_string(),
            "{answer:#}"
        );
        complaints(answer, &mut found);
    }
    Visit {
        complaints: found.into_iter().collect(),
        memory,
    }
}

fn ask(daemon: &mut Daemon, answers: &mut Vec<Value>) {
    for (method, params) in QUESTIONS {
        answers.push(daemon.call(method, serde_json::from_str(params).unwrap()));
    }
}

/// Runs commands of the command line, whose words go to a terminal.
///
/// # Panics
/// One does not end, panics, or prints what a terminal would obey or a person would misread.
pub(super) fn type_commands(sandbox: &Sandbox, reader: Reader, which: impl Fn(usize) -> bool) {
    let chosen = COMMANDS
        .iter()
        .enumerate()
        .filter(|(number, _)| which(*number));
    for (_, args) in chosen {
        let run = reader.launch(BINARY).args(args).patience(PATIENCE);
        let output = run.var("PLUGD_LOG", "debug").run(sandbox);
        for said in [&output.stdout, &output.stderr] {
            check_text(&args.join(" "), said);
            assert!(!said.contains("panicked"), "{said}");
        }
        assert!(output.status.code().is_some(), "{output}");
    }
}

/// How many commands there are.
pub(super) const fn commands() -> usize {
    COMMANDS.len()
}

/// Nothing for a terminal to obey, nothing that hides or turns text round, and no secret.
fn check_text(what: &str, said: &str) {
    assert!(!said.contains(SECRET), "the secret is in {what}");
    let bad = said.char_indices().find(|(_, character)| {
        (character.is_control() && !matches!(character, '\n' | '\t'))
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
    });
    if let Some((at, character)) = bad {
        let around: String = said[..at].chars().rev().take(80).collect();
        let before: String = around.chars().rev().collect();
        panic!("{what} holds {character:?} behind {before:?}");
    }
}

fn plugins(listing: &Value) -> impl Iterator<Item = &Value> {
    let groups = listing["marketplaces"].as_array().into_iter().flatten();
    groups.flat_map(|group| group["plugins"].as_array().into_iter().flatten())
}

/// The most memory that a process has used so far, in KiB; 0 where the system does not tell.
#[expect(
    clippy::disallowed_methods,
    reason = "a loop looks at the process from outside"
)]
fn most_memory(daemon: &Daemon) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.id()));
    let status = status.unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
