use plugd_model::{ManifestFormat, PluginPath};
use pretty_assertions::assert_eq;

use super::{migrated_commands, quoted, slug};
use crate::fixture::Plugin;
use crate::skills::{Skill, skills};

/// The generated directories' names, and the problems.
#[track_caller]
fn check(plugin: &Plugin, names: &[&str], problems: &[&str]) {
    let found = migrated_commands(&plugin.disk, &plugin.root(), &plugin.manifest);
    let found_names: Vec<_> = found
        .items
        .iter()
        .map(|file| {
            let rest = file
                .path
                .strip_prefix(".codex-plugin/migrated-command-skills/")
                .unwrap();
            rest.strip_suffix("/SKILL.md").unwrap()
        })
        .collect();
    assert_eq!(found_names, names);
    assert_eq!(plugin.problems(&found.problems), problems);
}

fn text(body: &str) -> String {
    format!("---\ndescription: d\n---\n{body}")
}

#[test]
fn a_command_becomes_a_skill_that_reads_as_one() {
    let plugin = Plugin::new().file(
        "commands/sub/My_Cmd.md",
        "---\r\ndescription: 'Say \"hi\": \\ now'\r\n---\r\n\r\n# Title\r\nx  \r\n\r\n",
    );
    let found = migrated_commands(&plugin.disk, &plugin.root(), &plugin.manifest);
    let file = &found.items[0];
    let content = String::from_utf8(file.content.clone()).unwrap();
    assert!(content.contains("`sub-My_Cmd`"), "{content}");
    assert!(content.ends_with("\n\n# Title\r\nx\n"), "{content}");
    let plugin = plugin.file(&file.path, &file.content);
    let found = skills(&plugin.disk, &plugin.root(), &plugin.manifest);
    assert_eq!(found.problems, vec![]);
    assert_eq!(found.items[0].name, "p:source-command-sub-my-cmd");
    assert_eq!(found.items[0].description, "Say \"hi\": \\ now");
}

#[test]
fn a_skill_is_as_private_as_the_command_that_it_is_made_of() {
    for (mode, expected) in [
        (0o600, 0o600),
        (0o640, 0o640),
        (0o444, 0o644),
        (0o400, 0o600),
        (0o755, 0o644),
        (0o666, 0o644),
    ] {
        let plugin = Plugin::new().file("commands/a.md", text("x"));
        let command = plugin.root().join("commands/a.md");
        plugin.disk.set_mode(&command, mode).unwrap();
        let found = migrated_commands(&plugin.disk, &plugin.root(), &plugin.manifest);
        assert_eq!((mode, found.items[0].mode), (mode, expected));
    }
}

#[test]
fn a_skill_that_the_author_wrote_goes_first() {
    let head = |name: &str| format!("---\n{name}description: mine\n---\n");
    let generated = ".codex-plugin/migrated-command-skills/source-command-x/SKILL.md";
    let own = "p:source-command-x mine";
    let other = "p:source-command-x d";
    for (path, name, shown) in [
        ("skills/source-command-x/SKILL.md", "", vec![own]),
        ("skills/a/SKILL.md", "name: source-command-x\n", vec![own]),
        (
            "skills/source-command-x/SKILL.md",
            "name: a\n",
            vec!["p:a mine", other],
        ),
    ] {
        let plugin = Plugin::new()
            .file("commands/x.md", text("x"))
            .file(path, head(name));
        let gives_way = shown.len() == 1;
        match gives_way {
            true => check(&plugin, &[], &["duplicate commands/x.md"]),
            false => check(&plugin, &["source-command-x"], &[]),
        }
        // Another program, or an earlier version, may have made it all the same.
        let plugin = plugin.file(generated, "---\ndescription: d\n---\n");
        let found = skills(&plugin.disk, &plugin.root(), &plugin.manifest);
        let of = |skill: &Skill| format!("{} {}", skill.name, skill.description);
        let found_skills: Vec<_> = found.items.iter().map(of).collect();
        assert_eq!(found_skills, shown);
        let told = plugin.problems(&found.problems);
        let expected = [format!("duplicate {generated}")];
        assert_eq!(told, expected[..usize::from(gives_way)]);
        check(
            &plugin,
            if gives_way {
                &[]
            } else {
                &["source-command-x"]
            },
            {
                if gives_way {
                    &["duplicate commands/x.md"]
                } else {
                    &[]
                }
            },
        );
    }
}

#[test]
fn a_skill_that_nobody_sees_takes_no_name() {
    let broken = Plugin::new()
        .file("commands/x.md", text("x"))
        .file("skills/source-command-x/SKILL.md", "no front matter");
    check(&broken, &["source-command-x"], &[]);
    let elsewhere = Plugin::new()
        .file("commands/x.md", text("x"))
        .file("skills/source-command-x/SKILL.md", text("x"))
        .file(
            "skills/source-command-x/agents/openai.yaml",
            "policy:\n  products: [CHATGPT]\n",
        );
    check(&elsewhere, &["source-command-x"], &[]);
}

#[test]
fn which_files_are_commands() {
    let plugin = Plugin::new()
        .file("commands/a.md", text("x"))
        .file("commands/a/b/c.md", text("x"))
        .file("commands/.hidden.md", text("x"))
        .file("commands/README.md", text("x"))
        .file("commands/sub/README.md", text("x"))
        .file("commands/UPPER.MD", text("x"))
        .file("commands/x.txt", text("x"))
        .file("other/x.md", text("x"));
    let names = [
        "source-command-a",
        "source-command-a-b-c",
        "source-command-hidden",
    ];
    check(&plugin, &names, &[]);
    check(&Plugin::new(), &[], &[]);
    // A directory with the name of a command may hold some; one that holds none stands where a command
    // was meant.
    let plugin = Plugin::new()
        .file("commands/a.md/b.md", text("x"))
        .file("commands/c.md/d.txt", "x")
        .file("commands/README.md/d.txt", "x");
    let names = ["source-command-a-md-b"];
    check(&plugin, &names, &["notAFile commands/c.md"]);
    check(
        &Plugin::new().file("commands", "x"),
        &[],
        &["notAFile commands"],
    );
}

#[test]
fn roots_that_a_manifest_names() {
    let paths = [
        "./one.md",
        "./dir",
        "./dir/sub",
        "./dir/sub/b.md",
        "./x.txt",
        "./gone.md",
    ];
    let plugin = |format| {
        Plugin::new()
            .file("one.md", text("x"))
            .file("dir/a.md", text("x"))
            .file("dir/sub/b.md", text("x"))
            .file("x.txt", text("x"))
            .file("commands/z.md", text("x"))
            .with(|manifest| {
                manifest.format = format;
                let paths = paths.iter().map(|path| PluginPath::parse(path).unwrap());
                manifest.commands = Some(paths.collect());
            })
    };
    // One file may have two names, and one name of one file counts once.
    let names = [
        "source-command-a",
        "source-command-b",
        "source-command-one",
        "source-command-sub-b",
    ];
    check(
        &plugin(ManifestFormat::Claude),
        &names,
        &["missing gone.md"],
    );
    check(
        &plugin(ManifestFormat::Fallback),
        &names,
        &["missing gone.md"],
    );
    check(&plugin(ManifestFormat::AgentPlugins), &[], &[]);
}

#[test]
fn what_has_no_description_stays_a_command() {
    let plugin = Plugin::new()
        .file("commands/good.md", text("x"))
        .file("commands/number.md", "---\ndescription: 5\n---\nx")
        .file("commands/blank.md", "---\ndescription: ' '\n---\nx")
        .file("commands/bom.md", "\u{feff}---\ndescription: d\n---\nx")
        .file("commands/bytes.md", b"---\ndescription: d\n---\n\xff")
        .file("commands/colon.md", "---\ndescription: a: b\n---\nx")
        .file("commands/fence.md", "--- \ndescription: d\n---\nx")
        .file("commands/list.md", "---\ndescription: [a]\n---\nx")
        .file("commands/plain.md", "x")
        .file(
            "commands/twice.md",
            "---\ndescription: a\ndescription: b\n---\nx",
        )
        .dir("commands/dir.md");
    check(
        &plugin,
        &["source-command-good", "source-command-number"],
        &[
            "notAFile commands/dir.md",
            "missingField commands/blank.md",
            "missingField commands/bom.md",
            "syntax commands/bytes.md 4:1",
            "syntax commands/colon.md 2:15",
            "missingField commands/fence.md",
            "wrongType commands/list.md description 2:14",
            "missingField commands/plain.md",
            "duplicate commands/twice.md description 3:1",
        ],
    );
}

#[test]
fn a_byte_order_mark_is_named_because_no_editor_shows_it() {
    let head = "\u{feff}---\nname: s\ndescription: d\n---\n";
    let plugin = Plugin::new()
        .file("commands/bom.md", head)
        .file("skills/s/SKILL.md", head);
    let mark = "begins with a byte order mark; save the file as UTF-8 without one";
    check_told(&plugin, &format!("not turned into a skill: {mark}"));
    let found = skills(&plugin.disk, &plugin.root(), &plugin.manifest);
    assert_eq!(found.problems[0].message, mark);
}

#[test]
fn what_a_skill_cannot_do_stays_a_command() {
    let migrates = |body: &str, expected: bool| {
        let plugin = Plugin::new().file("commands/a.md", text(body));
        let found = migrated_commands(&plugin.disk, &plugin.root(), &plugin.manifest);
        assert_eq!(found.items.len() == 1, expected, "{body}");
        assert_eq!(found.problems.is_empty(), expected, "{body}");
    };
    for bad in [
        "$ARGUMENTS",
        "x $ARGUMENTSX",
        "```\n$ARGUMENTS\n```",
        "use $1",
        "$0",
        "\\$1",
        "costs $5",
        "{{x}}",
        "}} {{",
        "run !`ls`",
        "wow!`ls`",
        "wow! `ls`",
        "see @file.txt",
        "\t@x",
        "@@",
        "@{x}",
    ] {
        migrates(bad, false);
    }
    for good in [
        "",
        "$HOME",
        "${1}",
        "$arguments",
        "$ARGUMENT",
        "$@",
        "{{ x",
        "x }}",
        "!\n`x`",
        "`!x`",
        "wow!  `ls`",
        "a@b.c",
        "@",
        "x @ y",
        "(@foo)",
        "`@x`",
        "---\nx",
    ] {
        migrates(good, true);
    }
    // Only the body counts: hosts fill in nothing else.
    let plugin = Plugin::new().file("commands/a.md", "---\ndescription: d $ARGUMENTS\n---\nx");
    check(&plugin, &["source-command-a"], &[]);
}

#[test]
fn names_that_collide_or_are_too_long() {
    let fits = "y".repeat(49);
    let long = "y".repeat(50);
    let plugin = Plugin::new()
        .file(&format!("commands/{fits}.md"), text("x"))
        .file(&format!("commands/{long}.md"), text("x"))
        .file("commands/a-b.md", text("1"))
        .file("commands/a_b.md", text("2"))
        .file("commands/a/b.md", text("3"));
    check(
        &plugin,
        &[&format!("source-command-{fits}")],
        &[
            &format!("badName commands/{long}.md"),
            "duplicate commands/a/b.md",
            "duplicate commands/a-b.md",
            "duplicate commands/a_b.md",
        ],
    );
}

#[cfg(unix)]
#[test]
fn links_lead_inside_only() {
    let plugin = Plugin::new()
        .file("commands/a.md", text("x"))
        .file("docs/d.md", text("x"))
        .link("commands/l.md", "../docs/d.md")
        .link("commands/dir", "../docs")
        .link("commands/loop", ".")
        .link("commands/out.md", "/etc/passwd")
        .link("commands/gone.md", "nowhere");
    check(
        &plugin,
        &[
            "source-command-a",
            "source-command-dir-d",
            "source-command-l",
        ],
        &["missing commands/gone.md", "badPath commands/out.md"],
    );
}

#[test]
fn deep_trees_end() {
    let path = format!("commands/{}x.md", "d/".repeat(17));
    let plugin = Plugin::new()
        .file(&path, text("x"))
        .file("commands/a.md", text("x"));
    let dir = format!("tooLarge commands/{}", ["d"; 17].join("/"));
    check(&plugin, &["source-command-a"], &[&dir]);
    check_told(
        &plugin,
        "commands more than 16 directories down are left out",
    );
}

/// What is said of the first thing that is wrong.
#[track_caller]
fn check_told(plugin: &Plugin, message: &str) {
    let found = migrated_commands(&plugin.disk, &plugin.root(), &plugin.manifest);
    assert_eq!(found.problems[0].message, message);
}

#[test]
fn as_many_commands_as_skills_are_found_afterwards() {
    let mut plugin = Plugin::new();
    for index in 0..2_000 {
        plugin = plugin.file(&format!("commands/{index:04}.md"), text("x"));
    }
    check_told(
        &plugin,
        "there are more than 1999 commands; the rest is left out",
    );
    let found = migrated_commands(&plugin.disk, &plugin.root(), &plugin.manifest);
    assert_eq!((found.items.len(), found.problems.len()), (1_999, 1));
    for file in found.items {
        plugin = plugin.file(&file.path, file.content);
    }
    let skills = skills(&plugin.disk, &plugin.root(), &plugin.manifest);
    assert_eq!((skills.items.len(), skills.problems), (1_999, vec![]));
}

#[test]
fn directories_of_commands_are_counted() {
    let mut plugin = Plugin::new().file("commands/0.md", text("x"));
    for index in 0..2_000 {
        plugin = plugin.dir(&format!("commands/{index:04}"));
    }
    check(&plugin, &["source-command-0"], &["tooLarge commands/1999"]);
    check_told(
        &plugin,
        "there are more than 2000 directories of commands; the rest is left out",
    );
}

#[cfg(unix)]
#[test]
fn all_commands_together_are_bounded() {
    let large = text(&"x".repeat(1024 * 1024 - 1_000));
    let mut plugin = Plugin::new().file("large/a.md", large);
    for index in 0..65 {
        plugin = plugin.link(&format!("commands/{index:02}"), "../large");
    }
    let found = migrated_commands(&plugin.disk, &plugin.root(), &plugin.manifest);
    assert_eq!(found.items.len(), 64);
    assert_eq!(plugin.problems(&found.problems), ["tooLarge large/a.md"]);
    check_told(
        &plugin,
        "the skills made of commands have more than 67108864 bytes together; the rest is left out",
    );
}

#[test]
fn slugs() {
    for (text, expected) in [
        (
            "source-command-sub-Deep Dir-My_Cmd.v2",
            "source-command-sub-deep-dir-my-cmd-v2",
        ),
        ("source-command-...", "source-command"),
        ("source-command---dash--", "source-command-dash"),
        ("source-command-ümlaut", "source-command-mlaut"),
    ] {
        assert_eq!(slug(text), expected);
    }
}

#[test]
fn quoted_scalars() {
    assert_eq!(
        quoted("a \"b\" \\ c\nd\te\u{7}\u{2028}"),
        r#""a \"b\" \\ c\nd\te\u0007\u2028""#
    );
}
