use plugd_model::{PluginManifest, PluginPath};
use pretty_assertions::assert_eq;

use super::{Skill, onboarding_skill, skills};
use crate::fixture::Plugin;

pub(super) fn head(text: &str) -> String {
    format!("---\n{text}\n---\nbody\n")
}

/// `name path` of each skill, and the problems.
#[track_caller]
fn check(plugin: &Plugin, expected: &[&str], problems: &[&str]) {
    let found = skills(&plugin.disk, &plugin.root(), &plugin.manifest);
    let show = |skill: &Skill| format!("{} {}", skill.name, plugin.relative(&skill.path));
    assert_eq!(found.items.iter().map(show).collect::<Vec<_>>(), expected);
    assert_eq!(plugin.problems(&found.problems), problems);
}

/// The one skill of a plugin whose `SKILL.md` and `agents/openai.yaml` have these contents.
pub(super) fn one(skill: &str, metadata: Option<&str>) -> (Plugin, Option<Skill>, Vec<String>) {
    let mut plugin = Plugin::new().file("skills/s/SKILL.md", skill);
    if let Some(metadata) = metadata {
        plugin = plugin.file("skills/s/agents/openai.yaml", metadata);
    }
    let mut found = skills(&plugin.disk, &plugin.root(), &plugin.manifest);
    let problems = plugin.problems(&found.problems);
    (plugin, found.items.pop(), problems)
}

#[test]
fn roots_that_a_manifest_does_not_name() {
    let plugin = Plugin::new()
        .file("skills/b/SKILL.md", head("description: d"))
        .file("skills/a/SKILL.md", head("name: z\ndescription: d"))
        .file("skills/SKILL.md", head("description: d"))
        .file("other/SKILL.md", head("description: d"))
        .file(
            ".codex-plugin/migrated-command-skills/c/SKILL.md",
            head("description: d"),
        );
    let expected = [
        "p:b skills/b/SKILL.md",
        "p:c .codex-plugin/migrated-command-skills/c/SKILL.md",
        "p:skills skills/SKILL.md",
        "p:z skills/a/SKILL.md",
    ];
    check(&plugin, &expected, &[]);
    check(&Plugin::new(), &[], &[]);
    check(
        &Plugin::new().file("skills", "x"),
        &[],
        &["notAFile skills"],
    );
}

#[cfg(unix)]
#[test]
fn white_space_in_the_name_of_a_directory_is_collapsed() {
    let plugin = Plugin::new()
        .file("skills/my  skill /SKILL.md", head("description: d"))
        .file("skills/a\nb/SKILL.md", head("description: d"))
        .file("skills/ /SKILL.md", head("description: d"));
    let found = skills(&plugin.disk, &plugin.root(), &plugin.manifest);
    let names: Vec<_> = found.items.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["p:a b", "p:my skill", "p:skill"]);
    assert_eq!(found.problems, vec![]);
}

#[test]
fn roots_that_a_manifest_names_replace_the_default() {
    let name = |paths: &[&str]| {
        let paths = paths
            .iter()
            .map(|path| PluginPath::parse(path).unwrap())
            .collect();
        |manifest: &mut PluginManifest| manifest.skills = Some(paths)
    };
    let plugin = || {
        Plugin::new()
            .file("skills/a/SKILL.md", head("description: d"))
            .file("more/b/SKILL.md", head("description: d"))
    };
    check(
        &plugin().with(name(&["./more"])),
        &["p:b more/b/SKILL.md"],
        &[],
    );
    check(
        &plugin().with(name(&["./."])),
        &["p:a skills/a/SKILL.md", "p:b more/b/SKILL.md"],
        &[],
    );
    check(
        &plugin().with(name(&["./more/b"])),
        &["p:b more/b/SKILL.md"],
        &[],
    );
    check(&plugin().with(name(&["./gone"])), &[], &["missing gone"]);
    check(
        &plugin().with(name(&["./more/b/SKILL.md"])),
        &[],
        &["notAFile more/b/SKILL.md"],
    );
    // Roots inside roots list nothing twice.
    let both = ["p:a skills/a/SKILL.md", "p:b more/b/SKILL.md"];
    check(
        &plugin().with(name(&["./more/b", "./more", "./more", "./skills"])),
        &both,
        &[],
    );
}

#[test]
fn depth_and_hidden_names() {
    let plugin = Plugin::new()
        .file("skills/a/b/c/d/e/six/SKILL.md", head("description: d"))
        .file(
            "skills/a/b/c/d/e/six/seven/SKILL.md",
            head("description: d"),
        )
        .file("skills/a/SKILL.md", head("description: d"))
        .file("skills/.hidden/SKILL.md", head("description: d"))
        .file("skills/node_modules/n/SKILL.md", head("description: d"));
    let expected = [
        "p:a skills/a/SKILL.md",
        "p:n skills/node_modules/n/SKILL.md",
        "p:six skills/a/b/c/d/e/six/SKILL.md",
    ];
    check(
        &plugin,
        &expected,
        &["tooLarge skills/a/b/c/d/e/six/seven/SKILL.md"],
    );
}

#[test]
fn a_root_lists_two_thousand_directories() {
    let mut plugin = Plugin::new().file("skills/a0/SKILL.md", head("description: d"));
    for index in 0..1998 {
        plugin = plugin.dir(&format!("skills/b{index:04}"));
    }
    check(&plugin, &["p:a0 skills/a0/SKILL.md"], &[]);
    let plugin = plugin.file("skills/z/SKILL.md", head("description: d"));
    check(&plugin, &["p:a0 skills/a0/SKILL.md"], &["tooLarge skills"]);
}

#[test]
fn the_file_is_named_in_exact_case() {
    let plugin = Plugin::new().file("skills/a/skill.md", head("description: d"));
    check(&plugin, &[], &["badName skills/a/skill.md"]);
    check(
        &Plugin::new().dir("skills/a/SKILL.md"),
        &[],
        &["notAFile skills/a/SKILL.md"],
    );
}

#[cfg(unix)]
#[test]
fn links_lead_inside_only() {
    let plugin = Plugin::new();
    let secret = plugin.outside().join("secret");
    plugin.disk.create_dirs(&secret).unwrap();
    let file = secret.join("SKILL.md");
    plugin
        .disk
        .replace(&file, head("description: d").as_bytes(), 0o644)
        .unwrap();
    let plugin = plugin
        .file("other/SKILL.md", head("description: d"))
        .file("docs/text.md", head("description: d"))
        .link("skills/a", "../other")
        .link("skills/again", "../other")
        .link("skills/loop", "../skills")
        .link("skills/out", secret.as_path())
        .link("skills/a-file/SKILL.md", "../../other/SKILL.md")
        .link("skills/b/SKILL.md", "../../docs/text.md")
        .link("skills/c/SKILL.md", file.as_path())
        .link("skills/d/SKILL.md", "nowhere")
        .link("skills/e/SKILL.md", "SKILL.md");
    check(
        &plugin,
        &["p:b skills/b/SKILL.md", "p:other other/SKILL.md"],
        &[
            "badPath skills/out",
            "badPath skills/c/SKILL.md",
            "missing skills/d/SKILL.md",
            "unreadable skills/e/SKILL.md",
        ],
    );
}

#[cfg(unix)]
#[test]
fn links_to_nothing_drown_no_other_problem() {
    let mut plugin = Plugin::new().file("skills/z/SKILL.md", "no front matter");
    for index in 0..40 {
        plugin = plugin.link(&format!("skills/{index}"), "nowhere");
    }
    let found = skills(&plugin.disk, &plugin.root(), &plugin.manifest);
    let told = plugin.problems(&found.problems);
    assert_eq!(told.len(), 22, "{told:?}");
    assert!(told.contains(&"leftOut skills".to_owned()));
    assert!(told.contains(&"syntax skills/z/SKILL.md 1:1".to_owned()));
}

#[cfg(unix)]
#[test]
fn a_linked_plugin_root_is_resolved() {
    let plugin = Plugin::new().file("skills/a/SKILL.md", head("description: d"));
    let alias = plugin.outside().join("alias");
    std::os::unix::fs::symlink("plugin", alias.as_path()).unwrap();
    let found = skills(&plugin.disk, &alias, &plugin.manifest);
    assert_eq!(found.items[0].path, plugin.root().join("skills/a/SKILL.md"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_directory_whose_name_is_no_text_is_told_and_left_out() {
    use std::os::unix::ffi::OsStrExt as _;

    for plugin in [Plugin::new(), Plugin::agent()] {
        let plugin = plugin.file("skills/a/SKILL.md", head("name: a\ndescription: d"));
        let odd = std::ffi::OsStr::from_bytes(b"skills/b\xff");
        let odd = plugin.root().join(odd);
        plugin.disk.create_dirs(&odd).unwrap();
        let file = odd.join("SKILL.md");
        let text = head("name: b\ndescription: d");
        plugin.disk.replace(&file, text.as_bytes(), 0o644).unwrap();
        let name = skills(&plugin.disk, &plugin.root(), &plugin.manifest).items[0]
            .name
            .clone();
        let expected = format!("{name} skills/a/SKILL.md");
        check(&plugin, &[&expected], &["badName skills/b\u{fffd}"]);
    }
}

#[cfg(unix)]
#[test]
fn special_files_do_not_hang() {
    let plugin = Plugin::new().dir("skills/a");
    let socket = plugin.root().join("skills/a/SKILL.md");
    let made = std::os::unix::net::UnixListener::bind(socket.as_path());
    assert!(made.is_ok());
    check(&plugin, &[], &["notAFile skills/a/SKILL.md"]);
}

#[test]
fn one_bad_skill_spoils_itself_only() {
    let plugin = Plugin::new()
        .file("skills/good/SKILL.md", head("description: d"))
        .file("skills/none/SKILL.md", "no front matter")
        .file(
            "skills/yaml/SKILL.md",
            head("name: x\ndescription: \"a\" b"),
        )
        .file("skills/nodesc/SKILL.md", head("name: x"))
        .file("skills/bytes/SKILL.md", b"---\ndescription: d\n---\n\xff")
        .file("skills/meta/SKILL.md", head("description: d\nmetadata: 5"))
        .file(
            "skills/long/SKILL.md",
            head(&format!("name: {}\ndescription: d", "n".repeat(65))),
        )
        .file("skills/huge/SKILL.md", vec![b'x'; 9 * 1024 * 1024]);
    check(
        &plugin,
        &["p:good skills/good/SKILL.md"],
        &[
            "syntax skills/bytes/SKILL.md 4:1",
            "tooLarge skills/huge/SKILL.md",
            "badName skills/long/SKILL.md name 2:7",
            "wrongType skills/meta/SKILL.md metadata 3:11",
            "missingField skills/nodesc/SKILL.md description 2:1",
            "syntax skills/none/SKILL.md 1:1",
            "syntax skills/yaml/SKILL.md 3:18",
        ],
    );
}

#[test]
fn names_are_collapsed_counted_and_qualified() {
    let name = |front: &str| one(&head(front), None).1.map(|skill| skill.name);
    let long = "n".repeat(64);
    let check = |front: &str, expected: Option<&str>| assert_eq!(name(front).as_deref(), expected);
    check("name: '  a   b '\ndescription: d", Some("p:a b"));
    check("name: 1.50\ndescription: d", Some("p:1.50"));
    check("name: ~\ndescription: d", Some("p:s"));
    check("name: a/b:c\ndescription: d", Some("p:a/b:c"));
    check(
        &format!("name: {long}\ndescription: d"),
        Some(&format!("p:{long}")),
    );
    let plugin = |length: usize| {
        Plugin::new()
            .file(
                "skills/a/SKILL.md",
                head(&format!("name: {long}\ndescription: d")),
            )
            .with(|manifest| manifest.name = "m".repeat(length))
    };
    let count = |plugin: Plugin| {
        skills(&plugin.disk, &plugin.root(), &plugin.manifest)
            .items
            .len()
    };
    assert_eq!(count(plugin(64)), 1);
    assert_eq!(count(plugin(65)), 0);
}

#[test]
fn texts_of_a_skill() {
    let front = "description: |\n  a\n    b\nmetadata:\n  short-description: c: d\n  x: [1]\nallowed-tools: [x]";
    let (_, skill, problems) = one(&head(front), None);
    let skill = skill.unwrap();
    assert_eq!(skill.description, "a b");
    assert_eq!(skill.short_description.as_deref(), Some("c: d"));
    assert!(skill.allow_implicit && skill.visible);
    assert_eq!(problems, Vec::<String>::new());
}

#[test]
fn the_onboarding_skill_is_one_of_the_skills() {
    let plugin = |path: &str| {
        Plugin::new()
            .file("skills/a/SKILL.md", head("description: d"))
            .file("skills/b/SKILL.md", head("description: d"))
            .file(
                "skills/b/agents/openai.yaml",
                "policy: {products: [chatgpt]}",
            )
            .with(|manifest| manifest.onboarding_skill = PluginPath::parse(path))
    };
    let check = |plugin: Plugin, expected: Result<Option<&str>, &str>| {
        let found = skills(&plugin.disk, &plugin.root(), &plugin.manifest);
        let skill = onboarding_skill(&plugin.disk, &plugin.root(), &plugin.manifest, &found.items);
        let skill = skill.map(|skill| skill.map(|skill| skill.name.as_str()));
        assert_eq!(skill.map_err(|problem| problem.kind.word()), expected);
    };
    check(plugin("./skills/a/SKILL.md"), Ok(Some("p:a")));
    check(plugin("./skills/a"), Err("missing"));
    check(plugin("./skills/b/SKILL.md"), Err("missing"));
    check(plugin("./skills/gone/SKILL.md"), Err("missing"));
    check(plugin("not a path"), Ok(None));
}

/// Agent Plugins: the conforming skills by bare name.
#[track_caller]
pub(super) fn check_agent(plugin: &Plugin, expected: &[&str], problems: &[&str]) {
    let found = skills(&plugin.disk, &plugin.root(), &plugin.manifest);
    let names: Vec<_> = found
        .items
        .iter()
        .map(|skill| skill.bare_name.as_str())
        .collect();
    assert_eq!(names, expected);
    assert_eq!(plugin.problems(&found.problems), problems);
}

#[test]
fn section_6_1_skills_lie_in_their_fixed_location() {
    let plugin = Plugin::agent()
        .file("more/a/SKILL.md", head("name: a\ndescription: d"))
        .file(
            ".codex-plugin/migrated-command-skills/b/SKILL.md",
            head("name: b\ndescription: d"),
        )
        .with(|manifest| manifest.skills = Some(vec![PluginPath::parse("./more").unwrap()]));
    check_agent(&plugin, &[], &[]);
}

#[test]
fn section_6_2_a_missing_location_is_no_error_and_a_wrong_one_is() {
    check_agent(&Plugin::agent(), &[], &[]);
    check_agent(
        &Plugin::agent().file("skills", "x"),
        &[],
        &["notAFile skills"],
    );
}

#[test]
fn section_7_1_immediate_children_only() {
    let plugin = Plugin::agent()
        .file("skills/SKILL.md", head("name: skills\ndescription: d"))
        .file("skills/a/SKILL.md", head("name: a\ndescription: d"))
        .file("skills/a/b/SKILL.md", head("name: b\ndescription: d"))
        .file("skills/x/c/SKILL.md", head("name: c\ndescription: d"));
    check_agent(&plugin, &["a"], &[]);
}

#[test]
fn section_7_1_a_skill_that_does_not_conform_is_skipped() {
    let plugin = Plugin::agent()
        .file(
            "skills/good-1/SKILL.md",
            head("name: good-1\ndescription: d"),
        )
        .file("skills/noname/SKILL.md", head("description: d"))
        .file(
            "skills/other/SKILL.md",
            head("name: different\ndescription: d"),
        )
        .file("skills/Upper/SKILL.md", head("name: Upper\ndescription: d"))
        .file("skills/a--b/SKILL.md", head("name: a--b\ndescription: d"))
        .file("skills/-a/SKILL.md", head("name: -a\ndescription: d"))
        .file("skills/.dot/SKILL.md", head("name: .dot\ndescription: d"))
        .file(
            "skills/wordy/SKILL.md",
            head(&format!("name: wordy\ndescription: {}", "d".repeat(1025))),
        )
        .file(
            "skills/limit/SKILL.md",
            head(&format!("name: limit\ndescription: {}", "d".repeat(1024))),
        )
        .file(
            "skills/picky/SKILL.md",
            head(&format!(
                "name: picky\ndescription: d\ncompatibility: {}",
                "c".repeat(501)
            )),
        );
    check_agent(
        &plugin,
        &["good-1", "limit"],
        &[
            "badName skills/-a/SKILL.md name 2:7",
            "badName skills/.dot/SKILL.md name 2:7",
            "badName skills/Upper/SKILL.md name 2:7",
            "badName skills/a--b/SKILL.md name 2:7",
            "missingField skills/noname/SKILL.md name 2:1",
            "badName skills/other/SKILL.md name 2:7",
            "tooLarge skills/picky/SKILL.md compatibility 4:16",
            "tooLarge skills/wordy/SKILL.md description 3:14",
        ],
    );
}

#[cfg(unix)]
#[test]
fn section_4_1_a_location_that_leaves_the_root_is_invalid() {
    check_agent(
        &Plugin::agent().link("skills", "/etc"),
        &[],
        &["badPath skills"],
    );
    let plugin = Plugin::agent()
        .file("skills/a/SKILL.md", head("name: a\ndescription: d"))
        .link("skills/b/SKILL.md", "/etc/passwd");
    check_agent(&plugin, &["a"], &["badPath skills/b/SKILL.md"]);
}

#[cfg(unix)]
#[test]
fn section_4_1_a_link_may_lead_to_a_skill_inside_the_root() {
    let plugin = Plugin::agent()
        .file("common/impl/SKILL.md", head("name: a\ndescription: d"))
        .file("skills/c/SKILL.md", head("name: c\ndescription: d"))
        .link("skills/a", "../common/impl")
        .link("skills/b", "c");
    check_agent(
        &plugin,
        &["a", "c"],
        &["badName skills/c/SKILL.md name 2:7"],
    );
}

#[test]
fn all_skills_together_are_bounded() {
    let large = head(&format!("description: {}", "d ".repeat(125 * 1024)));
    let mut plugin = Plugin::new();
    for index in 0..34 {
        plugin = plugin.file(&format!("skills/s{index:02}/SKILL.md"), &large);
    }
    let found = skills(&plugin.disk, &plugin.root(), &plugin.manifest);
    assert_eq!(found.items.len(), 32);
    let expected = [
        "tooLarge skills/s32/SKILL.md",
        "tooLarge skills/s33/SKILL.md",
    ];
    assert_eq!(plugin.problems(&found.problems), expected);
    assert_eq!(
        found.problems[0].message,
        "left out: these files have more than 8388608 bytes of front matter together"
    );
}
