//! Proves `plugin/reconcile`: what it reports, and that a report is about what happened since the
//! look before.

use plugd_testkit::service::{Bundle, Endpoint, Fault, Item};
use plugd_testkit::{Daemon, Gate};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::accounts::Account;
use crate::fixtures::text;
use crate::remote_sync::{copies, skills, synced};
use crate::remotes::give_up;

const ALPHA: &str = "alpha@openai-curated-remote";

fn skill() -> (&'static str, &'static str) {
    (
        "skills/a/SKILL.md",
        "---\nname: a\ndescription: does a\n---\nA\n",
    )
}

fn hooks() -> (&'static str, &'static str) {
    (
        "hooks/hooks.json",
        r#"{"hooks":{"Stop":[{"hooks":[{"type":"command","command":"true"}]}]}}"#,
    )
}

fn mcps() -> (&'static str, &'static str) {
    (".mcp.json", r#"{"mcpServers":{"one":{"command":"true"}}}"#)
}

fn apps() -> (&'static str, &'static str) {
    (".app.json", r#"{"apps":{"one":{"id":"app_1"}}}"#)
}

fn offer(account: &Account, version: &str, files: &[(&str, &str)]) -> String {
    let item = Item::new("alpha").version(version);
    let id = item.id().to_owned();
    let bundle = Bundle::new("alpha", version);
    let bundle = files.iter().fold(bundle, |bundle, (path, content)| {
        bundle.file(path, *content)
    });
    account.service.offer_with(item, &bundle);
    id
}

/// The changed plugins as `id: kinds`.
#[track_caller]
fn changed(daemon: &mut Daemon) -> Vec<String> {
    let answer = daemon.ok("plugin/reconcile", json!({"reason": "test"}));
    assert_eq!(answer["failedRemotePluginIds"], json!([]), "{answer}");
    assert_eq!(answer["failedMaterializationRemotePluginIds"], json!([]));
    rows(&answer)
}

fn rows(answer: &Value) -> Vec<String> {
    let kinds = [
        ("hasMcps", "mcps"),
        ("hasApps", "apps"),
        ("hasHooks", "hooks"),
        ("hasSkills", "skills"),
    ];
    let rows = answer["changedPlugins"].as_array().unwrap().iter();
    rows.map(|row| {
        let has = kinds.iter().filter(|(key, _)| row[*key] == true);
        let has: Vec<_> = has.map(|(_, word)| *word).collect();
        format!("{}: {}", text(&row["id"]), has.join(" "))
    })
    .collect()
}

#[test]
fn the_report() {
    let account = Account::new();
    let id = offer(&account, "1.0.0", &[skill(), hooks()]);
    let mut daemon = synced(&account);
    assert_eq!(changed(&mut daemon), Vec::<String>::new());

    account.service.set_installed(&id, true);
    assert_eq!(changed(&mut daemon), [format!("{ALPHA}: hooks skills")]);
    assert_eq!(changed(&mut daemon), Vec::<String>::new());

    // What the old version has or what the new one has.
    offer(&account, "2.0.0", &[skill(), mcps()]);
    assert_eq!(
        changed(&mut daemon),
        [format!("{ALPHA}: mcps hooks skills")]
    );
    offer(&account, "3.0.0", &[apps()]);
    assert_eq!(changed(&mut daemon), [format!("{ALPHA}: mcps apps skills")]);

    account.service.set_installed(&id, false);
    assert_eq!(changed(&mut daemon), [format!("{ALPHA}: apps")]);
    account.service.set_installed(&id, true);
    assert_eq!(changed(&mut daemon), [format!("{ALPHA}: apps")]);

    // None of these is a change.
    account
        .service
        .set_installed_member(&id, "disabled_skill_names", json!(["a"]));
    account
        .service
        .set(&id, "release/interface/short_description", "new");
    let cache = "ch/plugins/cache/openai-curated-remote/alpha";
    let sidecar = format!("{cache}/.codex-remote-plugin-install.json");
    account.sandbox.remove(&sidecar);
    assert_eq!(changed(&mut daemon), Vec::<String>::new());
    assert!(account.sandbox.exists(&sidecar));

    // A copy that is lost is restored.
    account.sandbox.remove(cache);
    assert_eq!(changed(&mut daemon), [format!("{ALPHA}: apps")]);
    assert_eq!(
        copies(&account.sandbox),
        ["openai-curated-remote/alpha/3.0.0"]
    );

    account.service.remove_installed(&id);
    assert_eq!(changed(&mut daemon), [format!("{ALPHA}: apps")]);
    assert_eq!(copies(&account.sandbox), Vec::<String>::new());
    assert_eq!(changed(&mut daemon), Vec::<String>::new());
    daemon.shut_down();
}

#[test]
fn what_cannot_be_brought_is_named_and_not_changed() {
    let account = Account::new();
    let id = offer(&account, "1.0.0", &[skill()]);
    let others = account.offer(&["beta"]);
    account.service.set_installed(&id, true);
    let mut daemon = synced(&account);
    account.service.set_installed(&others[0], true);
    account.service.offer(Item::new("alpha").version("2.0.0"));
    let answer = daemon.ok("plugin/reconcile", json!({}));
    assert_eq!(rows(&answer), ["beta@openai-curated-remote: skills"]);
    assert_eq!(answer["failedRemotePluginIds"], json!([id]));
    assert_eq!(answer["failedMaterializationRemotePluginIds"], json!([id]));
    let problem = &answer["problems"][0];
    assert!(text(&problem["message"]).contains("alpha"), "{problem}");
    assert_eq!(skills(&mut daemon), ["alpha:a", "beta:hello"]);
    daemon.shut_down();
}

#[test]
fn without_an_account_the_lists_are_empty() {
    let account = Account::without_login("");
    let mut daemon = account.start();
    let empty = json!({
        "changedPlugins": [],
        "failedRemotePluginIds": [],
        "failedMaterializationRemotePluginIds": [],
        "problems": [],
    });
    assert_eq!(daemon.ok("plugin/reconcile", json!({})), empty);
    daemon.shut_down();
    let account = Account::with("[features]\nplugins = false\n");
    let mut daemon = account.start();
    assert_eq!(daemon.ok("plugin/reconcile", json!({})), empty);
    assert_eq!(account.service.lines(), Vec::<String>::new());
    daemon.shut_down();
}

#[test]
fn a_service_that_does_not_say_is_an_error() {
    let account = Account::new();
    let mut daemon = synced(&account);
    for (fault, kind) in [
        (Fault::status(500), "unavailable"),
        (Fault::status(403), "notAllowed"),
        (Fault::NotJson, "unavailable"),
        (Fault::Reset, "unavailable"),
    ] {
        account.service.fail(Endpoint::Installed, fault.clone());
        let error = daemon.err("plugin/reconcile", json!({}));
        let message = text(&error["message"]);
        let words = "failed to reconcile remote installed plugins: ";
        assert!(message.starts_with(words), "{message}");
        assert_eq!(error["data"]["kind"], kind, "{fault:?}");
        account.service.behave_well();
    }
    daemon.shut_down();
}

#[test]
fn it_can_be_cancelled_before_anything_changed() {
    let account = Account::new();
    let mut daemon = synced(&account);
    let id = offer(&account, "1.0.0", &[skill()]);
    account.service.set_installed(&id, false);
    for endpoint in [Endpoint::Installed, Endpoint::Bundle] {
        let gate = Gate::new();
        account.service.fail(endpoint, Fault::Hold(gate.clone()));
        let request = daemon.request("plugin/reconcile", json!({}));
        gate.wait_reached();
        give_up(&mut daemon, request);
        gate.open();
        account.service.behave_well();
        assert_eq!(copies(&account.sandbox), Vec::<String>::new());
    }
    assert_eq!(changed(&mut daemon), [format!("{ALPHA}: skills")]);
    daemon.shut_down();
}
