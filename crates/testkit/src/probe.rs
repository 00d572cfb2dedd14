//! A probe that writes down what happens to the disk and fails where it is told to.
//!
//! Counting begins with 1. A fault counts only the operations it concerns, so that "the third
//! rename" and "the third operation" can both be said.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plugd_disk::{Disk, Operation, OperationKind, Probe};
use plugd_model::AbsPath;

/// An upper bound for [`every_fault`]: a test body that never gets through would run for ever.
const MOST_OPERATIONS: u64 = 10_000;

/// Which operations fail.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    number: u64,
    for_good: bool,
    concerns: fn(OperationKind) -> bool,
    error: io::ErrorKind,
}

/// One operation as it was seen, whether it then failed or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// What was done.
    pub kind: OperationKind,
    /// To which path.
    pub path: AbsPath,
    /// The second path of a rename, exchange or copy.
    pub other: Option<AbsPath>,
    /// How many bytes were to be written, where that was known.
    pub bytes: u64,
}

/// Records every operation, and fails those that a [`Fault`] names.
#[derive(Debug, Default)]
pub struct RecordingProbe {
    fault: Option<Fault>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    operations: Vec<Recorded>,
    concerned: u64,
    failures: u64,
}

impl Fault {
    /// Operation number `number` fails, and what comes after it works: a disk error that an
    /// undoing can clean up after.
    #[must_use]
    pub fn once(number: u64) -> Self {
        Self {
            number,
            for_good: false,
            concerns: |_| true,
            error: io::ErrorKind::Other,
        }
    }

    /// Operation number `number` and all that come after it fail: nobody can clean up, as after a
    /// kill.
    #[must_use]
    pub fn from(number: u64) -> Self {
        Self {
            for_good: true,
            ..Self::once(number)
        }
    }

    /// Counts and fails only operations of some kinds, for example `OperationKind::mutates`.
    #[must_use]
    pub fn among(self, concerns: fn(OperationKind) -> bool) -> Self {
        Self { concerns, ..self }
    }

    /// Fails with this error, for example a full disk.
    #[must_use]
    pub fn with_error(self, error: io::ErrorKind) -> Self {
        Self { error, ..self }
    }

    fn hits(&self, number: u64) -> bool {
        number == self.number || (self.for_good && number > self.number)
    }
}

impl RecordingProbe {
    /// A probe that only records.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// A probe that also fails.
    #[must_use]
    pub fn failing(fault: Fault) -> Arc<Self> {
        Arc::new(Self {
            fault: Some(fault),
            state: Mutex::default(),
        })
    }

    /// The file system behind this probe.
    #[must_use]
    pub fn disk(self: &Arc<Self>) -> Disk {
        Disk::probed(Arc::<Self>::clone(self))
    }

    /// What was seen, in order.
    #[must_use]
    pub fn operations(&self) -> Vec<Recorded> {
        self.state().operations.clone()
    }

    /// How many operations of each kind were seen.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<OperationKind, usize> {
        let mut counts = BTreeMap::new();
        for operation in &self.state().operations {
            *counts.entry(operation.kind).or_insert(0) += 1;
        }
        counts
    }

    /// How many operations of one kind were seen.
    #[must_use]
    pub fn count(&self, kind: OperationKind) -> usize {
        self.counts().get(&kind).copied().unwrap_or(0)
    }

    /// How many operations were refused; 0 means that the fault was never reached.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.state().failures
    }

    /// Forgets what was seen, for example the first of two runs of which the second must be cheap.
    /// The fault counts from one again.
    pub fn reset(&self) {
        *self.state() = State::default();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A test thread that panicked leaves a list that is still right.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Probe for RecordingProbe {
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        let mut state = self.state();
        state.operations.push(Recorded {
            kind: operation.kind,
            path: operation.path.clone(),
            other: operation.other.cloned(),
            bytes: operation.bytes,
        });
        let Some(fault) = self.fault.filter(|fault| (fault.concerns)(operation.kind)) else {
            return Ok(());
        };
        state.concerned += 1;
        if !fault.hits(state.concerned) {
            return Ok(());
        }
        state.failures += 1;
        let number = state.concerned;
        Err(io::Error::new(
            fault.error,
            format!("operation {number} is refused by the test"),
        ))
    }
}

impl fmt::Display for Recorded {
    /// One line such as `Rename /a -> /b`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}", self.kind, self.path)?;
        match &self.other {
            Some(other) => write!(f, " -> {other}"),
            None => Ok(()),
        }
    }
}

/// Runs a test body with a fault at operation 1, then 2, and so on, until the body gets through
/// without reaching its fault. Returns how many faults were reached.
///
/// The body makes its own world each time, does its work on [`RecordingProbe::disk`], and checks
/// what is left; the number is for its messages. A last run without any failure is part of it.
///
/// # Panics
/// The body reaches a fault ten thousand times.
#[track_caller]
pub fn every_fault(
    fault: fn(u64) -> Fault,
    mut body: impl FnMut(u64, &Arc<RecordingProbe>),
) -> u64 {
    for number in 1..=MOST_OPERATIONS {
        let probe = RecordingProbe::failing(fault(number));
        body(number, &probe);
        if probe.failures() == 0 {
            return number - 1;
        }
    }
    panic!("the body still reaches its fault at operation {MOST_OPERATIONS}");
}

#[cfg(test)]
#[path = "probe_tests.rs"]
mod tests;
