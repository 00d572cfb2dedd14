//! Proves the synchronisation with the account: what the account has is here, whole or not at all;
//! nothing goes because of an answer that is not whole; and nothing that goes wrong is forgotten.

use plugd_testkit::service::{Bundle, Endpoint, Fault, Item};
use plugd_testkit::{Daemon, Fixture, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::accounts::Account;
use crate::fixtures::{start_listening, text};
use crate::remotes::nothing_left;

/// How the next synchronisation to end ends.
#[track_caller]
pub(crate) fn end_of_sync(daemon: &mut Daemon) -> Value {
    daemon.wait_notification("plugd/task", |task| {
        task["kind"] == "remoteSync" && task["state"] != "started"
    })
}

/// A daemon whose first synchronisation is over.
#[track_caller]
pub(crate) fn synced(account: &Account) -> Daemon {
    let mut daemon = start_listening(&account.sandbox);
    end_of_sync(&mut daemon);
    daemon
}

/// Runs one more in the background.
#[track_caller]
fn sync_again(daemon: &mut Daemon) -> Value {
    daemon.ok("plugin/installed", json!({}));
    end_of_sync(daemon)
}

/// The installed copies of remote marketplaces, `marketplace/plugin/version`.
pub(crate) fn copies(sandbox: &Sandbox) -> Vec<String> {
    if !sandbox.exists("ch/plugins/cache") {
        return Vec::new();
    }
    let cache = Fixture::parse(&sandbox.tree("ch/plugins/cache")).unwrap();
    let files = cache.items.into_iter().map(|item| item.path);
    let manifest = "/.codex-plugin/plugin.json";
    files
        .filter_map(|path| path.strip_suffix(manifest).map(str::to_owned))
        .collect()
}

/// The task of the synchronisation in `plugd/status`, and its layer.
pub(crate) fn told(daemon: &mut Daemon) -> (Value, Value) {
    let status = daemon.ok("plugd/status", json!({}));
    let find = |list: &str, kind: &str| {
        let rows = status[list].as_array().unwrap();
        rows.iter().find(|row| row["kind"] == kind).unwrap().clone()
    };
    (find("tasks", "remoteSync"), find("layers", "remote"))
}

/// What became of each plugin.
fn outcomes(daemon: &mut Daemon) -> Vec<String> {
    let (task, _) = told(daemon);
    let rows = task["plugins"].as_array().unwrap().iter();
    rows.map(|row| format!("{} {}", text(&row["pluginId"]), text(&row["outcome"])))
        .collect()
}

/// The names of the skills that a host has.
pub(crate) fn skills(daemon: &mut Daemon) -> Vec<String> {
    let answer = daemon.ok("skills/list", json!({}));
    let rows = answer["data"].as_array().unwrap().iter();
    rows.flat_map(|row| row["skills"].as_array().unwrap())
        .map(|skill| text(&skill["name"]).to_owned())
        .filter(|name| name.contains(':'))
        .collect()
}

const SIDECAR: &str =
    "ch/plugins/cache/openai-curated-remote/alpha/.codex-remote-plugin-install.json";

#[test]
fn what_the_account_has_is_brought_at_the_start() {
    let account = Account::new();
    let ids = account.offer(&["alpha", "beta", "gamma"]);
    account.service.set_installed(&ids[0], true);
    account.service.set_installed(&ids[1], false);
    let mut daemon = start_listening(&account.sandbox);
    assert_eq!(end_of_sync(&mut daemon)["state"], "done");
    assert_eq!(
        copies(&account.sandbox),
        [
            "openai-curated-remote/alpha/1.0.0",
            "openai-curated-remote/beta/1.0.0",
        ]
    );
    let sidecar = format!(
        "{{\n  \"schema_version\": 1,\n  \"remote_plugin_id\": \"{}\"\n}}\n",
        ids[0]
    );
    assert_eq!(account.sandbox.text(SIDECAR), sidecar);
    assert_eq!(account.sandbox.mode(SIDECAR), 0o600);
    let changed = daemon.wait_notification("plugd/changed", |told| {
        told["plugins"].to_string().contains("alpha@")
    });
    assert_eq!(changed["reason"], "sync");
    assert_eq!(skills(&mut daemon), ["alpha:hello"]);
    assert_eq!(
        outcomes(&mut daemon),
        [
            "alpha@openai-curated-remote installed",
            "beta@openai-curated-remote installed",
        ]
    );
    let (task, layer) = told(&mut daemon);
    assert_eq!(
        (&task["outcome"], &layer["state"]),
        (&json!("ok"), &json!("fresh"))
    );
    nothing_left(&account.sandbox);
    let config = account.sandbox.text("ch/config.toml");
    assert!(!config.contains("[plugins"), "{config}");
    daemon.shut_down();
}

#[test]
fn a_new_version_replaces_the_old_one() {
    let account = Account::new();
    let ids = account.offer(&["alpha"]);
    account.service.set_installed(&ids[0], true);
    let mut daemon = synced(&account);
    account
        .service
        .offer_plugin(Item::new("alpha").version("2.0.0"));
    assert_eq!(sync_again(&mut daemon)["state"], "done");
    assert_eq!(
        copies(&account.sandbox),
        ["openai-curated-remote/alpha/2.0.0"]
    );
    assert_eq!(
        outcomes(&mut daemon),
        ["alpha@openai-curated-remote updated"]
    );
    account.service.forget();
    sync_again(&mut daemon);
    assert_eq!(account.service.count(Endpoint::Bundle), 0);
    assert_eq!(
        outcomes(&mut daemon),
        ["alpha@openai-curated-remote unchanged"]
    );
    daemon.shut_down();
}

#[test]
fn what_the_account_has_no_more_goes() {
    let account = Account::new();
    let ids = account.offer(&["alpha", "beta"]);
    for id in &ids {
        account.service.set_installed(id, true);
    }
    let mut daemon = synced(&account);
    account.service.remove_installed(&ids[0]);
    assert_eq!(sync_again(&mut daemon)["state"], "done");
    assert_eq!(
        copies(&account.sandbox),
        ["openai-curated-remote/beta/1.0.0"]
    );
    assert_eq!(skills(&mut daemon), ["beta:hello"]);
    assert_eq!(
        outcomes(&mut daemon),
        [
            "alpha@openai-curated-remote removed",
            "beta@openai-curated-remote unchanged",
        ]
    );
    nothing_left(&account.sandbox);
    daemon.shut_down();
}

#[test]
fn no_failure_of_the_service_takes_anything_away() {
    let account = Account::new();
    let ids = account.offer(&["alpha"]);
    account.service.set_installed(&ids[0], true);
    let mut daemon = synced(&account);
    let bad = json!({"id": "plugins~Plugin_bad", "name": 7});
    for fault in [
        Fault::status(401),
        Fault::status(404),
        Fault::status(500),
        Fault::NotJson,
        Fault::Cut(40),
        Fault::Reset,
        Fault::RedirectLoop,
    ] {
        account.service.fail(Endpoint::Installed, fault.clone());
        assert_eq!(sync_again(&mut daemon)["state"], "failed", "{fault:?}");
        let (task, layer) = told(&mut daemon);
        assert_eq!(task["outcome"], "failed", "{fault:?}");
        assert_eq!(layer["state"], "unknown", "{fault:?}");
        assert!(!text(&layer["message"]).contains(account.service.login().access_token()));
        account.service.behave_well();
    }
    // These are answers, but not whole ones: nothing is in them that is installed.
    account.service.remove_installed(&ids[0]);
    for fault in [
        Fault::RepeatedToken,
        Fault::EmptyToken,
        Fault::NoPagination,
        Fault::BadItem(bad),
    ] {
        account.service.fail(Endpoint::Installed, fault.clone());
        assert_eq!(sync_again(&mut daemon)["state"], "failed", "{fault:?}");
        account.service.behave_well();
    }
    assert_eq!(
        copies(&account.sandbox),
        ["openai-curated-remote/alpha/1.0.0"]
    );
    assert_eq!(skills(&mut daemon), ["alpha:hello"]);
    sync_again(&mut daemon);
    assert_eq!(copies(&account.sandbox), Vec::<String>::new());
    daemon.shut_down();
}

#[test]
fn one_bad_item_spoils_itself_only() {
    let account = Account::new();
    let ids = account.offer(&["alpha", "beta", "gamma"]);
    account.service.set_installed(&ids[0], true);
    let mut daemon = synced(&account);
    account.service.remove_installed(&ids[0]);
    account.service.set_installed(&ids[1], true);
    account.service.set_installed(&ids[2], true);
    account
        .service
        .set(&ids[2], "authentication_policy", "NEVER");
    sync_again(&mut daemon);
    // The others are brought, and nothing is removed: who knows what the item was.
    assert_eq!(
        copies(&account.sandbox),
        [
            "openai-curated-remote/alpha/1.0.0",
            "openai-curated-remote/beta/1.0.0",
        ]
    );
    assert_eq!(skills(&mut daemon), ["alpha:hello", "beta:hello"]);
    daemon.shut_down();
}

#[test]
fn a_bundle_that_cannot_be_brought_keeps_the_others_from_nothing() {
    let account = Account::new();
    let ids = account.offer(&["alpha", "beta"]);
    account.service.set_installed(&ids[0], true);
    let mut daemon = synced(&account);
    account.service.set_installed(&ids[1], true);
    let item = Item::new("alpha").version("2.0.0");
    let wrong = Bundle::new("other", "2.0.0");
    account.service.offer_with(item.clone(), &wrong);
    assert_eq!(sync_again(&mut daemon)["state"], "failed");
    assert_eq!(
        copies(&account.sandbox),
        [
            "openai-curated-remote/alpha/1.0.0",
            "openai-curated-remote/beta/1.0.0",
        ]
    );
    assert_eq!(skills(&mut daemon), ["alpha:hello", "beta:hello"]);
    let (task, layer) = told(&mut daemon);
    assert_eq!(
        (&layer["state"], &layer["stale"]),
        (&json!("stale"), &json!(["alpha@openai-curated-remote"]))
    );
    assert!(task["plugins"][0]["problem"].is_object(), "{task}");
    // The next run tries again.
    account.service.offer_plugin(item);
    assert_eq!(sync_again(&mut daemon)["state"], "done");
    assert_eq!(
        copies(&account.sandbox),
        [
            "openai-curated-remote/alpha/2.0.0",
            "openai-curated-remote/beta/1.0.0",
        ]
    );
    nothing_left(&account.sandbox);
    daemon.shut_down();
}

#[test]
fn a_copy_that_is_current_gets_its_sidecar_back() {
    let account = Account::new();
    let ids = account.offer(&["alpha"]);
    account.service.set_installed(&ids[0], true);
    let mut daemon = synced(&account);
    // It may be told after the end of the task.
    daemon.wait_notification("plugd/changed", |params| params["reason"] == "sync");
    let good = account.sandbox.text(SIDECAR);
    account.service.forget();
    for bad in [
        None,
        Some("{".to_owned()),
        Some(good.replace(": 1", ": 2")),
        Some(good.replace("Plugin_", "Plugin_0")),
        Some(good.replace("1,", "1, \"more\": 2,")),
    ] {
        match bad {
            None => account.sandbox.remove(SIDECAR),
            Some(text) => account.sandbox.write(SIDECAR, text),
        }
        daemon.take_notifications("plugd/changed");
        sync_again(&mut daemon);
        assert_eq!(account.sandbox.text(SIDECAR), good);
        assert_eq!(account.sandbox.mode(SIDECAR), 0o600);
        assert_eq!(
            outcomes(&mut daemon),
            ["alpha@openai-curated-remote unchanged"]
        );
        assert_eq!(
            daemon.take_notifications("plugd/changed"),
            Vec::<Value>::new()
        );
    }
    assert_eq!(account.service.count(Endpoint::Bundle), 0);
    daemon.shut_down();
}

#[test]
fn what_is_nobodys_stays() {
    let account = Account::new();
    account.sandbox.add(
        "== ch/plugins/cache/openai-curated-remote/notes.txt\nmine\n\
         == ch/plugins/cache/openai-curated-remote/.hidden/x\nmine\n\
         == ch/plugins/cache/openai-curated-remote/draft/todo\nmine\n\
         == ch/plugins/cache/openai-curated-remote/copied/1.0.0/.codex-plugin/plugin.json\n\
         {\"name\": \"copied\"}\n\
         == ch/plugins/cache/mine/other/1.0.0/.codex-plugin/plugin.json\n{\"name\": \"other\"}\n\
         == ch/plugins/cache/openai-curated-remote/theirs/1.0.0/.codex-plugin/plugin.json\n\
         {\"name\": \"theirs\"}\n\
         == ch/plugins/cache/openai-curated-remote/theirs/.codex-remote-plugin-install.json\n\
         {\"schema_version\": 1, \"remote_plugin_id\": \"plugins_1\"}\n",
    );
    let mut daemon = synced(&account);
    // The reference has brought it for an account that has it no more.
    assert!(
        !account
            .sandbox
            .exists("ch/plugins/cache/openai-curated-remote/theirs")
    );
    assert_eq!(
        copies(&account.sandbox),
        ["mine/other/1.0.0", "openai-curated-remote/copied/1.0.0"]
    );
    for (path, content) in [
        ("notes.txt", "mine\n"),
        (".hidden/x", "mine\n"),
        ("draft/todo", "mine\n"),
    ] {
        let path = format!("ch/plugins/cache/openai-curated-remote/{path}");
        assert_eq!(account.sandbox.text(&path), content);
    }
    daemon.shut_down();
}

#[test]
fn without_a_network_the_plugins_of_the_last_time_count() {
    let account = Account::new();
    let ids = account.offer(&["alpha", "beta"]);
    account.service.set_installed(&ids[0], true);
    account.service.set_installed(&ids[1], false);
    synced(&account).shut_down();
    for endpoint in Endpoint::ALL {
        account.service.fail(endpoint, Fault::Reset);
    }
    let mut daemon = start_listening(&account.sandbox);
    assert_eq!(skills(&mut daemon), ["alpha:hello"]);
    assert_eq!(end_of_sync(&mut daemon)["state"], "failed");
    assert_eq!(skills(&mut daemon), ["alpha:hello"]);
    daemon.shut_down();
}

#[test]
fn without_a_login_nothing_is_asked_and_nothing_goes() {
    let account = Account::new();
    let ids = account.offer(&["alpha"]);
    account.service.set_installed(&ids[0], true);
    let mut daemon = synced(&account);
    account.sandbox.remove("ch/auth.json");
    account.service.forget();
    daemon.ok("plugin/installed", json!({}));
    assert_eq!(skills(&mut daemon), Vec::<String>::new());
    let answer = daemon.ok("plugin/reconcile", json!({}));
    assert_eq!(answer["changedPlugins"], json!([]));
    assert_eq!(account.service.lines(), Vec::<String>::new());
    assert_eq!(
        copies(&account.sandbox),
        ["openai-curated-remote/alpha/1.0.0"]
    );
    let (_, layer) = told(&mut daemon);
    assert_eq!(
        (&layer["state"], &layer["message"]),
        (&json!("off"), &json!("nobody is logged in"))
    );
    // The same account comes back to what it had.
    account.service.login().write_to(&account.sandbox);
    assert_eq!(skills(&mut daemon), ["alpha:hello"]);
    daemon.shut_down();
}
