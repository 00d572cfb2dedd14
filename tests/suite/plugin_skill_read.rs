//! Proves `plugin/skill/read`: the text of a skill, from the copy or from the source, and a precise
//! refusal of everything else.

use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::fixtures::{DEMO, DEMO_MANIFEST, install, refused, shown, start};

const METHOD: &str = "plugin/skill/read";
const TEXT: &str = "---\nname: greet\ndescription: Greets people\n---\nSay hello.\n";

#[test]
fn the_text_of_the_source_and_of_the_copy() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    let source = json!({
        "marketplacePath": DEMO_MANIFEST, "pluginName": "hello", "skillName": "hello:greet",
    });
    let answer = daemon.ok(METHOD, source);
    let path = "$ROOT/demo/plugins/hello/skills/greet/SKILL.md";
    assert_eq!(
        shown(&answer, &sandbox),
        json!({"contents": TEXT, "path": path})
    );
    install(&mut daemon, DEMO_MANIFEST, "hello");
    let copy = json!({"pluginId": "hello@demo", "skillName": "greet"});
    let answer = daemon.ok(METHOD, copy);
    let path = "$ROOT/ch/plugins/cache/demo/hello/1.0.0/skills/greet/SKILL.md";
    assert_eq!(
        shown(&answer, &sandbox),
        json!({"contents": TEXT, "path": path})
    );
    daemon.shut_down();
}

#[test]
fn a_remote_one_needs_a_login_in_the_words_of_the_reference() {
    let mut daemon = start(&Sandbox::new());
    let remote =
        |id: &str| json!({"remoteMarketplaceName": "x", "remotePluginId": id, "skillName": "s"});
    let error = daemon.err(METHOD, remote("plugins~Plugin_0"));
    assert_eq!(
        error["message"],
        "read remote plugin skill details: chatgpt authentication required for remote plugin catalog"
    );
    assert_eq!(
        (&error["code"], &error["data"]["kind"]),
        (&json!(-32600), &json!("notAllowed"))
    );
    let error = daemon.err(METHOD, remote("y!"));
    assert_eq!(
        error["message"],
        "invalid remote plugin id: only ASCII letters, digits, `_`, `-`, and `~` are allowed"
    );
    assert_eq!(error["data"]["kind"], "invalidInput");
    daemon.shut_down();
}

#[test]
fn what_is_not_there() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    let installed = |id: &str, skill: &str| json!({"pluginId": id, "skillName": skill});
    let offered = |plugin: &str, skill: &str| json!({"marketplacePath": DEMO_MANIFEST, "pluginName": plugin, "skillName": skill});
    for params in [
        installed("hello@demo", "greet"),
        offered("hello", "other"),
        offered("nobody", "greet"),
        offered("far", "greet"),
    ] {
        assert_eq!(
            refused(&mut daemon, METHOD, params.clone()),
            "-32600 notFound",
            "{params}"
        );
    }
    assert_eq!(
        refused(&mut daemon, METHOD, installed("hello", "greet")),
        "-32600 invalidInput"
    );
    install(&mut daemon, DEMO_MANIFEST, "hello");
    // A file that is no text is no skill either.
    sandbox.write(
        "ch/plugins/cache/demo/hello/1.0.0/skills/greet/SKILL.md",
        b"---\n\xff",
    );
    let params = installed("hello@demo", "greet");
    assert_eq!(refused(&mut daemon, METHOD, params), "-32600 notFound");
    daemon.shut_down();
}

#[test]
fn exactly_one_plugin_is_named() {
    let mut daemon = start(&Sandbox::new());
    for params in [
        json!({}),
        json!({"skillName": "s"}),
        json!({"pluginId": "a@b"}),
        json!({"pluginId": "a@b", "skillName": " "}),
        json!({"pluginId": 5, "skillName": "s"}),
        json!({"pluginName": "a", "skillName": "s"}),
        json!({"marketplacePath": "/m", "skillName": "s"}),
        json!({"marketplacePath": "m", "pluginName": "a", "skillName": "s"}),
        json!({"pluginId": "a@b", "marketplacePath": "/m", "pluginName": "a", "skillName": "s"}),
        json!({"remoteMarketplaceName": "x", "skillName": "s"}),
    ] {
        let answer = refused(&mut daemon, METHOD, params.clone());
        assert_eq!(answer, "-32602 invalidParams", "{params}");
    }
    daemon.shut_down();
}
