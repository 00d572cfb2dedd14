//! Removing behind the answer what a transaction leaves: a thread of its own for a process that stays.
//!
//! Nobody who waits for a removal or an installation wants the bytes of the old copy gone in that moment;
//! he wants to be told that the new state holds. Deleting them takes a third of the time. For the same reason
//! the thread rests while one transaction begins after the other, as in a refresh: deletion keeps processor
//! and file system from what makes the next copy.
//!
//! Invariants:
//! - What is handed over is over: no journal speaks of its places, the trees that it moved are where they
//!   will last, and its lock is held while the places are emptied. So no other process touches them, and
//!   what a process leaves that dies, or cannot remove, is a dead transaction, which recovery finds.
//! - There is one thread at most, and none while there is nothing to do.
//! - What waits is bounded, in number and in time: the thread does not rest when much waits or has waited
//!   long, and whoever comes when it is too much removes his own, so that deletion never falls far behind.
//!   On a disk that is nearly full an installation, or a plugin of a refresh, may have to be tried again a
//!   moment after what made room for it.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::Store;
use crate::state::Ticket;

/// So many transactions may wait for their removal.
const WAITING: usize = 32;
/// When so many wait one is removed for each that comes.
const ENOUGH: usize = 16;
/// Nor when one of them has waited for so long.
const AT_MOST: Duration = Duration::from_secs(1);
/// Others will begin as long as the last one began not longer ago than this.
const QUIET: Duration = Duration::from_millis(50);

/// The removals that nobody waits for.
#[derive(Debug, Default)]
pub(crate) struct Sweeper {
    state: Mutex<State>,
    idle: Condvar,
    /// Rouses the thread when it rests.
    rouse: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Whether anything is done behind an answer at all.
    behind: bool,
    works: bool,
    /// With the time since when.
    waiting: VecDeque<(Instant, Ticket)>,
    /// When the last transaction began.
    began: Option<Instant>,
}

/// Says when the thread has ended, also when it panics.
struct Works(Arc<Sweeper>);

impl Store {
    /// From here on what transactions leave is removed on a thread of its own. To be ended by
    /// [`Store::finish_sweeping`].
    pub fn sweep_behind(&self) {
        self.inner.sweeper.state().behind = true;
    }

    /// Waits until what transactions have left is removed, but not longer than this, and removes at once
    /// again from here on. What is left then is found by the next recovery.
    pub fn finish_sweeping(&self, limit: Duration) {
        let sweeper = &self.inner.sweeper;
        sweeper.state().behind = false;
        sweeper.rouse.notify_all();
        sweeper.wait(limit);
    }
}

impl State {
    /// How much longer what has waited the longest stays where it is.
    fn rest(&self, now: Instant) -> Duration {
        let Some((since, _)) = self.waiting.front() else {
            return Duration::ZERO;
        };
        if !self.behind || self.waiting.len() >= ENOUGH {
            return Duration::ZERO;
        }
        let quiet = self.began.map_or(*since, |began| began + QUIET);
        quiet.min(*since + AT_MOST).saturating_duration_since(now)
    }
}

impl Sweeper {
    /// A transaction begins: what others have left can wait.
    pub(crate) fn another_begins(&self) {
        self.state().began = Some(Instant::now());
    }

    /// Takes what is to be swept, now or behind.
    pub(crate) fn sweep(self: &Arc<Self>, ticket: Ticket) {
        let mut state = self.state();
        if !state.behind || state.waiting.len() >= WAITING {
            drop(state);
            drop(ticket);
            return;
        }
        state.waiting.push_back((Instant::now(), ticket));
        if std::mem::replace(&mut state.works, true) {
            drop(state);
            self.rouse.notify_all();
            return;
        }
        drop(state);
        let works = Works(Arc::clone(self));
        let thread = thread::Builder::new().name("plugd-sweep".to_owned());
        if let Err(error) = thread.spawn(move || works.0.work()) {
            tracing::debug!(%error, "there is no thread for removals; they happen at once");
            self.end();
        }
    }

    /// Removes what waits now, on this thread.
    fn end(&self) {
        let mut state = self.state();
        state.works = false;
        let left = std::mem::take(&mut state.waiting);
        drop(state);
        drop(left);
        self.idle.notify_all();
    }

    fn work(&self) {
        while let Some(ticket) = self.next() {
            drop(ticket);
        }
        self.idle.notify_all();
    }

    /// What is to be removed next, when it is time for that. Without anything the thread is over.
    fn next(&self) -> Option<Ticket> {
        let mut state = self.state();
        loop {
            let rest = state.rest(Instant::now());
            if rest.is_zero() {
                let next = state.waiting.pop_front();
                state.works = next.is_some();
                return next.map(|(_, ticket)| ticket);
            }
            let rested = self.rouse.wait_timeout(state, rest);
            state = rested.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn wait(&self, limit: Duration) {
        let state = self.state();
        let waited = self
            .idle
            .wait_timeout_while(state, limit, |state| state.works);
        if waited.is_ok_and(|(_, timeout)| timeout.timed_out()) {
            tracing::debug!("removals are left to recovery");
        }
    }

    /// Held for a few assignments only; a panic leaves no broken promise behind.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Works {
    fn drop(&mut self) {
        if !thread::panicking() {
            return;
        }
        let mut state = self.0.state();
        state.works = false;
        let left = std::mem::take(&mut state.waiting);
        drop(state);
        for (_, mut ticket) in left {
            ticket.leave_to_recovery();
        }
        self.0.idle.notify_all();
    }
}

#[cfg(test)]
#[path = "sweeper_tests.rs"]
mod tests;
