//! Batches: one array in, one array out.

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use super::session::{Session, cancel};
use crate::connection::ExitReason;
use crate::limits::Limits;

fn ids(batch: &Value) -> Vec<String> {
    let mut ids: Vec<_> = batch
        .as_array()
        .expect("an array")
        .iter()
        .map(|answer| answer["id"].to_string())
        .collect();
    ids.sort();
    ids
}

#[test]
fn the_answers_come_together() {
    let mut session = Session::raw(Limits::STANDARD);
    session.send(
        r#"[{"id":1,"method":"initialize"},
            {"id":2,"method":"plugin/read","params":{"pluginName":"x"}},
            {"method":"initialized"},
            {"id":3,"method":"no/such"}, 7, {"id":4,"result":1}]"#
            .replace('\n', " ")
            .as_str(),
    );
    let batch = session.next();
    assert_eq!(ids(&batch), ["1", "2", "3", "null"]);
    assert_eq!(session.next()["method"], "configWarning");
}

#[test]
fn nothing_is_owed_for_notifications() {
    let mut session = Session::initialized(Limits::STANDARD);
    assert_eq!(session.next()["method"], "configWarning");
    session.send(r#"[{"method":"initialized"},{"method":"$/x"}]"#);
    session.read("1", "x");
    assert_eq!(session.next()["id"], 1);
}

#[test]
fn a_batch_waits_for_its_slowest_and_others_do_not_wait_for_it() {
    let mut session = Session::initialized(Limits::STANDARD);
    assert_eq!(session.next()["method"], "configWarning");
    session.send(
        r#"[{"id":1,"method":"plugin/read","params":{"pluginName":"wait"}},{"id":2,"method":"plugin/read","params":{"pluginName":"x"}}]"#,
    );
    session.wait_log("began wait");
    session.read("3", "x");
    assert_eq!(session.next()["id"], 3);
    session.send(&cancel(0, "1"));
    let batch = session.next();
    assert_eq!(ids(&batch), ["1", "2"]);
    let codes: Vec<_> = batch
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|answer| answer["error"]["code"].as_i64())
        .collect();
    assert_eq!(codes, [-32800]);
}

#[test]
fn a_batch_with_an_exit_is_answered_in_full() {
    let mut session = Session::initialized(Limits::STANDARD);
    session.send(
        r#"[{"id":1,"method":"shutdown"},{"method":"exit"},{"id":2,"method":"plugin/read","params":{"pluginName":"x"}}]"#,
    );
    assert_eq!(session.wait(), ExitReason::Exit);
    let rest = session.rest();
    assert_eq!(rest[0]["method"], json!("configWarning"));
    assert_eq!(ids(&rest[1]), ["1", "2"]);
}
