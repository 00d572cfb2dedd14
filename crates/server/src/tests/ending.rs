//! The end of a connection: nothing that was accepted is lost.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::thread;
use std::time::Duration;

use pretty_assertions::assert_eq;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::time::timeout;

use super::session::{Session, Stage, backend, impatient, options};
use crate::connection::{ExitReason, Io, run};
use crate::limits::Limits;

fn code_of(messages: &[Value], id: u64) -> Value {
    let matches: Vec<_> = messages
        .iter()
        .filter(|message| message["id"] == id)
        .collect();
    assert_eq!(matches.len(), 1, "exactly one answer to {id}");
    matches[0]["error"]["code"].clone()
}

#[test]
fn the_end_of_the_input_loses_no_answer() {
    let mut session = Session::raw(Limits::STANDARD);
    session.request("0", "initialize", "{}");
    for id in 1..=300 {
        match id % 3 {
            0 => session.uninstall(&id.to_string(), &format!("p{}@x", id % 7)),
            1 => session.read(&id.to_string(), "large"),
            _ => session.request(&id.to_string(), "plugin/uninstall", "{}"),
        }
    }
    // The last one has no line break.
    session.send_bytes(br#"{"id":301,"method":"shutdown"}"#);
    session.close_input();
    let messages = session.rest();
    for id in 0..=301 {
        let expected = match id {
            0 | 301 => json!(null),
            id if id % 3 == 2 => json!(-32602),
            _ => json!(null),
        };
        assert_eq!(code_of(&messages, id), expected, "{id}");
    }
    assert_eq!(session.wait(), ExitReason::InputEnded);
}

#[test]
fn running_and_waiting_requests_are_finished() {
    let mut session = Session::initialized(Limits::STANDARD);
    session.uninstall("1", "p@wait-1");
    session.uninstall("2", "p@wait-2");
    session.wait_log("began p@wait-1");
    session.close_input();
    session.wait_log("background stop");
    session.open_gate();
    assert_eq!(session.result("1"), json!({"done": "p@wait-1"}));
    assert_eq!(session.result("2"), json!({"done": "p@wait-2"}));
    assert_eq!(session.wait(), ExitReason::InputEnded);
}

#[test]
fn what_shows_no_sign_of_life_is_ended_and_answered() {
    let mut session = Session::initialized(impatient());
    session.uninstall("1", "p@wait-1");
    session.uninstall("2", "p@wait-2");
    session.uninstall("3", "q@deaf");
    session.uninstall("4", "r@sealed");
    session.read("5", "deaf");
    session.wait_log("sealed r@sealed");
    session.close_input();
    let messages = session.rest();
    for (id, code) in [
        (1, -32800),
        (2, -32800),
        (3, -32800),
        (4, -32603),
        (5, -32800),
    ] {
        assert_eq!(code_of(&messages, id), code, "{id}");
    }
    assert_eq!(session.wait(), ExitReason::InputEnded);
}

#[test]
fn a_signal_ends_like_the_end_of_the_input() {
    let mut session = Session::initialized(Limits::STANDARD);
    session.uninstall("1", "p@wait-1");
    session.wait_log("began p@wait-1");
    session.signal();
    session.wait_log("background stop");
    session.open_gate();
    assert_eq!(session.result("1"), json!({"done": "p@wait-1"}));
    assert_eq!(session.wait(), ExitReason::Signal);
}

#[test]
fn without_a_reader_writes_are_finished() {
    let mut session = Session::initialized(Limits::STANDARD);
    session.uninstall("1", "p@wait-1");
    session.read("2", "deaf");
    session.wait_log("began deaf");
    session.stop_reading("3");
    // This answer is the first that cannot be written.
    session.read("4", "x");
    session.wait_log("background stop");
    session.open_gate();
    session.wait_log("ended p@wait-1");
    assert_eq!(session.wait(), ExitReason::OutputClosed);
}

/// A client that sends reads with large answers and takes nothing. A signal comes when `enough`
/// of them were handled.
fn unread_session(requests: usize, limits: Limits, enough: usize) -> ExitReason {
    let (stdin, mut input) = io::pipe().unwrap();
    let (unread, stdout) = io::pipe().unwrap();
    let (stage, _log) = Stage::new();
    let (backend, _events) = backend(&stage);
    let sending = thread::spawn(move || {
        let mut text = "{\"id\":0,\"method\":\"initialize\"}\n".to_owned();
        for id in 1..=requests {
            writeln!(
                text,
                r#"{{"id":{id},"method":"plugin/read","params":{{"pluginName":"large"}}}}"#
            )
            .unwrap();
        }
        // It fails when the other side ends first, which is what a test may be about.
        input.write_all(text.as_bytes()).is_ok()
    });
    let runtime = Runtime::new().unwrap();
    let reason = runtime.block_on(async {
        let io = Io { stdin, stdout };
        let connection = run(io, backend, options(limits), stage.handled(enough));
        timeout(Duration::from_secs(10), connection).await
    });
    drop(unread);
    drop(runtime);
    let reason = reason.expect("the end of the connection").unwrap();
    sending.join().unwrap();
    reason
}

#[test]
fn a_reader_that_stalls_for_ever_does_not_keep_the_process() {
    let reason = unread_session(100, impatient(), usize::MAX);
    assert_eq!(reason, ExitReason::InputEnded);
}

#[test]
fn the_end_of_the_input_is_found_behind_a_message_that_waits_for_the_reader() {
    // More than are let in, so that the rest has to be refused and nobody takes the refusals.
    let limits = Limits {
        in_flight: 2,
        ..impatient()
    };
    let reason = unread_session(3_000, limits, usize::MAX);
    assert_eq!(reason, ExitReason::InputEnded);
}

#[test]
fn a_signal_is_seen_while_the_reader_stalls() {
    // Far more than the queues hold, so that the end of the input is out of reach.
    let reason = unread_session(50_000, impatient(), 80);
    assert_eq!(reason, ExitReason::Signal);
}
