//! Proves `marketplace/add`: which source texts are understood, what is written, what counts as the
//! same source, and that a refusal writes nothing.

use plugd_testkit::{Daemon, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    check, config, install, launch, marketplace, plugins_in, refused, shown, start, text,
};

#[track_caller]
fn add(daemon: &mut Daemon, source: &str) -> Value {
    daemon.ok("marketplace/add", json!({"source": source}))
}

fn one(name: &str) -> Sandbox {
    Sandbox::from(&marketplace("market", name, &[("p", "1.0.0")]))
}

#[test]
fn the_whole_answer_and_what_is_written() {
    let sandbox = one("market");
    let mut daemon = start(&sandbox);
    let expected = |already: bool| {
        json!({"marketplaceName": "market", "installedRoot": "$ROOT/market",
               "alreadyAdded": already, "commit": null, "problems": []})
    };
    check(
        &add(&mut daemon, "$ROOT/market"),
        &sandbox,
        &expected(false),
    );
    let written = "[marketplaces.market]\nsource_type = \"local\"\nsource = \"$ROOT/market\"\n";
    assert_eq!(sandbox.text("ch/config.toml"), written);
    check(
        &add(&mut daemon, "$ROOT/market/"),
        &sandbox,
        &expected(true),
    );
    assert_eq!(sandbox.text("ch/config.toml"), written);
    let listing = daemon.ok("plugin/list", json!({}));
    let ids: Vec<&str> = plugins_in(&listing)
        .map(|plugin| text(&plugin["id"]))
        .collect();
    assert_eq!(ids, ["p@market"]);
    daemon.shut_down();
}

#[test]
fn local_source_texts() {
    for source in [
        "$ROOT/market",
        "$ROOT/cwd/../market",
        "../market",
        "./../market",
        "$ROOT/alias",
        "~/market",
    ] {
        let sandbox = one("market");
        sandbox.add("== alias -> market\n== home/market -> ../market\n");
        let mut daemon = start(&sandbox);
        let answer = add(&mut daemon, source);
        let root = sandbox.path("market").to_text();
        assert_eq!(answer["installedRoot"], root, "{source}");
        daemon.shut_down();
    }
    // The working directory itself.
    let sandbox = Sandbox::from(&marketplace("cwd", "here", &[("p", "1")]));
    let mut daemon = start(&sandbox);
    assert_eq!(add(&mut daemon, ".")["marketplaceName"], "here");
    daemon.shut_down();
}

#[test]
fn a_path_with_a_sign_in_it_is_a_path() {
    let sandbox = one("market");
    sandbox.rename("market", "a@b#c");
    let mut daemon = start(&sandbox);
    let answer = add(&mut daemon, "$ROOT/a@b#c");
    assert_eq!(answer["installedRoot"], sandbox.path("a@b#c").to_text());
    daemon.shut_down();
}

#[test]
fn a_path_may_have_any_letters() {
    let sandbox = one("market");
    let odd = "\u{fc} \u{1f980} 'quoted' \"too\" \\ =[x]";
    sandbox.rename("market", odd);
    let mut daemon = start(&sandbox);
    let source = sandbox.path(odd).to_text();
    assert_eq!(add(&mut daemon, &source)["installedRoot"], source);
    let manifest = format!("{source}/.agents/plugins/marketplace.json");
    assert_eq!(
        install(&mut daemon, &manifest, "p")["installedVersion"],
        "1.0.0"
    );
    let listing = daemon.ok("plugin/list", json!({}));
    assert_eq!(listing["marketplaces"][0]["path"], manifest);
    daemon.ok("marketplace/remove", json!({"marketplaceName": "market"}));
    daemon.shut_down();
}

#[test]
fn nothing_else_in_the_file_changes() {
    let sandbox = one("market");
    let inline = "\u{feff}# top\r\nmarketplaces = { other = { source_type = \"local\", source = \"/x\" } } # in\r\n\
                  model = \"m\"\r\n";
    sandbox.write("ch/config.toml", inline);
    let mut daemon = start(&sandbox);
    add(&mut daemon, "$ROOT/market");
    let written = String::from_utf8(sandbox.bytes("ch/config.toml")).unwrap();
    for kept in [
        "\u{feff}# top\r\n",
        "other = { source_type = \"local\", source = \"/x\" }",
        "# in\r\nmodel = \"m\"\r\n",
    ] {
        assert!(written.contains(kept), "{written}");
    }
    assert_eq!(
        written.matches('\n').count(),
        written.matches("\r\n").count(),
        "{written}"
    );
    daemon.ok("marketplace/remove", json!({"marketplaceName": "market"}));
    assert_eq!(
        String::from_utf8(sandbox.bytes("ch/config.toml")).unwrap(),
        inline
    );
    daemon.shut_down();
}

#[test]
fn a_renamed_marketplace_keeps_one_row() {
    let sandbox = one("old");
    let mut daemon = start(&sandbox);
    add(&mut daemon, "$ROOT/market");
    sandbox.add(&marketplace("market", "new", &[("p", "1.0.0")]));
    let answer = add(&mut daemon, "$ROOT/market");
    assert_eq!(
        (&answer["marketplaceName"], &answer["alreadyAdded"]),
        (&json!("new"), &json!(true))
    );
    let written = "[marketplaces.new]\nsource_type = \"local\"\nsource = \"$ROOT/market\"\n";
    assert_eq!(sandbox.text("ch/config.toml").trim_start(), written);
    daemon.shut_down();
}

#[test]
fn a_name_belongs_to_its_source_as_long_as_that_is_there() {
    let sandbox = Sandbox::from(&config(&[("market", "first")]));
    sandbox.add(&marketplace("first", "market", &[("p", "1")]));
    sandbox.add(&marketplace("second", "market", &[("p", "2")]));
    let mut daemon = start(&sandbox);
    let before = sandbox.text("ch/config.toml");
    let error = daemon.err("marketplace/add", json!({"source": "$ROOT/second"}));
    assert_eq!(
        (&error["code"], &error["data"]["kind"]),
        (&json!(-32600), &json!("conflict"))
    );
    let message = text(&error["message"]);
    assert!(message.contains("different source"), "{message}");
    assert_eq!(sandbox.text("ch/config.toml"), before);
    sandbox.remove("first");
    assert_eq!(add(&mut daemon, "$ROOT/second")["alreadyAdded"], false);
    assert_eq!(
        sandbox.text("ch/config.toml"),
        before.replace("first", "second")
    );
    daemon.shut_down();
}

#[test]
fn a_name_of_a_higher_layer_is_not_taken() {
    let sandbox = one("market");
    let row = "[marketplaces.market]\nsource_type = \"local\"\nsource = \"/absent\"\n";
    sandbox.write("ch/work.config.toml", row);
    let mut daemon = launch().args(&["--profile", "work"]).start(&sandbox);
    daemon.initialize();
    let error = daemon.err("marketplace/add", json!({"source": "$ROOT/market"}));
    let data = &error["data"];
    assert_eq!(data["kind"], "notAllowed", "{error:#}");
    assert!(
        text(&error["message"]).contains("configured as /absent"),
        "{error:#}"
    );
    let hint = shown(&data["hint"], &sandbox);
    assert_eq!(hint, "take it out of `$ROOT/ch/work.config.toml`");
    assert!(!sandbox.exists("ch/config.toml"));
    daemon.shut_down();
}

#[test]
fn refusals_write_nothing() {
    let sandbox = one("market");
    sandbox.add(&marketplace("reserved", "openai-curated", &[("p", "1")]));
    sandbox.add(&marketplace("misnamed", "bad name", &[("p", "1")]));
    sandbox.add("== empty/\n== file\nx\n== broken/.agents/plugins/marketplace.json\n{\n");
    let mut daemon = start(&sandbox);
    for source in [
        "$ROOT/nowhere",
        "$ROOT/empty",
        "$ROOT/file",
        "$ROOT/broken",
        "$ROOT/misnamed",
        "$ROOT/reserved",
        "ftp://example.invalid/x",
        "file:///x",
        "a/b/c",
        "foo",
        "",
        "nul\u{0}byte",
    ] {
        let error = daemon.err("marketplace/add", json!({"source": source}));
        assert_eq!(error["code"], -32600, "{source:?}");
        let kind = text(&error["data"]["kind"]);
        assert!(
            ["invalidInput", "notFound", "notAllowed"].contains(&kind),
            "{source:?}: {kind}"
        );
    }
    for more in [json!({"refName": "main"}), json!({"sparsePaths": ["a"]})] {
        let params = crate::fixtures::with(json!({"source": "$ROOT/market"}), more);
        assert_eq!(
            refused(&mut daemon, "marketplace/add", params),
            "-32600 invalidInput"
        );
    }
    for params in [
        json!({}),
        json!({"source": 5}),
        json!({"source": "x", "sparsePaths": "a"}),
    ] {
        assert_eq!(
            refused(&mut daemon, "marketplace/add", params),
            "-32602 invalidParams"
        );
    }
    assert!(!sandbox.exists("ch/config.toml"));
    daemon.shut_down();
}

#[test]
fn a_broken_marketplace_is_refused_with_its_place() {
    let sandbox =
        Sandbox::from("== m/.agents/plugins/marketplace.json\n{\n  \"name\": \"m\",\n  oops\n}\n");
    let mut daemon = start(&sandbox);
    let error = daemon.err("marketplace/add", json!({"source": "$ROOT/m"}));
    let path = sandbox.path("m/.agents/plugins/marketplace.json").to_text();
    assert_eq!(error["data"]["path"], path);
    assert_eq!(error["data"]["line"], 3);
    daemon.shut_down();
}

#[test]
fn it_works_while_plugins_are_switched_off_and_beside_other_writes() {
    let sandbox = Sandbox::from("== ch/config.toml\n[features]\nplugins = false\n");
    let names: Vec<String> = (0..12).map(|number| format!("m{number:02}")).collect();
    for name in &names {
        sandbox.add(&marketplace(name, name, &[("p", "1.0.0")]));
    }
    let mut daemon = start(&sandbox);
    let mut asked = Vec::new();
    for name in &names {
        let source = format!("$ROOT/{name}");
        asked.push(daemon.request("marketplace/add", json!({"source": source})));
        let write = json!({"keyPath": format!("x.{name}"), "value": 1, "mergeStrategy": "upsert"});
        asked.push(daemon.request("config/value/write", write));
    }
    for asked in asked {
        let answer = daemon.response(asked);
        assert!(answer.get("result").is_some(), "{answer:#}");
    }
    let written = sandbox.text("ch/config.toml");
    assert_eq!(written.matches("[marketplaces.").count(), 12, "{written}");
    assert_eq!(written.matches(" = 1\n").count(), 12, "{written}");
    install(
        &mut daemon,
        "$ROOT/m00/.agents/plugins/marketplace.json",
        "p",
    );
    daemon.shut_down();
}
