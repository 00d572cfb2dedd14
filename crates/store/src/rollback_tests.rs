//! What comes back with a kept version, and what is left alone.

use pretty_assertions::assert_eq;

use plugd_disk::tree::AtEase;

use crate::fixture::{NO_PATIENCE, World, id, installed, retention};
use crate::{Before, NewInstall, Record, StoreError};

fn record(world: &World) -> Record {
    world.store().record(&id()).unwrap().unwrap()
}

fn upgraded() -> World {
    let world = World::new();
    let store = world.store();
    for (source, version, commit) in [
        ("one", "1.0.0", "aaa"),
        ("two", "2.0.0", "bbb"),
        ("three", "3.0.0", "ccc"),
    ] {
        let new = NewInstall {
            commit: Some(commit.to_owned()),
            ..world.new_install(source, version)
        };
        let staged = world.stage(&store, source).unwrap();
        let seen = store.seen(&id()).unwrap();
        let active = staged.activate(new, &seen, &retention(2), NO_PATIENCE);
        active.unwrap().commit().unwrap();
    }
    world
}

#[test]
fn a_kept_version_knows_where_it_came_from() {
    let world = upgraded();
    let record = record(&world);
    let kept = record.kept.iter().map(|kept| {
        let origin = kept.origin.as_ref().unwrap();
        (
            kept.version.as_str(),
            origin.commit.as_deref(),
            origin.source_digest,
        )
    });
    let digest = |at: usize| Some(record.kept[at].tree_digest);
    assert_eq!(
        kept.collect::<Vec<_>>(),
        [
            ("2.0.0", Some("bbb"), digest(0)),
            ("1.0.0", Some("aaa"), digest(1))
        ]
    );
    let before = |at: usize| &record.kept[at].origin.as_ref().unwrap().before;
    let replaced = Before::Replaced {
        version: record.kept[0].version.clone(),
        tree_digest: record.kept[0].tree_digest,
    };
    assert_eq!(record.before, replaced);
    assert_eq!(before(1), &Before::Nothing);
    assert!(matches!(before(0), Before::Replaced { version, .. } if version.as_str() == "1.0.0"));
}

#[test]
fn what_comes_back_is_what_it_was() {
    let world = upgraded();
    let store = world.store();
    let was = record(&world).kept[0].clone();
    world.roll_back(&store, "2.0.0").unwrap();
    let now = record(&world);
    assert_eq!(installed(&store).version, was.version);
    assert_eq!(now.tree_digest, was.tree_digest);
    assert_eq!(
        now.source_digest,
        was.origin.as_ref().unwrap().source_digest
    );
    assert_eq!(now.before, was.origin.unwrap().before);
    assert_eq!(now.pin.unwrap().tree_digest, Some(was.tree_digest));
    assert_eq!(world.kept(), ["3.0.0", "1.0.0"]);
    assert!(store.verify(&installed(&store), &AtEase).unwrap().matches);
    assert_eq!(world.unused_trees(), 0);
}

#[test]
fn the_same_content_again_has_what_stood_there_before_it() {
    let world = upgraded();
    let store = world.store();
    let before = record(&world).before;
    world.install(&store, "three", "3.0.0").unwrap();
    assert_eq!(record(&world).before, before);
}

#[test]
fn a_copy_that_somebody_wrote_into_is_no_longer_what_was_copied() {
    let world = World::new();
    let store = world.store();
    let copy = world.install(&store, "one", "1.0.0").unwrap();
    let file = copy.root.join("written");
    store.disk().write_new(&file, b"x", 0o644).unwrap();
    world.install(&store, "two", "2.0.0").unwrap();
    let origin = record(&world).kept[0].origin.clone().unwrap();
    assert_eq!(origin.source_digest, None);
}

#[test]
fn a_leased_tree_stays_where_it_is() {
    let world = World::new();
    let store = world.store();
    let old = world.install(&store, "one", "1.0.0").unwrap();
    let mut lease = store.lease().unwrap();
    let leased = lease.add_tree(&old, &AtEase, NO_PATIENCE).unwrap();
    world.install(&store, "two", "2.0.0").unwrap();
    world.roll_back(&store, "1.0.0").unwrap();
    assert!(store.disk().stamp(&leased.root).unwrap().is_some());
    assert_eq!(installed(&store).version.as_str(), "1.0.0");
}

#[test]
fn what_is_no_longer_true_to_its_name_does_not_come_back() {
    let world = upgraded();
    let store = world.store();
    let (kept, root) = store.kept_versions(&id()).unwrap().remove(0);
    store
        .disk()
        .write_new(&root.join("added"), b"x", 0o644)
        .unwrap();
    let before = world.state();
    let error = world.roll_back(&store, "2.0.0").unwrap_err();
    assert!(matches!(error, StoreError::NotKept { .. }), "{error}");
    assert_eq!((world.state(), world.leftovers()), (before, String::new()));
    assert_eq!(kept.version.as_str(), "2.0.0");
}

/// The pin names it, so it stays where it came from.
#[test]
fn a_pinned_version_that_another_program_replaced_can_come_back() {
    let world = upgraded();
    let store = world.store();
    world.roll_back(&store, "2.0.0").unwrap();
    let pinned = record(&world).tree_digest;
    let newest = record(&world).kept[0].clone();
    world.sandbox.remove("ch/plugins/cache/demo/hello/2.0.0");
    world
        .sandbox
        .add("== ch/plugins/cache/demo/hello/3.0.0/plugin.json\n3\n");
    assert_eq!(world.kept(), ["2.0.0", "3.0.0", "1.0.0"]);
    let origin = record(&world).origin();
    world.roll_back(&store, "2.0.0").unwrap();
    assert_eq!(installed(&store).version.as_str(), "2.0.0");
    let now = record(&world);
    assert_eq!((now.tree_digest, now.commit), (pinned, origin.commit));
    // What the other program put there is what we had, and so it is known where it came from.
    assert_eq!(now.kept[0].tree_digest, newest.tree_digest);
    assert_eq!(now.kept[0].origin, newest.origin);
    assert_eq!(world.kept(), ["3.0.0", "1.0.0"]);
}
