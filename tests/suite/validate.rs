//! Proves `plugd validate`: what an author should mend, with file, line and column and what would be
//! right, errors apart from warnings, and exit codes that a build can use.

use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;
use serde_json::Value;

use crate::fixtures::{cli, shown, text};

const GOOD: &str = r#"
== good/.agents/plugins/marketplace.json
{"name": "good", "plugins": [{"name": "p", "source": "./p"}]}
== good/p/.codex-plugin/plugin.json
{"name": "p", "version": "1.0.0", "description": "Works"}
== good/p/skills/greet/SKILL.md
---
description: Greets
---
Say hello.
== good/p/hooks/hooks.json
{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "${PLUGIN_ROOT}/bye.sh"}]}]}}
== good/p/bye.sh (mode 755)
#!/bin/sh
"#;

/// Validates with `--json`: the exit code and the answer.
#[track_caller]
fn validate(sandbox: &Sandbox, args: &[&str]) -> (i32, Value) {
    let output = cli(sandbox, &[&["validate"], args, &["--json"]].concat());
    assert_eq!(output.stderr, "", "{output}");
    (output.code(), shown(&output.json(), sandbox))
}

/// Every problem as `severity kind path:line:column field`, paths without the root.
fn found(answer: &Value) -> Vec<String> {
    let subjects = answer["subjects"].as_array().into_iter().flatten();
    let problems = subjects.flat_map(|one| one["problems"].as_array().into_iter().flatten());
    problems
        .map(|one| {
            let path = text(&one["path"]).replace("$ROOT/", "");
            format!(
                "{} {} {path}:{}:{} {}",
                text(&one["severity"]),
                text(&one["kind"]),
                one["line"],
                one["column"],
                text(&one["field"])
            )
        })
        .collect()
}

/// The exit codes without and with `--strict`, and the problems.
#[track_caller]
fn check(sandbox: &Sandbox, path: &str, codes: (i32, i32), expected: &[&str]) {
    let (code, answer) = validate(sandbox, &[path]);
    assert_eq!(found(&answer), expected, "{answer:#}");
    let (strict, strictly) = validate(sandbox, &[path, "--strict"]);
    assert_eq!((code, strict), codes, "{answer:#}");
    assert_eq!(
        (&answer["valid"], &strictly["valid"]),
        (&Value::from(codes.0 == 0), &Value::from(codes.1 == 0))
    );
}

#[test]
fn what_is_right_is_valid_however_it_is_named() {
    let sandbox = Sandbox::from(GOOD);
    for (path, subjects) in [
        ("$ROOT/good", 2),
        ("../good", 2),
        ("$ROOT/good/.agents/plugins/marketplace.json", 2),
        ("$ROOT/good/p", 1),
        ("$ROOT/good/p/.codex-plugin/plugin.json", 1),
    ] {
        let (code, answer) = validate(&sandbox, &[path, "--strict"]);
        assert_eq!(code, 0, "{path}: {answer:#}");
        assert_eq!(
            answer["subjects"].as_array().unwrap().len(),
            subjects,
            "{path}"
        );
        let sum = (&answer["valid"], &answer["errors"], &answer["warnings"]);
        assert_eq!(
            sum,
            (&Value::from(true), &Value::from(0), &Value::from(0)),
            "{path}"
        );
    }
    let output = cli(&sandbox, &["validate", "$ROOT/good/p"]);
    assert!(output.stdout.ends_with("/good/p): valid\n"), "{output}");
    assert_eq!((output.code(), output.stderr.as_str()), (0, ""));
}

#[test]
fn mistakes_in_a_plugin() {
    let sandbox = Sandbox::from(GOOD);
    let at = |path: &str, content: &str| sandbox.write(&format!("good/p/{path}"), content);
    at("skills/mute/SKILL.md", "---\nname: mute\n---\nText\n");
    check(
        &sandbox,
        "$ROOT/good/p",
        (1, 1),
        &["error missingField good/p/skills/mute/SKILL.md:2:1 description"],
    );
    at(
        "skills/mute/SKILL.md",
        "---\ndescription: Speaks\n---\nText\n",
    );
    at(
        "hooks/hooks.json",
        "{\"hooks\": {\"Stop\": [{\"hooks\": [\n{\"type\": \"command\", \
         \"command\": \"${PLUGIN_ROOT}/gone.sh\"}]}]}}",
    );
    check(
        &sandbox,
        "$ROOT/good/p",
        (1, 1),
        &["error missing good/p/hooks/hooks.json:2:32 hooks.Stop[0].hooks[0].command"],
    );
    at("hooks/hooks.json", "{\"hooks\": {}}");
    at(
        ".codex-plugin/plugin.json",
        "{\"name\": \"p\",\n \"descripton\": \"x\", \"skills\": \"../elsewhere\"}",
    );
    check(
        &sandbox,
        "$ROOT/good/p",
        (0, 1),
        &[
            "warning unknownField good/p/.codex-plugin/plugin.json:2:16 descripton",
            "warning badPath good/p/.codex-plugin/plugin.json:2:31 skills",
        ],
    );
    at(".codex-plugin/plugin.json", "{\"name\": 7}");
    check(
        &sandbox,
        "$ROOT/good/p",
        (1, 1),
        &["error wrongType good/p/.codex-plugin/plugin.json:1:10 name"],
    );
    at(".codex-plugin/plugin.json", "{");
    check(
        &sandbox,
        "$ROOT/good/p",
        (1, 1),
        &["error syntax good/p/.codex-plugin/plugin.json:1:1 -"],
    );
}

#[test]
fn mistakes_in_a_marketplace() {
    let sandbox = Sandbox::from(GOOD);
    let file = "good/.agents/plugins/marketplace.json";
    let manifest = r#"{"name": "good", "plugins": [
{"name": "p", "source": "./p", "polcy": {}},
{"name": "P", "source": "./gone"},
{"name": "q", "source": "./p"},
{"name": "out", "source": "../out"}
]}"#;
    sandbox.write(file, manifest);
    let (code, answer) = validate(&sandbox, &["$ROOT/good"]);
    assert_eq!(code, 1, "{answer:#}");
    assert_eq!(
        found(&answer),
        [
            format!("error missing {file}:3:25 plugins[1].source"),
            format!("error badSource {file}:5:27 plugins[3].source"),
            format!("warning unknownField {file}:2:41 plugins[0].polcy"),
            format!("warning duplicate {file}:3:10 plugins[1].name"),
            "error nameMismatch good/p/.codex-plugin/plugin.json:1:10 name".to_owned(),
        ]
    );
    sandbox.write(file, r#"{"name": "openai-curated", "plugins": []}"#);
    let reserved = format!("error reservedName {file}:1:10 name");
    check(&sandbox, "$ROOT/good", (1, 1), &[&reserved]);
    sandbox.write(file, "[]");
    let (code, answer) = validate(&sandbox, &["$ROOT/good"]);
    assert_eq!(
        (code, answer["errors"].as_u64()),
        (1, Some(1)),
        "{answer:#}"
    );
}

#[test]
fn every_word_says_what_would_be_right() {
    let sandbox = Sandbox::from(GOOD);
    let plugin = "{\"name\": \"p\",\n \"descripton\": \"x\"}";
    sandbox.write("good/p/.codex-plugin/plugin.json", plugin);
    let output = cli(&sandbox, &["validate", "$ROOT/good/p", "--strict"]);
    assert_eq!(output.code(), 1);
    let line = "plugin.json:2:16: descripton: nobody reads `descripton` here; \
                did you mean `description`\n";
    assert!(output.stdout.contains(line), "{output}");
    assert!(output.stderr.contains("--strict"), "{output}");
}

#[test]
fn what_is_nothing_to_validate() {
    let sandbox = Sandbox::from("== notes/notes.md\nnothing\n");
    for path in ["$ROOT/notes", "$ROOT/gone", "$ROOT/notes/notes.md"] {
        let output = cli(&sandbox, &["validate", path]);
        assert_eq!((output.code(), output.stdout.as_str()), (1, ""), "{output}");
        let output = cli(&sandbox, &["validate", path, "--json"]);
        let kind = output.json()["error"]["data"]["kind"].clone();
        assert_eq!(
            (output.code(), text(&kind)),
            (1, "invalidInput"),
            "{output}"
        );
    }
    for args in [&["validate"][..], &["validate", "a", "--nonsense"]] {
        assert_eq!(cli(&sandbox, args).code(), 2, "{args:?}");
    }
}

#[test]
fn no_home_is_needed_and_none_is_made() {
    let sandbox = Sandbox::from(GOOD);
    let before = sandbox.tree("ch");
    validate(&sandbox, &["$ROOT/good"]);
    assert_eq!(sandbox.tree("ch"), before);
}

/// Whatever a problem speaks of, it says where the author has to look.
#[test]
fn every_problem_of_a_manifest_has_its_line_and_column() {
    let sandbox = Sandbox::from(
        r#"
== m/.agents/plugins/marketplace.json
{"name": "openai-curated", "owner": 7, "metadata": [], "plugins": [
 {"name": "gone", "source": "./gone"},
 {"name": "other", "source": "./p"},
 {"name": "bare", "version": "a/b", "source": "./bare", "homepage": 7, "author": {"emial": "x"}},
 {"name": "out", "source": "./out"}]}
== m/out -> $ROOT/elsewhere
== elsewhere/x
1
== m/p/.codex-plugin/plugin.json
{"name": "p",
 "version": "1/2",
 "author": {"name": 7, "emial": "x"}, "homepage": [], "repository": 7,
 "skills": ["./skills", "./nope"],
 "commands": "./nocommands",
 "hooks": "./nohooks.json",
 "mcpServers": "./noservers.json",
 "apps": "./noapps.json",
 "extensions": {"com.openai": {"onboardingSkill": "./skills/z/SKILL.md"}}}
== m/p/skills/a/SKILL.md
---
description: A
---
x
== m/p/skills/a/agents/openai.yml
interface: {}
== m/p/skills/a/agents/openai.yaml
interfce: {}
interface:
  dispay_name: x
policy:
  allow_implict_invocation: false
== m/bare/skills/a/SKILL.md
---
description: A
---
x
"#,
    );
    let (_, answer) = validate(&sandbox, &["$ROOT/m"]);
    let found = found(&answer);
    let file = "m/.agents/plugins/marketplace.json";
    let plugin = "m/p/.codex-plugin/plugin.json";
    let yaml = "m/p/skills/a/agents/openai.yaml";
    for expected in [
        format!("error reservedName {file}:1:10 name"),
        format!("warning wrongType {file}:1:37 owner"),
        format!("warning wrongType {file}:1:52 metadata"),
        format!("error missing {file}:2:29 plugins[0].source"),
        format!("error nameMismatch {plugin}:1:10 name"),
        format!("error badVersion {file}:4:30 plugins[2].version"),
        format!("warning wrongType {file}:4:69 plugins[2].homepage"),
        format!("warning unknownField {file}:4:92 plugins[2].author.emial"),
        format!("error badPath {file}:5:28 plugins[3].source"),
        format!("error badVersion {plugin}:2:13 version"),
        format!("warning wrongType {plugin}:3:21 author.name"),
        format!("warning unknownField {plugin}:3:33 author.emial"),
        format!("warning wrongType {plugin}:3:51 homepage"),
        format!("warning wrongType {plugin}:3:69 repository"),
        format!("warning missing {plugin}:4:25 skills[1]"),
        format!("warning missing {plugin}:5:14 commands"),
        format!("warning missing {plugin}:6:11 hooks"),
        format!("warning missing {plugin}:7:16 mcpServers"),
        format!("warning missing {plugin}:8:10 apps"),
        format!("warning missing {plugin}:9:51 extensions.com.openai.onboardingSkill"),
        format!("warning unknownField {yaml}:1:1 interfce"),
        format!("warning unknownField {yaml}:3:3 interface.dispay_name"),
        format!("warning unknownField {yaml}:5:3 policy.allow_implict_invocation"),
        "warning badName m/p/skills/a/agents/openai.yml:null:null -".to_owned(),
    ] {
        assert!(found.contains(&expected), "{expected} in {found:#?}");
    }
}

#[test]
fn a_fatal_mistake_hides_no_other() {
    let sandbox = Sandbox::from(
        r#"
== strict/plugin.json
{"$schema": "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json", "nmae": "p",
 "descripton": "x"}
== bad/.codex-plugin/plugin.json
{"name": "a b"}
"#,
    );
    let (_, answer) = validate(&sandbox, &["$ROOT/strict"]);
    assert_eq!(
        found(&answer),
        [
            "error missingField strict/plugin.json:1:1 name",
            "warning unknownField strict/plugin.json:1:83 nmae",
            "warning unknownField strict/plugin.json:2:16 descripton",
        ]
    );
    let (_, answer) = validate(&sandbox, &["$ROOT/bad"]);
    assert_eq!(
        found(&answer),
        ["error badName bad/.codex-plugin/plugin.json:1:10 name"]
    );
}
