//! The answers that somebody waits for, so that work behind them can make room.
//!
//! A refresh of many plugins takes all processors of a small machine, for seconds. Between two of its plugins
//! it lets those go first who wait for an answer, and then for so long only that it comes to its end also
//! where somebody asks without end.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a piece of work behind the answers lets them go first.
const AT_MOST: Duration = Duration::from_millis(10);

/// Counts them. Clones share the count.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answers(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    running: Mutex<usize>,
    none: Condvar,
}

/// One that somebody waits for, until it is dropped.
#[derive(Debug)]
pub(crate) struct Answering(Arc<Shared>);

impl Answers {
    /// From now on one more is waited for.
    pub(crate) fn begin(&self) -> Answering {
        *self.0.lock() += 1;
        Answering(Arc::clone(&self.0))
    }

    /// Waits until there is none, for a moment at most. Called by a thread that nobody waits for.
    pub(crate) fn make_room(&self) {
        self.0.wait(AT_MOST);
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let mut running = self.0.lock();
        *running -= 1;
        if *running == 0 {
            self.0.none.notify_all();
        }
    }
}

impl Shared {
    fn wait(&self, at_most: Duration) {
        let is_one = |running: &mut usize| *running > 0;
        // Who was waited for in vain goes on.
        let _ = self.none.wait_timeout_while(self.lock(), at_most, is_one);
    }

    /// Held to count.
    fn lock(&self) -> MutexGuard<'_, usize> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::{Duration, Instant};

    use super::{AT_MOST, Answers};

    #[test]
    fn nobody_waits_for_no_answer() {
        let answers = Answers::default();
        drop((answers.begin(), answers.begin()));
        let began = Instant::now();
        // Together they would take a minute.
        for _ in 0..6_000 {
            answers.make_room();
        }
        assert!(began.elapsed() < AT_MOST * 1_000);
    }

    #[test]
    fn all_answers_go_first_and_not_for_ever() {
        let answers = Answers::default();
        let (first, second) = (answers.begin(), answers.begin());
        drop(first);
        let began = Instant::now();
        answers.make_room();
        assert!(began.elapsed() >= AT_MOST);
        drop(second);
    }

    #[test]
    fn the_last_answer_wakes_who_waits() {
        const FOR_EVER: Duration = Duration::from_secs(60);
        let answers = Answers::default();
        let answering = (answers.begin(), answers.begin());
        let began = Instant::now();
        let waiting = thread::spawn({
            let answers = answers.clone();
            move || answers.0.wait(FOR_EVER)
        });
        // Most of the time it waits by then.
        thread::sleep(AT_MOST);
        drop(answering);
        waiting.join().unwrap();
        assert!(began.elapsed() < FOR_EVER / 2);
    }
}
