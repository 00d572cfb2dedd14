//! What a transaction costs: how often it waits for the disk, counted.

use plugd_disk::tree::{AtEase, Digest, Limits};
use plugd_disk::{Disk, OperationKind};
use plugd_model::PluginPath;
use plugd_testkit::{RecordingProbe, Sandbox};
use pretty_assertions::assert_eq;

use crate::contents::tests as contents_tests;
use crate::fixture::{NO_PATIENCE, World, id, other};
use crate::{Store, StoreError};

/// Counts the syncs of files and of directories in the second run of something; the first one makes
/// the directories that stay. The edit of configuration has one of each.
#[track_caller]
fn check(
    before: fn(&World, &Store) -> Result<(), StoreError>,
    step: fn(&World, &Store) -> Result<(), StoreError>,
    expected: (usize, usize),
) {
    let world = World::new();
    world
        .sandbox
        .add("== one/a.md\na\n== one/skills/b/SKILL.md\nb\n== one/skills/c/SKILL.md\nc\n");
    let store = world.store();
    world.install(&store, "one", "1.0.0").unwrap();
    world.install(&store, "two", "2.0.0").unwrap();
    world.uninstall(&store).unwrap();
    before(&world, &store).unwrap();
    let probe = RecordingProbe::new();
    step(&world, &world.store_on(probe.disk())).unwrap();
    let count = |kind| probe.count(kind);
    let found = (
        count(OperationKind::SyncFile),
        count(OperationKind::SyncDir),
    );
    assert_eq!(found, expected);
}

fn install(world: &World, store: &Store) -> Result<(), StoreError> {
    world.install(store, "one", "1.0.0").map(drop)
}

fn upgrade(world: &World, store: &Store) -> Result<(), StoreError> {
    world.install(store, "two", "2.0.0").map(drop)
}

#[test]
fn an_installation_waits_for_the_disk_three_times_beside_its_configuration() {
    // The tree, the record and the journal with its name at once, and then the names of the other two.
    check(|_, _| Ok(()), install, (2, 3));
}

#[test]
fn an_installation_of_several_plugins_waits_once_more_than_one_of_one() {
    check(
        |_, _| Ok(()),
        |world, store| world.install_together(store),
        (2, 4),
    );
}

#[test]
fn an_upgrade_also_for_the_version_that_it_keeps() {
    check(install, upgrade, (2, 4));
}

#[test]
fn and_by_the_same_wait_for_the_version_that_goes() {
    let before = |world: &World, store: &Store| {
        for version in ["1.0.0", "1.1.0", "1.2.0"] {
            world.sandbox.write("one/a.md", version);
            world.install(store, "one", version)?;
        }
        assert_eq!(world.kept(), ["1.1.0", "1.0.0"]);
        Ok(())
    };
    let step = |world: &World, store: &Store| {
        upgrade(world, store)?;
        assert_eq!(world.kept(), ["1.2.0", "1.1.0"]);
        Ok(())
    };
    check(before, step, (2, 4));
}

#[test]
fn an_uninstallation_of_several_plugins_waits_once_more_than_one_of_one() {
    let before = |world: &World, store: &Store| {
        install(world, store)?;
        world.install_other(store)
    };
    check(
        before,
        |world, store| world.uninstall_together(store),
        (2, 4),
    );
}

#[test]
fn an_uninstallation_waits_for_the_disk_three_times_beside_its_configuration() {
    // The journal with its name and the way to the trash at once, and then the names of copy and record.
    check(install, |world, store| world.uninstall(store), (2, 3));
}

/// Whether a tree may go depends on everything there is, and that is looked at once however many go.
#[test]
fn versions_that_go_with_several_plugins_are_looked_for_once() {
    let world = World::new();
    let store = world.store();
    for version in ["1", "1.1", "1.2"] {
        for id in [id(), other()] {
            world.sandbox.add(&format!("== one/a.md\n{id} {version}\n"));
            let ready = world.ready(&store, &id, "one", version).unwrap();
            let locked = ready.lock(NO_PATIENCE).unwrap();
            locked.activate().unwrap().commit().unwrap();
        }
    }
    let before = world.trees();
    let probe = RecordingProbe::new();
    let watched = world.store_on(probe.disk());
    world.install_together(&watched).unwrap();
    let after = world.trees();
    let gone = before.iter().filter(|tree| !after.contains(tree));
    assert_eq!((before.len(), gone.count(), after.len()), (4, 2, 4));
    let trees = store.layout().trees();
    let operations = probe.operations().into_iter();
    let looks = operations.filter(|one| one.kind == OperationKind::List && one.path == trees);
    assert_eq!(looks.count(), 1);
}

const COPY: &str = "ch/plugins/cache/demo/hello/1.0.0";

/// A world with a copy of three files in a directory.
fn with_copy() -> World {
    let world = World::new();
    world
        .sandbox
        .add("== nested/sub/a\n1\n== nested/sub/b\n2\n== nested/sub/c\n3\n");
    world.install(&world.store(), "nested", "1.0.0").unwrap();
    world.sandbox.await_tick();
    world
}

/// How many files are read to tell what a copy holds that is to be replaced; its record is one of them.
#[track_caller]
fn check_replaced(touch: fn(&Sandbox), expected: usize) {
    let world = with_copy();
    touch(&world.sandbox);
    let probe = RecordingProbe::new();
    let store = world.store_on(probe.disk());
    let new = Digest::of_bytes(b"another");
    let found = store.predecessors(&id(), &new).unwrap();
    assert_eq!(probe.count(OperationKind::Read), expected);
    let copy = world.sandbox.path(COPY);
    let true_digest = world.store().source_digest(&copy, &AtEase).unwrap();
    assert_eq!(found[0].tree_digest, true_digest);
}

#[test]
fn a_copy_that_is_replaced_is_read_when_it_is_not_as_it_was_recorded() {
    check_replaced(|_| {}, 1);
    check_replaced(|home| home.write(&format!("{COPY}/sub/a"), "9\n"), 4);
    check_replaced(|home| home.write(&format!("{COPY}/mine"), ""), 5);
    check_replaced(|home| home.remove(&format!("{COPY}/sub/b")), 3);
    // The very files in another directory, which somebody else has made.
    check_replaced(
        |home| {
            home.rename(COPY, "aside");
            home.write(&format!("{COPY}/new"), "");
            home.remove(&format!("{COPY}/new"));
            home.rename("aside/sub", &format!("{COPY}/sub"));
        },
        4,
    );
}

/// A record that is not true, as after a change that no stamp tells of.
#[test]
fn a_record_is_not_believed_where_the_copy_would_be_lost_for_it_or_this_process_knows_better() {
    let world = with_copy();
    let store = world.store();
    let record = "ch/plugins/.plugd/installed/demo/hello.json";
    let copy = store.source_digest(&world.sandbox.path(COPY), &AtEase);
    let (copy, wrong, another) = (
        copy.unwrap(),
        Digest::of_bytes(b"wrong"),
        Digest::of_bytes(b"another"),
    );
    let text = world.sandbox.text(record);
    let old = format!("\"treeDigest\": \"{copy}\"");
    assert!(text.contains(&old));
    let text = text.replace(&old, &format!("\"treeDigest\": \"{wrong}\""));
    world.sandbox.write(record, world.sandbox.expand(&text));
    let found = |store: &Store, new| store.predecessors(&id(), new).unwrap()[0].tree_digest;
    assert_eq!(found(&world.store(), &another), wrong);
    // The new copy holds that already.
    assert_eq!(found(&world.store(), &wrong), copy);
    // Nobody has read the copy yet, and who has knows better.
    let later = contents_tests::store(&world.sandbox, Disk::new(), contents_tests::LATER);
    let content = later.content(&world.sandbox.path(COPY), &AtEase).unwrap();
    assert_eq!((content.digest, found(&later, &another)), (copy, copy));
    // A tree of that name is kept already.
    let trees = world.sandbox.layout().trees();
    let kept = trees.join(wrong.hex());
    let kept = kept.as_path().strip_prefix(world.sandbox.root()).unwrap();
    world
        .sandbox
        .write(kept.join("a").to_str().unwrap(), "kept");
    assert_eq!(found(&world.store(), &another), copy);
}

#[test]
fn a_copy_with_files_that_were_added_is_read_when_it_is_replaced() {
    let world = World::new();
    let store = world.store();
    let added = (
        PluginPath::parse("./.codex-plugin/plugin.json").unwrap(),
        b"{}".to_vec(),
    );
    let staged = store.begin(&id()).unwrap().stage(
        &world.sandbox.path("one"),
        &Limits::INSTALL,
        &[added],
        &AtEase,
    );
    assert_eq!(staged.unwrap().tree().stamps, None);
    assert!(world.stage(&store, "one").unwrap().tree().stamps.is_some());
}
