//! Proves that an expired login is refreshed where the user allows it: once, written back whole, and
//! not at all otherwise.

use plugd_testkit::service::{Endpoint, Fault, Login};
use plugd_testkit::{Daemon, Gate};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::accounts::{Account, remote, rows};
use crate::fixtures::{launch, text};
use crate::remote_sync::end_of_sync;

/// A home whose login has expired, and a member in its file that nobody here knows.
fn expired(settings: &str) -> Account {
    let account = Account::without_login("");
    let login = Login::chatgpt("account-1", "plus").expired();
    account.service.admit(&login);
    login.member("later", 5).write_to(&account.sandbox);
    account.sandbox.write("ch/plugd.toml", settings);
    account.offer(&["alpha"]);
    account
}

fn greeted(account: &Account) -> Daemon {
    let place = account.service.token_url();
    let launch = launch().var("CODEX_REFRESH_TOKEN_URL_OVERRIDE", &place);
    let mut daemon = launch.start(&account.sandbox);
    daemon.initialize_with(json!({
        "clientInfo": {"name": "plugd-tests", "version": "1.0.0"},
        "capabilities": {"plugd": {"notifications": true}},
    }));
    daemon
}

fn file(account: &Account) -> Value {
    serde_json::from_str(&account.sandbox.text("ch/auth.json")).unwrap()
}

fn kinds(listing: &Value) -> Vec<&str> {
    let rows = listing["marketplaceLoadErrors"].as_array().unwrap().iter();
    rows.map(|row| text(&row["kind"])).collect()
}

#[test]
fn without_leave_an_expired_login_is_told_and_nobody_is_asked() {
    let account = expired("");
    let before = account.sandbox.text("ch/auth.json");
    let mut daemon = greeted(&account);
    let listing = daemon.ok("plugin/list", json!({}));
    assert_eq!(kinds(&listing), ["loginExpired"]);
    let error = daemon.err("plugin/install", remote("plugins_alpha"));
    assert!(
        text(&error["data"]["hint"]).contains("refresh_login"),
        "{error}"
    );
    daemon.shut_down();
    assert_eq!(account.service.lines(), Vec::<String>::new());
    assert_eq!(account.sandbox.text("ch/auth.json"), before);
}

#[test]
fn with_leave_it_is_refreshed_once_and_written_back_whole() {
    let account = expired("refresh_login = true\n");
    let before = file(&account);
    let mut daemon = greeted(&account);
    let listing = daemon.ok("plugin/list", json!({}));
    assert_eq!(
        rows(&listing),
        ["openai-curated-remote: alpha@openai-curated-remote 1.0.0"]
    );
    assert_eq!(kinds(&listing), Vec::<&str>::new());
    daemon.ok("plugin/list", json!({}));
    daemon.shut_down();
    assert_eq!(account.service.count(Endpoint::Token), 1);
    let after = file(&account);
    assert_eq!(after["later"], 5);
    assert_ne!(
        after["tokens"]["access_token"],
        before["tokens"]["access_token"]
    );
    assert_ne!(
        after["tokens"]["refresh_token"],
        before["tokens"]["refresh_token"]
    );
    assert_eq!(account.sandbox.mode("ch/auth.json") & 0o777, 0o600);
}

#[test]
fn a_search_refreshes_it_where_the_service_would_be_asked() {
    let account = expired("refresh_login = true\n");
    let mut daemon = greeted(&account);
    // The synchronisation at the start needs the login too. Another one expires behind it.
    end_of_sync(&mut daemon);
    let before = account.service.count(Endpoint::Token);
    let login = Login::chatgpt("account-2", "plus").expired();
    account.service.admit(&login);
    login.write_to(&account.sandbox);
    daemon.ok("plugin/search", json!({"searchTerm": " "}));
    assert_eq!(account.service.count(Endpoint::Token), before);
    daemon.ok("plugin/search", json!({"searchTerm": "alpha"}));
    assert_eq!(account.service.count(Endpoint::Token), before + 1);
    assert_eq!(account.service.count(Endpoint::Search), 1);
    daemon.shut_down();
}

#[test]
fn one_that_cannot_be_refreshed_is_not_tried_again() {
    let account = expired("refresh_login = true\n");
    account.service.fail(Endpoint::Token, Fault::status(401));
    let mut daemon = greeted(&account);
    for _ in 0..3 {
        let listing = daemon.ok("plugin/list", json!({}));
        assert_eq!(kinds(&listing), ["loginExpired"]);
    }
    let error = daemon.err("plugin/install", remote("plugins_alpha"));
    let hint = text(&error["data"]["hint"]);
    assert!(hint.contains("log in again"), "{error}");
    assert!(!hint.contains("refresh_login"), "{error}");
    let listing = daemon.ok("plugin/list", json!({}));
    let told = text(&listing["marketplaceLoadErrors"][0]["message"]);
    assert!(told.contains("could not be refreshed"), "{told}");
    assert!(!told.contains("refresh_login"), "{told}");
    daemon.shut_down();
    assert_eq!(account.service.count(Endpoint::Token), 1);
}

#[test]
fn one_without_a_refresh_token_is_to_be_made_anew() {
    let account = Account::without_login("");
    account.offer(&["alpha"]);
    let login = Login::chatgpt("account-1", "plus").expired();
    let login = login.without_refresh_token();
    login.write_to(&account.sandbox);
    for settings in ["", "refresh_login = true\n"] {
        account.sandbox.write("ch/plugd.toml", settings);
        let mut daemon = greeted(&account);
        let error = daemon.err("plugin/install", remote("plugins_alpha"));
        let hint = text(&error["data"]["hint"]);
        assert!(hint.contains("log in again"), "{error}");
        assert!(!hint.contains("refresh_login"), "{error}");
        daemon.shut_down();
    }
    assert_eq!(account.service.count(Endpoint::Token), 0);
}

#[test]
fn who_stops_to_wait_does_not_lose_the_new_tokens() {
    let account = expired("refresh_login = true\n");
    let gate = Gate::new();
    let held = Fault::HoldAnswer(gate.clone());
    account.service.fail_times(Endpoint::Token, 1, held);
    let mut daemon = greeted(&account);
    let id = daemon.request("plugin/list", json!({}));
    gate.wait_reached();
    daemon.notify("$/cancelRequest", json!({"id": id}));
    daemon.response(id);
    gate.open();
    let listing = daemon.ok("plugin/list", json!({}));
    assert_eq!(kinds(&listing), Vec::<&str>::new());
    daemon.shut_down();
    assert_eq!(account.service.count(Endpoint::Token), 1);
}
