use pretty_assertions::assert_eq;

use crate::fixture::{NO_PATIENCE, World, id, other};
use crate::{NotTogether, ReadyInstall, Store, StoreError};

fn both(world: &World, store: &Store) -> [ReadyInstall; 2] {
    [(id(), "two", "2"), (other(), "three", "3")]
        .map(|(id, source, version)| world.ready(store, &id, source, version).unwrap())
}

fn versions(store: &Store) -> Vec<String> {
    let (copies, problems) = store.list().unwrap();
    assert_eq!(problems, []);
    let copies = copies.into_iter();
    copies
        .map(|copy| format!("{} {}", copy.id, copy.version))
        .collect()
}

#[test]
fn several_copies_take_their_places_and_each_is_told_of() {
    let world = World::new();
    let store = world.store();
    world.install(&store, "one", "1").unwrap();
    let [first, second] = both(&world, &store);
    let held = store.hold_all(NO_PATIENCE).unwrap();
    let locked = store.lock_together(held, second, vec![first]).unwrap();
    assert_eq!(locked.ids().collect::<Vec<_>>(), [&other(), &id()]);
    let installed = locked.activate().unwrap().commit_all().unwrap();
    let told: Vec<_> = installed
        .into_iter()
        .map(|copy| copy.unwrap().version.to_string())
        .collect();
    assert_eq!(told, ["3", "2"]);
    assert_eq!(versions(&store), ["hello@demo 2", "other@demo 3"]);
    assert_eq!(world.kept(), ["1"]);
    assert_eq!(world.leftovers(), "");
}

#[test]
fn what_cannot_be_together_comes_back_and_goes_on_by_itself() {
    let world = World::new();
    let store = world.store();
    let [first, second] = both(&world, &store);
    // Somebody else was faster with one of them.
    world.install_other(&store).unwrap();
    let held = store.hold_all(NO_PATIENCE).unwrap();
    let refused = store.lock_together(held, first, vec![second]);
    let NotTogether { members, source } = refused.unwrap_err();
    assert!(matches!(source, StoreError::Superseded { id } if id == other()));
    let mut members = members.into_iter();
    let mut alone = || members.next().unwrap().lock(NO_PATIENCE);
    let locked = alone().unwrap();
    let again = locked.let_go().pop().unwrap().lock(NO_PATIENCE).unwrap();
    again.activate().unwrap().commit().unwrap();
    assert!(matches!(
        alone().unwrap_err(),
        StoreError::Superseded { .. }
    ));
    assert_eq!(versions(&store), ["hello@demo 2", "other@demo 4"]);
    assert_eq!(world.leftovers(), "");
}

#[test]
fn dropping_takes_all_of_them_back() {
    let world = World::new();
    let store = world.store();
    world.install(&store, "one", "1").unwrap();
    let old = world.state();
    let [first, second] = both(&world, &store);
    let held = store.hold_all(NO_PATIENCE).unwrap();
    let mut locked = store.lock_together(held, first, vec![second]).unwrap();
    locked.note_config(world.note("both"));
    let active = locked.activate().unwrap();
    assert_eq!(versions(&store), ["hello@demo 2", "other@demo 3"]);
    assert_eq!(store.underway().unwrap().len(), 2);
    world.edit_config(&store, "both").unwrap();
    drop(active);
    assert_eq!(world.state(), old);
    assert_eq!(world.leftovers(), "");
}
