//! Operation N on the disk fails, in process.
//!
//! For each kind of file operation and each number, with each of four errors of the system, once and
//! for good: whatever a request answers then, a daemon without faults finds the old state or the new
//! one, complete, and the second try gets there.
//!
//! What the git worker does is not seen: it is another process.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use plugd_disk::{Disk, Operation as DiskOperation, OperationKind, Probe};
use plugd_testkit::Sandbox;
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::expected::{Expected, Told};
use crate::inside;
use crate::operations::{Answer, Operation};
use crate::states;
use crate::tally::{Form, Scale, Tally};
use crate::worlds::World;

/// How many cases of each kind of request the long form takes, besides each change once.
const LONG_TRIES: usize = 100;
/// `EIO`, `ENOSPC`, `EACCES` and `EINTR`.
const ERRORS: [i32; 4] = [5, 28, 13, 4];

/// More than any request does.
const MOST: u64 = 5_000;

/// Which operations fail.
#[derive(Debug, Clone, Copy)]
struct Trouble {
    /// `None` means everything that changes something, as on a full disk.
    kind: Option<OperationKind>,
    number: u64,
    error: i32,
    for_good: bool,
}

/// Counts from the moment it is armed, and fails what its trouble says.
#[derive(Debug, Default)]
struct Failing {
    trouble: Option<Trouble>,
    armed: AtomicBool,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    counts: BTreeMap<Option<OperationKind>, u64>,
    /// The first operation that failed, for messages.
    failed: Option<String>,
}

impl Probe for Failing {
    fn before(&self, operation: &DiskOperation<'_>) -> io::Result<()> {
        if !self.armed.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kinds = vec![Some(operation.kind)];
        kinds.extend(operation.kind.mutates().then_some(None));
        for kind in kinds {
            let count = seen.counts.entry(kind).or_default();
            *count += 1;
            let count = *count;
            let Some(trouble) = self.trouble.filter(|trouble| trouble.kind == kind) else {
                continue;
            };
            if count == trouble.number || (trouble.for_good && count > trouble.number) {
                let what = || format!("{:?} {}", operation.kind, operation.path);
                seen.failed.get_or_insert_with(what);
                return Err(io::Error::from_raw_os_error(trouble.error));
            }
        }
        Ok(())
    }
}

/// What came of one run.
struct Ran {
    answer: Answer,
    told: Told,
    seen: Seen,
}

fn run_with(operation: &Operation, world: &World, trouble: Option<Trouble>) -> Ran {
    let probe = Arc::new(Failing {
        trouble,
        ..Failing::default()
    });
    let disk = Disk::probed(Arc::clone(&probe) as Arc<dyn Probe>);
    let mut session = world.session_on(disk);
    probe.armed.store(true, Ordering::Release);
    let answer = (operation.act)(&mut session);
    session.end();
    let told = operation.told(&answer, &mut session);
    let mut seen = probe.seen.lock().unwrap_or_else(PoisonError::into_inner);
    Ran {
        answer,
        told,
        seen: std::mem::take(&mut *seen),
    }
}

/// One try; answers whether the fault was reached.
fn one(operation: &Operation, expected: &Expected, trouble: Trouble) -> bool {
    let world = operation.world();
    inside::panics();
    let Ran { answer, told, seen } = run_with(operation, &world, Some(trouble));
    let Some(failed) = seen.failed else {
        assert!(told.all, "nothing failed, and yet: {answer:?}");
        return false;
    };
    let context = format!("{failed}, answered {}", shown(&answer));
    let panics = inside::panics();
    assert!(panics.is_empty(), "{panics:?}: {context}");
    if let Err(error) = &answer {
        says_something(error, &context);
    }
    if !trouble.for_good && answer.is_err() {
        is_undone(operation, &world, &context);
    }
    check(operation, expected, &world, &told, &context);
    true
}

/// What was done before one operation failed has been taken back.
fn is_undone(operation: &Operation, world: &World, context: &str) {
    let Some(look) = operation.undone else {
        return;
    };
    let seen = |world: &World| {
        let mut session = world.session();
        let seen = look(&mut session);
        session.end();
        seen
    };
    let (before, after) = (seen(&operation.world()), seen(world));
    let lost: Vec<&Value> = before.iter().filter(|row| !after.contains(row)).collect();
    assert!(lost.is_empty(), "{context}: lost {lost:?} of {before:?}");
}

/// What must hold of a home in which an operation was interrupted, whatever interrupted it: after a
/// daemon without faults has begun it is in a state that is allowed, and the second try gets there.
pub(crate) fn check(
    operation: &Operation,
    expected: &Expected,
    world: &World,
    told: &Told,
    context: &str,
) {
    let mut session = world.session();
    session.ok("plugin/installed", json!({}));
    recovered(expected, world, told, context);
    session.end();
    second_try(operation, expected, world, context);
}

/// After a daemon has begun: a state that is allowed, and nothing left.
pub(crate) fn recovered(expected: &Expected, world: &World, told: &Told, context: &str) {
    let wrong = expected.wrong(&world.state(), told);
    assert!(wrong.is_none(), "{context}: {}", wrong.unwrap_or_default());
    nothing_left(&world.sandbox, context);
}

/// The same request once more, without faults.
pub(crate) fn second_try(operation: &Operation, expected: &Expected, world: &World, context: &str) {
    let sandbox = &world.sandbox;
    let mut session = world.session();
    let again = (operation.act)(&mut session);
    session.end();
    let answered = shown(&again);
    assert!(again.is_ok(), "{context}: the second try: {answered}");
    let wrong = expected.wrong(&world.state(), &Told::all());
    let wrong = wrong.unwrap_or_default();
    assert!(wrong.is_empty(), "{context}: the second try: {wrong}");
    nothing_left(sandbox, context);
    // What is left beside the configuration goes with the next write of it.
    world.write_config();
    let half_written = states::half_written(sandbox);
    assert!(
        half_written.is_empty(),
        "{context}: half written {half_written:?}"
    );
}

fn nothing_left(sandbox: &Sandbox, context: &str) {
    let remains = states::remains(sandbox);
    assert!(remains.is_empty(), "{context}: left over {remains:?}");
}

/// An error of a request names its kind and says what happened, and is no panic.
fn says_something(error: &Value, context: &str) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (kind, message) = (text(&error["data"]["kind"]), text(&error["message"]));
    assert!(!kind.is_empty() && !message.is_empty(), "{context}");
    assert!(!message.contains("panic"), "{context}");
}

pub(crate) fn shown(answer: &Answer) -> String {
    match answer {
        Ok(_) => "a result".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// Some of the cases of an operation, as far as its clean run reaches.
fn sample(operation: &Operation, tries: usize, seed: u64) -> Vec<Trouble> {
    let world = operation.world();
    let counts = run_with(operation, &world, None).seen.counts;
    let mut cases = Vec::new();
    for (kind, count) in counts {
        for number in 1..=count {
            for error in ERRORS {
                for for_good in [false, true] {
                    cases.push(Trouble {
                        kind,
                        number,
                        error,
                        for_good,
                    });
                }
            }
        }
    }
    Dice::new(seed, operation.name).some_of(cases, tries)
}

/// Each operation of the clean run that changes something once, with some error. The others are many more, and
/// the sample has some of them.
fn each_once(operation: &Operation, seed: u64) -> Vec<Trouble> {
    let world = operation.world();
    let counts = run_with(operation, &world, None).seen.counts;
    let mut dice = Dice::new(seed, operation.name);
    let mut cases = Vec::new();
    for (kind, count) in counts {
        // Under its own kind, and not once more among all that change something.
        let is_change = kind.is_some_and(OperationKind::mutates);
        for number in (1..=count).filter(|_| is_change) {
            cases.push(Trouble {
                kind,
                number,
                error: *dice.pick(&ERRORS),
                for_good: dice.toss(),
            });
        }
    }
    cases
}

fn every_kind(operation: &Operation) -> Vec<Option<OperationKind>> {
    let world = operation.world();
    let counts = run_with(operation, &world, None).seen.counts;
    counts.into_keys().collect()
}

fn tell(operation: &Operation, trouble: Trouble) -> String {
    let Trouble {
        kind,
        number,
        error,
        for_good,
    } = trouble;
    let kind = kind.map_or("change".to_owned(), |kind| format!("{kind:?}"));
    let how = if for_good { "for good" } else { "once" };
    format!(
        "{}, {kind} {number} with error {error} {how}",
        operation.name
    )
}

/// Fails operations of these requests.
pub(crate) fn run(scale: Scale, operations: &[Operation], bounded_tries: usize) -> Tally {
    let mut tally = Tally::default();
    for operation in operations {
        let expected = Expected::of(operation);
        if scale.form() != Form::Whole {
            let tries = scale.pick(bounded_tries, LONG_TRIES);
            let mut troubles = sample(operation, tries, scale.seed());
            if scale.form() == Form::Long {
                troubles.extend(each_once(operation, scale.seed()));
            }
            for trouble in troubles {
                tally.attempt(tell(operation, trouble), || {
                    one(operation, &expected, trouble);
                });
            }
            continue;
        }
        for kind in every_kind(operation) {
            for error in ERRORS {
                for for_good in [false, true] {
                    for number in 1..=MOST {
                        let trouble = Trouble {
                            kind,
                            number,
                            error,
                            for_good,
                        };
                        // A try that failed has reached its fault.
                        let mut reached = true;
                        tally.attempt(tell(operation, trouble), || {
                            reached = one(operation, &expected, trouble);
                        });
                        if !reached {
                            break;
                        }
                    }
                }
            }
        }
    }
    tally.note(format!("{} kinds of requests", operations.len()));
    tally
}
