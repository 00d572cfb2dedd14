use plugd_model::{HooksDeclaration, ManifestFormat, PluginId, PluginPath};
use pretty_assertions::assert_eq;

use super::{HookDeclaration, HookEvent, HookHandler, hooks};
use crate::Found;
use crate::fixture::Plugin;

fn read(plugin: &Plugin) -> Found<HookDeclaration> {
    let id = PluginId::parse("p@m").unwrap();
    hooks(&plugin.disk, &plugin.root(), &plugin.manifest, &id)
}

/// Keys without the plugin's id, and problems.
#[track_caller]
fn check_plugin(plugin: &Plugin, keys: &[&str], problems: &[&str]) {
    let found = read(plugin);
    let found_keys: Vec<_> = found
        .items
        .iter()
        .map(|hook| hook.key.strip_prefix("p@m:").unwrap())
        .collect();
    assert_eq!(found_keys, keys);
    assert_eq!(plugin.problems(&found.problems), problems);
}

/// The same for the default file; its name is left out of both.
#[track_caller]
fn check(file: &str, keys: &[&str], problems: &[&str]) {
    let plugin = Plugin::new().file("hooks/hooks.json", file);
    let keys: Vec<_> = keys
        .iter()
        .map(|key| format!("hooks/hooks.json:{key}"))
        .collect();
    let problems: Vec<_> = problems
        .iter()
        .map(|line| match line.split_once(' ') {
            Some((kind, rest)) => format!("{kind} hooks/hooks.json {rest}"),
            None => format!("{line} hooks/hooks.json"),
        })
        .collect();
    check_plugin(
        &plugin,
        &keys.iter().map(String::as_str).collect::<Vec<_>>(),
        &problems.iter().map(String::as_str).collect::<Vec<_>>(),
    );
}

const COMMAND: &str = r#"{"type": "command", "command": "echo"}"#;

/// What is not where it belongs is told where that is.
#[test]
fn a_member_beside_the_hooks_is_told_with_a_hint() {
    let hint = |text: &str| {
        let found = read(&Plugin::new().file("hooks/hooks.json", text));
        found.problems[0].message.clone()
    };
    let here = |name: &str| format!("nobody reads `{name}` in a hooks file");
    assert_eq!(
        hint(r#"{"Stop": []}"#),
        format!("{}; events stand below `hooks`", here("Stop"))
    );
    assert_eq!(
        hint(r#"{"hook": {}}"#),
        format!("{}; did you mean `hooks`", here("hook"))
    );
    assert_eq!(hint(r#"{"other": {}}"#), here("other"));
}

#[test]
fn keys_follow_the_events_order_and_count_positions() {
    check(
        &format!(
            r#"{{"hooks": {{"Stop": [{{"hooks": [{COMMAND}, {COMMAND}]}}],
                "PreToolUse": [{{"matcher": "x", "hooks": [{COMMAND}]}}, {{"hooks": [{COMMAND}]}}]}}}}"#
        ),
        &[
            "pre_tool_use:0:0",
            "pre_tool_use:1:0",
            "stop:0:0",
            "stop:0:1",
        ],
        &[],
    );
    check(
        &format!(
            r#"{{"hooks": {{"PreCompact": [{{"matcher": "x"}}, {{"hooks": []}}, {{"hooks": [{COMMAND}]}}]}}}}"#
        ),
        &["pre_compact:2:0"],
        &[],
    );
    for empty in [
        "{}",
        r#"{"description": "x"}"#,
        r#"{"hooks": {}}"#,
        r#"{"hooks": null}"#,
    ] {
        check(empty, &[], &[]);
    }
    check_plugin(&Plugin::new(), &[], &[]);
}

#[test]
fn every_declared_handler_is_listed() {
    check(
        r#"{"hooks": {"Stop": [{"hooks": [{"type": "prompt"}, {"type": "agent", "prompt": "x"},
            {"type": "mcp_tool", "server": "a", "tool": "b"}]}]}}"#,
        &["stop:0:0", "stop:0:1", "stop:0:2"],
        &[
            "badValue hooks.Stop[0].hooks[0].type 1:41",
            "badValue hooks.Stop[0].hooks[1].type 1:61",
        ],
    );
    check(
        r#"{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": " "}]}]}}"#,
        &["stop:0:0"],
        &["badValue hooks.Stop[0].hooks[0].command 1:63"],
    );
}

#[test]
fn a_bad_item_spoils_itself_only() {
    check(
        &format!(
            "{{\"extra\": 1, \"description\": 5, \"hooks\": {{\n\"Nope\": 5,\n\"Stop\": [{{\"hooks\": [\n{{\"type\": \"bogus\"}},\n{{\"type\": \"mcp_tool\", \"server\": \"a\"}},\n{{\"type\": \"command\"}},\n{{\"command\": \"x\"}},\n5,\n{{\"type\": \"command\", \"command\": \"x\", \"timeout\": 1.5}},\n{COMMAND}]}},\n{{\"matcher\": 5, \"hooks\": [{COMMAND}]}},\nnull,\n{{\"hooks\": [{COMMAND}]}}],\n\"PreCompact\": {{}}}}}}"
        ),
        &["stop:0:6", "stop:3:0"],
        &[
            "unknownField extra 1:11",
            "wrongType description 1:29",
            "unknownField hooks.Nope 2:9",
            "wrongType hooks.PreCompact 14:15",
            "badValue hooks.Stop[0].hooks[0].type 4:10",
            "missingField hooks.Stop[0].hooks[1] 5:1",
            "missingField hooks.Stop[0].hooks[2] 6:1",
            "missingField hooks.Stop[0].hooks[3] 7:1",
            "wrongType hooks.Stop[0].hooks[4] 8:1",
            "wrongType hooks.Stop[0].hooks[5].timeout 9:48",
            "wrongType hooks.Stop[1].matcher 11:13",
            "wrongType hooks.Stop[2] 12:1",
        ],
    );
    check(
        &format!(r#"{{"hooks": {{"Stop": [], "Stop": [{{"hooks": [{COMMAND}]}}]}}}}"#),
        &["stop:0:0"],
        &["duplicate hooks.Stop 1:32"],
    );
}

#[test]
fn an_unusable_file_says_why() {
    check("{", &[], &["syntax 1:1"]);
    check("[]", &[], &["wrongType 1:1"]);
    check(&"[".repeat(300), &[], &["tooLarge 1:129"]);
    check(
        &format!("{{\"x\": \"{}\"}}", "y".repeat(1024 * 1024)),
        &[],
        &["tooLarge"],
    );
}

#[test]
fn the_members_of_a_command() {
    let plugin = Plugin::new().file(
        "hooks/hooks.json",
        r#"{"hooks": {"PreToolUse": [{"matcher": "*", "hooks": [
            {"type": "command", "command": "${PLUGIN_ROOT}/x", "command_windows": "w", "timeout": 0,
             "async": true, "statusMessage": "s", "additionalContextLimit": 5, "other": 1},
            {"type": "command", "command": "x", "timeout": null, "timeoutSec": 5}]}],
           "Interrupt": [{"hooks": [{"type": "mcp_tool", "server": "a", "tool": "b",
            "input": { "q": [1] }, "timeout": 1}]}]}}"#,
    );
    let found = read(&plugin);
    assert_eq!(plugin.problems(&found.problems), Vec::<String>::new());
    let handlers: Vec<_> = found
        .items
        .iter()
        .map(|hook| hook.handler.clone())
        .collect();
    let expected = [
        HookHandler::Command {
            command: "${PLUGIN_ROOT}/x".to_owned(),
            command_windows: Some("w".to_owned()),
            timeout_sec: 1,
            is_async: true,
            status_message: Some("s".to_owned()),
            additional_context_limit: Some(5),
        },
        HookHandler::Command {
            command: "x".to_owned(),
            command_windows: None,
            timeout_sec: 600,
            is_async: false,
            status_message: None,
            additional_context_limit: None,
        },
        HookHandler::McpTool {
            server: "a".to_owned(),
            tool: "b".to_owned(),
            input: r#"{ "q": [1] }"#.to_owned(),
            timeout_sec: 1,
            status_message: None,
        },
    ];
    assert_eq!(handlers, expected);
    assert_eq!(found.items[0].matcher.as_deref(), Some("*"));
    assert_eq!(
        found.items[0].file,
        Some(plugin.root().join("hooks/hooks.json"))
    );
}

#[test]
fn files_that_a_manifest_names() {
    let content = format!(r#"{{"hooks": {{"Stop": [{{"hooks": [{COMMAND}]}}]}}}}"#);
    let paths = ["./a.json", "./d//b.json", "./a.json", "./gone.json"];
    let plugin = Plugin::new()
        .file("a.json", &content)
        .file("d/b.json", &content)
        .file("hooks/hooks.json", &content)
        .file("hooks.json", &content)
        .with(|manifest| {
            let paths = paths.iter().map(|path| PluginPath::parse(path).unwrap());
            manifest.hooks = HooksDeclaration::Files(paths.collect());
        });
    check_plugin(
        &plugin,
        &["a.json:stop:0:0", "d/b.json:stop:0:0"],
        &["duplicate a.json", "missing gone.json"],
    );
}

#[test]
fn the_plugins_directory_is_no_hooks_file() {
    let content = format!(r#"{{"hooks": {{"Stop": [{{"hooks": [{COMMAND}]}}]}}}}"#);
    let plugin = Plugin::new()
        .file("hooks/hooks.json", &content)
        .with(|manifest| {
            manifest.hooks = HooksDeclaration::Files(vec![PluginPath::parse("./.").unwrap()]);
        });
    check_plugin(&plugin, &[], &["notAFile "]);
}

#[test]
fn hooks_inside_a_manifest() {
    let good = format!(r#"{{"hooks": {{"Stop": [{{"hooks": [{COMMAND}]}}]}}}}"#);
    let bad = r#"{"hooks": {"Stop": [{"hooks": [5]}]}}"#.to_owned();
    let inline = |format| {
        Plugin::new().with(|manifest| {
            manifest.format = format;
            manifest.hooks =
                HooksDeclaration::Inline(vec![good.clone(), bad.clone(), good.clone()]);
        })
    };
    let keys = [
        "plugin.json#hooks[0]:stop:0:0",
        "plugin.json#hooks[2]:stop:0:0",
    ];
    check_plugin(
        &inline(ManifestFormat::Claude),
        &keys,
        &["wrongType .claude-plugin/plugin.json hooks[1].hooks.Stop[0].hooks[0]"],
    );
    check_plugin(
        &inline(ManifestFormat::Fallback),
        &keys,
        &["wrongType hooks[1].hooks.Stop[0].hooks[0]"],
    );
    check_plugin(&inline(ManifestFormat::AgentPlugins), &[], &[]);
    let nothing = Plugin::new()
        .file("hooks/hooks.json", &good)
        .with(|manifest| manifest.hooks = HooksDeclaration::Nothing);
    check_plugin(&nothing, &[], &[]);
    check_plugin(&Plugin::agent().file("hooks/hooks.json", &good), &[], &[]);
}

#[cfg(unix)]
#[test]
fn a_linked_file_stays_inside() {
    let plugin = Plugin::new().link("hooks/hooks.json", "/etc/passwd");
    check_plugin(&plugin, &[], &["badPath hooks/hooks.json"]);
    check_plugin(&Plugin::new().link("hooks", "/etc"), &[], &[]);
}

#[test]
fn the_list_of_problems_is_bounded() {
    let bad = vec!["5"; 2000].join(",");
    let file = format!(r#"{{"hooks": {{"Stop": [{{"hooks": [{bad}]}}]}}}}"#);
    let found = read(&Plugin::new().file("hooks/hooks.json", file));
    assert_eq!(found.problems.len(), 501);
    assert_eq!(
        found.problems[500].message,
        "1500 more problems are not listed"
    );
}

#[test]
fn handlers_and_matchers_are_bounded() {
    let many = vec![COMMAND; 1001].join(",");
    let long = "x".repeat(8193);
    let file = format!(
        r#"{{"hooks": {{"Stop": [{{"matcher": "{long}", "hooks": [{COMMAND}]}}, {{"hooks": [{many}]}}]}}}}"#
    );
    let plugin = Plugin::new().file("hooks/hooks.json", file);
    let found = read(&plugin);
    assert_eq!(found.items.len(), 1000);
    let fields: Vec<_> = found
        .problems
        .iter()
        .map(|problem| problem.field.clone().unwrap())
        .collect();
    assert_eq!(
        fields,
        ["hooks.Stop[0].matcher", "hooks.Stop[1].hooks[1000]"]
    );
    assert!(
        found
            .problems
            .iter()
            .all(|problem| problem.kind.word() == "tooLarge")
    );
}

#[test]
fn members_that_cannot_hold_what_they_say_are_told() {
    check(
        &format!(
            "{{\"hooks\": {{\n\"PreToolUse\": [{{\"matcher\": \"[\", \"hooks\": [{COMMAND}]}}],\n\"SessionEnd\": [{{\"hooks\": [\n{{\"type\": \"command\", \"command\": \"x\", \"timeout\": 9}},\n{{\"type\": \"command\", \"command\": \"x\", \"async\": true}},\n{{\"type\": \"mcp_tool\", \"server\": \"a\", \"tool\": \"b\"}}]}}],\n\"Stop\": [{{\"matcher\": \"x\", \"hooks\": []}}]}}}}"
        ),
        &[
            "pre_tool_use:0:0",
            "session_end:0:0",
            "session_end:0:1",
            "session_end:0:2",
        ],
        &[
            "badValue hooks.PreToolUse[0].matcher 2:28",
            "badValue hooks.SessionEnd[0].hooks[0].timeout 4:48",
            "badValue hooks.SessionEnd[0].hooks[1].async 5:46",
            "badValue hooks.SessionEnd[0].hooks[2] 6:1",
            "badValue hooks.Stop[0].matcher 7:22",
        ],
    );
    check(
        r#"{"hooks": {"Stop": [{"hooks": [
{"type": "mcp_tool", "server": "a", "tool": "b", "input": 5},
{"type": "mcp_tool", "server": "a", "tool": "b", "input": {"x": null}},
{"type": "mcp_tool", "server": "a", "tool": "b", "input": {"x": 18446744073709551615}},
{"type": "command", "command": "x", "command_windows": "a", "commandWindows": "b"}]}]}}"#,
        &["stop:0:3"],
        &[
            "wrongType hooks.Stop[0].hooks[0].input 2:59",
            "badValue hooks.Stop[0].hooks[1].input 3:59",
            "badValue hooks.Stop[0].hooks[2].input 4:59",
            "duplicate hooks.Stop[0].hooks[3].command_windows 5:56",
        ],
    );
}

#[test]
fn typing_errors_are_told() {
    check(
        r#"{"hooks": {"PreTolUse": [],
"Stop": [{"mather": "x", "hooks": [{"type": "command", "comand": "x", "command": "y", "note": 1}]}]}}"#,
        &["stop:0:0"],
        &[
            "unknownField hooks.PreTolUse 1:25",
            "unknownField hooks.Stop[0].mather 2:21",
            "unknownField hooks.Stop[0].hooks[0].comand 2:66",
        ],
    );
}

#[test]
fn hooks_in_a_manifest_have_their_place() {
    let bad = r#"{"hooks": {"Stop": [{"hooks": [5]}]}}"#;
    let check = |text: &str, expected: &str| {
        let plugin = Plugin::new()
            .file(".codex-plugin/plugin.json", text)
            .with(|m| m.hooks = HooksDeclaration::Inline(vec![bad.to_owned()]));
        check_plugin(&plugin, &[], &[expected]);
    };
    let file = "wrongType .codex-plugin/plugin.json";
    check(
        &format!("{{\n\"hooks\": {bad}}}"),
        &format!("{file} hooks.hooks.Stop[0].hooks[0] 2:41"),
    );
    check(
        &format!("{{\n\"hooks\": [{bad}]}}"),
        &format!("{file} hooks[0].hooks.Stop[0].hooks[0] 2:42"),
    );
    // The file has changed since the manifest was read.
    check("{}", &format!("{file} hooks[0].hooks.Stop[0].hooks[0]"));
}

#[test]
fn a_limit_where_nothing_reaches_the_model_is_no_part_of_the_declaration() {
    for event in HookEvent::ALL {
        let name = event.name();
        let hash = |members: &str| {
            let file = format!(
                r#"{{"hooks": {{"{name}": [{{"hooks": [
                    {{"type": "command", "command": "x"{members}}}]}}]}}}}"#
            );
            let plugin = Plugin::new().file("hooks/hooks.json", file);
            let found = read(&plugin);
            let hash = found.items[0].declaration_hash().unwrap();
            (hash, plugin.problems(&found.problems))
        };
        let (without, _) = hash("");
        let (with, problems) = hash(r#", "additionalContextLimit": 5"#);
        assert_eq!(without != with, event.emits_context(), "{name}");
        assert_eq!(problems.is_empty(), event.emits_context(), "{name}");
    }
    let emitting = HookEvent::ALL.iter().filter(|event| event.emits_context());
    let names: Vec<_> = emitting.map(|event| event.name()).collect();
    let expected = [
        "PreToolUse",
        "PostToolUse",
        "SessionStart",
        "UserPromptSubmit",
        "SubagentStart",
    ];
    assert_eq!(names, expected);
}
