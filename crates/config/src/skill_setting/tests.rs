use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;

use super::{SkillRule, SkillSelector};
use crate::LayerSource;
use crate::snapshot::Snapshot;
use crate::snapshot::tests::{problems, read};

/// The rules as `+name`, `-name`, `+/path` below the root, each with its layer.
fn rules(sandbox: &Sandbox, snapshot: &Snapshot) -> Vec<String> {
    let root = sandbox.root().to_text();
    let row = |rule: &SkillRule| {
        let sign = if rule.enabled { '+' } else { '-' };
        let selector = match &rule.selector {
            SkillSelector::Name(name) => name.clone(),
            SkillSelector::Path(path) => path.to_text().replace(&root, ""),
            SkillSelector::Home(path) => format!("~ {}", path.display()),
        };
        let layer = match rule.origin.source {
            LayerSource::User => "user",
            LayerSource::Profile { .. } => "profile",
            LayerSource::SessionFlags => "flags",
            _ => "other",
        };
        format!("{sign}{selector} {layer}")
    };
    snapshot.skill_rules().iter().map(row).collect()
}

#[track_caller]
fn check(config: &str, expected: &[&str], complaints: &[&str]) {
    let sandbox = Sandbox::from(&format!("== ch/config.toml\n{config}\n"));
    let snapshot = read(&sandbox, &[], None);
    assert_eq!(rules(&sandbox, &snapshot), expected, "{config}");
    assert_eq!(problems(&sandbox, &snapshot), complaints, "{config}");
}

#[test]
fn rules_stay_in_order() {
    check("", &[], &[]);
    check("[skills]", &[], &[]);
    check("skills.config = []", &[], &[]);
    let headers = "[[skills.config]]\nname = \"p:s\"\nenabled = false\n\
                   [[skills.config]]\npath = \"/a/../s/SKILL.md\"\nenabled = true\n\
                   [[skills.config]]\nname = \" p:s \"\nenabled = true";
    check(
        headers,
        &["-p:s user", "+/s/SKILL.md user", "+p:s user"],
        &[],
    );
    check(
        "skills = { config = [{ name = \"a\", enabled = false }, { name = \"b\", enabled = true }] }",
        &["-a user", "+b user"],
        &[],
    );
}

#[test]
fn a_relative_path_is_meant_from_the_file() {
    check(
        "[[skills.config]]\npath = \"skills/x/SKILL.md\"\nenabled = false",
        &["-/ch/skills/x/SKILL.md user"],
        &[],
    );
    let sandbox = Sandbox::new();
    let flag = "skills.config=[{path=\"x/SKILL.md\",enabled=false}]";
    let snapshot = read(&sandbox, &[flag], None);
    assert_eq!(rules(&sandbox, &snapshot), [""; 0]);
    assert_eq!(problems(&sandbox, &snapshot), ["badValue  skills.config.0"]);
}

#[test]
fn a_bad_rule_spoils_itself_only() {
    let at = "/ch/config.toml";
    let row = |text: &str| format!("skills.config = [{text}, {{ name = \"b\", enabled = false }}]");
    for (bad, problem) in [
        ("5", format!("wrongType {at}:1:18 skills.config.0")),
        (
            "{ name = 5, enabled = true }",
            format!("wrongType {at}:1:27 skills.config.0.name"),
        ),
        (
            "{ path = [], enabled = true }",
            format!("wrongType {at}:1:27 skills.config.0.path"),
        ),
        (
            "{ name = \"a\", enabled = \"no\" }",
            format!("wrongType {at}:1:42 skills.config.0.enabled"),
        ),
        (
            "{ name = \"a\" }",
            format!("badValue {at}:1:18 skills.config.0"),
        ),
        (
            "{ enabled = true }",
            format!("badValue {at}:1:18 skills.config.0"),
        ),
        (
            "{ name = \" \", enabled = true }",
            format!("badValue {at}:1:18 skills.config.0"),
        ),
        (
            "{ name = \"a\", path = \"/a/SKILL.md\", enabled = true }",
            format!("badValue {at}:1:18 skills.config.0"),
        ),
    ] {
        check(&row(bad), &["-b user"], &[&problem]);
    }
    check(
        "skills.config = 5",
        &[],
        &["wrongType /ch/config.toml:1:17 skills.config"],
    );
    check(
        "skills = 5",
        &[],
        &["wrongType /ch/config.toml:1:10 skills"],
    );
}

#[test]
fn a_rule_about_nothing_is_told() {
    check(
        "[[skills.config]]\npath = \"/a/skill\"\nenabled = false\ntypo = 1",
        &["-/a/skill user"],
        &[
            "unknownField /ch/config.toml:4:8 skills.config.0.typo",
            "badPath /ch/config.toml:2:8 skills.config.0.path",
        ],
    );
}

const LAYERS: &str = r#"
== etc/config.toml
[[skills.config]]
name = "system"
enabled = false
== ch/config.toml
[projects."$ROOT/p"]
trust_level = "trusted"
[[skills.config]]
name = "user"
enabled = false
== p/.git/HEAD
x
== p/.codex/config.toml
skills.include_instructions = false
skills.bundled.enabled = false
skills.config = [{ name = "project", enabled = false }]
"#;

#[test]
fn rules_are_the_users_and_switches_anybodys() {
    let sandbox = Sandbox::from(LAYERS);
    let flag = "skills.config=[{name=\"flag\",enabled=true}]";
    let snapshot = read(&sandbox, &[flag], Some("p"));
    assert_eq!(rules(&sandbox, &snapshot), ["-user user", "+flag flags"]);
    assert!(!snapshot.bundled_skills() && !snapshot.skill_instructions());
    assert_eq!(
        problems(&sandbox, &snapshot),
        [
            "unknownField /etc/config.toml:1:1 skills.config",
            "unknownField /p/.codex/config.toml:3:17 skills.config",
        ]
    );
    let snapshot = read(&sandbox, &[], None);
    assert_eq!(rules(&sandbox, &snapshot), ["-user user"]);
    assert!(snapshot.bundled_skills() && snapshot.skill_instructions());
}

#[test]
fn bad_switches_count_as_not_set() {
    let sandbox = Sandbox::from(
        "== ch/config.toml\n[skills]\ninclude_instructions = 1\n[skills.bundled]\nenabled = \"x\"\n",
    );
    let snapshot = read(&sandbox, &[], None);
    assert!(snapshot.bundled_skills() && snapshot.skill_instructions());
    assert_eq!(
        problems(&sandbox, &snapshot),
        [
            "wrongType /ch/config.toml:4:11 skills.bundled.enabled",
            "wrongType /ch/config.toml:2:24 skills.include_instructions",
        ]
    );
    let sandbox = Sandbox::from("== etc/config.toml\nskills = 1\n");
    let snapshot = read(&sandbox, &[], None);
    assert!(snapshot.bundled_skills());
    assert_eq!(
        problems(&sandbox, &snapshot),
        ["wrongType /etc/config.toml:1:10 skills"]
    );
}
