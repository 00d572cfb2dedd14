use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pretty_assertions::assert_eq;

use plugd_disk::OperationKind;
use plugd_disk::tree::{AtEase, Digest};
use plugd_testkit::{Recorded, RecordingProbe, tree};

use super::{Lease, LeasedTree};
use crate::fixture::{NO_PATIENCE, World, hooked, id, installed, retention};
use crate::{Store, StoreError};

pub(super) const NOTHING: [&str; 0] = [];
pub(super) const ONE: &str = "== only-in-one\nx\n== plugin.json\n1\n== run (mode 755)\nrun\n";
pub(super) const CACHE: &str = "ch/plugins/cache/demo/hello";

/// A world with the first version installed.
pub(super) fn with_one() -> World {
    let world = World::new();
    world.install(&world.store(), "one", "1").unwrap();
    world
}

pub(super) fn upgrade(world: &World, source: &str, version: &str, keep: usize) {
    let store = world.store();
    let new = world.new_install(source, version);
    let staged = world.stage(&store, source).unwrap();
    let seen = store.seen(&id()).unwrap();
    let active = staged.activate(new, &seen, &retention(keep), NO_PATIENCE);
    active.unwrap().commit().unwrap();
}

pub(super) fn add(lease: &mut Lease, store: &Store) -> Result<LeasedTree, StoreError> {
    lease.add_tree(&installed(store), &AtEase, NO_PATIENCE)
}

/// A lease over what is installed, by a store of its own.
pub(super) fn leased(world: &World) -> (Lease, LeasedTree) {
    let store = world.store();
    let mut lease = store.lease().unwrap();
    let tree = add(&mut lease, &store).unwrap();
    (lease, tree)
}

pub(super) fn release(lease: Lease) {
    lease.release(NO_PATIENCE).unwrap();
}

pub(super) fn tree_of(world: &World, digest: &Digest) -> String {
    tree(&world.sandbox.layout().trees().join(digest.hex()))
}

#[test]
fn a_leased_tree_is_a_copy_named_by_its_content() {
    let world = with_one();
    let copy = installed(&world.store());
    let (lease, leased) = leased(&world);
    let recorded = copy.record.unwrap().tree_digest;
    assert_eq!(
        leased,
        LeasedTree {
            root: world.sandbox.layout().trees().join(recorded.hex()),
            digest: recorded,
            as_recorded: true,
            left_out: Vec::new(),
        }
    );
    assert_eq!(tree(&leased.root), ONE);
    assert_eq!(lease.digests(), &[recorded].into());
    assert_eq!(world.store().leased_digests().unwrap(), [recorded].into());
    assert_eq!(world.leftovers().matches("==").count(), 0);
    // Neither is changed by writing into the other, in place.
    for (root, other) in [(&leased.root, &copy.root), (&copy.root, &leased.root)] {
        let disk = plugd_disk::Disk::new();
        let before = tree(other);
        disk.replace(&root.join("plugin.json"), b"written", 0o644)
            .unwrap();
        assert_eq!(tree(other), before);
    }
}

#[test]
fn copies_share_no_inode() {
    let world = with_one();
    let (_lease, leased) = leased(&world);
    let store = world.store();
    let stamp = |root: &plugd_model::AbsPath| {
        let path = root.join("plugin.json");
        store.disk().stamp(&path).unwrap().unwrap()
    };
    let copy = installed(&store);
    assert_ne!(stamp(&leased.root).inode, stamp(&copy.root).inode);
}

#[test]
fn nothing_changes_under_a_lease() {
    let world = with_one();
    let (lease, leased) = leased(&world);
    // Other content under the same version, then another version, then none.
    upgrade(&world, "two", "1", 0);
    assert_eq!(tree(&leased.root), ONE);
    upgrade(&world, "three", "3", 0);
    assert_eq!(tree(&leased.root), ONE);
    world.uninstall(&world.store()).unwrap();
    world.store().recover(NO_PATIENCE).unwrap();
    assert_eq!(tree(&leased.root), ONE);
    assert_eq!(world.trees(), [leased.digest.hex()]);
    release(lease);
    assert_eq!(world.trees(), NOTHING);
    assert_eq!(world.leases(), NOTHING);
    assert_eq!(world.leftovers(), "");
}

#[test]
fn with_the_last_lease_goes_what_only_leases_needed() {
    let world = with_one();
    let (first, tree_one) = leased(&world);
    let (second, _) = leased(&world);
    upgrade(&world, "two", "2", 0);
    release(first);
    assert_eq!(world.trees(), [tree_one.digest.hex()]);
    // What is dropped is released, and the dead go with it.
    world.sandbox.add("== ch/plugins/.plugd/leases/dead.lock\n");
    drop(second);
    assert_eq!(world.leases(), NOTHING);
    assert_eq!(world.trees(), NOTHING);
    // A kept version stays.
    let (lease, two) = leased(&world);
    upgrade(&world, "three", "3", 2);
    release(lease);
    assert_eq!(world.trees(), [two.digest.hex()]);
    assert_eq!(world.kept(), ["2"]);
    assert_eq!(world.leases(), NOTHING);
}

#[test]
fn the_tree_of_what_is_installed_waits_for_the_next_lease() {
    let world = with_one();
    let (lease, one) = leased(&world);
    release(lease);
    assert_eq!(world.trees(), [one.digest.hex()]);
    let (lease, again) = leased(&world);
    assert_eq!(again, one);
    release(lease);
    // It goes with the version, also when that is removed.
    upgrade(&world, "two", "2", 0);
    assert_eq!(world.trees(), NOTHING);
    let (lease, _) = leased(&world);
    release(lease);
    world.uninstall(&world.store()).unwrap();
    assert_eq!(world.trees(), NOTHING);
}

#[test]
fn the_second_lease_in_a_process_reads_and_writes_no_file_of_a_tree() {
    let world = with_one();
    // Files that changed in the last moments are not trusted by their stamps.
    world.clock.advance(Duration::from_secs(100 * 365 * 86_400));
    let probe = RecordingProbe::new();
    let store = world.store_on(probe.disk());
    let mut first = store.lease().unwrap();
    let tree = add(&mut first, &store).unwrap();
    // The tree that was made is read once, like one that somebody else has made.
    assert_eq!(add(&mut first, &store).unwrap(), tree);
    let mut second = store.lease().unwrap();
    probe.reset();
    assert_eq!(add(&mut second, &store).unwrap(), tree);
    let below = |operation: &Recorded| {
        let path = &operation.path;
        path.starts_with(&tree.root) || path.starts_with(&store.layout().cache())
    };
    let operations = probe.operations();
    let of_trees = operations.iter().filter(|one| below(one));
    let mut kinds: Vec<_> = of_trees.map(|operation| operation.kind).collect();
    kinds.sort();
    kinds.dedup();
    use OperationKind::{List, Resolve, Stat};
    assert_eq!(kinds, [Stat, List, Resolve]);
    assert_eq!(probe.count(OperationKind::Copy), 0);
    assert_eq!(probe.count(OperationKind::Lock), 1);
    // Nothing is written at all for what the lease holds already.
    probe.reset();
    assert_eq!(add(&mut second, &store).unwrap(), tree);
    assert!(probe.operations().iter().all(|one| !one.kind.mutates()));
}

#[test]
fn a_change_that_leaves_the_size_is_seen() {
    let world = with_one();
    world.clock.advance(Duration::from_secs(100 * 365 * 86_400));
    let store = world.store();
    let mut lease = store.lease().unwrap();
    let one = add(&mut lease, &store).unwrap();
    world
        .sandbox
        .write(&format!("{CACHE}/1/plugin.json"), "7\n");
    let changed = add(&mut lease, &store).unwrap();
    assert!(one.as_recorded && !changed.as_recorded);
    assert_ne!(changed.digest, one.digest);
    assert_eq!(tree(&changed.root), ONE.replace("json\n1", "json\n7"));
    assert_eq!(tree(&one.root), ONE);
    release(lease);
    // What was found there and never recorded is not wanted again.
    assert_eq!(world.trees(), [one.digest.hex()]);
}

#[test]
fn the_tree_of_a_recorded_content_goes_with_its_version_although_the_copy_was_changed() {
    let world = with_one();
    let (lease, one) = leased(&world);
    release(lease);
    world.sandbox.write(&format!("{CACHE}/1/log"), "x");
    assert_eq!(world.trees(), [one.digest.hex()]);
    upgrade(&world, "two", "2", 0);
    assert_eq!(world.trees(), NOTHING);
}

#[test]
fn a_foreign_copy_is_leased_as_it_is() {
    let world = World::new();
    world
        .sandbox
        .add(&format!("== {CACHE}/0.1/plugin.json\nforeign\n"));
    let (lease, leased) = leased(&world);
    assert!(!leased.as_recorded);
    assert_eq!(tree(&leased.root), "== plugin.json\nforeign\n");
    release(lease);
    assert_eq!(world.trees(), NOTHING);
}

#[test]
fn what_no_installation_leaves_behind_is_not_in_the_tree() {
    let world = with_one();
    world.sandbox.add(&format!(
        "== {CACHE}/1/link -> plugin.json\n== {CACHE}/1/out -> /etc\n== {CACHE}/1/.git/config\nx\n"
    ));
    let (_lease, leased) = leased(&world);
    assert_eq!(tree(&leased.root), format!("== link\n1\n{ONE}"));
    assert!(!leased.as_recorded);
    let told: Vec<_> = leased.left_out.iter().map(|told| &told.path).collect();
    assert_eq!(told, [&Some(world.sandbox.path(format!("{CACHE}/1/out")))]);
}

/// What is done to a tree by whoever runs in it.
const DAMAGE: [&str; 5] = [
    "/plugin.json\nother\n",
    "/__pycache__/a\nx\n",
    "/link -> plugin.json\n",
    "/run (mode 644)\nrun\n",
    "/run (mode 4755)\nrun\n",
];

fn damage(world: &World, root: &plugd_model::AbsPath, item: &str) {
    let root = root.as_path().strip_prefix(world.sandbox.root()).unwrap();
    world.sandbox.add(&format!("== {}{item}", root.display()));
}

#[test]
fn an_untrue_tree_is_made_anew_when_nobody_uses_it() {
    for item in DAMAGE {
        let world = with_one();
        let (lease, one) = leased(&world);
        release(lease);
        damage(&world, &one.root, item);
        let (_lease, again) = leased(&world);
        assert_eq!(again, one, "{item}");
        assert_eq!(tree(&again.root), ONE, "{item}");
        assert_eq!(world.trees(), [one.digest.hex()]);
        assert!(!world.leftovers().contains("plugin.json"));
    }
}

#[test]
fn a_tree_that_its_user_made_unreadable_is_made_anew() {
    let world = with_one();
    let (lease, one) = leased(&world);
    release(lease);
    let root = one.root.clone();
    let refused = AtomicBool::new(false);
    let store = world.store_on(hooked(move |operation| {
        if operation.kind == OperationKind::List && *operation.path == root {
            refused.store(true, Ordering::Relaxed);
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        // It is out of the way from here on.
        assert!(operation.kind != OperationKind::Copy || refused.load(Ordering::Relaxed));
        Ok(())
    }));
    damage(&world, &one.root, "/log\nx\n");
    let mut lease = store.lease().unwrap();
    assert_eq!(add(&mut lease, &store).unwrap(), one);
    assert_eq!(tree(&one.root), ONE);
}

/// Looking at the path without an id must be enough, also after a kill in between.
#[test]
fn of_several_untrue_trees_the_one_without_an_id_goes_last() {
    let world = with_one();
    let (lease, one) = leased(&world);
    release(lease);
    damage(&world, &one.root, "/log\nx\n");
    damage(&world, &one.root, ".0a/log\nx\n");
    let probe = RecordingProbe::new();
    let store = world.store_on(probe.disk());
    let mut lease = store.lease().unwrap();
    assert_eq!(add(&mut lease, &store).unwrap(), one);
    let trees = world.sandbox.layout().trees();
    let moved = probe.operations().into_iter();
    let moved = moved.filter(|one| one.kind == OperationKind::Rename);
    let moved: Vec<_> = moved
        .map(|one| one.path)
        .filter(|path| path.starts_with(&trees))
        .collect();
    let with_id = trees.join(format!("{}.0a", one.digest.hex()));
    assert_eq!(moved, [with_id, one.root.clone()]);
    assert_eq!(world.trees(), [one.digest.hex()]);
}

#[test]
fn an_untrue_tree_stays_under_those_who_use_it() {
    for item in DAMAGE {
        let world = with_one();
        let (mut first, one) = leased(&world);
        damage(&world, &one.root, item);
        let damaged = tree(&one.root);
        let (second, two) = leased(&world);
        assert_eq!(tree(&one.root), damaged, "{item}");
        assert_eq!((two.digest, tree(&two.root).as_str()), (one.digest, ONE));
        assert_ne!(two.root, one.root);
        // The first one too gets a true one now, and so does a third.
        assert_eq!(add(&mut first, &world.store()).unwrap(), two);
        let (third, three) = leased(&world);
        assert_eq!(three, two);
        assert_eq!(world.trees().len(), 2);

        upgrade(&world, "two", "2", 0);
        release(third);
        release(second);
        assert_eq!(tree(&one.root), damaged, "{item}");
        release(first);
        assert_eq!(world.trees(), NOTHING, "{item}");
        assert_eq!(world.leftovers(), "");
    }
}

#[test]
fn a_holder_does_not_lose_the_tree_that_it_spoiled_itself() {
    let world = with_one();
    let (mut lease, one) = leased(&world);
    damage(&world, &one.root, "/log\nx\n");
    let two = add(&mut lease, &world.store()).unwrap();
    assert_ne!(two.root, one.root);
    assert_eq!(tree(&one.root), format!("== log\nx\n{ONE}"));
    assert_eq!(tree(&two.root), ONE);
    release(lease);
    // The next one starts with one tree again.
    let (_lease, three) = leased(&world);
    assert_eq!(tree(&three.root), ONE);
}

#[test]
fn a_replaced_version_is_kept_beside_an_untrue_tree_in_use() {
    let world = with_one();
    let (lease, one) = leased(&world);
    damage(&world, &one.root, "/log\nx\n");
    upgrade(&world, "two", "2", 2);
    assert_eq!(tree(&one.root), format!("== log\nx\n{ONE}"));
    let kept = world.store().kept_tree(&one.digest).unwrap().unwrap();
    assert_eq!(tree(&kept), ONE);
    release(lease);
    assert_eq!(world.kept(), ["1"]);
    upgrade(&world, "three", "3", 1);
    assert_eq!(world.store().kept_tree(&one.digest).unwrap(), None);
    assert_eq!(world.trees().len(), 1);
}

#[test]
fn a_copy_that_was_replaced_meanwhile_is_refused() {
    let world = with_one();
    let store = world.store();
    let known = installed(&store);
    upgrade(&world, "two", "1", 0);
    let mut lease = store.lease().unwrap();
    let error = lease.add_tree(&known, &AtEase, NO_PATIENCE).unwrap_err();
    assert!(matches!(error, StoreError::Superseded { .. }), "{error}");
    world.uninstall(&store).unwrap();
    let error = lease.add_tree(&known, &AtEase, NO_PATIENCE).unwrap_err();
    assert!(matches!(error, StoreError::Superseded { .. }), "{error}");
    assert_eq!(world.trees(), NOTHING);
    assert_eq!(lease.digests().len(), 0);
}

#[test]
fn one_that_fails_spoils_no_other() {
    let world = with_one();
    let store = world.store();
    world.sandbox.add("== ch/plugins/cache/demo/other/1/x\n1\n");
    let old = installed(&store);
    upgrade(&world, "two", "2", 0);
    let (copies, _) = store.list().unwrap();
    let wanted = [copies[1].clone(), old, copies[0].clone()];
    let mut lease = store.lease().unwrap();
    let trees = lease.add_trees(&wanted, &AtEase, NO_PATIENCE).unwrap();
    let roots: Vec<_> = trees
        .iter()
        .map(|found| found.as_ref().map(|found| tree(&found.root)).ok())
        .collect();
    let other = "== x\n1\n".to_owned();
    let two = "== plugin.json\n2\n== sub/only-in-two\ny\n".to_owned();
    assert_eq!(roots, [Some(other), None, Some(two)]);
    assert_eq!(lease.digests().len(), 2);
}

#[test]
fn the_file_of_a_lease_keeps_what_it_does_not_know() {
    let world = with_one();
    let (mut lease, one) = leased(&world);
    let path = format!("ch/plugins/.plugd/leases/{}.json", lease.id());
    let json = |world: &World| -> serde_json::Value {
        serde_json::from_str(&world.sandbox.text(&path)).unwrap()
    };
    let digest = one.digest.to_string();
    let expected = serde_json::json!({"version": 1, "digests": [digest]});
    assert_eq!(json(&world), expected);
    world.sandbox.write(
        &path,
        format!("{{\"version\":1,\"digests\":[\"{digest}\"],\"who\":[1]}}"),
    );
    upgrade(&world, "two", "2", 0);
    add(&mut lease, &world.store()).unwrap();
    let found = json(&world);
    assert_eq!(found["who"], serde_json::json!([1]));
    assert_eq!(found["digests"].as_array().unwrap().len(), 2);
}

#[test]
fn kept_versions_can_be_leased() {
    let world = with_one();
    let digest = installed(&world.store()).record.unwrap().tree_digest;
    upgrade(&world, "two", "2", 2);
    let store = world.store();
    let mut lease = store.lease().unwrap();
    let none = Digest::of_bytes(b"none");
    let roots = lease
        .add_kept(&[none, digest], &AtEase, NO_PATIENCE)
        .unwrap();
    let root = store.tree_of(&digest);
    assert_eq!(roots, [None, Some(root.clone())]);
    assert_eq!(lease.digests(), &[digest].into());
    world.uninstall(&store).unwrap();
    assert_eq!(tree(&root), ONE);
    damage(&world, &root, "/log\nx\n");
    let roots = lease.add_kept(&[digest], &AtEase, NO_PATIENCE).unwrap();
    assert_eq!(roots, [None]);
    release(lease);
    assert_eq!(world.trees(), NOTHING);
}

#[test]
fn state_of_a_newer_program_is_left_alone() {
    let world = with_one();
    let (lease, one) = leased(&world);
    world.sandbox.write("ch/plugins/.plugd/version", "2\n");
    let error = world.store().lease().unwrap_err();
    assert!(matches!(error, StoreError::FormatTooNew { .. }), "{error}");
    let error = lease.release(NO_PATIENCE).unwrap_err();
    assert!(matches!(error, StoreError::FormatTooNew { .. }), "{error}");
    assert_eq!(world.leases().len(), 2);
    assert_eq!(tree(&one.root), ONE);
}
