//! One piece of background work at a time, however often it is asked for.
//!
//! Invariants:
//! - Who is told to start the work works until [`Queue::next`] says no; nobody else is told so
//!   meanwhile.
//! - What is asked for while a run works is remembered once, and a run that began before the question
//!   does not count as its answer.
//! - After [`Queue::stop`] nothing begins any more.
//! - Where the work is also done for somebody who waits for it, that answers the questions before it.
//! - A run waits a moment before it begins. The answer that it was asked for behind is being written
//!   then, the next question comes, and on a machine with few cores both would wait for the run.
//!
//! It starts nothing and knows nothing of the work.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::call::{Call, Cancel};

/// How long a run lets answers go first: a listing of hundreds of plugins is read and written in it.
const BREATH: Duration = Duration::from_millis(20);

/// The same for a run that is known to have something to do and makes room between its steps: a listing of
/// hundreds of plugins is written in it.
const SHORT_BREATH: Duration = Duration::from_millis(5);

/// The questions that wait and the run that works.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    idle: Notify,
    stopped: Notify,
}

/// Says that somebody works.
#[derive(Debug)]
pub(crate) struct Working<'a>(&'a Queue);

impl Drop for Working<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.state().running = false;
            self.0.idle.notify_waiters();
        }
    }
}

/// How a question is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// A run that works is answer enough.
    Any,
    /// Only a run that begins after the question is.
    Fresh,
}

#[derive(Debug, Default)]
struct State {
    running: bool,
    stopping: bool,
    again: bool,
    /// How many questions there were, and up to which of them somebody has found the answer.
    asked: u64,
    answered: u64,
    current: Option<Cancel>,
}

impl Queue {
    /// Asks for a run. Whoever is answered `true` starts the work.
    #[must_use]
    pub(crate) fn ask(&self, urgency: Urgency) -> bool {
        let mut state = self.state();
        if state.stopping {
            return false;
        }
        state.asked += 1;
        if state.running {
            state.again |= urgency == Urgency::Fresh;
            return false;
        }
        state.running = true;
        true
    }

    /// Lets answers go first; to be awaited before each run. The end of the process is not kept waiting.
    pub(crate) async fn breathe(&self) {
        self.pause(BREATH).await;
    }

    /// The same for a run that is known to have something to do.
    pub(crate) async fn breathe_shortly(&self) {
        self.pause(SHORT_BREATH).await;
    }

    /// Lets answers go first, and not before a moment.
    pub(crate) async fn rest(&self, until: Option<Instant>) {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        self.pause(left.unwrap_or_default().max(BREATH)).await;
    }

    async fn pause(&self, length: Duration) {
        let stopped = self.stopped.notified();
        if !self.state().stopping {
            let _ = tokio::time::timeout(length, stopped).await;
        }
    }

    /// How many questions there were until now.
    pub(crate) fn asked(&self) -> u64 {
        self.state().asked
    }

    /// Says that somebody has done the work after so many questions, also without being told to here.
    pub(crate) fn answer(&self, asked: u64) {
        let mut state = self.state();
        state.answered = state.answered.max(asked);
    }

    /// Whether no question waits for a run that was done in another way.
    pub(crate) fn is_answered(&self) -> bool {
        let state = self.state();
        state.answered >= state.asked
    }

    /// What a run works for; stopping cancels it. `None` when everything stops.
    pub(crate) fn call(&self) -> Option<Call> {
        let call = Call::detached();
        let mut state = self.state();
        state.current = Some(call.cancel.clone());
        (!state.stopping).then_some(call)
    }

    /// Whether another run is wanted after this one. If not, the work has ended.
    #[must_use]
    pub(crate) fn next(&self) -> bool {
        let mut state = self.state();
        if state.again && !state.stopping {
            state.again = false;
            return true;
        }
        state.running = false;
        drop(state);
        self.idle.notify_waiters();
        false
    }

    /// To be held while the work goes on: a run that panics ends the work, and the next question
    /// begins it anew.
    pub(crate) fn working(&self) -> Working<'_> {
        Working(self)
    }

    /// Whether a run works.
    pub(crate) fn is_running(&self) -> bool {
        self.state().running
    }

    /// Ends the work: what is past its point of no return is finished, the rest is given up.
    pub(crate) async fn stop(&self) {
        loop {
            let idle = self.idle.notified();
            {
                let mut state = self.state();
                state.stopping = true;
                state.again = false;
                if let Some(current) = &state.current {
                    current.cancel();
                }
                self.stopped.notify_waiters();
                if !state.running {
                    return;
                }
            }
            idle.await;
        }
    }

    /// Held for a few assignments only; a panic leaves no broken promise behind.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{BREATH, Queue, SHORT_BREATH, Urgency};

    #[test]
    fn what_is_asked_meanwhile_is_remembered_once() {
        let queue = Queue::default();
        assert!(queue.ask(Urgency::Any));
        assert!(queue.is_running());
        assert!(!queue.ask(Urgency::Fresh));
        assert!(!queue.ask(Urgency::Fresh));
        assert!(queue.next());
        assert!(!queue.next());
        assert!(!queue.is_running());
    }

    #[test]
    fn a_run_that_works_may_be_answer_enough() {
        let queue = Queue::default();
        assert!(queue.ask(Urgency::Fresh));
        assert!(!queue.ask(Urgency::Any));
        assert!(!queue.next());
        assert!(queue.ask(Urgency::Any));
    }

    #[test]
    fn work_that_was_done_for_somebody_else_answers_what_was_asked_before() {
        let queue = Queue::default();
        assert!(queue.ask(Urgency::Fresh));
        assert!(!queue.is_answered());
        let before = queue.asked();
        assert!(!queue.ask(Urgency::Fresh));
        queue.answer(before);
        assert!(!queue.is_answered(), "the second question came later");
        queue.answer(queue.asked());
        assert!(queue.is_answered());
        queue.answer(before);
        assert!(queue.is_answered());
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_lets_answers_go_first_and_keeps_no_end_waiting() {
        let queue = Arc::new(Queue::default());
        let started = Instant::now();
        queue.breathe().await;
        assert!(started.elapsed() >= BREATH);
        let started = Instant::now();
        queue.breathe_shortly().await;
        assert!(started.elapsed() >= SHORT_BREATH);
        assert!(started.elapsed() < BREATH);
        let (started, until) = (Instant::now(), Instant::now() + 10 * BREATH);
        queue.rest(Some(until)).await;
        assert!(started.elapsed() >= 10 * BREATH);
        let started = Instant::now();
        queue.rest(Some(until)).await;
        assert!(started.elapsed() >= BREATH);
        assert!(started.elapsed() < 10 * BREATH);
        assert!(queue.ask(Urgency::Fresh));
        let run = tokio::spawn({
            let queue = Arc::clone(&queue);
            async move {
                let _working = queue.working();
                queue.breathe().await;
                assert!(queue.call().is_none());
                assert!(!queue.next());
            }
        });
        tokio::task::yield_now().await;
        let stopping = Instant::now();
        queue.stop().await;
        queue.breathe().await;
        queue.rest(Some(stopping + 10 * BREATH)).await;
        assert_eq!(stopping.elapsed(), Duration::ZERO);
        run.await.unwrap();
    }

    #[tokio::test]
    async fn a_run_that_panics_ends_the_work() {
        let queue = Arc::new(Queue::default());
        assert!(queue.ask(Urgency::Any));
        let run = tokio::spawn({
            let queue = Arc::clone(&queue);
            async move {
                let _working = queue.working();
                panic!("a bug");
            }
        });
        assert!(run.await.unwrap_err().is_panic());
        assert!(!queue.is_running());
        assert!(queue.ask(Urgency::Any));
    }

    #[tokio::test]
    async fn stopping_cancels_the_run_and_waits_for_its_end() {
        let queue = Arc::new(Queue::default());
        assert!(queue.ask(Urgency::Any));
        let call = queue.call().unwrap();
        assert!(!queue.ask(Urgency::Fresh));
        let stopping = tokio::spawn({
            let queue = Arc::clone(&queue);
            async move { queue.stop().await }
        });
        call.cancel.cancelled().await;
        assert!(!queue.next());
        stopping.await.unwrap();
        assert!(!queue.ask(Urgency::Fresh));
        assert!(queue.call().is_none());
    }
}
