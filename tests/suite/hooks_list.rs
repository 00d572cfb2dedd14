//! Proves `hooks/list`: every member, what is left out and why, and that trust ends when what would
//! run has changed.

use plugd_testkit::{Daemon, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{install, launch, refused, shown, start, text};

const MANIFEST: &str = "$ROOT/demo/.agents/plugins/marketplace.json";

const WORLD: &str = r#"
== ch/config.toml
[marketplaces.demo]
source_type = "local"
source = "$ROOT/demo"
== demo/.agents/plugins/marketplace.json
{"name": "demo", "plugins": [{"name": "p", "source": "./p"}]}
== demo/p/.codex-plugin/plugin.json
{"name": "p", "version": "1.0.0"}
== demo/p/run.sh (mode 755)
echo one
== demo/p/hooks/hooks.json
{"hooks": {
  "Stop": [{"matcher": "x", "hooks": [
    {"type": "command", "command": "${PLUGIN_ROOT}/run.sh ${PLUGIN_DATA} $HOME", "statusMessage": "hi"},
    {"type": "prompt", "prompt": "x"},
    {"type": "command", "command": " "},
    {"type": "mcp_tool", "server": "s", "tool": "t", "input": {"a": 1}}
  ]}],
  "PreToolUse": [
    {"matcher": "Bash", "hooks": [{"type": "command", "command": "c", "async": true, "timeout": 5}]},
    {"matcher": "(", "hooks": [{"type": "command", "command": "c"}]}
  ]
}}
"#;

const STOP: &str = "p@demo:hooks/hooks.json:stop:0:0";

fn world() -> (Sandbox, Daemon) {
    let sandbox = Sandbox::from(WORLD);
    let mut daemon = start(&sandbox);
    install(&mut daemon, MANIFEST, "p");
    (sandbox, daemon)
}

#[track_caller]
fn list(daemon: &mut Daemon) -> Value {
    daemon.ok("hooks/list", json!({}))["data"][0].take()
}

/// One hook, by its key.
#[track_caller]
fn hook(daemon: &mut Daemon, key: &str) -> Value {
    let entry = list(daemon);
    let hooks = entry["hooks"].as_array().unwrap();
    hooks
        .iter()
        .find(|hook| hook["key"] == key)
        .unwrap()
        .clone()
}

/// Writes a member of the hook's state.
fn set(daemon: &mut Daemon, member: &str, value: Value) {
    let key_path = format!("hooks.state.\"{STOP}\".{member}");
    let params = json!({"keyPath": key_path, "value": value, "mergeStrategy": "upsert"});
    daemon.ok("config/value/write", params);
}

fn trust(daemon: &mut Daemon) {
    let hash = hook(daemon, STOP)["currentHash"].clone();
    set(daemon, "trusted_hash", hash);
}

#[track_caller]
fn is(daemon: &mut Daemon, expected: &str) {
    assert_eq!(hook(daemon, STOP)["trustStatus"], expected);
}

/// Puts another script into the installed copy.
fn change(sandbox: &Sandbox, script: &str) {
    sandbox.write("ch/plugins/cache/demo/p/1.0.0/run.sh", script);
}

#[test]
fn every_member() {
    let (sandbox, mut daemon) = world();
    let entry = shown(&list(&mut daemon), &sandbox);
    // The digests are those that the reference shows in front of its slash.
    let plain = |members: Value| {
        crate::fixtures::with(
            json!({
                "matcher": null, "statusMessage": null, "additionalContextLimit": null,
                "sourcePath": "$ROOT/ch/plugins/cache/demo/p/1.0.0/hooks/hooks.json",
                "source": "plugin", "pluginId": "p@demo", "environmentId": null, "enabled": true,
                "isManaged": false, "trustStatus": "untrusted", "timeoutSec": 600,
            }),
            members,
        )
    };
    let expected = [
        plain(json!({
            "key": "p@demo:hooks/hooks.json:pre_tool_use:0:0", "eventName": "preToolUse",
            "handlerType": "command", "command": "c", "async": true, "matcher": "Bash",
            "timeoutSec": 5, "displayOrder": 0,
            "currentHash": "sha256:68b988979b09d9998fae9a25a6d34a844cdc8d9389e61508a4057f813d76f4ee",
        })),
        plain(json!({
            "key": STOP, "eventName": "stop", "handlerType": "command", "async": false,
            "command": "$ROOT/ch/plugins/cache/demo/p/1.0.0/run.sh \
                        $ROOT/ch/plugins/data/p-demo $HOME",
            "statusMessage": "hi", "displayOrder": 1,
            "currentHash": entry["hooks"][1]["currentHash"],
        })),
        plain(json!({
            "key": "p@demo:hooks/hooks.json:stop:0:3", "eventName": "stop",
            "handlerType": "mcpTool", "server": "s", "tool": "t", "displayOrder": 2,
            "currentHash": "sha256:4455c545e24fee1d9e72cfda2da45534a3e58d9b2ffa31557034a30be902adf4",
        })),
    ];
    assert_eq!(entry["hooks"], json!(expected));
    assert_eq!(entry["errors"], json!([]));
    let own_dir = sandbox
        .cwd()
        .to_text()
        .replace(&sandbox.root().to_text(), "$ROOT");
    assert_eq!(entry["cwd"], own_dir);
    daemon.shut_down();
}

#[test]
fn what_is_left_out_is_told() {
    let (sandbox, mut daemon) = world();
    let entry = shown(&list(&mut daemon), &sandbox);
    let warnings = entry["warnings"].as_array().unwrap();
    let problems = entry["problems"].as_array().unwrap();
    assert_eq!(warnings.len(), problems.len());
    for word in ["regular expression", "prompt", "blank", "has no matcher"] {
        let told = warnings.iter().any(|warning| text(warning).contains(word));
        assert!(told, "{word}: {warnings:#?}");
    }
    let file = "$ROOT/ch/plugins/cache/demo/p/1.0.0/hooks/hooks.json";
    assert!(
        warnings
            .iter()
            .all(|warning| text(warning).starts_with(file)),
        "{warnings:#?}"
    );
    assert!(
        problems.iter().all(|row| row["line"].is_u64()),
        "{problems:#?}"
    );
    // A broken file spoils itself only, and says where.
    sandbox.write("ch/plugins/cache/demo/p/1.0.0/hooks/hooks.json", "{\n  5}");
    let entry = list(&mut daemon);
    assert_eq!(entry["hooks"], json!([]));
    assert_eq!(entry["problems"][0]["kind"], "syntax");
    assert_eq!(entry["problems"][0]["line"], 2);
    daemon.shut_down();
}

#[test]
fn trust_ends_when_the_content_changes_and_can_be_renewed() {
    let (sandbox, mut daemon) = world();
    is(&mut daemon, "untrusted");
    trust(&mut daemon);
    is(&mut daemon, "trusted");
    change(&sandbox, "echo two\n");
    is(&mut daemon, "modified");
    // Switching a hook is no trust.
    set(&mut daemon, "enabled", json!(false));
    assert_eq!(hook(&mut daemon, STOP)["enabled"], false);
    is(&mut daemon, "modified");
    trust(&mut daemon);
    is(&mut daemon, "trusted");
    change(&sandbox, "echo one\n");
    is(&mut daemon, "modified");
    // Another process knows it too.
    let mut other = start(&sandbox);
    is(&mut other, "modified");
    other.shut_down();
    change(&sandbox, "echo two\n");
    is(&mut daemon, "trusted");
    daemon.shut_down();
}

#[test]
fn trust_is_remembered_from_the_moment_it_is_written() {
    let (sandbox, mut daemon) = world();
    trust(&mut daemon);
    // Nobody has listed the hook since.
    change(&sandbox, "echo two\n");
    is(&mut daemon, "modified");
    daemon.shut_down();
}

#[test]
fn trust_of_another_declaration_and_trust_of_the_reference() {
    let (sandbox, mut daemon) = world();
    set(&mut daemon, "trusted_hash", json!("sha256:00"));
    is(&mut daemon, "modified");
    // The reference shows and writes two halves.
    let hash = text(&hook(&mut daemon, STOP)["currentHash"]).to_owned();
    set(
        &mut daemon,
        "trusted_hash",
        json!(format!("{hash}/sha256:11")),
    );
    is(&mut daemon, "trusted");
    let config = sandbox.text("ch/config.toml");
    assert!(
        config.contains("trusted_content_hash = \"sha256:11\""),
        "{config}"
    );
    change(&sandbox, "echo two\n");
    is(&mut daemon, "modified");
    // It trusts the new content, in its own words.
    let config = config.replace("sha256:11", "sha256:22");
    sandbox.write("ch/config.toml", config);
    is(&mut daemon, "trusted");
    daemon.shut_down();
}

#[test]
fn an_update_ends_trust() {
    let (sandbox, mut daemon) = world();
    trust(&mut daemon);
    is(&mut daemon, "trusted");
    sandbox.write("demo/p/run.sh", "echo two\n");
    install(&mut daemon, MANIFEST, "p");
    is(&mut daemon, "modified");
    daemon.shut_down();
}

#[test]
fn what_is_off_has_no_hooks() {
    let (_sandbox, mut daemon) = world();
    for key in [
        "plugins.\"p@demo\".enabled",
        "features.plugins",
        "features.hooks",
    ] {
        let mut write = |value: bool| {
            let params = json!({"keyPath": key, "value": value, "mergeStrategy": "replace"});
            daemon.ok("config/value/write", params);
            list(&mut daemon)["hooks"].as_array().unwrap().len()
        };
        assert_eq!(write(false), 0, "{key}");
        assert_eq!(write(true), 3, "{key}");
    }
    daemon.shut_down();
}

#[test]
fn a_memory_that_cannot_be_kept_is_told() {
    let (sandbox, mut daemon) = world();
    let hash = hook(&mut daemon, STOP)["currentHash"].clone();
    sandbox.write("ch/plugins/.plugd/version", "999\n");
    let config = sandbox.text("ch/config.toml");
    let state = format!("{config}\n[hooks.state.\"{STOP}\"]\ntrusted_hash = {hash}\n");
    sandbox.write("ch/config.toml", state);
    let entry = list(&mut daemon);
    let problems = entry["problems"].as_array().unwrap();
    let told = problems
        .iter()
        .any(|row| text(&row["path"]).ends_with(".plugd/hooks.json"));
    assert!(told, "{problems:#?}");
    assert!(!sandbox.exists("ch/plugins/.plugd/hooks.json"));
    daemon.shut_down();
}

#[test]
fn malformed_params() {
    let mut daemon = start(&Sandbox::new());
    for params in [
        json!({"cwds": 5}),
        json!({"cwds": [null]}),
        json!({"threadId": 5}),
    ] {
        assert_eq!(
            refused(&mut daemon, "hooks/list", params),
            "-32602 invalidParams"
        );
    }
    daemon.ok(
        "hooks/list",
        json!({"threadId": "t", "cwds": ["rel", "$ROOT/gone"]}),
    );
    daemon.shut_down();
}

/// A handler that runs a command, in a hooks file.
fn file_with(event: &str, command: &str) -> String {
    let handler = json!({"type": "command", "command": command});
    json!({"hooks": {event: [{"hooks": [handler]}]}}).to_string()
}

fn table_with(event: &str, command: &str) -> String {
    format!(
        "[[hooks.{event}]]\n[[hooks.{event}.hooks]]\ntype = \"command\"\ncommand = \"{command}\"\n"
    )
}

/// `source command trust key` of each hook that belongs to no plugin, in the order of the answer.
fn of_layers(entry: &Value) -> Vec<String> {
    let hooks = entry["hooks"].as_array().unwrap();
    let rows = hooks.iter().zip(0..).map(|(hook, order)| {
        assert_eq!(hook["displayOrder"], order);
        assert_eq!(hook["isManaged"], hook["trustStatus"] == "managed");
        assert!(hook["pluginId"].is_null());
        let [source, command, trust, key] =
            ["source", "command", "trustStatus", "key"].map(|name| hook[name].as_str().unwrap());
        format!("{source} {command} {trust} {key}")
    });
    rows.collect()
}

#[test]
fn hooks_of_the_configuration_layer_by_layer() {
    let sandbox = Sandbox::from("== proj/.git/HEAD\nref\n== proj/a/\n== other/.git/HEAD\nref\n");
    let trusted = sandbox.expand("[projects.\"$ROOT/proj\"]\ntrust_level = \"trusted\"\n");
    sandbox.write(
        "ch/config.toml",
        trusted + &table_with("SessionStart", "user2"),
    );
    sandbox.write("ch/hooks.json", file_with("Stop", "${PLUGIN_ROOT} user1"));
    sandbox.write("proj/.codex/hooks.json", file_with("Stop", "root"));
    sandbox.write("proj/a/.codex/config.toml", table_with("Stop", "low"));
    sandbox.write("other/.codex/hooks.json", file_with("Stop", "untrusted"));
    let flag = "hooks.Stop=[{hooks=[{type=\"command\",command=\"flag\"}]}]";
    let mut daemon = launch().args(&["-c", flag]).start(&sandbox);
    daemon.initialize();
    let answer = daemon.ok(
        "hooks/list",
        json!({"cwds": ["$ROOT/proj/a", "$ROOT/other"]}),
    );
    let answer = shown(&answer, &sandbox);
    let users = [
        "user ${PLUGIN_ROOT} user1 untrusted $ROOT/ch/hooks.json:stop:0:0",
        "user user2 untrusted $ROOT/ch/config.toml:session_start:0:0",
    ];
    let flags = ["sessionFlags flag untrusted /<session-flags>/config.toml:stop:0:0"];
    let projects = [
        "project root untrusted $ROOT/proj/.codex/hooks.json:stop:0:0",
        "project low untrusted $ROOT/proj/a/.codex/config.toml:stop:0:0",
    ];
    assert_eq!(
        of_layers(&answer["data"][0]),
        [&users[..], &projects, &flags].concat()
    );
    assert_eq!(of_layers(&answer["data"][1]), [&users[..], &flags].concat());
    let warnings = answer["data"][0]["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert_eq!(answer["data"][0]["errors"], json!([]));
    daemon.shut_down();
}

#[test]
fn a_linked_worktree_has_the_trust_and_the_hooks_of_its_main_checkout() {
    let own = "main/.git/worktrees/w";
    let sandbox = Sandbox::from(&format!(
        "== main/.git/HEAD\nref\n== {own}/commondir\n../..\n== {own}/gitdir\n$ROOT/w/.git\n\
         == w/.git\ngitdir: $ROOT/{own}\n== evil/.git\ngitdir: $ROOT/{own}\n"
    ));
    let trusted = "[projects.\"$ROOT/main\"]\ntrust_level = \"trusted\"\n";
    sandbox.write("ch/config.toml", sandbox.expand(trusted));
    for root in ["main", "w", "w/only", "evil"] {
        sandbox.write(
            &format!("{root}/.codex/hooks.json"),
            file_with("Stop", root),
        );
        let model = format!("model = \"{root}\"\n");
        sandbox.write(&format!("{root}/.codex/config.toml"), model);
    }
    let mut daemon = start(&sandbox);
    let cwds = json!({"cwds": ["$ROOT/main", "$ROOT/w/only", "$ROOT/evil"]});
    let answer = shown(&daemon.ok("hooks/list", cwds), &sandbox);
    let hooks = [0, 1, 2].map(|index| of_layers(&answer["data"][index]));
    let main = ["project main untrusted $ROOT/main/.codex/hooks.json:stop:0:0".to_owned()];
    assert_eq!(hooks, [main.to_vec(), main.to_vec(), Vec::new()]);
    let source = &answer["data"][1]["hooks"][0]["sourcePath"];
    assert_eq!(source, "$ROOT/main/.codex/hooks.json");
    for (cwd, model) in [("$ROOT/w", json!("w")), ("$ROOT/evil", Value::Null)] {
        let params = json!({"cwd": cwd, "includeLayers": true});
        let answer = shown(&daemon.ok("config/read", params), &sandbox);
        assert_eq!(answer["config"]["model"], model, "{cwd}");
        let folder = &answer["layers"][0]["name"]["dotCodexFolder"];
        assert_eq!(folder, &format!("{cwd}/.codex"));
    }
    daemon.shut_down();
}

#[test]
fn a_hook_of_the_configuration_is_trusted_by_its_declaration() {
    let sandbox = Sandbox::from("== ch/hooks.json\n{\"hooks\": {\"Stop\": []}}\n");
    sandbox.write("ch/config.toml", table_with("Stop", "t"));
    let mut daemon = start(&sandbox);
    let one = |daemon: &mut Daemon| {
        let answer = daemon.ok("hooks/list", json!({}));
        let hook = answer["data"][0]["hooks"][0].clone();
        let [trust, hash] = ["trustStatus", "currentHash"].map(|name| hook[name].clone());
        (trust, hash, hook["enabled"].clone())
    };
    // The reference answers this digest for this declaration, with one half.
    let (trust, hash, _) = one(&mut daemon);
    assert_eq!(trust, "untrusted");
    assert!(hash.as_str().unwrap().starts_with("sha256:9a34aef76106e"));
    let key = sandbox.expand("$ROOT/ch/config.toml:stop:0:0");
    let write = |daemon: &mut Daemon, member: &str, value: &Value| {
        let key_path = format!("hooks.state.\"{key}\".{member}");
        let edit = json!({"keyPath": key_path, "value": value, "mergeStrategy": "replace"});
        daemon.ok("config/value/write", edit);
    };
    write(&mut daemon, "trusted_hash", &hash);
    assert_eq!(one(&mut daemon).0, "trusted");
    write(&mut daemon, "enabled", &json!(false));
    assert_eq!(one(&mut daemon), (json!("trusted"), hash, json!(false)));
    write(&mut daemon, "trusted_hash", &json!("sha256:00"));
    assert_eq!(one(&mut daemon).0, "modified");
    daemon.shut_down();
}

#[test]
fn broken_hooks_of_the_configuration_are_told() {
    let sandbox = Sandbox::new();
    let toml = format!("[hooks]\nPreToolUse = 5\n{}", table_with("Stop", "t"));
    sandbox.write("ch/config.toml", toml);
    sandbox.write("ch/hooks.json", "{ broken");
    let mut daemon = start(&sandbox);
    let answer = shown(&daemon.ok("hooks/list", json!({})), &sandbox);
    let entry = &answer["data"][0];
    assert_eq!(
        of_layers(entry),
        ["user t untrusted $ROOT/ch/config.toml:stop:0:0"]
    );
    assert_eq!(entry["errors"][0]["path"], "$ROOT/ch/config.toml");
    let warnings = entry["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0]
            .as_str()
            .unwrap()
            .starts_with("$ROOT/ch/hooks.json: ")
    );
    assert_eq!(entry["problems"].as_array().unwrap().len(), 2);
    daemon.shut_down();
}

#[test]
fn what_another_program_trusted_before_the_copy_changed_is_modified() {
    for (is_changed, expected) in [(false, "trusted"), (true, "modified")] {
        let (sandbox, mut daemon) = world();
        let hash = hook(&mut daemon, STOP)["currentHash"].clone();
        daemon.shut_down();
        // Nobody looks in between; the content half is one that only the other program knows.
        let state = format!("[hooks.state.\"{STOP}\"]\ntrusted_hash = {hash}\n");
        let config = sandbox.text("ch/config.toml") + "\n" + &state;
        let half = "trusted_content_hash = \"sha256:00\"\n";
        sandbox.write("ch/config.toml", sandbox.expand(&config) + half);
        if is_changed {
            change(&sandbox, "echo two");
        }
        let mut daemon = start(&sandbox);
        is(&mut daemon, expected);
        // Whoever writes the hash here has looked at what is there now.
        trust(&mut daemon);
        is(&mut daemon, "trusted");
        daemon.shut_down();
    }
}
