//! What is begun is valid, and what cannot be begun leaves nothing.

use plugd_disk::Disk;
use plugd_model::Severity;
use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;

use super::{ScaffoldKind, scaffold};
use crate::{Error, validate};

const KINDS: [ScaffoldKind; 3] = [
    ScaffoldKind::Plugin,
    ScaffoldKind::Marketplace,
    ScaffoldKind::Skill,
];

/// Begins it and validates what there is then.
#[track_caller]
fn check(kind: ScaffoldKind, name: &str, files: &[&str]) {
    let sandbox = Sandbox::new();
    let disk = Disk::new();
    let mut dir = sandbox.path("x");
    if kind == ScaffoldKind::Skill {
        dir = scaffold(&disk, ScaffoldKind::Plugin, "p", &dir)
            .unwrap()
            .root;
    }
    let made = scaffold(&disk, kind, name, &dir).unwrap();
    assert_eq!(made.files, files);
    let whole = made.plugin.as_ref().unwrap_or(&made.root);
    let found = validate(&disk, whole).unwrap();
    let problems: Vec<_> = found
        .subjects
        .iter()
        .flat_map(|one| &one.problems)
        .collect();
    assert_eq!(problems, Vec::<&plugd_model::Problem>::new());
    assert_eq!(found.count(Severity::Error), 0);
    // Once more is once too often.
    let before = sandbox.tree("x");
    let again = scaffold(&disk, kind, name, &dir);
    assert!(matches!(again, Err(Error::Scaffold(_))), "{again:?}");
    assert_eq!(sandbox.tree("x"), before);
}

#[test]
fn what_is_begun_is_valid() {
    for name in ["a", "my-plugin", "p2", "0", &"x".repeat(64)] {
        let skill = format!("skills/{name}/SKILL.md");
        check(
            ScaffoldKind::Plugin,
            name,
            &[".codex-plugin/plugin.json", &skill],
        );
        check(
            ScaffoldKind::Marketplace,
            name,
            &[
                ".agents/plugins/marketplace.json",
                "plugins/hello/.codex-plugin/plugin.json",
                "plugins/hello/skills/hello/SKILL.md",
            ],
        );
    }
    check(ScaffoldKind::Skill, "my-skill", &["SKILL.md"]);
}

#[test]
fn names_that_are_none() {
    let (sandbox, disk) = (Sandbox::new(), Disk::new());
    let long = "x".repeat(65);
    for name in [
        "",
        "A",
        "a_b",
        "a b",
        "-a",
        "a-",
        "a--b",
        "a/b",
        "..",
        "é",
        long.as_str(),
    ] {
        for kind in KINDS {
            let refused = scaffold(&disk, kind, name, &sandbox.path("x"));
            assert!(matches!(refused, Err(Error::Scaffold(_))), "{name}");
        }
    }
    let reserved = scaffold(
        &disk,
        ScaffoldKind::Marketplace,
        "openai-curated",
        &sandbox.path("x"),
    );
    assert!(matches!(reserved, Err(Error::Scaffold(_))), "{reserved:?}");
    assert!(!sandbox.exists("x"));
}

#[test]
fn a_skill_goes_where_its_plugin_keeps_them() {
    let sandbox = Sandbox::from(
        "== p/.codex-plugin/plugin.json\n{\"name\": \"p\", \"skills\": [\"./own\"]}\n== none/\n",
    );
    let disk = Disk::new();
    let made = scaffold(&disk, ScaffoldKind::Skill, "s", &sandbox.path("p")).unwrap();
    assert_eq!(made.root, sandbox.path("p/own/s"));
    let refused = scaffold(&disk, ScaffoldKind::Skill, "s", &sandbox.path("none"));
    assert!(
        matches!(refused, Err(Error::NoPluginThere { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_file_in_the_place_of_a_directory_leaves_nothing_behind() {
    let sandbox = Sandbox::from("== x\na file\n");
    let refused = scaffold(&Disk::new(), ScaffoldKind::Plugin, "p", &sandbox.path("x"));
    assert!(refused.is_err());
    assert_eq!(sandbox.text("x"), "a file\n");
}
