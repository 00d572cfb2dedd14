//! Proves `marketplace/remove`: the row goes and nothing else, its plugins stay installed and
//! visible, and names that mean nothing are refused.

use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::fixtures::{
    DEMO, DEMO_MANIFEST, check, config, home_tree, install, installed_in, marketplace, refused,
    small, start, text,
};

#[test]
fn the_whole_answer_and_what_is_left() {
    let sandbox = Sandbox::from(&config(&[("one", "one"), ("two", "two")]));
    for name in ["one", "two"] {
        sandbox.add(&marketplace(name, name, &[("p", "1")]));
    }
    let mut daemon = start(&sandbox);
    let answer = daemon.ok("marketplace/remove", json!({"marketplaceName": "one"}));
    check(
        &answer,
        &sandbox,
        &json!({"marketplaceName": "one", "installedRoot": null, "orphans": [],
                "removedPlugins": []}),
    );
    let left = sandbox.text("ch/config.toml");
    assert_eq!(
        left.trim_start(),
        "[marketplaces.two]\nsource_type = \"local\"\nsource = \"$ROOT/two\"\n"
    );
    // The directory is the user's own.
    assert!(sandbox.exists("one/p/notes.md"));
    assert_eq!(
        refused(
            &mut daemon,
            "marketplace/remove",
            json!({"marketplaceName": "one"})
        ),
        "-32600 notFound"
    );
    daemon.shut_down();
}

#[test]
fn a_checkout_goes_with_its_row() {
    let sandbox = Sandbox::from(
        "== ch/config.toml\n[marketplaces.far]\nsource_type = \"git\"\n\
         source = \"https://example.invalid/far.git\"\n",
    );
    sandbox.add(&marketplace(
        "ch/.tmp/marketplaces/far",
        "far",
        &[("p", "1")],
    ));
    let mut daemon = start(&sandbox);
    let answer = daemon.ok("marketplace/remove", json!({"marketplaceName": "far"}));
    let expected = json!({
        "marketplaceName": "far", "installedRoot": "$ROOT/ch/.tmp/marketplaces/far",
        "orphans": [], "removedPlugins": [],
    });
    check(&answer, &sandbox, &expected);
    assert!(!sandbox.exists("ch/.tmp/marketplaces/far"));
    assert!(!sandbox.text("ch/config.toml").contains("far"));
    daemon.shut_down();
}

#[test]
fn its_plugins_stay() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    install(&mut daemon, DEMO_MANIFEST, "hello");
    let answer = daemon.ok("marketplace/remove", json!({"marketplaceName": "demo"}));
    assert_eq!(answer["orphans"], json!(["hello@demo"]));
    assert!(sandbox.exists("ch/plugins/cache/demo/hello/1.0.0/.codex-plugin/plugin.json"));
    let answer = daemon.ok("plugin/installed", json!({}));
    assert_eq!(installed_in(&answer), ["hello@demo 1.0.0"]);
    assert_eq!(
        answer["marketplaces"][0]["plugins"][0]["problems"][0]["kind"],
        "orphan"
    );
    // Added again it is what it was.
    daemon.ok("marketplace/add", json!({"source": "$ROOT/demo"}));
    let answer = daemon.ok("plugin/installed", json!({}));
    assert_eq!(installed_in(&answer), ["hello@demo 1.0.0"]);
    assert_eq!(
        answer["marketplaces"][0]["path"],
        sandbox.expand(DEMO_MANIFEST)
    );
    assert_eq!(
        answer["marketplaces"][0]["plugins"][0]["problems"],
        json!([])
    );
    daemon.shut_down();
}

#[test]
fn refusals_change_nothing() {
    let sandbox = Sandbox::from(DEMO);
    sandbox.add(&marketplace("home", "mine", &[("p", "1")]));
    let mut daemon = start(&sandbox);
    daemon.ok("plugin/list", json!({}));
    let before = home_tree(&sandbox);
    for (name, expected) in [
        ("nobody", "-32600 notFound"),
        // The home marketplace is there without any row.
        ("mine", "-32600 notFound"),
        ("Demo", "-32600 notFound"),
        ("../demo", "-32600 invalidInput"),
        ("a.b", "-32600 invalidInput"),
        ("", "-32600 invalidInput"),
    ] {
        let params = json!({"marketplaceName": name});
        assert_eq!(
            refused(&mut daemon, "marketplace/remove", params),
            expected,
            "{name:?}"
        );
    }
    let error = daemon.err("marketplace/remove", json!({"marketplaceName": "Demo"}));
    assert!(
        error.to_string().contains("`demo`"),
        "{}",
        text(&error["message"])
    );
    for params in [json!({}), json!({"marketplaceName": ["demo"]})] {
        assert_eq!(
            refused(&mut daemon, "marketplace/remove", params),
            "-32602 invalidParams"
        );
    }
    assert_eq!(home_tree(&sandbox), before);
    daemon.shut_down();
}

#[test]
fn it_takes_its_turn_with_an_addition() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    for _ in 0..10 {
        daemon.ok("marketplace/remove", json!({"marketplaceName": "demo"}));
        let listing = daemon.request("plugin/list", json!({}));
        let added = daemon.ok("marketplace/add", json!({"source": "$ROOT/demo"}));
        assert_eq!(added["alreadyAdded"], false);
        daemon.response(listing);
    }
    daemon.shut_down();
}

/// Of a configuration that cannot be read nobody can say that a marketplace is not in it.
#[test]
fn a_configuration_that_cannot_be_read_is_told_and_nothing_goes() {
    let sandbox = Sandbox::from(&marketplace(
        "ch/.tmp/marketplaces/far",
        "far",
        &[("p", "1")],
    ));
    for broken in ["[marketplaces.far\n", "\u{0}"] {
        sandbox.write("ch/config.toml", broken);
        let mut daemon = start(&sandbox);
        let params = json!({"marketplaceName": "far", "removePlugins": true});
        let error = daemon.err("marketplace/remove", params);
        let path = sandbox.path("ch/config.toml").to_text();
        assert_eq!(error["data"]["path"], path, "{error:#}");
        assert!(sandbox.exists("ch/.tmp/marketplaces/far/p/notes.md"));
        assert_eq!(sandbox.text("ch/config.toml"), broken);
        daemon.shut_down();
    }
}

/// As after a request that removed the marketplace and was killed, or failed, before its plugins.
#[test]
fn asked_again_it_removes_the_plugins_that_were_left() {
    let sandbox = small(&[("hello", "1.0.0")]);
    let mut daemon = start(&sandbox);
    install(
        &mut daemon,
        "$ROOT/demo/.agents/plugins/marketplace.json",
        "hello",
    );
    let params = json!({"marketplaceName": "demo"});
    let removed = daemon.ok("marketplace/remove", params.clone());
    assert_eq!(removed["orphans"], json!(["hello@demo"]));
    let kind = refused(&mut daemon, "marketplace/remove", params);
    assert_eq!(kind, "-32600 notFound");
    let params = json!({"marketplaceName": "demo", "removePlugins": true});
    let removed = daemon.ok("marketplace/remove", params.clone());
    assert_eq!(removed["removedPlugins"], json!(["hello@demo"]));
    let installed = daemon.ok("plugin/installed", json!({}));
    assert_eq!(installed_in(&installed), Vec::<String>::new());
    let kind = refused(&mut daemon, "marketplace/remove", params);
    assert_eq!(kind, "-32600 notFound");
    daemon.shut_down();
}
