//! Proves `plugin/uninstall`: nothing of the plugin stays but its data, everything else stays to
//! the byte, what is not there is removed with success, and ids that cannot be meant are refused.

use plugd_testkit::Sandbox;
use pretty_assertions::assert_eq;
use serde_json::{Value, json};

use crate::fixtures::{
    DEMO, DEMO_MANIFEST, home_tree, install, installed_in, plugin, refused, start, text,
};

fn id(id: &str) -> Value {
    json!({"pluginId": id})
}

#[test]
fn it_is_the_mirror_image_of_an_installation() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    install(&mut daemon, DEMO_MANIFEST, "tools");
    let before = home_tree(&sandbox);
    install(&mut daemon, DEMO_MANIFEST, "hello");
    sandbox.write("ch/plugins/data/hello-demo/mine.txt", "mine\n");
    assert_eq!(
        daemon.ok("plugin/uninstall", id("hello@demo")),
        json!({"changed": true, "linked": null})
    );
    // The plugin's own data outlives it.
    assert_eq!(
        sandbox.text("ch/plugins/data/hello-demo/mine.txt"),
        "mine\n"
    );
    sandbox.remove("ch/plugins/data");
    assert_eq!(home_tree(&sandbox), before);
    assert_eq!(
        daemon.ok("plugin/uninstall", id("hello@demo")),
        json!({"changed": false, "linked": null})
    );
    assert_eq!(home_tree(&sandbox), before);
    let listing = daemon.ok("plugin/installed", json!({}));
    assert_eq!(installed_in(&listing), ["tools@demo 2.1.0"]);
    daemon.shut_down();
}

#[test]
fn its_whole_configuration_goes_and_no_other_byte() {
    let sandbox = Sandbox::from(DEMO);
    let rows = "\n# before\n[plugins.\"hello@demo\"]\nenabled = true\n\
                [plugins.\"hello@demo\".mcp_servers.x]\nenabled = false\n\n\
                # about the other\n[plugins.\"tools@demo\"]\nenabled = false # off\n";
    let whole = format!("{}{rows}", sandbox.text("ch/config.toml"));
    sandbox.write("ch/config.toml", sandbox.expand(&whole));
    let mut daemon = start(&sandbox);
    daemon.ok("plugin/uninstall", id("hello@demo"));
    let left = sandbox.text("ch/config.toml");
    assert!(!left.contains("hello@demo"), "{left}");
    assert!(
        left.starts_with("[marketplaces.demo]\nsource_type"),
        "{left}"
    );
    assert!(
        left.ends_with("# about the other\n[plugins.\"tools@demo\"]\nenabled = false # off\n"),
        "{left}"
    );
    daemon.shut_down();
}

#[test]
fn what_is_half_there_is_removed() {
    // A copy without configuration, configuration without a copy, a copy that is a link.
    let sandbox = Sandbox::from("== ch/config.toml\n[plugins.\"b@m\"]\n[plugins.\"c@m\"]\n");
    sandbox.add(&plugin("ch/plugins/cache/m/a/1.0.0", "a", "1.0.0"));
    sandbox.add(&plugin("elsewhere/1.0.0", "c", "1.0.0"));
    sandbox.add("== ch/plugins/cache/m/c -> $ROOT/elsewhere\n");
    let mut daemon = start(&sandbox);
    for name in ["a", "b", "c"] {
        let answer = daemon.ok("plugin/uninstall", id(&format!("{name}@m")));
        assert_eq!(answer["changed"], true, "{name}");
        assert!(
            !sandbox.exists(&format!("ch/plugins/cache/m/{name}")),
            "{name}"
        );
    }
    assert!(!sandbox.text("ch/config.toml").contains("@m"));
    // Behind a link there is somebody else's directory.
    assert!(sandbox.exists("elsewhere/1.0.0/notes.md"));
    daemon.shut_down();
}

#[test]
fn ids() {
    let mut daemon = start(&Sandbox::from(DEMO));
    for (given, expected) in [
        ("a@", "-32600 invalidInput"),
        ("@b", "-32600 invalidInput"),
        ("a@b.c", "-32600 invalidInput"),
        ("", "-32600 invalidInput"),
        ("../x@demo", "-32600 invalidInput"),
        ("a/b@demo", "-32600 invalidInput"),
        ("a\u{0}b@demo", "-32600 invalidInput"),
        // A bare name could be a remote plugin.
        ("hello", "-32600 notAllowed"),
        ("plugin_123~x", "-32600 notAllowed"),
    ] {
        let got = refused(&mut daemon, "plugin/uninstall", id(given));
        assert_eq!(got, expected, "{given:?}");
    }
    let error = daemon.err("plugin/uninstall", id("hello"));
    let message = text(&error["message"]);
    assert!(
        message.contains("chatgpt authentication required"),
        "{message}"
    );
    assert_eq!(
        daemon.ok("plugin/uninstall", id("no.body@nowhere")),
        json!({"changed": false, "linked": null})
    );
    for params in [
        json!({}),
        json!({"pluginId": null}),
        json!({"pluginId": ["a@b"]}),
        json!(["a@b"]),
    ] {
        let got = refused(&mut daemon, "plugin/uninstall", params.clone());
        assert_eq!(got, "-32602 invalidParams", "{params}");
    }
    daemon.shut_down();
}

#[test]
fn a_configuration_that_cannot_be_edited_keeps_the_files() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    install(&mut daemon, DEMO_MANIFEST, "hello");
    sandbox.write("ch/config.toml", "[oops\n");
    let before = home_tree(&sandbox);
    let error = daemon.err("plugin/uninstall", id("hello@demo"));
    assert_eq!(error["data"]["line"], 1, "{error:#}");
    assert_eq!(home_tree(&sandbox), before);
    daemon.shut_down();
}

#[test]
fn a_plugin_without_a_marketplace_can_be_removed() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    install(&mut daemon, DEMO_MANIFEST, "hello");
    daemon.ok("marketplace/remove", json!({"marketplaceName": "demo"}));
    sandbox.remove("demo");
    assert_eq!(
        daemon.ok("plugin/uninstall", id("hello@demo"))["changed"],
        true
    );
    assert!(!sandbox.exists("ch/plugins/cache/demo/hello"));
    daemon.shut_down();
}

#[test]
fn it_takes_its_turn_with_an_installation() {
    let sandbox = Sandbox::from(DEMO);
    let mut daemon = start(&sandbox);
    let mut asked = Vec::new();
    for _ in 0..10 {
        let params = json!({"marketplacePath": DEMO_MANIFEST, "pluginName": "hello"});
        asked.push(daemon.request("plugin/install", params));
        asked.push(daemon.request("plugin/uninstall", id("hello@demo")));
    }
    for asked in asked {
        // In the order of the requests each of them has something to do.
        assert_eq!(daemon.response(asked)["result"]["changed"], true);
    }
    let listing = daemon.ok("plugin/installed", json!({}));
    assert_eq!(installed_in(&listing), Vec::<String>::new());
    daemon.shut_down();
}
