//! Proves `plugd/inspect`: everything that would run or be read by a model, of what is offered and of
//! what is installed, what differs, and that a look leaves nothing behind.

use plugd_testkit::{Daemon, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    DEMO, DEMO_MANIFEST, check, cli, config, home_tree, install, refused, shown, start, text,
};
use crate::git_plugin_install::Shop;
use crate::remotes::nothing_left;

/// A plugin with something of every kind to look at.
const RICH: &str = r#"
== rich/.agents/plugins/marketplace.json
{"name": "rich", "plugins": [{"name": "rich", "source": "./p"}]}
== rich/p/.codex-plugin/plugin.json
{"name": "rich", "version": "1.0.0", "license": "MIT", "interface": {"displayName": "Rich"}}
== rich/p/.mcp.json
{"mcpServers": {"docs": {"command": "npx", "args": ["${DOCS_KEY}"], "env": {"MODE": "x"}},
                "net": {"url": "https://example.invalid/mcp"}}}
== rich/p/hooks/hooks.json
{"hooks": {"PreToolUse": [{"matcher": "Bash",
  "hooks": [{"type": "command", "command": "${PLUGIN_ROOT}/run.sh"}]}]}}
== rich/p/run.sh (mode 755)
#!/bin/sh
echo "$API_TOKEN"
== rich/p/skills/greet/SKILL.md
---
description: Greets
---
Say hello.
== rich/p/commands/tidy.md
---
description: Tidies
---
Tidy up.
== rich/p/LICENSE
MIT
"#;

const RICH_MANIFEST: &str = "$ROOT/rich/.agents/plugins/marketplace.json";

fn rich() -> Sandbox {
    let sandbox = Sandbox::from(&config(&[("rich", "rich")]));
    sandbox.add(RICH);
    sandbox
}

#[track_caller]
fn inspect(daemon: &mut Daemon, params: Value) -> Value {
    daemon.ok("plugd/inspect", params)
}

fn by_id(id: &str) -> Value {
    json!({"pluginId": id})
}

/// The changes as `category name`, with a sign for what came, went or became something else.
fn changes(answer: &Value) -> Vec<String> {
    let rows = answer["difference"]["changes"].as_array().unwrap().iter();
    rows.map(|row| {
        let sign = match (row["from"].is_null(), row["to"].is_null()) {
            (true, _) => '+',
            (_, true) => '-',
            _ => '~',
        };
        format!("{sign} {} {}", text(&row["category"]), text(&row["name"]))
    })
    .collect()
}

#[test]
fn before_an_installation() {
    let sandbox = rich();
    let mut daemon = start(&sandbox);
    let before = home_tree(&sandbox);
    let mut answer = inspect(&mut daemon, by_id("rich@rich"));
    assert_eq!(home_tree(&sandbox), before);
    let offered = &mut answer["offered"];
    assert!(
        text(&offered["treeDigest"]).starts_with("sha256:"),
        "{offered:#}"
    );
    let texts = offered["texts"].as_array().unwrap().iter();
    let texts: Vec<&str> = texts.map(|one| text(&one["path"])).collect();
    assert_eq!(
        texts,
        [
            ".codex-plugin/plugin.json",
            "commands/tidy.md",
            "skills/greet/SKILL.md"
        ]
    );
    for varying in ["treeDigest", "texts", "bytes", "directories"] {
        offered.as_object_mut().unwrap().remove(varying);
    }
    let expected = json!({
        "pluginId": "rich@rich", "displayName": "Rich", "installed": null, "difference": null,
        "linked": null, "trust": null,
        "problems": [],
        "offered": {
            "root": "$ROOT/rich/p", "version": "1.0.0",
            "mcpServers": [
                {"name": "docs", "enabled": true, "obstacle": null, "transport": {
                    "type": "stdio", "command": "npx", "args": ["${DOCS_KEY}"], "env": ["MODE"],
                    "cwd": null}},
                {"name": "net", "enabled": true, "obstacle": null, "transport": {
                    "type": "http", "url": "https://example.invalid/mcp", "headers": [],
                    "headersHelper": null}},
            ],
            "hooks": [{
                "key": "rich@rich:hooks/hooks.json:pre_tool_use:0:0", "eventName": "preToolUse",
                "matcher": "Bash", "obstacle": null, "handler": {
                    "type": "command", "command": "${PLUGIN_ROOT}/run.sh",
                    "commandWindows": null}}],
            "apps": [],
            "executables": [{"path": "run.sh", "bytes": 28, "kind": "script",
                             "interpreter": "sh", "marked": true}],
            "environment": [
                {"name": "API_TOKEN", "readers": ["run.sh"]},
                {"name": "DOCS_KEY", "readers": ["mcp:docs"]},
            ],
            "hiddenCharacters": [], "licence": "MIT", "licenceFiles": ["LICENSE"],
            "oddities": [], "files": 7, "cut": [], "problems": [],
        },
    });
    check(&answer, &sandbox, &expected);
    daemon.shut_down();
}

#[test]
fn an_installation_adds_nothing_to_the_difference_and_a_change_does() {
    let sandbox = rich();
    let mut daemon = start(&sandbox);
    install(&mut daemon, RICH_MANIFEST, "rich");
    let answer = inspect(&mut daemon, by_id("rich@rich"));
    assert_eq!(changes(&answer), Vec::<String>::new(), "{answer:#}");
    assert_eq!(
        shown(&answer, &sandbox)["installed"]["root"],
        "$ROOT/ch/plugins/cache/rich/rich/1.0.0"
    );
    sandbox.write("rich/p/run.sh", "#!/bin/sh\ncurl \"$OTHER\"\n");
    sandbox.write(
        "rich/p/.mcp.json",
        r#"{"mcpServers": {"docs": {"command": "evil"}}}"#,
    );
    sandbox.write(
        "rich/p/skills/greet/SKILL.md",
        "---\ndescription: Greets\n---\nSay \u{202e}hello.\n",
    );
    let answer = inspect(&mut daemon, by_id("rich@rich"));
    assert_eq!(
        changes(&answer),
        [
            "~ mcpServer docs",
            "- mcpServer net",
            "~ executable run.sh",
            "- environment API_TOKEN",
            "- environment DOCS_KEY",
            "+ environment OTHER",
            "~ text skills/greet/SKILL.md",
            "+ hiddenCharacters skills/greet/SKILL.md U+202E bidirectional",
            "~ file .mcp.json",
        ],
        "{answer:#}"
    );
    let hidden = &answer["offered"]["hiddenCharacters"][0];
    assert_eq!((&hidden["line"], &hidden["column"]), (&json!(4), &json!(5)));
    assert_eq!(answer["installed"]["hiddenCharacters"], json!([]));
    daemon.shut_down();
}

/// Nothing in the tree looks like a program, and all of it is started.
#[test]
fn scripts_that_a_plugin_starts_are_seen() {
    let sandbox = rich();
    sandbox.write("rich/p/server.js", "1");
    sandbox.write("rich/p/settings", "1");
    sandbox.write("rich/p/data.json", "1");
    sandbox.write(
        "rich/p/.mcp.json",
        r#"{"mcpServers": {"docs": {"command": "node",
            "args": ["${PLUGIN_ROOT}/server.js", "./settings"]}, "out": {"command": "../x"}}}"#,
    );
    let mut daemon = start(&sandbox);
    install(&mut daemon, RICH_MANIFEST, "rich");
    let answer = inspect(&mut daemon, by_id("rich@rich"));
    assert_eq!(changes(&answer), Vec::<String>::new(), "{answer:#}");
    let installed = &answer["installed"];
    let runs = installed["executables"].as_array().unwrap().iter();
    let runs: Vec<_> = runs
        .map(|one| (text(&one["path"]), text(&one["kind"])))
        .collect();
    assert_eq!(
        runs,
        [
            ("run.sh", "script"),
            ("server.js", "script"),
            ("settings", "unknown")
        ]
    );
    assert_eq!(
        installed["mcpServers"][1]["obstacle"],
        "the command leaves the plugin's directory"
    );
    for file in ["server.js", "settings", "data.json", "LICENSE"] {
        sandbox.write(&format!("rich/p/{file}"), "2");
    }
    let answer = inspect(&mut daemon, by_id("rich@rich"));
    assert_eq!(
        changes(&answer),
        [
            "~ executable server.js",
            "~ executable settings",
            "~ licence LICENSE",
            "~ file data.json",
        ],
        "{answer:#}"
    );
    daemon.shut_down();
}

/// An installation puts copies in the place of links. Nothing of the plugin has changed by that.
#[test]
fn links_inside_a_plugin_make_no_difference() {
    let sandbox = rich();
    sandbox.add(
        "== rich/p/real/k/SKILL.md\n---\nname: k\ndescription: k\u{200b}\n---\nx\n\
         == rich/p/skills/k -> ../real/k\n== rich/p/linked.sh -> run.sh\n\
         == rich/p/again -> real\n",
    );
    let mut daemon = start(&sandbox);
    install(&mut daemon, RICH_MANIFEST, "rich");
    let before = home_tree(&sandbox);
    let answer = inspect(&mut daemon, by_id("rich@rich"));
    assert_eq!(home_tree(&sandbox), before);
    let difference = &answer["difference"];
    assert_eq!(changes(&answer), Vec::<String>::new(), "{difference:#}");
    for number in ["files", "bytes"] {
        let number = &difference[number];
        assert_eq!(number["from"], number["to"], "{difference:#}");
    }
    sandbox.write(
        "rich/p/real/k/SKILL.md",
        "---\nname: k\ndescription: l\n---\nx\n",
    );
    let answer = inspect(&mut daemon, by_id("rich@rich"));
    let changes = changes(&answer);
    assert!(
        changes.contains(&"~ text skills/k/SKILL.md".to_owned()),
        "{changes:?}"
    );
    nothing_left(&sandbox);
    daemon.shut_down();
}

/// An installation leaves a link out that leads out. What started there must not become something else
/// by that, and installing it again would change nothing.
#[test]
fn a_server_behind_a_link_that_leads_out_is_told() {
    let sandbox = Sandbox::from(&config(&[("m", "m")]));
    let schema = "https://agent-plugins.org/schemas/1.0.0";
    sandbox.add(&format!(
        "== m/.agents/plugins/marketplace.json\n\
         {{\"name\": \"m\", \"plugins\": [{{\"name\": \"p\", \"source\": \"./p\"}}]}}\n\
         == m/p/plugin.json\n{{\"$schema\": \"{schema}/plugin.schema.json\", \"name\": \"p\"}}\n\
         == m/p/mcp.json\n{{\"$schema\": \"{schema}/mcp.schema.json\", \"mcpServers\": {{\n\
         \"program\": {{\"type\": \"stdio\", \"command\": \"./out\"}},\n\
         \"place\": {{\"type\": \"stdio\", \"command\": \"true\", \"cwd\": \"./d\"}}}}}}\n\
         == m/p/out -> /bin/true\n== m/p/d -> /bin\n"
    ));
    let manifest = "$ROOT/m/.agents/plugins/marketplace.json";
    let mut daemon = start(&sandbox);
    let params = json!({"marketplacePath": manifest, "pluginName": "p"});
    let read = daemon.ok("plugin/read", params);
    assert_eq!(read["plugin"]["mcpServers"], json!([]));
    install(&mut daemon, manifest, "p");
    let answer = daemon.ok("plugd/components", json!({}));
    let problems = answer["problems"].as_array().unwrap();
    let told: Vec<_> = problems.iter().map(|one| text(&one["message"])).collect();
    assert_eq!(told, ["`d` does not exist", "`out` does not exist"]);
    let answer = inspect(&mut daemon, by_id("p@m"));
    assert_eq!(changes(&answer), Vec::<String>::new(), "{answer:#}");
    assert_eq!(
        answer["installed"]["mcpServers"][0]["obstacle"],
        "`d` does not exist"
    );
    daemon.shut_down();
}

#[test]
fn what_nobody_offers_any_more_is_still_shown() {
    let sandbox = rich();
    let mut daemon = start(&sandbox);
    install(&mut daemon, RICH_MANIFEST, "rich");
    let manifest = "rich/.agents/plugins/marketplace.json";
    sandbox.write(manifest, r#"{"name": "rich", "plugins": []}"#);
    let answer = inspect(&mut daemon, by_id("rich@rich"));
    assert_eq!(
        (&answer["offered"], &answer["difference"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(answer["installed"]["version"], "1.0.0");
    assert_eq!(answer["problems"][0]["kind"], "missing", "{answer:#}");
    daemon.shut_down();
}

#[test]
fn a_directory_needs_no_marketplace() {
    let sandbox = rich();
    let mut daemon = start(&sandbox);
    let path = json!({"path": "$ROOT/rich/p"});
    let answer = inspect(&mut daemon, path);
    assert_eq!(answer["pluginId"], Value::Null);
    assert_eq!(answer["offered"]["files"], 7);
    let named = json!({"marketplacePath": RICH_MANIFEST, "pluginName": "rich"});
    assert_eq!(inspect(&mut daemon, named)["pluginId"], "rich@rich");
    daemon.shut_down();
}

#[test]
fn broken_parts_spoil_themselves_only() {
    let sandbox = rich();
    sandbox.write("rich/p/hooks/hooks.json", "{\n  \"hooks\": 7\n}");
    sandbox.write("rich/p/skills/bad/SKILL.md", "---\nname: [\n---\n");
    sandbox.write(
        "rich/p/.mcp.json",
        "{\"mcpServers\": {\n\"a\": 1, \"b\": {\"command\": \"b\"}}}",
    );
    let mut daemon = start(&sandbox);
    let answer = shown(&inspect(&mut daemon, by_id("rich@rich")), &sandbox);
    let offered = &answer["offered"];
    assert_eq!(offered["mcpServers"][0]["name"], "b");
    assert_eq!(offered["hooks"], json!([]));
    let problems = offered["problems"].as_array().unwrap();
    for (file, line) in [
        ("p/hooks/hooks.json", 2),
        ("p/skills/bad/SKILL.md", 2),
        ("p/.mcp.json", 2),
    ] {
        let path = format!("$ROOT/rich/{file}");
        let found = problems
            .iter()
            .any(|one| one["path"] == path.as_str() && one["line"] == line);
        assert!(found, "{file}: {offered:#}");
    }
    daemon.shut_down();
}

#[test]
fn what_lies_in_a_repository_is_fetched_and_not_kept() {
    let shop = Shop::open();
    shop.offer_p();
    let mut daemon = shop.start();
    let answer = inspect(&mut daemon, by_id("p@demo"));
    let offered = &answer["offered"];
    assert_eq!(
        (&offered["root"], &offered["version"]),
        (&Value::Null, &json!("1.0.0")),
        "{answer:#}"
    );
    assert!(offered["files"].as_u64().unwrap() > 0, "{answer:#}");
    assert!(!answer.to_string().contains("staging"), "{answer:#}");
    assert!(!shop.sandbox.exists("ch/plugins/cache"));
    nothing_left(&shop.sandbox);
    daemon.shut_down();
}

#[test]
fn refusals() {
    let sandbox = Sandbox::from(DEMO);
    sandbox.write("demo/plugins/tools/.codex-plugin/plugin.json", "{");
    sandbox.write("empty/notes.md", "no plugin\n");
    let mut daemon = start(&sandbox);
    let mut check = |params: Value, expected: &str| {
        let shown = params.to_string();
        assert_eq!(
            refused(&mut daemon, "plugd/inspect", params),
            expected,
            "{shown}"
        );
    };
    let nothing = "-32602 invalidParams";
    check(json!({}), nothing);
    check(json!({"pluginId": 7}), nothing);
    check(json!(["x"]), nothing);
    check(json!({"path": "relative"}), nothing);
    check(json!({"marketplacePath": DEMO_MANIFEST}), nothing);
    check(
        json!({"pluginId": "hello@demo", "path": "$ROOT/demo"}),
        nothing,
    );
    check(by_id("hello"), "-32600 invalidInput");
    check(by_id("nobody@demo"), "-32600 notFound");
    check(by_id("hello@nowhere"), "-32600 notFound");
    check(by_id("tools@demo"), "-32600 invalidInput");
    check(json!({"path": "$ROOT/empty"}), "-32600 invalidInput");
    check(json!({"path": "$ROOT/gone"}), "-32600 invalidInput");
    let remote = json!({"remoteMarketplaceName": "r", "pluginName": "p"});
    check(remote, "-32600 notAllowed");
    daemon.shut_down();
}

#[test]
fn on_the_command_line() {
    let sandbox = rich();
    let output = cli(&sandbox, &["plugin", "inspect", "rich@rich"]);
    assert_eq!((output.code(), output.stderr.as_str()), (0, ""), "{output}");
    for line in [
        "rich@rich\n",
        "  docs: MODE=x npx ${DOCS_KEY}\n",
        "  net: https://example.invalid/mcp\n",
        "  PreToolUse for Bash: ${PLUGIN_ROOT}/run.sh\n",
        "  run.sh: script for sh, 28 bytes\n",
        "  API_TOKEN (run.sh)\n",
        "Licence: MIT, LICENSE\n",
        "Installed: no\n",
    ] {
        assert!(output.stdout.contains(line), "{line:?} in {output}");
    }
    let mut daemon = start(&sandbox);
    let expected = inspect(&mut daemon, by_id("rich@rich"));
    daemon.shut_down();
    let output = cli(&sandbox, &["plugin", "inspect", "rich@rich", "--json"]);
    assert_eq!(output.json(), expected);
    let output = cli(&sandbox, &["plugin", "inspect", "$ROOT/rich/p"]);
    assert_eq!(output.code(), 0, "{output}");
    let output = cli(&sandbox, &["plugin", "inspect", "nobody@rich"]);
    assert_eq!((output.code(), output.stdout.as_str()), (1, ""), "{output}");
}
