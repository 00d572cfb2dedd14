//! Marketplace manifests: what spoils the file, what spoils an entry, what spoils a member.

use plugd_model::{AbsPath, Severity};
use pretty_assertions::assert_eq;

use crate::testing::{entries, marketplace_file, row, rows};
use crate::{MAX_MARKETPLACE_BYTES, marketplace_root, parse_marketplace};

/// Checks a file that is unusable as a whole.
#[track_caller]
fn check_file(json: &str, expected: &str) {
    let problem = parse_marketplace(json.as_bytes(), &marketplace_file()).unwrap_err();
    assert_eq!(row(&problem), expected, "{json}: {}", problem.message);
    assert_eq!(problem.path, Some(marketplace_file()));
}

/// Checks the names that are listed, and the problems, for entries that stand a line each.
#[track_caller]
fn check(lines: &[&str], names: &[&str], problems: &[&str]) {
    let (manifest, found) = entries(&lines.join(",\n"));
    let listed: Vec<_> = manifest.entries.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(listed, names);
    assert_eq!(rows(&found), problems);
    for problem in &found {
        assert_eq!(problem.path, Some(marketplace_file()));
    }
}

#[test]
fn the_least_marketplace() {
    let json = r#"{"name":"m","plugins":[]}"#;
    let (manifest, problems) = parse_marketplace(json.as_bytes(), &marketplace_file()).unwrap();
    assert_eq!(manifest.name.as_str(), "m");
    assert_eq!(manifest.display_name, None);
    assert_eq!(manifest.root.to_text(), "/mp");
    assert_eq!(manifest.entries, []);
    assert_eq!(problems, []);
}

#[test]
fn defects_of_the_file() {
    check_file("[]", "error wrongType - 1:1");
    check_file("[\"m\",[]]", "error wrongType - 1:1");
    check_file("null", "error wrongType - 1:1");
    check_file("{", "error syntax - 1:1");
    check_file(
        "\u{feff}{\"name\":\"m\",\"plugins\":[]}",
        "error syntax - 1:1",
    );
    check_file(r#"{"plugins":[]}"#, "error missingField name 1:1");
    check_file(r#"{"name":"m"}"#, "error missingField plugins 1:1");
    check_file(
        "{\"name\":\"m\",\n\"plugins\":{}}",
        "error wrongType plugins 2:11",
    );
    check_file(
        r#"{"name":"m","plugins":null}"#,
        "error wrongType plugins 1:23",
    );
    check_file(r#"{"name":5,"plugins":[]}"#, "error wrongType name 1:9");
    check_file(r#"{"name":null,"plugins":[]}"#, "error wrongType name 1:9");
    for name in ["", "a.b", "a b", "../x", "a@b", "ä"] {
        let json = format!("{{\"name\":\"{name}\",\"plugins\":[]}}");
        check_file(&json, "error badName name 1:9");
    }
    let json = format!("{{\"name\":\"{}\",\"plugins\":[]}}", "x".repeat(300));
    check_file(&json, "error badName name 1:9");
}

#[test]
fn a_reserved_name_is_read() {
    let json = r#"{"name":"openai-curated","plugins":[]}"#;
    let (manifest, problems) = parse_marketplace(json.as_bytes(), &marketplace_file()).unwrap();
    assert!(manifest.name.is_reserved());
    assert_eq!(problems, []);
}

#[test]
fn display_names() {
    for (interface, expected, problems) in [
        (r#"{"displayName":"Shop"}"#, Some("Shop"), vec![]),
        ("{}", None, vec![]),
        ("null", None, vec![]),
        (r#"{"displayName":null}"#, None, vec![]),
        (
            r#"{"displayName":5}"#,
            None,
            vec!["warning wrongType interface.displayName 1:53"],
        ),
        ("5", None, vec!["warning wrongType interface 1:38"]),
        ("[\"x\"]", None, vec!["warning wrongType interface 1:38"]),
    ] {
        let json = format!(r#"{{"name":"m","plugins":[],"interface":{interface}}}"#);
        let (manifest, found) = parse_marketplace(json.as_bytes(), &marketplace_file()).unwrap();
        assert_eq!(manifest.display_name.as_deref(), expected, "{interface}");
        assert_eq!(rows(&found), problems, "{interface}");
    }
}

#[test]
fn other_members_of_the_file_are_ignored() {
    let json = r#"{"$schema":"x","name":"m","owner":5,"metadata":{"pluginRoot":"./x"},"plugins":[{"name":"a","source":"./a"}]}"#;
    let (manifest, problems) = parse_marketplace(json.as_bytes(), &marketplace_file()).unwrap();
    assert_eq!(problems, []);
    let path = AbsPath::new("/mp/a").unwrap();
    assert_eq!(
        manifest.entries[0].source,
        plugd_model::Source::Local { path }
    );
}

#[test]
fn one_bad_entry_leaves_the_others_listed() {
    check(
        &[
            r#"{"name":"a","source":"./a"}"#,
            r#"5"#,
            r#"["b","./b"]"#,
            r#"{"source":"./c"}"#,
            r#"{"name":5,"source":"./d"}"#,
            r#"{"name":"e"}"#,
            r#"{"name":"f","source":null}"#,
            r#"{"name":"g","source":{"source":"pip","package":"x"}}"#,
            r#"{"name":"h","source":"../h"}"#,
            r#"{"name":"z","source":"./z"}"#,
        ],
        &["a", "z"],
        &[
            "error wrongType plugins[1] 3:1",
            "error wrongType plugins[2] 4:1",
            "error missingField plugins[3].name 5:1",
            "error wrongType plugins[4].name 6:9",
            "error missingField plugins[5].source 7:1",
            "error badSource plugins[6].source 8:22",
            "error unsupportedSource plugins[7].source.source 9:32",
            "error badSource plugins[8].source 10:22",
        ],
    );
}

#[test]
fn names_of_entries() {
    for name in ["a", "A-b_c.9", "1"] {
        check(
            &[&format!(r#"{{"name":"{name}","source":"./a"}}"#)],
            &[name],
            &[],
        );
    }
    for name in [
        "", ".", "..", ".a", "a.", "a..b", "a/b", "a b", "ä", "a\\u0000", "a@b",
    ] {
        check(
            &[&format!(r#"{{"name":"{name}","source":"./a"}}"#)],
            &[],
            &["error badName plugins[0].name 2:9"],
        );
    }
    let long = "x".repeat(201);
    check(
        &[&format!(r#"{{"name":"{long}","source":"./a"}}"#)],
        &[],
        &["error badName plugins[0].name 2:9"],
    );
}

#[test]
fn a_problem_says_whose_it_is() {
    let (_, problems) = entries(r#"{"name":"foo","source":"../x"}"#);
    assert!(
        problems[0].message.starts_with("plugin `foo`: "),
        "{}",
        problems[0].message
    );
    let (_, problems) = entries(r#"{"name":"foo","source":"../x"},5"#);
    assert!(
        !problems[1].message.contains("foo"),
        "{}",
        problems[1].message
    );
}

#[test]
fn the_first_usable_of_two_entries_counts() {
    let first = r#"{"name":"a","source":"./first"}"#;
    let bad = r#"{"name":"a","source":"bad"}"#;
    let second = r#"{"name":"a","source":"./second"}"#;
    check(
        &[first, second],
        &["a"],
        &["error duplicate plugins[1] 3:1"],
    );
    check(
        &[bad, second],
        &["a"],
        &["error badSource plugins[0].source 2:22"],
    );
    check(
        &[bad, first, second],
        &["a"],
        &[
            "error badSource plugins[0].source 2:22",
            "error duplicate plugins[2] 4:1",
        ],
    );
    let (manifest, _) = entries(&format!("{first},{second}"));
    let path = AbsPath::new("/mp/first").unwrap();
    assert_eq!(
        manifest.entries[0].source,
        plugd_model::Source::Local { path }
    );
    // Names differ by case.
    let upper = r#"{"name":"A","source":"./second"}"#;
    check(&[first, upper], &["a", "A"], &[]);
}

#[test]
fn a_member_that_can_be_done_without_spoils_itself() {
    for value in ["5", "true", "[]", "{}"] {
        let line = format!(r#"{{"name":"a","source":"./a","category":{value}}}"#);
        check(
            &[&line],
            &["a"],
            &["warning wrongType plugins[0].category 2:39"],
        );
        let (manifest, problems) = entries(&line);
        assert_eq!(manifest.entries[0].category, None);
        assert_eq!(problems[0].severity, Severity::Warning);
    }
    check(
        &[r#"{"name":"a","source":"./a","category":null}"#],
        &["a"],
        &[],
    );
}

#[test]
fn a_member_that_occurs_twice() {
    check(
        &[r#"{"name":"b","source":"./a","name":"a"}"#],
        &["a"],
        &["warning duplicate plugins[0].name 2:35"],
    );
}

#[test]
fn entries_know_their_place_category_and_version() {
    let (manifest, problems) = entries(
        "{\"name\":\"a\",\"source\":\"./a\"},\n  {\"name\":\"b\",\"source\":\"./b\",\"category\":\"Tools\",\"version\":\" 1.2 \"}",
    );
    assert_eq!(problems, []);
    let [a, b] = &manifest.entries[..] else {
        panic!("two entries, not {:?}", manifest.entries);
    };
    assert_eq!((a.place.line, a.place.column), (2, 1));
    assert_eq!((b.place.line, b.place.column), (3, 3));
    assert_eq!((a.source_place.line, a.source_place.column), (2, 22));
    assert_eq!((b.source_place.line, b.source_place.column), (3, 24));
    assert_eq!(b.category.as_deref(), Some("Tools"));
    assert_eq!(b.version.as_deref(), Some("1.2"));
    assert_eq!(a.fallback, None);
}

#[test]
fn roots_of_manifests() {
    for (path, expected) in [
        ("/mp/.agents/plugins/marketplace.json", Some("/mp")),
        ("/mp/.agents/plugins/api_marketplace.json", Some("/mp")),
        ("/mp/.claude-plugin/marketplace.json", Some("/mp")),
        ("/mp/.cursor-plugin/marketplace.json", Some("/mp")),
        ("/.cursor-plugin/marketplace.json", Some("/")),
        ("/mp/marketplace.json", None),
        ("/mp/plugins/marketplace.json", None),
        ("/mp/.codex-plugin/marketplace.json", None),
        ("/mp/.agents/plugins/other.json", None),
        ("/mp/x.agents/plugins/marketplace.json", None),
        ("/", None),
    ] {
        let root = marketplace_root(&AbsPath::new(path).unwrap());
        assert_eq!(
            root.map(|root| root.to_text()).as_deref(),
            expected,
            "{path}"
        );
    }
}

#[test]
fn a_large_marketplace_on_one_line_is_read_in_full() {
    let lines: Vec<_> = (0..20_000)
        .map(|n| format!(r#"{{"name":"p{n}","source":"./p{n}","category":5}}"#))
        .collect();
    let json = format!(r#"{{"name":"m","plugins":[{}]}}"#, lines.join(","));
    let (manifest, problems) = parse_marketplace(json.as_bytes(), &marketplace_file()).unwrap();
    assert_eq!(manifest.entries.len(), 20_000);
    let last = &manifest.entries[19_999];
    let offset = json.find(r#"{"name":"p19999""#).unwrap();
    assert_eq!(usize::try_from(last.place.column).unwrap(), offset + 1);
    assert_eq!(problems.len(), 1_001);
}

#[test]
fn too_many_entries_are_said() {
    let entry = r#"{"name":"a","source":"./a"}"#;
    let json = format!(
        r#"{{"name":"m","plugins":[{}{entry}]}}"#,
        "0,".repeat(super::MAX_ENTRIES)
    );
    let (manifest, problems) = parse_marketplace(json.as_bytes(), &marketplace_file()).unwrap();
    assert_eq!(manifest.entries, []);
    assert_eq!(row(&problems[0]), "warning tooLarge plugins 1:23");
}

#[test]
fn a_file_above_the_limit_is_refused() {
    let limit = usize::try_from(MAX_MARKETPLACE_BYTES).unwrap();
    let mut json = String::from(r#"{"name":"m","plugins":[]}"#);
    json.push_str(&" ".repeat(limit - json.len()));
    assert!(parse_marketplace(json.as_bytes(), &marketplace_file()).is_ok());
    json.push(' ');
    check_file(&json, "error tooLarge - -");
}
