//! Proves that a broken piece of a plugin spoils itself only, on every way on which components are
//! seen, and that each is told with its place.

use plugd_testkit::{Daemon, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{cli, install, start, text};

const MANIFEST: &str = "$ROOT/demo/.agents/plugins/marketplace.json";

/// One plugin whose pieces are broken in every way, each beside a good one.
const WORLD: &str = r#"
== ch/config.toml
[marketplaces.demo]
source_type = "local"
source = "$ROOT/demo"
== demo/.agents/plugins/marketplace.json
{"name": "demo", "plugins": [{"name": "bad", "source": "./bad"}]}
== demo/bad/.codex-plugin/plugin.json
{"name": "bad", "version": "1.0.0", "author": 5, "keywords": "x", "interface": {"logo": {}}}
== demo/bad/skills/fine/SKILL.md
---
name: fine
description: Works
---
== demo/bad/skills/yaml/SKILL.md
---
name: [
---
== demo/bad/skills/alias/SKILL.md
---
name: &a [*a]
---
== demo/bad/skills/types/SKILL.md
---
name: {}
description: []
---
== demo/bad/skills/huge/SKILL.md (size 9000000)
== demo/bad/skills/latin/SKILL.md (hex)
2d2d2d0a6e616d653a206c6174696e0a6465736372697074696f6e3a20ff0a2d2d2d0a
== demo/bad/skills/loop -> ../skills
== demo/bad/.mcp.json
{"mcpServers": {"one": 5, "two": {"command": 5}, "fine": {"command": "fine"}}}
== demo/bad/hooks/hooks.json
{"hooks": {"Stop": [5, {"hooks": [{"type": "command", "command": 7},
  {"type": "command", "command": "fine"}]}]}}
== demo/bad/.app.json
{"apps": {"one": 5, "fine": {"id": "fine"}}}
"#;

/// The files that something is wrong with, of a list of problems.
fn files(problems: &Value) -> Vec<String> {
    let rows = problems.as_array().into_iter().flatten();
    let mut files: Vec<String> = rows
        .filter_map(|row| text(&row["path"]).split("/bad/").nth(1))
        .map(|path| path.trim_start_matches("1.0.0/").to_owned())
        .collect();
    files.sort();
    files.dedup();
    files
}

/// Every broken file is told of.
#[track_caller]
fn check_told(what: &str, problems: &Value, expected: &[&str]) {
    let told = files(problems);
    for file in expected {
        assert!(
            told.iter().any(|one| one == file),
            "{what}: {file} in {told:?}"
        );
    }
}

fn names(rows: &Value, name: &str) -> Vec<String> {
    let rows = rows.as_array().into_iter().flatten();
    rows.map(|row| text(&row[name]).to_owned()).collect()
}

const SKILLS: [&str; 4] = [
    "skills/alias/SKILL.md",
    "skills/huge/SKILL.md",
    "skills/latin/SKILL.md",
    "skills/yaml/SKILL.md",
];

#[test]
fn what_is_offered_shows_its_good_pieces() {
    let sandbox = Sandbox::from(WORLD);
    let mut daemon = start(&sandbox);
    let params = json!({"marketplacePath": MANIFEST, "pluginName": "bad"});
    let plugin = &daemon.ok("plugin/read", params)["plugin"];
    assert_eq!(names(&plugin["skills"], "name"), ["bad:fine"]);
    assert_eq!(plugin["mcpServers"], json!(["fine"]));
    assert_eq!(plugin["hooks"].as_array().map(Vec::len), Some(1));
    let problems = &plugin["summary"]["problems"];
    check_told("read", problems, &SKILLS);
    check_told("read", problems, &[".mcp.json", "hooks/hooks.json"]);
    let looked = daemon.ok("plugd/inspect", json!({"pluginId": "bad@demo"}));
    assert_eq!(names(&looked["offered"]["mcpServers"], "name"), ["fine"]);
    check_told("inspect", &looked["offered"]["problems"], &SKILLS);
    daemon.shut_down();
    let path = sandbox.path("demo/bad").to_text();
    let output = cli(&sandbox, &["validate", &path, "--json"]);
    assert_eq!(output.code(), 1);
    check_told(
        "validate",
        &output.json()["subjects"][0]["problems"],
        &SKILLS,
    );
}

#[test]
fn what_is_installed_works_with_its_good_pieces() {
    let sandbox = Sandbox::from(WORLD);
    let mut daemon = start(&sandbox);
    install(&mut daemon, MANIFEST, "bad");
    let skills = daemon.ok("skills/list", json!({"cwds": ["$ROOT/work"]}));
    let entry = &skills["data"][0];
    assert_eq!(names(&entry["skills"], "name"), ["bad:fine"]);
    check_told("skills/list", &entry["errors"], &SKILLS);
    let hooks = daemon.ok("hooks/list", json!({}));
    assert_eq!(names(&hooks["data"][0]["hooks"], "command"), ["fine"]);
    check_told(
        "hooks/list",
        &hooks["data"][0]["problems"],
        &["hooks/hooks.json"],
    );
    let loaded = daemon.ok("plugd/components", json!({"lease": true}));
    assert_eq!(names(&loaded["skills"], "name"), ["bad:fine"]);
    assert_eq!(names(&loaded["mcpServers"], "name"), ["fine"]);
    assert_eq!(names(&loaded["apps"], "id"), ["fine"]);
    daemon.shut_down();
}

/// More skills than anybody has are cut with a word about it, and the answer comes.
#[test]
fn more_skills_than_are_looked_at() {
    let sandbox = Sandbox::new();
    let mut world = String::new();
    // One that is larger than anybody reads is told, too, and costs no time.
    world.push_str("== ch/skills/huge/SKILL.md (size 50000000)\n");
    for number in 0..3_000 {
        world.push_str(&format!(
            "== ch/skills/s{number}/SKILL.md\n---\nname: s{number}\ndescription: One\n---\n"
        ));
    }
    sandbox.add(&world);
    let mut daemon: Daemon = start(&sandbox);
    let listed = daemon.ok("skills/list", json!({}));
    let entry = &listed["data"][0];
    let count = entry["skills"].as_array().map_or(0, Vec::len);
    assert!((1_000..3_000).contains(&count), "{count}");
    assert!(!entry["errors"].as_array().unwrap().is_empty());
    daemon.shut_down();
}
