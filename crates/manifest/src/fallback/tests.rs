//! Fallback manifests: their JSON is what the reference was seen to write, byte for byte.

use std::sync::Arc;

use plugd_model::ManifestFormat;
use pretty_assertions::assert_eq;

use crate::fallback::Fallback;
use crate::parse_plugin;
use crate::testing::{entries, marketplace_file, rows};

/// The fallback of an entry with the given members behind its name and source.
fn fallback(members: &str) -> Option<Arc<Fallback>> {
    let (manifest, problems) = entries(&format!("{{\"name\":\"a\",\"source\":\"./a\"{members}}}"));
    assert_eq!(problems, []);
    manifest.entries.into_iter().next().unwrap().fallback
}

#[track_caller]
fn check(members: &str, expected: &str) {
    let fallback = fallback(members).unwrap();
    assert_eq!(fallback.json(), expected.trim_start());
    // What is installed reads as what was listed.
    let (installed, _) = parse_plugin(
        fallback.json().as_bytes(),
        ManifestFormat::Fallback,
        "a",
        &marketplace_file(),
    )
    .unwrap();
    assert_eq!(&installed, fallback.manifest());
    assert_eq!(fallback.manifest().format, ManifestFormat::Fallback);
    assert_eq!(fallback.manifest().name, "a");
}

#[test]
fn an_entry_that_says_nothing_about_the_plugin_has_none() {
    assert_eq!(fallback(""), None);
    assert_eq!(fallback(r#","policy":{"installation":"AVAILABLE"}"#), None);
    assert_eq!(fallback(r#","category":null"#), None);
}

#[test]
fn members_keep_their_order_and_additions_follow() {
    check(
        concat!(
            r#","version":"1.0","description":"d","zeta":1.50,"alpha":{"b":1,"a":[1,2,[]],"e":{}},"#,
            r#""displayName":"Disp","author":{"name":"Auth"},"homepage":"http://h","category":"cat","#,
            r#""uni":"\u00fc\u0001/","big":12345678901234567890123,"keywords":["k"]"#
        ),
        r#"
{
  "version": "1.0",
  "description": "d",
  "zeta": 1.50,
  "alpha": {
    "b": 1,
    "a": [
      1,
      2,
      []
    ],
    "e": {}
  },
  "displayName": "Disp",
  "author": {
    "name": "Auth"
  },
  "homepage": "http://h",
  "uni": "ü\u0001/",
  "big": 12345678901234567890123,
  "keywords": [
    "k"
  ],
  "name": "a",
  "category": "cat",
  "interface": {
    "displayName": "Disp",
    "developerName": "Auth",
    "websiteUrl": "http://h",
    "category": "cat"
  }
}"#,
    );
}

#[test]
fn explicit_interface_members_win_except_for_the_category() {
    check(
        r#","version":"1.0","interface":{"displayName":"x","category":"own"},"category":"cat","displayName":"y""#,
        r#"
{
  "version": "1.0",
  "interface": {
    "displayName": "x",
    "category": "cat"
  },
  "displayName": "y",
  "name": "a",
  "category": "cat"
}"#,
    );
    check(
        r#","interface":{"displayName":null,"websiteURL":"w"},"displayName":"y","homepage":"h""#,
        r#"
{
  "interface": {
    "displayName": null,
    "websiteURL": "w"
  },
  "displayName": "y",
  "homepage": "h",
  "name": "a"
}"#,
    );
}

#[test]
fn a_category_alone_makes_a_fallback() {
    check(
        r#","category":"cat""#,
        r#"
{
  "name": "a",
  "category": "cat",
  "interface": {
    "category": "cat"
  }
}"#,
    );
}

#[test]
fn older_policies_count_as_members_of_the_plugin() {
    check(
        r#","installPolicy":"NOT_AVAILABLE""#,
        "{\n  \"installPolicy\": \"NOT_AVAILABLE\",\n  \"name\": \"a\"\n}",
    );
}

#[test]
fn a_mistyped_interface_leaves_room_for_the_additions() {
    for interface in ["5", "null", "[]"] {
        check(
            &format!(r#","interface":{interface},"displayName":"y""#),
            r#"
{
  "interface": {
    "displayName": "y"
  },
  "displayName": "y",
  "name": "a"
}"#,
        );
    }
}

#[test]
fn the_name_of_an_author_is_trimmed_and_nothing_else_is() {
    let developer = |members: &str| {
        let fallback = fallback(members).unwrap();
        let interface = fallback.manifest().interface.clone();
        interface.map(|interface| interface.developer_name.clone())
    };
    let ann = Some(Some("Ann".to_owned()));
    assert_eq!(developer(r#","author":{"name":" Ann\t"}"#), ann);
    assert_eq!(developer(r#","author":{"name":"\u00a0Ann\u3000"}"#), ann);
    for blank in ["", "  ", "\\t"] {
        let author = format!(r#","author":{{"name":"{blank}"}}"#);
        assert_eq!(developer(&author), None);
        let shown = format!(r#"{author},"displayName":" a ""#);
        assert_eq!(developer(&shown), Some(None));
    }
    let shown = fallback(r#","displayName":" a ","homepage":" h ""#).unwrap();
    let interface = shown.manifest().interface.clone().unwrap();
    assert_eq!(interface.display_name.as_deref(), Some(" a "));
    assert_eq!(interface.website_url.as_deref(), Some(" h "));
    let own = r#","author":{"name":"x"},"interface":{"developerName":" Own "}"#;
    assert_eq!(developer(own), Some(Some(" Own ".to_owned())));
}

#[test]
fn mistyped_sources_of_additions_add_nothing() {
    check(
        r#","displayName":5,"author":"x","homepage":[]"#,
        r#"
{
  "displayName": 5,
  "author": "x",
  "homepage": [],
  "name": "a"
}"#,
    );
}

#[test]
fn its_problems_stand_apart_with_their_places_in_the_catalogue() {
    let found = fallback(r#","version":5,"skills":"skills","keywords":["k",1]"#).unwrap();
    assert_eq!(
        rows(found.problems()),
        [
            "warning wrongType plugins[0].version 2:38",
            "warning wrongType plugins[0].keywords[1] 2:74",
            "warning badPath plugins[0].skills 2:49",
        ]
    );
    assert_eq!(found.manifest().version, None);
    assert_eq!(found.manifest().keywords, ["k"]);
}

#[test]
fn an_interface_with_a_name_that_is_no_unicode_is_left_out() {
    let found = fallback(r#","interface":{"\ud800":1,"logo":"./l"},"version":"1""#).unwrap();
    assert_eq!(
        found.json(),
        "{\n  \"version\": \"1\",\n  \"name\": \"a\"\n}"
    );
    assert_eq!(found.manifest().interface, None);
    let row = "warning syntax plugins[0].interface 2:40";
    assert_eq!(rows(found.problems()), [row]);
    check(
        r#","interface":{"\ud800":1},"category":"c""#,
        r#"
{
  "name": "a",
  "category": "c",
  "interface": {
    "category": "c"
  }
}"#,
    );
}

#[test]
fn a_string_that_is_no_unicode_is_left_out() {
    let found = fallback(r#","odd":"\ud800","version":"1""#).unwrap();
    assert_eq!(
        found.json(),
        "{\n  \"version\": \"1\",\n  \"name\": \"a\"\n}"
    );
    assert_eq!(
        rows(found.problems()),
        ["warning syntax plugins[0].odd 2:34"]
    );
}

#[test]
fn components_are_declared_by_the_entry() {
    let found = fallback(r#","skills":["./s"],"mcpServers":{"x":{}},"license":"MIT""#).unwrap();
    let manifest = found.manifest();
    assert_eq!(manifest.skills.as_ref().unwrap()[0].as_str(), "s");
    assert_eq!(
        manifest.mcp_servers,
        plugd_model::McpDeclaration::Inline(r#"{"x":{}}"#.to_owned())
    );
    assert_eq!(manifest.license.as_deref(), Some("MIT"));
    assert_eq!(found.problems(), []);
}

#[test]
fn a_member_that_occurs_twice_is_reported_once() {
    let json = r#"{"name":"a","source":"./a","interface":{"logo":"./a","logo":"./b"}}"#;
    let (manifest, problems) = entries(json);
    assert_eq!(problems, []);
    let fallback = manifest.entries[0].fallback.as_ref().unwrap();
    assert_eq!(
        rows(fallback.problems()),
        ["warning duplicate plugins[0].interface.logo 2:61"]
    );
    assert!(
        fallback.json().contains("\"logo\": \"./b\""),
        "{}",
        fallback.json()
    );
    assert!(!fallback.json().contains("./a"), "{}", fallback.json());
}
