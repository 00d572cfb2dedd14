//! Notifications in both directions, and who gets which.

use std::collections::BTreeSet;

use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use plugd_model::{MarketplaceName, PluginId};
use plugd_plugins::events::{Change, ChangeReason, TaskEvent, TaskKind, TaskState};

use super::session::Session;
use crate::limits::Limits;

/// Of a client that wants to hear of everything but skills, which come beside every change.
const WANTS: &str = concat!(
    r#"{"capabilities":{"plugd":{"notifications":true},"#,
    r#""optOutNotificationMethods":["skills/changed"]}}"#
);

fn change(plugin: &str) -> Change {
    Change::new(ChangeReason::Request).plugin(PluginId::parse(plugin).unwrap())
}

#[test]
fn changes_are_collected_and_numbered() {
    let mut session = Session::initialized_with(Limits::STANDARD, WANTS);
    assert_eq!(session.next()["method"], "configWarning");
    session.events.changed(change("a@m"));
    session.events.changed(change("b@m"));
    let mut seen = Vec::new();
    let mut last = 0;
    while seen != ["a@m", "b@m"] {
        let message = session.next();
        assert_eq!(message["method"], "plugd/changed");
        let params = &message["params"];
        assert_eq!(params["reason"], "request");
        assert!(params["id"].as_u64().unwrap() > last);
        last = params["id"].as_u64().unwrap();
        seen.extend(texts(&params["plugins"]));
    }
    session.events.changed(change("c@m"));
    assert_eq!(
        session.next()["params"],
        json!({"id": last + 1, "reason": "request", "marketplaces": [], "plugins": ["c@m"],
               "configKeys": [], "rewrittenMarketplaces": []})
    );
}

#[test]
fn a_change_of_skills_is_told_to_those_who_asked_for_events() {
    let wants = r#"{"capabilities":{"plugd":{"notifications":true}}}"#;
    let mut session = Session::initialized_with(Limits::STANDARD, wants);
    assert_eq!(session.next()["method"], "configWarning");
    session.events.skills_changed();
    assert_eq!(
        session.next(),
        json!({"jsonrpc": "2.0", "method": "skills/changed", "params": {}})
    );
    session.events.changed(change("a@m"));
    session.close_input();
    let rest = session.rest();
    // Two kinds of news have no order between them.
    let methods: BTreeSet<_> = texts(&json!(
        rest.iter()
            .map(|message| &message["method"])
            .collect::<Vec<_>>()
    ))
    .into_iter()
    .collect();
    let expected = ["plugd/changed", "skills/changed"].map(str::to_owned);
    assert_eq!(methods, BTreeSet::from(expected));
}

#[test]
fn a_change_of_skills_is_told_to_those_who_have_listed_them() {
    let mut session = Session::initialized(Limits::STANDARD);
    assert_eq!(session.next()["method"], "configWarning");
    session.events.skills_changed();
    session.events.want_skills();
    session.events.changed(change("a@m"));
    session.close_input();
    let rest = session.rest();
    let methods: Vec<_> = rest.iter().map(|message| &message["method"]).collect();
    assert_eq!(methods, ["skills/changed"]);
}

#[test]
fn a_history_that_was_replaced_is_told() {
    let mut session = Session::initialized_with(Limits::STANDARD, WANTS);
    assert_eq!(session.next()["method"], "configWarning");
    let name = MarketplaceName::new("m").unwrap();
    session
        .events
        .changed(Change::new(ChangeReason::Sync).rewritten(name));
    assert_eq!(
        session.next()["params"],
        json!({"id": 1, "reason": "sync", "marketplaces": ["m"], "plugins": [],
               "configKeys": [], "rewrittenMarketplaces": ["m"]})
    );
}

fn texts(array: &Value) -> Vec<String> {
    let texts = array.as_array().unwrap().iter();
    texts
        .map(|text| text.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn background_work_is_told_and_what_is_left_is_told_at_the_end() {
    let mut session = Session::initialized_with(Limits::STANDARD, WANTS);
    assert_eq!(session.next()["method"], "configWarning");
    let id = session.events.next_task();
    session.events.task(TaskEvent {
        id,
        kind: TaskKind::CuratedSync,
        state: TaskState::Started,
        message: None,
        problem: None,
    });
    assert_eq!(
        session.next(),
        json!({"jsonrpc": "2.0", "method": "plugd/task", "params":
            {"id": 1, "kind": "curatedSync", "state": "started", "message": null, "problem": null}})
    );
    session.events.changed(change("a@m"));
    session.close_input();
    let rest = session.rest();
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0]["method"], "plugd/changed");
}

#[test]
fn a_client_that_did_not_ask_is_told_nothing() {
    let mut session = Session::initialized(Limits::STANDARD);
    session.events.changed(change("a@m"));
    session.close_input();
    let rest = session.rest();
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0]["method"], "configWarning");
}

#[test]
fn what_was_opted_out_of_is_not_sent() {
    let mut session = Session::initialized_with(
        Limits::STANDARD,
        r#"{"capabilities":{"optOutNotificationMethods":["configWarning","$/progress"]}}"#,
    );
    session.request(
        "1",
        "plugin/read",
        r#"{"pluginName":"x","workDoneToken":"t"}"#,
    );
    assert_eq!(session.next()["id"], 1);
}

#[test]
fn progress_comes_in_front_of_the_response() {
    let mut session = Session::initialized(Limits::STANDARD);
    assert_eq!(session.next()["method"], "configWarning");
    session.request(
        "1",
        "plugin/uninstall",
        r#"{"pluginId":"p@report","workDoneToken":"w","_meta":{"progressToken":7}}"#,
    );
    let begin = json!({"kind": "begin", "title": "plugin/uninstall", "cancellable": true});
    let fetch =
        json!({"kind": "report", "stage": "fetch", "done": 1, "total": 4, "percentage": 25});
    let copy = json!({"kind": "report", "stage": "copy", "done": 2, "total": null});
    let end = json!({"kind": "end"});
    let work_done = |value| {
        (
            "$/progress".to_owned(),
            json!({"token": "w", "value": value}),
        )
    };
    let sum = |params| ("notifications/progress".to_owned(), params);
    let mut next = || {
        let message = session.next();
        let method = message["method"].as_str().unwrap().to_owned();
        (method, message["params"].clone())
    };
    assert_eq!(next(), work_done(begin));
    assert_eq!(next(), work_done(fetch));
    let fetched = json!({"progressToken": 7, "progress": 1, "total": 4, "message": "fetch"});
    assert_eq!(next(), sum(fetched));
    session.open_gate();
    let mut next = || {
        let message = session.next();
        let method = message["method"].as_str().unwrap().to_owned();
        (method, message["params"].clone())
    };
    assert_eq!(next(), work_done(copy));
    let copied = json!({"progressToken": 7, "progress": 3, "message": "copy"});
    assert_eq!(next(), sum(copied));
    assert_eq!(next(), work_done(end));
    assert_eq!(session.next()["id"], 1);
}

#[test]
fn nobody_is_told_of_progress_without_a_token() {
    let mut session = Session::initialized(Limits::STANDARD);
    assert_eq!(session.next()["method"], "configWarning");
    session.open_gate();
    session.uninstall("1", "p@report");
    assert_eq!(session.next()["id"], 1);
}
