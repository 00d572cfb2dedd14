//! What two looks at a home directory differ in.

use plugd_model::{MarketplaceName, PluginId};
use plugd_testkit::Sandbox;
use plugd_watch::WatchRoot;
use pretty_assertions::assert_eq;

use super::{HeldBack, Observed};
use crate::fixture::parts;
use crate::{Copies, Lookup};

const WORLD: &str = r#"
== ch/config.toml
[marketplaces.m]
source_type = "local"
source = "$ROOT/m"
[plugins."a@m"]
enabled = true
== ch/plugins/cache/m/a/1.0.0/.codex-plugin/plugin.json
{"name": "a"}
== m/.agents/plugins/marketplace.json
{"name": "m", "plugins": [{"name": "a", "source": "./a"}]}
"#;

struct World {
    sandbox: Sandbox,
    lookup: Lookup,
    copies: Copies,
}

fn world() -> World {
    let sandbox = Sandbox::from(WORLD);
    let (lookup, copies) = parts(&sandbox);
    World {
        sandbox,
        lookup,
        copies,
    }
}

impl World {
    fn look(&self, before: Option<&Observed>) -> Observed {
        Observed::look(&self.lookup, &self.copies, before).unwrap()
    }
}

/// What a change makes another, as `p@m`, `/m`, `=key.path` and `*`.
fn differences(before: &Observed, now: &Observed) -> Vec<String> {
    let found = now.differences(before);
    let plugins = found.plugins.iter().map(ToString::to_string);
    let marketplaces = found.marketplaces.iter().map(|name| format!("/{name}"));
    let keys = found.keys.iter().map(|path| format!("={}", path.join(".")));
    let rest = found.is_more.then(|| "*".to_owned());
    plugins
        .chain(marketplaces)
        .chain(keys)
        .chain(rest)
        .collect()
}

#[track_caller]
fn check(change: impl Fn(&Sandbox), expected: &[&str]) {
    let world = world();
    let before = world.look(None);
    assert_eq!(differences(&before, &world.look(Some(&before))), [""; 0]);
    change(&world.sandbox);
    let now = world.look(Some(&before));
    assert_eq!(differences(&before, &now), expected);
    assert_eq!(differences(&now, &world.look(Some(&now))), [""; 0]);
}

fn edit(sandbox: &Sandbox, from: &str, to: &str) {
    let text = sandbox.text("ch/config.toml");
    assert!(text.contains(from));
    sandbox.write("ch/config.toml", sandbox.expand(&text.replace(from, to)));
}

#[test]
fn times_and_comments_are_no_change() {
    check(
        |sandbox| edit(sandbox, "[plugins", "# a comment\n[plugins"),
        &[],
    );
    for file in [
        "ch/config.toml",
        "m/.agents/plugins/marketplace.json",
        "ch/plugins/cache/m/a/1.0.0/.codex-plugin/plugin.json",
    ] {
        check(
            |sandbox| sandbox.write(file, sandbox.expand(&sandbox.text(file))),
            &[],
        );
    }
}

#[test]
fn copies_that_come_go_and_move() {
    let plugin = |sandbox: &Sandbox, place: &str| {
        sandbox.write(&format!("ch/plugins/cache/{place}/plugin.json"), "{}");
    };
    check(|sandbox| plugin(sandbox, "m/b/1.0.0"), &["b@m"]);
    check(|sandbox| plugin(sandbox, "m/a/2.0.0"), &["a@m"]);
    check(|sandbox| sandbox.remove("ch/plugins/cache/m/a"), &["a@m"]);
    // The same version anew.
    check(
        |sandbox| {
            let copy = "ch/plugins/cache/m/a/1.0.0";
            plugin(sandbox, "m/a/0.1.0");
            sandbox.remove(copy);
            plugin(sandbox, "m/a/1.0.0");
            sandbox.remove("ch/plugins/cache/m/a/0.1.0");
        },
        &["a@m"],
    );
    check(
        |sandbox| sandbox.write("ch/plugins/.plugd/installed/m/a.json", "{}"),
        &["a@m"],
    );
}

#[test]
fn rows_and_values_of_the_configuration() {
    let to =
        |from: &'static str, to: &'static str| move |sandbox: &Sandbox| edit(sandbox, from, to);
    check(
        to("enabled = true", "enabled = false"),
        &["=plugins.a@m.enabled"],
    );
    check(
        to("[plugins.\"a@m\"]\nenabled = true\n", ""),
        &["=plugins.a@m"],
    );
    check(
        to("[plugins", "[features]\napps = true\n[plugins"),
        &["=features.apps"],
    );
    check(
        to(
            "enabled = true",
            "enabled = true\n[plugins.\"b@m\"]\nenabled = true",
        ),
        &["=plugins.b@m"],
    );
    check(
        to(
            "enabled = true",
            "enabled = true\n[plugins.\"a@m\".mcp_servers.s]\nenabled = true",
        ),
        &["=plugins.a@m.mcp_servers"],
    );
    check(
        |sandbox| sandbox.write("ch/plugd.toml", "keep_versions = 1\n"),
        &["=plugd.keep_versions"],
    );
    check(to("enabled = true", "enabled = ["), &["/m", "*"]);
}

#[test]
fn what_marketplaces_offer() {
    let manifest = "m/.agents/plugins/marketplace.json";
    check(
        |sandbox| sandbox.write(manifest, r#"{"name": "m", "plugins": []}"#),
        &["/m"],
    );
    check(|sandbox| sandbox.write(manifest, "{"), &["/m"]);
    check(|sandbox| sandbox.remove("m"), &["/m"]);
    check(
        |sandbox| sandbox.write(manifest, r#"{"name": "n", "plugins": []}"#),
        &["/m", "/n"],
    );
}

#[test]
fn what_is_held_back_is_compared_later() {
    let world = world();
    let before = world.look(None);
    edit(&world.sandbox, "enabled = true", "enabled = false");
    world.sandbox.remove("ch/plugins/cache/m/a");
    let manifest = r#"{"name": "m", "plugins": []}"#;
    world
        .sandbox
        .write("m/.agents/plugins/marketplace.json", manifest);
    let mut now = world.look(Some(&before));
    let held = HeldBack {
        plugins: [PluginId::parse("a@m").unwrap()].into(),
        marketplaces: [MarketplaceName::new("m").unwrap()].into(),
    };
    now.hold_back(&before, &held);
    assert_eq!(differences(&before, &now), [""; 0]);
    let later = world.look(Some(&now));
    let expected = ["a@m", "/m", "=plugins.a@m.enabled"];
    assert_eq!(differences(&now, &later), expected);
}

#[test]
fn a_row_that_came_and_one_that_went_are_held_back() {
    for (from, to) in [
        ("[plugins.\"a@m\"]\nenabled = true\n", ""),
        ("\"a@m\"]\n", "\"a@m\"]\n[plugins.\"b@m\"]\nx = 1\n"),
    ] {
        let world = world();
        let before = world.look(None);
        edit(&world.sandbox, from, to);
        let mut now = world.look(Some(&before));
        let ids = ["a@m", "b@m"].map(|id| PluginId::parse(id).unwrap());
        let held = HeldBack {
            plugins: ids.into(),
            ..HeldBack::default()
        };
        now.hold_back(&before, &held);
        assert_eq!(differences(&before, &now), [""; 0]);
    }
}

#[test]
fn a_journal_names_who_is_at_work() {
    let world = world();
    let journal = r#"{"version": 1, "operation": "install", "plugin": "a@m", "wasPresent": true,
        "new": null, "recordBefore": null}
"#;
    world
        .sandbox
        .write("ch/plugins/.plugd/journal/1.json", journal);
    world
        .sandbox
        .write("ch/plugins/.plugd/journal/2.json", "{\n");
    world.sandbox.write("ch/plugins/.plugd/journal/1.lock", "");
    let observed = world.look(None);
    let underway: Vec<_> = observed
        .underway()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(underway, ["a@m"]);
}

#[test]
fn files_of_the_administrator_are_watched_before_they_are_there() {
    let world = world();
    let observed = world.look(None);
    for name in ["config.toml", "requirements.toml", "managed_config.toml"] {
        let file = world.sandbox.path(format!("etc/{name}"));
        let root = WatchRoot::file(file);
        assert!(observed.roots().contains(&root), "{name}");
    }
}

#[test]
fn manifests_of_what_is_offered_here() {
    let manifest = "m/a/.codex-plugin/plugin.json";
    let write = |sandbox: &Sandbox, version: &str| {
        sandbox.write(manifest, format!("{{\"version\": \"{version}\"}}"));
    };
    let world = world();
    let watches = |look: &Observed, file: &str| {
        let root = WatchRoot::file(world.sandbox.path(file));
        look.roots().contains(&root)
    };
    let first = world.look(None);
    assert!(!watches(&first, manifest));
    // One that may come is waited for.
    let nothing = world.look(Some(&first));
    assert!(watches(&nothing, manifest) && watches(&nothing, "m/a/plugin.json"));
    assert_eq!(differences(&first, &nothing), [""; 0]);
    write(&world.sandbox, "1");
    let before = world.look(Some(&nothing));
    assert_eq!(differences(&nothing, &before), ["a@m"]);
    assert!(watches(&before, manifest) && !watches(&before, "m/a/plugin.json"));
    // One that counts first.
    world.sandbox.write("m/a/plugin.json", "{}");
    let now = world.look(Some(&before));
    assert_eq!(differences(&before, &now), ["a@m"]);
    world.sandbox.await_tick();
    write(&world.sandbox, "2");
    let last = world.look(Some(&now));
    assert_eq!(differences(&now, &last), ["a@m"]);
    // What came with the marketplace is told as that.
    let text = world.sandbox.text("m/.agents/plugins/marketplace.json");
    world.sandbox.await_tick();
    let more = text.replace("]}", ", {\"name\": \"b\", \"source\": \"./b\"}]}");
    world
        .sandbox
        .write("m/.agents/plugins/marketplace.json", more);
    let with_more = world.look(Some(&last));
    assert_eq!(differences(&last, &with_more), ["/m"]);
}
