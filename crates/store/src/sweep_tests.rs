use std::time::Duration;

use pretty_assertions::assert_eq;

use plugd_disk::tree::Digest;
use plugd_model::ProblemKind;
use plugd_testkit::tree;

use crate::fixture::{NO_PATIENCE, World, id};

const NOTHING: [&str; 0] = [];
const STATE: &str = "ch/plugins/.plugd";
const UNNAMED: &str = "00000000000000000000000000000000000000000000000000000000000000aa";

/// A dead transaction that had committed.
fn with_remains(more: &str) -> World {
    let world = World::new();
    world.install(&world.store(), "one", "1").unwrap();
    world.install(&world.store(), "two", "2").unwrap();
    world.sandbox.add(&format!(
        "== {STATE}/journal/dead.lock\n== {STATE}/trees/{UNNAMED}/x\n1\n{more}"
    ));
    world
}

#[test]
fn trees_that_no_record_names_go_with_the_remains() {
    let world = with_remains(&format!("== {STATE}/trees/notes/x\nmine\n"));
    let recovered = world.store().recover(NO_PATIENCE).unwrap();
    assert_eq!(recovered, crate::Recovered::default());
    assert!(!world.sandbox.exists(&format!("{STATE}/trees/{UNNAMED}")));
    assert!(world.sandbox.exists(&format!("{STATE}/trees/notes/x")));
    assert_eq!(world.kept(), ["1"]);
    assert_eq!(world.leftovers(), "");
}

/// The lease of somebody who uses these trees.
fn lease_of(name: &str, digests: &str) -> String {
    format!(
        "== {STATE}/leases/{name}.lock\n== {STATE}/leases/{name}.json\n\
         {{\"version\": 1, \"digests\": [{digests}]}}\n"
    )
}

#[test]
fn trees_stay_while_somebody_living_leases_them() {
    let other = UNNAMED.replace("aa", "bb");
    let world = with_remains(&format!(
        "{}{}== {STATE}/trees/{other}/x\n1\n",
        lease_of("a", &format!("\"sha256:{UNNAMED}\"")),
        lease_of("b", &format!("\"sha256:{other}\"")),
    ));
    let lock = world.sandbox.path(format!("{STATE}/leases/a.lock"));
    let living = plugd_disk::Disk::new().try_lock(&lock).unwrap().unwrap();
    let leased = world.store().leased_digests().unwrap();
    assert_eq!(leased, [Digest::from_hex(UNNAMED).unwrap()].into());
    let recovered = world.store().recover(NO_PATIENCE).unwrap();
    assert_eq!(recovered, crate::Recovered::default());
    assert!(world.sandbox.exists(&format!("{STATE}/trees/{UNNAMED}")));
    assert!(!world.sandbox.exists(&format!("{STATE}/trees/{other}")));
    assert_eq!(world.leases(), ["a.json", "a.lock"]);
    assert_eq!(world.leftovers(), "");
    // Its process ends.
    drop(living);
    world.store().recover(NO_PATIENCE).unwrap();
    assert!(!world.sandbox.exists(&format!("{STATE}/trees/{UNNAMED}")));
    assert_eq!(world.leases(), NOTHING);
    assert_eq!(world.kept(), ["1"]);
}

#[test]
fn a_living_lease_that_cannot_be_understood_keeps_every_tree() {
    for (content, kind) in [
        ("{", ProblemKind::Syntax),
        ("{}", ProblemKind::Syntax),
        ("{\"version\": 2, \"digests\": []}", ProblemKind::Syntax),
        ("{\"version\": 1, \"digests\": [7]}", ProblemKind::Syntax),
        (
            "{\"version\": 1, \"digests\": [\"x\"]}",
            ProblemKind::Syntax,
        ),
    ] {
        let world = with_remains(&format!(
            "== {STATE}/leases/a.lock\n== {STATE}/leases/a.json\n{content}\n"
        ));
        let file = world.sandbox.path(format!("{STATE}/leases/a.json"));
        let lock = world.sandbox.path(format!("{STATE}/leases/a.lock"));
        let living = plugd_disk::Disk::new().try_lock(&lock).unwrap().unwrap();
        let recovered = world.store().recover(NO_PATIENCE).unwrap();
        let told = recovered.problems.iter();
        let told: Vec<_> = told.map(|told| (told.kind, told.path.clone())).collect();
        assert_eq!(told, [(kind, Some(file))], "{content}");
        assert!(world.sandbox.exists(&format!("{STATE}/trees/{UNNAMED}")));
        assert_eq!(world.leftovers(), "");
        // Who leaves it to itself loses nothing: with its end it is a dead one.
        drop(living);
        world.store().recover(NO_PATIENCE).unwrap();
        assert!(!world.sandbox.exists(&format!("{STATE}/trees/{UNNAMED}")));
        assert_eq!(world.leases(), NOTHING);
    }
}

#[test]
fn strays_among_the_leases_hinder_nobody() {
    for stray in ["note", "a.json/", "b.lock/", "c.json -> nowhere"] {
        let world = with_remains(&format!("== {STATE}/leases/{stray}\n"));
        let path = format!("{STATE}/leases/{}", stray.trim_end_matches(" -> nowhere"));
        let recovered = world.store().recover(NO_PATIENCE).unwrap();
        let told: Vec<_> = recovered.problems.iter().map(|told| &told.path).collect();
        assert_eq!(told, [&Some(world.sandbox.path(&path))], "{stray}");
        assert!(!world.sandbox.exists(&format!("{STATE}/trees/{UNNAMED}")));
        assert_eq!(world.leases().len(), 1, "{stray}");
    }
}

#[test]
fn half_written_leases_of_the_dead_go() {
    let world = World::new();
    world.install(&world.store(), "one", "1").unwrap();
    for left in [".plugd-0123", "a.json", "a.lock"] {
        world
            .sandbox
            .add(&format!("== {STATE}/leases/{left}\nhalf\n"));
        let recovered = world.store().recover(NO_PATIENCE).unwrap();
        assert_eq!(recovered, crate::Recovered::default(), "{left}");
        assert_eq!(world.leases(), NOTHING, "{left}");
    }
}

#[test]
fn remains_wait_for_the_lock() {
    let world = with_remains("");
    let lock = world.sandbox.layout().lock("store");
    let held = plugd_disk::Disk::new().lock(&lock, NO_PATIENCE).unwrap();
    let error = world.store().recover(NO_PATIENCE).unwrap_err();
    assert_eq!(error.held_lock(), Some(&lock));
    drop(held);
    // Nothing was swept that would have told of the tree.
    world.store().recover(NO_PATIENCE).unwrap();
    assert_eq!(world.unused_trees(), 0);
    assert_eq!(world.leftovers(), "");
}

#[test]
fn half_written_records_go() {
    let half = format!("{STATE}/installed/demo/.plugd-0123");
    let item = format!("== {half}\nhalf\n== {STATE}/installed/demo/.plugd-dir/x\n1\n");
    let world = with_remains(&item);
    world.store().recover(NO_PATIENCE).unwrap();
    assert!(!world.sandbox.exists(&half));
    let stranger = format!("{STATE}/installed/demo/.plugd-dir/x");
    assert!(world.sandbox.exists(&stranger));
    // Also without any remains, at the next record that is written there.
    world.sandbox.add(&item);
    world.install(&world.store(), "three", "3").unwrap();
    assert!(!world.sandbox.exists(&half));
}

#[test]
fn half_written_files_of_the_state_go_when_they_are_old() {
    let catalogs = "ch/cache/remote_plugin_catalog".to_owned();
    for dir in [STATE.to_owned(), format!("{STATE}/catalog"), catalogs] {
        let world = World::new();
        let (half, whole) = (format!("{dir}/.plugd-0123"), format!("{dir}/0123.json"));
        world.sandbox.add(&format!(
            "== {half}\nhalf\n== {whole}\n1\n== {STATE}/x\n1\n"
        ));
        world.store().recover(NO_PATIENCE).unwrap();
        assert!(world.sandbox.exists(&half), "{dir}");
        // A hundred years after the time of the tests every file is old.
        world.clock.advance(Duration::from_secs(100 * 365 * 86_400));
        world.store().recover(NO_PATIENCE).unwrap();
        assert!(!world.sandbox.exists(&half), "{dir}");
        assert!(world.sandbox.exists(&whole), "{dir}");
    }
}

#[test]
fn what_a_linked_directory_holds_is_not_swept() {
    let world = World::new();
    world.sandbox.add(&format!(
        "== elsewhere/.plugd-0123\n1\n== {STATE}/catalog -> $ROOT/elsewhere\n"
    ));
    world.clock.advance(Duration::from_secs(100 * 365 * 86_400));
    world.store().recover(NO_PATIENCE).unwrap();
    assert!(world.sandbox.exists("elsewhere/.plugd-0123"));
}

#[test]
fn a_link_in_the_place_of_a_transaction_is_removed_and_not_followed() {
    let world = World::new();
    world.sandbox.add(&format!(
        "== elsewhere/x\n1\n== {STATE}/staging/dead -> $ROOT/elsewhere\n\
         == {STATE}/trash/dead/link -> $ROOT/elsewhere\n"
    ));
    world.store().recover(NO_PATIENCE).unwrap();
    assert_eq!(tree(&world.sandbox.path("elsewhere")), "== x\n1\n");
    assert_eq!(world.leftovers(), "");
}

#[test]
fn strays_among_the_journals_hinder_nobody() {
    for stray in [
        "note/",
        "a.json/",
        "b.lock/",
        ".plugd-1/",
        "c.json -> nowhere",
    ] {
        let world = World::new();
        let item = format!("== {STATE}/journal/{stray}\n== {STATE}/staging/b/x\n1\n");
        world.sandbox.add(&item);
        let path = format!("{STATE}/journal/{}", stray.trim_end_matches(" -> nowhere"));
        let recovered = world.store().recover(NO_PATIENCE).unwrap();
        let found: Vec<_> = recovered
            .problems
            .iter()
            .map(|problem| (problem.kind, problem.path.clone().unwrap()))
            .collect();
        let expected = (ProblemKind::NotAFile, world.sandbox.path(&path));
        assert_eq!(found, [expected], "{stray}");
        world.install(&world.store(), "one", "1").unwrap();
        world.uninstall(&world.store()).unwrap();
        assert_eq!(world.store().get(&id()).unwrap(), None);
        assert!(world.sandbox.exists(path.trim_end_matches('/')), "{stray}");
        // Whose lock cannot be taken may be alive.
        let swept = !world.sandbox.exists(&format!("{STATE}/staging/b/x"));
        assert_eq!(swept, stray != "b.lock/", "{stray}");
    }
}
