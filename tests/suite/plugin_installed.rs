//! Proves `plugin/installed`: what is installed and nothing else, suggestions beside it, and
//! plugins that no marketplace speaks of any more.

use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    DEMO, DEMO_MANIFEST, check, config, hello, hold_lock, install, installed_in, interface,
    list_and_settle, local, marketplace, plugin_in, plugins_in, refused, shown, small, start,
    start_listening, summary, text, with,
};

fn demo(plugins: Value) -> Value {
    json!({
        "name": "demo", "path": DEMO_MANIFEST,
        "interface": {"displayName": "Demo marketplace"}, "plugins": plugins,
    })
}

fn installed_hello() -> Value {
    let members = json!({"installed": true, "enabled": true, "installedVersion": "1.0.0"});
    with(hello(), members)
}

#[test]
fn the_whole_answer() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    let nothing = json!({"marketplaces": [], "marketplaceLoadErrors": []});
    check(
        &daemon.ok("plugin/installed", json!({})),
        &sandbox,
        &nothing,
    );
    install(&mut daemon, DEMO_MANIFEST, "hello");
    let expected = json!({
        "marketplaces": [demo(json!([installed_hello()]))],
        "marketplaceLoadErrors": [],
    });
    check(
        &daemon.ok("plugin/installed", json!({})),
        &sandbox,
        &expected,
    );
    check(
        &daemon.ok("plugin/installed", json!({"cwds": null})),
        &sandbox,
        &expected,
    );
    daemon.shut_down();
}

#[test]
fn suggestions_are_answered_too() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    install(&mut daemon, DEMO_MANIFEST, "hello");
    let params = json!({"installSuggestionPluginNames": ["far", "nobody"]});
    let answer = daemon.ok("plugin/installed", params);
    let ids: Vec<&str> = plugins_in(&answer)
        .map(|plugin| text(&plugin["id"]))
        .collect();
    assert_eq!(ids, ["hello@demo", "far@demo"]);
    assert_eq!(plugin_in(&answer, "far@demo")["installed"], false);
    daemon.shut_down();
}

#[test]
fn a_disabled_plugin_stays() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    install(&mut daemon, DEMO_MANIFEST, "hello");
    let off = json!({
        "keyPath": "plugins.hello@demo.enabled", "value": false, "mergeStrategy": "upsert",
    });
    daemon.ok("config/value/write", off);
    let answer = daemon.ok("plugin/installed", json!({}));
    let expected = with(installed_hello(), json!({"enabled": false}));
    check(plugin_in(&answer, "hello@demo"), &sandbox, &expected);
    daemon.shut_down();
}

#[test]
fn orphans_come_last_and_stay_until_they_are_uninstalled() {
    let sandbox = Sandbox::from(DEMO);
    sandbox.add(&marketplace(
        "zoo",
        "zoo",
        &[("ape", "1.0.0"), ("bee", "2.0.0")],
    ));
    let mut daemon = start(&sandbox);
    daemon.ok("marketplace/add", json!({"source": "$ROOT/zoo"}));
    install(&mut daemon, DEMO_MANIFEST, "hello");
    for plugin in ["ape", "bee"] {
        install(
            &mut daemon,
            "$ROOT/zoo/.agents/plugins/marketplace.json",
            plugin,
        );
    }
    // One loses its entry, one marketplace is taken away as a whole.
    let without = "{\"name\": \"zoo\", \"plugins\": [{\"name\": \"bee\", \"source\": \"./bee\"}]}";
    sandbox.write("zoo/.agents/plugins/marketplace.json", without);
    daemon.ok("marketplace/remove", json!({"marketplaceName": "demo"}));
    let answer = daemon.ok("plugin/installed", json!({}));
    let shown = shown(&answer, &sandbox);
    let groups: Vec<(&str, &Value)> = shown["marketplaces"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| (text(&group["name"]), &group["path"]))
        .collect();
    let zoo = json!("$ROOT/zoo/.agents/plugins/marketplace.json");
    assert_eq!(
        groups,
        [("zoo", &zoo), ("demo", &Value::Null), ("zoo", &Value::Null)]
    );
    assert_eq!(
        installed_in(&answer),
        ["bee@zoo 2.0.0", "hello@demo 1.0.0", "ape@zoo 1.0.0"]
    );
    let orphan = plugin_in(&shown, "hello@demo");
    let kinds: Vec<&Value> = orphan["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| &p["kind"])
        .collect();
    assert_eq!(kinds, [&json!("orphan")]);
    let expected = summary(
        "hello@demo",
        json!({
            "localVersion": orphan["localVersion"],
            "installedVersion": "1.0.0",
            "source": local("demo/plugins/hello"),
            "installed": true, "enabled": true,
            "installPolicy": "NOT_AVAILABLE",
            "interface": interface(json!({
                "displayName": "Hello there",
                "logo": "$ROOT/ch/plugins/cache/demo/hello/1.0.0/logo.png",
            })),
            "keywords": ["greeting"],
            "problems": orphan["problems"],
        }),
    );
    check(orphan, &sandbox, &expected);
    daemon.ok("plugin/uninstall", json!({"pluginId": "hello@demo"}));
    daemon.ok("plugin/uninstall", json!({"pluginId": "ape@zoo"}));
    let answer = daemon.ok("plugin/installed", json!({}));
    assert_eq!(installed_in(&answer), ["bee@zoo 2.0.0"]);
    daemon.shut_down();
}

#[test]
fn an_unrecorded_orphan_shows_its_copy_as_its_source() {
    let sandbox = Sandbox::from("== ch/config.toml\n[plugins.\"stray@lost\"]\n");
    sandbox.add(&crate::fixtures::plugin(
        "ch/plugins/cache/lost/stray/3.0.0",
        "stray",
        "3.0.0",
    ));
    let mut daemon = start(&sandbox);
    let answer = daemon.ok("plugin/installed", json!({}));
    let orphan = shown(plugin_in(&answer, "stray@lost"), &sandbox);
    assert_eq!(orphan["source"], local("ch/plugins/cache/lost/stray/3.0.0"));
    assert_eq!(orphan["installedVersion"], "3.0.0");
    assert_eq!(orphan["problems"][0]["kind"], "orphan");
    daemon.shut_down();
}

#[test]
fn a_catalog_that_cannot_be_read_hides_nothing() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    install(&mut daemon, DEMO_MANIFEST, "hello");
    sandbox.write(
        "demo/.agents/plugins/marketplace.json",
        "{\"name\": \"demo\", \"plu",
    );
    let answer = daemon.ok("plugin/installed", json!({}));
    assert_eq!(installed_in(&answer), ["hello@demo 1.0.0"]);
    assert_eq!(answer["marketplaceLoadErrors"][0]["kind"], "syntax");
    daemon.shut_down();
}

#[test]
fn configured_without_a_copy_is_not_installed_and_neither_is_a_copy_without_configuration() {
    let sandbox = small(&[("a", "1.0.0"), ("b", "1.0.0")]);
    let rows = format!(
        "[marketplaces.demo]\nsource_type = \"local\"\nsource = \"{}\"\n[plugins.\"a@demo\"]\n",
        sandbox.path("demo")
    );
    sandbox.write("ch/config.toml", rows);
    sandbox.add(&crate::fixtures::plugin(
        "ch/plugins/cache/demo/b/1.0.0",
        "b",
        "1.0.0",
    ));
    let mut daemon = start(&sandbox);
    let answer = daemon.ok("plugin/installed", json!({}));
    assert_eq!(installed_in(&answer), Vec::<String>::new());
    daemon.shut_down();
}

#[test]
fn the_version_that_is_active_is_the_reference_s_choice() {
    for (versions, expected) in [
        (vec!["1.0.0", "1.9.0", "1.10.0"], "1.10.0"),
        (vec!["1.10.0", "9"], "9"),
        (vec!["1.0.0", "zzz"], "zzz"),
        (vec!["local", "99.0.0"], "local"),
        (vec!["v2", "10.0.0"], "v2"),
        (vec!["1.0.0", "1.0.0-a"], "1.0.0"),
    ] {
        let sandbox = Sandbox::from(&config(&[]));
        sandbox.write("ch/config.toml", "[plugins.\"p@m\"]\n");
        for version in &versions {
            let dir = format!("ch/plugins/cache/m/p/{version}");
            sandbox.add(&crate::fixtures::plugin(&dir, "p", version));
        }
        let mut daemon = start(&sandbox);
        let answer = daemon.ok("plugin/installed", json!({}));
        assert_eq!(
            installed_in(&answer),
            [format!("p@m {expected}")],
            "{versions:?}"
        );
        daemon.shut_down();
    }
}

#[test]
fn plugins_switched_off_is_an_empty_answer() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    install(&mut daemon, DEMO_MANIFEST, "hello");
    let off = json!({"keyPath": "features.plugins", "value": false, "mergeStrategy": "replace"});
    daemon.ok("config/value/write", off);
    let answer = daemon.ok("plugin/installed", json!({}));
    assert_eq!(
        answer,
        json!({"marketplaces": [], "marketplaceLoadErrors": []})
    );
    daemon.shut_down();
}

#[test]
fn malformed_params() {
    let mut daemon = start(&Sandbox::new());
    for params in [
        json!({"cwds": ["x"]}),
        json!({"installSuggestionPluginNames": "far"}),
        json!({"installSuggestionPluginNames": [1]}),
    ] {
        let got = refused(&mut daemon, "plugin/installed", params.clone());
        assert_eq!(got, "-32602 invalidParams", "{params}");
    }
    daemon.shut_down();
}

#[test]
fn it_does_not_wait_for_a_write() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    install(&mut daemon, DEMO_MANIFEST, "hello");
    let lock = hold_lock(&sandbox, "store");
    let waiting = daemon.request("plugin/uninstall", json!({"pluginId": "hello@demo"}));
    let answer = daemon.ok("plugin/installed", json!({}));
    // The old state or the new one, and never half of it.
    assert!(installed_in(&answer).len() <= 1);
    drop(lock);
    daemon.response(waiting);
    let answer = daemon.ok("plugin/installed", json!({}));
    assert_eq!(installed_in(&answer), Vec::<String>::new());
    daemon.shut_down();
}

/// A plugin of the same id that comes from elsewhere is no new version of the one that is installed.
#[test]
fn another_marketplace_of_the_name_is_a_conflict_and_no_update() {
    let sandbox = small(&[("hello", "1.0.0")]);
    sandbox.add(&marketplace("other", "demo", &[("hello", "2.0.0")]));
    let mut daemon = start_listening(&sandbox);
    install(
        &mut daemon,
        "$ROOT/demo/.agents/plugins/marketplace.json",
        "hello",
    );
    let moved = sandbox
        .text("ch/config.toml")
        .replace("/demo\"", "/other\"");
    sandbox.add(&format!("== ch/config.toml\n{moved}"));
    let conflict = |answer: &Value| {
        let errors = answer["marketplaceLoadErrors"].as_array().unwrap();
        let kinds: Vec<&Value> = errors.iter().map(|row| &row["kind"]).collect();
        assert_eq!(kinds, ["conflict"], "{answer:#}");
        let row = plugin_in(answer, "hello@demo");
        assert_eq!(
            (&row["installed"], &row["updateAvailable"]),
            (&json!(true), &json!(false))
        );
        assert_eq!(row["problems"][0]["kind"], "conflict");
    };
    conflict(&list_and_settle(&mut daemon, json!({})));
    conflict(&daemon.ok("plugin/installed", json!({})));
    let manifest = "$ROOT/other/.agents/plugins/marketplace.json";
    let params = json!({"marketplacePath": manifest, "pluginName": "hello"});
    let reading = daemon.ok("plugin/read", params);
    let problems = reading["plugin"]["summary"]["problems"]
        .as_array()
        .unwrap()
        .iter();
    let kinds: Vec<&Value> = problems.map(|problem| &problem["kind"]).collect();
    assert_eq!(kinds, ["conflict"], "{reading:#}");
    assert!(sandbox.exists("ch/plugins/cache/demo/hello/1.0.0"));
    // From there on the other one is what it came from.
    install(&mut daemon, manifest, "hello");
    let answer = daemon.ok("plugin/installed", json!({}));
    assert_eq!(installed_in(&answer), ["hello@demo 2.0.0"]);
    assert_eq!(answer["marketplaceLoadErrors"], json!([]));
    daemon.shut_down();
}
