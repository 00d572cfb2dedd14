use plugd_disk::Disk;
use plugd_model::AbsPath;
use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::write::tests::{PATIENCE, set, write_to};
use crate::{Edit, Merge, SkillSelector, WriteError, undo};

fn name(name: &str) -> SkillSelector {
    SkillSelector::Name(name.to_owned())
}

/// Switches skills in a home with this `config.toml`, where `$ROOT` is the root; then once more, which
/// must change nothing; then undoes it.
#[track_caller]
fn check(before: &str, selector: &SkillSelector, enabled: bool, after: &str) {
    let sandbox = Sandbox::new();
    let before = sandbox.expand(before);
    sandbox.write("ch/config.toml", &before);
    let edits = [Edit::set_skill_rule(selector, enabled)];
    let written = write_to(&sandbox, &edits).unwrap();
    assert_eq!(sandbox.text("ch/config.toml"), sandbox.expand(after));
    assert_eq!(written.changed, before != sandbox.expand(after));
    let again = write_to(&sandbox, &edits).unwrap();
    assert!(!again.changed);
    undo(&Disk::new(), &sandbox.layout(), &written.undo(), PATIENCE).unwrap();
    assert_eq!(sandbox.text("ch/config.toml"), before);
}

/// Checks a rule that is added, and that switching on again brings back the bytes.
#[track_caller]
fn check_both(before: &str, selector: &SkillSelector, after: &str) {
    check(before, selector, false, after);
    check(after, selector, true, before);
}

const RULE: &str = "[[skills.config]]\nname = \"p:s\"\nenabled = false\n";

#[test]
fn off_is_a_rule_and_on_is_none() {
    let skill = name("p:s");
    check_both("", &skill, RULE);
    check("", &skill, true, "");
    check("", &name(" p:s "), false, RULE);
    check_both(
        "model = \"x\" # c\n",
        &skill,
        &format!("model = \"x\" # c\n\n{RULE}"),
    );
    check_both(
        "\u{feff}a = 1\r\n# end\r\n",
        &skill,
        &format!(
            "\u{feff}a = 1\r\n# end\r\n\r\n{}",
            RULE.replace('\n', "\r\n")
        ),
    );
    check_both("a = 1", &skill, &format!("a = 1\n\n{}", RULE.trim_end()));
    check_both(
        "[skills.bundled]\nenabled = false # b\n# of z\n[z]\n",
        &skill,
        &format!("[skills.bundled]\nenabled = false # b\n\n{RULE}# of z\n[z]\n"),
    );
    check_both(
        "[skills]\ninclude_instructions = true\n\n# tail\n[z]\n",
        &skill,
        &format!("[skills]\ninclude_instructions = true\n\n{RULE}\n# tail\n[z]\n"),
    );
    check_both(
        "[[skills.config]] # k\nname = \"z\"\nenabled = false # k\n\n# tail\n[other]\na = 1\n",
        &skill,
        &format!(
            "[[skills.config]] # k\nname = \"z\"\nenabled = false # k\n\n{RULE}\n# tail\n[other]\na = 1\n"
        ),
    );
}

#[test]
fn a_path_is_compared_as_its_reader_understands_it() {
    let sandbox = Sandbox::new();
    let path = |text: &str| SkillSelector::Path(AbsPath::new(text).unwrap());
    let skill = path("/srv/a/../s/SKILL.md");
    check_both(
        "",
        &skill,
        "[[skills.config]]\npath = \"/srv/s/SKILL.md\"\nenabled = false\n",
    );
    check(
        "skills.config = [{ path = \"/srv/x/../s/SKILL.md\", enabled = false }]\n",
        &skill,
        true,
        "",
    );
    // The sandboxes have roots of their own, so a relative path is all they have in common.
    sandbox.write(
        "ch/config.toml",
        "[[skills.config]]\npath = \"skills/s/SKILL.md\"\nenabled = false\n",
    );
    let skill = SkillSelector::Path(sandbox.path("ch/skills/s/SKILL.md"));
    let off = Edit::set_skill_rule(&skill, false);
    assert!(!write_to(&sandbox, &[off]).unwrap().changed);
    write_to(&sandbox, &[Edit::set_skill_rule(&skill, true)]).unwrap();
    assert_eq!(sandbox.text("ch/config.toml"), "");
}

#[test]
fn forms_stay_what_they_are() {
    let skill = name("p:s");
    check_both(
        "skills = { config = [{ name = \"q\", enabled = false }] } # c\n",
        &skill,
        "skills = { config = [{ name = \"q\", enabled = false }, { name = \"p:s\", enabled = false }] } # c\n",
    );
    check_both(
        "[skills]\nconfig = [\n  { name = \"q\", enabled = false }, # q\n]\n",
        &skill,
        "[skills]\nconfig = [\n  { name = \"q\", enabled = false },\n  { name = \"p:s\", enabled = false }, # q\n]\n",
    );
    check_both(
        "skills.include_instructions = true\n",
        &skill,
        "skills.include_instructions = true\nskills.config = [{ name = \"p:s\", enabled = false }]\n",
    );
    check(
        "skills = { bundled = { enabled = true } }",
        &skill,
        false,
        "skills = { bundled = { enabled = true }, config = [{ name = \"p:s\", enabled = false }] }",
    );
    check(
        "[skills]\nconfig = []\n",
        &skill,
        false,
        "[skills]\nconfig = [{ name = \"p:s\", enabled = false }]\n",
    );
}

#[test]
fn an_emptied_section_goes() {
    let skill = name("p:s");
    check(
        &format!("a = 1\n\n[skills]\n\n{RULE}"),
        &skill,
        true,
        "a = 1\n",
    );
    let inline = "[skills]\nconfig = [{ name = \"p:s\", enabled = false }]\n";
    check(inline, &skill, true, "");
    let braces = "skills = { config = [{ name = \"p:s\", enabled = false }] }\nb = 1\n";
    check(braces, &skill, true, "b = 1\n");
    let dotted = "skills.config = [{ name = \"p:s\", enabled = false }]\n";
    check(dotted, &skill, true, "");
    check(
        &format!("[skills.bundled]\nenabled = true\n\n{RULE}"),
        &skill,
        true,
        "[skills.bundled]\nenabled = true\n",
    );
}

#[test]
fn what_says_otherwise_is_switched_in_place() {
    let skill = name("p:s");
    let on = "[[skills.config]]\nname = \" p:s \"\nenabled = true # was on\nmine = 1\n";
    check(on, &skill, false, &on.replace("= true", "= false"));
    check(on, &skill, true, "");
    let silent = "[[skills.config]]\nname = \"p:s\" # c\n";
    check(silent, &skill, false, &format!("{silent}enabled = false\n"));
    // The last one decides, and all are removed: with one left the skill would stay off.
    let off = RULE;
    let on = RULE.replace("false", "true");
    let other = RULE.replace("p:s", "z");
    check(
        &format!("{on}\n{other}\n{off}"),
        &skill,
        false,
        &format!("{on}\n{other}\n{off}"),
    );
    check(
        &format!("{off}\n{other}\n{on}"),
        &skill,
        false,
        &format!("{off}\n{other}\n{off}"),
    );
    check(
        &format!("{off}\n{other}\n{off}"),
        &skill,
        true,
        &format!("\n{other}"),
    );
}

#[test]
fn rules_that_nobody_reads_stay() {
    let skill = name("p:s");
    let text = "skills.config = [{ name = \"p:s\", path = \"/s/SKILL.md\", enabled = false }, \
                { name = 5, enabled = false }, 7]\n";
    check(text, &skill, true, text);
    let with = text.replace("7]", "7, { name = \"p:s\", enabled = false }]");
    check(text, &skill, false, &with);
    // A bad row that moves up is still the bad row of before.
    let first = "[[skills.config]]\nname = \"p:s\"\nenabled = false\n\n\
                 [[skills.config]]\nname = 5\nenabled = false\n";
    check(
        first,
        &skill,
        true,
        "\n[[skills.config]]\nname = 5\nenabled = false\n",
    );
}

#[test]
fn several_skills_at_once() {
    let sandbox = Sandbox::new();
    let skills = ["a", "b", "c"].map(name);
    let off: Vec<_> = skills
        .iter()
        .map(|skill| Edit::set_skill_rule(skill, false))
        .collect();
    let written = write_to(&sandbox, &off).unwrap();
    let text = sandbox.text("ch/config.toml");
    assert_eq!(text.matches("[[skills.config]]").count(), 3);
    let mixed = [
        Edit::set_skill_rule(&skills[1], true),
        Edit::set_skill_rule(&skills[0], true),
        set("a", json!(1)),
    ];
    write_to(&sandbox, &mixed).unwrap();
    let left = "\na = 1\n[[skills.config]]\nname = \"c\"\nenabled = false\n";
    assert_eq!(sandbox.text("ch/config.toml"), left);
    sandbox.write("ch/config.toml", text);
    let undone = undo(&Disk::new(), &sandbox.layout(), &written.undo(), PATIENCE).unwrap();
    assert_eq!(sandbox.text("ch/config.toml"), "");
    assert_eq!(undone.restored.len(), 1);
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let refused = |text: &str, edit: Edit| {
        let sandbox = Sandbox::new();
        sandbox.write("ch/config.toml", text);
        let error = write_to(&sandbox, &[edit]).unwrap_err();
        assert_eq!(sandbox.text("ch/config.toml"), text);
        assert!(matches!(error, WriteError::Invalid { .. }), "{error:?}");
    };
    let off = || Edit::set_skill_rule(&name("a"), false);
    refused("", Edit::set_skill_rule(&name("  "), false));
    refused("skills.config = 5\n", off());
    refused("skills.config = { a = 1 }\n", off());
    refused("skills = 5\n", off());
    for value in [
        json!(5),
        json!({"name": "a"}),
        json!({"enabled": true}),
        json!({"name": "a", "path": "/a", "enabled": true}),
    ] {
        let edit = Edit {
            strategy: Merge::Rule,
            ..set("skills.config", value)
        };
        refused("", edit);
    }
}
