use std::collections::BTreeSet;

use pretty_assertions::assert_eq;

use plugd_disk::Unsynced;
use plugd_testkit::tree;

use crate::fixture::{NO_PATIENCE, World, id, other};
use crate::{Removed, StoreError};

const NOTHING: BTreeSet<plugd_disk::tree::Digest> = BTreeSet::new();

#[test]
fn files_record_and_kept_versions_go_and_data_stays() {
    let world = World::new();
    let store = world.store();
    world.install(&store, "one", "1").unwrap();
    world.install(&store, "two", "2").unwrap();
    world.sandbox.add("== ch/plugins/data/hello-demo/file\nx\n");
    let pending = store.uninstall(&id(), NO_PATIENCE).unwrap();
    let removed = pending.commit(&NOTHING).unwrap().remove(0);
    assert!(removed.was_present);
    assert_eq!(removed.record.unwrap().version.as_str(), "2");
    assert_eq!(store.get(&id()).unwrap(), None);
    assert_eq!(
        tree(&world.sandbox.path("ch/plugins")).replace("$ROOT", ""),
        "== .plugd/installed/demo/\n== .plugd/journal/\n== .plugd/locks/store\n\
         == .plugd/staging/\n== .plugd/trash/\n== .plugd/trees/\n== .plugd/version\n1\n\
         == cache/demo/\n== data/hello-demo/file\nx\n"
    );
}

#[test]
fn what_is_not_installed_can_be_uninstalled() {
    let world = World::new();
    let store = world.store();
    for _ in 0..2 {
        let pending = store.uninstall(&id(), NO_PATIENCE).unwrap();
        let removed = pending.commit(&NOTHING).unwrap().remove(0);
        assert!(!removed.was_present && removed.record.is_none());
    }
    assert_eq!(world.leftovers(), "");
}

#[test]
fn of_a_link_only_the_link_goes() {
    for target in ["../../../../dev", "nowhere"] {
        let world = World::new();
        let link = format!("== ch/plugins/cache/demo/hello -> {target}\n");
        world.sandbox.add(&format!("== dev/1/x\n1\n{link}"));
        let store = world.store();
        let pending = store.uninstall(&id(), NO_PATIENCE).unwrap();
        assert!(pending.commit(&NOTHING).unwrap()[0].was_present);
        assert_eq!(world.sandbox.text("dev/1/x"), "1\n");
        assert_eq!(tree(&world.sandbox.layout().cache()), "== demo/\n");
        assert_eq!(world.leftovers(), "");
    }
}

#[test]
fn dropping_takes_the_configuration_back() {
    let world = World::new();
    let store = world.store();
    world.install(&store, "one", "1").unwrap();
    let old = world.state();
    let mut pending = store.uninstall(&id(), NO_PATIENCE).unwrap();
    let note = world.note("off");
    pending.journal_config(note, Unsynced::default()).unwrap();
    world.edit_config(&store, "off").unwrap();
    drop(pending);
    assert_eq!(world.state(), old);
    assert_eq!(world.leftovers(), "");

    let mut pending = store.uninstall(&id(), NO_PATIENCE).unwrap();
    let note = world.note("off");
    pending.journal_config(note, Unsynced::default()).unwrap();
    world.edit_config(&store, "off").unwrap();
    pending.roll_back().unwrap();
    assert_eq!(world.state(), old);
}

#[test]
fn what_changed_since_it_was_seen_is_not_removed() {
    let world = World::new();
    let store = world.store();
    world.install(&store, "one", "1").unwrap();
    let seen = store.seen(&id()).unwrap();
    world.install(&store, "two", "2").unwrap();
    let refused = store.uninstall_seen(&id(), &seen, NO_PATIENCE);
    assert!(matches!(
        refused.unwrap_err(),
        StoreError::Superseded { .. }
    ));
    assert_eq!(store.get(&id()).unwrap().unwrap().version.as_str(), "2");
    let seen = store.seen(&id()).unwrap();
    let pending = store.uninstall_seen(&id(), &seen, NO_PATIENCE).unwrap();
    assert!(pending.commit(&NOTHING).unwrap()[0].was_present);
    assert_eq!(store.get(&id()).unwrap(), None);
    assert_eq!(world.leftovers(), "");
}

#[test]
fn of_several_plugins_what_was_there_of_each_is_told() {
    let world = World::new();
    let store = world.store();
    world.install(&store, "one", "1").unwrap();
    world.install_other(&store).unwrap();
    let absent = plugd_model::PluginId::parse("absent@demo").unwrap();
    let held = store.hold_all(NO_PATIENCE).unwrap();
    let ids = [&other(), &absent, &id()];
    let pending = store.uninstall_together(held, &ids).unwrap();
    let removed = pending.commit(&NOTHING).unwrap();
    let version = |one: &Removed| Some(one.record.as_ref()?.version.to_string());
    let told: Vec<_> = removed
        .iter()
        .map(|one| (one.was_present, version(one)))
        .collect();
    let of = |version: &str| (true, Some(version.to_owned()));
    assert_eq!(told, [of("4"), (false, None), of("1")]);
    assert_eq!(store.list().unwrap(), (Vec::new(), Vec::new()));
    assert_eq!(world.leftovers(), "");
}

#[test]
fn several_plugins_of_which_one_cannot_go_all_stay() {
    let world = World::new();
    let store = world.store();
    world.install(&store, "one", "1").unwrap();
    world
        .sandbox
        .add("== ch/plugins/cache/demo/other\na file\n");
    let held = store.hold_all(NO_PATIENCE).unwrap();
    let refused = store.uninstall_together(held, &[&id(), &other()]);
    assert!(matches!(refused.unwrap_err(), StoreError::InTheWay { .. }));
    assert_eq!(store.get(&id()).unwrap().unwrap().version.as_str(), "1");
    assert_eq!(world.leftovers(), "");
}

/// A program that knows journals of one plugin only must not take it for one.
#[test]
fn a_journal_of_several_plugins_has_a_format_of_its_own() {
    let world = World::new();
    let store = world.store();
    world.install(&store, "one", "1").unwrap();
    world.install_other(&store).unwrap();
    let journal = || {
        let lines = tree(&world.sandbox.path("ch/plugins/.plugd/journal"));
        let text = lines.lines().find(|line| line.starts_with('{')).unwrap();
        serde_json::from_str::<serde_json::Value>(text).unwrap()
    };
    let ids = [id(), other()];
    for (ids, version) in [(&ids[..1], 1), (&ids[..], 2)] {
        let held = store.hold_all(NO_PATIENCE).unwrap();
        let ids: Vec<_> = ids.iter().collect();
        let mut pending = store.uninstall_together(held, &ids).unwrap();
        let note = world.note("off");
        pending.journal_config(note, Unsynced::default()).unwrap();
        assert_eq!(journal()["version"], version);
        let underway: Vec<_> = store.underway().unwrap().into_iter().collect();
        assert_eq!(underway.iter().collect::<Vec<_>>(), ids);
        pending.roll_back().unwrap();
    }
}
