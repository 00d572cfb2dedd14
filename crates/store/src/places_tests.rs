use std::collections::BTreeSet;

use pretty_assertions::assert_eq;

use plugd_disk::Kind;
use plugd_testkit::tree;

use crate::fixture::{NO_PATIENCE, World, id};
use crate::{Store, StoreError};

const CACHE: &str = "ch/plugins/cache";
const STATE: &str = "ch/plugins/.plugd";
/// A directory of somebody else, with what a careless store would take for its own.
const ELSEWHERE: &str = "== elsewhere/hello/1/x\n1\n== elsewhere/hello.json\n{}\n\
     == elsewhere/dead/x\n1\n== elsewhere/dead.lock\n";

/// What each change of the store says.
fn refusals(store: &Store) -> Vec<StoreError> {
    let seen = store.seen(&id()).unwrap();
    vec![
        store.begin(&id()).unwrap_err(),
        store.uninstall(&id(), NO_PATIENCE).unwrap_err(),
        store.hold(&id(), &seen, NO_PATIENCE).unwrap_err(),
        store
            .set_pin(&id(), None, &store.seen(&id()).unwrap(), NO_PATIENCE)
            .unwrap_err(),
    ]
}

/// With `item` at `path` every change names the path and what is there, and changes nothing.
#[track_caller]
fn check(path: &str, item: &str, expected: Kind) {
    let world = World::new();
    world.sandbox.add(ELSEWHERE);
    world.sandbox.add(&item.replace("PATH", path));
    let elsewhere = world.sandbox.tree("elsewhere");
    for error in refusals(&world.store()) {
        let StoreError::InTheWay { path: at, found } = &error else {
            panic!("{path}: {error}");
        };
        assert_eq!((at, *found), (&world.sandbox.path(path), expected));
        assert!(error.to_string().contains(expected.word()), "{error}");
    }
    // A recovery neither fails nor follows.
    world.store().recover(NO_PATIENCE).unwrap();
    assert_eq!(world.sandbox.tree("elsewhere"), elsewhere);
    assert!(world.sandbox.exists(path));
}

#[test]
fn a_link_where_a_directory_belongs_is_not_followed() {
    let link = "== PATH -> $ROOT/elsewhere\n";
    for path in [CACHE, &format!("{CACHE}/demo"), STATE] {
        check(path, link, Kind::Link);
    }
    for name in [
        "locks",
        "journal",
        "staging",
        "trash",
        "installed",
        "trees",
        "leases",
    ] {
        check(&format!("{STATE}/{name}"), link, Kind::Link);
    }
    check(&format!("{STATE}/installed/demo"), link, Kind::Link);
    check(
        &format!("{STATE}/installed/demo/hello.json"),
        link,
        Kind::Link,
    );
}

#[test]
fn a_file_where_a_directory_belongs_is_named() {
    let file = "== PATH\nmine\n";
    for path in ["ch/plugins", CACHE, STATE] {
        check(path, file, Kind::File);
    }
    check(&format!("{CACHE}/demo"), file, Kind::File);
    check(&format!("{STATE}/staging"), file, Kind::File);
    // It is not what an uninstallation removes.
    check(&format!("{CACHE}/demo/hello"), file, Kind::File);
    check(
        &format!("{CACHE}/demo/hello"),
        "== PATH (fifo)\n",
        Kind::Special,
    );
}

#[test]
fn a_directory_where_a_record_belongs_is_named() {
    let path = format!("{STATE}/installed/demo/hello.json");
    check(&path, "== PATH/\n", Kind::Dir);
}

#[test]
fn the_user_may_keep_all_plugins_elsewhere() {
    let world = World::new();
    world
        .sandbox
        .add("== big-disk/\n== ch/plugins -> $ROOT/big-disk\n");
    world.install(&world.store(), "one", "1").unwrap();
    assert!(world.sandbox.exists("big-disk/cache/demo/hello/1/run"));
}

#[test]
fn what_comes_into_the_way_after_the_beginning_is_seen_under_the_lock() {
    let world = World::new();
    let store = world.store();
    let seen = store.seen(&id()).unwrap();
    let staged = world.stage(&store, "one").unwrap();
    world.sandbox.add(&format!(
        "== elsewhere/\n== {CACHE}/demo -> $ROOT/elsewhere\n"
    ));
    let new = world.new_install("one", "1");
    let error = staged
        .activate(new, &seen, &crate::fixture::retention(2), NO_PATIENCE)
        .unwrap_err();
    assert!(matches!(error, StoreError::InTheWay { .. }), "{error}");
    assert_eq!(tree(&world.sandbox.path("elsewhere")), "");
    assert_eq!(world.leftovers(), "");
}

#[test]
fn an_undoing_does_not_go_through_a_link() {
    let world = World::new();
    let store = world.store();
    world.install(&store, "one", "1").unwrap();
    world.sandbox.add(&format!(
        "== {STATE}/journal/a.lock\n== {STATE}/trash/a/plugin/1/x\nold\n\
         == {STATE}/journal/a.json\n\
         {{\"version\":1,\"operation\":\"uninstall\",\"plugin\":\"hello@demo\",\"wasPresent\":true}}\n"
    ));
    world.sandbox.rename(CACHE, "aside");
    world.sandbox.add(&format!(
        "== elsewhere/\n== {CACHE}/demo -> $ROOT/elsewhere\n"
    ));
    let recovered = store.recover(NO_PATIENCE).unwrap();
    assert_eq!(recovered.problems.len(), 1);
    assert!(recovered.problems[0].message.contains("symbolic link"));
    assert_eq!(tree(&world.sandbox.path("elsewhere")), "");
    // What has to come back is still there.
    assert!(world.sandbox.exists(&format!("{STATE}/trash/a/plugin/1/x")));
    world.sandbox.remove(CACHE);
    assert_eq!(store.recover(NO_PATIENCE).unwrap().undone, [id()]);
    let place = format!("{CACHE}/demo/hello/1/x");
    assert_eq!(world.sandbox.text(&place), "old\n");
}

#[test]
fn a_format_can_be_checked_without_making_anything() {
    let world = World::new();
    let store = world.store();
    store.check_format().unwrap();
    assert!(!world.sandbox.exists("ch/plugins"));
    store.prepare_state().unwrap();
    store.prepare_state().unwrap();
    assert_eq!(tree(&world.sandbox.path(STATE)), "== version\n1\n");
    for (text, is_newer) in [("2\n", true), ("", false), ("x", false)] {
        world.sandbox.write(&format!("{STATE}/version"), text);
        for error in [store.check_format(), store.prepare_state()] {
            let error = error.unwrap_err();
            let newer = matches!(error, StoreError::FormatTooNew { found: 2, .. });
            let bad = matches!(error, StoreError::BadFormat { .. });
            assert!(if is_newer { newer } else { bad }, "{error}");
        }
    }
}

#[test]
fn a_linked_plugin_is_replaced_and_removed_as_a_link() {
    let world = World::new();
    world.sandbox.add(&format!(
        "== dev/1/x\n1\n== {CACHE}/demo/hello -> $ROOT/dev\n"
    ));
    let store = world.store();
    let pending = store.uninstall(&id(), NO_PATIENCE).unwrap();
    assert!(pending.commit(&BTreeSet::new()).unwrap()[0].was_present);
    assert_eq!(world.sandbox.text("dev/1/x"), "1\n");
    assert!(!world.sandbox.exists(&format!("{CACHE}/demo/hello")));
}

#[test]
fn leases_and_their_trees_are_not_kept_behind_a_link() {
    for name in ["leases", "trees"] {
        let world = World::new();
        world.install(&world.store(), "one", "1").unwrap();
        let place = format!("{STATE}/{name}");
        world.sandbox.add(&format!(
            "{ELSEWHERE}== {place} -> $ROOT/elsewhere\n== {STATE}/journal/dead.lock\n"
        ));
        let elsewhere = world.sandbox.tree("elsewhere");
        let error = world.store().lease().unwrap_err();
        let StoreError::InTheWay { path, found } = &error else {
            panic!("{name}: {error}");
        };
        assert_eq!((path, *found), (&world.sandbox.path(&place), Kind::Link));
        let leased = world.store().leased_digests();
        assert_eq!(leased.is_err(), name == "leases");
        let recovered = world.store().recover(NO_PATIENCE).unwrap();
        assert_eq!(recovered.problems.len(), 1, "{name}: {recovered:?}");
        assert_eq!(world.sandbox.tree("elsewhere"), elsewhere);
    }
}
