//! Proves that an answer of the plugin service that was asked for before an installation or an
//! uninstallation does not undo what was answered as done.

use plugd_testkit::service::{Endpoint, Fault};
use plugd_testkit::{Daemon, Gate};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::accounts::{Account, remote, rows};
use crate::remote_sync::{copies, end_of_sync, skills, synced};
use crate::remotes::nothing_left;

const ALPHA: &str = "openai-curated-remote: alpha@openai-curated-remote 1.0.0 installed enabled";
const BETA: &str = "openai-curated-remote: beta@openai-curated-remote 1.0.0 installed enabled";

/// An account that has `alpha`, and `beta` to install.
fn account() -> (Account, String, String) {
    let account = Account::new();
    let mut ids = account.offer(&["alpha", "beta"]).into_iter();
    let (alpha, beta) = (ids.next().unwrap(), ids.next().unwrap());
    account.service.set_installed(&alpha, true);
    (account, alpha, beta)
}

/// Begins a synchronisation whose question is answered with what is installed now, and late.
#[track_caller]
fn begin_late_sync(account: &Account, daemon: &mut Daemon) -> Gate {
    let gate = Gate::new();
    let late = Fault::HoldAnswer(gate.clone());
    account.service.fail_times(Endpoint::Installed, 1, late);
    daemon.ok("plugin/installed", json!({}));
    gate.wait_reached();
    gate
}

/// Lets the late answer come, and no other one behind it.
#[track_caller]
fn let_come(account: &Account, daemon: &mut Daemon, gate: &Gate) {
    let failure = Fault::status(500);
    account.service.fail(Endpoint::Installed, failure);
    gate.open();
    end_of_sync(daemon);
}

#[track_caller]
fn check_installed(account: &Account, daemon: &mut Daemon, expected: &[&str], names: &[&str]) {
    let listing = daemon.ok("plugin/installed", json!({}));
    assert_eq!(rows(&listing), expected);
    let places = names.iter();
    let places = places.map(|name| format!("openai-curated-remote/{name}/1.0.0"));
    assert_eq!(copies(&account.sandbox), places.collect::<Vec<_>>());
    let used = names.iter().map(|name| format!("{name}:hello"));
    assert_eq!(skills(daemon), used.collect::<Vec<_>>());
}

#[test]
fn a_late_answer_does_not_bring_back_what_was_uninstalled() {
    for by_name in [false, true] {
        let (account, alpha, _) = account();
        let mut daemon = synced(&account);
        let gate = begin_late_sync(&account, &mut daemon);
        let plugin = if by_name {
            "alpha@openai-curated-remote"
        } else {
            &alpha
        };
        daemon.ok("plugin/uninstall", json!({"pluginId": plugin}));
        let_come(&account, &mut daemon, &gate);
        check_installed(&account, &mut daemon, &[], &[]);
        daemon.shut_down();
        // Neither does what was kept of it.
        let mut daemon = account.start();
        check_installed(&account, &mut daemon, &[], &[]);
        daemon.shut_down();
        nothing_left(&account.sandbox);
    }
}

#[test]
fn a_late_answer_does_not_remove_what_was_installed() {
    let (account, _, beta) = account();
    let mut daemon = synced(&account);
    let gate = begin_late_sync(&account, &mut daemon);
    daemon.ok("plugin/install", remote(&beta));
    let both = [ALPHA, BETA];
    let names = ["alpha", "beta"];
    check_installed(&account, &mut daemon, &both, &names);
    let_come(&account, &mut daemon, &gate);
    check_installed(&account, &mut daemon, &both, &names);
    daemon.shut_down();
    let mut daemon = account.start();
    check_installed(&account, &mut daemon, &both, &names);
    daemon.shut_down();
}

#[test]
fn a_listing_that_waits_shows_what_was_done_meanwhile() {
    let (account, alpha, beta) = account();
    let mut daemon = synced(&account);
    let gate = Gate::new();
    let late = Fault::HoldAnswer(gate.clone());
    account.service.fail_times(Endpoint::Installed, 1, late);
    let listing = daemon.request("plugin/list", json!({}));
    gate.wait_reached();
    daemon.ok("plugin/uninstall", json!({"pluginId": alpha}));
    daemon.ok("plugin/install", remote(&beta));
    gate.open();
    let answer = daemon.response(listing);
    let installed: Vec<String> = rows(&answer["result"])
        .into_iter()
        .filter(|row| row.ends_with("installed enabled"))
        .collect();
    assert_eq!(installed, [BETA]);
    daemon.shut_down();
}

#[test]
fn what_is_asked_later_counts() {
    let (account, alpha, beta) = account();
    let mut daemon = synced(&account);
    daemon.ok("plugin/uninstall", json!({"pluginId": alpha}));
    daemon.ok("plugin/install", remote(&beta));
    // Another machine.
    account.service.set_installed(&alpha, true);
    account.service.remove_installed(&beta);
    let done: Value = daemon.ok("plugin/reconcile", json!({}));
    assert_eq!(done["problems"], json!([]));
    check_installed(&account, &mut daemon, &[ALPHA], &["alpha"]);
    daemon.shut_down();
}
