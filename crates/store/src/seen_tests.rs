use pretty_assertions::assert_eq;

use plugd_disk::tree::AtEase;
use plugd_model::Source;

use crate::fixture::{NO_PATIENCE, World, id, retention};
use crate::{Adoption, BoundSource, Seen, Store, StoreError};

const ROOT: &str = "ch/plugins/cache/demo/hello";
const RECORD: &str = "ch/plugins/.plugd/installed/demo/hello.json";

fn seen(world: &World) -> Seen {
    let store = world.store();
    let seen = store.seen(&id()).unwrap();
    if let Some(installed) = store.get(&id()).unwrap() {
        assert_eq!(installed.seen, seen);
    }
    assert_eq!(world.store().seen(&id()).unwrap(), seen);
    seen
}

#[track_caller]
fn superseded<T: std::fmt::Debug>(result: Result<T, StoreError>) {
    let error = result.unwrap_err();
    assert!(matches!(error, StoreError::Superseded { .. }), "{error}");
}

/// After `change` the look is another one, and an installation that was decided before it changes
/// nothing.
#[track_caller]
fn check(change: impl Fn(&World, &Store)) {
    let world = World::new();
    let store = world.store();
    world.install(&store, "one", "1.0.0").unwrap();
    let before = seen(&world);
    let staged = world.stage(&store, "two").unwrap();
    change(&world, &store);
    assert_ne!(seen(&world), before);
    let state = world.state();
    let new = world.new_install("two", "2.0.0");
    superseded(staged.activate(new, &before, &retention(2), NO_PATIENCE));
    assert_eq!(world.state(), state);
    assert_eq!(world.leftovers(), "");
    superseded(store.hold(&id(), &before, NO_PATIENCE));
    drop(store.hold(&id(), &seen(&world), NO_PATIENCE).unwrap());
}

#[test]
fn what_others_do_shows() {
    check(|world, store| drop(world.install(store, "one", "1.0.0").unwrap()));
    check(|world, store| drop(world.install(store, "three", "3.0.0").unwrap()));
    check(|world, store| world.uninstall(store).unwrap());
    check(|world, _| world.sandbox.remove("ch/plugins/cache"));
    check(|world, _| world.sandbox.write(RECORD, "{}"));
    check(|world, _| world.sandbox.remove(RECORD));
    // Another program puts a copy in this place, under the same version and under another one.
    check(|world, _| {
        world.sandbox.rename(&format!("{ROOT}/1.0.0"), "old");
        let copy = format!("== {ROOT}/1.0.0/plugin.json\n1\n");
        world.sandbox.add(&copy);
    });
    check(|world, _| world.sandbox.add(&format!("== {ROOT}/9.0.0/x\n1\n")));
}

#[test]
fn an_installation_goes_on_when_nothing_happened() {
    let world = World::new();
    let store = world.store();
    for (source, version) in [("one", "1.0.0"), ("two", "2.0.0")] {
        let seen = seen(&world);
        let staged = world.stage(&store, source).unwrap();
        // Another plugin is none of its business.
        world.sandbox.add("== ch/plugins/cache/demo/other/1/x\n1\n");
        let new = world.new_install(source, version);
        let active = staged.activate(new, &seen, &retention(2), NO_PATIENCE);
        active.unwrap().commit().unwrap();
    }
}

#[test]
fn what_is_held_does_not_change() {
    let world = World::new();
    let store = world.store();
    world.install(&store, "one", "1.0.0").unwrap();
    let held = store.hold(&id(), &seen(&world), NO_PATIENCE).unwrap();
    let error = world.install(&world.store(), "two", "2").unwrap_err();
    assert_eq!(
        error.held_lock(),
        Some(&world.sandbox.layout().lock("store"))
    );
    drop(held);
    world.install(&store, "two", "2").unwrap();
}

fn adoption(world: &World) -> Adoption {
    let store = world.store();
    let installed = store.get(&id()).unwrap().unwrap();
    let content = store.tree_digest(&installed, &AtEase).unwrap();
    Adoption {
        bound: BoundSource::Curated,
        source: Source::Local {
            path: world.sandbox.path("one"),
        },
        commit: None,
        source_digest: None,
        tree_digest: content.digest,
        seen: installed.seen,
    }
}

#[test]
fn only_what_was_compared_is_adopted() {
    let world = World::new();
    let store = world.store();
    world.sandbox.add(&format!("== {ROOT}/1.0.0/x\n1\n"));
    // Its content changes, and then the copy itself.
    let compared = adoption(&world);
    world.sandbox.write(&format!("{ROOT}/1.0.0/x"), "2\n");
    superseded(store.adopt(&id(), compared, NO_PATIENCE));
    let compared = adoption(&world);
    world.sandbox.rename(&format!("{ROOT}/1.0.0"), "old");
    world.sandbox.add(&format!("== {ROOT}/1.0.0/x\n2\n"));
    superseded(store.adopt(&id(), compared, NO_PATIENCE));
    assert_eq!(store.record(&id()).unwrap(), None);
    store.adopt(&id(), adoption(&world), NO_PATIENCE).unwrap();
}

#[test]
fn a_record_outlives_its_copy() {
    let world = World::new();
    let store = world.store();
    assert_eq!(store.record(&id()).unwrap(), None);
    let installed = world.install(&store, "one", "1.0.0").unwrap();
    world.sandbox.remove("ch/plugins/cache");
    assert_eq!(store.get(&id()).unwrap(), None);
    assert_eq!(store.record(&id()).unwrap(), installed.record);
}

#[test]
fn a_record_that_is_none_stays_as_it_is() {
    let world = World::new();
    let store = world.store();
    world.sandbox.write(RECORD, "{ damaged");
    assert_eq!(store.record(&id()).unwrap(), None);
    assert_eq!(world.sandbox.text(RECORD), "{ damaged");
    world.sandbox.remove(RECORD);
    world.sandbox.add(&format!("== {RECORD}/\n"));
    assert_eq!(store.record(&id()).unwrap(), None);
    seen(&world);
}

#[test]
fn a_repair_is_recorded() {
    let world = World::new();
    let store = world.store();
    world.sandbox.add(&format!("== {ROOT}/1.0.0/x\n1\n"));
    let foreign = store.get(&id()).unwrap().unwrap();
    let content = store.tree_digest(&foreign, &AtEase).unwrap();
    let mut new = world.new_install("one", "1.0.0");
    new.repaired_from = Some(content.digest);
    let staged = world.stage(&store, "one").unwrap();
    let active = staged.activate(new, &foreign.seen, &retention(2), NO_PATIENCE);
    active.unwrap().commit().unwrap();
    let record = store.record(&id()).unwrap().unwrap();
    assert_eq!(record.repaired_from, Some(content.digest));
    // It belongs to that copy and not to the next one.
    world.install(&store, "two", "2.0.0").unwrap();
    let record = store.record(&id()).unwrap().unwrap();
    assert_eq!(record.repaired_from, None);
}
