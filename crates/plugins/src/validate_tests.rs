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

/// The problems of the file or directory at a path, as `severity kind file field line:column`.
#[track_caller]
fn check_problems(sandbox: &Sandbox, path: &str, expected: &[&str]) {
    let found = validate(&Disk::new(), &sandbox.path(path)).unwrap();
    let problems = found.subjects.iter().flat_map(|one| &one.problems);
    let rows: Vec<String> = problems
        .map(|one| {
            let file = one.path.as_ref().and_then(|path| path.file_name());
            format!(
                "{:?} {} {} {} {}",
                one.severity,
                one.kind.word(),
                file.unwrap_or_default().to_string_lossy(),
                one.field.as_deref().unwrap_or("-"),
                one.place
                    .map_or("-".to_owned(), |at| format!("{}:{}", at.line, at.column)),
            )
        })
        .collect();
    assert_eq!(rows, expected, "{path}: {found:#?}");
}

/// A `plugin.json` that lacks what makes it a manifest is told with what it lacks, whichever way it is
/// named.
#[test]
fn a_manifest_at_the_root_that_is_none() {
    let sandbox = Sandbox::from("== p/notes.md\nx\n");
    for (text, expected) in [
        ("", &["Error syntax plugin.json - 1:1"][..]),
        (
            "{\"name\": \"p\",\n \"x\" 1}",
            &["Error syntax plugin.json - 2:6"],
        ),
        (
            "{\"name\": \"p\"}",
            &["Error missingField plugin.json - 1:1"],
        ),
        (
            "{\"$schema\": 5}",
            &["Error wrongType plugin.json $schema 1:13"],
        ),
        (
            "{\"$schema\": \"http://agent-plugins.org/schemas/1.0.0/plugin.schema.json\"}",
            &["Error unsupportedSchema plugin.json $schema 1:13"],
        ),
        (
            "{\"name\": \"p\",\n \"$schem\": \"x\"}",
            &[
                "Error missingField plugin.json - 1:1",
                "Warning unknownField plugin.json $schem 2:12",
            ],
        ),
    ] {
        sandbox.write("p/plugin.json", text);
        check_problems(&sandbox, "p", expected);
        check_problems(&sandbox, "p/plugin.json", expected);
    }
}

/// Beside a manifest such a file is worth a word only where it is named, or means to be a manifest.
#[test]
fn a_manifest_at_the_root_beside_another() {
    let sandbox = Sandbox::from("== p/.codex-plugin/plugin.json\n{\"name\": \"p\"}\n");
    sandbox.write("p/plugin.json", "{\"id\": 1}");
    check_problems(&sandbox, "p", &[]);
    let lacking = "Warning missingField plugin.json - 1:1";
    check_problems(&sandbox, "p/plugin.json", &[lacking]);
    sandbox.write(
        "p/plugin.json",
        "{\"$schema\": \"http://agent-plugins.org/schemas/1.0.0/plugin.schema.json\"}",
    );
    let wrong = "Warning unsupportedSchema plugin.json $schema 1:13";
    for path in ["p", "p/plugin.json", "p/.codex-plugin/plugin.json"] {
        check_problems(&sandbox, path, &[wrong]);
    }
}

#[test]
fn a_manifest_at_the_root_in_a_marketplace() {
    let sandbox = Sandbox::from(
        r#"
== m/.agents/plugins/marketplace.json
{"name": "m", "plugins": [{"name": "p", "source": "./p"}]}
== m/plugin.json
{"id": "of another program"}
== m/p/plugin.json
{"name": "p"}
"#,
    );
    let expected = [
        "Error missing marketplace.json plugins[0].source 1:51",
        "Error missingField plugin.json - 1:1",
    ];
    check_problems(&sandbox, "m", &expected);
}

/// What an entry says about its plugin is wrong in the file of the marketplace.
#[test]
fn mistakes_in_an_entry_that_is_a_manifest() {
    let sandbox = Sandbox::from(
        r#"
== m/.agents/plugins/marketplace.json
{"name": "m", "plugins": [{"name": "o", "source": "./p", "version": "1"},
 {"name": "p", "source": "./p", "skills": ["./skills", "./nope"],
  "interface": {"logo": "./l.png", "screenshots": ["/bad", "./a.png", "./b.png"]}}]}
== m/p/skills/a/SKILL.md
---
description: A
---
x
"#,
    );
    check_problems(
        &sandbox,
        "m",
        &[
            "Warning missing marketplace.json plugins[1].skills[1] 2:56",
            "Warning missing marketplace.json plugins[1].interface.logo 3:25",
            "Warning badPath marketplace.json plugins[1].interface.screenshots[0] 3:52",
            "Warning missing marketplace.json plugins[1].interface.screenshots[1] 3:60",
            "Warning missing marketplace.json plugins[1].interface.screenshots[2] 3:71",
        ],
    );
}

/// Who names a part of a plugin means the plugin.
#[test]
fn a_part_of_a_plugin() {
    let sandbox = Sandbox::from(
        r#"
== p/.codex-plugin/plugin.json
{"name": "p"}
== p/.mcp.json
{"mcpServers": []}
== p/hooks/hooks.json
{"hooks": {}}
== p/skills/s/SKILL.md
---
description: d
---
x
== q/.mcp.json
{}
== q/catalog.json
{}
"#,
    );
    for path in ["p/.mcp.json", "p/hooks/hooks.json", "p/skills/s/SKILL.md"] {
        let expected = "Warning wrongType .mcp.json mcpServers 1:16";
        check_problems(&sandbox, path, &[expected]);
    }
    let error = validate(&Disk::new(), &sandbox.path("q/.mcp.json")).unwrap_err();
    let text = plugd_model::error_chain(&error);
    assert!(text.contains("it is a part of a plugin"), "{text}");
    let missing = "Error missingField catalog.json name 1:1";
    check_problems(&sandbox, "q/catalog.json", &[missing]);
}

/// Whatever does not arrive with an installation is told.
#[test]
#[cfg(unix)]
fn links_that_an_installation_leaves_out() {
    let sandbox = Sandbox::from(
        r#"
== p/.codex-plugin/plugin.json
{"name": "p"}
== p/skills/s/SKILL.md
---
description: d
---
x
== p/skills/loop -> ..
== p/skills/twin -> s
"#,
    );
    check_problems(&sandbox, "p", &["Warning leftOut loop - -"]);
}

/// A file that is made of nothing but mistakes costs one reading, not one for each of them.
#[test]
fn a_file_of_mistakes_is_told_in_time() {
    let sandbox = Sandbox::from("== p/.codex-plugin/plugin.json\n{\"name\": \"p\"}\n");
    let events: Vec<_> = (0..20_000)
        .map(|index| format!("\"e{index}\": []"))
        .collect();
    let hooks = format!("{{\"hooks\": {{{}}}}}", events.join(","));
    sandbox.write("p/hooks/hooks.json", &hooks);
    let begun = std::time::Instant::now();
    let found = validate(&Disk::new(), &sandbox.path("p")).unwrap();
    let took = begun.elapsed();
    assert!(found.count(Severity::Warning) > 100);
    assert!(took.as_secs() < 5, "{took:?}");
}

#[test]
fn what_no_installation_copies_is_told() {
    let sandbox = Sandbox::from(BOTH);
    let shipped = "alone/.codex-plugin/migrated-command-skills";
    sandbox.write(
        &format!("{shipped}/a/SKILL.md"),
        "---\ndescription: d\n---\n",
    );
    let found = validate(&Disk::new(), &sandbox.path("alone")).unwrap();
    let [problem] = found.subjects[0].problems.as_slice() else {
        panic!("{found:#?}");
    };
    let told = (problem.kind, problem.path.clone());
    assert_eq!(told, (ProblemKind::LeftOut, Some(sandbox.path(shipped))));
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
