use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use pretty_assertions::assert_eq;

use plugd_disk::{Disk, Operation, OperationKind, Probe};
use plugd_testkit::tree;

use super::{AT_MOST, ENOUGH, QUIET, State, WAITING};
use crate::Store;
use crate::fixture::{NO_PATIENCE, World, id};
use crate::state::Ticket;

/// Longer than any of these tests takes.
const LONG: Duration = Duration::from_secs(60);

/// Lets nobody remove anything in the trash of a transaction until it is opened.
#[derive(Default)]
struct Gate {
    state: Mutex<GateState>,
    changed: Condvar,
}

#[derive(Default)]
struct GateState {
    is_open: bool,
    standing: usize,
    /// Who has removed something.
    threads: BTreeSet<String>,
}

impl Gate {
    fn close(&self) {
        self.state.lock().unwrap().is_open = false;
    }

    fn open(&self) {
        self.state.lock().unwrap().is_open = true;
        self.changed.notify_all();
    }

    /// Waits until so many stand in front of it.
    fn wait_for(&self, standing: usize) {
        let state = self.state.lock().unwrap();
        let waited = self
            .changed
            .wait_timeout_while(state, LONG, |state| state.standing < standing);
        assert!(!waited.unwrap().1.timed_out());
    }
}

impl Probe for Gate {
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        let removes = matches!(
            operation.kind,
            OperationKind::RemoveFile | OperationKind::RemoveDir
        );
        let path = operation.path.to_string();
        let mut state = self.state.lock().unwrap();
        if removes && (path.contains("/trash/") || path.contains("/staging/")) {
            let thread = std::thread::current();
            state
                .threads
                .insert(thread.name().unwrap_or_default().to_owned());
        }
        if removes && path.contains("/trash/") {
            state.standing += 1;
            self.changed.notify_all();
            let passed = self.changed.wait_while(state, |state| !state.is_open);
            passed.unwrap().standing -= 1;
        }
        Ok(())
    }
}

fn gated(world: &World) -> (Arc<Gate>, Store) {
    let gate = Arc::new(Gate::default());
    let store = world.store_on(Disk::probed(Arc::<Gate>::clone(&gate)));
    (gate, store)
}

#[test]
fn an_uninstallation_waits_for_no_deletion_and_nothing_is_left_at_the_end() {
    let world = World::new();
    world.install(&world.store(), "one", "1").unwrap();
    let (gate, store) = gated(&world);
    store.sweep_behind();
    // Returns although nothing can be deleted yet.
    world.uninstall(&store).unwrap();
    assert_eq!(store.get(&id()).unwrap(), None);
    assert!(world.leftovers().contains("only-in-one"));
    // The places have a living owner: nobody else takes them for rubbish, and nobody waits for them.
    let other = world.store();
    other.recover(NO_PATIENCE).unwrap();
    world.install(&other, "two", "2").unwrap();
    assert!(world.leftovers().contains("only-in-one"));
    gate.open();
    store.finish_sweeping(LONG);
    assert_eq!(world.leftovers(), "");
    assert_eq!(other.get(&id()).unwrap().unwrap().version.as_str(), "2");
}

#[test]
fn a_replaced_version_goes_behind_too() {
    let world = World::new();
    let (gate, store) = gated(&world);
    for (source, version) in [("one", "1"), ("two", "2"), ("three", "3")] {
        gate.open();
        world.install(&store, source, version).unwrap();
    }
    gate.close();
    store.sweep_behind();
    world.install(&store, "four", "4").unwrap();
    assert!(world.leftovers().contains("only-in-one"));
    gate.open();
    world.uninstall(&store).unwrap();
    store.finish_sweeping(LONG);
    assert_eq!(world.leftovers(), "");
    assert_eq!(tree(&store.layout().trees()), "");
}

#[test]
fn at_the_end_it_removes_at_once_again() {
    let world = World::new();
    let store = world.store();
    store.sweep_behind();
    store.finish_sweeping(LONG);
    world.install(&store, "one", "1").unwrap();
    world.uninstall(&store).unwrap();
    assert_eq!(world.leftovers(), "");
}

#[test]
fn the_end_does_not_wait_for_ever() {
    let world = World::new();
    world.install(&world.store(), "one", "1").unwrap();
    let (gate, store) = gated(&world);
    store.sweep_behind();
    world.uninstall(&store).unwrap();
    store.finish_sweeping(Duration::from_millis(1));
    assert!(world.leftovers().contains("only-in-one"));
    gate.open();
    store.finish_sweeping(LONG);
    assert_eq!(world.leftovers(), "");
}

#[test]
fn who_is_refused_removes_his_own() {
    let world = World::new();
    let (gate, store) = gated(&world);
    gate.open();
    store.sweep_behind();
    drop(world.stage(&store, "one").unwrap());
    drop(world.activate(&store, "one", "1").unwrap());
    store.finish_sweeping(LONG);
    assert_eq!(world.leftovers(), "");
    let threads = gate.state.lock().unwrap().threads.clone();
    assert!(
        !threads.is_empty() && !threads.contains("plugd-sweep"),
        "{threads:?}"
    );
}

#[test]
fn who_comes_when_too_much_waits_removes_his_own() {
    let world = World::new();
    let (gate, store) = gated(&world);
    store.sweep_behind();
    let leave = || {
        let mut ticket = store.open_ticket().unwrap();
        ticket.sweep_behind(&store.inner.sweeper);
        let disk = Disk::new();
        disk.create_dirs(&ticket.trash).unwrap();
        disk.write_new(&ticket.trash.join("a"), b"x", 0o644)
            .unwrap();
    };
    leave();
    // The thread has taken the first one out of those that wait.
    gate.wait_for(1);
    for _ in 0..WAITING {
        leave();
    }
    std::thread::scope(|scope| {
        scope.spawn(leave);
        gate.wait_for(2);
        gate.open();
    });
    store.finish_sweeping(LONG);
    assert_eq!(world.leftovers(), "");
}

/// One that has nothing to leave.
fn ticket(store: &Store) -> Ticket {
    store.open_ticket().unwrap()
}

#[test]
fn it_rests_while_others_begin_and_not_for_ever() {
    let world = World::new();
    let store = world.store();
    let start = Instant::now();
    let mut state = State {
        behind: true,
        ..State::default()
    };
    let short = QUIET / 5;
    assert_eq!(state.rest(start), Duration::ZERO);
    state.waiting.push_back((start, ticket(&store)));
    // The transaction that left it may be the last one.
    state.began = Some(start);
    assert_eq!(state.rest(start + short), QUIET - short);
    assert_eq!(state.rest(start + QUIET), Duration::ZERO);
    // Another one begins, and then always another one.
    state.began = Some(start + QUIET);
    assert_eq!(state.rest(start + QUIET), QUIET);
    state.began = Some(start + AT_MOST);
    assert_eq!(state.rest(start + AT_MOST - short), short);
    assert_eq!(state.rest(start + AT_MOST), Duration::ZERO);
}

#[test]
fn it_rests_neither_when_much_waits_nor_at_the_end() {
    let world = World::new();
    let store = world.store();
    let start = Instant::now();
    let mut state = State {
        behind: true,
        began: Some(start),
        ..State::default()
    };
    for _ in 1..ENOUGH {
        state.waiting.push_back((start, ticket(&store)));
    }
    assert_eq!(state.rest(start), QUIET);
    state.behind = false;
    assert_eq!(state.rest(start), Duration::ZERO);
    state.behind = true;
    state.waiting.push_back((start, ticket(&store)));
    assert_eq!(state.rest(start), Duration::ZERO);
}

#[test]
fn nothing_is_removed_beside_those_that_begin() {
    let world = World::new();
    let store = world.store();
    world.install(&store, "one", "1").unwrap();
    store.sweep_behind();
    world.uninstall(&store).unwrap();
    let (start, mut longest) = (Instant::now(), Duration::ZERO);
    let mut last = start;
    while start.elapsed() < QUIET * 4 {
        drop(ticket(&store));
        longest = longest.max(last.elapsed());
        last = Instant::now();
    }
    let left = world.leftovers();
    // On a machine that stood still meanwhile the thread may have seen a pause.
    longest = longest.max(last.elapsed());
    assert!(longest >= QUIET / 2 || left.contains("only-in-one"));
    store.finish_sweeping(LONG);
    assert_eq!(world.leftovers(), "");
}
