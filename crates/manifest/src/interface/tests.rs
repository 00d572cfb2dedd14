//! The interface: every member, its limits, and what spoils it.

use plugd_model::{AbsPath, Interface, ManifestFormat, PluginPath};
use pretty_assertions::assert_eq;

use crate::parse_plugin;
use crate::testing::rows;

fn read(interface: &str) -> (Option<Interface>, Vec<String>) {
    let json = format!("{{\"name\":\"a\",\"interface\":{interface}}}");
    let file = AbsPath::new("/p/.codex-plugin/plugin.json").unwrap();
    let (manifest, problems) =
        parse_plugin(json.as_bytes(), ManifestFormat::Codex, "dir", &file).unwrap();
    (manifest.interface.as_deref().cloned(), rows(&problems))
}

#[track_caller]
fn check(interface: &str, expected: Option<Interface>, problems: &[&str]) {
    assert_eq!(
        read(interface),
        (expected, problems.iter().map(|p| (*p).to_owned()).collect())
    );
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn path(text: &str) -> Option<PluginPath> {
    Some(PluginPath::parse(text).unwrap())
}

#[test]
fn every_member() {
    check(
        r##"{"displayName":"a","shortDescription":"b","longDescription":"c","developerName":"d",
        "category":"e","capabilities":["f"],"websiteUrl":"g","privacyPolicyUrl":"h",
        "termsOfServiceUrl":"i","defaultPrompt":"j","brandColor":"#000","composerIcon":"./k",
        "logo":"./l","logoDark":"./m","screenshots":["./n"]}"##,
        Some(Interface {
            display_name: text("a"),
            short_description: text("b"),
            long_description: text("c"),
            developer_name: text("d"),
            category: text("e"),
            capabilities: vec!["f".to_owned()],
            website_url: text("g"),
            privacy_policy_url: text("h"),
            terms_of_service_url: text("i"),
            default_prompt: Some(vec!["j".to_owned()]),
            brand_color: text("#000"),
            composer_icon: path("./k"),
            logo: path("./l"),
            logo_dark: path("./m"),
            screenshots: vec![PluginPath::parse("./n").unwrap()],
        }),
        &[],
    );
}

#[test]
fn the_other_spelling_of_urls() {
    check(
        r#"{"websiteURL":"g","privacyPolicyURL":"h","termsOfServiceURL":"not a url"}"#,
        Some(Interface {
            website_url: text("g"),
            privacy_policy_url: text("h"),
            terms_of_service_url: text("not a url"),
            ..Interface::default()
        }),
        &[],
    );
    check(
        r#"{"websiteURL":"b","websiteUrl":"a"}"#,
        Some(Interface {
            website_url: text("a"),
            ..Interface::default()
        }),
        &["warning duplicate interface.websiteURL 1:39"],
    );
}

#[test]
fn an_interface_in_which_nothing_survives_is_none() {
    check("{}", None, &[]);
    check("null", None, &[]);
    check(
        r#"{"displayName":null,"capabilities":null,"screenshots":null}"#,
        None,
        &[],
    );
    check(r#"{"capabilities":[],"screenshots":[]}"#, None, &[]);
    check(r#"{"x":1}"#, None, &[]);
    check(
        r#"{"logo":"b"}"#,
        None,
        &["warning badPath interface.logo 1:33"],
    );
    check("5", None, &["warning wrongType interface 1:25"]);
    check("[]", None, &["warning wrongType interface 1:25"]);
}

#[test]
fn an_empty_string_survives() {
    let expected = Interface {
        display_name: text(""),
        ..Interface::default()
    };
    check(r#"{"displayName":""}"#, Some(expected), &[]);
}

#[test]
fn a_wrong_type_spoils_one_member() {
    for (member, kind) in [
        (
            r#""shortDescription":5"#,
            "wrongType interface.shortDescription 1:63",
        ),
        (r#""brandColor":[]"#, "wrongType interface.brandColor 1:57"),
        (r#""logo":5"#, "wrongType interface.logo 1:51"),
        (
            r#""capabilities":"x""#,
            "wrongType interface.capabilities 1:59",
        ),
        (
            r#""capabilities":[1]"#,
            "wrongType interface.capabilities[0] 1:60",
        ),
        (
            r#""screenshots":"./x""#,
            "wrongType interface.screenshots 1:58",
        ),
        (
            r#""screenshots":["x"]"#,
            "badPath interface.screenshots[0] 1:59",
        ),
        (
            r#""defaultPrompt":5"#,
            "wrongType interface.defaultPrompt 1:60",
        ),
        (r#""websiteUrl":5"#, "wrongType interface.websiteUrl 1:57"),
    ] {
        check(
            &format!(r#"{{"displayName":"a",{member}}}"#),
            Some(Interface {
                display_name: text("a"),
                ..Interface::default()
            }),
            &[&format!("warning {kind}")],
        );
    }
}

#[track_caller]
fn check_prompts(json: &str, expected: Option<&[&str]>, problems: &[&str]) {
    let (interface, found) = read(&format!("{{\"defaultPrompt\":{json}}}"));
    let prompts = interface.and_then(|interface| interface.default_prompt);
    let expected = expected.map(|texts| texts.iter().map(|t| (*t).to_owned()).collect());
    assert_eq!(prompts, expected, "{json}");
    assert_eq!(found, problems, "{json}");
}

#[test]
fn prompts() {
    check_prompts("\"a\"", Some(&["a"]), &[]);
    check_prompts(r#"" a \n\t b ""#, Some(&["a b"]), &[]);
    check_prompts(r#"["a","b"]"#, Some(&["a", "b"]), &[]);
    check_prompts("null", None, &[]);
    check_prompts("[]", None, &[]);
    check_prompts(
        "\"  \"",
        None,
        &["warning badValue interface.defaultPrompt 1:42"],
    );
    check_prompts(
        "5",
        None,
        &["warning wrongType interface.defaultPrompt 1:42"],
    );
    check_prompts(
        "{}",
        None,
        &["warning wrongType interface.defaultPrompt 1:42"],
    );
    check_prompts(
        r#"[5,"b",null]"#,
        Some(&["b"]),
        &[
            "warning wrongType interface.defaultPrompt[0] 1:43",
            "warning wrongType interface.defaultPrompt[2] 1:49",
        ],
    );
}

#[test]
fn three_prompts_are_kept_and_dropped_ones_do_not_count() {
    check_prompts(
        r#"["x","  ","y","z","w","v"]"#,
        Some(&["x", "y", "z"]),
        &[
            "warning badValue interface.defaultPrompt[1] 1:47",
            "warning tooLarge interface.defaultPrompt[4] 1:60",
        ],
    );
}

#[test]
fn a_prompt_has_at_most_512_characters() {
    let fits = "é".repeat(512);
    check_prompts(&format!("\"  {fits}  \""), Some(&[&fits]), &[]);
    check_prompts(
        &format!("[\"{fits}x\",\"a\"]"),
        Some(&["a"]),
        &["warning tooLarge interface.defaultPrompt[0] 1:43"],
    );
}

#[test]
fn a_misspelt_member_is_named() {
    let (_, problems) =
        read(r#"{"display_name":"a","DisplayName":"b","composer-icon":"./c","shortdesc":"x"}"#);
    assert_eq!(
        problems,
        [
            "warning unknownField interface.display_name 1:41",
            "warning unknownField interface.DisplayName 1:59",
            "warning unknownField interface.composer-icon 1:79",
        ]
    );
}
