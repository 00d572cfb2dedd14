//! Proves `forceRemoteSync` of `plugin/list`: the account decides before anything is answered, with
//! the remote catalog and without it, and nothing that goes wrong keeps the answer back.

use plugd_testkit::service::{Endpoint, Fault, Item, Login, ServiceRequest};
use plugd_testkit::{Daemon, Gate};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::accounts::Account;
use crate::curated_sync::catalog;
use crate::fixtures::{install, load_errors, start_listening, text};
use crate::remote_sync::{copies, skills, synced};

/// The remote catalog is off, so the curated snapshot counts.
const OFF: &str = "[features]\nremote_plugin = false\n";

/// Lists with the old switch; answers what went wrong with the synchronisation.
#[track_caller]
fn force(daemon: &mut Daemon) -> Value {
    let listing = daemon.ok("plugin/list", json!({"forceRemoteSync": true}));
    assert!(!listing["marketplaces"].as_array().unwrap().is_empty());
    listing["remoteSyncError"].clone()
}

/// A home with a snapshot of these plugins, and an account.
fn with_snapshot(names: &[&str], config: &str) -> Account {
    let account = Account::with(&format!("{config}{OFF}"));
    let plugins: Vec<_> = names.iter().map(|name| (*name, "9.9.9")).collect();
    let snapshot = catalog(&plugins).replace("== ", "== ch/.tmp/plugins/");
    account.sandbox.add(&snapshot);
    account.sandbox.write(
        "ch/.tmp/plugins.sha",
        format!("{}\n", "0123456789".repeat(4)),
    );
    account
}

/// A daemon whose background synchronisation does not get in the way: it is about another matter.
#[track_caller]
fn started(account: &Account) -> Daemon {
    synced(account)
}

/// The rows of the configuration as a host sees them: `id enabled`.
fn rows(daemon: &mut Daemon) -> Vec<String> {
    let config = daemon.ok("config/read", json!({}));
    let Some(rows) = config["config"]["plugins"].as_object() else {
        return Vec::new();
    };
    let mut rows: Vec<_> = rows
        .iter()
        .map(|(id, row)| format!("{id} {}", row["enabled"]))
        .collect();
    rows.sort();
    rows
}

/// The curated copies.
fn curated(account: &Account) -> Vec<String> {
    let mut copies = copies(&account.sandbox);
    copies.retain(|copy| copy.starts_with("openai-curated/"));
    copies
}

#[test]
fn with_the_remote_catalog_the_bundles_are_there_before_the_answer() {
    let account = Account::new();
    let mut daemon = synced(&account);
    let ids = account.offer(&["alpha", "beta"]);
    account.service.set_installed(&ids[0], true);
    assert_eq!(force(&mut daemon), Value::Null);
    assert_eq!(
        copies(&account.sandbox),
        ["openai-curated-remote/alpha/1.0.0"]
    );
    assert_eq!(skills(&mut daemon), ["alpha:hello"]);
    account.service.remove_installed(&ids[0]);
    account.service.set_installed(&ids[1], true);
    assert_eq!(force(&mut daemon), Value::Null);
    assert_eq!(
        copies(&account.sandbox),
        ["openai-curated-remote/beta/1.0.0"]
    );
    // One that cannot be brought is told, and the rest is done.
    account.service.set_installed(&ids[0], true);
    account.service.offer(Item::new("beta").version("2.0.0"));
    let error = force(&mut daemon);
    assert!(text(&error).contains("beta"), "{error}");
    assert_eq!(
        copies(&account.sandbox),
        [
            "openai-curated-remote/alpha/1.0.0",
            "openai-curated-remote/beta/1.0.0",
        ]
    );
    daemon.shut_down();
}

#[test]
fn the_snapshot_follows_the_account() {
    let names = ["new", "quiet", "off", "on", "gone", "listed", "same"];
    let account = with_snapshot(
        &names,
        "[plugins.\"on@openai-curated\"]\nenabled = false\n\
         [plugins.\"off@openai-curated\"]\nenabled = true\n\
         [plugins.\"gone@openai-curated\"]\nenabled = true\n\
         [plugins.\"same@openai-curated\"]\nenabled = true\n\
         [plugins.\"listed@openai-curated\"]\nenabled = false\n\
         [plugins.\"x@mine\"]\nenabled = true\n",
    );
    for name in ["on", "off", "gone", "same"] {
        let dir = format!("ch/plugins/cache/openai-curated/{name}/01234567");
        let manifest = json!({"name": name, "version": "9.9.9"});
        account
            .sandbox
            .add(&format!("== {dir}/.codex-plugin/plugin.json\n{manifest}\n"));
    }
    for (name, enabled) in [
        ("new", true),
        ("quiet", false),
        ("on", true),
        ("off", false),
        ("same", true),
        ("elsewhere", true),
    ] {
        let ids = account.offer(&[name]);
        account.service.set_installed(&ids[0], enabled);
    }
    let mut daemon = started(&account);
    daemon.take_notifications("plugd/changed");
    assert_eq!(force(&mut daemon), Value::Null);
    assert_eq!(
        rows(&mut daemon),
        [
            "new@openai-curated true",
            "off@openai-curated false",
            "on@openai-curated true",
            "quiet@openai-curated false",
            "same@openai-curated true",
            "x@mine true",
        ]
    );
    assert_eq!(
        curated(&account),
        ["new", "off", "on", "quiet", "same"].map(|name| format!("openai-curated/{name}/01234567"))
    );
    let told = daemon.wait_notification("plugd/changed", |told| {
        told["reason"] == "sync" && told["plugins"].to_string().contains("new@openai-curated")
    });
    let told = told["plugins"].to_string();
    assert!(!told.contains("same@openai-curated\""), "{told}");
    // Once more there is nothing to do.
    let before = account.sandbox.text("ch/config.toml");
    assert_eq!(force(&mut daemon), Value::Null);
    assert_eq!(account.sandbox.text("ch/config.toml"), before);
    daemon.shut_down();
}

#[test]
fn half_a_state_changes_nothing() {
    let account = with_snapshot(
        &["alpha"],
        "[plugins.\"alpha@openai-curated\"]\nenabled = true\n",
    );
    let ids = account.offer(&["beta", "gamma"]);
    account.service.set_installed(&ids[0], true);
    let mut daemon = started(&account);
    let before = account.sandbox.text("ch/config.toml");
    let faults = [
        Fault::status(401),
        Fault::status(404),
        Fault::status(503),
        Fault::NotJson,
        Fault::Reset,
        Fault::RepeatedToken,
        Fault::EmptyToken,
        Fault::BadItem(json!({"id": 7})),
    ];
    for fault in faults {
        account.service.fail(Endpoint::Installed, fault.clone());
        let error = force(&mut daemon);
        let words = "failed to sync the curated plugins with the account: ";
        assert!(text(&error).starts_with(words), "{fault:?}: {error}");
        account.service.behave_well();
        assert_eq!(account.sandbox.text("ch/config.toml"), before, "{fault:?}");
    }
    let twin = Item::new("beta").rid("plugins~Plugin_twin");
    account.service.offer_plugin(twin);
    account.service.set_installed("plugins~Plugin_twin", true);
    let error = force(&mut daemon);
    assert!(
        text(&error).contains("is called `beta@openai-curated-remote` too"),
        "{error}"
    );
    assert_eq!(account.sandbox.text("ch/config.toml"), before);
    daemon.shut_down();
}

/// Asks for a synchronisation and waits until the service is asked for the account's state.
#[track_caller]
fn force_and_hold(account: &Account, daemon: &mut Daemon) -> (u64, Gate) {
    let gate = Gate::new();
    let of_state = |one: &ServiceRequest| one.param("scope").is_some();
    let hold = Fault::Hold(gate.clone());
    account.service.fail_if(Endpoint::Installed, of_state, hold);
    let request = daemon.request("plugin/list", json!({"forceRemoteSync": true}));
    gate.wait_reached();
    (request, gate)
}

#[test]
fn what_the_user_does_while_the_service_is_asked_stays() {
    let names = ["alpha", "beta", "gamma"];
    let account = with_snapshot(
        &names,
        "[plugins.\"gamma@openai-curated\"]\nenabled = false\n",
    );
    let ids = account.offer(&["beta"]);
    account.service.set_installed(&ids[0], false);
    let mut daemon = started(&account);
    let (request, gate) = force_and_hold(&account, &mut daemon);
    let manifest = "$ROOT/ch/.tmp/plugins/.agents/plugins/marketplace.json";
    for name in names {
        install(&mut daemon, manifest, name);
    }
    gate.open();
    let answer = daemon.response(request);
    assert_eq!(answer["result"]["remoteSyncError"], Value::Null);
    let all = names.map(|name| format!("{name}@openai-curated true"));
    assert_eq!(rows(&mut daemon), all);
    assert_eq!(
        curated(&account),
        names.map(|name| format!("openai-curated/{name}/01234567"))
    );
    account.service.behave_well();
    // The next one sees all of it.
    assert_eq!(force(&mut daemon), Value::Null);
    assert_eq!(rows(&mut daemon), ["beta@openai-curated false"]);
    daemon.shut_down();
}

#[test]
fn what_one_account_has_says_nothing_about_another() {
    for logs_out in [false, true] {
        let account = with_snapshot(
            &["alpha"],
            "[plugins.\"alpha@openai-curated\"]\nenabled = true\n",
        );
        let mut daemon = started(&account);
        let before = account.sandbox.text("ch/config.toml");
        let (request, gate) = force_and_hold(&account, &mut daemon);
        if logs_out {
            account.sandbox.remove("ch/auth.json");
        } else {
            let other = Login::chatgpt("another", "plus");
            other.write_to(&account.sandbox);
        }
        gate.open();
        let answer = daemon.response(request);
        let error = text(&answer["result"]["remoteSyncError"]);
        assert!(error.contains("the login has changed"), "{error}");
        assert_eq!(account.sandbox.text("ch/config.toml"), before);
        daemon.shut_down();
    }
}

#[test]
fn without_a_login_or_a_snapshot_the_rest_is_answered() {
    let account = with_snapshot(&["alpha"], "");
    account.sandbox.remove("ch/auth.json");
    let mut daemon = start_listening(&account.sandbox);
    let error = force(&mut daemon);
    assert!(
        text(&error).contains("chatgpt authentication required"),
        "{error}"
    );
    daemon.shut_down();
    let account = Account::with(OFF);
    let mut daemon = started(&account);
    let listing = daemon.ok("plugin/list", json!({"forceRemoteSync": true}));
    let error = text(&listing["remoteSyncError"]);
    assert!(error.contains("there is no curated snapshot"), "{error}");
    assert_eq!(
        load_errors(&listing, &account.sandbox),
        Vec::<String>::new()
    );
    daemon.shut_down();
}

#[test]
fn with_plugins_off_nothing_is_asked() {
    let account = Account::with("[features]\nplugins = false\n");
    let mut daemon = start_listening(&account.sandbox);
    let listing = daemon.ok("plugin/list", json!({"forceRemoteSync": true}));
    assert_eq!(listing["remoteSyncError"], Value::Null);
    assert_eq!(account.service.lines(), Vec::<String>::new());
    daemon.shut_down();
}

#[test]
fn a_forced_listing_can_be_cancelled() {
    let account = Account::new();
    let mut daemon = synced(&account);
    let ids = account.offer(&["alpha"]);
    account.service.set_installed(&ids[0], true);
    let gate = Gate::new();
    account
        .service
        .fail(Endpoint::Bundle, Fault::Hold(gate.clone()));
    let request = daemon.request("plugin/list", json!({"forceRemoteSync": true}));
    gate.wait_reached();
    daemon.notify("$/cancelRequest", json!({"id": request}));
    let answer = daemon.response(request);
    assert_eq!(answer["error"]["code"], -32800, "{answer}");
    gate.open();
    assert_eq!(copies(&account.sandbox), Vec::<String>::new());
    daemon.shut_down();
}
