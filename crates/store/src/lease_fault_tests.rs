//! Every operation of leasing, releasing and collecting fails once, and each is killed at every
//! operation. Nobody who installs or reads may notice, nothing may stay for ever, and a second try
//! must get there.

use std::sync::Arc;

use pretty_assertions::assert_eq;

use plugd_disk::OperationKind;
use plugd_disk::tree::{AtEase, Digest};
use plugd_testkit::{Fault, RecordingProbe, every_fault, tree};
use serde_json::json;

use crate::fixture::{NO_PATIENCE, World, id, installed, is_recorded, retention};
use crate::json::identity_json;
use crate::{Gc, Lease, LeasedTree, Store, StoreError};

const ONE: &str = "== only-in-one\nx\n== plugin.json\n1\n== run (mode 755)\nrun\n";

/// A kill at a change. One at a look leaves what the kill at the next change leaves.
fn killed(number: u64) -> Fault {
    Fault::from(number).among(OperationKind::mutates)
}

/// The items of the first version below a directory.
fn one_in(dir: &str) -> String {
    ONE.replace("== ", &format!("== {dir}/"))
}

fn digest_of_one(world: &World) -> Digest {
    let one = world.sandbox.path("one");
    world.store().content(&one, &AtEase).unwrap().digest
}

/// A home with the first version and its record. It is not installed but written, because installing
/// waits for the disk, and hundreds of these homes are made.
fn with_one() -> World {
    let world = World::in_memory();
    world.sandbox.add(&one_in("ch/plugins/cache/demo/hello/1"));
    let copy = world.sandbox.path("ch/plugins/cache/demo/hello/1");
    let directory = world.store().identity(&copy).unwrap().unwrap();
    let record = json!({
        "version": 1,
        "bound": {"kind": "curated"},
        "source": {"kind": "local", "path": world.sandbox.path("one").to_text()},
        "pluginVersion": "1",
        "treeDigest": digest_of_one(&world).to_string(),
        "installedAt": 7,
        "by": "request",
        "directory": identity_json(&directory),
    });
    let path = "ch/plugins/.plugd/installed/demo/hello.json";
    world.sandbox.add(&format!("== {path}\n{record}\n"));
    assert!(is_recorded(&installed(&world.store())));
    world
}

/// A tree that an earlier lease left, into which somebody has written.
fn with_an_untrue_tree() -> World {
    let world = with_one();
    let root = format!("ch/plugins/.plugd/trees/{}", digest_of_one(&world).hex());
    world.sandbox.add(&one_in(&root));
    world.sandbox.add(&format!("== {root}/log\nx\n"));
    world
}

fn lease(store: &Store) -> Result<(Lease, LeasedTree), StoreError> {
    let id = id();
    let copy = store.get(&id)?.ok_or(StoreError::NotInstalled { id })?;
    let mut lease = store.lease()?;
    let tree = lease.add_tree(&copy, &AtEase, NO_PATIENCE)?;
    Ok((lease, tree))
}

/// Upgrades without keeping what was there, so that only a lease can.
fn upgrade(world: &World) {
    let store = world.store();
    let staged = world.stage(&store, "two").unwrap();
    let (new, seen) = (world.new_install("two", "2"), store.seen(&id()).unwrap());
    let active = staged.activate(new, &seen, &retention(0), NO_PATIENCE);
    active.unwrap().commit().unwrap();
}

/// What must hold when everybody is gone and recovery has been there.
fn check_end(world: &World, state: &str, most_trees: usize, number: u64) {
    let recovered = world.store().recover(NO_PATIENCE).unwrap();
    assert_eq!(recovered, crate::Recovered::default(), "operation {number}");
    assert_eq!(world.leftovers(), "", "operation {number}");
    assert_eq!(world.leases().len(), 0, "operation {number}");
    assert!(world.trees().len() <= most_trees, "operation {number}");
    assert_eq!(world.state(), state, "operation {number}");
}

/// A lease of the installed copy is taken with each fault, in worlds that are made like this.
fn check_taking(make: fn() -> World, fault: fn(u64) -> Fault) {
    let state = make().state();
    let faults = every_fault(fault, |number, probe| {
        let world = make();
        let result = lease(&world.store_on(probe.disk()));
        if let Ok((lease, leased)) = &result {
            assert_eq!(tree(&leased.root), ONE, "operation {number}");
            // Whatever failed on the way, it does what a lease is for.
            upgrade(&world);
            world.store().recover(NO_PATIENCE).unwrap();
            assert_eq!(tree(&leased.root), ONE, "operation {number}");
            assert_eq!(lease.digests(), &[leased.digest].into());
        }
        let is_ok = result.is_ok();
        drop(result);
        if is_ok {
            check_end(&world, &world.state(), 0, number);
            return;
        }
        check_end(&world, &state, 1, number);
        let (lease, leased) = lease(&world.store()).unwrap();
        assert_eq!(tree(&leased.root), ONE, "operation {number}");
        lease.release(NO_PATIENCE).unwrap();
        assert_eq!(world.trees().len(), 1, "operation {number}");
        assert_eq!(world.leftovers(), "", "operation {number}");
    });
    assert!(faults > 5, "only {faults} operations");
}

#[test]
fn taking_the_first_lease() {
    check_taking(with_one, Fault::once);
    check_taking(with_one, killed);
}

#[test]
fn taking_a_lease_where_the_tree_is_untrue() {
    check_taking(with_an_untrue_tree, |number| {
        Fault::once(number).among(OperationKind::mutates)
    });
    check_taking(with_an_untrue_tree, killed);
}

/// The end of a lease that alone needed its tree.
fn check_ending(fault: fn(u64) -> Fault, end: fn(Lease) -> bool) {
    let make = |probe: &Arc<RecordingProbe>| {
        let world = with_one();
        let store = world.store_on(probe.disk());
        // Made on a plain disk, and counted from here on.
        let (plain, leased) = lease(&world.store()).unwrap();
        upgrade(&world);
        let mut held = store.lease();
        if let Ok(held) = &mut held {
            let kept = held.add_kept(&[leased.digest], &AtEase, NO_PATIENCE);
            drop(kept);
        }
        drop(plain);
        (world, held)
    };
    let faults = every_fault(fault, |number, probe| {
        let (world, held) = make(probe);
        let state = world.state();
        let Ok(held) = held else {
            check_end(&world, &state, 0, number);
            return;
        };
        let ended = end(held);
        if probe.failures() == 0 {
            assert!(ended);
            assert_eq!(world.trees().len(), 0);
            assert_eq!(world.leases().len(), 0);
            assert_eq!(world.leftovers(), "");
        }
        check_end(&world, &state, 0, number);
    });
    assert!(faults > 5, "only {faults} operations");
}

#[test]
fn releasing() {
    let release = |lease: Lease| lease.release(NO_PATIENCE).is_ok();
    check_ending(Fault::once, release);
    check_ending(killed, release);
}

#[test]
fn dropping() {
    let drop_it = |lease: Lease| {
        drop(lease);
        true
    };
    check_ending(killed, drop_it);
}

/// What a process leaves that was killed while it held the only lease of a tree.
fn with_a_dead_lease() -> World {
    let world = with_one();
    let (lease, _) = lease(&world.store()).unwrap();
    let lock = world.sandbox.layout().lock("store");
    upgrade(&world);
    let held = world.store().disk().lock(&lock, NO_PATIENCE).unwrap();
    // It cannot sweep, as if it had been killed.
    drop(lease);
    drop(held);
    assert_eq!((world.trees().len(), world.leases().len()), (1, 2));
    world
}

#[test]
fn recovery_from_a_dead_holder_can_be_killed() {
    for fault in [Fault::once, killed] {
        let faults = every_fault(fault, |number, probe| {
            let world = with_a_dead_lease();
            let state = world.state();
            let recovered = world.store_on(probe.disk()).recover(NO_PATIENCE);
            if probe.failures() == 0 {
                assert_eq!(recovered.unwrap(), crate::Recovered::default());
                assert_eq!(world.trees().len(), 0);
            }
            check_end(&world, &state, 0, number);
        });
        assert!(faults > 5, "only {faults} operations");
    }
}

#[test]
fn collecting() {
    let gc = Gc {
        dry_run: false,
        keep: 0,
        protected: [].into(),
        forgettable: [].into(),
    };
    for fault in [Fault::once, killed] {
        let faults = every_fault(fault, |number, probe| {
            let world = with_a_dead_lease();
            world.install(&world.store(), "three", "3").unwrap();
            world.sandbox.add(
                "== ch/plugins/.plugd/staging/dead/x\n1\n== ch/plugins/.plugd/trash/dead/y\n2\n",
            );
            let state = world.state();
            let collected = world.store_on(probe.disk()).gc(&gc, NO_PATIENCE);
            if let Ok(report) = &collected
                && report.problems.is_empty()
            {
                // What it says is gone is gone.
                for tree in &report.trees {
                    let there = world.store().disk().stamp(&tree.root).unwrap();
                    assert_eq!(there, None, "operation {number}");
                }
            }
            check_end(&world, &state, 1, number);
            world.store().gc(&gc, NO_PATIENCE).unwrap();
            assert_eq!(world.trees().len(), 0, "operation {number}");
        });
        assert!(faults > 5, "only {faults} operations");
    }
}

/// A kill between a rename and the next operation is the one that could lose something.
#[test]
fn a_living_lease_outlives_every_collection() {
    let faults = every_fault(killed, |number, probe| {
        let world = with_one();
        let (lease, leased) = lease(&world.store()).unwrap();
        upgrade(&world);
        world.install(&world.store(), "three", "3").unwrap();
        assert_eq!(world.trees().len(), 2);
        let gc = Gc {
            dry_run: false,
            keep: 0,
            protected: [].into(),
            forgettable: [].into(),
        };
        let _ = world.store_on(probe.disk()).gc(&gc, NO_PATIENCE);
        world.store().recover(NO_PATIENCE).unwrap();
        assert_eq!(tree(&leased.root), ONE, "operation {number}");
        lease.release(NO_PATIENCE).unwrap();
        check_end(&world, &world.state(), 1, number);
    });
    assert!(faults > 5, "only {faults} operations");
}
