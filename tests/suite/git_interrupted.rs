//! Proves that work on a git marketplace can be given up, killed at any stage and done twice at once,
//! and that afterwards there is the old state or the new one and nothing else.

use std::time::Duration;

use plugd_testkit::{Behaviour, Daemon, Gate, GitRequest};
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::fixtures::{install, installed_in, plugins_in, start, text};
use crate::remotes::{
    CHECKOUT, MANIFEST, Remote, add, bulk, checked_out, give_up, nothing_left, remote, sorted, tree,
};

const P: &[(&str, &str)] = &[("p", "1.0.0")];

#[test]
fn giving_up_ends_at_once_and_leaves_nothing() {
    let slow = Behaviour::Drip(Duration::from_secs(1));
    for (request, behaviour) in [
        (GitRequest::InfoRefs, Behaviour::Silent),
        (GitRequest::UploadPack, Behaviour::Silent),
        (GitRequest::InfoRefs, slow.clone()),
        (GitRequest::UploadPack, slow),
    ] {
        let world = remote(P);
        world.server.behave(request, behaviour.clone());
        let mut daemon = start(&world.sandbox);
        let id = daemon.request("marketplace/add", json!({"source": world.url}));
        world.server.wait_for(request, 1);
        give_up(&mut daemon, id);
        // The process that spoke with the server is gone.
        world.server.wait_hung_up();
        assert!(!world.sandbox.exists("ch/config.toml"), "{behaviour:?}");
        assert!(!world.sandbox.exists(CHECKOUT), "{behaviour:?}");
        nothing_left(&world.sandbox);
        world.server.behave_well();
        assert_eq!(add(&mut daemon, &world.url)["alreadyAdded"], false);
        daemon.shut_down();
    }
}

#[test]
fn two_daemons_at_once() {
    let world = remote(P);
    let mut daemons: Vec<Daemon> = (0..2).map(|_| start(&world.sandbox)).collect();
    let asked: Vec<u64> = daemons
        .iter_mut()
        .map(|daemon| daemon.request("marketplace/add", json!({"source": world.url})))
        .collect();
    for (daemon, id) in daemons.iter_mut().zip(asked) {
        let answer = daemon.response(id);
        assert_eq!(answer["result"]["commit"], world.repo.head(), "{answer:#}");
    }
    let row = format!(
        "[marketplaces.market]\nsource_type = \"git\"\nsource = \"{}\"\n",
        world.url
    );
    assert_eq!(world.sandbox.text("ch/config.toml"), row);
    assert_eq!(
        checked_out(&world.sandbox, CHECKOUT),
        sorted(&tree("market", P))
    );
    nothing_left(&world.sandbox);
    for daemon in &mut daemons {
        daemon.shut_down();
    }
}

/// A new daemon does its first work, and then nothing speaks of the one that was killed.
#[track_caller]
fn check_after_kill(world: &Remote, fixture: &str) {
    world.server.behave_well();
    let sandbox = &world.sandbox;
    let mut daemon = start(sandbox);
    // One that is there and empty is the old state: a first edit makes it so before the exchange.
    let config = "ch/config.toml";
    let configured = sandbox.exists(config) && !sandbox.text(config).is_empty();
    let listing = daemon.ok("plugin/list", json!({}));
    assert_eq!(listing["marketplaceLoadErrors"], json!([]));
    assert_eq!(plugins_in(&listing).count(), usize::from(configured));
    if configured {
        assert_eq!(checked_out(sandbox, CHECKOUT), sorted(fixture));
    }
    let answer = add(&mut daemon, &world.url);
    assert_eq!(answer["alreadyAdded"], configured);
    nothing_left(sandbox);
    assert_eq!(checked_out(sandbox, CHECKOUT), sorted(fixture));
    install(&mut daemon, MANIFEST, "p");
    let answer = daemon.ok("plugin/installed", json!({}));
    assert_eq!(installed_in(&answer), ["p@market 1.0.0"]);
    daemon.shut_down();
}

#[test]
fn killed_while_it_resolves_or_fetches() {
    let gate = Gate::new();
    for (request, behaviour) in [
        (GitRequest::InfoRefs, Behaviour::Held(gate.clone())),
        (GitRequest::UploadPack, Behaviour::Held(gate.clone())),
        (
            GitRequest::UploadPack,
            Behaviour::HeldAfter(50_000, gate.clone()),
        ),
    ] {
        let world = remote(P);
        let fixture = tree("market", P) + &bulk(40);
        world.repo.commit(&fixture);
        world.server.behave(request, behaviour);
        let mut daemon = start(&world.sandbox);
        daemon.request("marketplace/add", json!({"source": world.url}));
        world.server.wait_for(request, 1);
        daemon.kill();
        check_after_kill(&world, &fixture);
    }
    gate.open();
}

#[test]
fn killed_while_it_checks_out() {
    for percent in [0, 20, 60, 90, 99] {
        let world = remote(P);
        let fixture = tree("market", P) + &bulk(300);
        world.repo.commit(&fixture);
        let mut daemon = start(&world.sandbox);
        let params = json!({"source": world.url, "workDoneToken": "t"});
        daemon.request("marketplace/add", params);
        daemon.wait_notification("$/progress", |one| {
            let value = &one["value"];
            let done = value["done"].as_u64().unwrap_or_default() * 100;
            let total = value["total"].as_u64().unwrap_or(1).max(1);
            let later = ["checking", "copying", "activating"].contains(&text(&value["stage"]));
            later || value["stage"] == "checkingOut" && done / total >= percent
        });
        daemon.kill();
        check_after_kill(&world, &fixture);
    }
}
