//! Proves that a plugin of the remote catalog is uninstalled by its id and by its name, that the
//! account is told first, and that nothing goes while it cannot be.

use plugd_testkit::service::{Endpoint, Fault, Item, Login};
use plugd_testkit::{Daemon, Gate};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::accounts::{Account, remote, rows};
use crate::fixtures::text;
use crate::remotes::{give_up, nothing_left};

const NAME: &str = "alpha@openai-curated-remote";
const DIR: &str = "ch/plugins/cache/openai-curated-remote/alpha";

/// An account with `alpha` installed, and its id. Nothing runs in the background: what would bring
/// copies and the account together again does not take part by luck.
fn installed() -> (Account, String, Daemon) {
    let account = Account::new();
    let id = account.offer(&["alpha"]).remove(0);
    let mut daemon = account.start();
    daemon.ok("plugin/install", remote(&id));
    daemon.ok("plugin/reconcile", json!({}));
    assert!(account.sandbox.exists(DIR));
    (account, id, daemon)
}

fn uninstall(daemon: &mut Daemon, plugin: &str) -> Value {
    daemon.ok("plugin/uninstall", json!({"pluginId": plugin}))
}

#[track_caller]
fn check_gone(account: &Account, daemon: &mut Daemon) {
    // What runs in the background is over, and brings nothing back.
    daemon.ok("plugin/reconcile", json!({}));
    assert!(!account.sandbox.exists(DIR));
    assert!(
        !account
            .sandbox
            .exists("ch/plugins/.plugd/installed/openai-curated-remote/alpha.json")
    );
    assert_eq!(account.service.installed(), []);
    nothing_left(&account.sandbox);
}

#[test]
fn by_id_and_by_name_the_account_is_told() {
    for by_name in [false, true] {
        let (account, id, mut daemon) = installed();
        let key = format!("[plugins.\"{NAME}\"]\nenabled = false\n");
        let config = account.sandbox.text("ch/config.toml");
        account
            .sandbox
            .write("ch/config.toml", format!("{config}\n{key}"));
        let plugin = if by_name { NAME } else { &id };
        assert_eq!(
            uninstall(&mut daemon, plugin),
            json!({"changed": true, "linked": null})
        );
        check_gone(&account, &mut daemon);
        assert_eq!(account.service.count(Endpoint::Uninstall), 1);
        assert!(!account.sandbox.text("ch/config.toml").contains("alpha"));
        assert_eq!(
            rows(&daemon.ok("plugin/installed", json!({}))),
            Vec::<String>::new()
        );
        // Again: by id the account hears it again, by name there is nothing to tell.
        assert_eq!(
            uninstall(&mut daemon, plugin),
            json!({"changed": false, "linked": null})
        );
        check_gone(&account, &mut daemon);
        daemon.shut_down();
    }
}

#[test]
fn what_another_program_put_there_goes_too() {
    let account = Account::new();
    let id = account.offer(&["alpha"]).remove(0);
    account.service.set_installed(&id, true);
    account.sandbox.add(&format!(
        "== {DIR}/1.0.0/.codex-plugin/plugin.json\n{{\"name\": \"alpha\", \"version\": \"1.0.0\"}}\n\
         == {DIR}/.codex-remote-plugin-install.json\n\
         {{\"schema_version\": 1, \"remote_plugin_id\": \"{id}\"}}\n"
    ));
    let mut daemon = account.start();
    uninstall(&mut daemon, NAME);
    check_gone(&account, &mut daemon);
    daemon.shut_down();
}

#[test]
fn a_mark_that_is_wrong_takes_nobody_else_along() {
    for is_recorded in [true, false] {
        let (account, id, mut daemon) = installed();
        let other = account.offer(&["beta"]).remove(0);
        daemon.ok("plugin/install", remote(&other));
        daemon.ok("plugin/reconcile", json!({}));
        if !is_recorded {
            let record = "ch/plugins/.plugd/installed/openai-curated-remote/alpha.json";
            account.sandbox.remove(record);
        }
        account.sandbox.write(
            &format!("{DIR}/.codex-remote-plugin-install.json"),
            format!("{{\"schema_version\": 1, \"remote_plugin_id\": \"{other}\"}}\n"),
        );
        assert_eq!(
            uninstall(&mut daemon, &other),
            json!({"changed": true, "linked": null})
        );
        assert_eq!(account.service.installed(), [(id.clone(), true)]);
        assert!(account.sandbox.exists(DIR), "{is_recorded}");
        uninstall(&mut daemon, NAME);
        check_gone(&account, &mut daemon);
        daemon.shut_down();
    }
}

#[test]
fn without_a_sidecar_the_account_says_which_one_it_is() {
    let (account, _, mut daemon) = installed();
    daemon.shut_down();
    account
        .sandbox
        .remove(&format!("{DIR}/.codex-remote-plugin-install.json"));
    account
        .sandbox
        .remove("ch/plugins/.plugd/installed/openai-curated-remote/alpha.json");
    account.sandbox.remove("ch/plugins/.plugd/catalog");
    let mut daemon = account.start();
    uninstall(&mut daemon, NAME);
    check_gone(&account, &mut daemon);
    daemon.shut_down();
}

#[test]
fn a_plugin_without_a_copy_here_is_told_all_the_same() {
    for by_name in [false, true] {
        let account = Account::new();
        let id = account.offer(&["alpha"]).remove(0);
        // Nothing is brought by itself.
        account.service.fail(Endpoint::Bundle, Fault::status(404));
        account.service.set_installed(&id, true);
        let mut daemon = account.start();
        let plugin = if by_name { NAME } else { &id };
        assert_eq!(
            uninstall(&mut daemon, plugin),
            json!({"changed": false, "linked": null})
        );
        assert_eq!(account.service.installed(), []);
        daemon.shut_down();
    }
}

#[test]
fn what_was_withdrawn_can_be_removed() {
    for by_name in [false, true] {
        let (account, id, mut daemon) = installed();
        account.service.withdraw(&id);
        account
            .service
            .fail(Endpoint::Uninstall, Fault::status(404));
        let plugin = if by_name { NAME } else { &id };
        assert_eq!(
            uninstall(&mut daemon, plugin),
            json!({"changed": true, "linked": null})
        );
        assert!(!account.sandbox.exists(DIR));
        let error = daemon.err("plugin/uninstall", json!({"pluginId": id}));
        assert_eq!(error["data"]["kind"], "notFound", "{error:#}");
        daemon.shut_down();
    }
}

#[test]
fn a_service_that_refuses_keeps_everything() {
    let (account, id, mut daemon) = installed();
    let tree = account.sandbox.tree(DIR);
    let edit = |how: fn(&mut Value)| Fault::edit(how);
    for fault in [
        Fault::status(400),
        Fault::status(401),
        Fault::status(403),
        Fault::status(429),
        Fault::status(500),
        Fault::status(503),
        Fault::Reset,
        Fault::NotJson,
        edit(|answer| answer["enabled"] = json!(true)),
        edit(|answer| answer["id"] = json!("plugins~Plugin_00")),
    ] {
        let shown = format!("{fault:?}");
        account.service.fail(Endpoint::Uninstall, fault);
        for plugin in [NAME, &id] {
            let error = daemon.err("plugin/uninstall", json!({"pluginId": plugin}));
            assert_eq!(error["code"], -32600, "{shown} {error:#}");
            let message = text(&error["message"]);
            assert!(
                message.contains("uninstall remote plugin"),
                "{shown} {error:#}"
            );
            assert_eq!(account.sandbox.tree(DIR), tree, "{shown}");
        }
    }
    account.service.behave_well();
    account.service.set_installed(&id, true);
    uninstall(&mut daemon, &id);
    check_gone(&account, &mut daemon);
    daemon.shut_down();
}

#[test]
fn who_may() {
    let (account, id, mut daemon) = installed();
    let login = account.service.login();
    for (text_of_login, words) in [
        (None, "chatgpt authentication required"),
        (Some(Login::api_key()), "api key auth is not supported"),
        (Some(login.clone().expired()), "the login has expired"),
    ] {
        match text_of_login {
            None => account.sandbox.remove("ch/auth.json"),
            Some(login) => login.write_to(&account.sandbox),
        }
        let error = daemon.err("plugin/uninstall", json!({"pluginId": id}));
        assert_eq!(error["code"], -32600);
        assert!(text(&error["message"]).contains(words), "{error:#}");
        assert!(account.sandbox.exists(DIR));
    }
    // With a login that nobody accepts any more the account could not be told.
    let error = daemon.err("plugin/uninstall", json!({"pluginId": NAME}));
    assert!(
        text(&error["message"]).contains("the login has expired"),
        "{error:#}"
    );
    assert!(account.sandbox.exists(DIR));
    // Neither could it be told with one that cannot be read: somebody is logged in.
    account.sandbox.write("ch/auth.json", "{\"tokens\": ");
    let error = daemon.err("plugin/uninstall", json!({"pluginId": NAME}));
    assert_eq!(
        (
            &error["code"],
            &error["data"]["kind"],
            &error["data"]["path"]
        ),
        (
            &json!(-32600),
            &json!("notAllowed"),
            &json!(account.sandbox.path("ch/auth.json").to_text())
        ),
        "{error:#}"
    );
    let hint = text(&error["data"]["hint"]);
    assert!(hint.contains("it is not valid JSON"), "{hint}");
    assert!(account.sandbox.exists(DIR));
    // Without one there is nobody to tell.
    account.sandbox.remove("ch/auth.json");
    assert_eq!(
        uninstall(&mut daemon, NAME),
        json!({"changed": true, "linked": null})
    );
    assert!(!account.sandbox.exists(DIR));
    assert_eq!(account.service.count(Endpoint::Uninstall), 0);
    for bad in ["", "a b", "a/b", "a@", "a%2f"] {
        let error = daemon.err("plugin/uninstall", json!({"pluginId": bad}));
        assert_eq!(error["data"]["kind"], "invalidInput", "{bad} {error:#}");
        let words = text(&error["message"]);
        assert!(words.starts_with("invalid remote plugin id"), "{words}");
    }
    daemon.shut_down();
    let account = Account::with("[features]\nplugins = false\n");
    let mut daemon = account.start();
    let error = daemon.err("plugin/uninstall", json!({"pluginId": id}));
    assert_eq!(error["message"], "remote plugin uninstall is not enabled");
    daemon.shut_down();
}

#[test]
fn giving_up_and_being_killed() {
    let (account, id, mut daemon) = installed();
    let (asked, gate) = (Gate::new(), Gate::new());
    // Only what is not known here is asked for, so a stranger's id can be given up.
    account.service.offer_plugin(Item::new("beta"));
    account
        .service
        .fail(Endpoint::Detail, Fault::Hold(asked.clone()));
    let beta = Item::new("beta").id().to_owned();
    let request = daemon.request("plugin/uninstall", json!({"pluginId": beta}));
    asked.wait_reached();
    give_up(&mut daemon, request);
    asked.open();
    account.service.behave_well();
    assert_eq!(account.service.count(Endpoint::Uninstall), 0);

    let silent = Gate::new();
    account
        .service
        .fail(Endpoint::Uninstall, Fault::Hold(silent.clone()));
    let request = daemon.request("plugin/uninstall", json!({"pluginId": id}));
    silent.wait_reached();
    let error = give_up(&mut daemon, request);
    assert!(text(&error["message"]).contains("may have been done there"));
    assert!(account.sandbox.exists(DIR));
    // What the service was told it has not done, so the plugin stays.
    daemon.ok("plugin/reconcile", json!({}));
    assert!(account.sandbox.exists(DIR));
    silent.open();

    account
        .service
        .fail(Endpoint::Uninstall, Fault::HoldAnswer(gate.clone()));
    daemon.request("plugin/uninstall", json!({"pluginId": id}));
    gate.wait_reached();
    daemon.kill();
    gate.open();
    account.service.behave_well();
    assert!(account.sandbox.exists(DIR));
    // The account has heard it, so the next synchronisation removes what is left.
    let mut daemon = account.start();
    check_gone(&account, &mut daemon);
    daemon.shut_down();
}
