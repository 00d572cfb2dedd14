use std::io;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::sync::{Arc, Mutex};

use pretty_assertions::assert_eq;

use plugd_disk::{Disk, OperationKind};
use plugd_model::AbsPath;
use plugd_testkit::{Fault, RecordingProbe};

use crate::fixture::{NO_PATIENCE, World, hooked, id, version};
use crate::{Pin, Store, StoreError};

const STATE: &str = "ch/plugins/.plugd";

/// A world whose upgrade was killed right after the exchange.
fn killed() -> World {
    let upgrade = |probe: &Arc<RecordingProbe>| {
        let world = World::new();
        world.install(&world.store(), "one", "1.0.0").unwrap();
        let done = world.install(&world.store_on(probe.disk()), "two", "2.0.0");
        (world, done.is_ok())
    };
    let probe = RecordingProbe::new();
    assert!(upgrade(&probe).1);
    let exchange = probe
        .operations()
        .iter()
        .position(|operation| operation.kind == OperationKind::Exchange)
        .unwrap();
    // It happens, and the next operation does not; nothing can be taken back any more either.
    let fault = Fault::from(u64::try_from(exchange).unwrap() + 2);
    let (world, done) = upgrade(&RecordingProbe::failing(fault));
    assert!(!done);
    let version = world.store().get(&id()).unwrap().unwrap().version;
    assert_eq!(version.as_str(), "2.0.0");
    world
}

#[test]
fn the_journal_of_a_living_process_is_left_alone() {
    let world = World::new();
    let (store, other) = (world.store(), world.store());
    let staged = world.stage(&store, "one").unwrap();
    assert_eq!(
        other.recover(NO_PATIENCE).unwrap(),
        crate::Recovered::default()
    );
    // It is complete and can still be activated.
    let new = world.new_install("one", "1.0.0");
    let active = staged
        .activate(
            new,
            &store.seen(&id()).unwrap(),
            &crate::fixture::retention(2),
            NO_PATIENCE,
        )
        .unwrap();
    active.commit().unwrap();
}

#[test]
fn an_operation_finds_and_undoes_what_a_crash_left() {
    let world = killed();
    assert!(world.sandbox.exists(&format!("{STATE}/journal")));
    // Without a recovery: this daemon was running when the other one was killed. What it saw was
    // never committed, so nothing is built on it.
    let error = world.install(&world.store(), "three", "3.0.0").unwrap_err();
    assert!(matches!(error, StoreError::Superseded { .. }), "{error}");
    let now = world.store().get(&id()).unwrap().unwrap();
    assert_eq!(now.version.as_str(), "1.0.0");
    let installed = world.install(&world.store(), "three", "3.0.0").unwrap();
    assert_eq!(installed.version.as_str(), "3.0.0");
    assert_eq!(world.kept(), ["1.0.0"]);
}

#[test]
fn rubbish_is_swept() {
    let world = World::new();
    world.sandbox.add(&format!(
        "== {STATE}/staging/dead/tree/x\n1\n== {STATE}/trash/gone/plugin/x\n1\n\
         == {STATE}/journal/old.lock\n== {STATE}/journal/.plugd-0123\nhalf\n"
    ));
    let recovered = world.store().recover(NO_PATIENCE).unwrap();
    assert_eq!(recovered, crate::Recovered::default());
    assert_eq!(world.leftovers().replace("== ", ""), "");
}

#[test]
fn rubbish_that_still_grows_is_swept_when_it_has_stopped() {
    let swept = |times: u32| {
        let world = World::new();
        let dead = format!("{STATE}/staging/dead");
        world.sandbox.add(&format!("== {dead}/x\n1\n"));
        let dir = world.sandbox.path(dead);
        let left = AtomicU32::new(times);
        // What a helper process does that has outlived its own for a moment: it goes on writing.
        let disk = hooked(move |operation| {
            let is_end = operation.kind == OperationKind::RemoveDir && *operation.path == dir;
            let next = |left: u32| left.checked_sub(1);
            if is_end && let Ok(left) = left.fetch_update(Relaxed, Relaxed, next) {
                let late = dir.join(format!("late-{left}"));
                Disk::new().write_new(&late, b"", 0o600).unwrap();
            }
            Ok(())
        });
        world.store_on(disk).recover(NO_PATIENCE).unwrap();
        world.leftovers().replace("== ", "")
    };
    assert_eq!(swept(3), "");
    // One that does not stop is not waited for, and the next recovery finds it.
    assert!(swept(100).contains("dead/late"));
}

#[test]
fn a_journal_that_was_cut_on_its_way_to_the_disk_is_none() {
    for text in ["", "\0\0\0\0", "{\"version\":1,\"operation\":\"inst"] {
        let world = World::new();
        world
            .sandbox
            .add(&format!("== {STATE}/staging/cut/plugin/1/x\n1\n"));
        world
            .sandbox
            .write(&format!("{STATE}/journal/cut.json"), text);
        let recovered = world.store().recover(NO_PATIENCE).unwrap();
        assert_eq!(recovered, crate::Recovered::default());
        assert_eq!(world.leftovers(), "");
    }
}

/// Files that were removed, with their content.
type Removed = Mutex<Vec<(AbsPath, Vec<u8>)>>;
/// What is done, and its name.
type Step = (&'static str, fn(&World, &Store));

/// Does something whose journals come back after it, as after a loss of power.
fn with_journals_back(world: &World, what: impl FnOnce(&Store)) {
    let journals: Arc<Removed> = Arc::default();
    let seen = Arc::clone(&journals);
    let disk = hooked(move |operation| {
        let path = operation.path;
        let is_journal = path.as_path().extension() == Some("json".as_ref());
        if operation.kind == OperationKind::RemoveFile
            && is_journal
            && let Ok(bytes) = Disk::new().read(path, 1 << 20)
        {
            seen.lock().unwrap().push((path.clone(), bytes));
        }
        Ok(())
    });
    what(&world.store_on(disk));
    for (path, bytes) in journals.lock().unwrap().iter() {
        if path.parent() == Some(world.sandbox.layout().journals()) {
            Disk::new().write_new(path, bytes, 0o600).unwrap();
        }
    }
}

#[test]
fn a_journal_that_comes_back_finds_everything_done() {
    let world = World::new();
    let state = |world: &World| {
        let copy = world.store().get(&id()).unwrap();
        let copy = copy.map(|copy| copy.version.as_str().to_owned());
        (copy, world.kept(), world.sandbox.text("ch/config"))
    };
    let steps: [Step; 4] = [
        ("an installation", |world, store| {
            world.install(store, "one", "1.0.0").unwrap();
        }),
        ("an upgrade", |world, store| {
            world.install(store, "two", "2.0.0").unwrap();
        }),
        ("a pin that came after an upgrade", |world, store| {
            world.install(store, "three", "3.0.0").unwrap();
            let pin = Pin {
                version: version("3.0.0"),
                commit: None,
                tree_digest: None,
                locks: Vec::new(),
            };
            let seen = store.seen(&id()).unwrap();
            store.set_pin(&id(), Some(pin), &seen, NO_PATIENCE).unwrap();
        }),
        ("an uninstallation", |world, store| {
            world.uninstall(store).unwrap();
        }),
    ];
    for (what, step) in steps {
        with_journals_back(&world, |store| step(&world, store));
        let before = state(&world);
        let recovered = world.store().recover(NO_PATIENCE).unwrap();
        assert_eq!(recovered, crate::Recovered::default(), "{what}");
        assert_eq!(state(&world), before, "{what}");
        assert_eq!(world.leftovers(), "", "{what}");
    }
}

#[test]
fn what_somebody_sets_back_after_the_end_costs_no_copy() {
    let world = World::new();
    let copy = |world: &World| {
        let copy = world.store().get(&id()).unwrap();
        copy.map(|copy| copy.version.as_str().to_owned())
    };
    let steps: [Step; 3] = [
        ("an installation", |world, store| {
            world.install(store, "one", "1.0.0").unwrap();
        }),
        ("an upgrade", |world, store| {
            world.install(store, "two", "2.0.0").unwrap();
        }),
        ("an uninstallation", |world, store| {
            world.uninstall(store).unwrap();
        }),
    ];
    for (what, step) in steps {
        if what == "an upgrade" {
            world.sandbox.write("ch/config", "-\n");
        }
        let config = world.sandbox.text("ch/config");
        with_journals_back(&world, |store| step(&world, store));
        assert_ne!(world.sandbox.text("ch/config"), config, "{what}");
        let before = (copy(&world), world.kept());
        world.sandbox.write("ch/config", &config);
        let recovered = world.store().recover(NO_PATIENCE).unwrap();
        assert_eq!(recovered, crate::Recovered::default(), "{what}");
        assert_eq!((copy(&world), world.kept()), before, "{what}");
        assert_eq!(world.sandbox.text("ch/config"), config, "{what}");
        assert_eq!(world.leftovers(), "", "{what}");
    }
}

#[test]
fn an_upgrade_whose_end_was_killed_keeps_what_it_replaced() {
    let world = World::new();
    world.install(&world.store(), "one", "1.0.0").unwrap();
    let killed = AtomicBool::new(false);
    let store = world.store_on(hooked(move |operation| {
        let is_journal = operation.path.as_path().extension() == Some("json".as_ref());
        let is_end = operation.kind == OperationKind::RemoveFile && is_journal;
        match is_end || killed.load(Relaxed) {
            true => {
                killed.store(true, Relaxed);
                Err(io::Error::other("killed"))
            }
            false => Ok(()),
        }
    }));
    world.install(&store, "two", "2.0.0").unwrap_err();
    drop(store);
    let recovered = world.store().recover(NO_PATIENCE).unwrap();
    assert_eq!(recovered, crate::Recovered::default());
    let now = world.store().get(&id()).unwrap().unwrap();
    assert_eq!(now.version.as_str(), "2.0.0");
    assert_eq!(world.kept(), ["1.0.0"]);
    assert_eq!(world.leftovers(), "");
}

#[test]
fn a_journal_that_cannot_be_understood_stays_with_its_places() {
    let world = World::new();
    world.sandbox.add(&format!(
        "== {STATE}/journal/bad.json\n{{\n== {STATE}/staging/bad/plugin/1/x\n1\n"
    ));
    let recovered = world.store().recover(NO_PATIENCE).unwrap();
    assert_eq!(recovered.problems.len(), 1);
    let path = recovered.problems[0].path.clone();
    assert_eq!(
        path,
        Some(world.sandbox.path(format!("{STATE}/journal/bad.json")))
    );
    assert!(
        world
            .sandbox
            .exists(&format!("{STATE}/staging/bad/plugin/1/x"))
    );
    // Others go on.
    world.install(&world.store(), "one", "1.0.0").unwrap();
}

#[test]
fn what_cannot_be_undone_blocks_its_plugin_only() {
    let world = World::new();
    world.sandbox.add(&format!(
        "== {STATE}/journal/a.json\n\
         {{\"version\":1,\"operation\":\"install\",\"plugin\":\"hello@demo\",\"wasPresent\":false,\
         \"config\":[{{\"wrote\":\"w\",\"before\":\"b\"}}]}}\n"
    ));
    // The configuration cannot be read.
    world.sandbox.remove("ch/config");
    world.sandbox.add("== ch/config/\n");
    let store = world.store();
    let recovered = store.recover(NO_PATIENCE).unwrap();
    assert_eq!(recovered.problems.len(), 1);
    assert!(recovered.problems[0].message.contains("hello@demo"));
    let error = world.activate(&store, "one", "1.0.0").unwrap_err();
    assert!(matches!(error, StoreError::ConfigUndo { .. }), "{error}");
    let other = plugd_model::PluginId::parse("other@demo").unwrap();
    store
        .uninstall(&other, NO_PATIENCE)
        .unwrap()
        .roll_back()
        .unwrap();

    world.sandbox.remove("ch/config");
    world.sandbox.write("ch/config", "w");
    let recovered = store.recover(NO_PATIENCE).unwrap();
    assert_eq!(
        (recovered.undone, recovered.problems),
        (vec![id()], Vec::new())
    );
    assert_eq!(world.config(), "b");
}

#[test]
fn a_foreign_copy_that_came_after_the_crash_is_not_touched() {
    let world = killed();
    let root = "ch/plugins/cache/demo/hello";
    world.sandbox.remove(root);
    world.sandbox.add(&format!("== {root}/7.0.0/x\nforeign\n"));
    world.store().recover(NO_PATIENCE).unwrap();
    assert_eq!(world.sandbox.text(&format!("{root}/7.0.0/x")), "foreign\n");
    assert_eq!(world.leftovers(), "");
}
