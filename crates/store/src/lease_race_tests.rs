//! Leasing while others work on the same home, and while the work is given up.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use pretty_assertions::assert_eq;

use plugd_disk::tree::{AtEase, Pace, TreeError};
use plugd_disk::{Operation, OperationKind};
use plugd_testkit::{Recorded, RecordingProbe, tree};

use super::tests::{CACHE, NOTHING, ONE, add, leased, release, tree_of, upgrade, with_one};
use super::{Lease, LeasedTree};
use crate::StoreError;
use crate::fixture::{NO_PATIENCE, World, hooked, installed};

/// Leases what is installed on a disk that does something once, in front of an operation.
fn add_while(
    world: &World,
    at: fn(&Operation<'_>) -> bool,
    happens: impl Fn() + Send + Sync + 'static,
) -> (Lease, Result<LeasedTree, StoreError>) {
    let done = AtomicBool::new(false);
    let store = world.store_on(hooked(move |operation| {
        if at(operation) && !done.swap(true, Ordering::Relaxed) {
            happens();
        }
        Ok(())
    }));
    let mut lease = store.lease().unwrap();
    let tree = add(&mut lease, &store);
    (lease, tree)
}

fn copies(operation: &Operation<'_>) -> bool {
    operation.kind == OperationKind::Copy
}

/// The look at the place of a copy, right before the copied directory is opened.
fn is_about_to_copy(operation: &Operation<'_>) -> bool {
    operation.kind == OperationKind::Stat && operation.path.as_path().ends_with("tree")
}

#[test]
fn a_tree_that_somebody_made_while_it_was_copied_is_used() {
    let world = with_one();
    let store = world.store();
    let other = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&other);
    let (lease, tree) = add_while(&world, copies, move || {
        let mut lease = store.lease().unwrap();
        let tree = add(&mut lease, &store).unwrap();
        *keep.lock().unwrap() = Some((lease, tree));
    });
    let (other, made) = other.lock().unwrap().take().unwrap();
    assert_eq!(tree.unwrap(), made);
    assert_eq!(world.trees(), [made.digest.hex()]);
    assert_eq!(world.leftovers(), "");
    release(lease);
    release(other);
}

#[test]
fn a_copy_that_goes_away_while_it_is_copied_is_refused() {
    for at in [copies, is_about_to_copy] {
        let world = with_one();
        let cache = world.sandbox.path("ch/plugins/cache/demo");
        let (lease, tree) = add_while(&world, at, move || {
            let disk = plugd_disk::Disk::new();
            plugd_disk::tree::remove_tree(&disk, &cache).unwrap();
        });
        let error = tree.unwrap_err();
        assert!(matches!(error, StoreError::Superseded { .. }), "{error}");
        assert_eq!((lease.digests().len(), world.trees().len()), (0, 0));
        assert_eq!(world.leftovers(), "");
    }
}

/// A copy whose file changes while it is copied is read again.
#[track_caller]
fn check_change(content: &'static str) {
    let world = with_one();
    let file = world.sandbox.path(format!("{CACHE}/1/plugin.json"));
    let (lease, leased) = add_while(&world, copies, move || {
        let disk = plugd_disk::Disk::new();
        disk.replace(&file, content.as_bytes(), 0o644).unwrap();
    });
    let leased = leased.unwrap();
    let expected = ONE.replace("json\n1\n", &format!("json\n{content}"));
    assert_eq!(tree(&leased.root), expected);
    assert_eq!(lease.digests(), &[leased.digest].into());
    // What was declared first costs a line in a file until the lease ends.
    assert_eq!(world.store().leased_digests().unwrap().len(), 2);
    assert_eq!(world.trees(), [leased.digest.hex()]);
    assert_eq!(world.leftovers(), "");
}

#[test]
fn a_copy_that_changes_while_it_is_copied_is_read_again() {
    check_change("longer\n");
    // Of the same size, so that only the content tells.
    check_change("7\n");
}

#[test]
fn a_tree_is_durable_before_it_has_its_name() {
    let world = with_one();
    let probe = RecordingProbe::new();
    let store = world.store_on(probe.disk());
    let mut lease = store.lease().unwrap();
    let leased = add(&mut lease, &store).unwrap();
    let operations = probe.operations();
    let at = |kind: OperationKind, what: &dyn Fn(&Recorded) -> bool| {
        let mut all = operations.iter().enumerate();
        let found = all.find(|(_, operation)| operation.kind == kind && what(operation));
        found.unwrap().0
    };
    let named = at(OperationKind::Rename, &|one| {
        one.other.as_ref() == Some(&leased.root)
    });
    for name in ["plugin.json", "only-in-one", "run"] {
        // By itself, or with the whole file system.
        let synced = at(OperationKind::SyncFile, &|one| {
            let path = one.path.as_path();
            path.ends_with(format!("tree/{name}")) || path.ends_with("tree")
        });
        assert!(synced < named, "{name}");
    }
    let trees = world.sandbox.layout().trees();
    let made_durable = operations[named..].iter();
    let mut made_durable = made_durable.filter(|one| one.kind == OperationKind::SyncDir);
    assert_eq!(made_durable.next().map(|one| &one.path), Some(&trees));
}

#[test]
fn who_makes_the_same_tree_at_the_same_time_shares_it() {
    let world = with_one();
    let start = Barrier::new(4);
    let (lease, start) = (Duration::from_secs(60), &start);
    let leases: Vec<_> = thread::scope(|scope| {
        let makers: Vec<_> = (0..4)
            .map(|_| {
                let store = world.store();
                scope.spawn(move || {
                    let mut held = store.lease().unwrap();
                    let copy = installed(&store);
                    start.wait();
                    let tree = held.add_tree(&copy, &AtEase, lease).unwrap();
                    (held, tree)
                })
            })
            .collect();
        makers.into_iter().map(|one| one.join().unwrap()).collect()
    });
    for (_, one) in &leases {
        assert_eq!(one, &leases[0].1);
    }
    assert_eq!(tree_of(&world, &leases[0].1.digest), ONE);
    assert_eq!(world.trees().len(), 1);
    assert_eq!(world.leftovers(), "");
    // Some find the lock taken; recovery does what they could not.
    drop(leases);
    world.store().recover(NO_PATIENCE).unwrap();
    assert_eq!(world.leases(), NOTHING);
}

/// Gives up at a step.
struct Until(AtomicI64);

impl Pace for Until {
    fn step(&self, _bytes: u64) -> bool {
        self.0.fetch_sub(1, Ordering::Relaxed) > 1
    }
}

#[test]
fn the_work_can_be_given_up_at_any_step() {
    for step in 1.. {
        let world = with_one();
        let store = world.store();
        let mut lease = store.lease().unwrap();
        let pace = Until(AtomicI64::new(step));
        let Err(error) = lease.add_tree(&installed(&store), &pace, NO_PATIENCE) else {
            assert!(step > 6, "only {step} steps");
            break;
        };
        let given_up = StoreError::Tree(TreeError::GivenUp).to_string();
        assert_eq!(error.to_string(), given_up);
        assert_eq!((lease.digests().len(), world.trees().len()), (0, 0));
        assert_eq!(world.leftovers(), "");
        add(&mut lease, &store).unwrap();
    }
}

#[test]
fn a_lock_that_is_held_is_named_and_costs_nothing() {
    let world = with_one();
    let store = world.store();
    let (mut lease, one) = leased(&world);
    upgrade(&world, "two", "2", 0);
    let lock = world.sandbox.layout().lock("store");
    let held = store.disk().lock(&lock, NO_PATIENCE).unwrap();
    let error = add(&mut lease, &store).unwrap_err();
    assert_eq!(error.held_lock(), Some(&lock));
    assert_eq!(lease.digests(), &[one.digest].into());
    assert_eq!(tree(&one.root), ONE);
    // The end of a lease does not wait for it either.
    let error = lease.release(NO_PATIENCE).unwrap_err();
    assert_eq!(error.held_lock(), Some(&lock));
    assert_eq!(store.leased_digests().unwrap(), [].into());
    drop(held);
    store.recover(NO_PATIENCE).unwrap();
    assert_eq!(world.trees(), NOTHING);
    assert_eq!(world.leases(), NOTHING);
    assert_eq!(world.leftovers(), "");
}
