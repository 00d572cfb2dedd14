//! Proves that a connection ends well however it ends, that every accepted request is answered
//! exactly once, and that neither a flood nor a client that does not read costs memory.
#![expect(
    clippy::disallowed_methods,
    reason = "the memory of a process stands in a file of the system"
)]

use std::collections::BTreeSet;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use plugd_testkit::{Daemon, Sandbox, Signal};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{DEMO, DEMO_MANIFEST, launch, small, start};

/// The size that the process has had at most, in kibibytes.
#[cfg(target_os = "linux")]
#[track_caller]
pub(crate) fn memory(daemon: &Daemon, field: &str) -> u64 {
    let path = format!("/proc/{}/status", daemon.id());
    let status = std::fs::read_to_string(path).unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(field))
        .unwrap();
    let digits = line.trim_start_matches(':').trim().trim_end_matches(" kB");
    digits.parse().unwrap()
}

/// So many small requests with ids from `first` on.
fn flood(first: usize, count: usize) -> Vec<u8> {
    let lines = (first..first + count).map(|id| {
        format!(
            "{{\"id\":{id},\"method\":\"plugin/search\",\"params\":{{\"searchTerm\":\"hello\"}}}}\n"
        )
    });
    lines.collect::<String>().into_bytes()
}

/// Reads so many answers; each id once, and how many of them are refusals with this code.
#[track_caller]
fn take_answers(daemon: &mut Daemon, first: usize, count: usize, code: i64) -> usize {
    let mut open: BTreeSet<u64> = (first..first + count).map(|id| id as u64).collect();
    let mut refused = 0;
    while !open.is_empty() {
        let message = daemon.wait_message("one more answer", |message| message.get("id").is_some());
        let id = message["id"].as_u64().unwrap();
        assert!(open.remove(&id), "{id} was answered twice");
        match message.get("error") {
            None => {}
            Some(error) => {
                assert_eq!(error["code"], code, "{message}");
                refused += 1;
            }
        }
    }
    refused
}

#[test]
fn end_of_input_loses_no_answer() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    let install = json!({
        "id": 500, "method": "plugin/install",
        "params": {"marketplacePath": sandbox.expand(DEMO_MANIFEST), "pluginName": "hello"},
    });
    let mut input = flood(100, 200);
    input.extend(format!("{install}").bytes());
    daemon.send_raw(input);
    daemon.close_stdin();
    let mut ids: Vec<u64> = Vec::new();
    for answer in daemon.rest() {
        assert!(answer.get("error").is_none(), "{answer:#}");
        ids.extend(answer["id"].as_u64());
    }
    ids.sort_unstable();
    assert_eq!(ids, (100..300).chain([500]).collect::<Vec<u64>>());
    assert_eq!(daemon.wait_exit().code(), Some(0));
    // The installation was sent directly before the end, and success is what is on disk.
    assert!(sandbox.exists("ch/plugins/cache/demo/hello/1.0.0/.codex-plugin/plugin.json"));
    assert!(
        sandbox
            .text("ch/config.toml")
            .contains("[plugins.\"hello@demo\"]\nenabled = true")
    );
}

#[test]
fn everything_in_one_write_is_answered() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = launch().start(&sandbox);
    let mut input = b"{\"id\":0,\"method\":\"initialize\"}\n".to_vec();
    input.extend(flood(1, 50));
    daemon.send_raw(input);
    daemon.close_stdin();
    assert_eq!(daemon.rest().len(), 51);
    assert_eq!(daemon.wait_exit().code(), Some(0));
}

#[test]
fn an_early_end_is_no_failure() {
    let mut daemon = launch().start(&Sandbox::new());
    assert_eq!(daemon.shut_down(), Vec::<Value>::new());
    let mut daemon = start(&Sandbox::new());
    assert_eq!(daemon.shut_down(), Vec::<Value>::new());
}

#[test]
fn signals_end_it_well() {
    for signal in [Signal::Terminate, Signal::Interrupt] {
        let mut daemon = start(&Sandbox::new());
        daemon.signal(signal);
        assert_eq!(daemon.rest(), Vec::<Value>::new());
        assert_eq!(daemon.wait_exit().code(), Some(0), "{signal:?}");
    }
}

#[test]
fn a_signal_does_not_cut_an_accepted_request() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    let params = json!({"marketplacePath": DEMO_MANIFEST, "pluginName": "hello"});
    let asked = daemon.request("plugin/install", params);
    // An answer to a later request shows that the earlier one was accepted.
    daemon.call("plugin/search", json!({"searchTerm": "x"}));
    daemon.signal(Signal::Terminate);
    let answer = daemon.response(asked);
    assert!(answer.get("result").is_some(), "{answer:#}");
    assert_eq!(daemon.wait_exit().code(), Some(0));
    assert!(
        sandbox.exists("ch/plugins/cache/demo/hello/1.0.0/notes.md")
            || sandbox.exists("ch/plugins/cache/demo/hello/1.0.0/.codex-plugin/plugin.json")
    );
}

#[test]
fn a_reader_that_died_is_no_failure() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = launch().hangs_up_after(1).start(&sandbox);
    daemon.initialize();
    let params = json!({"marketplacePath": DEMO_MANIFEST, "pluginName": "hello"});
    daemon.request("plugin/install", params);
    assert_eq!(daemon.wait_exit().code(), Some(0));
    // What was begun is finished on disk: both halves of it or none.
    let files = sandbox.exists("ch/plugins/cache/demo/hello/1.0.0");
    let enabled = sandbox.text("ch/config.toml").contains("hello@demo");
    assert_eq!((files, enabled), (true, true));
    let stderr = daemon.stderr();
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[test]
fn a_thousand_requests_in_flight_are_not_too_many() {
    let sandbox = small(&[("hello", "1.0.0")]);
    let mut daemon = launch().reads_when_asked().start(&sandbox);
    daemon.initialize();
    daemon.queue_raw(flood(10, 1024)).unwrap();
    assert_eq!(take_answers(&mut daemon, 10, 1024, -32001), 0);
    daemon.shut_down();
}

#[test]
fn a_flood_is_answered_to_the_last_request() {
    let sandbox = small(&[("hello", "1.0.0")]);
    let mut daemon = launch().start(&sandbox);
    daemon.initialize();
    let count = 5_000;
    daemon.queue_raw(flood(10, count)).unwrap();
    let refused = take_answers(&mut daemon, 10, count, -32001);
    assert!(refused <= count - 1024, "{refused} of {count}");
    // Overload passes.
    daemon.ok("plugin/list", json!({}));
    daemon.shut_down();
}

#[cfg(target_os = "linux")]
#[test]
fn a_client_that_never_reads_costs_no_memory() {
    let sandbox = small(&[("hello", "1.0.0")]);
    let mut daemon = launch().reads_when_asked().start(&sandbox);
    daemon.initialize();
    daemon.ok("plugin/search", json!({"searchTerm": "hello"}));
    let before = memory(&daemon, "VmRSS");
    let count = 20_000;
    let written = daemon.queue_raw(flood(10, count)).unwrap();
    // It stops taking what it cannot answer; the flood stands in the pipe.
    let stalled = written.recv_timeout(Duration::from_secs(1));
    assert_eq!(stalled.err(), Some(RecvTimeoutError::Timeout));
    let stalled_at = memory(&daemon, "VmHWM");
    take_answers(&mut daemon, 10, count, -32001);
    let peak = memory(&daemon, "VmHWM");
    daemon.shut_down();
    // The answers alone are 20 MB.
    let bound = before + 12 * 1024;
    assert!(
        stalled_at < bound && peak < bound,
        "{before} {stalled_at} {peak} KiB"
    );
}

#[test]
fn garbage_of_every_kind_leaves_it_alive() {
    let sandbox = small(&[("hello", "1.0.0")]);
    let mut daemon = start(&sandbox);
    let good = br#"{"id":9,"method":"plugin/search","params":{"searchTerm":"hello","limit":3}}"#;
    // A small generator of its own: the same bytes in each run.
    let mut state: u32 = 1;
    let mut next = move |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        usize::try_from(state >> 8).unwrap() % below
    };
    let mut input = Vec::new();
    for _ in 0..2_000 {
        let mut line = good.to_vec();
        for _ in 0..=next(4) {
            let at = next(line.len());
            match next(3) {
                0 => line[at] = u8::try_from(next(256)).unwrap(),
                1 => line.truncate(at.max(1)),
                _ => line.insert(at, b"{}[]\",:\\"[next(8)]),
            }
        }
        line.push(b'\n');
        input.extend(line);
    }
    daemon.send_raw(input);
    daemon.send_raw("\n");
    let hits = daemon.ok("plugin/search", json!({"searchTerm": "hello"}));
    assert_eq!(hits["data"][0]["plugin"]["id"], "hello@demo");
    daemon.shut_down();
    let stderr = daemon.stderr();
    assert!(!stderr.contains("panicked"), "{stderr}");
}
