//! Cancelling: what waits is answered at once, what has begun is undone or stands.

use std::time::{Duration, Instant};

use pretty_assertions::assert_eq;
use serde_json::json;

use super::session::{Session, cancel, impatient};
use crate::limits::Limits;

#[test]
fn every_spelling_cancels_a_read_at_once() {
    let mut session = Session::initialized(Limits::STANDARD);
    for form in 0..3 {
        session.read("\"r\"", "deaf");
        session.wait_log("began deaf");
        session.send(&cancel(form, "\"r\""));
        assert_eq!(session.error("\"r\""), -32800);
    }
}

#[test]
fn a_running_write_cleans_up_before_it_is_answered() {
    let mut session = Session::initialized(Limits::STANDARD);
    session.uninstall("1", "p@wait-1");
    session.wait_log("began p@wait-1");
    session.send(&cancel(0, "1"));
    let response = session.response("1");
    assert_eq!(response["error"]["code"], -32800);
    assert_eq!(response["error"]["data"], json!({"kind": "cancelled"}));
    assert_eq!(session.next_log(), "cleaned p@wait-1");
}

#[test]
fn what_waits_in_a_lane_is_answered_at_once_and_never_runs() {
    let mut session = Session::initialized(Limits::STANDARD);
    session.uninstall("1", "p@wait-1");
    session.wait_log("began p@wait-1");
    session.uninstall("2", "p@wait-2");
    session.uninstall("3", "p@wait-3");
    session.send(&cancel(1, "2"));
    assert_eq!(session.error("2"), -32800);
    session.open_gate();
    assert_eq!(session.result("1"), json!({"done": "p@wait-1"}));
    assert_eq!(session.result("3"), json!({"done": "p@wait-3"}));
    assert_eq!(session.next_log(), "ended p@wait-1");
    assert_eq!(session.next_log(), "began p@wait-3");
}

#[test]
fn behind_the_point_of_no_return_the_result_stands() {
    let mut session = Session::initialized(impatient());
    session.uninstall("1", "p@sealed");
    session.wait_log("sealed p@sealed");
    session.send(&cancel(2, "1"));
    // The answer to this one proves that the cancel was read.
    session.read("2", "x");
    session.result("2");
    session.open_gate();
    assert_eq!(session.result("1"), json!({"done": "p@sealed"}));
}

#[test]
fn a_write_that_does_not_listen_is_answered_in_time_and_keeps_its_lane() {
    let mut session = Session::initialized(Limits::STANDARD);
    session.uninstall("1", "p@deaf-1");
    session.wait_log("began p@deaf-1");
    session.uninstall("2", "p@deaf-2");
    let asked = Instant::now();
    session.send(&cancel(0, "1"));
    assert_eq!(session.error("1"), -32800);
    assert!(
        asked.elapsed() < Duration::from_secs(1),
        "{:?}",
        asked.elapsed()
    );
    session.open_gate();
    assert_eq!(session.result("2"), json!({"done": "p@deaf-2"}));
    assert_eq!(session.next_log(), "ended p@deaf-1");
    assert_eq!(session.next_log(), "began p@deaf-2");
}

#[test]
fn a_cancel_for_nobody_is_ignored() {
    let mut session = Session::initialized(Limits::STANDARD);
    session.send(&cancel(0, "99"));
    session.send(r#"{"method":"$/cancelRequest","params":{"id":null}}"#);
    session.send(r#"{"method":"$/cancelRequest"}"#);
    session.read("1", "x");
    assert_eq!(session.result("1"), json!({"done": "x"}));
}
