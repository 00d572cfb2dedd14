//! The rest behind a refresh that found nothing to do: so many times as long as the run took, so that a
//! client that polls does not keep the machine busy. It ends for whoever knows of something to do.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::behind::Behind;
use crate::queue::Queue;

/// A run that changed nothing is followed by a rest so many times as long, up to a bound.
const REST: u32 = 9;
const LONGEST_REST: Duration = Duration::from_secs(5);

#[derive(Debug, Default)]
pub(crate) struct Rest {
    state: Mutex<State>,
    /// Somebody knows of something to do.
    roused: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// When the next run may begin.
    until: Option<Instant>,
    /// Who waits for the next run knows of something to do.
    hurries: bool,
    /// What listings have shown to be behind since a run last changed anything.
    behind: Behind,
}

impl Rest {
    /// Ends it: something has moved.
    pub(crate) fn rouse(&self) {
        self.state().hurries = true;
        self.roused.notify_waiters();
    }

    /// Ends it if a listing has shown something that no listing has shown before.
    pub(crate) fn learn(&self, behind: Behind) {
        let is_news = self.state().behind.learn(behind);
        if is_news {
            self.rouse();
        }
    }

    /// Lets answers go first, and waits until the next run may begin.
    pub(crate) async fn over(&self, queue: &Queue) {
        let roused = self.roused.notified();
        let (hurries, until) = {
            let state = self.state();
            (state.hurries, state.until)
        };
        if !hurries {
            tokio::select! {
                () = queue.rest(until) => return,
                () = roused => {}
            }
        }
        queue.breathe_shortly().await;
    }

    /// A run begins for all who waited.
    pub(crate) fn run_begins(&self) {
        self.state().hurries = false;
    }

    /// A run has taken so long.
    pub(crate) fn run_ended(&self, has_changed: bool, took: Duration) {
        let mut state = self.state();
        if has_changed {
            *state = State {
                hurries: state.hurries,
                ..State::default()
            };
        } else {
            let rest = took.saturating_mul(REST).min(LONGEST_REST);
            state.until = Some(Instant::now() + rest);
        }
    }

    /// Held for a few assignments only; a panic leaves no broken promise behind.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::{LONGEST_REST, Rest};
    use crate::behind::of;
    use crate::queue::Queue;

    const SECOND: Duration = Duration::from_secs(1);
    const AT_ONCE: Duration = Duration::from_millis(10);

    /// How long it rests, on a clock that goes on by itself.
    async fn rested(rest: &Rest) -> Duration {
        let started = Instant::now();
        rest.over(&Queue::default()).await;
        started.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn it_grows_with_what_was_done_in_vain() {
        let rest = Rest::default();
        let first = rested(&rest).await;
        assert!(AT_ONCE < first && first < SECOND);
        rest.run_ended(false, SECOND / 2);
        assert!(rested(&rest).await > 4 * SECOND);
        assert!(rested(&rest).await < SECOND, "it is over");
        rest.run_ended(false, 100 * SECOND);
        assert!(rested(&rest).await <= LONGEST_REST + SECOND);
        rest.run_ended(true, 100 * SECOND);
        assert!(rested(&rest).await < SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_for_what_is_news_and_not_for_what_was_behind_before() {
        let rest = Rest::default();
        rest.run_ended(false, SECOND / 2);
        rest.learn(of(&[("a@m", "2")]));
        assert!(rested(&rest).await < AT_ONCE);
        // That run changes nothing: it is pinned, perhaps.
        rest.run_begins();
        rest.run_ended(false, SECOND / 2);
        rest.learn(of(&[("a@m", "2")]));
        rest.learn(of(&[]));
        assert!(rested(&rest).await > 4 * SECOND);
        rest.run_ended(false, SECOND / 2);
        rest.learn(of(&[("a@m", "3")]));
        assert!(rested(&rest).await < SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn what_becomes_known_while_a_run_works_is_not_kept_waiting_behind_it() {
        let rest = Rest::default();
        rest.run_begins();
        rest.rouse();
        rest.run_ended(false, SECOND / 2);
        assert!(rested(&rest).await < SECOND);
        rest.run_begins();
        assert!(rested(&rest).await > 3 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn who_rests_already_is_roused_too() {
        let rest = Rest::default();
        rest.run_ended(false, SECOND / 2);
        let (took, ()) = tokio::join!(rested(&rest), async {
            tokio::time::sleep(SECOND).await;
            rest.learn(of(&[("a@m", "2")]));
        });
        assert!(SECOND <= took && took < SECOND + AT_ONCE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_changed_something_makes_everything_news_again() {
        let rest = Rest::default();
        rest.learn(of(&[("a@m", "2")]));
        rest.run_begins();
        rest.run_ended(true, SECOND);
        rest.run_ended(false, SECOND / 2);
        rest.learn(of(&[("a@m", "2")]));
        assert!(rested(&rest).await < SECOND);
    }
}
