//! Proves that a client which wants to hear of changes hears of those that others make, with their
//! names, once, and that it costs nothing where nobody wants to.

#![expect(
    clippy::disallowed_methods,
    reason = "which files a process has open is asked of the system, and a file is replaced as others do"
)]

use std::collections::BTreeSet;
use std::fs;

use plugd_testkit::{Daemon, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    DEMO, DEMO_MANIFEST, cli, install, marketplace, small, start, start_listening,
};
use crate::git_marketplace_upgrade::{upgrade, with_p};
use crate::remotes::tree;

/// A daemon that has been asked something by a client that wants to hear of changes: from here on it
/// tells of everything.
#[track_caller]
fn listen(sandbox: &Sandbox) -> Daemon {
    let mut daemon = start_listening(sandbox);
    daemon.ok("plugd/status", json!({}));
    daemon
}

/// What is told next, without its number.
#[track_caller]
fn told(daemon: &mut Daemon) -> Value {
    let mut change = daemon.wait_notification("plugd/changed", |_| true);
    assert!(change["id"].take().is_u64());
    assert_eq!(change["rewrittenMarketplaces"], json!([]));
    json!([
        change["reason"],
        change["marketplaces"],
        change["plugins"],
        change["configKeys"]
    ])
}

/// Makes a change that is told for certain, and answers what was told until then, or with it.
#[track_caller]
fn told_before(daemon: &mut Daemon, sandbox: &Sandbox, word: &str) -> Vec<Value> {
    append(sandbox, &format!("\n[{word}]\nis = 1\n"));
    let mut told = Vec::new();
    loop {
        let change = daemon.wait_notification("plugd/changed", |_| true);
        let key = json!(format!("{word}.is"));
        let keys = change["configKeys"].as_array().unwrap();
        let (is_last, is_only) = (keys.contains(&key), keys.len() == 1);
        if !is_last || !is_only {
            told.push(change);
        }
        if is_last {
            return told;
        }
    }
}

/// As most programs write: whole, in one step. Of one that empties the file first a look may see that.
fn append(sandbox: &Sandbox, text: &str) {
    let config = sandbox.text("ch/config.toml");
    let config = sandbox.expand(&format!("{config}{text}"));
    sandbox.write("ch/config.toml.new", config);
    let [from, to] = ["ch/config.toml.new", "ch/config.toml"].map(|file| sandbox.path(file));
    fs::rename(from.as_path(), to.as_path()).unwrap();
}

#[test]
fn what_another_daemon_does_is_told_once_with_its_names() {
    let sandbox = Sandbox::from(DEMO);
    let mut listening = listen(&sandbox);
    let mut other = start(&sandbox);
    install(&mut other, DEMO_MANIFEST, "hello");
    assert_eq!(
        told(&mut listening),
        json!(["watcher", [], ["hello@demo"], ["plugins.hello@demo"]])
    );
    let off = json!({"keyPath": "plugins.\"hello@demo\".enabled", "value": false,
        "mergeStrategy": "replace"});
    other.ok("config/value/write", off);
    assert_eq!(
        told(&mut listening),
        json!([
            "watcher",
            [],
            ["hello@demo"],
            ["plugins.hello@demo.enabled"]
        ])
    );
    other.ok("plugin/uninstall", json!({"pluginId": "hello@demo"}));
    assert_eq!(
        told(&mut listening),
        json!(["watcher", [], ["hello@demo"], ["plugins.hello@demo"]])
    );
    sandbox.add(&marketplace("more", "more", &[("p", "1.0.0")]));
    other.ok("marketplace/add", json!({"source": "$ROOT/more"}));
    assert_eq!(
        told(&mut listening),
        json!(["watcher", ["more"], [], ["marketplaces.more"]])
    );
    other.ok("marketplace/remove", json!({"marketplaceName": "more"}));
    assert_eq!(
        told(&mut listening),
        json!(["watcher", ["more"], [], ["marketplaces.more"]])
    );
    assert_eq!(
        told_before(&mut listening, &sandbox, "end"),
        Vec::<Value>::new()
    );
    other.shut_down();
    listening.shut_down();
}

#[test]
fn a_command_is_another_process_too() {
    let sandbox = Sandbox::from(DEMO);
    let mut listening = listen(&sandbox);
    assert_eq!(cli(&sandbox, &["plugin", "add", "hello@demo"]).code(), 0);
    assert_eq!(
        told(&mut listening),
        json!(["watcher", [], ["hello@demo"], ["plugins.hello@demo"]])
    );
    listening.shut_down();
}

#[test]
fn what_this_process_does_is_told_once() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = listen(&sandbox);
    install(&mut daemon, DEMO_MANIFEST, "hello");
    assert_eq!(
        told(&mut daemon),
        json!(["request", [], ["hello@demo"], ["plugins.hello@demo"]])
    );
    let skill = json!({"keyPath": "model", "value": "m", "mergeStrategy": "replace"});
    daemon.ok("config/value/write", skill);
    assert_eq!(told(&mut daemon), json!(["request", [], [], ["model"]]));
    sandbox.add(&marketplace("more", "more", &[("p", "1.0.0")]));
    daemon.ok("marketplace/add", json!({"source": "$ROOT/more"}));
    assert_eq!(
        told(&mut daemon),
        json!(["request", ["more"], [], ["marketplaces.more"]])
    );
    daemon.ok("plugin/uninstall", json!({"pluginId": "hello@demo"}));
    assert_eq!(
        told(&mut daemon),
        json!(["request", [], ["hello@demo"], ["plugins.hello@demo"]])
    );
    assert_eq!(
        told_before(&mut daemon, &sandbox, "end"),
        Vec::<Value>::new()
    );
    daemon.shut_down();
}

/// A run over a marketplace and its plugins tells at its end, and a look at the disk finds each of
/// them before.
#[test]
fn an_upgrade_is_told_once_by_whoever_makes_it_and_by_name_to_the_others() {
    let (world, mut daemon) = with_p();
    let sandbox = &world.sandbox;
    told_before(&mut daemon, sandbox, "begin");
    let mut listening = listen(sandbox);
    world
        .repo
        .commit(&tree("market", &[("p", "1.1.0"), ("q", "1.0.0")]));
    upgrade(&mut daemon);
    assert_eq!(
        told(&mut daemon),
        json!(["sync", ["market"], ["p@market"], []])
    );
    let mut names = BTreeSet::new();
    while names.len() < 2 {
        let change = told(&mut listening);
        assert_eq!((&change[0], &change[3]), (&json!("watcher"), &json!([])));
        for name in [&change[1], &change[2]] {
            names.extend(name.as_array().unwrap().iter().map(ToString::to_string));
        }
    }
    let expected = ["\"market\"", "\"p@market\""].map(str::to_owned);
    assert_eq!(names, BTreeSet::from(expected));
    assert_eq!(
        told_before(&mut daemon, sandbox, "end"),
        Vec::<Value>::new()
    );
    daemon.shut_down();
    listening.shut_down();
}

#[test]
fn what_other_programs_write_is_told() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = listen(&sandbox);
    // As the reference installs: a directory and a row, without any of our records.
    sandbox.add(
        "== ch/plugins/cache/demo/tools/2.1.0/.codex-plugin/plugin.json\n\
         {\"name\": \"tools\", \"version\": \"2.1.0\"}\n",
    );
    assert_eq!(
        told(&mut daemon),
        json!(["watcher", [], ["tools@demo"], []])
    );
    append(&sandbox, "\n[plugins.\"tools@demo\"]\nenabled = true\n");
    assert_eq!(
        told(&mut daemon),
        json!(["watcher", [], ["tools@demo"], ["plugins.tools@demo"]])
    );
    // An editor.
    append(&sandbox, "\n[features]\napps = false\nplugins = true\n");
    assert_eq!(
        told(&mut daemon),
        json!(["watcher", [], [], ["features.apps", "features.plugins"]])
    );
    sandbox.write("ch/plugd.toml", "keep_versions = 1\n");
    assert_eq!(
        told(&mut daemon),
        json!(["watcher", [], [], ["plugd.keep_versions"]])
    );
    // The author of a marketplace.
    let manifest = "demo/.agents/plugins/marketplace.json";
    sandbox.write(manifest, r#"{"name": "demo", "plugins": []}"#);
    assert_eq!(told(&mut daemon), json!(["watcher", ["demo"], [], []]));
    sandbox.write(manifest, "{");
    assert_eq!(told(&mut daemon), json!(["watcher", ["demo"], [], []]));
    sandbox.remove("demo");
    assert_eq!(told(&mut daemon)[0], "watcher");
    sandbox.add(&marketplace("demo", "demo", &[("p", "1.0.0")]));
    assert_eq!(told(&mut daemon), json!(["watcher", ["demo"], [], []]));
    daemon.shut_down();
}

#[test]
fn a_configuration_that_breaks_says_that_anything_may_have_changed() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = listen(&sandbox);
    let good = sandbox.text("ch/config.toml");
    sandbox.write("ch/config.toml", "broken = [");
    assert_eq!(told(&mut daemon), json!(["watcher", [], [], []]));
    sandbox.write("ch/config.toml", sandbox.expand(&good));
    assert_eq!(told(&mut daemon), json!(["watcher", [], [], []]));
    daemon.shut_down();
}

#[test]
fn no_change_is_no_message_and_a_burst_is_one() {
    let sandbox = small(&[("a", "1.0.0"), ("b", "1.0.0")]);
    let mut daemon = listen(&sandbox);
    let manifest = "demo/.agents/plugins/marketplace.json";
    let config = sandbox.text("ch/config.toml");
    sandbox.write(manifest, sandbox.text(manifest));
    let config = sandbox.expand(&config);
    sandbox.write("ch/config.toml", format!("# a comment\n{config}"));
    sandbox.write("ch/auth.json.swp", "nothing of ours");
    assert_eq!(
        told_before(&mut daemon, &sandbox, "end"),
        Vec::<Value>::new()
    );
    let config = sandbox.expand(&sandbox.text("ch/config.toml"));
    for number in 0..20 {
        sandbox.write(
            "ch/config.toml",
            format!("{config}\n[burst]\nk = {number}\n"),
        );
    }
    // On a busy machine there may be a pause between two of them.
    let told = told_before(&mut daemon, &sandbox, "last");
    assert!(told.len() < 5, "{told:?}");
    daemon.shut_down();
}

/// The files of another kind that a process has open.
fn inotify_handles(daemon: &Daemon) -> usize {
    let open = fs::read_dir(format!("/proc/{}/fd", daemon.id())).unwrap();
    open.filter(|entry| {
        let entry = entry.as_ref().unwrap();
        fs::read_link(entry.path()).is_ok_and(|to| to.to_string_lossy().contains("inotify"))
    })
    .count()
}

#[test]
#[cfg(target_os = "linux")]
fn a_client_that_did_not_ask_costs_nothing() {
    let sandbox = Sandbox::from(DEMO);
    let mut quiet = start(&sandbox);
    let mut listening = listen(&sandbox);
    install(&mut quiet, DEMO_MANIFEST, "hello");
    told(&mut listening);
    assert_eq!(inotify_handles(&quiet), 0);
    assert!(inotify_handles(&listening) > 0);
    listening.shut_down();
    append(&sandbox, "\n[last]\nword = 1\n");
    quiet.ok("plugd/status", json!({}));
    assert_eq!(
        quiet.take_notifications("plugd/changed"),
        Vec::<Value>::new()
    );
    quiet.shut_down();
}

#[test]
fn a_client_that_opted_out_of_changes_hears_of_none() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = crate::fixtures::launch().start(&sandbox);
    daemon.initialize_with(json!({
        "clientInfo": {"name": "plugd-tests", "version": "1.0.0"},
        "capabilities": {"plugd": {"notifications": true},
            "optOutNotificationMethods": ["plugd/changed"]},
    }));
    install(&mut daemon, DEMO_MANIFEST, "hello");
    daemon.wait_notification("skills/changed", |_| true);
    assert_eq!(
        daemon.take_notifications("plugd/changed"),
        Vec::<Value>::new()
    );
    daemon.shut_down();
}
