use std::io;

use plugd_model::PluginName;
use pretty_assertions::assert_eq;
use serde_json::json;

use super::{Failure, usage_json};
use crate::style::Style;

fn bad_name() -> Failure {
    Failure::BadName {
        given: "a\u{1b}b".to_owned(),
        source: PluginName::new("").unwrap_err(),
    }
}

fn required() -> Failure {
    Failure::MarketplaceRequired {
        plugin: "hello".to_owned(),
    }
}

#[test]
fn a_suggestion_stands_in_the_place_of_the_hint() {
    let suggested = || Failure::Suggested {
        failure: Box::new(required()),
        hint: "did you mean `hello@demo`?".to_owned(),
    };
    let text = suggested().text(Style::PLAIN);
    assert!(
        text.ends_with("marketplace>\nhint: did you mean `hello@demo`?\n"),
        "{text}"
    );
    assert_eq!(text.matches("hint:").count(), 1, "{text}");
    let json = suggested().json();
    assert_eq!(json["error"]["data"]["hint"], "did you mean `hello@demo`?");
    assert_eq!(suggested().exit_code(), 1);
}

#[test]
fn the_text_has_all_causes_on_one_line() {
    let reason = PluginName::new("").unwrap_err();
    let expected = format!("error: `a\\u{{1b}}b` names no plugin: {reason}\n");
    assert_eq!(bad_name().text(Style::PLAIN), expected);
    let failure = Failure::Start(io::Error::other("no\nroom"));
    assert_eq!(
        failure.text(Style::COLOURED),
        "\u{1b}[31merror:\u{1b}[0m the work cannot be started: no\\nroom\n"
    );
}

#[test]
fn what_was_typed_is_quoted_and_no_member_stands_before_it() {
    let error = &required().json()["error"];
    let message = "plugin requires --marketplace unless passed as <plugin>@<marketplace>";
    assert_eq!(error["message"], message);
    assert_eq!(error["data"]["field"], "marketplace");
    let unknown = || Failure::NoCommand {
        words: "plugd plugin nope".to_owned(),
    };
    assert_eq!(unknown().exit_code(), 2);
    let text = "error: `plugd plugin nope` is no command\nhint: `plugd help` shows the commands\n";
    assert_eq!(unknown().text(Style::PLAIN), text);
    let skill = Failure::NoSuchSkill {
        skill: "a:b".to_owned(),
        hint: "did you mean `a:c`?".to_owned(),
    };
    let error = &skill.json()["error"];
    assert_eq!(error["data"]["kind"], "notFound");
    assert_eq!(error["data"]["hint"], "did you mean `a:c`?");
}

#[test]
fn a_hint_follows_on_its_own_line() {
    assert_eq!(
        required().text(Style::PLAIN),
        "error: plugin requires --marketplace unless passed as <plugin>@<marketplace>\n\
         hint: `plugd plugin list` shows every plugin with its marketplace\n"
    );
}

#[track_caller]
fn check_json(failure: Failure, message: &str, code: i64, kind: &str) {
    let error = &failure.json()["error"];
    assert_eq!(error["message"], json!(message));
    assert_eq!(error["code"], json!(code));
    assert_eq!(error["data"]["kind"], json!(kind));
}

#[test]
fn json_is_that_of_the_wire() {
    let failure = Failure::from(plugd_plugins::Error::NotConfigured {
        name: "demo".to_owned(),
        other_case: None,
    });
    check_json(
        failure,
        "marketplace `demo` is not configured or installed",
        -32600,
        "notFound",
    );
    check_json(
        required(),
        "plugin requires --marketplace unless passed as <plugin>@<marketplace>",
        -32600,
        "invalidInput",
    );
    let full = Failure::Start(io::Error::other("no room"));
    check_json(full, "internal error", -32603, "internal");
    let usage = &usage_json("unexpected `x`", None)["error"];
    assert_eq!(usage["message"], json!("arguments: unexpected `x`"));
}
