use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use pretty_assertions::assert_eq;

use plugd_disk::tree::{AtEase, Digest, remove_tree};
use plugd_disk::{Disk, Operation, OperationKind};
use plugd_testkit::{RecordingProbe, tree};

use super::{Gc, GcReport, Size, Unneeded};
use crate::fixture::{NO_PATIENCE, World, hooked, id, installed, retention, version};
use crate::{Pin, Store};

const STATE: &str = "ch/plugins/.plugd";

fn gc(keep: usize) -> Gc {
    Gc {
        dry_run: false,
        keep,
        protected: [].into(),
        forgettable: [].into(),
    }
}

fn size(files: u64, bytes: u64) -> Size {
    Size { files, bytes }
}

fn dry(gc: &Gc) -> Gc {
    Gc {
        dry_run: true,
        ..gc.clone()
    }
}

/// What is collected, dry and in earnest, with the number of trees that are left.
#[track_caller]
fn check(world: &World, gc: &Gc, expected: &[(&str, u64, Unneeded)], left: usize) -> GcReport {
    let before = tree(&world.sandbox.layout().state());
    let told = world.store().gc(&dry(gc), NO_PATIENCE).unwrap();
    assert_eq!(tree(&world.sandbox.layout().state()), before);
    let report = world.store().gc(gc, NO_PATIENCE).unwrap();
    assert_eq!(report, told);
    let mut expected: Vec<_> = expected
        .iter()
        .map(|(source, bytes, why)| (digest_of(world, source), *bytes, *why))
        .collect();
    expected.sort();
    let found = report.trees.iter();
    let found: Vec<_> = found
        .map(|tree| (tree.digest, tree.size.bytes, tree.why))
        .collect();
    assert_eq!(found, expected);
    assert_eq!(world.trees().len(), left);
    let of_trees: u64 = expected.iter().map(|(_, bytes, _)| bytes).sum();
    let rest = report.staging + report.trash;
    assert_eq!(report.freed, of_trees + rest.bytes);
    // Nothing is left for a second one.
    let again = world.store().gc(gc, NO_PATIENCE).unwrap();
    assert_eq!(again.freed, 0);
    assert_eq!(world.leftovers(), "");
    report
}

/// Every source has another content, so its name stands for it.
fn digest_of(world: &World, source: &str) -> Digest {
    let source = world.sandbox.path(source);
    world.store().content(&source, &AtEase).unwrap().digest
}

/// Three versions, of which two are kept.
fn with_three() -> World {
    let world = World::new();
    for (source, version) in [("one", "1"), ("two", "2"), ("three", "3")] {
        world.install(&world.store(), source, version).unwrap();
    }
    world
}

fn lease(store: &Store) -> crate::Lease {
    let mut lease = store.lease().unwrap();
    let tree = lease.add_tree(&installed(store), &AtEase, NO_PATIENCE);
    tree.unwrap();
    lease
}

#[test]
fn a_home_without_state_stays_without() {
    let world = World::new();
    let report = world.store().gc(&dry(&gc(0)), NO_PATIENCE).unwrap();
    assert_eq!(report, GcReport::default());
    assert!(!world.sandbox.exists("ch/plugins"));
}

#[test]
fn versions_beyond_the_limit_go() {
    let limit = |keep, expected: &[_], left| {
        let world = with_three();
        check(&world, &gc(keep), expected, left);
        assert_eq!(world.kept().len(), left);
    };
    limit(2, &[], 2);
    limit(1, &[("one", 8, Unneeded::TooMany)], 1);
    let both = [("one", 8, Unneeded::TooMany), ("two", 4, Unneeded::TooMany)];
    limit(0, &both, 0);
}

#[test]
fn pins_and_what_the_caller_protects_stay() {
    for by_content in [true, false] {
        let world = with_three();
        let pin = Pin {
            version: version("1"),
            commit: None,
            tree_digest: by_content.then(|| digest_of(&world, "one")),
            locks: Vec::new(),
        };
        let store = world.store();
        store
            .set_pin(&id(), Some(pin), &store.seen(&id()).unwrap(), NO_PATIENCE)
            .unwrap();
        check(&world, &gc(0), &[("two", 4, Unneeded::TooMany)], 1);
        assert_eq!(world.kept(), ["1"]);
    }
    let world = with_three();
    let gc = Gc {
        protected: [digest_of(&world, "two")].into(),
        ..gc(0)
    };
    check(&world, &gc, &[("one", 8, Unneeded::TooMany)], 1);
}

#[test]
fn leased_trees_stay_until_the_lease_is_over() {
    let world = with_three();
    let store = world.store();
    let lease = lease(&store);
    let all = [("one", 8, Unneeded::TooMany), ("two", 4, Unneeded::TooMany)];
    check(&world, &gc(0), &all, 1);
    lease.release(NO_PATIENCE).unwrap();
    let copy = [("three", 2, Unneeded::CopyOfInstalled)];
    check(&world, &gc(2), &copy, 0);
    // What is installed was never in question.
    assert_eq!(installed(&store).version.as_str(), "3");
}

#[test]
fn what_no_record_names_goes_and_strangers_stay() {
    let world = with_three();
    let unnamed = digest_of(&world, "four").hex();
    world.sandbox.add(&format!(
        "== {STATE}/trees/{unnamed}/plugin.json\n4\n== {STATE}/trees/{unnamed}.0a/x\n5\n\
         == {STATE}/trees/notes/x\nmine\n"
    ));
    let four = ("four", 2, Unneeded::Unnamed);
    let report = check(&world, &gc(2), &[four, four], 3);
    assert!(world.sandbox.exists(&format!("{STATE}/trees/notes/x")));
    let notes = world.sandbox.path(format!("{STATE}/trees/notes"));
    let told: Vec<_> = report.problems.iter().map(|one| &one.path).collect();
    assert_eq!(told, [&Some(notes)]);
}

#[test]
fn what_a_link_leads_to_is_not_counted() {
    let world = with_three();
    let unnamed = digest_of(&world, "four").hex();
    world.sandbox.add(&format!(
        "== elsewhere/x (size 1000)\n== {STATE}/trees/{unnamed} -> $ROOT/elsewhere\n\
         == {STATE}/trees/{unnamed}.0a/x\n5\n\
         == {STATE}/trees/{unnamed}.0a/.git/x\n5\n\
         == {STATE}/trees/{unnamed}.0a/same -> x\n"
    ));
    let row = |bytes| ("four", bytes, Unneeded::Unnamed);
    check(&world, &gc(2), &[row(0), row(4)], 2);
    assert!(world.sandbox.exists("elsewhere/x"));
}

#[test]
fn a_record_that_cannot_be_understood_keeps_what_it_names() {
    let world = with_three();
    let record = format!("{STATE}/installed/demo/hello.json");
    let text = world.sandbox.text(&record);
    let newer = text.replacen("\"version\": 1", "\"version\": 2", 1);
    assert_ne!(newer, text);
    world.sandbox.write(&record, newer);
    check(&world, &gc(0), &[], 2);
}

#[test]
fn what_the_dead_left_is_counted_and_goes() {
    let world = with_three();
    world.sandbox.add(&format!(
        "== {STATE}/staging/a/tree/x (size 100)\n== {STATE}/trash/a/plugin/x (size 20)\n\
         == {STATE}/trash/b/x (size 3)\n== {STATE}/journal/b.lock\n\
         == {STATE}/leases/c.lock\n== {STATE}/leases/c.json\n{{}}\n\
         == {STATE}/leases/d.json\n{{}}\n"
    ));
    // A living one is neither counted nor swept.
    let staged = world.stage(&world.store(), "four").unwrap();
    let living = staged.tree().root.clone();
    let before = tree(&world.sandbox.layout().state());
    let told = world.store().gc(&dry(&gc(2)), NO_PATIENCE).unwrap();
    assert_eq!(tree(&world.sandbox.layout().state()), before);
    let report = world.store().gc(&gc(2), NO_PATIENCE).unwrap();
    assert_eq!(report, told);
    let expected = GcReport {
        staging: size(1, 100),
        trash: size(2, 23),
        dead_leases: 2,
        leases: size(3, 6),
        freed: 129,
        ..GcReport::default()
    };
    assert_eq!(report, expected);
    assert_eq!(tree(&living), "== plugin.json\n4\n");
    drop(staged);
    assert_eq!(world.leftovers(), "");
    assert_eq!(world.leases().len(), 0);
}

#[test]
fn a_lock_that_is_held_is_named_and_a_dry_run_takes_none() {
    let world = with_three();
    let lock = world.sandbox.layout().lock("store");
    let _held = world.store().disk().lock(&lock, NO_PATIENCE).unwrap();
    let error = world.store().gc(&gc(0), NO_PATIENCE).unwrap_err();
    assert_eq!(error.held_lock(), Some(&lock));
    assert_eq!(world.trees().len(), 2);
    let probe = RecordingProbe::new();
    let told = world.store_on(probe.disk()).gc(&dry(&gc(0)), NO_PATIENCE);
    assert_eq!(told.unwrap().freed, 12);
    assert!(probe.operations().iter().all(|one| !one.kind.mutates()));
}

#[test]
fn what_an_interrupted_operation_would_bring_back_is_not_counted() {
    let world = with_three();
    world.sandbox.add(&format!(
        "== {STATE}/journal/bad.json\n{{\n== {STATE}/staging/bad/plugin/1/x\n1\n"
    ));
    let told = world.store().gc(&dry(&gc(2)), NO_PATIENCE).unwrap();
    assert_eq!(told, GcReport::default());
    let report = world.store().gc(&gc(2), NO_PATIENCE).unwrap();
    assert_eq!((report.freed, report.problems.len()), (0, 1));
    assert!(world.sandbox.exists(&format!("{STATE}/staging/bad")));
}

/// An installation that keeps nothing is killed at this operation, and what it left too.
fn killed_at(world: &World, is_last: impl Fn(&Operation<'_>) -> bool + Send + Sync + 'static) {
    let killed = AtomicBool::new(false);
    let store = world.store_on(hooked(move |operation| {
        if is_last(operation) || killed.load(Ordering::Relaxed) {
            killed.store(true, Ordering::Relaxed);
            return Err(io::Error::other("killed"));
        }
        Ok(())
    }));
    let seen = store.seen(&id()).unwrap();
    let staged = world.stage(&store, "four").unwrap();
    let new = world.new_install("four", "4");
    let active = staged.activate(new, &seen, &retention(0), NO_PATIENCE);
    active.and_then(|active| active.commit()).unwrap_err();
}

/// What the old record keeps must not go by one that is not written yet.
#[test]
fn interrupted_operations_are_undone_before_anything_is_judged() {
    let world = with_three();
    let record = world.sandbox.layout().record(&id());
    killed_at(&world, move |operation| {
        operation.kind == OperationKind::Rename && operation.other == Some(&record)
    });

    let report = world.store().gc(&gc(2), NO_PATIENCE).unwrap();
    assert_eq!((report.trees, report.problems), (vec![], vec![]));
    assert_eq!(installed(&world.store()).version.as_str(), "3");
    assert_eq!(world.kept(), ["2", "1"]);
    assert_eq!(world.leftovers(), "");
}

/// What the new record does not keep goes, when nothing of the installation was missing but its end.
#[test]
fn operations_that_were_complete_are_ended_before_anything_is_judged() {
    let world = with_three();
    killed_at(&world, |operation| {
        let journals = operation.path.as_path().parent().and_then(Path::file_name);
        operation.kind == OperationKind::RemoveFile
            && journals.is_some_and(|name| name == "journal")
            && operation.path.as_path().extension() == Some("json".as_ref())
    });
    let report = world.store().gc(&gc(2), NO_PATIENCE).unwrap();
    assert_eq!((report.trees.len(), report.problems), (2, vec![]));
    assert_eq!(installed(&world.store()).version.as_str(), "4");
    assert_eq!(world.kept(), [""; 0]);
    assert_eq!(world.leftovers(), "");
}

/// Another program has uninstalled it: neither copy nor configuration, and all that was kept of it.
#[test]
fn what_is_written_of_a_plugin_that_is_nowhere_goes_with_what_it_kept() {
    let world = with_three();
    let store = world.store();
    assert_eq!(store.records_without_copy().unwrap(), [].into());
    let gc = Gc {
        forgettable: [id()].into(),
        ..gc(2)
    };
    // A copy that is there keeps its record whatever the configuration says.
    check(&world, &gc, &[], 2);
    let layout = world.sandbox.layout();
    remove_tree(&Disk::new(), &layout.plugin_dir(&id())).unwrap();
    assert_eq!(store.records_without_copy().unwrap(), [id()].into());
    let written = [layout.record(&id()), layout.file_list(&id())];
    let bytes: u64 = written.iter().map(|path| store.size_of(path).bytes).sum();
    // As long as it is not said that it may go, it stays, with what it names.
    let kept = Gc {
        forgettable: [].into(),
        ..gc.clone()
    };
    assert_eq!(store.gc(&kept, NO_PATIENCE).unwrap(), GcReport::default());
    let told = store.gc(&dry(&gc), NO_PATIENCE).unwrap();
    let done = store.gc(&gc, NO_PATIENCE).unwrap();
    assert_eq!(done, told);
    assert_eq!(done.records.len(), 1);
    assert_eq!(done.records[0].size, size(2, bytes));
    let trees: Vec<_> = done.trees.iter().map(|tree| tree.why).collect();
    assert_eq!(trees, [Unneeded::Unnamed, Unneeded::Unnamed]);
    assert_eq!(done.freed, bytes + 12);
    assert_eq!(tree(&layout.records()), "");
    assert_eq!(store.gc(&gc, NO_PATIENCE).unwrap(), GcReport::default());
}

#[test]
fn a_pin_keeps_the_record_and_a_list_alone_goes() {
    let world = with_three();
    let store = world.store();
    let pin = Pin {
        version: version("1"),
        commit: None,
        tree_digest: None,
        locks: vec![world.sandbox.path("p/plugins.lock")],
    };
    let seen = store.seen(&id()).unwrap();
    store.set_pin(&id(), Some(pin), &seen, NO_PATIENCE).unwrap();
    let layout = world.sandbox.layout();
    remove_tree(&Disk::new(), &layout.plugin_dir(&id())).unwrap();
    let gc = Gc {
        forgettable: [id()].into(),
        ..gc(2)
    };
    assert_eq!(store.gc(&gc, NO_PATIENCE).unwrap(), GcReport::default());
    world
        .sandbox
        .add(&format!("== {STATE}/installed/x/y.files\nabc\n"));
    let done = store.gc(&gc, NO_PATIENCE).unwrap();
    assert_eq!((done.records.len(), done.freed), (1, 4));
    assert!(!world.sandbox.exists(&format!("{STATE}/installed/x")));
}

#[test]
fn files_that_were_never_finished_are_counted() {
    let world = with_three();
    let name = ".plugd-00000000000000aa";
    world.sandbox.add(&format!(
        "== {STATE}/installed/x/{name}\nabc\n== {STATE}/{name}\nyoung\n"
    ));
    let young = dry(&gc(2));
    assert_eq!(world.store().gc(&young, NO_PATIENCE).unwrap().freed, 4);
    world
        .clock
        .advance(std::time::Duration::from_secs(100 * 365 * 86_400));
    let told = world.store().gc(&young, NO_PATIENCE).unwrap();
    let done = world.store().gc(&gc(2), NO_PATIENCE).unwrap();
    assert_eq!(done, told);
    assert_eq!((done.half_written.len(), done.freed), (2, 10));
    assert_eq!(world.store().gc(&gc(2), NO_PATIENCE).unwrap().freed, 0);
}

#[test]
fn what_cannot_be_moved_is_told_and_the_rest_goes() {
    let world = with_three();
    let stuck = digest_of(&world, "one").hex();
    let suffix = format!("trees/{stuck}");
    let store = world.store_on(hooked(move |operation| {
        let refused =
            operation.kind == OperationKind::Rename && operation.path.as_path().ends_with(&suffix);
        match refused {
            true => Err(io::Error::other("no")),
            false => Ok(()),
        }
    }));
    let report = store.gc(&gc(0), NO_PATIENCE).unwrap();
    assert_eq!((report.trees.len(), report.freed), (1, 4));
    assert_eq!(report.problems.len(), 1);
    let path = world.sandbox.path(format!("{STATE}/trees/{stuck}"));
    assert_eq!(report.problems[0].path, Some(path));
}
