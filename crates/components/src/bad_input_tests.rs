//! Input that is as wrong as it can be: each mistake spoils itself only, is told with its place, and
//! nothing takes long.

use plugd_model::{PluginId, PluginPath, Problem};
use pretty_assertions::assert_eq;

use crate::fixture::Plugin;
use crate::{
    Inspection, InspectionLimits, apps, hooks, inspect, mcp_definitions, migrated_commands,
    plugin_findings, skills,
};

/// One JSON value of each shape.
const SHAPES: [&str; 7] = ["null", "true", "5", "-1.5", "\"x\"", "[[]]", "{\"a\": {}}"];

fn id() -> PluginId {
    PluginId::parse("p@m").unwrap()
}

fn skill(name: &str) -> String {
    format!("---\nname: {name}\ndescription: d\n---\n")
}

fn look(plugin: &Plugin) -> Inspection {
    let limits = InspectionLimits::DEFAULT;
    inspect(
        &plugin.disk,
        &plugin.root(),
        &plugin.manifest,
        &id(),
        &limits,
    )
    .unwrap()
}

/// Adds a file without waiting for the disk: these trees are large.
fn add(plugin: &Plugin, path: &str, content: &[u8]) {
    let path = plugin.root().join(path);
    plugin.disk.create_dirs(&path.parent().unwrap()).unwrap();
    plugin.disk.write_unsynced(&path, content, 0o644).unwrap();
}

/// Every problem has a file, and one that names a member has a place.
#[track_caller]
fn check_places(problems: &[Problem], context: &str) {
    for problem in problems {
        assert!(problem.path.is_some(), "{context}: {problem:?}");
        assert!(
            problem.place.is_some() || problem.field.is_none(),
            "{context}: {problem:?}"
        );
    }
}

/// Puts a value of each shape into each member of an object. `right` are the shapes a member
/// accepts; `null` is accepted everywhere. `read` answers how many neighbours are left and the
/// problems.
#[track_caller]
fn check_members(
    members: &[(&str, &[&str])],
    required: &str,
    read: impl Fn(&str) -> (usize, Vec<Problem>),
) {
    for (name, right) in members {
        for shape in SHAPES {
            let object = match required.is_empty() {
                true => format!("{{\"{name}\": {shape}}}"),
                false => format!("{{{required}, \"{name}\": {shape}}}"),
            };
            let (neighbours, problems) = read(&object);
            assert_eq!(neighbours, 1, "{object}");
            check_places(&problems, &object);
            let is_right = shape == "null" || right.contains(&shape);
            let is_told = problems.iter().any(|problem| {
                let field = problem.field.as_deref().unwrap_or_default();
                field.contains(&format!(".{name}"))
            });
            assert_eq!(is_told, !is_right, "{object}: {problems:?}");
        }
    }
}

#[test]
fn wrong_types_in_every_member_of_a_server() {
    let read = |object: &str| {
        let file = format!("{{\"good\": {{\"command\": \"x\"}}, \"bad\": {object}}}");
        let plugin = Plugin::new().file(".mcp.json", file);
        let found = mcp_definitions(&plugin.disk, &plugin.root(), &plugin.manifest);
        let good = found.items.iter().filter(|server| server.name == "good");
        (good.count(), found.problems)
    };
    let text = ["\"x\""].as_slice();
    let switch = ["true"].as_slice();
    let none = [].as_slice();
    let stdio = [
        ("type", text),
        ("args", none),
        ("env", none),
        ("env_vars", none),
        ("cwd", text),
        ("startup_timeout_sec", ["5"].as_slice()),
        ("tool_timeout_sec", ["5"].as_slice()),
        ("enabled", switch),
        ("disabled", switch),
        ("required", switch),
        ("enabled_tools", none),
        ("disabled_tools", none),
        ("scopes", none),
        ("startup_timeout_ms", ["5"].as_slice()),
        ("supports_parallel_tool_calls", switch),
        ("name", text),
        ("environment_id", text),
        ("default_tools_approval_mode", none),
        ("tools", ["{\"a\": {}}"].as_slice()),
        ("bearer_token", none),
        ("unknown", &SHAPES),
    ];
    check_members(&stdio, r#""command": "x""#, read);
    let http = [
        ("headers", none),
        ("http_headers", none),
        ("env_http_headers", none),
        ("bearer_token_env_var", text),
        ("oauth", ["{\"a\": {}}"].as_slice()),
        ("oauth_resource", text),
        ("http_headers_helper", text),
        ("auth", none),
    ];
    check_members(&http, r#""url": "https://x""#, read);
}

#[test]
fn wrong_types_in_every_member_of_a_hook() {
    let read = |object: &str| {
        let good = r#"{"type": "command", "command": "x"}"#;
        let file =
            format!("{{\"hooks\": {{\"PreToolUse\": [{{\"hooks\": [{good}, {object}]}}]}}}}");
        let plugin = Plugin::new().file("hooks/hooks.json", file);
        let found = hooks(&plugin.disk, &plugin.root(), &plugin.manifest, &id());
        let good = found.items.iter().filter(|hook| hook.key.ends_with(":0:0"));
        (good.count(), found.problems)
    };
    let text = ["\"x\""].as_slice();
    let number = ["5"].as_slice();
    let command = [
        ("commandWindows", text),
        ("command_windows", text),
        ("timeout", number),
        ("async", ["true"].as_slice()),
        ("statusMessage", text),
        ("additionalContextLimit", number),
        ("unknown", &SHAPES),
    ];
    check_members(&command, r#""type": "command", "command": "x""#, read);
    let tool = [
        ("input", ["{\"a\": {}}"].as_slice()),
        ("timeout", number),
        ("statusMessage", text),
    ];
    check_members(
        &tool,
        r#""type": "mcp_tool", "server": "s", "tool": "t""#,
        read,
    );
}

#[test]
fn wrong_types_above_the_handlers_of_hooks() {
    let good = r#"{"type": "command", "command": "x"}"#;
    for shape in SHAPES {
        for file in [
            shape.to_owned(),
            format!("{{\"hooks\": {shape}}}"),
            format!("{{\"hooks\": {{\"Stop\": {shape}}}}}"),
            format!("{{\"hooks\": {{\"Stop\": [{shape}]}}}}"),
            format!("{{\"hooks\": {{\"Stop\": [{{\"hooks\": {shape}}}]}}}}"),
            format!("{{\"hooks\": {{\"Stop\": [{{\"matcher\": {shape}, \"hooks\": [5]}}]}}}}"),
            format!(
                "{{\"hooks\": {{\"Stop\": [{shape}, {{\"hooks\": [{good}]}}]}}, \"description\": {shape}}}"
            ),
        ] {
            let plugin = Plugin::new().file("hooks/hooks.json", &file);
            let found = hooks(&plugin.disk, &plugin.root(), &plugin.manifest, &id());
            check_places(&found.problems, &file);
            assert_eq!(
                found.items.len(),
                usize::from(file.contains(good)),
                "{file}"
            );
        }
    }
}

#[test]
fn wrong_types_in_every_member_of_an_app() {
    let read = |object: &str| {
        let file = format!("{{\"apps\": {{\"good\": {{\"id\": \"g\"}}, \"bad\": {object}}}}}");
        let plugin = Plugin::new().file(".app.json", file);
        let found = apps(&plugin.disk, &plugin.root(), &plugin.manifest);
        (
            found.items.iter().filter(|app| app.id == "g").count(),
            found.problems,
        )
    };
    let text = ["\"x\""].as_slice();
    check_members(
        &[("category", text), ("unknown", &SHAPES)],
        r#""id": "b""#,
        read,
    );
}

#[test]
fn wrong_types_in_every_member_of_skill_metadata() {
    let members = [
        "interface",
        "interface.display_name",
        "interface.short_description",
        "interface.icon_small",
        "interface.icon_large",
        "interface.brand_color",
        "interface.default_prompt",
        "dependencies",
        "dependencies.tools",
        "policy",
        "policy.allow_implicit_invocation",
        "policy.products",
    ];
    for member in members {
        for shape in ["[[a]]", "{a: {b: c}}"] {
            let yaml = match member.split_once('.') {
                Some((outer, inner)) => format!("{outer}:\n  {inner}: {shape}\nother: x"),
                None => format!("{member}: {shape}\nother: x"),
            };
            let plugin = Plugin::new()
                .file("skills/s/SKILL.md", skill("s"))
                .file("skills/s/agents/openai.yaml", &yaml);
            let found = skills(&plugin.disk, &plugin.root(), &plugin.manifest);
            assert_eq!(found.items.len(), 1, "{yaml}");
            check_places(&found.problems, &yaml);
            // A mapping is the right type of the three outermost members.
            let is_right = !member.contains('.') && shape.starts_with('{');
            assert_eq!(found.problems.is_empty(), is_right, "{yaml}");
        }
    }
}

#[test]
fn broken_yaml_spoils_its_file_only() {
    for head in [
        "name: \"open",
        "name: 'open",
        "\tname: x",
        "name: *nothing",
        "name: &a [*a]",
        "? [",
        "name: a\nname: b",
        "- a",
        "name: a\n b: c\n  d",
        "!!binary x",
        "%TAG ! x",
        "{{{{{{{{",
        "name: x\n...\n---x",
        "name: \"\\xZZ\"",
        "\u{0}",
    ] {
        let plugin = Plugin::new()
            .file("skills/bad/SKILL.md", format!("---\n{head}\n---\n"))
            .file("skills/good/SKILL.md", skill("good"))
            .file("skills/half/SKILL.md", skill("half"))
            .file("skills/half/agents/openai.yaml", head)
            .file("commands/bad.md", format!("---\n{head}\n---\n"))
            .file("commands/good.md", "---\ndescription: d\n---\n");
        let found = skills(&plugin.disk, &plugin.root(), &plugin.manifest);
        let names: Vec<_> = found.items.iter().map(|s| s.bare_name.as_str()).collect();
        assert_eq!(names, ["good", "half"], "{head}");
        let bad = plugin.root().join("skills/bad/SKILL.md");
        assert!(
            found
                .problems
                .iter()
                .any(|p| p.path.as_ref() == Some(&bad) && p.place.is_some())
        );
        check_places(&found.problems, head);
        let generated = migrated_commands(&plugin.disk, &plugin.root(), &plugin.manifest);
        assert_eq!(generated.items.len(), 1, "{head}");
    }
}

#[cfg(unix)]
#[test]
fn cyclic_links_end() {
    let plugin = Plugin::new()
        .file("skills/a/SKILL.md", skill("a"))
        .file("commands/c.md", "---\ndescription: d\n---\n")
        .link("skills/a/up", "..")
        .link("skills/a/self", ".")
        .link("skills/root", "../..")
        .link("skills/two", "three")
        .link("skills/three", "two")
        .link("commands/again", "../commands")
        .link("commands/root", "..")
        .link("hooks", "hooks")
        .link(".mcp.json", ".mcp.json");
    let found = skills(&plugin.disk, &plugin.root(), &plugin.manifest);
    let paths: Vec<_> = found
        .items
        .iter()
        .map(|s| plugin.relative(&s.path))
        .collect();
    assert_eq!(paths, ["skills/a/SKILL.md"]);
    let generated = migrated_commands(&plugin.disk, &plugin.root(), &plugin.manifest);
    assert!(
        generated
            .items
            .iter()
            .any(|file| file.path.ends_with("source-command-c/SKILL.md"))
    );
    let inspection = look(&plugin);
    assert_eq!(inspection.files, 2);
    assert_eq!(inspection.oddities.len(), 9);
    assert!(
        !plugin_findings(&plugin.disk, &plugin.root(), &plugin.manifest, &id(), None).is_empty()
    );
}

#[test]
fn a_skill_of_fifty_megabytes_is_refused_by_its_size() {
    let plugin = Plugin::new().file("skills/good/SKILL.md", skill("good"));
    let mut large = skill("large").into_bytes();
    large.resize(50 * 1024 * 1024, b'x');
    add(&plugin, "skills/large/SKILL.md", &large);
    let found = skills(&plugin.disk, &plugin.root(), &plugin.manifest);
    assert_eq!(found.items.len(), 1);
    assert_eq!(
        plugin.problems(&found.problems),
        ["tooLarge skills/large/SKILL.md"]
    );
    let inspection = look(&plugin);
    assert_eq!(inspection.texts.len(), 1);
    assert_eq!(
        plugin.problems(&inspection.cut),
        ["tooLarge skills/large/SKILL.md"]
    );
}

#[test]
fn ten_thousand_skills() {
    let plugin = Plugin::new().with(|manifest| {
        let paths = (0..10).map(|index| PluginPath::parse(&format!("./s{index}")).unwrap());
        manifest.skills = Some(paths.collect());
    });
    for root in 0..10 {
        for index in 0..1000 {
            let path = format!("s{root}/k{index}/SKILL.md");
            add(
                &plugin,
                &path,
                skill(&format!("n{root}-{index}")).as_bytes(),
            );
        }
    }
    let found = skills(&plugin.disk, &plugin.root(), &plugin.manifest);
    assert_eq!(found.items.len(), 10_000);
    assert_eq!(found.problems, vec![]);
    let inspection = look(&plugin);
    assert_eq!(inspection.files, 10_000);
    assert_eq!(inspection.texts.len(), InspectionLimits::DEFAULT.rows);
    assert_eq!(
        inspection.cut[0].message,
        "only the first 2000 of 10000 texts are listed"
    );
    let one_root = plugin.with(|manifest| {
        manifest.skills = Some(vec![PluginPath::parse("./all").unwrap()]);
    });
    for index in 0..2100 {
        add(
            &one_root,
            &format!("all/k{index}/SKILL.md"),
            skill("x").as_bytes(),
        );
    }
    let found = skills(&one_root.disk, &one_root.root(), &one_root.manifest);
    assert_eq!(found.items.len(), 1999);
    assert_eq!(one_root.problems(&found.problems), ["tooLarge all"]);
}

#[test]
fn names_that_differ_in_case_are_both_there() {
    let plugin = Plugin::new()
        .file("skills/a/SKILL.md", skill("Deploy"))
        .file("skills/b/SKILL.md", skill("deploy"))
        .file(
            ".mcp.json",
            r#"{"S": {"command": "x"}, "s": {"command": "y"}}"#,
        );
    let found = skills(&plugin.disk, &plugin.root(), &plugin.manifest);
    let names: Vec<_> = found.items.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["p:Deploy", "p:deploy"]);
    let servers = mcp_definitions(&plugin.disk, &plugin.root(), &plugin.manifest);
    let names: Vec<_> = servers.items.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["S", "s"]);
}

#[test]
fn bytes_that_are_no_text_are_told_with_their_place() {
    let bad = b"ab\nc\xffd";
    let plugin = Plugin::new()
        .file("skills/good/SKILL.md", skill("good"))
        .file("skills/good/agents/openai.yaml", bad)
        .file("skills/bad/SKILL.md", bad)
        .file("hooks/hooks.json", bad)
        .file(".mcp.json", bad)
        .file(".app.json", bad)
        .file("commands/bad.md", bad)
        .file("run.sh", b"#!/bin/sh \xff\necho $KEY \xff");
    let found = skills(&plugin.disk, &plugin.root(), &plugin.manifest);
    assert_eq!(found.items.len(), 1);
    let findings = plugin_findings(&plugin.disk, &plugin.root(), &plugin.manifest, &id(), None);
    let lines = plugin.problems(&findings);
    for file in [
        ".app.json",
        ".mcp.json",
        "commands/bad.md",
        "hooks/hooks.json",
        "skills/bad/SKILL.md",
        "skills/good/agents/openai.yaml",
    ] {
        let line = format!("syntax {file} 2:2");
        assert!(lines.contains(&line), "{line} not in {lines:#?}");
    }
    let inspection = look(&plugin);
    let names: Vec<_> = inspection
        .environment
        .iter()
        .map(|(name, _)| name.to_owned())
        .collect();
    assert_eq!(names, ["KEY"]);
}

#[test]
fn everything_that_grows_is_bounded() {
    let server = r#"{"command": "x", "env": {"A": "${B}"}}"#;
    let many: Vec<_> = (0..5000)
        .map(|index| format!("\"s{index}\": {server}"))
        .collect();
    let words = "${PLUGIN_ROOT}/gone ".repeat(5000);
    let hook = format!("{{\"type\": \"command\", \"command\": \"{words}\"}}");
    let plugin = Plugin::new()
        .file(".mcp.json", format!("{{{}}}", many.join(",")))
        .file(
            "hooks/hooks.json",
            format!("{{\"hooks\": {{\"Stop\": [{{\"hooks\": [{hook}]}}]}}}}"),
        )
        .file(
            "vars.sh",
            (0..5000).map(|i| format!("$VAR_{i} ")).collect::<String>(),
        )
        .file(
            "skills/s/SKILL.md",
            skill(&"\u{200b}".repeat(60)) + &"\u{202e}".repeat(100_000),
        );
    let inspection = look(&plugin);
    assert_eq!(inspection.mcp_servers.len(), 5000);
    assert_eq!(inspection.environment.iter().count(), 2000);
    assert_eq!(inspection.hidden.len(), InspectionLimits::DEFAULT.rows);
    let findings = plugin_findings(&plugin.disk, &plugin.root(), &plugin.manifest, &id(), None);
    assert!(findings.len() <= 2001, "{}", findings.len());
}

#[test]
fn directories_of_skills_are_bounded_over_all_roots() {
    let roots: Vec<_> = (0..11).map(|root| format!("./r{root}")).collect();
    let mut plugin = Plugin::new();
    for root in &roots {
        for index in 0..1_999 {
            plugin = plugin.dir(&format!("{root}/{index}"));
        }
    }
    let paths = roots.iter().filter_map(|root| PluginPath::parse(root));
    let plugin = plugin.with(|manifest| manifest.skills = Some(paths.collect()));
    let found = skills(&plugin.disk, &plugin.root(), &plugin.manifest);
    assert_eq!(plugin.problems(&found.problems), ["tooLarge r10"]);
    let text = "all directories of skills hold more than 20000 directories together; skills in the rest \
                are left out";
    assert_eq!(found.problems[0].message, text);
}
