//! Proves that what is here already is not on for that reason: a copy that is off is switched on, on
//! whatever way, as another one comes, and one that is on stays so.

use plugd_testkit::{Daemon, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{DEMO_MANIFEST, home_tree, install, refused, small, start, with};
use crate::lock::{MANIFEST as TEAM_MANIFEST, in_project, lock, project};
use crate::remotes::nothing_left;
use crate::trust::{STRICT, approve};

fn hello() -> Value {
    json!({"marketplacePath": DEMO_MANIFEST, "pluginName": "hello"})
}

/// Installed while nobody asked, switched off, and strict from now on.
fn off() -> (Sandbox, Daemon) {
    let sandbox = small(&[("hello", "1.0.0")]);
    let mut daemon = start(&sandbox);
    install(&mut daemon, DEMO_MANIFEST, "hello");
    switch(&mut daemon, "hello@demo", false);
    (sandbox, daemon)
}

#[track_caller]
pub(crate) fn switch(daemon: &mut Daemon, id: &str, on: bool) {
    let key = format!("plugins.\"{id}\".enabled");
    daemon.ok(
        "config/value/write",
        json!({"keyPath": key, "value": on, "mergeStrategy": "replace"}),
    );
}

/// It is refused, changes nothing, and goes once the content is approved.
#[track_caller]
fn asked_once(sandbox: &Sandbox, daemon: &mut Daemon, params: Value) {
    sandbox.write("ch/plugd.toml", STRICT);
    let before = home_tree(sandbox);
    let error = daemon.err("plugin/install", params.clone());
    assert_eq!(error["data"]["kind"], "approvalNeeded", "{error:#}");
    assert_eq!(home_tree(sandbox), before);
    nothing_left(sandbox);
    approve(daemon, "hello@demo", &error["data"]["digest"]);
    daemon.ok("plugin/install", params);
    let config = sandbox.text("ch/config.toml");
    assert!(config.contains("enabled = true"), "{config}");
}

#[test]
fn a_copy_that_is_off_asks_before_it_is_switched_on() {
    let (sandbox, mut daemon) = off();
    asked_once(&sandbox, &mut daemon, hello());
    daemon.shut_down();
    // Also when the request names its version, and with a pin to it.
    let (sandbox, mut daemon) = off();
    let named = with(hello(), json!({"version": "1.0.0"}));
    asked_once(&sandbox, &mut daemon, named);
    daemon.shut_down();
    for exact in [false, true] {
        let (sandbox, mut daemon) = off();
        let id = json!({"pluginId": "hello@demo"});
        let versions = daemon.ok("plugd/versions", id.clone());
        let digest = &versions["plugins"][0]["versions"][0]["treeDigest"];
        let pin = match exact {
            true => json!({"digest": digest}),
            false => json!({"version": "1.0.0"}),
        };
        daemon.ok("plugd/pin", with(id, pin));
        asked_once(&sandbox, &mut daemon, hello());
        daemon.shut_down();
    }
}

#[test]
fn a_copy_that_is_on_stays_so() {
    let (sandbox, mut daemon) = off();
    switch(&mut daemon, "hello@demo", true);
    sandbox.write("ch/plugd.toml", STRICT);
    let before = sandbox.text("ch/config.toml");
    daemon.ok("plugin/install", hello());
    assert_eq!(sandbox.text("ch/config.toml"), before);
    daemon.shut_down();
}

#[test]
fn a_lock_asks_before_it_switches_on() {
    let sandbox = project();
    let mut daemon = start(&sandbox);
    let before = sandbox.text("ch/config.toml");
    install(&mut daemon, TEAM_MANIFEST, "a");
    lock(&mut daemon, json!({}));
    // The copy stays, and nothing configures it any more.
    sandbox.write("ch/config.toml", before.clone());
    sandbox.write("ch/plugd.toml", STRICT);
    let dry = daemon.ok("plugd/sync", in_project(json!({"dryRun": true})));
    assert_eq!(dry["problems"][0]["kind"], "approvalNeeded", "{dry:#}");
    let error = daemon.err("plugd/sync", in_project(json!({})));
    assert_eq!(error["data"]["kind"], "approvalNeeded", "{error:#}");
    assert_eq!(sandbox.text("ch/config.toml"), before);
    approve(&mut daemon, "a@team", &error["data"]["digest"]);
    daemon.ok("plugd/sync", in_project(json!({})));
    assert!(sandbox.text("ch/config.toml").contains("a@team"));
    daemon.shut_down();
}

/// What an archive says of itself makes no copy trusted, also when the copy is here by now.
#[test]
fn an_imported_copy_is_trusted_by_its_content_only() {
    let sandbox = small(&[("hello", "1.0.0")]);
    let mut daemon = start(&sandbox);
    install(&mut daemon, DEMO_MANIFEST, "hello");
    let archive = json!({"path": "$ROOT/plugins.tar.gz"});
    daemon.ok("plugd/export", archive.clone());
    daemon.ok("plugin/uninstall", json!({"pluginId": "hello@demo"}));
    daemon.ok("plugd/gc", json!({}));
    daemon.ok("plugd/import", archive);
    switch(&mut daemon, "hello@demo", false);
    sandbox.write(
        "ch/plugd.toml",
        format!("{STRICT}marketplaces = [\"demo\"]\n"),
    );
    assert_eq!(
        refused(&mut daemon, "plugin/install", hello()),
        "-32600 approvalNeeded"
    );
    daemon.shut_down();
}
