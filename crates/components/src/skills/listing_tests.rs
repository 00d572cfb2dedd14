//! Skills of several places: who wins, what they are called, in which order they come.

use plugd_disk::Disk;
use plugd_manifest::Loader;
use plugd_model::{PluginId, Severity};
use pretty_assertions::assert_eq;

use super::memory::tests::memory;
use super::tests::head;
use super::{SkillListing, SkillScope, SkillSource, list_skills, skill_text};
use crate::fixture::Plugin;

/// The sources of a test: scope and directory, `repo:a` for example, and `plugin:` for the plugin.
fn list(plugin: &Plugin, sources: &[&str]) -> SkillListing {
    let id = PluginId::parse("p@m").unwrap();
    let root = plugin.root();
    let paths: Vec<_> = sources
        .iter()
        .map(|source| plugin.root().join(source.split_once(':').unwrap().1))
        .collect();
    let sources: Vec<_> = sources
        .iter()
        .zip(&paths)
        .map(|(source, path)| {
            let scope = match source.split_once(':').unwrap().0 {
                "repo" => SkillScope::Repo,
                "user" => SkillScope::User,
                "system" => SkillScope::System,
                "admin" => SkillScope::Admin,
                _ => {
                    return SkillSource::Plugin {
                        id: &id,
                        root: &root,
                        manifest: &plugin.manifest,
                    };
                }
            };
            SkillSource::Directory { path, scope }
        })
        .collect();
    list_skills(&Loader::new(Disk::new()), &memory(), &sources)
}

#[track_caller]
fn check(plugin: &Plugin, sources: &[&str], expected: &[&str], problems: &[&str]) {
    let listing = list(plugin, sources);
    let skills: Vec<_> = listing
        .skills
        .iter()
        .map(|listed| {
            let scope = format!("{:?}", listed.scope).to_lowercase();
            let plugin_id = listed.plugin.as_ref().map(|id| format!(" {id}"));
            let path = plugin.relative(&listed.skill.path);
            let name = &listed.skill.name;
            format!("{scope} {name} {path}{}", plugin_id.unwrap_or_default())
        })
        .collect();
    assert_eq!(skills, expected);
    let found: Vec<_> = listing.problems.into_iter().map(|p| p.problem).collect();
    assert_eq!(plugin.problems(&found), problems);
}

fn skill(name: &str) -> String {
    head(&format!("name: {name}\ndescription: d"))
}

#[test]
fn scopes_come_first_then_names_then_paths() {
    let plugin = Plugin::new()
        .file("admin/a/SKILL.md", skill("a"))
        .file("system/a/SKILL.md", skill("a"))
        .file("user/z/SKILL.md", skill("a"))
        .file("user/b/SKILL.md", skill("b"))
        .file("user/a/SKILL.md", skill("a"))
        .file("repo/c/SKILL.md", skill("c"))
        .file("skills/s/SKILL.md", skill("s"));
    check(
        &plugin,
        &[
            "admin:admin",
            "system:system",
            "user:user",
            "repo:repo",
            "plugin:",
        ],
        &[
            "repo c repo/c/SKILL.md",
            "user a user/a/SKILL.md",
            "user a user/z/SKILL.md",
            "user b user/b/SKILL.md",
            "user p:s skills/s/SKILL.md p@m",
            "system a system/a/SKILL.md",
            "admin a admin/a/SKILL.md",
        ],
        &[],
    );
    check(&plugin, &["user:gone"], &[], &[]);
    check(
        &plugin,
        &["user:user/a/SKILL.md"],
        &[],
        &["notAFile user/a/SKILL.md"],
    );
}

#[test]
fn a_file_is_listed_once_and_the_first_source_wins() {
    let plugin = Plugin::new()
        .file("skills/s/SKILL.md", skill("s"))
        .file("skills/t/SKILL.md", skill("t"));
    check(
        &plugin,
        &["repo:skills/s", "plugin:", "user:skills"],
        &["repo s skills/s/SKILL.md", "user p:t skills/t/SKILL.md p@m"],
        &[],
    );
}

#[test]
fn the_name_follows_the_nearest_manifest_above() {
    let plugin = Plugin::new()
        .file("r/plug/.codex-plugin/plugin.json", r#"{"name": "plug"}"#)
        .file("r/plug/skills/s/SKILL.md", skill("s"))
        .file("r/plug/inner/.cursor-plugin/plugin.json", r#"{"name": " "}"#)
        .file("r/plug/inner/a/b/SKILL.md", skill("b"))
        .file("r/plug/bad/.claude-plugin/plugin.json", "{")
        .file("r/plug/bad/SKILL.md", skill("bad"))
        .file(
            "r/agent/plugin.json",
            r#"{"$schema": "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json", "name": "ag"}"#,
        )
        .file("r/agent/skills/y/SKILL.md", skill("y"))
        .file("r/foreign/plugin.json", r#"{"name": "f"}"#)
        .file("r/foreign/SKILL.md", skill("z"));
    check(
        &plugin,
        &["user:r"],
        &[
            "user inner:b r/plug/inner/a/b/SKILL.md",
            "user plug:bad r/plug/bad/SKILL.md",
            "user plug:s r/plug/skills/s/SKILL.md",
            "user y r/agent/skills/y/SKILL.md",
            "user z r/foreign/SKILL.md",
        ],
        &["syntax r/plug/bad/.claude-plugin/plugin.json 1:1"],
    );
    // The manifest may lie above the source.
    check(
        &plugin,
        &["user:r/plug/skills/s"],
        &["user plug:s r/plug/skills/s/SKILL.md"],
        &[],
    );
}

#[cfg(unix)]
#[test]
fn links_of_the_user_may_lead_anywhere() {
    let plugin = || {
        Plugin::new()
            .file("r/a/SKILL.md", skill("a"))
            .link("r/loop", "../r")
            .link("r/out", "../../elsewhere")
            .link("r/file/SKILL.md", "../a/SKILL.md")
    };
    let outside = |plugin: Plugin| {
        let dir = plugin.outside().join("elsewhere/x");
        plugin.disk.create_dirs(&dir).unwrap();
        let file = dir.join("SKILL.md");
        plugin
            .disk
            .replace(&file, skill("x").as_bytes(), 0o644)
            .unwrap();
        plugin
    };
    let plugin = outside(plugin());
    let x = format!("user x {}/elsewhere/x/SKILL.md", plugin.outside());
    let left_out = "leftOut r/file/SKILL.md";
    check(
        &plugin,
        &["user:r"],
        &["user a r/a/SKILL.md", &x],
        &[left_out],
    );
    check(
        &plugin,
        &["system:r"],
        &["system a r/a/SKILL.md"],
        &[left_out],
    );
    check(
        &plugin,
        &["user:r/loop"],
        &["user a r/a/SKILL.md", &x],
        &[left_out],
    );
}

#[cfg(unix)]
#[test]
fn what_lies_beside_a_skill_may_not_lead_out_of_it() {
    let plugin = Plugin::new()
        .file("r/a/SKILL.md", skill("a"))
        .file("secret.yaml", "interface:\n  display_name: x")
        .link("r/a/agents/openai.yaml", "../../../secret.yaml");
    let listing = list(&plugin, &["user:r"]);
    assert_eq!(listing.skills[0].skill.interface, None);
    let problems: Vec<_> = listing.problems.into_iter().map(|p| p.problem).collect();
    assert_eq!(
        plugin.problems(&problems),
        ["badPath r/a/agents/openai.yaml"]
    );
}

#[test]
fn products_are_handed_on() {
    let products = |yaml: &str| {
        let plugin = Plugin::new()
            .file("r/a/SKILL.md", skill("a"))
            .file("r/a/agents/openai.yaml", yaml);
        let mut listing = list(&plugin, &["user:r"]);
        let listed = listing.skills.remove(0);
        (listed.skill.visible, listed.products)
    };
    assert_eq!(products("interface:"), (true, vec![]));
    assert_eq!(products("policy:\n  products: []"), (true, vec![]));
    let both = vec!["chatgpt".to_owned(), "CODEX".to_owned()];
    assert_eq!(
        products("policy:\n  products: [chatgpt, CODEX]"),
        (true, both)
    );
    let other = vec!["atlas".to_owned()];
    assert_eq!(products("policy:\n  products: [atlas]"), (false, other));
    assert_eq!(products("policy:\n  products: [other]"), (true, vec![]));
}

#[test]
fn each_problem_knows_its_source() {
    let plugin = Plugin::new()
        .file("skills/bad/SKILL.md", "x")
        .file("sys/bad/SKILL.md", head("name: x"));
    let listing = list(&plugin, &["system:sys", "plugin:"]);
    let sources: Vec<_> = listing
        .problems
        .iter()
        .map(|p| {
            (
                p.scope,
                p.plugin.as_ref().map(ToString::to_string),
                p.problem.kind.word(),
            )
        })
        .collect();
    assert_eq!(
        sources,
        [
            (SkillScope::User, Some("p@m".to_owned()), "syntax"),
            (SkillScope::System, None, "missingField"),
        ]
    );
}

#[test]
fn the_row_about_problems_that_are_not_listed_names_its_root() {
    let mut plugin = Plugin::new();
    for index in 0..510 {
        plugin = plugin.file(&format!("own/s{index:03}/SKILL.md"), "x");
    }
    let listing = list(&plugin, &["user:own"]);
    let (last, others) = listing.problems.split_last().unwrap();
    assert_eq!(others.len(), 500);
    assert_eq!(last.problem.message, "10 more problems are not listed");
    assert_eq!(last.problem.severity, Severity::Error);
    assert_eq!(last.problem.path, Some(plugin.root().join("own")));
}

#[test]
fn the_text_of_a_skill() {
    let plugin = Plugin::new()
        .file("skills/a/SKILL.md", skill("a"))
        .file("skills/big/SKILL.md", vec![b'x'; 9 * 1024 * 1024])
        .file("skills/bad/SKILL.md", b"ok \xff");
    let text = |path: &str| {
        skill_text(&plugin.disk, &plugin.root(), &plugin.root().join(path))
            .map_err(|problem| plugin.problems(&[problem]).remove(0))
    };
    assert_eq!(text("skills/a/SKILL.md"), Ok(skill("a")));
    let error = |line: &str| Err(line.to_owned());
    assert_eq!(
        text("skills/gone/SKILL.md"),
        error("missing skills/gone/SKILL.md")
    );
    assert_eq!(
        text("skills/big/SKILL.md"),
        error("tooLarge skills/big/SKILL.md")
    );
    assert_eq!(
        text("skills/bad/SKILL.md"),
        error("syntax skills/bad/SKILL.md 1:4")
    );
    let outside = plugin.outside().join("x");
    plugin.disk.replace(&outside, b"x", 0o644).unwrap();
    assert!(text("../x").is_err());
}
