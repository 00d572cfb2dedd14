//! Proves `config/value/write` and `config/batchWrite`: only the bytes of the edited keys change,
//! all edits are made or none, and a stale or impossible write says precisely why.

use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{check, launch, start, text};

/// The version of `model = "m"` and of `model = "n"`.
const M: &str = "sha256:548f58d1c36c715b44f0863472074a97c448d5b8d18164b92adf55592b127f86";
const N: &str = "sha256:a16f4175588f756163f47cebb6183623fc783b8510cc632a1b50b9fa08e567b7";

fn set(key: &str, value: Value) -> Value {
    json!({"keyPath": key, "value": value, "mergeStrategy": "replace"})
}

/// Writes one key into a file and expects the file to read like this, with nothing else changed.
#[track_caller]
fn check_edit(before: &str, edit: Value, after: &str) {
    let sandbox = Sandbox::new();
    sandbox.write("ch/config.toml", before);
    let mut daemon = start(&sandbox);
    daemon.ok("config/value/write", edit.clone());
    let written = String::from_utf8(sandbox.bytes("ch/config.toml")).unwrap();
    assert_eq!(written, after, "{edit}");
    daemon.shut_down();
}

#[test]
fn the_whole_answer() {
    let sandbox = Sandbox::from("== ch/config.toml\nmodel = \"m\" # mine\n");
    let mut daemon = start(&sandbox);
    let expected = |version: &str| {
        json!({
            "status": "ok", "version": version, "filePath": "$ROOT/ch/config.toml",
            "overriddenMetadata": null,
        })
    };
    check(
        &daemon.ok("config/value/write", set("model", json!("n"))),
        &sandbox,
        &expected(N),
    );
    assert_eq!(sandbox.text("ch/config.toml"), "model = \"n\" # mine\n");
    // The old value gives the old version again, and the old bytes.
    let edits = json!({"edits": [set("model", json!("m"))], "expectedVersion": N,
        "filePath": "$ROOT/ch/config.toml", "reloadUserConfig": true});
    check(
        &daemon.ok("config/batchWrite", edits),
        &sandbox,
        &expected(M),
    );
    assert_eq!(sandbox.text("ch/config.toml"), "model = \"m\" # mine\n");
    check(
        &daemon.ok("config/batchWrite", json!({"edits": []})),
        &sandbox,
        &expected(M),
    );
    daemon.shut_down();
}

#[test]
fn a_file_is_made_where_there_is_none() {
    let sandbox = Sandbox::new();
    let mut daemon = start(&sandbox);
    daemon.ok(
        "config/value/write",
        set("plugins.\"a.b@m\".enabled", json!(true)),
    );
    assert_eq!(
        sandbox.text("ch/config.toml"),
        "[plugins.\"a.b@m\"]\nenabled = true\n"
    );
    daemon.shut_down();
}

#[test]
fn only_the_bytes_of_the_key_change() {
    check_edit(
        "\u{feff}# top\r\n\r\n[t] # t\r\na   =  1 # one\r\n# end\r\n",
        set("t.a", json!(2)),
        "\u{feff}# top\r\n\r\n[t] # t\r\na   =  2 # one\r\n# end\r\n",
    );
    check_edit(
        "plugins = { \"p@m\" = { enabled = true }, x = 1 } # inline\n",
        set("plugins.\"p@m\".enabled", json!(false)),
        "plugins = { \"p@m\" = { enabled = false }, x = 1 } # inline\n",
    );
    check_edit(
        "a.b.c = 1\na.b.d = 2\n",
        set("a.b.d", json!("x")),
        "a.b.c = 1\na.b.d = \"x\"\n",
    );
    check_edit("x = 1", set("x", json!(1.5)), "x = 1.5");
    check_edit(
        "[t]\na = 1\n\n# about u\n[u]\nb = 2\n",
        set("t.a", Value::Null),
        "[t]\n\n# about u\n[u]\nb = 2\n",
    );
    check_edit(
        "[plugins.\"p@m\"]\nenabled = true\n",
        set("plugins.p@m.enabled", json!(false)),
        "[plugins.\"p@m\"]\nenabled = false\n",
    );
    check_edit(
        "x = [\n  1, # one\n]\ny = 2\n",
        set("y", json!(3)),
        "x = [\n  1, # one\n]\ny = 3\n",
    );
}

#[test]
fn upsert_merges_and_replace_replaces() {
    for (strategy, expected) in [
        ("upsert", json!({"a": 1, "b": 3, "c": {"d": 4}})),
        ("replace", json!({"b": 3, "c": {"d": 4}})),
    ] {
        let sandbox = Sandbox::from("== ch/config.toml\n[t]\na = 1\nb = 2\n");
        let mut daemon = start(&sandbox);
        let value = json!({"b": 3, "c": {"d": 4}});
        let edit = json!({"keyPath": "t", "value": value, "mergeStrategy": strategy});
        daemon.ok("config/value/write", edit);
        let config = daemon.ok("config/read", json!({}));
        assert_eq!(config["config"]["t"], expected, "{strategy}");
        daemon.shut_down();
    }
}

#[test]
fn an_edit_and_its_undoing_give_the_old_file() {
    let files = [
        "",
        "# only a comment",
        "[a]\nb = 1\n\n\n# trailing\n",
        "a = 1\r\n\r\n[b]\r\n",
        "plugins = {}\n",
        "[[skills.config]]\nname = \"x\"\n",
    ];
    for before in files {
        let sandbox = Sandbox::new();
        sandbox.write("ch/config.toml", before);
        let mut daemon = start(&sandbox);
        for key in ["new", "plugins.\"p@m\".enabled", "deep.er.key"] {
            daemon.ok("config/value/write", set(key, json!(true)));
            assert_ne!(
                sandbox.bytes("ch/config.toml"),
                before.as_bytes(),
                "{before:?} {key}"
            );
            let top = if key.starts_with("plugins") {
                "plugins.\"p@m\""
            } else {
                key.split('.').next().unwrap()
            };
            daemon.ok("config/value/write", set(top, Value::Null));
            let after = String::from_utf8(sandbox.bytes("ch/config.toml")).unwrap();
            assert_eq!(after, before, "{key}");
        }
        daemon.shut_down();
    }
}

#[cfg(unix)]
#[test]
fn links_and_modes_survive() {
    let sandbox =
        Sandbox::from("== real/my.toml (mode 640)\nx = 1\n== ch/config.toml -> ../real/my.toml\n");
    let mut daemon = start(&sandbox);
    daemon.ok("config/value/write", set("x", json!(2)));
    assert_eq!(sandbox.text("real/my.toml"), "x = 2\n");
    assert_eq!(sandbox.mode("real/my.toml"), 0o640);
    assert!(
        sandbox
            .tree("ch")
            .contains("== config.toml -> ../real/my.toml\n"),
        "{}",
        sandbox.tree("ch")
    );
    daemon.shut_down();
}

#[test]
fn a_batch_is_made_as_a_whole_or_not_at_all() {
    let sandbox = Sandbox::from("== ch/config.toml\nx = 1\n");
    let mut daemon = start(&sandbox);
    let edits = |second: Value| json!({"edits": [set("x", json!(2)), second]});
    for second in [
        set("features.plugins", json!("yes")),
        set("", json!(1)),
        set("plugins.\"p@m\"", json!(5)),
        set("marketplaces.m.source_type", json!("ftp")),
    ] {
        let error = daemon.err("config/batchWrite", edits(second.clone()));
        assert_eq!(error["code"], -32600, "{second}");
        assert_eq!(error["data"]["kind"], "invalidInput", "{second}");
        assert_eq!(
            error["data"]["config_write_error_code"], "configValidationError",
            "{second}"
        );
        assert_eq!(sandbox.text("ch/config.toml"), "x = 1\n", "{second}");
    }
    daemon.ok("config/batchWrite", edits(set("y.z", json!(3))));
    assert_eq!(sandbox.text("ch/config.toml"), "x = 2\n\n[y]\nz = 3\n");
    daemon.shut_down();
}

#[test]
fn refusals_change_nothing() {
    let sandbox = Sandbox::from("== ch/config.toml\nmodel = \"m\"\n");
    let mut daemon = start(&sandbox);
    let more = |members: Value| crate::fixtures::with(set("model", json!("n")), members);
    for (params, kind, code) in [
        (
            more(json!({"expectedVersion": N})),
            "conflict",
            "configVersionConflict",
        ),
        (
            more(json!({"filePath": "/etc/codex/config.toml"})),
            "notAllowed",
            "configLayerReadonly",
        ),
        (
            more(json!({"filePath": "$ROOT/other.toml"})),
            "notAllowed",
            "configLayerReadonly",
        ),
        (
            more(json!({"filePath": "config.toml"})),
            "notAllowed",
            "configLayerReadonly",
        ),
        (
            set("skills.\"\".x", json!(1)),
            "invalidInput",
            "configValidationError",
        ),
        (
            set("mcp_servers.docs.enabled", json!(false)),
            "invalidInput",
            "configValidationError",
        ),
        (
            set("profiles.x.model", json!("m")),
            "invalidInput",
            "configValidationError",
        ),
    ] {
        let error = daemon.err("config/value/write", params.clone());
        assert_eq!(error["code"], -32600, "{params}");
        assert_eq!(error["data"]["kind"], kind, "{params}");
        assert_eq!(error["data"]["config_write_error_code"], code, "{params}");
    }
    for params in [
        json!({}),
        json!({"keyPath": "model", "mergeStrategy": "replace"}),
        json!({"keyPath": 5, "value": 1, "mergeStrategy": "replace"}),
        more(json!({"mergeStrategy": "append"})),
        more(json!({"expectedVersion": 5})),
    ] {
        let error = daemon.err("config/value/write", params.clone());
        assert_eq!(error["code"], -32602, "{params}");
    }
    assert_eq!(sandbox.text("ch/config.toml"), "model = \"m\"\n");
    assert!(!sandbox.exists("other.toml"));
    daemon.shut_down();
}

#[test]
fn a_broken_file_refuses_with_its_place() {
    let broken = "model = \"m\"\n\n[t]\nx = = 1\n";
    let sandbox = Sandbox::new();
    sandbox.write("ch/config.toml", broken);
    let mut daemon = start(&sandbox);
    let error = daemon.err("config/value/write", set("model", json!("n")));
    assert_eq!(error["code"], -32600);
    let data = &error["data"];
    assert_eq!(data["path"], sandbox.path("ch/config.toml").to_text());
    assert_eq!(
        (&data["line"], &data["column"]),
        (&json!(4), &json!(5)),
        "{error:#}"
    );
    assert_eq!(sandbox.text("ch/config.toml"), broken);
    sandbox.write("ch/config.toml", broken.replace("= =", "="));
    daemon.ok("config/value/write", set("model", json!("n")));
    daemon.shut_down();
}

#[test]
fn what_a_higher_layer_decides_is_written_and_told() {
    let sandbox = Sandbox::new();
    let mut daemon = launch().args(&["-c", "model=flag"]).start(&sandbox);
    daemon.initialize();
    let answer = daemon.ok("config/value/write", set("model", json!("mine")));
    assert_eq!(answer["status"], "okOverridden");
    let why = &answer["overriddenMetadata"];
    assert_eq!(why["effectiveValue"], "flag");
    assert_eq!(
        why["overridingLayer"]["name"],
        json!({"type": "sessionFlags"})
    );
    assert!(!text(&why["message"]).is_empty());
    assert_eq!(sandbox.text("ch/config.toml"), "model = \"mine\"\n");
    // A layer that says the same decides nothing.
    for (method, params) in [
        ("config/value/write", set("model", json!("flag"))),
        (
            "config/batchWrite",
            json!({"edits": [set("model", json!("flag"))]}),
        ),
    ] {
        let answer = daemon.ok(method, params);
        assert_eq!(answer["status"], "ok", "{method}");
        assert_eq!(answer["overriddenMetadata"], json!(null), "{method}");
    }
    daemon.shut_down();
}

#[test]
fn only_double_quotes_hold_a_key_together() {
    check_edit("", set("d.'q.r'.s", json!(1)), "[d.\"'q\".\"r'\"]\ns = 1\n");
    check_edit("", set("d. a .b", json!(1)), "[d.\" a \"]\nb = 1\n");
    check_edit("", set("d.\"q.r\".s", json!(1)), "[d.\"q.r\"]\ns = 1\n");
}

#[test]
fn own_keys_go_to_their_own_file() {
    let sandbox = Sandbox::from(
        "== ch/config.toml\nmodel = \"m\"\n== ch/plugd.toml\n# mine\nkeep_versions = 3\n",
    );
    let mut daemon = start(&sandbox);
    let answer = daemon.ok("config/value/write", set("plugd.keep_versions", json!(7)));
    assert_eq!(answer["filePath"], sandbox.path("ch/plugd.toml").to_text());
    assert_eq!(sandbox.text("ch/plugd.toml"), "# mine\nkeep_versions = 7\n");
    assert_eq!(sandbox.text("ch/config.toml"), "model = \"m\"\n");
    let config = daemon.ok("config/read", json!({}));
    assert_eq!(config["config"]["plugd"]["keep_versions"], 7);
    daemon.shut_down();
}

#[test]
fn two_daemons_lose_no_edit() {
    let sandbox = Sandbox::new();
    let mut daemons = [start(&sandbox), start(&sandbox)];
    let mut asked = Vec::new();
    for number in 0..25 {
        for (index, daemon) in daemons.iter_mut().enumerate() {
            let key = format!("t.d{index}_{number:02}");
            asked.push((
                index,
                daemon.request("config/value/write", set(&key, json!(number))),
            ));
        }
    }
    for (index, id) in asked {
        let answer = daemons[index].response(id);
        assert!(answer.get("result").is_some(), "{answer:#}");
    }
    assert_eq!(sandbox.text("ch/config.toml").matches("\nd").count(), 50);
    for daemon in &mut daemons {
        daemon.shut_down();
    }
}
