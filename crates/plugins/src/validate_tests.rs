//! Which subject a path means, and the order of what is told about it.

use plugd_disk::Disk;
use plugd_model::{AbsPath, Place, Problem, ProblemKind, Severity};
use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;

use super::{in_order, plugin_root, validate};

const BOTH: &str = r#"
== both/.agents/plugins/marketplace.json
{"name": "m", "plugins": [{"name": "both", "source": "./"}, {"name": "q", "source": "./q"}]}
== both/.codex-plugin/plugin.json
{"name": "both"}
== both/.claude-plugin/plugin.json
{"name": "both"}
== both/q/notes.md
no manifest
== alone/.claude-plugin/plugin.json
{"name": "alone"}
"#;

/// The subjects as `kind name`, and how many errors and warnings there are.
#[track_caller]
fn check(path: &str, expected: &[&str], errors: usize, warnings: usize) {
    let sandbox = Sandbox::from(BOTH);
    let found = validate(&Disk::new(), &sandbox.path(path)).unwrap();
    let subjects: Vec<String> = found
        .subjects
        .iter()
        .map(|one| format!("{:?} {}", one.kind, one.name.as_deref().unwrap_or("-")))
        .collect();
    assert_eq!(subjects, expected, "{path}");
    let counts = (found.count(Severity::Error), found.count(Severity::Warning));
    assert_eq!(counts, (errors, warnings), "{found:#?}");
}

#[test]
fn a_directory_that_is_both_is_looked_at_once_as_each() {
    // The second plugin has no manifest, and its entry is none either.
    let all = ["Marketplace m", "Plugin both", "Plugin q"];
    check("both", &all, 1, 0);
    check("both/.agents/plugins/marketplace.json", &all, 1, 0);
    check("alone", &["Plugin alone"], 0, 0);
}

#[test]
fn a_manifest_that_another_one_hides_is_told() {
    check("both/.codex-plugin/plugin.json", &["Plugin both"], 0, 0);
    check("both/.claude-plugin/plugin.json", &["Plugin both"], 0, 1);
}

#[test]
fn the_root_of_a_manifest() {
    let root = |file: &str| plugin_root(&AbsPath::new(file).unwrap()).map(|root| root.to_text());
    for (file, expected) in [
        ("/p/.codex-plugin/plugin.json", Some("/p")),
        ("/p/.claude-plugin/plugin.json", Some("/p")),
        ("/p/.cursor-plugin/plugin.json", Some("/p")),
        ("/p/plugin.json", Some("/p")),
        ("/p/package.json", None),
    ] {
        assert_eq!(root(file).as_deref(), expected, "{file}");
    }
}

#[test]
fn errors_come_first_and_each_problem_once() {
    let file = AbsPath::new("/f").unwrap();
    let at = |line, message: &str| {
        let place = Place { line, column: 1 };
        Problem::warning(ProblemKind::BadValue, message)
            .in_file(&file)
            .at(place)
    };
    let error = Problem::error(ProblemKind::Missing, "e");
    let other = Problem::error(ProblemKind::Missing, "f");
    let given = vec![
        at(2, "b"),
        at(1, "a"),
        at(1, "in other words"),
        error.clone(),
        other.clone(),
        error.clone(),
    ];
    assert_eq!(in_order(given), [error, other, at(1, "a"), at(2, "b")]);
}
