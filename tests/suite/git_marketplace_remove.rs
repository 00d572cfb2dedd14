//! Proves `marketplace/remove` of repositories: the checkout goes, orphans are named, and plugins go
//! along only when that is asked for.

use plugd_testkit::{Daemon, GitRequest};
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::fixtures::{
    check, cli, config, install, installed_in, marketplace, refused, start, text,
};
use crate::remotes::{CHECKOUT, MANIFEST, Remote, add, nothing_left, remote};

/// A world with the marketplace and two of its three plugins installed.
#[track_caller]
fn with_two() -> (Remote, Daemon) {
    let world = remote(&[("p", "1.0.0"), ("q", "2.0.0"), ("r", "3.0.0")]);
    let mut daemon = start(&world.sandbox);
    add(&mut daemon, &world.url);
    for plugin in ["q", "p"] {
        install(&mut daemon, MANIFEST, plugin);
    }
    (world, daemon)
}

#[test]
fn orphans_stay_and_are_named() {
    let (world, mut daemon) = with_two();
    let answer = daemon.ok("marketplace/remove", json!({"marketplaceName": "market"}));
    let expected = json!({
        "marketplaceName": "market", "installedRoot": format!("$ROOT/{CHECKOUT}"),
        "orphans": ["p@market", "q@market"], "removedPlugins": [],
    });
    check(&answer, &world.sandbox, &expected);
    assert!(!world.sandbox.exists(CHECKOUT));
    assert!(
        !world
            .sandbox
            .text("ch/config.toml")
            .contains("[marketplaces")
    );
    let answer = daemon.ok("plugin/installed", json!({}));
    assert_eq!(installed_in(&answer), ["p@market 1.0.0", "q@market 2.0.0"]);
    let problem = &answer["marketplaces"][0]["plugins"][0]["problems"][0];
    assert_eq!(problem["kind"], "orphan");
    assert_eq!(
        daemon.ok("plugin/list", json!({}))["marketplaces"],
        json!([])
    );
    nothing_left(&world.sandbox);
    // Added again they are what they were.
    add(&mut daemon, &world.url);
    let listing = daemon.ok("plugin/list", json!({}));
    assert_eq!(installed_in(&listing), ["p@market 1.0.0", "q@market 2.0.0"]);
    daemon.shut_down();
}

#[test]
fn plugins_go_along_when_asked() {
    let (world, mut daemon) = with_two();
    let params = json!({"marketplaceName": "market", "removePlugins": true});
    let answer = daemon.ok("marketplace/remove", params);
    let expected = json!({
        "marketplaceName": "market", "installedRoot": format!("$ROOT/{CHECKOUT}"),
        "orphans": [], "removedPlugins": ["p@market", "q@market"],
    });
    check(&answer, &world.sandbox, &expected);
    assert_eq!(world.sandbox.text("ch/config.toml").trim(), "");
    for plugin in ["p", "q"] {
        assert!(
            !world
                .sandbox
                .exists(&format!("ch/plugins/cache/market/{plugin}"))
        );
    }
    let answer = daemon.ok("plugin/installed", json!({}));
    assert_eq!(installed_in(&answer), Vec::<String>::new());
    nothing_left(&world.sandbox);
    daemon.shut_down();
}

#[test]
fn a_local_one_names_its_orphans_too() {
    for (remove, orphans, removed) in [
        (json!(false), json!(["p@near"]), json!([])),
        (json!(null), json!(["p@near"]), json!([])),
        (json!(true), json!([]), json!(["p@near"])),
    ] {
        let sandbox = plugd_testkit::Sandbox::from(&config(&[("near", "near")]));
        sandbox.add(&marketplace(
            "near",
            "near",
            &[("p", "1.0.0"), ("q", "1.0.0")],
        ));
        let mut daemon = start(&sandbox);
        install(
            &mut daemon,
            "$ROOT/near/.agents/plugins/marketplace.json",
            "p",
        );
        let params = json!({"marketplaceName": "near", "removePlugins": remove});
        let answer = daemon.ok("marketplace/remove", params);
        let expected = json!({
            "marketplaceName": "near", "installedRoot": null, "orphans": orphans,
            "removedPlugins": removed,
        });
        check(&answer, &sandbox, &expected);
        assert!(sandbox.exists("near/p/notes.md"));
        daemon.shut_down();
    }
}

#[test]
fn refusals() {
    let (world, mut daemon) = with_two();
    let before = world.sandbox.text("ch/config.toml");
    for name in ["Market", "nobody", "../market", ""] {
        let params = json!({"marketplaceName": name, "removePlugins": true});
        let error = daemon.err("marketplace/remove", params);
        assert_eq!(error["code"], -32600, "{error:#}");
        let kind = text(&error["data"]["kind"]);
        assert!(["notFound", "invalidInput"].contains(&kind), "{error:#}");
    }
    for params in [
        json!({"marketplaceName": "market", "removePlugins": "yes"}),
        json!({"removePlugins": true}),
    ] {
        assert_eq!(
            refused(&mut daemon, "marketplace/remove", params),
            "-32602 invalidParams"
        );
    }
    assert_eq!(world.sandbox.text("ch/config.toml"), before);
    assert!(world.sandbox.exists(CHECKOUT));
    daemon.shut_down();
}

#[test]
fn a_checkout_that_is_gone_already() {
    let (world, mut daemon) = with_two();
    world.sandbox.remove(CHECKOUT);
    world.server.forget();
    let answer = daemon.ok("marketplace/remove", json!({"marketplaceName": "market"}));
    assert_eq!(answer["orphans"], json!(["p@market", "q@market"]));
    assert!(
        !world
            .sandbox
            .text("ch/config.toml")
            .contains("[marketplaces")
    );
    // Whoever leaves asks nobody.
    assert_eq!(world.server.count(GitRequest::InfoRefs), 0);
    daemon.shut_down();
}

#[test]
fn a_user_s_own_directory_is_left_alone() {
    let (world, mut daemon) = with_two();
    world.sandbox.remove(CHECKOUT);
    world.sandbox.add(&format!(
        "== {CHECKOUT} -> ../../../precious\n== precious/a.md\nmine\n"
    ));
    daemon.ok("marketplace/remove", json!({"marketplaceName": "market"}));
    assert_eq!(world.sandbox.text("precious/a.md"), "mine\n");
    assert!(!world.sandbox.exists(CHECKOUT));
    daemon.shut_down();
}

#[test]
fn the_command_line() {
    let (world, mut daemon) = with_two();
    daemon.shut_down();
    let output = cli(
        &world.sandbox,
        &["marketplace", "remove", "market", "--plugins", "--json"],
    );
    assert_eq!(output.code(), 0, "{output}");
    assert_eq!(
        output.json()["removedPlugins"],
        json!(["p@market", "q@market"]),
        "{output}"
    );
    assert!(!world.sandbox.exists("ch/plugins/cache/market/p"));
    let output = cli(&world.sandbox, &["marketplace", "add", &world.url]);
    assert_eq!(output.code(), 0, "{output}");
    let output = cli(&world.sandbox, &["plugin", "add", "p@market"]);
    assert_eq!(output.code(), 0, "{output}");
    let output = cli(
        &world.sandbox,
        &["plugin", "marketplace", "remove", "market"],
    );
    assert_eq!(output.code(), 0, "{output}");
    // People must learn of orphans too.
    let said = format!("{}{}", output.stdout, output.stderr);
    assert!(said.contains("p@market"), "{output}");
    let output = cli(
        &world.sandbox,
        &["marketplace", "remove", "market", "--json"],
    );
    assert_ne!(output.code(), 0, "{output}");
}
