//! Digests and texts of hooks, compared with what the reference answers for the same file.

use plugd_model::{AbsPath, PluginId};
use pretty_assertions::assert_eq;

use super::{HookDeclaration, HookObstacle, hooks};
use crate::fixture::Plugin;
use crate::placeholders::{Placeholders, Platform};

/// The reference was given this file as `hooks/hooks.json` of an installed plugin.
const OBSERVED_FILE: &str = r#"{"hooks": {
"PreToolUse": [{"matcher": "Bash|Edit", "hooks": [
  {"type": "command", "command": "echo ${PLUGIN_ROOT}"},
  {"type": "command", "command": "é\"\n\u2028\u0001", "timeout": 0, "async": true, "statusMessage": "", "additionalContextLimit": 0, "commandWindows": "w", "other": 1},
  {"type": "command", "command": "x", "statusMessage": "s", "additionalContextLimit": 5},
  {"type": "mcp_tool", "server": "s", "tool": "t"},
  {"type": "mcp_tool", "server": "s", "tool": "t", "timeout": 7, "statusMessage": "m", "async": true,
   "input": {"b": [1, -0, 1.50, 1E30, true, "${x}"], "a": {"d": {}, "c": 9223372036854775807}, "a\"é": "x"}}]},
  {"matcher": "", "hooks": [{"type": "command", "command": "x"}]},
  {"hooks": [{"type": "command", "command": "x"}]}],
"PreModelRequest": [{"matcher": "A", "hooks": [{"type": "command", "command": "x"}]}],
"PermissionRequest": [{"matcher": "A", "hooks": [{"type": "command", "command": "x"}]}],
"PostCompact": [{"matcher": "*", "hooks": [{"type": "command", "command": "x"}]}],
"SessionStart": [{"matcher": "startup", "hooks": [{"type": "command", "command": "x"}]}],
"SessionEnd": [{"matcher": "A", "hooks": [{"type": "command", "command": "x", "async": true, "timeout": 50}, {"type": "command", "command": "x"}]}],
"UserPromptSubmit": [{"matcher": "A", "hooks": [{"type": "command", "command": "x"}]}],
"Stop": [{"matcher": "[", "hooks": [{"type": "command", "command": " x "}]}],
"Interrupt": [{"hooks": [{"type": "mcp_tool", "server": "s", "tool": "t", "timeout": 9}]}]
}}
"#;

/// What its `hooks/list` answered: key behind the source, first half of the current hash.
const OBSERVED: &[(&str, &str)] = &[
    (
        "pre_model_request:0:0",
        "35dd2ca3a881edba8c44fc55e54852b7c18f7bb9acc123ebd681ebf6a89d12c8",
    ),
    (
        "pre_tool_use:0:0",
        "fc8b5a1bb27e9fc092d6638844e9c435f882ea7f2f8a126e57e106cb1274631e",
    ),
    (
        "pre_tool_use:0:1",
        "cf2f56faa814bf54b5e89fa1045b283f1cff4432c6be814da4d4516ad13f4ddc",
    ),
    (
        "pre_tool_use:0:2",
        "30209988934051b591d174f96e0aa96e94531990645a7c19129e8e9d6dd8d656",
    ),
    (
        "pre_tool_use:0:3",
        "fd61859a3fda4fbe5c2e0438e5eb7eaba668753100651ec3670e9644de3cfdcd",
    ),
    (
        "pre_tool_use:0:4",
        "fc928a8da193d320d69e3eb31f928b98553f96916eb08bf6fa41f142dd717792",
    ),
    (
        "pre_tool_use:1:0",
        "b22089b130d882c1c73d1ff80b8d260c544274033f130ad1e1c72d6c40cacc38",
    ),
    (
        "pre_tool_use:2:0",
        "250c1e9748c7a3130fcf12b596c40e211966274196ce0e2fec7f5eb707626bb0",
    ),
    (
        "permission_request:0:0",
        "e818da46c73ecf211b609596d06e799fb031de6ab96e03b2c2e5006126608420",
    ),
    (
        "post_compact:0:0",
        "b25f38b9ee6d88fec515c357375d4f5b6bed0c0428663c92e8175e1ba569cd18",
    ),
    (
        "session_start:0:0",
        "0dfb3c37faf03cc4fad3ad665e993c240f9c693b6c50b30577294034eaea1658",
    ),
    (
        "session_end:0:0",
        "8455d3c41e2bfccfb1d3f4bc03d57a9ea0a0c5fa3ea42b3ab24adb78749fabbe",
    ),
    (
        "session_end:0:1",
        "9f325cdaf3c5273a1dae888af58cf2d995554b6604b0bdddcfeaf6fa210a5f9c",
    ),
    (
        "user_prompt_submit:0:0",
        "9f83d2c9d1b48d3700283cd1d70b9fc7ad739f3245049d933978e90187ee8a84",
    ),
    (
        "stop:0:0",
        "88713b2691942fae80274fbc839228c5e02b7d061ff57e11edb9854b9ddae525",
    ),
    (
        "interrupt:0:0",
        "58d0d26f7b91a184cf0a626c7e59c6e5b7c854a8781fa9da227b6b904961b9fe",
    ),
];

fn read(file: &str) -> Vec<HookDeclaration> {
    let plugin = Plugin::new().file("hooks/hooks.json", file);
    let id = PluginId::parse("p@m").unwrap();
    hooks(&plugin.disk, &plugin.root(), &plugin.manifest, &id).items
}

fn short_key(hook: &HookDeclaration) -> &str {
    hook.key.strip_prefix("p@m:hooks/hooks.json:").unwrap()
}

#[test]
fn the_declaration_hash_is_that_of_the_reference() {
    let hooks = read(OBSERVED_FILE);
    let hashes: Vec<_> = hooks
        .iter()
        .map(|hook| (short_key(hook), hook.declaration_hash().unwrap().hex()))
        .collect();
    let observed: Vec<_> = OBSERVED
        .iter()
        .map(|(key, hash)| (*key, (*hash).to_owned()))
        .collect();
    assert_eq!(hashes, observed);
}

#[test]
fn what_is_never_run_has_no_hash() {
    let hooks =
        read(r#"{"hooks": {"Stop": [{"hooks": [{"type": "prompt"}, {"type": "agent"}]}]}}"#);
    assert_eq!(hooks.len(), 2);
    assert!(hooks.iter().all(|hook| hook.declaration_hash().is_none()));
}

/// The obstacle of the one handler of an event, whose group has a matcher.
#[track_caller]
fn check_obstacle(event: &str, matcher: &str, handler: &str, expected: Option<HookObstacle>) {
    let file = format!(
        r#"{{"hooks": {{"{event}": [{{"matcher": "{matcher}", "hooks": [{handler}]}}]}}}}"#
    );
    assert_eq!(read(&file)[0].obstacle(), expected, "{file}");
}

#[test]
fn handlers_that_can_never_run() {
    use HookObstacle::{Agent, BadMatcher, BlankCommand, BlankTool, Prompt, ToolAtSessionEnd};
    let command = r#"{"type": "command", "command": "x"}"#;
    let tool = r#"{"type": "mcp_tool", "server": "s", "tool": "t"}"#;
    check_obstacle("PreToolUse", "A|B", command, None);
    check_obstacle("PreToolUse", "*", command, None);
    check_obstacle("PreToolUse", "[", command, Some(BadMatcher));
    check_obstacle("Stop", "[", command, None);
    check_obstacle("Stop", "", tool, None);
    check_obstacle("SessionEnd", "", tool, Some(ToolAtSessionEnd));
    check_obstacle("SessionEnd", "", command, None);
    let blank = r#"{"type": "command", "command": "\t"}"#;
    check_obstacle("Stop", "", blank, Some(BlankCommand));
    let blank = r#"{"type": "mcp_tool", "server": "s", "tool": " "}"#;
    check_obstacle("Stop", "", blank, Some(BlankTool));
    check_obstacle("Stop", "", r#"{"type": "prompt"}"#, Some(Prompt));
    check_obstacle("Stop", "", r#"{"type": "agent"}"#, Some(Agent));
}

#[test]
fn who_waits_for_a_handler() {
    let hooks = read(OBSERVED_FILE);
    let unattended: Vec<_> = hooks
        .iter()
        .filter(|hook| hook.runs_async())
        .map(short_key)
        .collect();
    assert_eq!(unattended, ["pre_tool_use:0:1"]);
}

#[test]
fn directories_are_put_into_commands() {
    let placeholders = Placeholders {
        plugin_root: AbsPath::new("/r").unwrap(),
        plugin_data: AbsPath::new("/d").unwrap(),
    };
    let hooks = read(
        r#"{"hooks": {"Stop": [{"hooks": [
            {"type": "command", "command": "${PLUGIN_ROOT}/a $PLUGIN_ROOT ${CLAUDE_PLUGIN_DATA} ${HOME}",
             "commandWindows": "${PLUGIN_DATA}.cmd"},
            {"type": "command", "command": "x"},
            {"type": "mcp_tool", "server": "s", "tool": "t"}]}]}}"#,
    );
    let texts = |platform| -> Vec<Option<String>> {
        let texts = hooks
            .iter()
            .map(|h| h.command_text(&placeholders, platform));
        texts.collect()
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        texts(Platform::Unix),
        [text("/r/a $PLUGIN_ROOT /d ${HOME}"), text("x"), None]
    );
    assert_eq!(texts(Platform::Windows), [text("/d.cmd"), text("x"), None]);
}
