//! Keys and messages in, state and effects out.

use plugd_rust_client::protocol::{ErrorData, ErrorKind, WorkDoneProgress};
use plugd_rust_client::{Ending, Error, Event, Refusal};
use pretty_assertions::assert_eq;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Size;
use serde_json::{Value, json};

use crate::state::{Effect, Mode, Msg, Pane, State, Work};
use crate::update::update;

fn plugin(name: &str, installed: bool) -> Value {
    json!({
        "id": format!("{name}@sample"), "name": name, "remotePluginId": null, "version": null,
        "localVersion": "1.0.0", "installedVersion": installed.then_some("1.0.0"),
        "shareContext": null, "source": {"type": "local", "path": "/m"}, "installed": installed,
        "installedAt": null, "enabled": installed, "updateAvailable": false,
        "installPolicy": "AVAILABLE", "installPolicySource": null,
        "mustShowInstallationInterstitial": null, "authPolicy": "ON_USE",
        "availability": "AVAILABLE", "disabledReason": null, "eligiblePlanTypes": null,
        "interface": null, "keywords": [], "problems": [],
    })
}

pub(crate) fn listed(installed: bool) -> Msg {
    let listing = json!({
        "marketplaces": [{
            "name": "sample", "path": "/m/marketplace.json",
            "interface": {"displayName": "Sample marketplace"},
            "plugins": [plugin("notes", installed), plugin("words", false)],
        }],
        "marketplaceLoadErrors": [], "featuredPluginIds": [], "remoteSyncError": null,
    });
    Msg::Listed(Ok(Box::new(serde_json::from_value(listing).unwrap())))
}

fn read(name: &str) -> Msg {
    let read = json!({"plugin": {
        "marketplaceName": "sample", "marketplacePath": "/m/marketplace.json",
        "summary": plugin(name, false), "shareUrl": null,
        "description": "Writes release notes from what was committed since the last tag.",
        "skills": [{
            "name": format!("{name}:write"), "description": "When a release is near",
            "shortDescription": null, "interface": null, "path": null, "enabled": true,
        }],
        "onboardingSkill": null, "hooks": [], "apps": [], "appTemplates": [],
        "mcpServers": ["tracker"], "scheduledTasks": null,
    }});
    let read = Box::new(serde_json::from_value(read).unwrap());
    Msg::Read(format!("{name}@sample"), Ok(read))
}

pub(crate) fn key(character: char) -> Msg {
    pressed(KeyCode::Char(character))
}

fn pressed(code: KeyCode) -> Msg {
    Msg::Key(KeyEvent::new(code, KeyModifiers::NONE))
}

/// A listing has come, and the first plugin was read.
pub(crate) fn ready() -> State {
    let mut state = State::new(Size {
        width: 80,
        height: 24,
    });
    update(&mut state, listed(false));
    update(&mut state, read("notes"));
    state
}

pub(crate) fn searched(state: &mut State, term: &str) -> Vec<Effect> {
    let found = json!({
        "data": [{
            "plugin": plugin("notes", false), "marketplaceName": "sample",
            "marketplacePath": "/m/marketplace.json",
        }],
        "nextCursor": null, "marketplaceLoadErrors": [],
    });
    let found = Box::new(serde_json::from_value(found).unwrap());
    update(state, Msg::Found(term.to_owned(), Ok(found)))
}

pub(crate) fn install_step() -> Msg {
    Msg::Step(WorkDoneProgress::Report {
        stage: "copying".to_owned(),
        message: None,
        done: 3,
        total: Some(4),
        percentage: Some(75),
    })
}

fn refused(kind: ErrorKind, retryable: bool) -> Error {
    let hint = Some("try something else".to_owned());
    Error::Refused(Box::new(Refusal {
        code: -32600,
        message: "it did not work".to_owned(),
        kind: None,
        hint,
        retryable,
        data: Some(ErrorData::new(kind)),
    }))
}

#[test]
fn a_choice_is_read_and_inspected_on_request_only() {
    let mut state = ready();
    let effects = update(&mut state, key('j'));
    let words = state.chosen().unwrap().target();
    assert_eq!(words.id, "words@sample");
    assert_eq!(effects, [Effect::Read(words.clone())]);
    let effects = update(&mut state, pressed(KeyCode::Enter));
    assert_eq!(effects, [Effect::Inspect(words)]);
    assert_eq!(state.pane, Pane::Detail);
    assert_eq!(update(&mut state, pressed(KeyCode::Enter)), []);
}

#[test]
fn one_search_at_a_time_and_the_last_word_wins() {
    let mut state = ready();
    update(&mut state, key('/'));
    assert_eq!(
        update(&mut state, key('n')),
        [Effect::Search("n".to_owned())]
    );
    assert_eq!(update(&mut state, key('o')), []);
    assert_eq!(searched(&mut state, "n"), [Effect::Search("no".to_owned())]);
    assert_eq!(searched(&mut state, "n"), []);
    assert_eq!(searched(&mut state, "no"), []);
    assert_eq!(state.rows().len(), 1);
    update(&mut state, pressed(KeyCode::Esc));
    assert_eq!((state.rows().len(), state.mode), (2, Mode::Browse));
}

#[test]
fn an_answer_to_an_empty_search_is_dropped() {
    let mut state = ready();
    update(&mut state, key('/'));
    update(&mut state, key('n'));
    update(&mut state, pressed(KeyCode::Backspace));
    assert_eq!(searched(&mut state, "n"), []);
    assert_eq!(state.rows().len(), 2);
}

#[test]
fn work_is_one_at_a_time_and_can_be_taken_back() {
    let mut state = ready();
    let target = state.chosen().unwrap().target();
    let work = Work::Install(target);
    assert_eq!(update(&mut state, key('i')), [Effect::Start(work.clone())]);
    assert_eq!(update(&mut state, key('i')), []);
    assert_eq!(update(&mut state, pressed(KeyCode::Esc)), [Effect::Cancel]);
    assert_eq!(update(&mut state, pressed(KeyCode::Esc)), []);
    let error = refused(ErrorKind::Cancelled, false);
    update(&mut state, Msg::Finished(work, Err(error)));
    assert_eq!(state.status, "taken back; nothing was changed");
    assert!(state.job.is_none());
}

#[test]
fn an_error_shows_its_hint_and_is_tried_again_where_that_may_help() {
    let mut state = ready();
    update(&mut state, key('i'));
    let work = state.job.clone().unwrap().work;
    let error = refused(ErrorKind::Unavailable, true);
    update(&mut state, Msg::Finished(work.clone(), Err(error)));
    let Mode::Fault(fault) = &state.mode else {
        panic!("{:?}", state.mode);
    };
    assert_eq!(fault.hint.as_deref(), Some("try something else"));
    assert_eq!(update(&mut state, key('r')), [Effect::Start(work.clone())]);
    let error = refused(ErrorKind::NotAllowed, false);
    update(&mut state, Msg::Finished(work, Err(error)));
    assert_eq!(update(&mut state, key('r')), []);
    assert!(matches!(state.mode, Mode::Fault(_)));
    update(&mut state, pressed(KeyCode::Esc));
    assert_eq!(state.mode, Mode::Browse);
}

#[test]
fn a_daemon_that_ended_is_started_again_once() {
    let mut state = ready();
    let ending = Ending {
        code: Some(1),
        killed: false,
        log: vec!["out of memory".to_owned()],
    };
    update(&mut state, Msg::Event(Event::Ended(ending)));
    assert_eq!(
        state.status,
        "the daemon ended with code 1: out of memory; r starts it again"
    );
    assert_eq!(update(&mut state, key('r')), [Effect::Restart]);
    assert_eq!(update(&mut state, key('r')), []);
    assert_eq!(update(&mut state, Msg::Restarted(Ok(()))), [Effect::List]);
    assert!(state.connected);
}

#[test]
fn uninstalling_asks_first() {
    let mut state = ready();
    assert_eq!(update(&mut state, key('u')), []);
    assert_eq!(state.status, "notes@sample is not installed");
    update(&mut state, listed(true));
    let work = Work::Uninstall(state.chosen().unwrap().target());
    update(&mut state, key('u'));
    assert_eq!(state.mode, Mode::Confirm(work.clone()));
    assert_eq!(update(&mut state, key('n')), []);
    update(&mut state, key('u'));
    assert_eq!(update(&mut state, key('y')), [Effect::Start(work)]);
}

#[test]
fn the_choice_survives_a_new_listing() {
    let mut state = ready();
    update(&mut state, key('j'));
    update(&mut state, listed(true));
    assert_eq!(state.chosen().unwrap().plugin.id, "words@sample");
}

#[test]
fn marketplaces_are_added_and_removed_by_keys() {
    let mut state = ready();
    update(&mut state, key('h'));
    assert_eq!(update(&mut state, key('x')), []);
    assert_eq!(state.mode, Mode::Browse);
    update(&mut state, key('j'));
    assert_eq!(
        update(&mut state, key('U')),
        [Effect::Start(Work::Upgrade("sample".to_owned()))]
    );
    update(
        &mut state,
        Msg::Finished(Work::Upgrade("sample".to_owned()), Ok(String::new())),
    );
    update(&mut state, key('x'));
    assert_eq!(
        update(&mut state, key('y')),
        [Effect::Start(Work::Remove("sample".to_owned()))]
    );
    update(
        &mut state,
        Msg::Finished(Work::Remove("sample".to_owned()), Ok(String::new())),
    );
    for character in "a./m".chars() {
        update(&mut state, key(character));
    }
    assert_eq!(
        update(&mut state, pressed(KeyCode::Enter)),
        [Effect::Start(Work::Add("./m".to_owned()))]
    );
}
