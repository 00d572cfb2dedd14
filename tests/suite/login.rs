//! Proves what each kind of `auth.json` is taken for, on the wire and on the command line, and that
//! nothing which proves a login is ever seen.

use plugd_testkit::service::{Endpoint, Fault, Login};
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::accounts::{Account, remote};
use crate::fixtures::{cli, launch, text};

/// What a login is taken for.
enum Taken {
    /// The service is asked.
    In(&'static str),
    /// It is refused with these words, and this is what it is called.
    Out(&'static str, Option<&'static str>),
}

const NOBODY: Taken = Taken::Out(
    "read remote plugin details: chatgpt authentication required for remote plugin catalog",
    None,
);
const KEY: Taken = Taken::Out(
    "read remote plugin details: chatgpt authentication required for remote plugin catalog; api \
     key auth is not supported",
    Some("apikey"),
);

#[track_caller]
fn check(content: Option<&str>, admitted: Option<&Login>, taken: &Taken) {
    let account = Account::without_login("");
    let ids = account.offer(&["alpha"]);
    if let Some(login) = admitted {
        account.service.admit(login);
    }
    if let Some(content) = content {
        account.sandbox.write("ch/auth.json", content);
    }
    let mut daemon = account.start();
    let run = cli(&account.sandbox, &["login", "status", "--json"]);
    let status = run.json();
    match taken {
        Taken::In(mode) => {
            daemon.ok("plugin/read", remote(&ids[0]));
            assert_eq!(
                (&status["loggedIn"], &status["mode"]),
                (&json!(true), &json!(mode))
            );
            assert_eq!(run.code(), 0);
        }
        Taken::Out(words, mode) => {
            let error = daemon.err("plugin/read", remote(&ids[0]));
            assert_eq!(
                (&error["code"], text(&error["message"])),
                (&json!(-32600), *words)
            );
            assert_eq!(status["mode"], json!(mode));
            assert_eq!(status["loggedIn"], mode.is_some());
            assert_eq!(run.code(), i32::from(mode.is_none()));
            assert_eq!(account.service.lines(), Vec::<String>::new());
        }
    }
    daemon.shut_down();
}

#[test]
fn shapes_of_the_file() {
    let login = Login::chatgpt("account-1", "plus");
    let good = |login: &Login, mode| check(Some(&login.text()), Some(login), &Taken::In(mode));
    good(&login, "chatgpt");
    good(&login.clone().without_mode(), "chatgpt");
    good(&login.clone().without_account(), "chatgpt");
    good(&login.clone().without_refresh_token(), "chatgpt");
    good(
        &login.clone().in_mode("chatgptAuthTokens"),
        "chatgptAuthTokens",
    );
    check(None, None, &NOBODY);
    for broken in [
        "",
        "{",
        "[]",
        "null",
        "{\"tokens\": 5}",
        "{\"auth_mode\": 5}",
    ] {
        check(Some(broken), None, &NOBODY);
    }
    check(Some(&Login::api_key().text()), None, &KEY);
    check(Some(&login.in_mode("apikey").text()), None, &KEY);
}

#[test]
fn a_login_kept_elsewhere_is_none() {
    let account = Account::with("cli_auth_credentials_store = \"keyring\"\n");
    let run = cli(&account.sandbox, &["login", "status", "--json"]);
    assert_eq!(run.code(), 1);
    let status = run.json();
    assert_eq!(status["loggedIn"], false);
    assert!(
        text(&status["problems"][0]["message"]).contains("keyring"),
        "{status}"
    );
}

#[test]
fn a_keyring_or_a_file_is_the_file_when_it_is_there() {
    let account = Account::with("cli_auth_credentials_store = \"auto\"\n");
    let ids = account.offer(&["alpha"]);
    let mut daemon = account.start();
    daemon.ok("plugin/install", remote(&ids[0]));
    daemon.shut_down();
}

#[test]
fn a_login_kept_elsewhere_says_what_to_do() {
    let account = Account::with("cli_auth_credentials_store = \"keyring\"\n");
    let ids = account.offer(&["alpha"]);
    let mut daemon = account.start();
    let error = daemon.err("plugin/install", remote(&ids[0]));
    let hint = text(&error["data"]["hint"]);
    assert!(hint.contains("_store = \"file\"`"), "{error}");
    let listing = daemon.ok("plugin/list", json!({}));
    let told = text(&listing["marketplaceLoadErrors"][0]["message"]);
    assert!(told.contains("keyring of the system"), "{listing}");
    // An account that is not told would bring it back.
    let params = json!({"pluginId": "alpha@openai-curated-remote"});
    let error = daemon.err("plugin/uninstall", params);
    assert!(text(&error["data"]["hint"]).contains("keyring"), "{error}");
    // Nobody is followed, and that is no failure.
    let nothing = daemon.ok("plugin/reconcile", json!({}));
    assert_eq!(nothing["changedPlugins"], json!([]));
    daemon.shut_down();
    assert_eq!(account.service.lines(), Vec::<String>::new());
}

#[test]
fn an_expired_login_is_told() {
    let account = Account::new();
    let login = account.service.login().expired();
    login.write_to(&account.sandbox);
    let run = cli(&account.sandbox, &["login", "status", "--json"]);
    let status = run.json();
    assert_eq!(
        (&status["expired"], &status["refreshable"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(status["problems"][0]["kind"], "loginExpired");
    let run = cli(&account.sandbox, &["login", "status"]);
    let out = run.success();
    assert!(
        out.starts_with("Logged in using ChatGPT\nAccount: account-"),
        "{out}"
    );
    assert!(out.contains("Token: expired "), "{out}");
    assert_eq!(account.service.lines(), Vec::<String>::new());
}

/// No text of a login may be in what the program says.
#[track_caller]
fn check_silence(what: &str, said: &str, login: &Login) {
    for secret in login.secrets() {
        assert!(!said.contains(&secret), "{what} holds a secret:\n{said}");
    }
}

#[test]
fn nothing_that_proves_a_login_is_ever_seen() {
    let account = Account::new();
    let ids = account.offer(&["alpha"]);
    let login = account.service.login();
    let mut said = String::new();
    let mut daemon = launch().var("PLUGD_LOG", "trace").start(&account.sandbox);
    daemon.initialize();
    for fault in [
        None,
        Some(Fault::status(401)),
        Some(Fault::status(500)),
        Some(Fault::NotJson),
    ] {
        account.service.behave_well();
        if let Some(fault) = fault {
            for endpoint in [
                Endpoint::Detail,
                Endpoint::Installed,
                Endpoint::List,
                Endpoint::Skill,
            ] {
                account.service.fail(endpoint, fault.clone());
            }
        }
        let skill = json!({"remoteMarketplaceName": "openai-curated-remote",
            "remotePluginId": ids[0], "skillName": "s"});
        for (method, params) in [
            ("plugin/list", json!({"forceRefetch": true})),
            ("plugin/installed", json!({})),
            ("plugin/read", remote(&ids[0])),
            ("plugin/read", remote("missing")),
            ("plugin/skill/read", skill),
            ("plugd/status", json!({})),
        ] {
            said.push_str(&daemon.call(method, params).to_string());
        }
    }
    check_silence("an answer", &said, &login);
    daemon.shut_down();
    check_silence("the log", &daemon.stderr(), &login);
    for args in [
        &["login", "status"][..],
        &["login", "status", "--json"],
        &["plugin", "list", "--remote"],
    ] {
        let run = cli(&account.sandbox, args);
        check_silence("stdout", &run.stdout, &login);
        check_silence("stderr", &run.stderr, &login);
    }
}
