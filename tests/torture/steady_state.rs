//! The same work round after round: neither memory nor open files may grow with it.

use plugd_testkit::{Daemon, GitRepo, GitServer, Launch, Sandbox};
use serde_json::{Value, json};

use crate::BINARY;
use crate::stock::Stock;
use crate::tally::{Form, Scale, Tally};
use crate::wire_raw::{descriptors, memory};
use crate::worlds::repository;

/// How much the resident memory may differ between two looks, in kibibytes: the allocator keeps
/// pages for threads that come and go. What leaks by the request would be more in the long form.
const TOLERANCE: u64 = 3 * 1024;
/// How many files may be open more than after the warming up: those of work that is still ending.
const MORE_FILES: usize = 4;

/// One round of so many brings a commit from another machine too.
const FETCHING: u64 = 5;

/// Rounds of work, after some that do not count.
pub(crate) fn run(scale: Scale) -> Tally {
    let mut tally = Tally::default();
    let sandbox = Sandbox::from(
        "== ch/config.toml\n[marketplaces.alpha]\nsource_type = \"local\"\nsource = \"$ROOT/alpha\"\n",
    );
    let mut stock = Stock::open(&sandbox, "alpha", "alpha", &["one", "two"], 0);
    let mut daemon = Launch::app_server(BINARY).start(&sandbox);
    daemon.initialize();
    let server = GitServer::start();
    let repo = GitRepo::bare(&sandbox, "market.git");
    repo.commit(&repository("0.0.0"));
    let url = server.serve("team/market.git", &repo);
    daemon.ok("marketplace/add", json!({"source": url}));
    let mut round = |daemon: &mut Daemon, number: u64| {
        local_round(daemon, &sandbox, &mut stock, number);
        if number.is_multiple_of(FETCHING) {
            repo.commit(&repository(&format!("{number}.0.0")));
            let upgraded = daemon.ok("marketplace/upgrade", json!({}));
            assert_eq!(upgraded["errors"], json!([]));
        }
    };
    for number in 0..scale.pick(12, 60) {
        round(&mut daemon, number);
    }
    rest(&mut daemon);
    let look = |daemon: &Daemon| (memory(daemon.id(), "VmRSS"), descriptors(daemon.id()));
    // What a fetch had open goes a moment later.
    let files_before = (0..20).map(|_| {
        std::thread::sleep(std::time::Duration::from_millis(25));
        descriptors(daemon.id())
    });
    let (files_before, memory_before) = (files_before.min().unwrap(), look(&daemon).0);
    let rounds = match scale.form() {
        Form::Bounded => 12,
        Form::Long => 600,
        Form::Whole => 2_000,
    };
    let (mut most_memory, mut most_files) = (0, 0);
    // What is kept for ever shows as a slope, also where it stays within the tolerance.
    let mut quarters = vec![memory_before];
    for number in 0..rounds {
        tally.attempt(format!("round {number}"), || {
            round(&mut daemon, number);
            rest(&mut daemon);
            sandbox.await_sweeping();
            let (memory, files) = look(&daemon);
            most_memory = most_memory.max(memory);
            most_files = most_files.max(files);
            if (number + 1).is_multiple_of(rounds / 4) {
                quarters.push(memory);
            }
            let grown = memory.saturating_sub(memory_before);
            assert!(
                grown <= TOLERANCE,
                "{memory_before} KiB and then {memory} KiB"
            );
            assert!(
                files <= files_before + MORE_FILES,
                "{files_before} files and then {files}"
            );
        });
    }
    tally.note(format!(
        "{quarters:?} KiB by quarters, at most {most_memory}"
    ));
    tally.note(format!("{files_before} files, at most {most_files}"));
    daemon.shut_down();
    tally
}

/// Waits until nothing is going on in the background: what works right now has files open.
fn rest(daemon: &mut Daemon) {
    let works = |status: &Value| {
        let tasks = status["tasks"].as_array().unwrap();
        tasks.iter().any(|task| task["state"] == "running")
    };
    while works(&daemon.ok("plugd/status", json!({}))) {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// Everything that a long session does on this machine.
fn local_round(daemon: &mut Daemon, sandbox: &Sandbox, stock: &mut Stock, number: u64) {
    let manifest = stock.manifest(sandbox);
    let named = |plugin: &str| json!({"marketplacePath": manifest, "pluginName": plugin});
    if number.is_multiple_of(4) {
        stock.advance(sandbox, "one");
    }
    daemon.ok("plugin/list", json!({}));
    daemon.ok("plugin/read", named("one"));
    daemon.ok("plugin/install", named("one"));
    daemon.ok("plugin/install", named("two"));
    let loaded = daemon.ok("plugd/components", json!({"lease": true}));
    daemon.ok("skills/list", json!({}));
    daemon.ok("plugd/release", json!({"leaseId": loaded["leaseId"]}));
    let write = json!({"keyPath": "t.x", "value": number, "mergeStrategy": "replace"});
    daemon.ok("config/value/write", write);
    daemon.ok("config/read", json!({}));
    daemon.err("plugin/read", named("nobody"));
    daemon.ok("plugin/uninstall", json!({"pluginId": "two@alpha"}));
    daemon.ok("plugin/installed", json!({}));
}
