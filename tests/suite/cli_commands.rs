//! Proves the commands that are one method each: their JSON is the method's answer, their text says
//! the same, and a failure is told as by every other command.

use plugd_testkit::{Sandbox, filter};
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::fixtures::{DEMO, cli, shown, start};

/// A home with an installed plugin that has a skill.
fn installed() -> Sandbox {
    let sandbox = Sandbox::from(DEMO);
    let _ = cli(&sandbox, &["plugin", "add", "hello@demo"]).success();
    sandbox
}

/// A command with `--json` answers what the method does.
#[track_caller]
fn agrees(sandbox: &Sandbox, args: &[&str], method: &str, params: serde_json::Value) {
    let output = cli(sandbox, &[args, &["--json"]].concat());
    assert_eq!(output.code(), 0, "{args:?}: {output}");
    let mut daemon = start(sandbox);
    let answer = daemon.ok(method, params);
    assert_eq!(
        shown(&output.json(), sandbox),
        shown(&answer, sandbox),
        "{args:?}"
    );
}

#[test]
fn the_json_of_a_command_is_the_answer_of_its_method() {
    let sandbox = installed();
    let cwd = sandbox.cwd().to_text();
    agrees(
        &sandbox,
        &["plugin", "search", "hello"],
        "plugin/search",
        json!({"searchTerm": "hello"}),
    );
    agrees(
        &sandbox,
        &["plugin", "skill", "hello@demo", "greet"],
        "plugin/skill/read",
        json!({"pluginId": "hello@demo", "skillName": "greet"}),
    );
    let cwds = json!({"cwds": [cwd]});
    agrees(&sandbox, &["skills", "list"], "skills/list", cwds.clone());
    agrees(&sandbox, &["hooks", "list"], "hooks/list", cwds);
    let place = json!({"cwd": cwd});
    agrees(&sandbox, &["components"], "plugd/components", place.clone());
    agrees(
        &sandbox,
        &["instructions"],
        "plugd/instructions",
        place.clone(),
    );
    agrees(&sandbox, &["config", "read"], "config/read", place);
    agrees(
        &sandbox,
        &["mentions", "ask @hello"],
        "plugd/mentions",
        json!({"text": "ask @hello", "cwd": cwd}),
    );
    agrees(
        &sandbox,
        &["config", "requirements"],
        "configRequirements/read",
        json!({}),
    );
}

#[track_caller]
fn says(sandbox: &Sandbox, args: &[&str], parts: &[&str]) {
    let output = cli(sandbox, args);
    let text = filter(output.success(), sandbox);
    for part in parts {
        assert!(text.contains(part), "{args:?}: {part}\n{text}");
    }
}

#[test]
fn texts_for_people() {
    let sandbox = installed();
    says(
        &sandbox,
        &["plugin", "search", "greeting"],
        &["PLUGIN", "hello@demo  installed  Hello there"],
    );
    says(
        &sandbox,
        &["plugin", "search", "nothing-like-it"],
        &["No plugins found."],
    );
    says(
        &sandbox,
        &["plugin", "skill", "hello@demo", "greet"],
        &["Say hello."],
    );
    says(
        &sandbox,
        &["skills", "list"],
        &["SKILL", "greet", "enabled"],
    );
    says(&sandbox, &["hooks", "list"], &["No hooks found."]);
    says(&sandbox, &["components"], &["KIND", "hello@demo"]);
    says(&sandbox, &["status"], &["plugd ", "LAYER", "TASK"]);
    says(
        &sandbox,
        &["config", "requirements"],
        &["Nothing is required."],
    );
}

#[test]
fn a_skill_is_switched_off_and_on() {
    let sandbox = installed();
    says(
        &sandbox,
        &["skills", "disable", "hello:greet"],
        &["The skill is disabled."],
    );
    says(&sandbox, &["skills", "list"], &["disabled"]);
    says(
        &sandbox,
        &["skills", "enable", "hello:greet"],
        &["The skill is enabled."],
    );
}

#[test]
fn the_configuration_is_written_and_read_with_its_layer() {
    let sandbox = Sandbox::new();
    let edits = ["features.plugins=true", "note=a word"];
    let write = [["config", "write"], edits].concat();
    says(&sandbox, &write, &["Wrote $ROOT/ch/config.toml."]);
    says(
        &sandbox,
        &["config", "read", "features"],
        &["features.plugins  true", "user $ROOT/ch/config.toml"],
    );
    let text = sandbox.text("ch/config.toml");
    assert!(text.contains("note = \"a word\""), "{text}");
    let output = cli(&sandbox, &["config", "write", "key-alone", "--json"]);
    assert_eq!(output.code(), 1, "{output}");
    assert_eq!(output.json()["error"]["data"]["kind"], "invalidInput");
}

#[test]
fn shares_need_a_login_and_say_so() {
    let sandbox = Sandbox::from(DEMO);
    for args in [
        vec!["plugin", "share", "list"],
        vec!["plugin", "share", "delete", "plugins~1"],
        vec!["plugin", "share", "save", "../demo/plugins/hello"],
        vec!["plugin", "share", "checkout", "plugins~1"],
    ] {
        let output = cli(&sandbox, &args);
        assert_eq!((output.code(), output.stdout.as_str()), (1, ""), "{output}");
        assert!(output.stderr.starts_with("error: "), "{output}");
        let output = cli(&sandbox, &[args.as_slice(), &["--json"]].concat());
        assert!(output.json()["error"]["message"].is_string(), "{output}");
    }
}

#[track_caller]
fn suggests(sandbox: &Sandbox, args: &[&str], hint: &str) {
    let output = cli(sandbox, args);
    assert_eq!(output.code(), 1, "{args:?}: {output}");
    let line = format!("hint: {hint}\n");
    assert!(output.stderr.contains(&line), "{args:?}: {output}");
    let output = cli(sandbox, &[args, &["--json"]].concat());
    assert_eq!(output.json()["error"]["data"]["hint"], hint, "{args:?}");
}

#[test]
fn misspelt_names_are_answered_with_what_may_be_meant() {
    let sandbox = Sandbox::from(DEMO);
    let hello = "did you mean `hello@demo`?";
    suggests(&sandbox, &["plugin", "add", "helo@demo"], hello);
    suggests(&sandbox, &["plugin", "add", "hello"], hello);
    let demo = "did you mean `demo`?";
    suggests(&sandbox, &["plugin", "add", "hello@dmeo"], demo);
    suggests(&sandbox, &["plugin", "read", "hello@demoo"], demo);
    suggests(&sandbox, &["marketplace", "remove", "demmo"], demo);
}

#[test]
fn quiet_leaves_warnings_out_and_keeps_errors() {
    let sandbox = Sandbox::from(DEMO);
    sandbox.write("ch/config.toml", "[marketplaces\n");
    let output = cli(&sandbox, &["plugin", "list", "--quiet"]);
    assert_eq!(output.code(), 1, "{output}");
    assert_eq!(output.stderr.lines().count(), 1, "{output}");
    assert!(output.stderr.starts_with("error: "), "{output}");
}
