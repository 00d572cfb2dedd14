//! Proves `plugin/read`: everything that is inside a plugin, from its source or from its entry,
//! and a precise refusal of what cannot be read.

use plugd_testkit::{Daemon, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    DEMO, DEMO_MANIFEST, check, config, hello, hold_lock, install, local, marketplace, plugin,
    refused, shown, start, summary, text, with,
};

/// A plugin with a part of every kind.
const RICH: &str = r##"
== ch/config.toml
[marketplaces.rich]
source_type = "local"
source = "$ROOT/rich"

[[skills.config]]
name = "rich:off"
enabled = false
== rich/.claude-plugin/marketplace.json
{"name": "rich", "plugins": [{"name": "rich", "source": "./"}]}
== rich/.codex-plugin/plugin.json
{"name": "rich", "version": "3.0.0", "description": "Has everything"}
== rich/skills/review/SKILL.md
---
name: review
description: Reviews a change
---
Look closely.
== rich/skills/off/SKILL.md
---
description: Is switched off
---
Not used.
== rich/hooks/hooks.json
{"hooks": {
  "Stop": [{"hooks": [{"type": "command", "command": "echo stop"}]}],
  "PreToolUse": [
    {"matcher": "Bash", "hooks": [
      {"type": "command", "command": "echo a"}, {"type": "prompt", "prompt": "b"}
    ]}
  ]
}}
== rich/.mcp.json
{"mcpServers": {"zeta": {"command": "zeta"}, "alpha": {"url": "https://example.invalid/mcp"}}}
== rich/.app.json
{"apps": {"drive": {"id": "connector_1"}}}
== rich/commands/tidy.md
---
description: Tidies
---
Tidy up.
"##;

const RICH_MANIFEST: &str = "$ROOT/rich/.claude-plugin/marketplace.json";

#[track_caller]
fn read(daemon: &mut Daemon, manifest: &str, plugin: &str) -> Value {
    daemon.ok("plugin/read", named(manifest, plugin))
}

fn named(manifest: &str, plugin: &str) -> Value {
    json!({"marketplacePath": manifest, "pluginName": plugin})
}

fn skill(name: &str, description: &str, path: &str, enabled: bool) -> Value {
    json!({
        "name": name, "description": description, "shortDescription": null, "interface": null,
        "path": path, "enabled": enabled,
    })
}

/// Every member of a plugin, with the given ones replaced.
fn detail(manifest: &str, members: Value) -> Value {
    let plain = json!({
        "marketplaceName": null, "marketplacePath": manifest, "summary": null, "shareUrl": null,
        "description": null, "skills": [], "onboardingSkill": null, "hooks": [], "apps": [],
        "appTemplates": [], "mcpServers": [], "scheduledTasks": null,
    });
    json!({"plugin": with(plain, members)})
}

#[test]
fn the_whole_answer() {
    let sandbox = Sandbox::from(RICH);
    let mut daemon = start(&sandbox);
    let expected = detail(
        RICH_MANIFEST,
        json!({
            "marketplaceName": "rich",
            "summary": summary("rich@rich", json!({
                "localVersion": "3.0.0", "source": local("rich"),
                "problems": [{
                    "kind": "badValue", "severity": "warning",
                    "message": "handlers of the type `prompt` are not run",
                    "path": "$ROOT/rich/hooks/hooks.json",
                    "field": "hooks.PreToolUse[0].hooks[1].type", "line": 5, "column": 58,
                }],
            })),
            "description": "Has everything",
            "skills": [
                skill("rich:off", "Is switched off", "$ROOT/rich/skills/off/SKILL.md", false),
                skill("rich:review", "Reviews a change", "$ROOT/rich/skills/review/SKILL.md", true),
            ],
            "hooks": [
                {"key": "rich@rich:hooks/hooks.json:pre_tool_use:0:0", "eventName": "preToolUse"},
                {"key": "rich@rich:hooks/hooks.json:pre_tool_use:0:1", "eventName": "preToolUse"},
                {"key": "rich@rich:hooks/hooks.json:stop:0:0", "eventName": "stop"},
            ],
            "mcpServers": ["alpha", "zeta"],
        }),
    );
    check(
        &read(&mut daemon, RICH_MANIFEST, "rich"),
        &sandbox,
        &expected,
    );
    // A local source is read where it is, installed or not.
    install(&mut daemon, RICH_MANIFEST, "rich");
    let mut expected = expected;
    let members = json!({"installed": true, "enabled": true, "installedVersion": "3.0.0"});
    expected["plugin"]["summary"] = with(expected["plugin"]["summary"].take(), members);
    check(
        &read(&mut daemon, RICH_MANIFEST, "rich"),
        &sandbox,
        &expected,
    );
    daemon.shut_down();
}

#[test]
fn an_installed_copy_that_differs_is_told() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    install(&mut daemon, DEMO_MANIFEST, "hello");
    let told = |daemon: &mut Daemon| {
        let plugin = read(daemon, DEMO_MANIFEST, "hello")["plugin"].take();
        let problems = plugin["summary"]["problems"].as_array().unwrap().iter();
        let kinds: Vec<_> = problems.map(|row| text(&row["kind"]).to_owned()).collect();
        (plugin["summary"]["updateAvailable"].clone(), kinds)
    };
    assert_eq!(told(&mut daemon), (json!(false), Vec::new()));
    // The version is the same, and nobody has listed, so no refresh has compared anything.
    let skill = "demo/plugins/hello/skills/greet/SKILL.md";
    let before = sandbox.text(skill);
    sandbox.write(skill, format!("{before}Wave.\n"));
    assert_eq!(
        told(&mut daemon),
        (json!(true), vec!["heldBack".to_owned()])
    );
    sandbox.write(skill, before);
    assert_eq!(told(&mut daemon), (json!(false), Vec::new()));
    daemon.shut_down();
}

#[test]
fn a_simple_one_and_one_that_may_not_be_installed() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    let path = "$ROOT/demo/plugins/hello/skills/greet/SKILL.md";
    let expected = detail(
        DEMO_MANIFEST,
        json!({
            "marketplaceName": "demo", "summary": hello(), "description": "Says hello",
            "skills": [skill("hello:greet", "Greets people", path, true)],
        }),
    );
    check(
        &read(&mut daemon, DEMO_MANIFEST, "hello"),
        &sandbox,
        &expected,
    );
    let expected = detail(
        DEMO_MANIFEST,
        json!({
            "marketplaceName": "demo",
            "summary": summary("locked@demo", json!({
                "source": local("demo/plugins/locked"), "installPolicy": "NOT_AVAILABLE",
            })),
        }),
    );
    check(
        &read(&mut daemon, DEMO_MANIFEST, "locked"),
        &sandbox,
        &expected,
    );
    daemon.shut_down();
}

#[test]
fn what_is_elsewhere_says_where() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    let answer = read(&mut daemon, DEMO_MANIFEST, "far");
    let plugin = &answer["plugin"];
    let description = text(&plugin["description"]);
    assert!(
        description.contains("https://example.invalid/far"),
        "{description}"
    );
    assert!(
        description.contains("main") && description.contains("installed"),
        "{description}"
    );
    assert_eq!(plugin["summary"]["localVersion"], Value::Null);
    assert_eq!(
        (&plugin["skills"], &plugin["mcpServers"]),
        (&json!([]), &json!([]))
    );
    daemon.shut_down();
}

#[test]
fn the_entry_describes_what_has_no_manifest() {
    let sandbox = Sandbox::from(
        r#"
== home/.agents/plugins/marketplace.json
{"name": "mine", "plugins": [{
  "name": "bare", "source": "./bare", "category": "Tools", "version": "0.3.0",
  "description": "No manifest", "displayName": "Bare", "homepage": "https://example.invalid",
  "author": {"name": "Ada"}
}]}
== home/bare/notes.md
x
"#,
    );
    let mut daemon = start(&sandbox);
    let answer = read(
        &mut daemon,
        "$ROOT/home/.agents/plugins/marketplace.json",
        "bare",
    );
    let plugin = &answer["plugin"];
    assert_eq!(plugin["description"], "No manifest");
    assert_eq!(plugin["summary"]["localVersion"], "0.3.0");
    let shown = &plugin["summary"]["interface"];
    let members = ["displayName", "developerName", "websiteUrl", "category"];
    let values = members.map(|member| text(&shown[member]));
    assert_eq!(values, ["Bare", "Ada", "https://example.invalid", "Tools"]);
    daemon.shut_down();
}

#[test]
fn a_changed_source_is_told_beside_the_copy() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    install(&mut daemon, DEMO_MANIFEST, "hello");
    sandbox.add(&plugin("demo/plugins/hello", "hello", "1.1.0"));
    let answer = read(&mut daemon, DEMO_MANIFEST, "hello");
    let summary = &answer["plugin"]["summary"];
    assert_eq!(summary["localVersion"], "1.1.0");
    assert_eq!(summary["installedVersion"], "1.0.0");
    assert_eq!(summary["updateAvailable"], true);
    daemon.shut_down();
}

#[test]
fn refusals() {
    let sandbox = Sandbox::from(DEMO);
    sandbox.add(&marketplace(
        "bad",
        "bad",
        &[("broken", "1"), ("nodir", "1")],
    ));
    sandbox.write("bad/broken/.codex-plugin/plugin.json", "{\"name\": null}");
    sandbox.remove("bad/nodir");
    sandbox.write(
        "half/.agents/plugins/marketplace.json",
        "{\"name\": \"half\", ",
    );
    sandbox.add(&marketplace("curated", "openai-curated", &[("p", "1")]));
    let mut daemon = start(&sandbox);
    let in_dir = |dir: &str| format!("$ROOT/{dir}/.agents/plugins/marketplace.json");
    for (params, expected) in [
        (named(DEMO_MANIFEST, "nobody"), "-32600 notFound"),
        (named(DEMO_MANIFEST, ""), "-32600 notFound"),
        (named(&in_dir("nowhere"), "p"), "-32600 notFound"),
        (named(&in_dir("bad"), "broken"), "-32600 invalidInput"),
        (named(&in_dir("bad"), "nodir"), "-32600 notFound"),
        (named(&in_dir("half"), "p"), "-32600 invalidInput"),
        (named(&in_dir("curated"), "p"), "-32600 notAllowed"),
        (json!({"pluginName": "hello"}), "-32600 invalidInput"),
        (
            json!({"pluginName": "p", "remoteMarketplaceName": "x"}),
            "-32600 notAllowed",
        ),
        (
            json!({"pluginName": "p", "remoteMarketplaceName": "x", "marketplacePath": "/a"}),
            "-32600 invalidInput",
        ),
        (
            json!({"marketplacePath": DEMO_MANIFEST}),
            "-32602 invalidParams",
        ),
        (
            named("demo/marketplace.json", "hello"),
            "-32602 invalidParams",
        ),
        (named("~/marketplace.json", "hello"), "-32602 invalidParams"),
        (
            json!({"marketplacePath": 5, "pluginName": "hello"}),
            "-32602 invalidParams",
        ),
    ] {
        let got = refused(&mut daemon, "plugin/read", params.clone());
        assert_eq!(got, expected, "{params}");
    }
    daemon.shut_down();
}

#[test]
fn refusals_say_what_a_program_can_act_on() {
    let sandbox = Sandbox::from(DEMO);
    sandbox.write(
        "demo/plugins/hello/.codex-plugin/plugin.json",
        "{\n  \"name\": 5\n}",
    );
    let mut daemon = start(&sandbox);
    let error = daemon.err("plugin/read", named(DEMO_MANIFEST, "hello"));
    let message = text(&error["message"]);
    assert!(
        message.contains("missing or invalid plugin.json"),
        "{message}"
    );
    let data = shown(&error["data"], &sandbox);
    assert_eq!(data["plugin"], "hello@demo");
    assert_eq!(
        data["path"],
        "$ROOT/demo/plugins/hello/.codex-plugin/plugin.json"
    );
    assert_eq!((&data["field"], &data["line"]), (&json!("name"), &json!(2)));
    let error = daemon.err("plugin/read", named(DEMO_MANIFEST, "tool"));
    let said = error.to_string();
    assert!(
        said.contains("was not found") && said.contains("tools"),
        "{said}"
    );
    daemon.shut_down();
}

#[test]
fn plugins_switched_off_is_a_refusal() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = crate::fixtures::launch()
        .args(&["--disable", "plugins"])
        .start(&sandbox);
    daemon.initialize();
    assert_eq!(
        refused(&mut daemon, "plugin/read", named(DEMO_MANIFEST, "hello")),
        "-32600 notAllowed"
    );
    daemon.shut_down();
}

#[test]
fn it_does_not_wait_for_a_write() {
    let sandbox = Sandbox::from(DEMO);
    sandbox.add(&config(&[("demo", "demo")]));
    let mut daemon = start(&sandbox);
    install(&mut daemon, DEMO_MANIFEST, "tools");
    let lock = hold_lock(&sandbox, "store");
    let waiting = daemon.request("plugin/install", named(DEMO_MANIFEST, "hello"));
    let answer = read(&mut daemon, DEMO_MANIFEST, "hello");
    assert_eq!(answer["plugin"]["summary"]["installed"], false);
    drop(lock);
    daemon.response(waiting);
    let answer = read(&mut daemon, DEMO_MANIFEST, "hello");
    assert_eq!(answer["plugin"]["summary"]["installed"], true);
    daemon.shut_down();
}
