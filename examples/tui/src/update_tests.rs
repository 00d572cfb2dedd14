//! Keys and messages in, state and effects out.

use plugd_rust_client::protocol::{ErrorData, ErrorKind, PlugdInspectResponse, WorkDoneProgress};
use plugd_rust_client::{Ending, Error, Event, Refusal};
use pretty_assertions::assert_eq;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Size;
use serde_json::{Value, json};

use crate::changes::asks;
use crate::state::{Answer, Configured, Effect, Mode, Msg, Pane, State, Work};
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
        "interface": null, "keywords": [], "linked": null, "problems": [],
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

fn read(name: &str, ask: u64) -> Msg {
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
    Msg::Read(ask, Ok(read))
}

/// An answer about what a plugin would run, told apart by this name.
fn inspected(ask: u64, name: &str) -> Msg {
    Msg::Inspected(
        ask,
        Ok(Box::new(PlugdInspectResponse {
            linked: None,
            trust: None,
            plugin_id: None,
            display_name: name.to_owned(),
            installed: None,
            offered: None,
            difference: None,
            problems: Vec::new(),
        })),
    )
}

/// What is shown of that.
fn looked_at(state: &State) -> String {
    match &state.detail.as_ref().unwrap().inspect {
        Answer::Here(inspected) => inspected.display_name.clone(),
        Answer::Unasked => "unasked".to_owned(),
        Answer::Asked => "asked".to_owned(),
        Answer::Failed(error) => error.clone(),
    }
}

fn changed(plugins: &[&str], marketplaces: &[&str]) -> Msg {
    let change = json!({
        "id": 1, "reason": "watcher", "plugins": plugins, "marketplaces": marketplaces,
        "configKeys": [], "rewrittenMarketplaces": [],
    });
    Msg::Event(Event::Changed(serde_json::from_value(change).unwrap()))
}

fn chord(modifier: KeyModifiers, character: char) -> Msg {
    Msg::Key(KeyEvent::new(KeyCode::Char(character), modifier))
}

pub(crate) fn ended() -> Msg {
    Msg::Event(Event::Ended(Ending {
        code: Some(1),
        killed: false,
        log: vec!["out of memory".to_owned()],
    }))
}

/// A marketplace that cannot be read, and one that is empty; the listing has neither.
pub(crate) fn unlisted(state: &mut State) {
    let configured = [("broken", "/b"), ("empty", "/e"), ("sample", "/m")];
    let configured = configured.map(|(name, source)| Configured {
        name: name.to_owned(),
        source: source.to_owned(),
    });
    update(state, Msg::Configured(configured.to_vec()));
    let error = json!({
        "marketplacePath": "/b/.agents/plugins/marketplace.json", "kind": "syntax",
        "message": "not valid JSON", "severity": "error", "line": 3,
    });
    let listing = state.listing.as_mut().unwrap();
    listing.marketplace_load_errors = vec![serde_json::from_value(error).unwrap()];
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
    let ask = state.asks;
    update(&mut state, read("notes", ask));
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
    assert_eq!(effects, [Effect::Read(words.clone(), state.asks)]);
    let effects = update(&mut state, pressed(KeyCode::Enter));
    assert_eq!(effects, [Effect::Inspect(words.clone(), state.asks)]);
    assert_eq!(state.pane, Pane::Detail);
    assert_eq!(update(&mut state, pressed(KeyCode::Enter)), []);
    let Effect::Inspect(_, ask) = effects[0] else {
        panic!("{effects:?}");
    };
    update(&mut state, inspected(ask, "words"));
    assert_eq!(looked_at(&state), "words");
    // Asked again it looks again.
    let effects = update(&mut state, pressed(KeyCode::Enter));
    assert_eq!(effects, [Effect::Inspect(words, state.asks)]);
}

/// The plugin was looked at, and then something happens: what is shown, and what is asked for.
#[track_caller]
fn after_a_look(msg: Msg, expected: &str) -> Vec<Effect> {
    let mut state = ready();
    update(&mut state, pressed(KeyCode::Enter));
    let ask = state.asks;
    update(&mut state, inspected(ask, "before"));
    let effects = update(&mut state, msg);
    assert_eq!(looked_at(&state), expected);
    // A late answer to the old question is not taken for the new truth.
    update(&mut state, inspected(ask, "before"));
    assert_eq!(looked_at(&state), expected);
    effects
}

#[test]
fn what_it_would_run_is_not_shown_of_a_plugin_that_may_be_another() {
    let mut state = ready();
    let notes = state.chosen().unwrap().target();
    update(&mut state, pressed(KeyCode::Enter));
    let read = |ask| Effect::Read(notes.clone(), ask);
    let again = [Effect::List, read(state.asks + 1)];
    for (msg, effects) in [
        (key('r'), &again[..]),
        (Msg::Event(Event::Missed(3)), &again[..]),
        (changed(&["notes@sample"], &[]), &again[..]),
        (changed(&[], &["sample"]), &again[..]),
        (changed(&[], &[]), &again[..]),
        (listed(true), &again[1..]),
    ] {
        assert_eq!(after_a_look(msg, "unasked"), effects);
    }
    let other = changed(&["other@elsewhere"], &["elsewhere"]);
    assert_eq!(after_a_look(other, "before"), [Effect::List]);
    assert_eq!(after_a_look(listed(false), "before"), []);
}

#[test]
fn a_look_that_is_on_its_way_when_the_plugin_changes_is_taken_again() {
    let mut state = ready();
    update(&mut state, pressed(KeyCode::Enter));
    let (notes, before) = (state.chosen().unwrap().target(), state.asks);
    let effects = update(&mut state, changed(&["notes@sample"], &[]));
    assert_eq!(effects.last(), Some(&Effect::Inspect(notes, state.asks)));
    update(&mut state, inspected(before, "before"));
    assert_eq!(looked_at(&state), "asked");
    let ask = state.asks;
    update(&mut state, inspected(ask, "after"));
    assert_eq!(looked_at(&state), "after");
}

#[test]
fn a_key_with_control_or_alt_is_no_letter() {
    let mut state = ready();
    update(&mut state, listed(true));
    for letter in "uixUqr/".chars() {
        for modifier in [KeyModifiers::CONTROL, KeyModifiers::ALT] {
            assert_eq!(update(&mut state, chord(modifier, letter)), [], "{letter}");
            assert_eq!(state.mode, Mode::Browse, "{letter}");
        }
    }
    update(&mut state, key('/'));
    for character in "two words".chars() {
        update(&mut state, key(character));
    }
    update(&mut state, chord(KeyModifiers::ALT, 'x'));
    update(&mut state, chord(KeyModifiers::CONTROL, 'w'));
    assert_eq!(state.search.term, "two ");
    // Where a keyboard needs both for a letter, it is one.
    update(
        &mut state,
        chord(KeyModifiers::CONTROL | KeyModifiers::ALT, '@'),
    );
    assert_eq!(state.search.term, "two @");
    update(&mut state, chord(KeyModifiers::CONTROL, 'u'));
    assert_eq!(state.search.term, "");
    let quit = update(&mut state, chord(KeyModifiers::CONTROL, 'c'));
    assert_eq!(quit, [Effect::Quit]);
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
    let gone = "the daemon ended with code 1: out of memory; r starts it again";
    update(&mut state, ended());
    assert_eq!(state.said(), gone);
    // Nothing is asked of nobody, and no other word hides how to go on.
    for character in "iujk".chars() {
        assert_eq!(update(&mut state, key(character)), [], "{character}");
        update(&mut state, Msg::Listed(Err(Error::Ended(None))));
        assert_eq!(state.said(), gone);
    }
    assert_eq!(update(&mut state, key('r')), [Effect::Restart]);
    assert_eq!(state.said(), "starting the daemon");
    assert_eq!(update(&mut state, key('r')), []);
    update(&mut state, Msg::Restarted(Err(Error::Ended(None))));
    assert_eq!(state.said(), "the daemon ended; r tries again");
    assert_eq!(update(&mut state, key('r')), [Effect::Restart]);
    let notes = state.detail.clone().unwrap().target;
    let effects = update(&mut state, Msg::Restarted(Ok(())));
    assert_eq!(effects, [Effect::List, Effect::Read(notes, state.asks - 1)]);
    assert_eq!(
        (state.connected(), state.said()),
        (true, "the daemon is back")
    );
}

#[test]
fn work_ends_with_its_daemon_and_says_nothing_later() {
    let mut state = ready();
    update(&mut state, key('i'));
    let work = state.job.clone().unwrap().work;
    let failed = || Msg::Finished(work.clone(), Err(Error::Ended(None)));
    update(&mut state, failed());
    let gone = "the daemon ended (Installing notes@sample was not finished); r starts it again";
    assert_eq!((state.said(), &state.mode), (gone, &Mode::Browse));
    update(&mut state, key('r'));
    update(&mut state, Msg::Restarted(Ok(())));
    assert_eq!(update(&mut state, failed()), []);
    assert_eq!(
        (state.said(), &state.mode),
        ("the daemon is back", &Mode::Browse)
    );

    // A box about a failure that is open when the daemon ends does not stand in the way of r.
    update(&mut state, key('i'));
    let error = refused(ErrorKind::Unavailable, true);
    update(&mut state, Msg::Finished(work.clone(), Err(error)));
    update(&mut state, ended());
    assert_eq!(update(&mut state, key('r')), [Effect::Restart]);
}

#[test]
fn a_marketplace_that_is_not_listed_can_be_chosen_and_removed() {
    let mut state = ready();
    unlisted(&mut state);
    update(&mut state, key('h'));
    for name in ["sample", "broken", "empty"] {
        update(&mut state, key('j'));
        assert_eq!(state.chosen_marketplace(), Some(name));
    }
    assert_eq!(state.rows(), []);
    update(&mut state, key('k'));
    update(&mut state, listed(false));
    assert_eq!(state.chosen_marketplace(), Some("broken"));
    update(&mut state, key('x'));
    assert_eq!(
        update(&mut state, key('y')),
        [Effect::Start(Work::Remove("broken".to_owned()))]
    );
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
fn an_update_that_could_do_more_asks_for_exactly_that() {
    let mut state = ready();
    assert_eq!(update(&mut state, key('U')), []);
    assert_eq!(state.status, "notes@sample is not installed");
    update(&mut state, listed(true));
    let target = state.chosen().unwrap().target();
    let work = Work::Update(target.clone(), None);
    assert_eq!(update(&mut state, key('U')), [Effect::Start(work.clone())]);
    let row = json!({
        "pluginId": "notes@sample", "from": "1.0.0", "to": "2.0.0", "changed": false,
        "reason": "needsConfirmation", "fromCommit": null, "toCommit": null, "fromDigest": null,
        "toDigest": "sha256:ab", "pin": null, "problems": [],
        "grew": [{"category": "hook", "name": "stop", "from": null, "to": "rm\n-r"}],
    });
    let agreed = asks(&serde_json::from_value(row).unwrap()).unwrap();
    assert_eq!(agreed.grew, ["new hook stop: rm -r"]);
    let again = Work::Update(target, Some(agreed));
    update(&mut state, Msg::Asks(work, again.clone()));
    assert_eq!(state.mode, Mode::Confirm(again.clone()));
    assert!(state.job.is_none());
    assert_eq!(update(&mut state, key('y')), [Effect::Start(again)]);
}

#[test]
fn rolling_back_asks_first() {
    let mut state = ready();
    update(&mut state, listed(true));
    let work = Work::RollBack(state.chosen().unwrap().target());
    assert_eq!(update(&mut state, key('b')), []);
    assert_eq!(state.mode, Mode::Confirm(work.clone()));
    assert_eq!(update(&mut state, key('y')), [Effect::Start(work.clone())]);
    update(&mut state, Msg::Finished(work, Ok("back".to_owned())));
    assert_eq!(state.status, "back");
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
