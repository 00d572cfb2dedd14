//! Proves `plugd/components` and `plugd/release`: what a host loads, resolved and with its origin,
//! what loses and what is broken with its place, and that a leased version never changes.

use plugd_testkit::{Daemon, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    hold_lock, install, launch, refused, shown, start, start_listening, text, with,
};

const MANIFEST: &str = "$ROOT/m/.agents/plugins/marketplace.json";

/// Two plugins whose servers clash; one has a part of every kind, some of them broken.
const HOME: &str = r#"
== ch/config.toml
[marketplaces.m]
source_type = "local"
source = "$ROOT/m"
== m/.agents/plugins/marketplace.json
{"name": "m", "plugins": [
  {"name": "rich", "source": "./rich"}, {"name": "second", "source": "./second"}
]}
== m/rich/.codex-plugin/plugin.json
{"name": "rich", "version": "1.0.0", "description": "Has it all",
 "interface": {"displayName": "Rich one"}}
== m/rich/skills/review/SKILL.md
---
name: review
description: Reviews
---
Look.
== m/rich/skills/broken/SKILL.md
---
name: broken
---
No description.
== m/rich/.mcp.json
{"mcpServers": {
  "docs": {"command": "./serve.sh", "args": ["--key", "${DOCS_KEY:-none}"],
           "env": {"ROOT": "${CLAUDE_PLUGIN_ROOT}/x"}, "timeout": 3},
  "out": {"command": "../../evil.sh"},
  "web": {"url": "https://example.invalid/mcp", "bearer_token_env_var": "WEB_TOKEN",
          "http_headers_helper": "${CLAUDE_PLUGIN_ROOT}/headers.sh ${WHO}"}
}}
== m/rich/serve.sh (mode 755)
echo 1.0.0
== m/rich/hooks/hooks.json
{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "${PLUGIN_ROOT}/bye.sh"}]}]}}
== m/rich/.app.json
{"apps": {"drive": {"id": "connector_1", "category": "Files"}}}
== m/second/.codex-plugin/plugin.json
{"name": "second", "version": "2.0.0"}
== m/second/.mcp.json
{"docs": {"command": "other"}, "own": {"command": "mine"}}
"#;

const CACHE: &str = "$ROOT/ch/plugins/cache/m/rich/1.0.0";

#[track_caller]
fn installed(sandbox: &Sandbox) -> Daemon {
    let mut daemon = start(sandbox);
    install(&mut daemon, MANIFEST, "rich");
    install(&mut daemon, MANIFEST, "second");
    daemon
}

#[track_caller]
fn components(daemon: &mut Daemon, params: Value) -> Value {
    let answer = daemon.ok("plugd/components", params);
    shown(&answer, &daemon.sandbox().clone())
}

fn names<'a>(answer: &'a Value, list: &str) -> Vec<&'a str> {
    let rows = answer[list].as_array().unwrap().iter();
    rows.map(|row| text(&row["name"])).collect()
}

/// The problems of an answer as kinds with the ends of their paths.
fn problems(answer: &Value) -> Vec<String> {
    let rows = answer["problems"].as_array().unwrap().iter();
    rows.map(|row| {
        let path = text(&row["path"]);
        let name = path.rsplit('/').next().unwrap_or(path);
        format!("{} {name}:{}", text(&row["kind"]), row["line"])
    })
    .collect()
}

fn of_rich(members: Value) -> Value {
    let origin = json!({
        "pluginId": "rich@m", "pluginDisplayName": "Rich one", "version": "1.0.0",
    });
    with(origin, members)
}

fn server(members: Value) -> Value {
    let plain = json!({
        "oauth": null, "scopes": [], "startupTimeoutMs": null, "toolTimeoutMs": null,
        "enabledTools": null, "disabledTools": [], "defaultToolsApprovalMode": null,
        "toolsApprovalMode": {}, "neededEnv": [], "enabled": true, "required": false, "extra": {},
    });
    with(of_rich(plain), members)
}

#[test]
fn the_whole_answer_of_a_new_home() {
    let mut daemon = start(&Sandbox::new());
    let expected = json!({
        "plugins": [], "skillRoots": [], "skills": [], "mcpServers": [], "shadowed": [],
        "hooks": [], "apps": [], "leaseId": null, "problems": [],
    });
    assert_eq!(components(&mut daemon, json!({})), expected);
    daemon.shut_down();
}

#[test]
fn every_piece_is_ready_and_says_where_it_comes_from() {
    let sandbox = Sandbox::from(HOME);
    let mut daemon = installed(&sandbox);
    let answer = components(&mut daemon, json!({}));
    let plugin = &answer["plugins"][0];
    assert!(
        text(&plugin["treeDigest"]).starts_with("sha256:"),
        "{plugin}"
    );
    let expected = json!({
        "pluginId": "rich@m", "displayName": "Rich one", "description": "Has it all",
        "version": "1.0.0", "root": CACHE, "treeDigest": plugin["treeDigest"], "linked": null,
        "data": "$ROOT/ch/plugins/data/rich-m",
    });
    assert_eq!(plugin, &expected);
    assert_eq!(answer["plugins"][1]["displayName"], "second");
    let root = json!({"path": format!("{CACHE}/skills"), "scope": "user", "pluginId": "rich@m"});
    assert_eq!(answer["skillRoots"], json!([root]));
    let skill = of_rich(json!({
        "name": "rich:review", "description": "Reviews", "shortDescription": null,
        "interface": null, "dependencies": null, "scope": "user", "enabled": true,
        "path": format!("{CACHE}/skills/review/SKILL.md"), "allowImplicitInvocation": true,
    }));
    assert_eq!(answer["skills"], json!([skill]));
    let app = json!({"id": "connector_1", "label": "drive", "category": "Files"});
    assert_eq!(answer["apps"], json!([of_rich(app)]));
    let hook = &answer["hooks"][0];
    assert_eq!(hook["key"], "rich@m:hooks/hooks.json:stop:0:0");
    assert_eq!(hook["handler"]["command"], format!("{CACHE}/bye.sh"));
    assert_eq!(hook["handler"]["env"]["CLAUDE_PLUGIN_ROOT"], CACHE);
    assert_eq!(
        (&hook["trustStatus"], &hook["runs"]),
        (&json!("untrusted"), &json!(false))
    );
    assert_eq!(hook["sourcePath"], format!("{CACHE}/hooks/hooks.json"));
    assert_eq!(hook["pluginDisplayName"], "Rich one");
    // What is broken has its place; the rest of its plugin is there.
    assert_eq!(
        problems(&answer),
        ["missingField SKILL.md:2", "badPath .mcp.json:4"]
    );
    daemon.shut_down();
}

#[test]
fn servers_are_resolved_and_nothing_of_the_user_is_made_up() {
    let sandbox = Sandbox::from(HOME);
    let mut daemon = launch().var("DOCS_KEY", "secret").start(&sandbox);
    daemon.initialize();
    install(&mut daemon, MANIFEST, "rich");
    let answer = components(&mut daemon, json!({}));
    assert!(!answer.to_string().contains("secret"));
    let data = "$ROOT/ch/plugins/data/rich-m";
    let need = |name: &str, default: Value, purpose: &str, member: &str| json!({"name": name, "default": default, "purpose": purpose, "member": member});
    let docs = server(json!({
        "name": "docs",
        "transport": {
            "type": "stdio", "command": format!("{CACHE}/serve.sh"),
            "args": ["--key", "${DOCS_KEY:-none}"], "envVars": [], "cwd": null,
            "env": {
                "ROOT": format!("{CACHE}/x"), "PLUGIN_ROOT": CACHE, "PLUGIN_DATA": data,
                "CLAUDE_PLUGIN_ROOT": CACHE, "CLAUDE_PLUGIN_DATA": data,
            },
        },
        "neededEnv": [need("DOCS_KEY", json!("none"), "text", "args[1]")],
        "extra": {"timeout": 3},
    }));
    assert_eq!(answer["mcpServers"][0], docs);
    let web = server(json!({
        "name": "web",
        "transport": {
            "type": "http", "url": "https://example.invalid/mcp", "protocol": "streamableHttp",
            "headers": {}, "envHeaders": {}, "bearerTokenEnvVar": "WEB_TOKEN",
            "headersHelper": format!("{CACHE}/headers.sh ${{WHO}}"),
        },
        "neededEnv": [need("WEB_TOKEN", json!(null), "bearerToken", "bearer_token_env_var")],
    }));
    assert_eq!(answer["mcpServers"][1], web);
    daemon.shut_down();
}

#[test]
fn who_has_a_name() {
    let sandbox = Sandbox::from(HOME);
    let mut daemon = installed(&sandbox);
    let lost = |winner: Value, loser: &str| json!({"kind": "mcpServer", "name": "docs", "winner": winner, "loser": loser});
    let answer = components(&mut daemon, json!({}));
    assert_eq!(names(&answer, "mcpServers"), ["docs", "web", "own"]);
    assert_eq!(
        answer["shadowed"],
        json!([lost(json!("rich@m"), "second@m")])
    );
    // Switching the winner off lets the next one through.
    let switch = json!({
        "keyPath": "plugins.\"rich@m\".mcp_servers.docs.enabled", "value": false,
        "mergeStrategy": "replace",
    });
    daemon.ok("config/value/write", switch);
    let answer = components(&mut daemon, json!({}));
    assert_eq!(names(&answer, "mcpServers"), ["web", "docs", "own"]);
    assert_eq!(
        answer["shadowed"],
        json!([lost(json!("second@m"), "rich@m")])
    );
    // The user's own goes before all.
    let own = json!({
        "keyPath": "mcp_servers.docs", "value": {"command": "mine"}, "mergeStrategy": "replace",
    });
    daemon.ok("config/value/write", own);
    let answer = components(&mut daemon, json!({}));
    assert_eq!(names(&answer, "mcpServers"), ["web", "own"]);
    assert_eq!(
        answer["shadowed"],
        json!([lost(json!(null), "rich@m"), lost(json!(null), "second@m")])
    );
    daemon.shut_down();
}

#[test]
fn what_does_not_count() {
    let sandbox = Sandbox::from(HOME);
    let mut daemon = installed(&sandbox);
    let write = |daemon: &mut Daemon, key: &str, value: Value| {
        let edit = json!({"keyPath": key, "value": value, "mergeStrategy": "replace"});
        daemon.ok("config/value/write", edit);
    };
    write(&mut daemon, "plugins.\"rich@m\".enabled", json!(false));
    let answer = components(&mut daemon, json!({}));
    assert_eq!(answer["plugins"][0]["pluginId"], "second@m");
    assert_eq!(names(&answer, "mcpServers"), ["docs", "own"]);
    assert_eq!(answer["problems"], json!([]));
    write(&mut daemon, "features.plugins", json!(false));
    let answer = components(&mut daemon, json!({}));
    assert_eq!(
        (&answer["plugins"], &answer["mcpServers"]),
        (&json!([]), &json!([]))
    );
    write(&mut daemon, "features.plugins", json!(true));
    sandbox.write(
        "ch/plugins/cache/m/second/2.0.0/.codex-plugin/plugin.json",
        "{",
    );
    let answer = components(&mut daemon, json!({}));
    assert_eq!(answer["plugins"], json!([]));
    assert_eq!(problems(&answer), ["syntax plugin.json:1"]);
    daemon.shut_down();
}

#[test]
fn skills_of_the_directory_and_of_the_user_are_among_them() {
    let sandbox = Sandbox::from(HOME);
    sandbox.add(
        "== proj/.agents/skills/here/SKILL.md\n---\nname: here\ndescription: In the repository\n---\n\
         == proj/.git/HEAD\nref: refs/heads/main\n\
         == ch/skills/mine/SKILL.md\n---\nname: mine\ndescription: Of the user\n---\n",
    );
    let mut daemon = installed(&sandbox);
    let answer = components(&mut daemon, json!({"cwd": "$ROOT/proj"}));
    assert_eq!(names(&answer, "skills"), ["here", "mine", "rich:review"]);
    assert_eq!(answer["skills"][0]["pluginId"], json!(null));
    assert_eq!(answer["skills"][0]["version"], json!(null));
    let roots: Vec<&str> = answer["skillRoots"]
        .as_array()
        .unwrap()
        .iter()
        .map(|root| text(&root["path"]))
        .collect();
    let rich = format!("{CACHE}/skills");
    let expected = [
        "$ROOT/proj/.agents/skills",
        "$ROOT/ch/skills",
        rich.as_str(),
    ];
    assert_eq!(roots, expected);
    let answer = components(&mut daemon, json!({}));
    assert_eq!(names(&answer, "skills"), ["mine", "rich:review"]);
    daemon.shut_down();
}

#[test]
fn a_leased_version_stays_while_the_plugin_is_replaced() {
    let sandbox = Sandbox::from(HOME);
    let mut daemon = installed(&sandbox);
    let answer = components(&mut daemon, json!({"lease": true}));
    let lease = text(&answer["leaseId"]).to_owned();
    let root = text(&answer["plugins"][0]["root"]).to_owned();
    let digest = text(&answer["plugins"][0]["treeDigest"]).trim_start_matches("sha256:");
    assert_eq!(root, format!("$ROOT/ch/plugins/.plugd/trees/{digest}"));
    // No path of a plugin leads into the cache, except to its data.
    assert!(!answer.to_string().contains("plugins/cache"), "{answer:#}");
    let script = root.replace("$ROOT/", "") + "/serve.sh";
    // The same version with other content, then another one, then none.
    sandbox.write("m/rich/serve.sh", "echo changed\n");
    install(&mut daemon, MANIFEST, "rich");
    assert_eq!(sandbox.text(&script), "echo 1.0.0\n");
    daemon.ok("plugin/uninstall", json!({"pluginId": "rich@m"}));
    assert_eq!(sandbox.text(&script), "echo 1.0.0\n");
    let released = daemon.ok("plugd/release", json!({"leaseId": lease}));
    assert_eq!(released, json!({"released": true}));
    assert!(!sandbox.exists(&script));
    let again = daemon.ok("plugd/release", json!({"leaseId": lease}));
    assert_eq!(again, json!({"released": false}));
    daemon.shut_down();
}

#[test]
fn a_lease_ends_with_its_connection_and_with_its_process() {
    let sandbox = Sandbox::from(HOME);
    let mut daemon = installed(&sandbox);
    let leases = |sandbox: &Sandbox| sandbox.tree("ch/plugins/.plugd/leases");
    components(&mut daemon, json!({"lease": true}));
    assert_ne!(leases(&sandbox), "");
    daemon.shut_down();
    assert_eq!(leases(&sandbox), "");
    // A process that is killed cannot clean up; the next one does.
    let mut daemon = start(&sandbox);
    components(&mut daemon, json!({"lease": true}));
    daemon.kill();
    assert_ne!(leases(&sandbox), "");
    let mut next = start(&sandbox);
    components(&mut next, json!({}));
    assert_eq!(leases(&sandbox), "");
    next.shut_down();
}

#[test]
fn a_lease_waits_for_the_store_and_can_be_cancelled() {
    let sandbox = Sandbox::from(HOME);
    let mut daemon = installed(&sandbox);
    let lock = hold_lock(&sandbox, "store");
    let request = daemon.request("plugd/components", json!({"lease": true}));
    // Reading waits for nobody.
    let answer = components(&mut daemon, json!({}));
    assert_eq!(answer["leaseId"], json!(null));
    daemon.notify("$/cancelRequest", json!({"id": request}));
    let error = daemon.response(request)["error"].clone();
    assert_eq!(error["code"], -32800);
    drop(lock);
    let answer = components(&mut daemon, json!({"lease": true}));
    assert_ne!(answer["leaseId"], json!(null));
    daemon.shut_down();
    // What the cancelled one could not tidy up goes with the next use.
    let mut next = start(&sandbox);
    components(&mut next, json!({}));
    next.shut_down();
    assert_eq!(sandbox.tree("ch/plugins/.plugd/leases"), "");
}

#[test]
fn a_trusted_hook_runs_from_the_cache_and_from_a_lease() {
    let sandbox = Sandbox::from(HOME);
    let mut daemon = installed(&sandbox);
    let hash = components(&mut daemon, json!({}))["hooks"][0]["currentHash"].clone();
    let key = "rich@m:hooks/hooks.json:stop:0:0";
    let trust = json!({
        "keyPath": "hooks.state", "value": {key: {"trusted_hash": hash}}, "mergeStrategy": "upsert",
    });
    daemon.ok("config/value/write", trust);
    for lease in [false, true, false] {
        let answer = components(&mut daemon, json!({"lease": lease}));
        let hook = &answer["hooks"][0];
        assert_eq!(
            (&hook["trustStatus"], &hook["runs"]),
            (&json!("trusted"), &json!(true))
        );
    }
    // Another content under the same declaration is not what was trusted.
    sandbox.write("m/rich/serve.sh", "echo other\n");
    install(&mut daemon, MANIFEST, "rich");
    for lease in [false, true] {
        let answer = components(&mut daemon, json!({"lease": lease}));
        let hook = &answer["hooks"][0];
        assert_eq!(
            (&hook["trustStatus"], &hook["runs"]),
            (&json!("modified"), &json!(false))
        );
    }
    daemon.shut_down();
}

#[test]
fn malformed_params_and_a_concurrent_write() {
    let sandbox = Sandbox::from(HOME);
    let mut daemon = start_listening(&sandbox);
    let mut check = |method: &str, params: Value| {
        let error = refused(&mut daemon, method, params.clone());
        assert_eq!(error, "-32602 invalidParams", "{method} {params}");
    };
    check("plugd/components", json!({"cwd": 5}));
    check("plugd/components", json!({"cwd": "relative"}));
    check("plugd/components", json!({"lease": "yes"}));
    check("plugd/components", json!(["x"]));
    check("plugd/release", json!({}));
    check("plugd/release", json!({"leaseId": 7}));
    let params = json!({"marketplacePath": MANIFEST, "pluginName": "rich"});
    let install = daemon.request("plugin/install", params);
    for lease in [false, true, false, true] {
        let answer = components(&mut daemon, json!({"lease": lease}));
        let plugins = answer["plugins"].as_array().unwrap().len();
        assert!(plugins <= 1, "{answer:#}");
    }
    daemon.response(install);
    let answer = components(&mut daemon, json!({}));
    assert_eq!(answer["plugins"][0]["pluginId"], "rich@m");
    daemon.shut_down();
}

/// What is laid over a server and cannot be understood leaves the server as it was, which is not what
/// somebody wanted who switched it off.
#[test]
fn configuration_of_a_server_that_is_not_understood_is_told() {
    let sandbox = Sandbox::from(HOME);
    let mut daemon = installed(&sandbox);
    let config = sandbox.text("ch/config.toml");
    let more = "[plugins.\"second@m\".mcp_servers.own]\nenabled = \"no\"\n";
    sandbox.write("ch/config.toml", format!("{config}\n{more}"));
    let answer = components(&mut daemon, json!({}));
    let told = answer["problems"].as_array().unwrap().iter();
    let told: Vec<&Value> = told
        .filter(|one| one["path"] == "$ROOT/ch/config.toml")
        .collect();
    assert_eq!(told.len(), 1, "{answer:#}");
    assert_eq!(
        (&told[0]["kind"], &told[0]["field"]),
        (
            &json!("wrongType"),
            &json!("plugins.\"second@m\".mcp_servers.own.enabled")
        )
    );
    assert!(told[0]["line"].is_number(), "{answer:#}");
    daemon.shut_down();
}
