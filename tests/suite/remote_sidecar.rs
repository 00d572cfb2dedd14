//! Proves the life of the file that says which plugin of the remote catalog a copy is, step by step:
//! install, look, delete it, restart, look, uninstall, look.
#![expect(clippy::print_stdout, reason = "each step is there to be read")]

use plugd_testkit::Daemon;
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::accounts::{Account, remote};
use crate::fixtures::{install, marketplace, plugin};

const DIR: &str = "ch/plugins/cache/openai-curated-remote/alpha";
const SIDECAR: &str =
    "ch/plugins/cache/openai-curated-remote/alpha/.codex-remote-plugin-install.json";

fn content(id: &str) -> String {
    format!("{{\n  \"schema_version\": 1,\n  \"remote_plugin_id\": \"{id}\"\n}}\n")
}

#[track_caller]
fn check(account: &Account, id: &str, step: &str) {
    assert_eq!(account.sandbox.text(SIDECAR), content(id), "{step}");
    #[cfg(unix)]
    assert_eq!(account.sandbox.mode(SIDECAR) & 0o777, 0o600, "{step}");
    println!("{step}: {}", content(id).replace('\n', ""));
}

fn installed() -> (Account, String, Daemon) {
    let account = Account::new();
    let id = account.offer(&["alpha"]).remove(0);
    let mut daemon = account.start();
    daemon.ok("plugin/install", remote(&id));
    (account, id, daemon)
}

#[test]
fn step_by_step() {
    let (account, id, mut daemon) = installed();
    check(&account, &id, "installed");
    account.sandbox.remove(SIDECAR);
    daemon.shut_down();
    let mut daemon = account.start();
    let report = daemon.ok("plugin/reconcile", json!({}));
    assert_eq!(report["changedPlugins"], json!([]), "{report:#}");
    check(&account, &id, "deleted, restarted");
    daemon.ok(
        "plugin/uninstall",
        json!({"pluginId": "alpha@openai-curated-remote"}),
    );
    assert!(!account.sandbox.exists(DIR));
    println!("uninstalled: nothing");
    daemon.shut_down();
}

#[test]
fn an_installation_mends_it_without_writing_the_copy() {
    let (account, id, mut daemon) = installed();
    let other = content("plugins~Plugin_00");
    let newer = content(&id).replace("1,", "2,");
    for text in ["", "{", "[]", "{\"schema_version\": 1}", &other, &newer] {
        account.sandbox.write(SIDECAR, text);
        let answer = daemon.ok("plugin/install", remote(&id));
        assert_eq!(answer["changed"], false, "{text}");
        check(&account, &id, text);
    }
    daemon.shut_down();
}

#[test]
fn one_of_another_format_is_never_misread() {
    let (account, _, mut daemon) = installed();
    daemon.shut_down();
    account
        .sandbox
        .remove("ch/plugins/.plugd/installed/openai-curated-remote/alpha.json");
    let beta = account.offer(&["beta"]).remove(0);
    account
        .sandbox
        .write(SIDECAR, content(&beta).replace("1,", "2,"));
    let mut daemon = account.start();
    daemon.ok(
        "plugin/uninstall",
        json!({"pluginId": "alpha@openai-curated-remote"}),
    );
    let told = account
        .service
        .requests_to(plugd_testkit::service::Endpoint::Uninstall);
    assert!(told.iter().all(|one| one.id() != Some(&beta)), "{told:#?}");
    daemon.shut_down();
}

#[test]
fn a_local_installation_in_its_place_drops_it() {
    let account = Account::new();
    // A name of ours for a local marketplace that another program has filled from the catalog.
    let dir = "ch/plugins/cache/demo/alpha";
    let sidecar = format!("{dir}/.codex-remote-plugin-install.json");
    account
        .sandbox
        .add(&plugin(&format!("{dir}/0.1.0"), "alpha", "0.1.0"));
    account
        .sandbox
        .write(&sidecar, content("plugins~Plugin_00"));
    account
        .sandbox
        .add(&marketplace("demo", "demo", &[("alpha", "1.0.0")]));
    let mut daemon = account.start();
    let manifest = "$ROOT/demo/.agents/plugins/marketplace.json";
    install(&mut daemon, manifest, "alpha");
    assert!(!account.sandbox.exists(&sidecar));
    assert!(account.sandbox.exists(&format!("{dir}/1.0.0")));
    daemon.shut_down();
}
