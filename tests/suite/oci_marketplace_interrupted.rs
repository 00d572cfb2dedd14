//! Proves that work on a marketplace of a registry can be given up, killed at any stage and done twice
//! at once, and that afterwards there is the old state or the new one and nothing else.

use plugd_testkit::{Behaviour, Daemon, Gate, OciRequest};
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::fixtures::{install, installed_in, start};
use crate::oci_marketplace::{PLACES, World, upgrade, world};
use crate::remotes::{add, give_up, leftovers, nothing_left, sorted, tree};

#[test]
fn giving_up_on_a_silent_registry_leaves_nothing() {
    for request in [OciRequest::Manifest, OciRequest::Blob] {
        let world = world();
        world.registry.behave(request, Behaviour::Silent);
        let mut daemon = start(&world.sandbox);
        let id = daemon.request("marketplace/add", json!({"source": world.source}));
        world.registry.wait_for(request, 1);
        give_up(&mut daemon, id);
        world.nothing_here();
        daemon.shut_down();
    }
}

#[test]
fn killed_while_it_comes() {
    let gate = Gate::new();
    for (request, behaviour) in [
        (OciRequest::Manifest, Behaviour::Held(gate.clone())),
        (OciRequest::Blob, Behaviour::Held(gate.clone())),
        (OciRequest::Blob, Behaviour::HeldAfter(100, gate.clone())),
    ] {
        let world = world();
        world.registry.behave(request, behaviour.clone());
        let mut daemon = start(&world.sandbox);
        daemon.request("marketplace/add", json!({"source": world.source}));
        world.registry.wait_for(request, 1);
        daemon.kill();
        assert!(!world.sandbox.exists("ch/config.toml"), "{behaviour:?}");
        assert_eq!(world.sandbox.tree(PLACES), "", "{behaviour:?}");
        world.registry.behave_well();
        let mut daemon = start(&world.sandbox);
        assert_eq!(add(&mut daemon, &world.source)["alreadyAdded"], false);
        assert_eq!(leftovers(&world.sandbox), Vec::<String>::new());
        daemon.shut_down();
    }
    gate.open();
}

/// After a kill there is the old marketplace or the new one, and the next upgrade arrives.
#[track_caller]
fn check_after_kill(world: &World) {
    world.registry.behave_well();
    let mut daemon = start(&world.sandbox);
    let listing = daemon.ok("plugin/list", json!({}));
    assert_eq!(listing["marketplaceLoadErrors"], json!([]));
    let found = world.sandbox.tree(&world.root());
    let whole = ["1.0.0", "2.0.0"].map(|version| sorted(&tree("market", &[("p", version)])));
    assert!(whole.contains(&found), "half of something: {found}");
    upgrade(&mut daemon);
    nothing_left(&world.sandbox);
    assert_eq!(world.sandbox.tree(&world.root()), whole[1]);
    let listing = daemon.ok("plugin/installed", json!({}));
    assert_eq!(installed_in(&listing), ["p@market 2.0.0"]);
    daemon.shut_down();
}

#[test]
fn an_upgrade_that_is_killed_is_done_again() {
    let gate = Gate::new();
    let begun = || {
        let world = world();
        let mut daemon = start(&world.sandbox);
        add(&mut daemon, &world.source);
        install(&mut daemon, &world.manifest(), "p");
        world.push("2.0.0");
        world.registry.forget();
        (world, daemon)
    };
    for (request, behaviour) in [
        (OciRequest::Manifest, Behaviour::Held(gate.clone())),
        (OciRequest::Blob, Behaviour::HeldAfter(100, gate.clone())),
    ] {
        let (world, mut daemon) = begun();
        world.registry.behave(request, behaviour);
        daemon.request("marketplace/upgrade", json!({}));
        world.registry.wait_for(request, 1);
        daemon.kill();
        check_after_kill(&world);
    }
    gate.open();
    for stage in ["fetching", "checking", "copying", "activating"] {
        let (world, mut daemon) = begun();
        let id = daemon.request("marketplace/upgrade", json!({"workDoneToken": "t"}));
        daemon.wait_message("the stage or the answer", |message| {
            message["params"]["value"]["stage"] == stage || message["id"] == id
        });
        daemon.kill();
        check_after_kill(&world);
    }
}

#[test]
fn two_daemons_at_once() {
    let world = world();
    let mut daemons: Vec<Daemon> = (0..2).map(|_| start(&world.sandbox)).collect();
    let asked: Vec<u64> = daemons
        .iter_mut()
        .map(|daemon| daemon.request("marketplace/add", json!({"source": world.source})))
        .collect();
    for (daemon, id) in daemons.iter_mut().zip(asked) {
        let answer = daemon.response(id);
        assert_eq!(
            answer["result"]["commit"],
            json!(world.digest),
            "{answer:#}"
        );
    }
    let files = sorted(&tree("market", &[("p", "1.0.0")]));
    assert_eq!(world.sandbox.tree(&world.root()), files);
    nothing_left(&world.sandbox);
    for daemon in &mut daemons {
        daemon.shut_down();
    }
}
