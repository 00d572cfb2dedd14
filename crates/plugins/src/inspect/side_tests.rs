//! The pure part: what counts as a difference, and what a look at fetched content tells of its place.

use plugd_disk::Disk;
use plugd_disk::tree::{AtEase, Limits, TreePlan};
use plugd_model::{AbsPath, PluginId, Problem, ProblemKind};
use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;

use super::{Held, InspectedSide, difference, forget_place, side, stand_in_id};

/// One side of the plugin in a directory.
fn look(sandbox: &Sandbox, dir: &str) -> InspectedSide {
    let (disk, root) = (Disk::new(), sandbox.path(dir));
    let loader = plugd_manifest::Loader::new(disk.clone());
    let loaded = loader.plugin_named(&root, "p").unwrap().unwrap();
    let id = PluginId::parse("p@m").unwrap();
    side(&disk, &root, &loaded.value, &id).unwrap()
}

const PLAIN: &str = r#"
== a/.codex-plugin/plugin.json
{"name": "p"}
== a/commands/tidy.md
---
description: Tidies
---
Tidy.
== b/.codex-plugin/plugin.json
{"name": "p"}
== b/commands/tidy.md
---
description: Tidies
---
Tidy.
"#;

fn held(sandbox: &Sandbox, dir: &str) -> Held {
    let (disk, root) = (Disk::new(), sandbox.path(dir));
    let plan = TreePlan::scan(&disk, &root, &Limits::INSTALL, &[], &AtEase).unwrap();
    Held::read(&disk, plan, &AtEase).unwrap()
}

#[track_caller]
fn check(extra: &str, is_empty: bool) {
    let sandbox = Sandbox::from(PLAIN);
    sandbox.add(extra);
    let (installed, offered) = (look(&sandbox, "a"), look(&sandbox, "b"));
    let (before, after) = (held(&sandbox, "a"), held(&sandbox, "b"));
    let found = difference(
        (&installed.inspection, Some(&before)),
        (&offered.inspection, Some(&after)),
    );
    assert_eq!(found.is_empty(), is_empty, "{found:#?}");
    if is_empty {
        assert_eq!(
            (found.files.0, found.bytes.0),
            (found.files.1, found.bytes.1)
        );
    }
    // What cannot be read as a whole is compared as far as it can be.
    let found = difference(
        (&installed.inspection, None),
        (&offered.inspection, Some(&after)),
    );
    assert!(found.changes.other_files.is_empty());
}

#[test]
fn what_an_installation_does_by_itself_is_no_difference() {
    check("", true);
    let migrated = "a/.codex-plugin/migrated-command-skills/source-command-tidy/SKILL.md";
    check(
        &format!("== {migrated}\n---\ndescription: T\n---\nx\n"),
        true,
    );
    // What no copy can hold does not arrive.
    check("== b/gone -> nowhere\n== b/.git/config\n[core]\n", true);
}

#[test]
fn everything_else_is() {
    check("== b/run.sh (mode 755)\n#!/bin/sh\n", false);
    check("== a/run.sh (mode 755)\n#!/bin/sh\n", false);
    check(
        "== b/skills/s/SKILL.md\n---\ndescription: S\n---\nx\n",
        false,
    );
    check("== b/LICENSE\nMIT\n", false);
    check("== b/data.json\n{}\n", false);
    check("== a/data.json\n{}\n== b/data.json\n{ }\n", false);
    check("== b/Data\nx\n== b/data\nx\n", false);
    check(
        "== b/.mcp.json\n{\"mcpServers\": {\"a\": {\"command\": \"a\"}}}\n",
        false,
    );
}

#[test]
fn a_place_that_is_gone_is_not_told() {
    let sandbox = Sandbox::from(PLAIN);
    let hooks = r#"{"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "x"}]}]}}"#;
    sandbox.write("a/hooks/hooks.json", hooks);
    sandbox.write("a/.mcp.json", r#"{"mcpServers": {"a": {"command": "a"}}}"#);
    let mut side = look(&sandbox, "a");
    let root: AbsPath = sandbox.path("a");
    let elsewhere = sandbox.path("b/file");
    let problem = |path: &AbsPath| Problem::warning(ProblemKind::Missing, "gone").in_file(path);
    side.root = Some(root.clone());
    side.problems = vec![
        problem(&root.join("skills/s/SKILL.md")),
        problem(&root),
        problem(&elsewhere),
    ];
    forget_place(&mut side, &root);
    let told: Vec<_> = side
        .problems
        .iter()
        .map(|one| (one.message.as_str(), one.path.as_ref()))
        .collect();
    assert_eq!(
        told,
        [
            ("`skills/s/SKILL.md`: gone", None),
            ("gone", None),
            ("gone", Some(&elsewhere)),
        ]
    );
    let shown = format!("{side:?}");
    assert!(!shown.contains(&root.to_text()), "{shown}");
}

#[test]
fn a_name_that_is_none_still_gives_keys() {
    assert_eq!(stand_in_id("p").to_string(), "p@local");
    assert_eq!(stand_in_id("no name").to_string(), "plugin@local");
}
