use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use pretty_assertions::assert_eq;

use plugd_disk::tree::{AtEase, Digest};
use plugd_disk::{Disk, Operation, OperationKind, Probe};
use plugd_model::AbsPath;
use plugd_testkit::{RecordingProbe, tree};

use crate::fixture::{NO_PATIENCE, World, id, retention};
use crate::{Pin, PinChange, Retention, Store};

const NONE: [&str; 0] = [];

fn digest_of(world: &World, source: &str) -> Digest {
    let source = world.sandbox.path(source);
    world.store().source_digest(&source, &AtEase).unwrap()
}

fn install(world: &World, source: &str, version: &str, retention: &Retention) {
    let new = world.new_install(source, version);
    let seen = world.store().seen(&id()).unwrap();
    let staged = world.stage(&world.store(), source).unwrap();
    let active = staged.activate(new, &seen, retention, NO_PATIENCE).unwrap();
    active.commit().unwrap();
}

fn trees(store: &Store) -> usize {
    store
        .disk()
        .list(&store.layout().trees())
        .map_or(0, |trees| trees.len())
}

#[test]
fn the_last_versions_are_kept_by_their_content() {
    let world = World::new();
    install(&world, "one", "1", &retention(2));
    install(&world, "two", "2", &retention(2));
    assert_eq!(world.kept(), ["1"]);
    let root = world
        .store()
        .kept_tree(&digest_of(&world, "one"))
        .unwrap()
        .unwrap();
    assert_eq!(
        tree(&root),
        "== only-in-one\nx\n== plugin.json\n1\n== run (mode 755)\nrun\n"
    );
    install(&world, "three", "3", &retention(2));
    assert_eq!(world.kept(), ["2", "1"]);
    // Going back: what is installed again is no longer kept.
    install(&world, "two", "2", &retention(2));
    assert_eq!(world.kept(), ["3", "1"]);
    install(&world, "one", "1", &retention(1));
    assert_eq!(world.kept(), ["2"]);
    assert_eq!(trees(&world.store()), 1);
    install(&world, "two", "2", &retention(0));
    assert_eq!(world.kept(), NONE);
    assert_eq!(trees(&world.store()), 0);
}

#[test]
fn a_reinstallation_of_the_same_content_keeps_nothing() {
    let world = World::new();
    install(&world, "one", "1", &retention(2));
    install(&world, "one", "1", &retention(2));
    assert_eq!(world.kept(), NONE);
    assert_eq!(trees(&world.store()), 0);
}

#[test]
fn a_foreign_copy_is_kept_too_and_under_its_real_content() {
    let world = World::new();
    world
        .sandbox
        .add("== ch/plugins/cache/demo/hello/0.1/plugin.json\nforeign\n");
    install(&world, "one", "1", &retention(2));
    assert_eq!(world.kept(), ["0.1"]);
    // The plugin writes into its own directory.
    world
        .sandbox
        .write("ch/plugins/cache/demo/hello/1/log", "x");
    install(&world, "two", "2", &retention(2));
    assert_eq!(world.kept(), ["1", "0.1"]);
    for (kept, root) in world.store().kept_versions(&id()).unwrap() {
        let found = world.store().kept_tree(&kept.tree_digest).unwrap();
        assert_eq!(found, Some(root));
    }
}

#[test]
fn a_tree_that_no_longer_matches_its_name_is_not_used_and_is_replaced() {
    let world = World::new();
    install(&world, "one", "1", &retention(2));
    install(&world, "two", "2", &retention(2));
    let store = world.store();
    let digest = digest_of(&world, "one");
    let root = store.kept_tree(&digest).unwrap().unwrap();
    store
        .disk()
        .write_new(&root.join("added"), b"x", 0o644)
        .unwrap();
    assert_eq!(store.kept_tree(&digest).unwrap(), None);
    install(&world, "one", "1", &retention(2));
    install(&world, "two", "2", &retention(2));
    assert_eq!(store.kept_tree(&digest).unwrap(), Some(root));
}

#[test]
fn pinned_content_stays_beyond_the_limit() {
    let world = World::new();
    install(&world, "one", "1", &retention(1));
    let digest = digest_of(&world, "one");
    let pin = Pin {
        version: crate::fixture::version("1"),
        commit: None,
        tree_digest: Some(digest),
        locks: Vec::new(),
    };
    let store = world.store();
    store
        .set_pin(&id(), Some(pin), &store.seen(&id()).unwrap(), NO_PATIENCE)
        .unwrap();
    install(&world, "two", "2", &retention(1));
    install(&world, "three", "3", &retention(1));
    assert_eq!(world.kept(), ["2", "1"]);
    let mut new = world.new_install("two", "2");
    new.pin = PinChange::Clear;
    let staged = world.stage(&store, "two").unwrap();
    staged
        .activate(new, &store.seen(&id()).unwrap(), &retention(1), NO_PATIENCE)
        .unwrap()
        .commit()
        .unwrap();
    assert_eq!(world.kept(), ["3"]);
}

#[test]
fn protected_trees_outlive_their_plugin_until_they_are_collected() {
    let world = World::new();
    install(&world, "one", "1", &retention(2));
    install(&world, "two", "2", &retention(2));
    let store = world.store();
    let digest = digest_of(&world, "one");
    let leased = BTreeSet::from([digest]);
    let pending = store.uninstall(&id(), NO_PATIENCE).unwrap();
    pending.commit(&leased).unwrap();
    assert_eq!(trees(&store), 1);
    assert_eq!(store.unused_trees(&leased).unwrap(), []);
    assert_eq!(store.remove_unused_trees(&leased, NO_PATIENCE).unwrap(), []);

    let unused = store
        .remove_unused_trees(&BTreeSet::new(), NO_PATIENCE)
        .unwrap();
    assert_eq!(unused.len(), 1);
    assert_eq!((unused[0].digest, unused[0].bytes), (digest, 8));
    assert_eq!(trees(&store), 0);
    assert_eq!(world.leftovers(), "");
}

#[test]
fn a_leased_tree_stays_although_the_caller_does_not_name_it() {
    let world = World::new();
    install(&world, "one", "1", &retention(2));
    install(&world, "two", "2", &retention(2));
    let store = world.store();
    let digest = digest_of(&world, "one");
    let mut lease = store.lease().unwrap();
    let roots = lease.add_kept(&[digest], &AtEase, NO_PATIENCE).unwrap();
    let pending = store.uninstall(&id(), NO_PATIENCE).unwrap();
    pending.commit(&BTreeSet::new()).unwrap();
    assert_eq!(store.unused_trees(&BTreeSet::new()).unwrap(), []);
    let removed = store.remove_unused_trees(&BTreeSet::new(), NO_PATIENCE);
    assert_eq!(removed.unwrap(), []);
    assert_eq!(roots, [store.kept_tree(&digest).unwrap()]);
    drop(lease);
    assert_eq!(trees(&store), 0);
}

#[test]
fn a_tree_that_another_plugin_keeps_stays() {
    let world = World::new();
    install(&world, "one", "1", &retention(2));
    install(&world, "two", "2", &retention(2));
    let record = world
        .sandbox
        .text("ch/plugins/.plugd/installed/demo/hello.json");
    world
        .sandbox
        .write("ch/plugins/.plugd/installed/demo/other.json", record);
    let store = world.store();
    let pending = store.uninstall(&id(), NO_PATIENCE).unwrap();
    pending.commit(&BTreeSet::new()).unwrap();
    assert_eq!(trees(&store), 1);
    assert_eq!(store.unused_trees(&BTreeSet::new()).unwrap(), []);
}

/// What somebody else puts into an installed copy and no digest sees.
const UNSEEN: [&str; 5] = [
    "/link -> plugin.json\n",
    "/out -> /etc\n",
    "/pipe (fifo)\n",
    "/.git/config\nx\n",
    "/su (mode 4755)\nx\n",
];

#[test]
fn what_no_digest_sees_is_neither_clean_nor_kept() {
    for item in UNSEEN {
        let world = World::new();
        install(&world, "one", "1", &retention(2));
        let store = world.store();
        let clean = |world: &World| {
            let installed = world.store().get(&id()).unwrap().unwrap();
            let content = world.store().tree_digest(&installed, &AtEase).unwrap();
            content.clean
        };
        assert!(clean(&world));
        let root = "== ch/plugins/cache/demo/hello/1";
        world.sandbox.add(&format!("{root}{item}"));
        assert!(!clean(&world), "{item}");
        install(&world, "two", "2", &retention(2));
        assert_eq!(world.kept(), NONE, "{item}");
        assert_eq!(trees(&store), 0, "{item}");
        assert_eq!(world.leftovers(), "");
    }
}

#[test]
fn a_kept_tree_that_holds_what_no_digest_sees_is_not_used() {
    for item in UNSEEN {
        let world = World::new();
        install(&world, "one", "1", &retention(2));
        install(&world, "two", "2", &retention(2));
        let store = world.store();
        let digest = digest_of(&world, "one");
        assert!(store.kept_tree(&digest).unwrap().is_some());
        let root = format!("== ch/plugins/.plugd/trees/{}", digest.hex());
        world.sandbox.add(&format!("{root}{item}"));
        assert_eq!(store.kept_tree(&digest).unwrap(), None, "{item}");
    }
    // Nor is a link to a directory that holds the right content.
    let world = World::new();
    let digest = digest_of(&world, "one");
    let link = format!("== ch/plugins/.plugd/trees/{} -> $ROOT/one\n", digest.hex());
    world.sandbox.add(&link);
    assert_eq!(world.store().kept_tree(&digest).unwrap(), None);
}

/// Nothing tells recovery of the tree any more when its transaction is over.
#[test]
fn a_dropped_tree_is_durably_out_of_sight_before_it_is_removed() {
    let world = World::new();
    install(&world, "one", "1", &retention(2));
    install(&world, "two", "2", &retention(2));
    let probe = RecordingProbe::new();
    let store = world.store_on(probe.disk());
    let removal = store.uninstall(&id(), NO_PATIENCE).unwrap();
    removal.commit(&BTreeSet::new()).unwrap();
    drop(store);
    let operations = probe.operations();
    let trees = world.store().layout().trees();
    let moved = operations.iter().position(|operation| {
        operation.kind == OperationKind::Rename && operation.path.starts_with(&trees)
    });
    let next = &operations[moved.unwrap() + 1];
    assert_eq!((next.kind, &next.path), (OperationKind::SyncDir, &trees));
}

/// Refuses to move one tree.
struct Stuck(AbsPath);

impl Probe for Stuck {
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        match operation.kind == OperationKind::Rename && *operation.path == self.0 {
            true => Err(io::ErrorKind::PermissionDenied.into()),
            false => Ok(()),
        }
    }
}

/// One may be of another plugin in the same transaction.
#[test]
fn a_version_that_cannot_go_keeps_no_other_one() {
    for sources in [["one", "two"], ["two", "one"]] {
        let world = World::new();
        for (source, version) in [("one", "1"), ("two", "2"), ("three", "3")] {
            install(&world, source, version, &retention(2));
        }
        let [stuck, other] =
            sources.map(|source| world.store().tree_of(&digest_of(&world, source)));
        let probe = Arc::new(Stuck(stuck.clone()));
        let store = world.store_on(Disk::probed(probe));
        let removal = store.uninstall(&id(), NO_PATIENCE).unwrap();
        removal.commit(&BTreeSet::new()).unwrap();
        drop(store);
        let is_there = |tree| world.store().disk().link_stamp(tree).unwrap().is_some();
        assert_eq!([&stuck, &other].map(is_there), [true, false]);
    }
}
