//! Proves what things cost, in counted work and in memory and never in seconds: a test machine has
//! moods. Memory and size have their promised bounds in release builds; a debug build has looser
//! ones, so that a leap is seen there too.
#![cfg(target_os = "linux")]
#![expect(
    clippy::disallowed_methods,
    reason = "the counters of a process stand in files of the system"
)]

use std::time::Duration;
use std::{fs, thread};

use plugd_testkit::{Daemon, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    BINARY, install, launch, list_and_settle, plugin_in, plugins_in, small, start, start_listening,
};
use crate::lifecycle::memory;

const PLUGINS: usize = 180;
/// Whether the linker has the functions that are called lie together, as `crates/daemon/build.rs` says.
const HAS_HOT_FUNCTIONS: bool = cfg!(target_env = "gnu");

/// A large marketplace in the home directory: no configuration speaks of it.
fn large() -> Sandbox {
    let sandbox = Sandbox::new();
    let text = "Some words that describe what it does, in a sentence or two. ".repeat(8);
    let mut entries = Vec::new();
    for number in 0..PLUGINS {
        let name = format!("plugin-{number:03}");
        let manifest = json!({
            "name": name, "version": "1.0.0", "description": text,
            "keywords": ["one", "two", "three"],
            "interface": {
                "displayName": name, "shortDescription": text, "longDescription": text.repeat(4),
                "developerName": "Ada", "category": "Tools", "logo": "./assets/logo.png",
            },
        });
        let dir = format!("home/plugins/{name}");
        sandbox.write(
            &format!("{dir}/.codex-plugin/plugin.json"),
            manifest.to_string(),
        );
        let skill = format!("---\ndescription: {text}\n---\n{text}\n");
        sandbox.write(&format!("{dir}/skills/{name}/SKILL.md"), skill);
        entries.push(json!({"name": name, "source": format!("./plugins/{name}")}));
    }
    let catalog = json!({"name": "large", "plugins": entries});
    sandbox.write("home/.agents/plugins/marketplace.json", catalog.to_string());
    sandbox
}

/// How many bytes the process has read so far, by whatever way.
#[track_caller]
fn bytes_read(daemon: &Daemon) -> u64 {
    let io = fs::read_to_string(format!("/proc/{}/io", daemon.id())).unwrap();
    let line = io
        .lines()
        .find_map(|line| line.strip_prefix("rchar: "))
        .unwrap();
    line.parse().unwrap()
}

#[test]
fn initialize_reads_no_plugin_file() {
    let read_in = |sandbox: &Sandbox| {
        let mut daemon = launch().start(sandbox);
        daemon.initialize();
        let read = bytes_read(&daemon);
        daemon.shut_down();
        read
    };
    let (small, large) = (read_in(&Sandbox::new()), read_in(&large()));
    // The catalog alone has 12 kB; the notification that follows may have been read or not.
    assert!(large.abs_diff(small) < 1_000, "{small} and {large} bytes");
}

#[test]
fn a_second_listing_reads_next_to_nothing() {
    let mut daemon = start(&large());
    let before = bytes_read(&daemon);
    let listing = daemon.ok("plugin/list", json!({}));
    assert_eq!(plugins_in(&listing).count(), PLUGINS);
    let first = bytes_read(&daemon) - before;
    // What happens behind an answer may fall into one of them.
    let again = (0..3).map(|_| {
        let before = bytes_read(&daemon);
        daemon.ok("plugin/list", json!({}));
        bytes_read(&daemon) - before
    });
    let again = again.min().unwrap();
    assert!(first > 100_000, "the first listing read {first} bytes only");
    assert!(again * 20 < first, "{first} and then {again} bytes");
    daemon.shut_down();
}

#[test]
fn a_listing_opens_no_skill() {
    let sandbox = large();
    let mut daemon = start(&sandbox);
    let before = bytes_read(&daemon);
    daemon.ok("plugin/list", json!({}));
    let first = bytes_read(&daemon) - before;
    let manifests: u64 = (0..PLUGINS)
        .map(|number| format!("home/plugins/plugin-{number:03}/.codex-plugin/plugin.json"))
        .map(|path| fs::metadata(sandbox.path(path)).unwrap().len())
        .sum();
    let catalog = fs::metadata(sandbox.path("home/.agents/plugins/marketplace.json"))
        .unwrap()
        .len();
    // Each manifest once, the catalog once, and a little for the rest.
    let bound = (manifests + catalog) * 11 / 10 + 20_000;
    assert!(
        first < bound,
        "{first} bytes read, {bound} expected at most"
    );
    daemon.shut_down();
}

/// A session as a client that opens a picker has it: how many bytes it reads until the comparison behind its
/// listing has ended, and which version it finds then.
fn session(sandbox: &Sandbox) -> (u64, Value) {
    let mut daemon = start_listening(sandbox);
    let before = bytes_read(&daemon);
    list_and_settle(&mut daemon, json!({}));
    let read = bytes_read(&daemon) - before;
    let listing = daemon.ok("plugin/list", json!({}));
    let row = plugin_in(&listing, "hello@demo");
    let versions = (
        row["installedVersion"].clone(),
        row["updateAvailable"].clone(),
    );
    daemon.shut_down();
    (read, json!(versions))
}

#[test]
fn the_next_session_reads_no_source_that_nobody_has_touched() {
    const LARGE: usize = 1 << 20;
    let sandbox = small(&[("hello", "1.0.0")]);
    let file = "demo/hello/data.txt";
    sandbox.write(file, "a".repeat(LARGE));
    let mut daemon = start_listening(&sandbox);
    install(
        &mut daemon,
        "$ROOT/demo/.agents/plugins/marketplace.json",
        "hello",
    );
    daemon.shut_down();
    // What has only just been written is read again each time, and how long that is depends on the system.
    let known = sandbox.path("ch/plugins/.plugd/sources.json");
    let mut reads = Vec::new();
    while !fs::exists(&known).unwrap() {
        reads.push(session(&sandbox).0);
        assert!(reads.len() < 100, "{reads:?}");
        thread::sleep(Duration::from_millis(100));
    }
    let is_whole = |read: &u64| usize::try_from(*read).unwrap() > LARGE;
    assert!(reads.iter().all(is_whole), "{reads:?}");
    let (read, versions) = session(&sandbox);
    assert!(!is_whole(&(read * 10)), "{read} bytes");
    assert_eq!(versions, json!(["1.0.0", false]));
    // As large as before, and by now another one.
    sandbox.write(file, "b".repeat(LARGE));
    let (read, _) = session(&sandbox);
    assert!(is_whole(&read), "{read} bytes");
    let copy = sandbox.bytes("ch/plugins/cache/demo/hello/1.0.0/data.txt");
    assert!(copy.iter().all(|byte| *byte == b'b'));
}

/// Asserts a bound in MiB on what a release takes.
#[track_caller]
fn takes_at_most(daemon: &Daemon, bound: u64) {
    let resident = memory(daemon, "VmRSS");
    let bound = match (cfg!(debug_assertions), HAS_HOT_FUNCTIONS) {
        (true, _) => 40,
        (false, true) => bound,
        (false, false) => 16,
    };
    assert!(
        resident < bound * 1024,
        "{resident} KiB, {bound} MiB expected at most"
    );
}

/// A release holds little besides the code that it calls; more of it is a hint that
/// `make hot-functions` is due, where the linker takes its list.
#[test]
fn memory_of_a_daemon_that_waits() {
    let mut daemon = launch().start(&large());
    daemon.initialize();
    takes_at_most(&daemon, 7);
    daemon.shut_down();
}

#[test]
fn memory_after_a_large_listing() {
    let mut daemon = start(&large());
    for _ in 0..5 {
        daemon.ok("plugin/list", json!({}));
    }
    takes_at_most(&daemon, 12);
    daemon.shut_down();
}

#[test]
fn memory_does_not_grow_with_requests() {
    let mut daemon = start(&large());
    // Until every thread that will ever be there has had its turn.
    for _ in 0..40 {
        daemon.ok("plugin/list", json!({}));
    }
    let before = memory(&daemon, "VmRSS");
    for _ in 0..30 {
        daemon.ok("plugin/list", json!({}));
    }
    let after = memory(&daemon, "VmRSS");
    assert!(
        after < before + 4 * 1024,
        "{before} KiB and then {after} KiB"
    );
    daemon.shut_down();
}

/// `make cost` names the program as it is handed out: built for tests it is 90 kB larger, because a
/// crate that only tests use asks more of another one.
#[test]
fn the_binary_is_small() {
    let binary = std::env::var("PLUGD_TEST_RELEASED").unwrap_or(BINARY.to_owned());
    let size = fs::metadata(binary).unwrap().len();
    // A debug build is another thing; it is looked at here so that a leap is seen.
    let bound: u64 = if cfg!(debug_assertions) { 200 } else { 15 };
    assert!(
        size < bound * 1_000_000,
        "{size} bytes, {bound} MB expected at most"
    );
}
