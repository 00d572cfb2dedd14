//! Proves that a curated sync that is stopped, killed, or met by another one leaves the old snapshot
//! or the new one and holds up nobody.
#![expect(
    clippy::disallowed_methods,
    reason = "the suite holds the reference's lock file from outside, which is what it is for"
)]

use std::fs::{File, OpenOptions};
use std::time::{Duration, Instant};

use plugd_testkit::{Behaviour, Gate, GitRequest, Sandbox};
use pretty_assertions::assert_eq;
use serde_json::json;

use crate::curated_sync::{Curated, P, catalog, end_of_sync};
use crate::fixtures::plugins_in;
use crate::remotes::{bulk, nothing_left, sorted};

#[test]
fn a_silent_server_holds_up_nobody_and_does_not_keep_the_process() {
    for request in [GitRequest::InfoRefs, GitRequest::UploadPack] {
        let world = Curated::new(&catalog(P));
        world.server.behave(request, Behaviour::Silent);
        let mut daemon = world.start();
        world.server.wait_for(request, 1);
        daemon.ok("plugin/list", json!({}));
        daemon.ok("plugin/installed", json!({}));
        let asked = Instant::now();
        daemon.shut_down();
        assert!(asked.elapsed() < Duration::from_secs(3));
        world.server.wait_hung_up();
        nothing_left(&world.sandbox);
        assert!(!world.sandbox.exists("ch/.tmp/plugins.sha"));
    }
}

/// Takes the reference's lock, as a reference does that is synchronising.
#[track_caller]
fn hold(sandbox: &Sandbox) -> File {
    let path = sandbox.path("ch/.tmp/plugins.sync.lock");
    sandbox.add("== ch/.tmp/plugins.sync.lock\n");
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    file.lock().unwrap();
    file
}

#[test]
fn whoever_does_not_get_the_lock_goes_on_with_the_old_snapshot() {
    let world = Curated::new(&catalog(P));
    world.synced().shut_down();
    let head = world.repo.head();
    let commit = world.repo.commit(&catalog(&[("p", "2.0.0")]));
    let lock = hold(&world.sandbox);
    let mut daemon = world.start();
    let listing = daemon.ok("plugin/list", json!({"forceRefetch": true}));
    assert_eq!(plugins_in(&listing).count(), 1);
    assert_eq!(world.sha(), format!("{head}\n"));
    drop(lock);
    // Whether that one waited or gave up, the next one arrives.
    let mut arrived = false;
    for _ in 0..2 {
        world.sync_again(&mut daemon);
        arrived |= world.sha() == format!("{commit}\n");
    }
    assert!(arrived, "{}", world.sha());
    daemon.shut_down();
}

#[test]
fn two_daemons_fetch_once() {
    let world = Curated::new(&catalog(P));
    let gate = Gate::new();
    world
        .server
        .behave(GitRequest::UploadPack, Behaviour::Held(gate.clone()));
    let mut one = world.start();
    gate.wait_reached();
    let mut other = world.start();
    other.ok("plugin/list", json!({}));
    gate.open();
    end_of_sync(&mut one);
    other.shut_down();
    one.shut_down();
    world.check(&world.repo.head(), &catalog(P));
    let packs = world.server.requests().into_iter();
    let dones = packs.filter(|one| String::from_utf8_lossy(&one.body).contains("done"));
    assert_eq!(dones.count(), 1);
}

#[test]
fn killed_at_any_stage() {
    let gate = Gate::new();
    for (request, behaviour) in [
        (GitRequest::InfoRefs, Behaviour::Held(gate.clone())),
        (GitRequest::UploadPack, Behaviour::Held(gate.clone())),
        (
            GitRequest::UploadPack,
            Behaviour::HeldAfter(50_000, gate.clone()),
        ),
    ] {
        let world = Curated::new(&catalog(P));
        world.synced().shut_down();
        let head = world.repo.head();
        let new = catalog(&[("p", "2.0.0")]) + &bulk(60);
        let commit = world.repo.commit(&new);
        world.server.forget();
        world.server.behave(request, behaviour);
        let mut daemon = world.start();
        daemon.ok("plugin/list", json!({"forceRefetch": true}));
        world.server.wait_for(request, 1);
        daemon.kill();
        assert_eq!(world.sha(), format!("{head}\n"));
        assert_eq!(world.snapshot(), sorted(&catalog(P)));
        world.server.behave_well();
        let mut daemon = world.start();
        let listing = daemon.ok("plugin/list", json!({}));
        assert_eq!(plugins_in(&listing).count(), 1);
        assert_eq!(world.sync_again(&mut daemon)["state"], "done");
        world.check(&commit, &new);
        daemon.shut_down();
    }
    gate.open();
}

#[test]
fn killed_while_it_swaps() {
    for round in 0..5 {
        let world = Curated::new(&catalog(P));
        world.synced().shut_down();
        let new = catalog(&[("p", "2.0.0")]) + &bulk(200);
        let commit = world.repo.commit(&new);
        let mut daemon = world.start();
        let gate = Gate::new();
        world.server.behave(
            GitRequest::UploadPack,
            Behaviour::HeldAfter(400_000, gate.clone()),
        );
        daemon.ok("plugin/list", json!({"forceRefetch": true}));
        gate.wait_reached();
        gate.open();
        // Some moment after the last byte, another one each time.
        for _ in 0..round {
            daemon.ok("plugin/list", json!({}));
        }
        daemon.kill();
        world.server.behave_well();
        let found = world.snapshot();
        assert!(
            [sorted(&catalog(P)), sorted(&new)].contains(&found),
            "{}",
            found.len()
        );
        let mut daemon = world.start();
        assert_eq!(world.sync_again(&mut daemon)["state"], "done");
        world.check(&commit, &new);
        daemon.shut_down();
    }
}

#[test]
fn a_record_that_was_half_written_goes_with_the_next_move() {
    let world = Curated::new(&catalog(P));
    world.synced().shut_down();
    let half = "ch/.tmp/.plugd-00112233aabbccdd";
    world.sandbox.write(half, "0123");
    world.repo.commit(&catalog(&[("p", "2.0.0")]));
    let mut daemon = world.start();
    world.sync_again(&mut daemon);
    daemon.shut_down();
    assert!(!world.sandbox.exists(half));
    world.check(&world.repo.head(), &catalog(&[("p", "2.0.0")]));
}
