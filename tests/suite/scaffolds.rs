//! Proves `plugd new`: what it writes is valid to the strictest eye, works with the commands that it
//! names, and never takes the place of anything.

use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{cli, plugin_in, shown, start};

/// What a command says, which succeeds.
#[track_caller]
fn said(sandbox: &Sandbox, args: &[&str]) -> Value {
    let mut args = args.to_vec();
    args.push("--json");
    let output = cli(sandbox, &args);
    assert_eq!(output.code(), 0, "{args:?}: {}", output.stderr);
    shown(&output.json(), sandbox)
}

/// Runs the commands that the answer names, which all succeed.
#[track_caller]
fn follow(sandbox: &Sandbox, made: &Value) {
    for line in made["next"].as_array().unwrap() {
        let line = sandbox.expand(line.as_str().unwrap());
        let words: Vec<&str> = line.split(' ').skip(1).collect();
        let output = cli(sandbox, &words);
        assert_eq!(output.code(), 0, "{line}: {}", output.stderr);
        assert_eq!(output.stderr, "", "{line}");
    }
}

/// The problems of what was begun.
#[track_caller]
fn check_valid(sandbox: &Sandbox, path: &str) {
    let path = sandbox.expand(path);
    let found = said(sandbox, &["validate", &path, "--strict"]);
    for subject in found["subjects"].as_array().unwrap() {
        assert_eq!(subject["problems"], json!([]), "{found:#}");
    }
}

#[test]
fn a_plugin_and_a_skill_of_it() {
    let sandbox = Sandbox::from("== a b/\n");
    let dir = sandbox.path("plugins").to_text();
    let made = said(&sandbox, &["new", "plugin", "my-plugin", "--dir", &dir]);
    assert_eq!(
        made,
        json!({"kind": "plugin", "name": "my-plugin", "path": "$ROOT/plugins/my-plugin",
            "files": [".codex-plugin/plugin.json", "skills/my-plugin/SKILL.md"],
            "next": ["plugd validate $ROOT/plugins/my-plugin",
                "plugd link $ROOT/plugins/my-plugin"]})
    );
    check_valid(&sandbox, "$ROOT/plugins/my-plugin");
    let plugin = sandbox.path("plugins/my-plugin").to_text();
    let skill = said(&sandbox, &["new", "skill", "second", "--dir", &plugin]);
    assert_eq!(skill["path"], "$ROOT/plugins/my-plugin/skills/second");
    check_valid(&sandbox, "$ROOT/plugins/my-plugin");
    follow(&sandbox, &made);
    follow(&sandbox, &skill);
    let mut daemon = start(&sandbox);
    let skills = daemon.ok("skills/list", json!({}));
    let skills = skills["data"][0]["skills"].as_array().unwrap().iter();
    let names: Vec<_> = skills.map(|skill| skill["name"].clone()).collect();
    assert_eq!(names, ["my-plugin:my-plugin", "my-plugin:second"]);
    daemon.shut_down();
    // A place that a shell would take apart is quoted.
    let dir = sandbox.path("a b").to_text();
    let made = said(&sandbox, &["new", "plugin", "p", "--dir", &dir]);
    assert_eq!(made["next"][0], "plugd validate '$ROOT/a b/p'");
}

#[test]
fn a_marketplace() {
    let sandbox = Sandbox::new();
    let made = said(&sandbox, &["new", "marketplace", "my-market"]);
    let place = made["path"].as_str().unwrap().to_owned();
    check_valid(&sandbox, &place);
    follow(&sandbox, &made);
    let mut daemon = start(&sandbox);
    let listing = daemon.ok("plugin/list", json!({}));
    assert_eq!(listing["marketplaceLoadErrors"], json!([]));
    let row = plugin_in(&listing, "hello@my-market");
    assert_eq!(
        (&row["localVersion"], &row["problems"]),
        (&json!("0.1.0"), &json!([]))
    );
    let params = json!({"pluginName": "hello",
        "marketplacePath": format!("{place}/.agents/plugins/marketplace.json")});
    daemon.ok("plugin/install", params);
    daemon.shut_down();
}

#[test]
fn nothing_is_overwritten() {
    let sandbox = Sandbox::from("== x/there/notes.md\nmine\n== x/file\nmine\n== x/link -> gone\n");
    let dir = sandbox.path("x").to_text();
    let before = sandbox.tree("x");
    for kind in ["plugin", "marketplace"] {
        for name in ["there", "file", "link"] {
            let output = cli(&sandbox, &["new", kind, name, "--dir", &dir, "--json"]);
            assert_eq!(output.code(), 1, "{kind} {name}");
            assert_eq!(output.json()["error"]["data"]["kind"], "conflict");
        }
    }
    for (args, kind) in [
        (["new", "plugin", "Bad Name"], "invalidInput"),
        (["new", "marketplace", "openai-curated"], "invalidInput"),
        (["new", "skill", "no-plugin-here"], "invalidInput"),
    ] {
        let mut args = args.to_vec();
        args.extend(["--dir", &dir, "--json"]);
        let output = cli(&sandbox, &args);
        assert_eq!(output.code(), 1, "{args:?}");
        assert_eq!(output.json()["error"]["data"]["kind"], kind, "{args:?}");
    }
    assert_eq!(sandbox.tree("x"), before);
}
