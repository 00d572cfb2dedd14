//! Every mistake has a place and a word, and nothing half is understood.

use plugd_model::Problem;
use pretty_assertions::assert_eq;

use super::parse;

const DIGESTS: &str = "\
source_digest = \"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"
tree_digest = \"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"
";

fn line(problem: &Problem) -> String {
    let place = problem.place.map_or_else(String::new, |place| {
        format!("{}:{}", place.line, place.column)
    });
    let field = problem.field.as_deref().unwrap_or("-");
    format!("{place} {} {field}", problem.kind.word())
}

#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let found: Vec<String> = match parse(text) {
        Ok(parsed) => panic!("{:#?}", parsed.lock),
        Err(errors) => errors.iter().map(line).collect(),
    };
    assert_eq!(found, expected, "{text}");
}

/// A plugin with these lines.
fn plugin(lines: &str) -> String {
    format!("version = 1\n[marketplaces.m]\npath = \"./m\"\n[plugins.\"p@m\"]\n{lines}\n{DIGESTS}")
}

#[test]
fn the_format_comes_first() {
    check("", &["1:1 missingField version"]);
    check("version = 2\nx = 1", &["1:11 unsupportedSchema version"]);
    check("version = \"1\"", &["1:11 badValue version"]);
}

#[test]
fn what_is_no_toml() {
    check("version = 1\n[plugins", &["2:9 syntax -"]);
    let text = "version = 1\n<<<<<<< HEAD\n[plugins.\"a@m\"]\n=======\n>>>>>>> other\n";
    check(text, &["2:1 syntax -"]);
    let errors = parse(text).unwrap_err();
    assert!(errors[0].message.contains("two branches"), "{errors:?}");
    // The same plugin from two branches.
    check(
        "version = 1\n[plugins.\"a@m\"]\n[plugins.\"a@m\"]\n",
        &["3:10 syntax -"],
    );
}

#[test]
fn marketplaces() {
    let block = |lines: &str| format!("version = 1\n[marketplaces.m]\n{lines}\n");
    check(&block(""), &["2:1 missingField marketplaces.m"]);
    check(
        &block("git = \"https://x\"\npath = \"./m\""),
        &["2:1 missingField marketplaces.m"],
    );
    for git in [
        "1",
        "\"./m\"",
        "\"-u./x\"",
        "\"https://ada:pw@example.com/m\"",
    ] {
        check(
            &block(&format!("git = {git}")),
            &["3:7 badValue marketplaces.m.git"],
        );
    }
    check(
        &block("git = \"https://x\"\nref = \"\"\n"),
        &["4:7 badValue marketplaces.m.ref"],
    );
    check(
        &block("git = \"https://x\"\nsparse_paths = [1]\n"),
        &["4:16 badValue marketplaces.m.sparse_paths"],
    );
    check(
        &block("curated = false"),
        &["3:11 badValue marketplaces.m.curated"],
    );
    for path in [
        "m",
        "../m",
        "./../m",
        "./m/../..",
        "./m//n",
        "./m\\\\n",
        "./",
        "./m\\n",
    ] {
        check(
            &block(&format!("path = \"{path}\"")),
            &["3:8 badValue marketplaces.m.path"],
        );
    }
    check(
        "version = 1\n[marketplaces.\"../m\"]\npath = \"./m\"\n",
        &["2:1 badName marketplaces.\"../m\""],
    );
    check(
        "version = 1\nmarketplaces = 1\n",
        &["2:16 badValue marketplaces"],
    );
    check(
        "version = 1\n[marketplaces]\nm = 1\n",
        &["3:5 badValue marketplaces.m"],
    );
}

#[test]
fn plugins() {
    let good = "version = \"1.0.0\"\nsource = { path = \"./p\" }";
    parse(&plugin(good)).unwrap();
    check(
        &plugin("source = { path = \"./p\" }"),
        &["4:1 missingField plugins.\"p@m\".version"],
    );
    check(
        &plugin("version = \"..\"\nsource = { path = \"./p\" }"),
        &["5:11 badValue plugins.\"p@m\".version"],
    );
    check(
        &plugin("version = \"1.0.0\""),
        &["4:1 missingField plugins.\"p@m\".source"],
    );
    for (source, problem) in [
        ("\"./p\"", "6:10 badValue plugins.\"p@m\".source"),
        ("{}", "6:10 missingField plugins.\"p@m\".source"),
        (
            "{ path = \"/p\" }",
            "6:19 badValue plugins.\"p@m\".source.path",
        ),
        (
            "{ path = \"../p\" }",
            "6:19 badValue plugins.\"p@m\".source.path",
        ),
        (
            "{ git = \"x\", npm = \"y\" }",
            "6:10 missingField plugins.\"p@m\".source",
        ),
        (
            "{ oci = \"h/a\" }\ndigest = \"sha256:DIGITS\"",
            "6:18 badValue plugins.\"p@m\".source.oci",
        ),
        (
            "{ oci = \"oci://h/a@sha256:DIGITS\" }\ndigest = \"sha256:DIGITS\"",
            "6:18 badValue plugins.\"p@m\".source.oci",
        ),
        (
            "{ oci = \"oci://h/a\" }",
            "4:1 missingField plugins.\"p@m\".digest",
        ),
        (
            "{ archive = \"http://h/a\" }\ndigest = \"sha256:DIGITS\"",
            "6:22 badValue plugins.\"p@m\".source.archive",
        ),
        (
            "{ archive = \"https://h/a\" }\ndigest = \"DIGITS\"",
            "7:10 badValue plugins.\"p@m\".digest",
        ),
    ] {
        let source = source.replace("DIGITS", &"ab".repeat(32));
        let lines = format!("version = \"1.0.0\"\nsource = {source}");
        check(&plugin(&lines), &[problem]);
    }
    check(
        &plugin(good).replace("tree_digest = \"sha256:", "tree_digest = \"md5:"),
        &["8:15 badValue plugins.\"p@m\".tree_digest"],
    );
    check(
        &plugin(good).replace("marketplaces.m]", "marketplaces.n]"),
        &["4:1 missingField plugins.\"p@m\""],
    );
    check(
        &plugin(good).replace("\"p@m\"", "\"p\""),
        &["4:1 badName plugins.p"],
    );
}

#[test]
fn every_mistake_is_told_at_once() {
    let text = format!("{}[plugins.\"q@m\"]\nversion = 1\n", plugin("source = 1"));
    assert_eq!(parse(&text).unwrap_err().len(), 6);
}

#[test]
fn what_a_newer_program_wrote_is_told_and_does_no_harm() {
    let text = plugin("version = \"1.0.0\"\nsource = { path = \"./p\", deep = 1 }\nsigned = \"x\"");
    let parsed = parse(&format!("new = 1\n{text}")).unwrap();
    let found: Vec<String> = parsed.unknown.iter().map(line).collect();
    assert_eq!(
        found,
        [
            "1:7 unknownField new",
            "7:33 unknownField plugins.\"p@m\".source.deep",
            "8:10 unknownField plugins.\"p@m\".signed",
        ]
    );
    assert_eq!(parsed.lock.plugins.len(), 1);
}
