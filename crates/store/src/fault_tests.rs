//! Every operation of every transaction fails once, and every transaction is killed at every
//! operation. What is left must be the old state or the new one.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};

use pretty_assertions::assert_eq;

use plugd_disk::tree::AtEase;
use plugd_disk::{Disk, Operation, OperationKind, Probe};
use plugd_testkit::{Fault, RecordingProbe, every_fault};

use crate::fixture::{NO_PATIENCE, World, id, remote_id};
use crate::{Store, StoreError};

type Step = fn(&World, &Store) -> Result<(), StoreError>;

fn nothing(_: &World, _: &Store) -> Result<(), StoreError> {
    Ok(())
}

fn install_one(world: &World, store: &Store) -> Result<(), StoreError> {
    world.install(store, "one", "1.0.0").map(drop)
}

/// The same version with other content.
fn install_one_changed(world: &World, store: &Store) -> Result<(), StoreError> {
    world.install(store, "two", "1.0.0").map(drop)
}

fn install_two(world: &World, store: &Store) -> Result<(), StoreError> {
    world.install(store, "two", "2.0.0").map(drop)
}

fn install_three(world: &World, store: &Store) -> Result<(), StoreError> {
    install_one(world, store)?;
    install_two(world, store)?;
    world.install(store, "three", "3.0.0").map(drop)
}

fn uninstall(world: &World, store: &Store) -> Result<(), StoreError> {
    world.uninstall(store)
}

fn prepared(before: Step) -> World {
    let world = World::in_memory();
    before(&world, &world.store()).unwrap();
    world
}

/// Runs `step` after `before` with each fault. After recovery the world is as it was or as it is
/// meant to be, nothing is left behind, and a second try gets there.
fn check(before: Step, step: Step, fault: fn(u64) -> Fault) {
    let world = prepared(before);
    let old = world.state();
    step(&world, &world.store()).unwrap();
    let new = world.state();
    assert_ne!(old, new);

    let faults = every_fault(fault, |number, probe| {
        let world = prepared(before);
        let result = step(&world, &world.store_on(probe.disk()));
        let failed = result.is_err();
        if !failed {
            assert_eq!(world.state(), new, "operation {number}");
        }

        let recovered = world.store().recover(NO_PATIENCE).unwrap();
        assert_eq!(recovered.problems, [], "operation {number}");
        assert_eq!(world.leftovers(), "", "operation {number}");
        assert_eq!(world.unused_trees(), 0, "operation {number}");
        let state = world.state();
        if state != new {
            assert_eq!(state, old, "operation {number}: {result:?}");
            assert!(failed, "operation {number}");
        }
        step(&world, &world.store()).unwrap();
        assert_eq!(world.state(), new, "operation {number}");
        assert_eq!(world.leftovers(), "", "operation {number}");
    });
    assert!(faults > 20, "only {faults} operations");
}

/// Where preparing a world is dear, only what changes something fails.
fn once_of_changes(number: u64) -> Fault {
    Fault::once(number).among(OperationKind::mutates)
}

fn check_both(before: Step, step: Step) {
    check(before, step, Fault::once);
    check(before, step, Fault::from);
}

#[test]
fn first_installation() {
    check_both(nothing, install_one);
}

#[test]
fn reinstallation_under_the_same_version() {
    check_both(install_one, install_one_changed);
}

#[test]
fn upgrade() {
    check_both(install_one, install_two);
}

#[test]
fn uninstallation() {
    check_both(install_one, uninstall);
}

#[test]
fn uninstallation_with_kept_versions() {
    check(install_three, uninstall, Fault::from);
    check(install_three, uninstall, once_of_changes);
}

fn install_both(world: &World, store: &Store) -> Result<(), StoreError> {
    install_one(world, store)?;
    world.install_other(store)
}

fn uninstall_together(world: &World, store: &Store) -> Result<(), StoreError> {
    world.uninstall_together(store)
}

/// All or none, and nobody sees one gone and the other there for good.
#[test]
fn an_uninstallation_of_several_plugins() {
    check(install_both, uninstall_together, Fault::once);
    check_changes(install_both, uninstall_together);
}

#[test]
fn recovery_of_an_uninstallation_of_several_plugins_can_be_killed_too() {
    check_every_recovery(install_both, uninstall_together);
}

fn install_together(world: &World, store: &Store) -> Result<(), StoreError> {
    world.install_together(store)
}

/// One of them new, and the other one in the place of an older version.
#[test]
fn an_installation_of_several_plugins() {
    check(install_one, install_together, Fault::once);
    check_changes(install_one, install_together);
    check_changes(install_both, install_together);
}

#[test]
fn recovery_of_an_installation_of_several_plugins_can_be_killed_too() {
    check_every_recovery(install_one, install_together);
}

/// The third version pushes the first one out, which goes after the commit.
#[test]
fn an_upgrade_with_more_versions_than_are_kept() {
    let install_four: Step = |world, store| world.install(store, "four", "4.0.0").map(drop);
    check(install_three, install_four, once_of_changes);
    check(install_three, install_four, |number| {
        Fault::from(number).among(OperationKind::mutates)
    });
}

fn upgraded(world: &World, store: &Store) -> Result<(), StoreError> {
    install_one(world, store)?;
    install_two(world, store)
}

fn roll_back(world: &World, store: &Store) -> Result<(), StoreError> {
    world.roll_back(store, "1.0.0")
}

/// Copy, record and pin come back together or not at all.
#[test]
fn a_rollback() {
    check_both(upgraded, roll_back);
}

#[test]
fn recovery_of_a_rollback_can_be_killed_too() {
    check_every_recovery(upgraded, roll_back);
}

#[test]
fn a_rollback_with_more_versions_than_are_kept() {
    check_changes(install_three, roll_back);
}

fn install_remote(world: &World, store: &Store) -> Result<(), StoreError> {
    world.install_remote(store, "one", "1.0.0", "r1").map(drop)
}

const SIDECAR: &str = "ch/plugins/cache/demo/hello/.codex-remote-plugin-install.json";

fn install_unmarked(world: &World, store: &Store) -> Result<(), StoreError> {
    install_remote(world, store)?;
    world.sandbox.remove(SIDECAR);
    Ok(())
}

/// With a mark that another program wrote in its own way.
fn install_marked_otherwise(world: &World, store: &Store) -> Result<(), StoreError> {
    install_remote(world, store)?;
    let text = r#"{"remote_plugin_id":"r1","schema_version":1}"#;
    world.sandbox.write(SIDECAR, text);
    Ok(())
}

fn mark_as_remote(_: &World, store: &Store) -> Result<(), StoreError> {
    let marked = store.set_remote_id(&id(), Some(&remote_id("r1")), NO_PATIENCE);
    marked.map(drop)
}

/// The mechanism is that of all installations; what is new is one more write.
fn check_changes(before: Step, step: Step) {
    check(before, step, once_of_changes);
    check(before, step, |number| {
        Fault::from(number).among(OperationKind::mutates)
    });
}

#[test]
fn a_remote_installation_and_its_upgrade() {
    check_changes(nothing, install_remote);
    check_changes(install_remote, |world, store| {
        world.install_remote(store, "two", "2.0.0", "r2").map(drop)
    });
}

#[test]
fn a_local_installation_over_a_remote_one() {
    check_changes(install_remote, install_two);
}

#[test]
fn a_remote_uninstallation() {
    check(install_remote, uninstall, Fault::from);
}

#[test]
fn a_sidecar_that_changes_alone() {
    check_both(install_unmarked, mark_as_remote);
    check_both(install_marked_otherwise, mark_as_remote);
    check_both(install_remote, |_, store| {
        store.set_remote_id(&id(), None, NO_PATIENCE).map(drop)
    });
}

/// A file system that cannot exchange directories.
struct NoExchange(Arc<RecordingProbe>);

impl Probe for NoExchange {
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        self.0.before(operation)?;
        match operation.kind {
            OperationKind::Exchange => Err(io::ErrorKind::Unsupported.into()),
            _ => Ok(()),
        }
    }
}

#[test]
fn an_upgrade_by_two_renames() {
    let old = prepared(install_one).state();
    let new = {
        let world = prepared(install_one);
        install_two(&world, &world.store()).unwrap();
        world.state()
    };
    let disk = |probe: Arc<RecordingProbe>| Disk::probed(Arc::new(NoExchange(probe)));
    for fault in [Fault::once, Fault::from] {
        every_fault(fault, |number, probe| {
            let world = prepared(install_one);
            let result = install_two(&world, &world.store_on(disk(Arc::clone(probe))));
            let store = world.store_on(disk(RecordingProbe::new()));
            let recovered = store.recover(NO_PATIENCE).unwrap();
            assert_eq!(recovered.problems, [], "operation {number}");
            assert_eq!(world.leftovers(), "", "operation {number}");
            let state = world.state();
            if result.is_ok() || state != old {
                assert_eq!(state, new, "operation {number}");
            }
            install_two(&world, &store).unwrap();
            assert_eq!(world.state(), new, "operation {number}");
        });
    }
}

#[test]
fn another_file_system_is_named() {
    let world = prepared(install_one);
    let old = world.state();
    let fault = Fault::once(1)
        .among(|kind| kind == OperationKind::Exchange)
        .with_error(io::ErrorKind::CrossesDevices);
    let probe = RecordingProbe::failing(fault);
    let error = install_two(&world, &world.store_on(probe.disk())).unwrap_err();
    assert!(
        matches!(error, StoreError::OtherFileSystem { .. }),
        "{error}"
    );
    assert_eq!(world.state(), old);
    assert_eq!(world.leftovers(), "");
}

/// A transaction that fails but whose process lives on has taken itself back, without recovery.
#[test]
fn what_fails_once_takes_itself_back() {
    let old = prepared(install_one).state();
    let new = {
        let world = prepared(install_one);
        install_two(&world, &world.store()).unwrap();
        world.state()
    };
    every_fault(Fault::once, |number, probe| {
        let world = prepared(install_one);
        let result = install_two(&world, &world.store_on(probe.disk()));
        let state = world.state();
        if result.is_err() && state != new {
            assert_eq!(state, old, "operation {number}");
        } else {
            assert_eq!(state, new, "operation {number}");
        }
    });
}

/// A reader that comes between a kill and the recovery sees one of the two trees as a whole.
#[test]
fn a_reader_never_sees_half_a_plugin() {
    let tree_of = |world: &World| {
        let store = world.store();
        let installed = store.get(&id()).unwrap().unwrap();
        store.tree_digest(&installed, &AtEase).unwrap()
    };
    let world = prepared(install_one);
    let old = tree_of(&world);
    install_two(&world, &world.store()).unwrap();
    let new = tree_of(&world);
    every_fault(Fault::from, |number, probe| {
        let world = prepared(install_one);
        let _ = install_two(&world, &world.store_on(probe.disk()));
        let seen = tree_of(&world);
        assert!(seen == old || seen == new, "operation {number}");
    });
}

/// Kills the recovery of a transaction that was killed at operation `number`, at every operation.
fn check_recovery(before: Step, step: Step, number: u64, old: &str, new: &str) {
    let killed = || {
        let world = prepared(before);
        let probe = RecordingProbe::failing(Fault::from(number));
        let _ = step(&world, &world.store_on(probe.disk()));
        world
    };
    every_fault(Fault::from, |second, probe| {
        let world = killed();
        let _ = world.store_on(probe.disk()).recover(NO_PATIENCE);
        let recovered = world.store().recover(NO_PATIENCE).unwrap();
        assert_eq!(recovered.problems, [], "{number}, {second}");
        assert_eq!(world.leftovers(), "", "{number}, {second}");
        assert_eq!(world.unused_trees(), 0, "{number}, {second}");
        let state = world.state();
        assert!(state == old || state == new, "{number}, {second}: {state}");
    });
}

fn check_every_recovery(before: Step, step: Step) {
    let world = prepared(before);
    let old = world.state();
    let probe = RecordingProbe::new();
    step(&world, &world.store_on(probe.disk())).unwrap();
    let new = world.state();
    // What has to be undone differs by what became visible, and only these make something visible.
    let visible = |kind| {
        use OperationKind::{Exchange, RemoveFile, Rename};
        matches!(kind, Exchange | RemoveFile | Rename)
    };
    for (index, operation) in probe.operations().iter().enumerate() {
        if visible(operation.kind) {
            // It happens, and the next one does not.
            let number = u64::try_from(index).unwrap() + 2;
            check_recovery(before, step, number, &old, &new);
        }
    }
}

#[test]
fn recovery_of_an_upgrade_can_be_killed_too() {
    check_every_recovery(install_one, install_two);
}

#[test]
fn recovery_of_an_uninstallation_can_be_killed_too() {
    check_every_recovery(install_one, uninstall);
}

#[test]
fn nothing_is_recovered_where_nothing_happened() {
    let world = World::in_memory();
    let probe = RecordingProbe::new();
    world.store_on(probe.disk()).recover(NO_PATIENCE).unwrap();
    assert_eq!(probe.operations().len(), 1);
    assert!(!world.sandbox.exists("ch/plugins"));
}

#[test]
fn looking_for_remains_costs_a_few_listings() {
    let world = prepared(install_three);
    // One version too many, so that the trash has been used too.
    world.install(&world.store(), "four", "4.0.0").unwrap();
    let probe = RecordingProbe::new();
    let store = world.store_on(probe.disk());
    assert_eq!(
        store.recover(NO_PATIENCE).unwrap(),
        crate::Recovered::default()
    );
    let expected = [(OperationKind::Stat, 3), (OperationKind::List, 4)];
    assert_eq!(probe.counts(), expected.into());
}

/// Makes the trees' directory impossible to sync, and notes what is removed of a transaction's places
/// nevertheless.
#[derive(Default)]
struct Unsettled {
    failed: Mutex<usize>,
    removed: Mutex<Vec<String>>,
}

impl Probe for Unsettled {
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        let path = operation.path.to_string();
        let mut failed = self.failed.lock().unwrap();
        if operation.kind == OperationKind::SyncDir && path.ends_with("/trees") {
            *failed += 1;
            return Err(io::ErrorKind::Other.into());
        }
        let is_removal = matches!(
            operation.kind,
            OperationKind::RemoveFile | OperationKind::RemoveDir
        );
        let in_places = path.contains("/staging/") || path.contains("/trash/");
        if *failed > 0 && is_removal && in_places {
            self.removed.lock().unwrap().push(path);
        }
        Ok(())
    }
}

/// As long as it is not durable that a tree has moved, nothing goes of the place that it was moved from
/// or to: not by whoever moved it, and not by a recovery either.
#[track_caller]
fn check_unsettled(before: Step, step: Step) {
    let world = prepared(before);
    let probe = Arc::new(Unsettled::default());
    let disk = Disk::probed(Arc::<Unsettled>::clone(&probe));
    let failed = || *probe.failed.lock().unwrap();
    let removed = || probe.removed.lock().unwrap().clone();
    // Whether it succeeds is not the question.
    let _ = step(&world, &world.store_on(disk.clone()));
    assert_eq!((failed() > 0, removed()), (true, Vec::new()));
    assert_ne!(world.leftovers(), "");
    let before = failed();
    world.store_on(disk).recover(NO_PATIENCE).unwrap();
    assert_eq!((failed() > before, removed()), (true, Vec::new()));
    assert_ne!(world.leftovers(), "");
    let kept = world.kept();
    world.store().recover(NO_PATIENCE).unwrap();
    assert_eq!((world.leftovers().as_str(), world.kept()), ("", kept));
}

#[test]
fn nothing_is_removed_before_moves_of_trees_are_durable() {
    check_unsettled(install_one, install_two);
    let three_times = |world: &World, store: &Store| {
        install_three(world, store)?;
        world.install(store, "one", "4.0.0").map(drop)
    };
    check_unsettled(three_times, install_two);
    check_unsettled(three_times, uninstall);
    check_unsettled(install_three, |world, store| {
        world.sandbox.remove("ch/plugins/.plugd/installed");
        store
            .remove_unused_trees(&BTreeSet::new(), NO_PATIENCE)
            .map(drop)
    });
}

#[test]
fn recovery_of_an_uninstallation_with_kept_versions_can_be_killed_too() {
    check_every_recovery(upgraded, uninstall);
}
