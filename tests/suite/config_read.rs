//! Proves `config/read`: the layers with their versions, what wins, where each value comes from,
//! and that a broken layer is told and spoils nothing else.

use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{DEMO, check, launch, refused, shown, start};

/// The version of an empty layer, which clients of the reference know.
const EMPTY: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
/// The version of `model = "m"`.
const MODEL: &str = "sha256:548f58d1c36c715b44f0863472074a97c448d5b8d18164b92adf55592b127f86";

fn user(version: &str) -> Value {
    json!({
        "name": {"type": "user", "file": "$ROOT/ch/config.toml", "profile": null},
        "version": version,
    })
}

fn system() -> Value {
    json!({
        "name": {"type": "system", "file": "/etc/codex/config.toml"},
        "version": EMPTY, "config": {},
    })
}

#[test]
fn the_whole_answer() {
    let sandbox = Sandbox::from("== ch/config.toml\n# mine\nmodel = \"m\" # really\n");
    let mut daemon = start(&sandbox);
    let mut answer = daemon.ok("config/read", json!({"includeLayers": true}));
    assert_eq!(answer["config"]["model"], "m");
    answer["config"].take();
    let mut layer = user(MODEL);
    layer["config"] = json!({"model": "m"});
    let expected = json!({
        "config": null,
        "origins": {"model": user(MODEL)},
        "layers": [layer, system()],
    });
    check(&answer, &sandbox, &expected);
    for params in [
        json!({}),
        json!({"includeLayers": false}),
        json!({"includeLayers": null, "cwd": null}),
    ] {
        let answer = daemon.ok("config/read", params);
        let members: Vec<&String> = answer.as_object().unwrap().keys().collect();
        assert_eq!(members, ["config", "origins"]);
    }
    daemon.shut_down();
}

#[test]
fn an_absent_file_is_an_empty_layer() {
    let sandbox = Sandbox::new();
    let mut daemon = start(&sandbox);
    let answer = daemon.ok("config/read", json!({"includeLayers": true}));
    let mut layer = user(EMPTY);
    layer["config"] = json!({});
    assert_eq!(shown(&answer["layers"], &sandbox), json!([layer, system()]));
    assert_eq!(answer["origins"], json!({}));
    daemon.shut_down();
}

#[test]
fn the_tables_that_this_is_about() {
    let sandbox = Sandbox::from(DEMO);
    let rows = "[plugins.\"hello@demo\"]\nenabled = false\n[features]\nhooks = false\n";
    let whole = format!("{}{rows}", sandbox.text("ch/config.toml"));
    sandbox.write("ch/config.toml", sandbox.expand(&whole));
    let mut daemon = start(&sandbox);
    let answer = daemon.ok("config/read", json!({}));
    let config = shown(&answer["config"], &sandbox);
    assert_eq!(config["plugins"], json!({"hello@demo": {"enabled": false}}));
    assert_eq!(config["features"]["hooks"], false);
    let demo = json!({"demo": {
        "source_type": "local", "source": "$ROOT/demo", "ref": null, "sparse_paths": null,
        "last_updated": null, "last_revision": null,
    }});
    assert_eq!(config["marketplaces"], demo);
    let origins: Vec<&String> = answer["origins"].as_object().unwrap().keys().collect();
    assert_eq!(
        origins,
        [
            "features.hooks",
            "marketplaces.demo.source",
            "marketplaces.demo.source_type",
            "plugins.hello@demo.enabled",
        ]
    );
    daemon.shut_down();
}

#[test]
fn the_higher_layer_wins_and_only_a_trusted_project_counts() {
    let sandbox = Sandbox::from(
        "== repo/.git/HEAD\nref\n== repo/.codex/config.toml\nmodel = \"p\"\n[t]\na = 1\n\
         == repo/sub/.codex/config.toml\nmodel = \"s\"\n",
    );
    let user = format!(
        "model = \"u\"\n[t]\na = 0\nb = [1]\n[projects.\"{}\"]\ntrust_level = \"trusted\"\n",
        sandbox.path("repo")
    );
    sandbox.write("ch/config.toml", &user);
    let launch = launch().args(&["-c", "t.c=\"flag\"", "-c", "t.b=[2, 3]"]);
    let mut daemon = launch.start(&sandbox);
    daemon.initialize();
    let mut read =
        |cwd: Value| daemon.ok("config/read", json!({"cwd": cwd, "includeLayers": true}));
    let config = |answer: &Value| {
        (
            answer["config"]["model"].clone(),
            answer["config"]["t"].clone(),
        )
    };
    let deep = read(json!("$ROOT/repo/sub"));
    assert_eq!(
        config(&deep),
        (json!("s"), json!({"a": 1, "b": [2, 3], "c": "flag"}))
    );
    let kinds: Vec<&Value> = deep["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| &l["name"]["type"])
        .collect();
    assert_eq!(
        kinds,
        ["sessionFlags", "project", "project", "user", "system"]
    );
    assert_eq!(deep["origins"]["t.a"]["name"]["type"], "project");
    assert_eq!(
        deep["origins"]["model"]["name"]["dotCodexFolder"],
        sandbox.path("repo/sub/.codex").to_text()
    );
    assert_eq!(
        deep["origins"]["t.c"]["name"],
        json!({"type": "sessionFlags"})
    );
    assert_eq!(config(&read(json!("$ROOT/repo"))).0, "p");
    assert_eq!(config(&read(json!(null))).0, "u");
    sandbox.write("ch/config.toml", user.replace("trusted", "untrusted"));
    let untrusted = read(json!("$ROOT/repo"));
    assert_eq!(config(&untrusted).0, "u");
    let layers = untrusted["layers"].as_array().unwrap();
    for layer in layers
        .iter()
        .filter(|layer| layer["name"]["type"] == "project")
    {
        assert!(layer["disabledReason"].is_string(), "{layer:#}");
    }
    daemon.shut_down();
}

#[test]
fn a_project_has_a_layer_as_soon_as_it_has_the_directory() {
    let sandbox = Sandbox::from("== repo/.git/HEAD\nref\n== repo/.codex/hooks.json\n{}\n");
    let mut daemon = start(&sandbox);
    for (level, is_off) in [("trusted", false), ("untrusted", true)] {
        let path = sandbox.path("repo");
        let config = format!("[projects.\"{path}\"]\ntrust_level = \"{level}\"\n");
        sandbox.write("ch/config.toml", config);
        let params = json!({"cwd": "$ROOT/repo", "includeLayers": true});
        let answer = daemon.ok("config/read", params);
        let layers = answer["layers"].as_array().unwrap();
        let kinds: Vec<&Value> = layers.iter().map(|layer| &layer["name"]["type"]).collect();
        assert_eq!(kinds, ["project", "user", "system"], "{level}");
        assert_eq!(layers[0]["config"], json!({}), "{level}");
        assert_eq!(layers[0]["version"], EMPTY, "{level}");
        assert_eq!(layers[0]["disabledReason"].is_string(), is_off, "{level}");
    }
    daemon.shut_down();
}

#[test]
fn own_settings_stand_below_plugd() {
    let sandbox =
        Sandbox::from("== ch/plugd.toml\nkeep_versions = 5\n== ch/config.toml\nmodel = \"m\"\n");
    let mut daemon = launch()
        .args(&["-c", "plugd.curated_sync=false"])
        .start(&sandbox);
    daemon.initialize();
    let answer = daemon.ok("config/read", json!({}));
    assert_eq!(answer["config"]["plugd"]["keep_versions"], 5);
    assert_eq!(answer["config"]["plugd"]["curated_sync"], false);
    daemon.shut_down();
}

#[test]
fn a_broken_file_means_defaults_until_it_is_mended() {
    let sandbox = Sandbox::from("== ch/config.toml\nmodel = \n");
    let mut daemon = start(&sandbox);
    assert_eq!(daemon.ok("config/read", json!({}))["origins"], json!({}));
    sandbox.write("ch/config.toml", "model = \"m\"\n");
    assert_eq!(daemon.ok("config/read", json!({}))["config"]["model"], "m");
    daemon.shut_down();
}

#[test]
fn malformed_params() {
    let mut daemon = start(&Sandbox::new());
    for params in [
        json!({"includeLayers": "yes"}),
        json!({"cwd": 5}),
        json!({"cwd": "relative"}),
    ] {
        let got = refused(&mut daemon, "config/read", params.clone());
        assert_eq!(got, "-32602 invalidParams", "{params}");
    }
    daemon.shut_down();
}

#[test]
fn it_never_sees_half_a_write() {
    let sandbox = Sandbox::from("== ch/config.toml\n[t]\na = 0\nb = 0\n");
    let mut daemon = start(&sandbox);
    for number in 1..30 {
        let edit = |key: &str| json!({"keyPath": key, "value": number, "mergeStrategy": "replace"});
        let write = json!({"edits": [edit("t.a"), edit("t.b")]});
        let asked = daemon.request("config/batchWrite", write);
        let table = daemon.ok("config/read", json!({}))["config"]["t"].take();
        assert_eq!(table["a"], table["b"]);
        daemon.response(asked);
        let table = daemon.ok("config/read", json!({}))["config"]["t"].take();
        assert_eq!(table, json!({"a": number, "b": number}));
    }
    daemon.shut_down();
}
