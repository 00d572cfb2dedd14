//! When installed copies cost no look any more, and what ends that. Operations are counted, not timed.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use plugd_disk::{Disk, Operation, OperationKind, Probe};
use plugd_model::{Layout, RemotePluginId};
use plugd_testkit::{RecordingProbe, Sandbox};
use pretty_assertions::assert_eq;

use crate::contents::tests::{JUST_NOW, LATER, store};
use crate::fixture::{World, id, other};
use crate::{Store, sidecar};

const CACHE: &str = "ch/plugins/cache/demo";
const RECORDS: &str = "ch/plugins/.plugd/installed/demo";

/// Two installed plugins, and a store that was asked for them until they are vouched for.
struct Case {
    world: World,
    probe: Arc<RecordingProbe>,
    store: Store,
}

fn home() -> World {
    let world = World::new();
    world.install(&world.store(), "one", "1.0.0").unwrap();
    world.install_other(&world.store()).unwrap();
    world
}

fn dir() -> String {
    format!("{CACHE}/{}", id().plugin)
}

fn record() -> String {
    format!("{RECORDS}/{}.json", id().plugin)
}

/// The store's clock takes all for settled, so changes must not fall into one tick of the system's.
fn let_time_pass() {
    thread::sleep(Duration::from_millis(20));
}

/// What a store finds that remembers nothing.
fn check_listing(listing: &Store, sandbox: &Sandbox) {
    let fresh = store(sandbox, Disk::new(), JUST_NOW);
    assert_eq!(listing.list().unwrap(), fresh.list().unwrap());
}

impl Case {
    fn new() -> Self {
        let (world, probe) = (home(), RecordingProbe::new());
        let store = store(&world.sandbox, probe.disk(), LATER);
        let case = Self {
            world,
            probe,
            store,
        };
        case.settle();
        case
    }

    /// How many looks at plugins a listing takes that says what is there.
    fn looks(&self) -> usize {
        self.probe.reset();
        check_listing(&self.store, &self.world.sandbox);
        let all: usize = self.probe.counts().into_values().sum();
        // The cache and the marketplace are listed each time.
        all - 2
    }

    /// Lists until what may be watched is, and answers with the looks of a listing after that.
    fn settle(&self) -> usize {
        for _ in 0..2 {
            self.looks();
        }
        while self.store.watch_due(1) {}
        self.looks()
    }

    /// A change is seen at once, and nothing has to be looked at again when it has been.
    #[track_caller]
    fn check(&self, change: impl FnOnce(&Sandbox)) {
        self.check_seen(change);
        assert_eq!(self.settle(), AROUND);
    }

    #[track_caller]
    fn check_seen(&self, change: impl FnOnce(&Sandbox)) {
        let_time_pass();
        change(&self.world.sandbox);
        assert!(self.looks() > AROUND);
    }
}

/// Looks at the directories around plugins and around records.
const AROUND: usize = 2;

fn mark() -> (String, String) {
    let id = RemotePluginId::parse("one").unwrap();
    (
        format!("{}/{}", dir(), Layout::REMOTE_SIDECAR),
        sidecar::text(&id),
    )
}

#[test]
fn a_copy_that_is_asked_for_again_costs_no_look() {
    let case = Case::new();
    assert_eq!(case.looks(), AROUND);
    assert!(!case.store.has_due());
}

#[test]
fn nobody_waits_for_a_watch() {
    let (world, probe) = (home(), RecordingProbe::new());
    let store = store(&world.sandbox, probe.disk(), LATER);
    let due = || {
        store.list().unwrap();
        store.has_due()
    };
    // What was asked for once may never be asked for again.
    assert_eq!([due(), due()], [false, true]);
    assert!(store.watch_due(1));
    assert!(!store.watch_due(1));
    assert!(!due());
}

#[test]
fn every_change_is_seen() {
    let case = Case::new();
    let (dir, record) = (dir(), record());
    case.check(|home| home.write(&format!("{dir}/2.0.0/notes.md"), "two\n"));
    case.check(|home| home.remove(&format!("{dir}/2.0.0")));
    case.check(|home| {
        home.rename(&format!("{dir}/1.0.0"), "away");
        home.add(&format!("== {dir}/1.0.0/\n"));
    });
    // In place, and back where it was.
    let text = String::from_utf8(case.world.sandbox.bytes(&record)).unwrap();
    let other = text.replace("\"commit\": null", "\"commit\": \"abc\"");
    case.check(|home| home.write(&record, &other));
    case.check(|home| {
        home.write("record", &text);
        home.rename("record", &record);
    });
    case.check(|home| {
        home.remove(&dir);
        home.write(&format!("{dir}/3.0.0/notes.md"), "three\n");
    });
    case.check(|home| {
        home.rename(&dir, "old");
        home.write(&format!("{dir}/4.0.0/notes.md"), "four\n");
    });
}

/// The active version is empty, and then it is not.
#[test]
fn a_version_that_is_emptied_is_seen() {
    let case = Case::new();
    let version = format!("{}/1.0.0", dir());
    case.check(|home| {
        for file in ["plugin.json", "only-in-one", "run"] {
            home.remove(&format!("{version}/{file}"));
        }
    });
    case.check(|home| home.write(&format!("{version}/notes.md"), "back\n"));
}

#[test]
fn what_cannot_be_vouched_for_is_looked_at_each_time() {
    let case = Case::new();
    let (mark, text) = mark();
    case.check_seen(|home| home.write(&mark, text));
    assert!(case.settle() > AROUND);
    case.check(|home| home.remove(&mark));
    let record = record();
    let text = String::from_utf8(case.world.sandbox.bytes(&record)).unwrap();
    case.check_seen(|home| home.rename(&record, "record"));
    assert!(case.settle() > AROUND);
    case.check(|home| home.rename("record", &record));
    case.check_seen(|home| home.remove(&record));
    assert!(case.settle() > AROUND);
    case.check(|home| home.write(&record, text));
}

/// The way to a copy is not watched: what lies on it is another directory, of which nobody has told.
#[test]
fn what_lies_around_is_compared() {
    let case = Case::new();
    case.check_seen(|home| {
        home.rename(CACHE, "cache");
        home.write(&format!("{}/2.0.0/notes.md", dir()), "two\n");
    });
    let case = Case::new();
    case.check_seen(|home| {
        home.rename(RECORDS, "records");
        home.write(&record(), "no record");
    });
}

#[test]
fn an_installation_and_a_removal_are_seen() {
    let case = Case::new();
    let_time_pass();
    case.world.install(&case.store, "two", "2.0.0").unwrap();
    assert!(case.looks() > AROUND);
    assert_eq!(case.settle(), AROUND);
    case.world.uninstall(&case.store).unwrap();
    // The other one is as it was.
    assert_eq!(case.looks(), AROUND);
}

/// Changes something before one of the calls of the system.
struct Meddling {
    home: Sandbox,
    /// Before which one; zero before none.
    at: AtomicUsize,
    change: fn(&Sandbox),
    /// Asked right behind the change, as by another request.
    store: OnceLock<Store>,
}

impl Probe for Meddling {
    fn before(&self, _: &Operation<'_>) -> io::Result<()> {
        let left = self.at.load(Ordering::Relaxed);
        self.at.store(left.saturating_sub(1), Ordering::Relaxed);
        if left == 1 {
            (self.change)(&self.home);
            if let Some(store) = self.store.get() {
                store.list().unwrap();
            }
        }
        Ok(())
    }
}

#[test]
fn a_change_while_a_watch_begins_is_seen() {
    let changes: [fn(&Sandbox); 3] = [
        |home| home.write(&format!("{}/2.0.0/notes.md", dir()), "two\n"),
        |home| home.write(&record(), "no record"),
        // Another directory, which holds the same plugin.
        |home| {
            home.rename(CACHE, "old");
            home.rename("new", CACHE);
        },
    ];
    for change in changes {
        // Two looks around, three watches, two looks around again and four stamps.
        for at in 1..=11 {
            for asks in [false, true] {
                check_meddling(change, at, asks);
            }
        }
    }
}

#[track_caller]
fn check_meddling(change: fn(&Sandbox), at: usize, asks: bool) {
    let world = home();
    world.sandbox.remove(&format!("{CACHE}/{}", other().plugin));
    let same = world.sandbox.tree(CACHE).replace("== ", "== new/");
    world.sandbox.add(&same);
    let meddling = Arc::new(Meddling {
        home: world.sandbox.clone(),
        at: AtomicUsize::new(0),
        change,
        store: OnceLock::new(),
    });
    let store = store(&world.sandbox, Disk::probed(meddling.clone()), LATER);
    for _ in 0..2 {
        store.list().unwrap();
    }
    if asks {
        meddling.store.set(store.clone()).ok().unwrap();
    }
    let_time_pass();
    meddling.at.store(at, Ordering::Relaxed);
    store.watch_due(1);
    assert_eq!(meddling.at.swap(0, Ordering::Relaxed), 0);
    for round in 0..2 {
        check_listing(&store, &world.sandbox);
        while store.watch_due(1) {}
        // What is there now is what is looked at.
        let notes = format!("{}/9.{round}.0/notes.md", dir());
        world.sandbox.write(&notes, "nine\n");
        check_listing(&store, &world.sandbox);
    }
}

#[test]
fn what_is_not_listed_any_more_is_not_watched() {
    let case = Case::new();
    let vigil = || format!("{:?}", case.store.disk().vigil());
    assert_eq!(vigil(), "Vigil { watches: 6 }");
    case.world.sandbox.rename(CACHE, "away");
    case.store.list().unwrap();
    assert_eq!(vigil(), "Vigil { watches: 0 }");
}

/// A clock that runs after the system's: everything has just changed, and is not remembered.
#[test]
fn what_has_just_changed_is_not_watched() {
    let (world, probe) = (home(), RecordingProbe::new());
    let store = store(&world.sandbox, probe.disk(), JUST_NOW);
    for _ in 0..3 {
        store.list().unwrap();
    }
    assert!(!store.has_due());
    assert!(probe.count(OperationKind::Stat) > 0);
}
