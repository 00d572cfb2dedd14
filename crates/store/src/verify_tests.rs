use pretty_assertions::assert_eq;

use plugd_disk::tree::AtEase;

use super::VerifyReport;
use crate::StoreError;
use crate::fixture::{NO_PATIENCE, World, id, installed};

const NONE: [&str; 0] = [];
const LIST: &str = "ch/plugins/.plugd/installed/demo/hello.files";
const ROOT: &str = "ch/plugins/cache/demo/hello/1";

/// A world whose installed copy has a true tree beside it, as after a lease, and no list of files.
fn with_a_tree() -> World {
    let world = World::new();
    let store = world.store();
    world.install(&store, "one", "1").unwrap();
    let mut lease = store.lease().unwrap();
    let leased = lease.add_tree(&installed(&store), &AtEase, NO_PATIENCE);
    leased.unwrap();
    lease.release(NO_PATIENCE).unwrap();
    world.sandbox.remove(LIST);
    world
}

fn verify(world: &World) -> VerifyReport {
    let store = world.store();
    store.verify(&installed(&store), &AtEase).unwrap()
}

/// After `items` were written into the copy it differs by these files: changed, missing, added.
#[track_caller]
fn check(items: &[&str], gone: &[&str], expected: [&[&str]; 3]) {
    let world = with_a_tree();
    for item in items {
        world.sandbox.add(&format!("== {ROOT}/{item}"));
    }
    for path in gone {
        world.sandbox.remove(&format!("{ROOT}/{path}"));
    }
    let report = verify(&world);
    assert!(!report.matches);
    assert!(report.compared_with.is_some());
    let found = [&report.changed, &report.missing, &report.added];
    assert_eq!(found, expected);
}

#[test]
fn each_file_is_named_without_another_tree() {
    let world = World::new();
    let store = world.store();
    world.install(&store, "one", "1").unwrap();
    world
        .sandbox
        .add(&format!("== {ROOT}/plugin.json\nother\n"));
    let report = verify(&world);
    assert_eq!(report.compared_with, Some(world.sandbox.path(LIST)));
    assert_eq!(report.changed, ["plugin.json"]);
    // A list that is not of the recorded content says nothing.
    world
        .sandbox
        .write(LIST, format!("f {} plugin.json\n", "0".repeat(64)));
    let report = verify(&world);
    assert_eq!((report.matches, report.compared_with), (false, None));
    world.uninstall(&store).unwrap();
    assert!(!world.sandbox.exists(LIST));
}

#[test]
fn each_file_that_differs_is_named() {
    check(&["plugin.json\nother\n"], &[], [&["plugin.json"], &[], &[]]);
    check(&["run (mode 644)\nrun\n"], &[], [&["run"], &[], &[]]);
    check(&[], &["only-in-one"], [&[], &["only-in-one"], &[]]);
    check(
        &["sub/b\nx\n", "log\nx\n"],
        &["run"],
        [&[], &["run"], &["log", "sub/b"]],
    );
}

#[test]
fn an_untouched_copy_matches() {
    let world = with_a_tree();
    let report = verify(&world);
    assert!(report.matches);
    assert_eq!(report.recorded, Some(report.found));
    assert_eq!(report.compared_with, None);
    let lists = [&report.changed, &report.missing, &report.added];
    assert_eq!(lists, [&NONE; 3]);
    assert_eq!(report.left_out, []);
}

#[test]
fn what_no_digest_sees_does_not_match() {
    for (item, left_out) in [
        ("pipe (fifo)\n", 1),
        ("out -> /etc\n", 1),
        (".git/config\nx\n", 0),
        ("run (mode 4755)\nrun\n", 0),
    ] {
        let world = with_a_tree();
        world.sandbox.add(&format!("== {ROOT}/{item}"));
        let report = verify(&world);
        assert!(!report.matches, "{item}");
        assert_eq!(report.recorded, Some(report.found), "{item}");
        assert_eq!(report.left_out.len(), left_out, "{item}");
    }
}

#[test]
fn without_a_true_tree_only_the_digests_tell() {
    let world = with_a_tree();
    world.sandbox.write(&format!("{ROOT}/plugin.json"), "other");
    let tree = verify(&world).compared_with.unwrap();
    let disk = plugd_disk::Disk::new();
    disk.write_new(&tree.join("added"), b"x", 0o644).unwrap();
    let report = verify(&world);
    assert!(!report.matches);
    assert_eq!(report.compared_with, None);
    assert_eq!(report.changed, NONE);
    assert_ne!(report.recorded, Some(report.found));
}

#[test]
fn a_copy_of_another_program_has_nothing_to_match() {
    let world = World::new();
    world.sandbox.add(&format!("== {ROOT}/plugin.json\n1\n"));
    let report = verify(&world);
    assert!(!report.matches);
    assert_eq!((report.recorded, report.compared_with), (None, None));
}

#[test]
fn what_is_remembered_of_files_does_not_count() {
    let world = with_a_tree();
    let century = std::time::Duration::from_secs(100 * 365 * 86_400);
    world.clock.advance(century);
    let probe = plugd_testkit::RecordingProbe::new();
    let store = world.store_on(probe.disk());
    let copy = installed(&store);
    let mut lease = store.lease().unwrap();
    lease.add_tree(&copy, &AtEase, NO_PATIENCE).unwrap();
    probe.reset();
    assert!(store.verify(&copy, &AtEase).unwrap().matches);
    let reads = probe.operations().into_iter();
    let reads = reads.filter(|one| one.kind == plugd_disk::OperationKind::Read);
    assert_eq!(
        reads.filter(|one| one.path.starts_with(&copy.root)).count(),
        3
    );
}

#[test]
fn a_copy_that_was_replaced_meanwhile_is_refused() {
    let world = with_a_tree();
    let store = world.store();
    let known = installed(&store);
    world.install(&store, "two", "1").unwrap();
    let error = store.verify(&known, &AtEase).unwrap_err();
    assert!(matches!(error, StoreError::Superseded { id: at } if at == id()));
}
