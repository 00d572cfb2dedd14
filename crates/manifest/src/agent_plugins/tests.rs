//! Conformance with the Agent Plugins specification 1.0.0, as far as it concerns loading a
//! manifest: a test per requirement, named after its section. Those of section 4.1 that need a
//! directory stand with the search, in `locate`.

use std::sync::Arc;

use plugd_model::{
    AbsPath, HooksDeclaration, Interface, ManifestFormat, McpDeclaration, PluginManifest, Problem,
};
use pretty_assertions::assert_eq;

use super::{Claim, claim};
use crate::parse_plugin;
use crate::testing::{row, rows};

const SCHEMA: &str = "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json";

fn file() -> AbsPath {
    AbsPath::new("/p/plugin.json").unwrap()
}

fn parse(json: &str) -> Result<(PluginManifest, Vec<Problem>), Problem> {
    parse_plugin(
        json.as_bytes(),
        ManifestFormat::AgentPlugins,
        "dir",
        &file(),
    )
}

/// A manifest with its required members on the first line and the given ones on the second.
fn with(members: &str) -> String {
    format!("{{\"$schema\":\"{SCHEMA}\",\"name\":\"a\",\n{members}}}")
}

/// Checks that a member conforms and is loaded without a word.
#[track_caller]
fn check_conforms(members: &str) {
    match parse(&with(members)) {
        Ok((_, problems)) => assert_eq!(problems, [], "{members}"),
        Err(problem) => panic!("{members}: {}", problem.message),
    }
}

/// Checks that a member rejects the plugin.
#[track_caller]
fn check_rejected(members: &str, expected: &str) {
    check_file_rejected(&with(members), expected);
}

#[track_caller]
fn check_file_rejected(json: &str, expected: &str) {
    let problem = parse(json).unwrap_err();
    assert_eq!(row(&problem), expected, "{json}: {}", problem.message);
    assert_eq!(problem.path, Some(file()));
}

/// Checks that something is reported and the plugin is loaded all the same.
#[track_caller]
fn check_reported(members: &str, expected: &[&str]) -> PluginManifest {
    let (manifest, problems) = parse(&with(members)).unwrap();
    assert_eq!(rows(&problems), expected, "{members}");
    manifest
}

/// Section 5.2: "MUST be JSON and MUST contain a top-level object".
#[test]
fn section_5_2_the_manifest_is_a_json_object() {
    for json in ["[]", "null", "\"x\"", "5"] {
        check_file_rejected(json, "error wrongType - 1:1");
    }
    check_file_rejected(&format!("[\"{SCHEMA}\",\"a\"]"), "error wrongType - 1:1");
    check_file_rejected("", "error syntax - 1:1");
    check_file_rejected("{\"name\":\"a\"", "error syntax - 1:11");
    check_file_rejected("{\"name\":\"a\",}", "error syntax - 1:12");
    check_file_rejected("/* c */ {}", "error syntax - 1:1");
}

/// Section 5.2: the minimal manifest of the specification's example has the two required members.
#[test]
fn section_5_2_the_required_members_suffice() {
    let json = format!("{{\"$schema\":\"{SCHEMA}\",\"name\":\"minimal-plugin\"}}");
    let (manifest, problems) = parse(&json).unwrap();
    assert_eq!(problems, []);
    assert_eq!(manifest.format, ManifestFormat::AgentPlugins);
    assert_eq!(manifest.name, "minimal-plugin");
    assert_eq!(manifest.version, None);
}

/// Section 5.2: the ten permitted members are all accepted.
#[test]
fn section_5_2_the_permitted_members() {
    let members = r#""version":"1.2.0","description":"d","author":{"name":"n","email":"e","url":"u"},
        "homepage":"h","repository":"r","license":"MIT","keywords":["k1","k2"],
        "extensions":{"com.example.client":{"setting":true}}"#;
    let (manifest, problems) = parse(&with(members)).unwrap();
    assert_eq!(problems, []);
    assert_eq!(manifest.version.as_deref(), Some("1.2.0"));
    assert_eq!(manifest.description.as_deref(), Some("d"));
    assert_eq!(manifest.license.as_deref(), Some("MIT"));
    assert_eq!(manifest.keywords, ["k1", "k2"]);
}

/// Section 5.2: clients MUST report and ignore each unknown field and MUST continue loading.
#[test]
fn section_5_2_unknown_fields_are_reported_and_ignored() {
    let manifest = check_reported(
        r#""foo":1,"Version":"2","version":"1","x y":null"#,
        &[
            "warning unknownField foo 2:7",
            "warning unknownField Version 2:19",
            "warning unknownField \"x y\" 2:43",
        ],
    );
    assert_eq!(manifest.version.as_deref(), Some("1"));
}

/// Section 5.2: clients MUST NOT assign semantics to unknown fields, such as those of other formats.
#[test]
fn section_5_2_unknown_fields_have_no_semantics() {
    let manifest = check_reported(
        r#""skills":"./s","mcpServers":{},"apps":"./a","hooks":{},"commands":"./c","interface":{"category":"x"}"#,
        &[
            "warning unknownField skills 2:10",
            "warning unknownField mcpServers 2:29",
            "warning unknownField apps 2:39",
            "warning unknownField hooks 2:53",
            "warning unknownField commands 2:67",
            "warning unknownField interface 2:85",
        ],
    );
    let bare = check_reported(r#""keywords":[]"#, &[]);
    assert_eq!(manifest, bare);
}

/// Section 5.2: an unknown field does not excuse another violation.
#[test]
fn section_5_2_an_unknown_field_beside_a_violation() {
    check_rejected(r#""foo":1,"version":5"#, "error wrongType version 2:19");
}

/// Section 5.2: every permitted field MUST match its type; any violation is fatal.
#[test]
fn section_5_2_a_wrong_type_is_fatal() {
    for field in [
        "version",
        "description",
        "homepage",
        "repository",
        "license",
    ] {
        let column = field.len() + 4;
        check_conforms(&format!("\"{field}\":\"x\""));
        for value in ["null", "5", "true", "[]", "{}"] {
            check_rejected(
                &format!("\"{field}\":{value}"),
                &format!("error wrongType {field} 2:{column}"),
            );
        }
    }
}

/// Section 5.2: `$schema` MUST be the canonical identifier; another version is rejected and
/// reported.
#[test]
fn section_5_2_an_unsupported_schema_is_rejected() {
    for schema in [
        "https://agent-plugins.org/schemas/2.0.0/plugin.schema.json",
        "https://agent-plugins.org/schemas/1.0.1/plugin.schema.json",
        "https://agent-plugins.org/schemas/1.0.0/mcp.schema.json",
        "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json#",
        "http://agent-plugins.org/schemas/1.0.0/plugin.schema.json",
        "https://example.com/plugin.schema.json",
        "",
    ] {
        let json = format!("{{\"$schema\":\"{schema}\",\"name\":\"a\"}}");
        check_file_rejected(&json, "error unsupportedSchema $schema 1:12");
    }
}

/// Section 5.2: `$schema` selects the rules, so nothing is judged by those of a version that was
/// not declared.
#[test]
fn section_5_2_the_schema_is_judged_first() {
    let json =
        r#"{"name":5,"$schema":"https://agent-plugins.org/schemas/9.0.0/plugin.schema.json"}"#;
    check_file_rejected(json, "error unsupportedSchema $schema 1:21");
}

/// Section 5.3: a missing or mistyped required field rejects the plugin, and is named.
#[test]
fn section_5_3_required_fields() {
    check_file_rejected("{\"name\":\"a\"}", "error missingField $schema 1:1");
    for value in ["null", "5", "[]", "{}"] {
        let json = format!("{{\"$schema\":{value},\"name\":\"a\"}}");
        check_file_rejected(&json, "error wrongType $schema 1:12");
        let json = format!("{{\"$schema\":\"{SCHEMA}\",\n\"name\":{value}}}");
        check_file_rejected(&json, "error wrongType name 2:8");
    }
    let json = format!("{{\"$schema\":\"{SCHEMA}\"}}");
    check_file_rejected(&json, "error missingField name 1:1");
    let json = format!("{{\"$schema\":\"{SCHEMA}\",\n\"name\":\"\"}}");
    check_file_rejected(&json, "error badName name 2:8");
}

/// Section 5.3: the directory's name is no substitute here, as it is in other formats.
#[test]
fn section_5_3_the_directory_gives_no_name() {
    let json = format!("{{\"$schema\":\"{SCHEMA}\",\n\"name\":\"  \"}}");
    check_file_rejected(&json, "error badName name 2:8");
}

/// Section 5.4: an author has only `name`, `email` and `url`, all strings.
#[test]
fn section_5_4_author() {
    check_conforms(r#""author":{}"#);
    check_conforms(r#""author":{"name":"n"}"#);
    check_rejected(r#""author":{"x":"y"}"#, "error unknownField author.x 2:15");
    check_rejected(
        r#""author":{"Name":"y"}"#,
        "error unknownField author.Name 2:18",
    );
    for value in ["null", "\"n\"", "[]", "5"] {
        check_rejected(
            &format!("\"author\":{value}"),
            "error wrongType author 2:10",
        );
    }
    for (member, column) in [("name", 18), ("email", 19), ("url", 17)] {
        for value in ["null", "5", "{}"] {
            check_rejected(
                &format!("\"author\":{{\"{member}\":{value}}}"),
                &format!("error wrongType author.{member} 2:{column}"),
            );
        }
    }
}

/// Section 5.4: keywords are an array of strings.
#[test]
fn section_5_4_keywords() {
    check_conforms(r#""keywords":[]"#);
    check_conforms(r#""keywords":["", "a", "a"]"#);
    for value in ["null", "\"a\"", "{}", "5"] {
        check_rejected(
            &format!("\"keywords\":{value}"),
            "error wrongType keywords 2:12",
        );
    }
    check_rejected(r#""keywords":["a",5]"#, "error wrongType keywords[1] 2:17");
    let long = format!("\"keywords\":[{}5]", "\"a\",".repeat(20_000));
    check_rejected(&long, "error wrongType keywords[20000] 2:80013");
}

/// Section 5.4: clients MUST NOT reject a version that is no semantic version, what is no URL, no
/// mail address and no SPDX identifier.
#[test]
fn section_5_4_metadata_is_judged_by_type_only() {
    check_conforms(r#""version":"whenever / later""#);
    check_conforms(r#""version":"""#);
    check_conforms(r#""homepage":"not a url""#);
    check_conforms(r#""repository":"not a url""#);
    check_conforms(r#""author":{"url":"not a url","email":"not an address"}"#);
    check_conforms(r#""license":"see file""#);
    check_conforms(r#""description":"""#);
}

#[track_caller]
fn check_name(name: &str, legal: bool) {
    let json = format!(
        "{{\"$schema\":\"{SCHEMA}\",\n\"name\":{}}}",
        serde_json::Value::from(name)
    );
    if legal {
        assert_eq!(parse(&json).unwrap().0.name, name);
    } else {
        check_file_rejected(&json, "error badName name 2:8");
    }
}

/// Section 5.5: between 1 and 64 characters.
#[test]
fn section_5_5_name_is_at_most_64_characters() {
    check_name("a", true);
    check_name(&"a".repeat(64), true);
    check_name(&"a".repeat(65), false);
    check_name("", false);
}

/// Section 5.5: `a-z`, `0-9`, `-` and `.` only.
#[test]
fn section_5_5_name_has_a_small_character_set() {
    for name in ["my-plugin", "acme.tools", "lint3r", "0", "a.b-c.9"] {
        check_name(name, true);
    }
    for name in [
        "My-Plugin",
        "a_b",
        "a b",
        "a/b",
        "ä",
        "a\0",
        "a\n",
        "a@b",
        "aA",
        "٣",
    ] {
        check_name(name, false);
    }
}

/// Section 5.5: the first and last characters MUST be alphanumeric.
#[test]
fn section_5_5_name_begins_and_ends_alphanumeric() {
    for name in ["-start", "end-", ".start", "end.", "-", "."] {
        check_name(name, false);
    }
}

/// Section 5.5: no `--` and no `..`; a hyphen beside a period is allowed.
#[test]
fn section_5_5_name_has_no_repetition() {
    for name in ["has--double", "too.many..dots", "a---b"] {
        check_name(name, false);
    }
    check_name("a-.b", true);
    check_name("a.-b", true);
}

/// Section 8.1: an `extensions` that is no object is reported and ignored; loading goes on.
#[test]
fn section_8_1_extensions_that_are_no_object_are_ignored() {
    for value in ["null", "5", "[]", "\"x\"", "[{}]"] {
        let manifest = check_reported(
            &format!("\"extensions\":{value},\"version\":\"1\""),
            &["warning wrongType extensions 2:14"],
        );
        assert_eq!(manifest.version.as_deref(), Some("1"));
    }
}

/// Sections 5.2 and 8.1: the values of namespaces are objects; another type is a violation like any
/// other.
#[test]
fn section_8_1_namespace_values_are_objects() {
    for value in ["null", "5", "[]", "\"x\""] {
        check_rejected(
            &format!("\"extensions\":{{\"a.b\":{{}},\"c.d\":{value}}}"),
            "error wrongType extensions.\"c.d\" 2:30",
        );
    }
}

/// Sections 8.1 and 11.1: what is inside a foreign namespace is not looked at.
#[test]
fn section_8_1_foreign_namespaces_are_not_validated() {
    check_conforms(
        r#""extensions":{"com.example":{"interface":5,"onboardingSkill":[],"a":1,"a":2,"s":"\ud800"},"":{}}"#,
    );
}

/// Section 8.1: failures inside an implemented namespace are ours to define: they spoil themselves.
#[test]
fn section_8_1_our_own_namespace() {
    let manifest = check_reported(
        r#""extensions":{"com.openai":{"interface":{"displayName":"x","logo":"bad"},"onboardingSkill":"./skills/a/SKILL.md","hooks":{},"apps":"./x"}}"#,
        &[
            "warning badPath extensions.\"com.openai\".interface.logo 2:67",
            "warning unknownField extensions.\"com.openai\".hooks 2:122",
            "warning unknownField extensions.\"com.openai\".apps 2:132",
        ],
    );
    let expected = Interface {
        display_name: Some("x".to_owned()),
        ..Interface::default()
    };
    assert_eq!(manifest.interface.as_deref(), Some(&expected));
    let skill = manifest.onboarding_skill.unwrap();
    assert_eq!(skill.as_str(), "skills/a/SKILL.md");
}

fn synthesised() -> Option<Arc<Interface>> {
    Some(Arc::new(Interface {
        display_name: Some("a".to_owned()),
        short_description: Some("d".to_owned()),
        long_description: Some("d".to_owned()),
        developer_name: Some("n".to_owned()),
        category: Some("Other".to_owned()),
        website_url: Some("h".to_owned()),
        ..Interface::default()
    }))
}

#[test]
fn an_interface_is_made_from_the_metadata() {
    let members = r#""description":"d","author":{"name":"n"},"homepage":"h""#;
    assert_eq!(check_reported(members, &[]).interface, synthesised());
    for (own, problem) in [
        ("{\"interface\":{}}", None),
        ("{\"interface\":null}", None),
        ("{\"interface\":5}", Some(96)),
    ] {
        let members = format!("{members},\"extensions\":{{\"com.openai\":{own}}}");
        let expected = problem.map(|column| {
            format!("warning wrongType extensions.\"com.openai\".interface 2:{column}")
        });
        let expected: Vec<_> = expected.iter().map(String::as_str).collect();
        let manifest = check_reported(&members, &expected);
        assert_eq!(manifest.interface, synthesised(), "{own}");
    }
}

/// Section 6.1: `plugin.json` cannot override component locations or hold components.
#[test]
fn section_6_1_components_have_fixed_locations() {
    let manifest = check_reported(r#""version":"1""#, &[]);
    assert_eq!(manifest.skills, None);
    assert_eq!(manifest.mcp_servers, McpDeclaration::Default);
    assert_eq!(manifest.hooks, HooksDeclaration::Nothing);
    assert_eq!(manifest.apps, None);
    assert_eq!(manifest.commands, None);
}

/// Section 10.1: support is decided by the identifier alone.
#[test]
fn section_10_1_the_schema_declares_the_version() {
    check_conforms(r#""version":"2.0.0""#);
    let json = "{\"$schema\":\"https://agent-plugins.org/schemas/1.1.0/plugin.schema.json\",\"name\":\"a\"}";
    let problem = parse(json).unwrap_err();
    assert!(
        problem.message.contains("schemas/1.1.0/"),
        "{}",
        problem.message
    );
    assert!(problem.message.contains(SCHEMA), "{}", problem.message);
}

/// Section 11.3: the two exceptions are not fatal together either.
#[test]
fn section_11_3_the_two_exceptions_together() {
    check_reported(
        r#""x":1,"extensions":5"#,
        &[
            "warning wrongType extensions 2:20",
            "warning unknownField x 2:5",
        ],
    );
}

#[test]
fn a_member_that_occurs_twice_is_reported() {
    let manifest = check_reported(
        r#""version":"1","version":"2""#,
        &["warning duplicate version 2:25"],
    );
    assert_eq!(manifest.version.as_deref(), Some("2"));
}

#[test]
fn versions_are_trimmed() {
    let version = |json: &str| check_reported(&format!("\"version\":{json}"), &[]).version;
    assert_eq!(version("\" 1 \"").as_deref(), Some("1"));
    assert_eq!(version("\"  \""), None);
}

#[track_caller]
fn check_claim(text: &str, expected: &str) {
    let found = match claim(text.as_bytes(), &file()) {
        Claim::Made => "made".to_owned(),
        Claim::NotMade => "not made".to_owned(),
        Claim::Unreadable(problem) => row(&problem),
    };
    assert_eq!(found, expected, "{text}");
}

#[test]
fn which_files_claim_the_format() {
    check_claim(&with("\"x\":1"), "made");
    check_claim(
        "{\"$schema\":\"https://agent-plugins.org/schemas/2\"}",
        "made",
    );
    check_claim(
        "{\"$schema\":\"https:\\/\\/agent-plugins.org\\/schemas\\/2\"}",
        "made",
    );
    check_claim("{\"$schema\":\"https://agent-plugins.org/x\"}", "not made");
    check_claim("{\"$schema\":\"https://example.com\"}", "not made");
    check_claim("{\"$schema\":5}", "not made");
    check_claim("{\"name\":\"a\"}", "not made");
    check_claim("[]", "not made");
    check_claim("{", "not made");
    check_claim("\u{feff}{}", "not made");
    check_claim(
        &format!("\u{feff}{}", with("\"x\":1")),
        "error syntax - 1:1",
    );
    check_claim(&with("\"x\":"), "error syntax - 2:5");
}
