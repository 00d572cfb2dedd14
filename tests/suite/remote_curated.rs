//! Proves which copies of the curated snapshot count and are shown for each login: there are two
//! snapshots and the hosted catalog, and only one of the three is current.

use plugd_testkit::service::Login;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::accounts::{Account, plugin};
use crate::curated_sync::catalog;
use crate::fixtures::{plugins_in, text};

/// Where both snapshots lie.
const SNAPSHOT: &str = "ch/.tmp/plugins";

/// Copies of both snapshots, switched on, beside an account that has `inst` from the hosted catalog.
fn account(remote_plugin: bool) -> Account {
    let mut config = format!("[features]\nremote_plugin = {remote_plugin}\n");
    for marketplace in ["openai-curated", "openai-api-curated"] {
        for name in ["inst", "loc"] {
            config.push_str(&format!(
                "[plugins.\"{name}@{marketplace}\"]\nenabled = true\n"
            ));
        }
    }
    let account = Account::with(&config);
    let sandbox = &account.sandbox;
    sandbox.add(
        &catalog(&[("inst", "7.0.0"), ("loc", "7.0.0"), ("cur", "7.0.0")])
            .replace("== ", &format!("== {SNAPSHOT}/")),
    );
    sandbox.write("ch/.tmp/plugins.sha", "0123456789abcdef\n");
    for marketplace in ["openai-curated", "openai-api-curated"] {
        for name in ["inst", "loc"] {
            let dir = format!("ch/plugins/cache/{marketplace}/{name}/01234567");
            let manifest = json!({"name": name, "version": "7.0.0"});
            sandbox.write(
                &format!("{dir}/.codex-plugin/plugin.json"),
                manifest.to_string(),
            );
            let skill = format!("---\nname: {marketplace}\ndescription: x\n---\n");
            sandbox.write(&format!("{dir}/skills/s/SKILL.md"), skill);
        }
    }
    let id = account.offer(&["inst"]).remove(0);
    account.service.set_installed(&id, true);
    account
}

fn ids(listing: &Value) -> Vec<String> {
    let mut ids: Vec<_> = plugins_in(listing)
        .map(|plugin| text(&plugin["id"]).to_owned())
        .collect();
    ids.sort();
    ids
}

/// What counts of the snapshots, and what `plugin/installed` shows.
#[track_caller]
fn check(account: &Account, skills: &[&str], shown: &[&str]) {
    let mut daemon = account.start();
    let installed = daemon.ok("plugin/installed", json!({}));
    assert_eq!(ids(&installed), shown);
    assert_eq!(installed["marketplaceLoadErrors"], json!([]));
    for plugin in plugins_in(&installed) {
        assert_eq!(plugin["installPolicy"], "AVAILABLE", "{plugin:#}");
    }
    let listing = daemon.ok("skills/list", json!({}));
    let found = listing["data"][0]["skills"].as_array().unwrap();
    let names = found.iter().map(|skill| text(&skill["name"]).to_owned());
    let mut of_snapshots: Vec<_> = names.filter(|name| name.contains(":openai-")).collect();
    of_snapshots.sort();
    assert_eq!(of_snapshots, skills);
    daemon.shut_down();
}

#[test]
fn only_copies_of_the_current_snapshot_count() {
    let api = ["inst:openai-api-curated", "loc:openai-api-curated"];
    let api_shown = ["inst@openai-api-curated", "loc@openai-api-curated"];
    for remote_plugin in [true, false] {
        let account = account(remote_plugin);
        account.sandbox.remove("ch/auth.json");
        check(&account, &api, &api_shown);
        Login::api_key().write_to(&account.sandbox);
        check(&account, &api, &api_shown);
    }
    check(
        &account(false),
        &["inst:openai-curated", "loc:openai-curated"],
        &["inst@openai-curated", "loc@openai-curated"],
    );
    check(
        &account(true),
        &[],
        &["inst@openai-curated-remote", "loc@openai-curated"],
    );
}

#[test]
fn the_snapshot_is_listed_where_the_hosted_catalog_is_not_asked_for() {
    let account = account(true);
    let mut daemon = account.start();
    let all = daemon.ok("plugin/list", json!({}));
    assert_eq!(ids(&all), ["inst@openai-curated-remote"]);
    let local = daemon.ok("plugin/list", json!({"marketplaceKinds": ["local"]}));
    assert_eq!(
        ids(&local),
        [
            "cur@openai-curated",
            "inst@openai-curated",
            "loc@openai-curated"
        ]
    );
    assert_eq!(plugin(&local, "loc@openai-curated")["installed"], true);
    daemon.shut_down();
}
