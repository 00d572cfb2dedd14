//! Proves what stands on the disk: the layout of the reference, one version per plugin, where each
//! copy came from, and that neither a kill at any moment nor a second daemon leaves half of
//! anything.

use std::time::{Duration, Instant};

use plugd_testkit::{Daemon, Fixture, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    DEMO, DEMO_MANIFEST, install, installed_in, launch, plugin, refused, small, start,
    start_listening,
};

const MANIFEST: &str = "$ROOT/demo/.agents/plugins/marketplace.json";

fn record(sandbox: &Sandbox, name: &str) -> Value {
    let text = sandbox.text(&format!("ch/plugins/.plugd/installed/demo/{name}.json"));
    serde_json::from_str(&text).unwrap()
}

/// The paths below a directory, without their contents.
fn paths(sandbox: &Sandbox, dir: &str) -> Vec<String> {
    let fixture = Fixture::parse(&sandbox.tree(dir)).unwrap();
    fixture.items.into_iter().map(|item| item.path).collect()
}

/// A frontend can say why a plugin is as it was before an installation that was cut off.
#[test]
fn a_repair_is_told_and_nothing_else_is() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start_listening(&sandbox);
    daemon.ok("plugin/installed", json!({}));
    daemon.shut_down();
    let told = daemon.take_notifications("plugd/task");
    assert!(!told.iter().any(|task| task["kind"] == "recovery"));
    let journal = json!({"version": 1, "operation": "install", "plugin": "tools@demo",
        "wasPresent": false, "new": null, "recordBefore": null, "config": []});
    sandbox.write(
        "ch/plugins/.plugd/journal/0123.json",
        format!("{journal}\n"),
    );
    sandbox.write("ch/plugins/.plugd/journal/0123.lock", "");
    let mut daemon = start_listening(&sandbox);
    daemon.ok("plugin/installed", json!({}));
    let is_recovery = |task: &Value| task["kind"] == "recovery";
    let started = daemon.wait_notification("plugd/task", is_recovery);
    let done = daemon.wait_notification("plugd/task", is_recovery);
    assert_eq!([&started["state"], &done["state"]], ["started", "done"]);
    assert_eq!(started["id"], done["id"]);
    assert_eq!(
        done["message"],
        "interrupted operations were undone: tools@demo"
    );
    daemon.shut_down();
    // One that cannot be undone is told as that, once.
    sandbox.write("ch/plugins/.plugd/journal/4567.json", "{\n");
    sandbox.write("ch/plugins/.plugd/journal/4567.lock", "");
    let mut daemon = start_listening(&sandbox);
    daemon.ok("plugin/installed", json!({}));
    let is_failure = |task: &Value| is_recovery(task) && task["state"] == "failed";
    let failed = daemon.wait_notification("plugd/task", is_failure);
    assert!(failed["problem"]["path"].is_string(), "{failed}");
    for _ in 0..2 {
        daemon.take_notifications("plugd/task");
        daemon.ok("plugin/list", json!({}));
        let is_end = |task: &Value| task["kind"] == "refresh" && task["state"] == "done";
        daemon.wait_notification("plugd/task", is_end);
        let told = daemon.take_notifications("plugd/task");
        assert!(!told.iter().any(is_recovery), "{told:?}");
    }
    daemon.shut_down();
}

#[test]
fn the_layout() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    install(&mut daemon, DEMO_MANIFEST, "tools");
    daemon.shut_down();
    assert_eq!(
        paths(&sandbox, "ch/plugins/cache"),
        [
            "demo/tools/2.1.0/.codex-plugin/plugin.json",
            "demo/tools/2.1.0/run.sh",
        ]
    );
    let state = paths(&sandbox, "ch/plugins/.plugd");
    for path in [
        "version",
        "installed/demo/tools.json",
        "locks/store",
        "locks/config",
    ] {
        assert!(
            state.iter().any(|found| found == path),
            "{path} in {state:?}"
        );
    }
    // Nothing is under way, so nothing lies around.
    for dir in ["journal/", "staging/", "trash/"] {
        assert!(
            !state.iter().any(|found| found.starts_with(dir)),
            "{dir} in {state:?}"
        );
    }
    let top: Vec<String> = paths(&sandbox, "ch");
    assert!(
        top.iter()
            .all(|path| path == "config.toml" || path.starts_with("plugins/")),
        "{top:?}"
    );
}

#[test]
fn every_copy_says_where_it_is_from() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    install(&mut daemon, DEMO_MANIFEST, "tools");
    let record = record(&sandbox, "tools");
    assert_eq!(record["version"], 1);
    let said = record.to_string();
    assert!(
        said.contains("$ROOT/demo/.agents/plugins/marketplace.json"),
        "{record:#}"
    );
    assert!(said.contains("2.1.0"), "{record:#}");
    // Of what was copied and of what was left on disk, which here is the same.
    let digest = "sha256:83806015f1d4689b34d915ba887ce434da8f5e5d77d5a085c589654aa2cea958";
    assert_eq!(said.matches(digest).count(), 2, "{record:#}");
    daemon.shut_down();
}

#[test]
fn a_replaced_version_is_kept_aside_and_uninstalling_drops_it() {
    let sandbox = small(&[("hello", "1.0.0")]);
    let mut daemon = start(&sandbox);
    for version in ["1.0.0", "1.1.0", "1.2.0", "1.3.0"] {
        sandbox.add(&plugin("demo/hello", "hello", version));
        install(&mut daemon, MANIFEST, "hello");
        assert_eq!(
            sandbox.tree("ch/plugins/cache/demo/hello"),
            plugin(version, "hello", version)
        );
    }
    let trees = sandbox.tree("ch/plugins/.plugd/trees");
    let kept = |version: &str| trees.contains(&format!("hello {version}\n"));
    let all = ["1.0.0", "1.1.0", "1.2.0", "1.3.0"].map(kept);
    assert_eq!(all, [false, true, true, false], "{trees}");
    daemon.ok("plugin/uninstall", json!({"pluginId": "hello@demo"}));
    assert_eq!(
        paths(&sandbox, "ch/plugins/.plugd/trees"),
        Vec::<String>::new()
    );
    assert_eq!(paths(&sandbox, "ch/plugins/.plugd/installed"), ["demo"]);
    daemon.shut_down();
}

#[test]
fn what_does_not_belong_there_goes_with_an_installation() {
    let sandbox = small(&[("hello", "1.0.0")]);
    let mut daemon = start(&sandbox);
    let sidecar = "ch/plugins/cache/demo/hello/.codex-remote-plugin-install.json";
    sandbox.write(
        sidecar,
        "{\"schema_version\": 1, \"remote_plugin_id\": \"x\"}",
    );
    sandbox.add(&plugin(
        "ch/plugins/cache/demo/hello/9.9.9",
        "hello",
        "9.9.9",
    ));
    install(&mut daemon, MANIFEST, "hello");
    // The reference would call the highest version the active one.
    assert_eq!(
        sandbox.tree("ch/plugins/cache/demo/hello"),
        plugin("1.0.0", "hello", "1.0.0")
    );
    let listing = daemon.ok("plugin/installed", json!({}));
    assert_eq!(installed_in(&listing), ["hello@demo 1.0.0"]);
    daemon.shut_down();
}

#[test]
fn a_newer_format_is_read_and_not_written() {
    let sandbox = small(&[("hello", "1.0.0"), ("other", "1.0.0")]);
    let mut daemon = start(&sandbox);
    install(&mut daemon, MANIFEST, "hello");
    daemon.shut_down();
    sandbox.write("ch/plugins/.plugd/version", "999\n");
    let before = sandbox.tree("ch");
    let mut daemon = start(&sandbox);
    let listing = daemon.ok("plugin/installed", json!({}));
    assert_eq!(installed_in(&listing), ["hello@demo 1.0.0"]);
    let named = json!({"marketplacePath": MANIFEST, "pluginName": "other"});
    let error = daemon.err("plugin/install", named);
    assert!(error.to_string().contains("999"), "{error:#}");
    let uninstall = json!({"pluginId": "hello@demo"});
    assert_ne!(
        refused(&mut daemon, "plugin/uninstall", uninstall),
        "-32602 invalidParams"
    );
    daemon.shut_down();
    assert_eq!(sandbox.tree("ch"), before);
}

/// Whether a home is whole: each installed copy is one complete version, and exactly the plugins
/// with a copy are configured.
#[track_caller]
fn check_whole(sandbox: &Sandbox, daemon: &mut Daemon, sizes: usize) {
    // The first use of the store cleans up what the killed process left.
    let listing = daemon.ok("plugin/installed", json!({}));
    let config = sandbox.text("ch/config.toml");
    for name in ["one", "two"] {
        let dir = format!("ch/plugins/cache/demo/{name}");
        let copy = paths(sandbox, &dir);
        let configured = config.contains(&format!("[plugins.\"{name}@demo\"]"));
        assert_eq!(
            !copy.is_empty() && copy != [""],
            configured,
            "{name}: {copy:?}\n{config}"
        );
        if configured {
            // The manifest, the notes, and the files that make it large; all of one version.
            assert_eq!(copy.len(), sizes + 2, "{name}");
            let version = copy[0].split('/').next().unwrap();
            assert!(
                copy.iter().all(|path| path.starts_with(version)),
                "{name}: {copy:?}"
            );
            let notes = sandbox.text(&format!("{dir}/{version}/notes.md"));
            assert_eq!(notes, format!("{name} {version}\n"));
        }
    }
    for row in installed_in(&listing) {
        let name = row.split('@').next().unwrap();
        assert!(config.contains(&format!("{name}@demo")), "{row}");
    }
}

#[test]
fn a_kill_at_any_moment_leaves_the_old_or_the_new() {
    let sizes = 40;
    let sandbox = small(&[("one", "1.0.0"), ("two", "1.0.0")]);
    for name in ["one", "two"] {
        for number in 0..sizes {
            sandbox.write(&format!("demo/{name}/data/{number:02}"), vec![b'x'; 2_000]);
        }
    }
    let end = Instant::now() + Duration::from_secs(6);
    for round in 0..60 {
        if Instant::now() > end {
            break;
        }
        let version = format!("1.0.{round}");
        sandbox.add(&plugin("demo/one", "one", &version));
        sandbox.add(&plugin("demo/two", "two", &version));
        let mut daemon = start(&sandbox);
        check_whole(&sandbox, &mut daemon, sizes);
        for name in ["one", "two"] {
            let params = json!({"marketplacePath": MANIFEST, "pluginName": name});
            daemon.request("plugin/install", params);
            if round % 3 == 2 {
                daemon.request(
                    "plugin/uninstall",
                    json!({"pluginId": format!("{name}@demo")}),
                );
            }
        }
        // An answer or a moment later: the moments move over the whole operation.
        daemon.next_message(Duration::from_micros(round * 400));
        daemon.kill();
    }
    // Nothing of all that is left once somebody has used the store.
    let mut daemon = start(&sandbox);
    check_whole(&sandbox, &mut daemon, sizes);
    install(&mut daemon, MANIFEST, "one");
    daemon.shut_down();
    for dir in ["journal", "staging", "trash"] {
        assert_eq!(
            paths(&sandbox, &format!("ch/plugins/.plugd/{dir}")),
            Vec::<String>::new(),
            "{dir}"
        );
    }
}

#[test]
fn two_daemons_share_a_home() {
    let names: Vec<String> = (0..16).map(|number| format!("p{number:02}")).collect();
    let plugins: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1.0.0")).collect();
    let sandbox = small(&plugins);
    let mut daemons = [start(&sandbox), start(&sandbox)];
    let mut asked = Vec::new();
    // Both install everything, in opposite order.
    for number in 0..names.len() {
        for (index, daemon) in daemons.iter_mut().enumerate() {
            let name = if index == 0 {
                &names[number]
            } else {
                &names[names.len() - 1 - number]
            };
            let params = json!({"marketplacePath": MANIFEST, "pluginName": name});
            asked.push((index, daemon.request("plugin/install", params)));
        }
    }
    for (index, id) in asked {
        let answer = daemons[index].response(id);
        assert_eq!(answer["result"]["installedVersion"], "1.0.0", "{answer:#}");
    }
    let expected: Vec<String> = names
        .iter()
        .map(|name| format!("{name}@demo 1.0.0"))
        .collect();
    for daemon in &mut daemons {
        let listing = daemon.ok("plugin/installed", json!({}));
        assert_eq!(installed_in(&listing), expected);
    }
    // One sees at once what the other did.
    let [first, second] = &mut daemons;
    first.ok("plugin/uninstall", json!({"pluginId": "p00@demo"}));
    let listing = second.ok("plugin/installed", json!({}));
    assert_eq!(installed_in(&listing), expected[1..]);
    first.shut_down();
    second.shut_down();
    assert_eq!(
        sandbox.text("ch/config.toml").matches("[plugins.").count(),
        15
    );
}

#[test]
fn a_living_neighbour_is_never_undone() {
    let sandbox = small(&[("one", "1.0.0"), ("two", "1.0.0")]);
    let mut first = start(&sandbox);
    install(&mut first, MANIFEST, "one");
    let lock = crate::fixtures::hold_lock(&sandbox, "store");
    let params = json!({"marketplacePath": MANIFEST, "pluginName": "two"});
    let waiting = first.request("plugin/install", params);
    // The other one recovers before it uses the store, and meets a journal that is alive.
    let mut second = launch().start(&sandbox);
    second.initialize();
    second.ok("plugin/installed", json!({}));
    second.shut_down();
    drop(lock);
    let answer = first.response(waiting);
    assert_eq!(answer["result"]["installedVersion"], "1.0.0", "{answer:#}");
    first.shut_down();
    assert_eq!(
        sandbox.tree("ch/plugins/cache/demo/two"),
        plugin("1.0.0", "two", "1.0.0")
    );
}
