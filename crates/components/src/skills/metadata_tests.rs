use pretty_assertions::assert_eq;

use super::skills;
use super::tests::{head, one};
use crate::fixture::Plugin;

/// The skill's metadata in one line, with its problems.
#[track_caller]
fn check_metadata(yaml: &str, expected: &str, problems: &[&str]) {
    let (plugin, skill, found) = one(&head("description: d"), Some(yaml));
    let skill = skill.unwrap();
    let mut parts = Vec::new();
    if let Some(interface) = &skill.interface {
        let icon =
            |icon: &Option<plugd_model::AbsPath>| icon.as_ref().map(|path| plugin.relative(path));
        let members = [
            interface.display_name.clone(),
            interface.short_description.clone(),
            icon(&interface.icon_small),
            icon(&interface.icon_large),
            interface.brand_color.clone(),
            interface.default_prompt.clone(),
        ];
        parts.push(
            members
                .map(|member| member.unwrap_or("-".to_owned()))
                .join("|"),
        );
    }
    for tool in &skill.dependencies {
        parts.push(format!("{}={}", tool.kind, tool.value));
    }
    if !skill.allow_implicit {
        parts.push("explicit".to_owned());
    }
    if !skill.visible {
        parts.push("hidden".to_owned());
    }
    assert_eq!(parts.join(" "), expected);
    let prefix = "skills/s/agents/openai.yaml ";
    let found: Vec<_> = found.iter().map(|line| line.replace(prefix, "")).collect();
    assert_eq!(found, problems);
}

#[test]
fn metadata_texts() {
    check_metadata(
        "interface:\n  display_name: '  A  b '\n  short_description: yes\n  default_prompt: hi\n  brand_color: '#aabbCC'",
        "A b|yes|-|-|#aabbCC|hi",
        &[],
    );
    check_metadata("interface:\n  display_name: ''", "", &[]);
    check_metadata("interface: null\npolicy: ~\ndependencies:", "", &[]);
    check_metadata("", "", &[]);
    check_metadata("other: 5", "", &[]);
    let long = format!(
        "interface:\n  display_name: {}\n  default_prompt: x",
        "n".repeat(65)
    );
    check_metadata(
        &long,
        "-|-|-|-|-|x",
        &["tooLarge interface.display_name 2:17"],
    );
    check_metadata(
        "interface:\n  display_name: [x]\n  brand_color: '#abc'\n  default_prompt: x",
        "-|-|-|-|-|x",
        &[
            "wrongType interface.display_name 2:17",
            "badValue interface.brand_color 3:16",
        ],
    );
    check_metadata(
        "interface:\n  display_name: x\n  display_name: y",
        "y|-|-|-|-|-",
        &["duplicate interface.display_name 3:3"],
    );
    check_metadata("interface: [", "", &["syntax 1:13"]);
    check_metadata("interface: 5", "", &["wrongType interface 1:12"]);
    check_metadata("- x", "", &["wrongType 1:1"]);
}

#[test]
fn icons_lie_below_assets() {
    let check = |small: &str, expected: &str, problems: &[&str]| {
        let yaml = format!("interface:\n  display_name: x\n  icon_small: {small}");
        check_metadata(&yaml, &format!("x|-|{expected}|-|-|-"), problems);
    };
    let bad = ["badPath interface.icon_small 3:15"];
    check("assets/x.png", "skills/s/assets/x.png", &[]);
    check("./assets/a/./x.png", "skills/s/assets/a/x.png", &[]);
    check("../../assets/x.png", "assets/x.png", &[]);
    check("assets/../../../assets/q.png", "assets/q.png", &[]);
    check("x.png", "-", &bad);
    check("/abs.png", "-", &bad);
    check("./assets/../assets/y.png", "-", &bad);
    check("../assets/x.png", "-", &bad);
    check("../../../assets/x.png", "-", &bad);
}

#[cfg(unix)]
#[test]
fn an_icon_may_not_leave_through_a_link() {
    let plugin = Plugin::new()
        .file("skills/s/SKILL.md", head("description: d"))
        .file(
            "skills/s/agents/openai.yaml",
            "interface:\n  icon_small: assets/key.png",
        )
        .link("skills/s/assets", "/etc");
    let found = skills(&plugin.disk, &plugin.root(), &plugin.manifest);
    assert_eq!(found.items[0].interface, None);
    let problems = plugin.problems(&found.problems);
    let expected = [
        "badPath skills/s/agents/openai.yaml interface.icon_small 2:15".to_owned(),
        "badPath skills/s/assets".to_owned(),
    ];
    assert!(
        expected.iter().all(|line| problems.contains(line)),
        "{problems:?}"
    );
}

#[cfg(unix)]
#[test]
fn metadata_behind_a_link_that_leads_out_is_told_once() {
    let plugin = Plugin::new()
        .file("skills/s/SKILL.md", head("description: d"))
        .link("skills/s/agents/openai.yaml", "/etc/hostname");
    let found = skills(&plugin.disk, &plugin.root(), &plugin.manifest);
    assert_eq!(found.items.len(), 1);
    let expected = ["badPath skills/s/agents/openai.yaml"];
    assert_eq!(plugin.problems(&found.problems), expected);
}

#[test]
fn metadata_dependencies() {
    check_metadata(
        "dependencies:\n  tools:\n  - type: mcp\n    value: x\n    url: u\n  - type: mcp\n  - bogus\n  - {type: '', value: y}\n  - {type: cli, value: z}",
        "mcp=x cli=z",
        &[
            "missingField dependencies.tools[1] 6:5",
            "wrongType dependencies.tools[2] 7:5",
            "missingField dependencies.tools[3] 8:5",
        ],
    );
    check_metadata("dependencies:\n  tools: []", "", &[]);
    check_metadata(
        "dependencies:\n  tools: 5",
        "",
        &["wrongType dependencies.tools 2:10"],
    );
    let many = format!(
        "dependencies:\n  tools:\n{}",
        "  - {type: t, value: v}\n".repeat(101)
    );
    let expected = ["t=v"; 100].join(" ");
    check_metadata(&many, &expected, &["tooLarge dependencies.tools 3:5"]);
}

#[test]
fn metadata_restrictions() {
    let implicit = |value: &str, expected: &str, problems: &[&str]| {
        check_metadata(
            &format!("policy:\n  allow_implicit_invocation: {value}"),
            expected,
            problems,
        );
    };
    implicit("true", "", &[]);
    implicit("~", "", &[]);
    implicit("false", "explicit", &[]);
    implicit(
        "'no'",
        "explicit",
        &["wrongType policy.allow_implicit_invocation 2:30"],
    );
    let products = |value: &str, expected: &str, problems: &[&str]| {
        check_metadata(&format!("policy:\n  products: {value}"), expected, problems);
    };
    products("[]", "", &[]);
    products("[codex]", "", &[]);
    products("[chatgpt, CODEX]", "", &[]);
    products("[chatgpt]", "hidden", &[]);
    products("[bogus, codex]", "", &["product policy.products 2:14"]);
    // What is no list of products hides nothing, as in the reference.
    products("[bogus]", "", &["product policy.products 2:14"]);
    products("[chatgpt, bogus]", "", &["product policy.products 2:23"]);
    products("[Chatgpt]", "", &["product policy.products 2:14"]);
    products("[ATLAS, 5]", "", &["product policy.products 2:21"]);
    products("chatgpt", "", &["wrongType policy.products 2:13"]);
    products("{a: b}", "", &["wrongType policy.products 2:13"]);
}
