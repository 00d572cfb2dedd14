use pretty_assertions::assert_eq;

use plugd_disk::tree::{AtEase, FileDigests};
use plugd_model::Source;

use crate::fixture::{NO_PATIENCE, World, id, is_recorded, version};
use crate::{Adoption, BoundSource, InstalledBy, Pin, StoreError};

fn adoption(world: &World) -> Adoption {
    let store = world.store();
    let installed = store.get(&id()).unwrap();
    let tree_digest = installed
        .as_ref()
        .map_or(FileDigests::default().digest(), |installed| {
            store.tree_digest(installed, &AtEase).unwrap().digest
        });
    Adoption {
        seen: store.seen(&id()).unwrap(),
        tree_digest,
        bound: BoundSource::Curated,
        source: Source::Local {
            path: world.sandbox.path("one"),
        },
        commit: None,
        source_digest: None,
    }
}

#[test]
fn a_foreign_copy_is_adopted_as_it_is() {
    let world = World::new();
    let store = world.store();
    world
        .sandbox
        .add("== ch/plugins/cache/demo/hello/1.0.0/x\n1\n");
    assert!(!is_recorded(&store.get(&id()).unwrap().unwrap()));
    let adopted = store.adopt(&id(), adoption(&world), NO_PATIENCE).unwrap();
    assert!(is_recorded(&adopted));
    assert_eq!(store.get(&id()).unwrap(), Some(adopted.clone()));
    let record = adopted.record.clone().unwrap();
    assert_eq!(record.by, InstalledBy::Adopted);
    assert_eq!(record.source_digest, None);
    assert_eq!(
        record.tree_digest,
        store.tree_digest(&adopted, &AtEase).unwrap().digest
    );
}

#[test]
fn a_recorded_copy_is_not_adopted() {
    let world = World::new();
    let store = world.store();
    let installed = world.install(&store, "one", "1.0.0").unwrap();
    let same = store.adopt(&id(), adoption(&world), NO_PATIENCE).unwrap();
    assert_eq!(same, installed);
}

#[test]
fn a_source_that_means_another_commit_is_noted() {
    let world = World::new();
    let store = world.store();
    let before = world.install(&store, "one", "1.0.0").unwrap();
    let seen = store.seen(&id()).unwrap();
    store.note_commit(&id(), &seen, "abc", NO_PATIENCE).unwrap();
    let record = store.record(&id()).unwrap().unwrap();
    assert_eq!(record.commit.as_deref(), Some("abc"));
    assert_eq!(record.tree_digest, before.record.unwrap().tree_digest);
    assert!(is_recorded(&store.get(&id()).unwrap().unwrap()));
    // Somebody installed another copy meanwhile.
    world.install(&store, "two", "1.0.0").unwrap();
    let late = store.note_commit(&id(), &seen, "abd", NO_PATIENCE);
    assert!(matches!(late, Err(StoreError::Superseded { .. })));
}

#[test]
fn pins_are_set_and_removed() {
    let world = World::new();
    let store = world.store();
    world.install(&store, "one", "1.0.0").unwrap();
    for pin in [
        Some(Pin {
            version: version("1.0.0"),
            commit: None,
            tree_digest: None,
            locks: Vec::new(),
        }),
        None,
        None,
    ] {
        let installed = store
            .set_pin(&id(), pin.clone(), &store.seen(&id()).unwrap(), NO_PATIENCE)
            .unwrap();
        assert_eq!(store.get(&id()).unwrap(), Some(installed.clone()));
        assert_eq!(installed.record.unwrap().pin, pin);
    }
}

#[test]
fn there_must_be_something_to_pin() {
    let world = World::new();
    let store = world.store();
    let error = store
        .set_pin(&id(), None, &store.seen(&id()).unwrap(), NO_PATIENCE)
        .unwrap_err();
    assert!(matches!(error, StoreError::NotInstalled { .. }), "{error}");
    let error = store
        .adopt(&id(), adoption(&world), NO_PATIENCE)
        .unwrap_err();
    assert!(matches!(error, StoreError::NotInstalled { .. }), "{error}");
    world
        .sandbox
        .add("== ch/plugins/cache/demo/hello/1.0.0/x\n1\n");
    let error = store
        .set_pin(&id(), None, &store.seen(&id()).unwrap(), NO_PATIENCE)
        .unwrap_err();
    assert!(matches!(error, StoreError::NotRecorded { .. }), "{error}");
}
