//! The requests that are owed an answer.
//!
//! Every request that is let in gets an [`Owed`], and whoever holds it answers exactly once. The
//! table knows how many there are, which one a cancel means, and at the end which of them still
//! move.
//!
//! Invariants:
//! - A request leaves the table when its work has ended, also when it was answered earlier.
//! - The number of requests and the bytes of their params have a bound.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use plugd_plugins::call::{Call, Cancel, Progress};
use plugd_protocol::{Lane, RequestId};

use crate::envelope;
use crate::limits::Limits;

/// How long after the cancel of a silent request its work is given up.
const LAST_GRACE: Duration = Duration::from_secs(2);

/// The table. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Pending(Arc<Shared>);

/// The duty to answer one request. Dropping it says that its work has ended.
#[derive(Debug)]
pub(crate) struct Owed {
    pending: Pending,
    number: u64,
    /// Raised when nobody can wait any longer for the work to end by itself.
    pub(crate) abandon: Cancel,
    /// Raised when nobody takes the answer.
    pub(crate) give_up: Cancel,
}

#[derive(Debug)]
struct Shared {
    max_requests: usize,
    max_bytes: usize,
    table: Mutex<Table>,
    left: Notify,
}

#[derive(Debug, Default)]
struct Table {
    last: u64,
    finished: u64,
    unanswered: usize,
    bytes: usize,
    entries: BTreeMap<u64, Entry>,
}

#[derive(Debug)]
struct Entry {
    id: RequestId,
    lane: Lane,
    bytes: usize,
    cancel: Cancel,
    abandon: Cancel,
    give_up: Cancel,
    progress: Progress,
    phase: Phase,
}

/// Where a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// It waits for its turn.
    Waiting,
    Running,
    /// Its answer waits for room in the output.
    Answering,
    /// It was answered as cancelled and its work is still cleaning up.
    Answered,
}

/// When a request last showed a sign of life.
struct Clock {
    phase: Phase,
    signs: u64,
    since: Instant,
}

impl Pending {
    pub(crate) fn new(limits: &Limits) -> Self {
        Self(Arc::new(Shared {
            max_requests: limits.in_flight,
            max_bytes: limits.in_flight_bytes,
            table: Mutex::default(),
            left: Notify::new(),
        }))
    }

    /// Lets a request in; none when there are too many. One alone is always let in, however large.
    pub(crate) fn admit(
        &self,
        id: &RequestId,
        lane: Lane,
        bytes: usize,
        call: &Call,
    ) -> Option<Owed> {
        let mut table = self.table();
        let is_full = table.unanswered >= self.0.max_requests;
        let is_heavy = table.unanswered > 0 && table.bytes + bytes > self.0.max_bytes;
        if is_full || is_heavy {
            return None;
        }
        table.last += 1;
        table.unanswered += 1;
        table.bytes += bytes;
        let number = table.last;
        let (abandon, give_up) = (Cancel::new(), Cancel::new());
        let entry = Entry {
            id: id.clone(),
            lane,
            bytes,
            cancel: call.cancel.clone(),
            abandon: abandon.clone(),
            give_up: give_up.clone(),
            progress: call.progress.clone(),
            phase: Phase::Waiting,
        };
        table.entries.insert(number, entry);
        drop(table);
        Some(Owed {
            pending: self.clone(),
            number,
            abandon,
            give_up,
        })
    }

    /// Cancels the requests with this id. There is more than one only when a client used an id
    /// twice, and then it cannot say which one it means.
    pub(crate) fn cancel(&self, id: &RequestId) {
        self.cancel_where(|entry| envelope::same_id(&entry.id, id));
    }

    /// Cancels what changes nothing: there is nobody left to read the answers.
    pub(crate) fn cancel_reads(&self) {
        self.cancel_where(|entry| entry.lane == Lane::Read);
    }

    /// Waits until the table is empty. A request without a sign of life for `patience` is
    /// cancelled, and given up when even that does not end it. `written` grows while somebody
    /// reads the output.
    pub(crate) async fn drain(&self, patience: Duration, written: impl Fn() -> u64) {
        let mut clocks = BTreeMap::new();
        let step = (patience / 20).max(Duration::from_millis(1));
        loop {
            let left = self.0.left.notified();
            if self.table().entries.is_empty() {
                return;
            }
            self.end_the_silent(&mut clocks, patience, written());
            // Elapsed or not, the next round looks at the table.
            let _ = tokio::time::timeout(step, left).await;
        }
    }

    fn end_the_silent(&self, clocks: &mut BTreeMap<u64, Clock>, patience: Duration, written: u64) {
        let now = Instant::now();
        let table = self.table();
        let signs_of_all = table.signs().wrapping_add(written);
        clocks.retain(|number, _| table.entries.contains_key(number));
        for (&number, entry) in &table.entries {
            let signs = match entry.phase {
                // What waits lives as long as anything moves in front of it.
                Phase::Waiting | Phase::Answering => signs_of_all,
                Phase::Running | Phase::Answered => entry.progress.ticks(),
            };
            let phase = entry.phase;
            let since = now;
            let clock = clocks.entry(number).or_insert(Clock {
                phase,
                signs,
                since,
            });
            if (clock.phase, clock.signs) != (phase, signs) {
                *clock = Clock {
                    phase,
                    signs,
                    since,
                };
            }
            let silent = now.duration_since(clock.since);
            if silent >= patience {
                entry.end(silent >= patience + LAST_GRACE.min(patience));
            }
        }
    }

    fn cancel_where(&self, matches: impl Fn(&Entry) -> bool) {
        for entry in self.table().entries.values() {
            if entry.phase != Phase::Answered && matches(entry) {
                entry.cancel.cancel();
            }
        }
    }

    /// How many requests wait for their answer.
    #[cfg(test)]
    pub(crate) fn unanswered(&self) -> usize {
        self.table().unanswered
    }

    /// The lock is held for a few map operations that cannot panic.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn signs(&self) -> u64 {
        let ticks = self.entries.values().map(|entry| entry.progress.ticks());
        ticks.fold(self.finished, u64::wrapping_add)
    }

    fn answered(&mut self, number: u64) {
        let Some(entry) = self.entries.get_mut(&number) else {
            return;
        };
        if std::mem::replace(&mut entry.phase, Phase::Answered) != Phase::Answered {
            self.unanswered -= 1;
            self.bytes -= entry.bytes;
        }
    }
}

impl Entry {
    /// Ends what shows no sign of life: politely, and the last time for good.
    fn end(&self, for_good: bool) {
        match self.phase {
            Phase::Waiting | Phase::Running => {
                self.cancel.cancel();
                if for_good {
                    self.abandon.cancel();
                }
            }
            Phase::Answering => {
                self.give_up.cancel();
            }
            Phase::Answered => {
                self.abandon.cancel();
            }
        }
    }
}

impl Owed {
    /// The request has left its lane's queue and runs.
    pub(crate) fn running(&self) {
        self.enter(Phase::Running);
    }

    /// The outcome is known, and the answer waits for room in the output.
    pub(crate) fn answering(&self) {
        self.enter(Phase::Answering);
    }

    /// The answer is on its way, and the work may still be cleaning up.
    pub(crate) fn answered(&self) {
        self.pending.table().answered(self.number);
    }

    fn enter(&self, phase: Phase) {
        if let Some(entry) = self.pending.table().entries.get_mut(&self.number) {
            entry.phase = phase;
        }
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        let mut table = self.pending.table();
        table.answered(self.number);
        table.entries.remove(&self.number);
        table.finished += 1;
        drop(table);
        self.pending.0.left.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use plugd_plugins::call::Call;
    use plugd_protocol::{Lane, RequestId};

    use super::{Owed, Pending};
    use crate::limits::Limits;

    fn id(json: &str) -> RequestId {
        serde_json::from_str(json).unwrap()
    }

    fn pending(in_flight: usize, in_flight_bytes: usize) -> Pending {
        Pending::new(&Limits {
            in_flight,
            in_flight_bytes,
            ..Limits::STANDARD
        })
    }

    fn admit(pending: &Pending, json: &str, bytes: usize) -> Option<(Owed, Call)> {
        let call = Call::detached();
        let owed = pending.admit(&id(json), Lane::Plugin, bytes, &call)?;
        Some((owed, call))
    }

    #[test]
    fn the_number_of_requests_is_bounded() {
        let pending = pending(2, 1000);
        let first = admit(&pending, "1", 1).unwrap();
        let second = admit(&pending, "1", 1).unwrap();
        assert!(admit(&pending, "3", 1).is_none());
        first.0.answered();
        assert!(admit(&pending, "3", 1).is_some());
        drop((first, second));
        assert_eq!(pending.unanswered(), 0);
    }

    #[test]
    fn their_bytes_are_bounded_and_one_alone_passes() {
        let pending = pending(10, 1000);
        let large = admit(&pending, "1", 5000).unwrap();
        assert!(admit(&pending, "2", 1).is_none());
        drop(large);
        let small = admit(&pending, "2", 900).unwrap();
        assert!(admit(&pending, "3", 101).is_none());
        assert!(admit(&pending, "3", 100).is_some());
        drop(small);
    }

    #[test]
    fn a_cancel_finds_its_request() {
        let pending = pending(10, 1000);
        let one = admit(&pending, "1", 1).unwrap();
        let text = admit(&pending, r#""1""#, 1).unwrap();
        pending.cancel(&id(r#""\u0031""#));
        assert!(!one.1.cancel.is_cancelled());
        assert!(text.1.cancel.is_cancelled());
        one.0.answered();
        pending.cancel(&id("1"));
        assert!(!one.1.cancel.is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn draining_gives_up_an_answer_that_nobody_takes() {
        let pending = pending(10, 1000);
        let (owed, call) = admit(&pending, "1", 1).unwrap();
        owed.answering();
        let answering = tokio::spawn(async move { owed.give_up.cancelled().await });
        let written = std::cell::Cell::new(0);
        let began = tokio::time::Instant::now();
        pending
            .drain(Duration::from_secs(30), || {
                // The reader is slow for a minute and gone then.
                if began.elapsed() < Duration::from_secs(60) {
                    written.set(written.get() + 1);
                }
                written.get()
            })
            .await;
        answering.await.unwrap();
        assert!(began.elapsed() >= Duration::from_secs(85));
        assert!(!call.cancel.is_cancelled());
    }

    #[tokio::test(start_paused = true)]
    async fn draining_ends_what_is_silent_and_waits_for_what_moves() {
        let pending = pending(10, 1000);
        let patience = Duration::from_secs(30);
        let (silent, silent_call) = admit(&pending, "1", 1).unwrap();
        silent.running();
        let (moving, moving_call) = admit(&pending, "2", 1).unwrap();
        moving.running();
        let (waiting, waiting_call) = admit(&pending, "3", 1).unwrap();
        let work = tokio::spawn(async move {
            for step in 0..60 {
                tokio::time::sleep(Duration::from_secs(1)).await;
                moving_call.progress.report("step", step, None);
            }
            let cancelled = moving_call.cancel.is_cancelled();
            drop((moving, waiting));
            cancelled || waiting_call.cancel.is_cancelled()
        });
        let silent = tokio::spawn(async move {
            silent_call.cancel.cancelled().await;
            silent.abandon.cancelled().await;
        });
        pending.drain(patience, || 0).await;
        silent.await.unwrap();
        assert!(!work.await.unwrap(), "something that moved was cancelled");
    }
}
