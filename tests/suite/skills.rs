//! Proves the skills methods: where skills come from and in which order, what switches them, that a
//! rule survives an upgrade, and that a client hears of changes.

use plugd_testkit::{Daemon, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{install, refused, shown, start, text};

const MANIFEST: &str = "$ROOT/demo/.agents/plugins/marketplace.json";

/// A skill in every kind of place, a broken one, and a plugin with one of each.
const WORLD: &str = r#"
== ch/config.toml
[marketplaces.demo]
source_type = "local"
source = "$ROOT/demo"
== ch/skills/mine/SKILL.md
---
name: mine
description: Mine
---
== ch/skills/.system/bundled/SKILL.md
---
description: Bundled
---
== home/.agents/skills/also/SKILL.md
---
description: Also mine
metadata:
  short-description: Short
---
== proj/p/.git/HEAD
ref
== proj/p/.agents/skills/top/SKILL.md
---
name: top
description: Of the repository
---
== proj/p/.codex/skills/base/SKILL.md
---
name: base
description: Beside the configuration of a project that nobody trusts
---
== proj/p/a/.codex/skills/low/SKILL.md
---
name: low
description: Of the directory
---
== proj/p/a/.agents/skills/bad/SKILL.md
---
name: bad
---
== demo/.agents/plugins/marketplace.json
{"name": "demo", "plugins": [{"name": "p", "source": "./p"}]}
== demo/p/.codex-plugin/plugin.json
{"name": "p", "version": "1.0.0"}
== demo/p/skills/s/SKILL.md
---
name: s
description: Of the plugin
---
== demo/p/skills/s/agents/openai.yaml
interface:
  display_name: Shown
dependencies:
  tools:
    - type: mcp
      value: clock
== demo/p/skills/broken/SKILL.md
no front matter
"#;

fn world() -> (Sandbox, Daemon) {
    let sandbox = Sandbox::from(WORLD);
    let daemon = start(&sandbox);
    (sandbox, daemon)
}

/// The first entry of a listing.
#[track_caller]
fn list(daemon: &mut Daemon, params: Value) -> Value {
    daemon.ok("skills/list", params)["data"][0].take()
}

/// `scope name` of each skill, with a minus in front of one that is off.
fn names(entry: &Value) -> Vec<String> {
    let skills = entry["skills"].as_array().unwrap().iter();
    skills
        .map(|skill| {
            let sign = if skill["enabled"] == true { "" } else { "-" };
            format!("{sign}{} {}", text(&skill["scope"]), text(&skill["name"]))
        })
        .collect()
}

fn cached(version: &str) -> String {
    format!("$ROOT/ch/plugins/cache/demo/p/{version}/skills/s/SKILL.md")
}

#[test]
fn every_place_in_order() {
    let (sandbox, mut daemon) = world();
    let from = json!({"cwds": ["$ROOT/proj/p/a"], "forceReload": true});
    let without_plugins = [
        "repo base",
        "repo low",
        "repo top",
        "user also",
        "user mine",
        "system bundled",
    ];
    assert_eq!(names(&list(&mut daemon, from.clone())), without_plugins);
    install(&mut daemon, MANIFEST, "p");
    let entry = shown(&list(&mut daemon, from), &sandbox);
    assert_eq!(
        names(&entry),
        [
            "repo base",
            "repo low",
            "repo top",
            "user also",
            "user mine",
            "user p:s",
            "system bundled"
        ]
    );
    assert_eq!(entry["cwd"], "$ROOT/proj/p/a");
    assert_eq!(
        entry["skills"][5],
        json!({
            "name": "p:s", "description": "Of the plugin", "path": cached("1.0.0"),
            "scope": "user", "enabled": true, "pluginId": "p@demo",
            "interface": {
                "displayName": "Shown", "shortDescription": null, "iconSmall": null,
                "iconLarge": null, "iconSmallUrl": null, "iconLargeUrl": null,
                "brandColor": null, "defaultPrompt": null,
            },
            "dependencies": {"tools": [{"type": "mcp", "value": "clock"}]},
        })
    );
    assert_eq!(
        entry["skills"][3],
        json!({
            "name": "also", "description": "Also mine", "shortDescription": "Short",
            "path": "$ROOT/home/.agents/skills/also/SKILL.md", "scope": "user", "enabled": true,
            "pluginId": null,
        })
    );
    daemon.shut_down();
}

#[test]
fn broken_skills_are_told_with_their_place() {
    let (sandbox, mut daemon) = world();
    install(&mut daemon, MANIFEST, "p");
    let entry = list(&mut daemon, json!({"cwds": ["$ROOT/proj/p/a"]}));
    let entry = shown(&entry, &sandbox);
    let errors = entry["errors"].as_array().unwrap();
    let paths: Vec<_> = errors.iter().map(|error| text(&error["path"])).collect();
    let bad = "$ROOT/proj/p/a/.agents/skills/bad/SKILL.md";
    let broken = "$ROOT/ch/plugins/cache/demo/p/1.0.0/skills/broken/SKILL.md";
    assert_eq!(paths, [bad, broken]);
    assert!(
        errors
            .iter()
            .all(|error| !text(&error["message"]).is_empty())
    );
    let problems = entry["problems"].as_array().unwrap();
    let rows: Vec<_> = problems
        .iter()
        .map(|row| format!("{} {}", text(&row["kind"]), text(&row["path"])))
        .collect();
    assert_eq!(
        rows,
        [format!("missingField {bad}"), format!("syntax {broken}")]
    );
    assert!(
        problems.iter().all(|row| row["line"].is_u64()),
        "{problems:#?}"
    );
    daemon.shut_down();
}

#[test]
fn directories_are_named_freely() {
    let (sandbox, mut daemon) = world();
    let own = list(&mut daemon, json!({}));
    assert_eq!(own["cwd"], sandbox.cwd().to_text());
    assert_eq!(names(&list(&mut daemon, json!({"cwds": []}))), names(&own));
    let params = json!({"cwds": ["$ROOT/gone", "rel", "$ROOT/proj/p/../p"]});
    let answer = daemon.ok("skills/list", params);
    let cwds: Vec<_> = answer["data"].as_array().unwrap().iter().collect();
    assert_eq!(cwds[1]["cwd"], "rel");
    let users = ["user also", "user mine", "system bundled"];
    assert_eq!(names(cwds[0]), users);
    assert_eq!(
        names(cwds[2]),
        [
            "repo base",
            "repo top",
            "user also",
            "user mine",
            "system bundled"
        ]
    );
    for params in [
        json!({"cwds": "x"}),
        json!({"cwds": [5]}),
        json!({"cwds": ["a\0b"]}),
    ] {
        assert_eq!(
            refused(&mut daemon, "skills/list", params),
            "-32602 invalidParams"
        );
    }
    daemon.shut_down();
}

#[test]
fn a_repository_without_a_head_has_skills_but_no_configuration() {
    let sandbox = Sandbox::from("== repo/.git/\n== repo/a/\n");
    for (place, name) in [(".agents", "one"), (".codex", "two")] {
        let text = format!("---\nname: {name}\ndescription: d\n---\n");
        sandbox.write(&format!("repo/{place}/skills/x/SKILL.md"), text);
    }
    let mut daemon = start(&sandbox);
    let names = |daemon: &mut Daemon, cwd: &str| names(&list(daemon, json!({"cwds": [cwd]})));
    assert_eq!(names(&mut daemon, "$ROOT/repo/a"), ["repo one"]);
    assert_eq!(names(&mut daemon, "$ROOT/repo"), ["repo one", "repo two"]);
    daemon.shut_down();
}

#[test]
fn a_file_that_a_repository_links_to_stays_the_users_or_the_plugins() {
    let (sandbox, mut daemon) = world();
    install(&mut daemon, MANIFEST, "p");
    sandbox.add(
        "== repo/.agents/skills/user -> ../../../home/.agents/skills/also\n\
         == repo/.agents/skills/plugin -> ../../../ch/plugins/cache/demo/p/1.0.0/skills/s\n",
    );
    let listed = list(&mut daemon, json!({"cwds": ["$ROOT/repo"]}));
    let expected = ["user also", "user mine", "user p:s", "system bundled"];
    assert_eq!(names(&listed), expected);
    assert_eq!(listed["skills"][2]["pluginId"], "p@demo");
    // What the client adds comes before the repository too.
    sandbox.write(
        "repo/.agents/skills/own/SKILL.md",
        "---\ndescription: d\n---\n",
    );
    let roots = json!({"extraRoots": ["$ROOT/repo/.agents/skills"]});
    daemon.ok("skills/extraRoots/set", roots);
    let listed = list(&mut daemon, json!({"cwds": ["$ROOT/repo"]}));
    assert!(names(&listed).contains(&"user own".to_owned()), "{listed}");
    daemon.shut_down();
}

#[test]
fn what_is_off_or_gone_brings_no_skills() {
    let (_sandbox, mut daemon) = world();
    install(&mut daemon, MANIFEST, "p");
    let brings =
        |daemon: &mut Daemon| names(&list(daemon, json!({}))).contains(&"user p:s".to_owned());
    assert!(brings(&mut daemon));
    for (key, back) in [
        ("plugins.\"p@demo\".enabled", true),
        ("features.plugins", true),
    ] {
        let write =
            |value: bool| json!({"keyPath": key, "value": value, "mergeStrategy": "replace"});
        daemon.ok("config/value/write", write(false));
        assert!(!brings(&mut daemon), "{key}");
        daemon.ok("config/value/write", write(back));
        assert!(brings(&mut daemon), "{key}");
    }
    let off =
        json!({"keyPath": "skills.bundled.enabled", "value": false, "mergeStrategy": "replace"});
    daemon.ok("config/value/write", off);
    assert!(!names(&list(&mut daemon, json!({}))).contains(&"system bundled".to_owned()));
    daemon.ok("plugin/uninstall", json!({"pluginId": "p@demo"}));
    assert!(!brings(&mut daemon));
    daemon.shut_down();
}

#[test]
fn a_path_into_the_cache_becomes_a_name_and_survives_an_upgrade() {
    let (sandbox, mut daemon) = world();
    install(&mut daemon, MANIFEST, "p");
    let before = sandbox.text("ch/config.toml");
    let switch = |daemon: &mut Daemon, version: &str, enabled: bool| {
        let params = json!({"path": cached(version), "enabled": enabled});
        let answer = daemon.ok("skills/config/write", params);
        assert_eq!(answer, json!({"effectiveEnabled": enabled}));
    };
    switch(&mut daemon, "1.0.0", false);
    assert_eq!(
        sandbox.text("ch/config.toml"),
        format!("{before}\n[[skills.config]]\nname = \"p:s\"\nenabled = false\n")
    );
    let manifest = r#"{"name": "p", "version": "2.0.0"}"#;
    sandbox.write("demo/p/.codex-plugin/plugin.json", manifest);
    install(&mut daemon, MANIFEST, "p");
    let entry = list(&mut daemon, json!({}));
    assert!(names(&entry).contains(&"-user p:s".to_owned()), "{entry:#}");
    // The client still knows the path of the old version.
    switch(&mut daemon, "1.0.0", true);
    assert_eq!(sandbox.text("ch/config.toml"), before);
    assert!(names(&list(&mut daemon, json!({}))).contains(&"user p:s".to_owned()));
    daemon.shut_down();
}

#[test]
fn a_rule_that_the_reference_wrote_survives_an_upgrade_and_can_be_removed() {
    let (sandbox, mut daemon) = world();
    install(&mut daemon, MANIFEST, "p");
    let before = sandbox.text("ch/config.toml");
    let rule = format!(
        "\n[[skills.config]]\npath = \"{}\"\nenabled = false\n",
        cached("0.9.0")
    );
    sandbox.write("ch/config.toml", sandbox.expand(&format!("{before}{rule}")));
    let entry = list(&mut daemon, json!({}));
    assert!(names(&entry).contains(&"-user p:s".to_owned()), "{entry:#}");
    let read = json!({"marketplacePath": MANIFEST, "pluginName": "p"});
    let plugin = daemon.ok("plugin/read", read);
    assert_eq!(plugin["plugin"]["skills"][0]["enabled"], false);
    let on = json!({"path": cached("1.0.0"), "enabled": true});
    assert_eq!(
        daemon.ok("skills/config/write", on),
        json!({"effectiveEnabled": true})
    );
    assert_eq!(sandbox.text("ch/config.toml"), before);
    daemon.shut_down();
}

#[test]
fn switching_by_name_and_what_is_refused() {
    let (sandbox, mut daemon) = world();
    let before = sandbox.text("ch/config.toml");
    for enabled in [false, true] {
        let params = json!({"name": "mine", "enabled": enabled});
        let answer = daemon.ok("skills/config/write", params);
        assert_eq!(answer["effectiveEnabled"], enabled);
        let sign = if enabled { "" } else { "-" };
        assert!(names(&list(&mut daemon, json!({}))).contains(&format!("{sign}user mine")));
    }
    assert_eq!(sandbox.text("ch/config.toml"), before);
    for params in [
        json!({"enabled": true}),
        json!({"name": " ", "enabled": true}),
        json!({"name": "mine", "path": "/a/SKILL.md", "enabled": true}),
        json!({"path": "a/SKILL.md", "enabled": true}),
        json!({"name": "mine"}),
        json!({"name": "mine", "enabled": "no"}),
    ] {
        let answer = refused(&mut daemon, "skills/config/write", params.clone());
        assert_eq!(answer, "-32602 invalidParams", "{params}");
    }
    sandbox.write("ch/config.toml", "broken = [");
    let params = json!({"name": "mine", "enabled": false});
    assert_eq!(
        refused(&mut daemon, "skills/config/write", params),
        "-32600 invalidInput"
    );
    assert_eq!(sandbox.text("ch/config.toml"), "broken = [");
    daemon.shut_down();
}

#[test]
fn extra_roots_hold_for_the_process() {
    let (sandbox, mut daemon) = world();
    sandbox.add("== more/x/SKILL.md\n---\ndescription: Extra\n---\n");
    let set = |daemon: &mut Daemon, roots: Value| {
        let answer = daemon.ok("skills/extraRoots/set", json!({"extraRoots": roots}));
        assert_eq!(answer, json!({}));
        names(&list(daemon, json!({}))).contains(&"user x".to_owned())
    };
    assert!(set(&mut daemon, json!(["$ROOT/more", "$ROOT/gone"])));
    for params in [
        json!({}),
        json!({"extraRoots": ["rel"]}),
        json!({"extraRoots": "x"}),
    ] {
        let answer = refused(&mut daemon, "skills/extraRoots/set", params);
        assert_eq!(answer, "-32602 invalidParams");
    }
    assert!(names(&list(&mut daemon, json!({}))).contains(&"user x".to_owned()));
    assert!(!set(&mut daemon, json!([])));
    daemon.shut_down();
}

#[test]
fn changes_by_others_are_told() {
    let (sandbox, mut daemon) = world();
    install(&mut daemon, MANIFEST, "p");
    list(&mut daemon, json!({"cwds": ["$ROOT/proj/p/a"]}));
    // A skill of the user, one in a place that did not exist, one of the installed copy.
    for file in [
        "ch/skills/mine/SKILL.md",
        "proj/p/a/.agents/skills/new/SKILL.md",
        "proj/p/.agents/skills/top/SKILL.md",
        "proj/p/.codex/skills/base/SKILL.md",
        "ch/plugins/cache/demo/p/1.0.0/skills/s/SKILL.md",
    ] {
        daemon.take_notifications("skills/changed");
        sandbox.write(file, "---\nname: changed\ndescription: Changed\n---\n");
        daemon.wait_notification("skills/changed", |_| true);
        list(&mut daemon, json!({"cwds": ["$ROOT/proj/p/a"]}));
    }
    daemon.take_notifications("skills/changed");
    let config = sandbox.text("ch/config.toml");
    sandbox.write(
        "ch/config.toml",
        format!("{config}\n[skills.bundled]\nenabled = false\n"),
    );
    daemon.wait_notification("skills/changed", |_| true);
    daemon.shut_down();
}

#[test]
fn a_client_that_has_listed_skills_hears_of_changes() {
    let (_sandbox, mut daemon) = world();
    // Nobody has listed them yet, so this is told to nobody.
    install(&mut daemon, MANIFEST, "p");
    list(&mut daemon, json!({}));
    assert_eq!(
        daemon.take_notifications("skills/changed"),
        Vec::<Value>::new()
    );
    let params = json!({"name": "p:s", "enabled": false});
    daemon.ok("skills/config/write", params);
    let told = daemon.wait_notification("skills/changed", |_| true);
    assert_eq!(told, json!({}));
    daemon.ok("plugin/uninstall", json!({"pluginId": "p@demo"}));
    daemon.wait_notification("skills/changed", |_| true);
    daemon.ok(
        "skills/extraRoots/set",
        json!({"extraRoots": ["$ROOT/more"]}),
    );
    daemon.wait_notification("skills/changed", |_| true);
    daemon.shut_down();
}
