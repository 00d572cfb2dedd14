//! Which questions end a rest, on a clock that goes on by itself while nothing works.

use std::sync::Arc;
use std::time::Duration;

use plugd_disk::Disk;
use plugd_testkit::{Sandbox, test_environment};
use tokio::time::{Instant, sleep};

use super::Refresher;
use crate::behind;
use crate::events::Events;
use crate::parts::{Activity, Parts};
use crate::status::TaskState;
use crate::{Blocking, Fetcher, Roots, fixture};

const SECOND: Duration = Duration::from_secs(1);

/// One behind whose last run there is a rest, of five seconds.
fn resting(sandbox: &Sandbox) -> Refresher {
    let (lookup, copies) = fixture::parts(sandbox);
    let environment = test_environment(sandbox);
    let parts = Parts {
        blocking: Blocking::new(1, 1),
        fetcher: Fetcher::new(&environment, &Disk::new(), &sandbox.layout()),
        lookup,
        copies,
        events: Events::detached(),
        clock: Arc::clone(&environment.clock),
    };
    let refresher = Refresher::new(parts, Activity::Works);
    refresher.0.rest.run_ended(false, SECOND);
    refresher
}

/// How long it takes until a run has ended that is asked for now.
async fn took(refresher: &Refresher, ask: impl FnOnce(&Refresher)) -> Duration {
    let asked = Instant::now();
    ask(refresher);
    while refresher.report().0 == TaskState::Running {
        sleep(Duration::from_millis(5)).await;
    }
    asked.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_listing_ends_a_rest_when_it_shows_something_new_to_do() {
    let sandbox = Sandbox::new();
    let refresher = resting(&sandbox);
    let listed =
        |rows| move |refresher: &Refresher| refresher.listed(Roots::default(), behind::of(rows));
    assert!(took(&refresher, listed(&[])).await > 4 * SECOND);
    refresher.0.rest.run_ended(false, SECOND);
    assert!(took(&refresher, listed(&[("a@m", "2")])).await < SECOND);
    // That run left it as it is: it is pinned, perhaps.
    refresher.0.rest.run_ended(false, SECOND);
    assert!(took(&refresher, listed(&[("a@m", "2")])).await > 4 * SECOND);
    refresher.0.rest.run_ended(false, SECOND);
    assert!(took(&refresher, listed(&[("a@m", "3")])).await < SECOND);
}

#[tokio::test(start_paused = true)]
async fn what_has_moved_ends_a_rest() {
    let sandbox = Sandbox::new();
    let refresher = resting(&sandbox);
    let moved = |refresher: &Refresher| refresher.request(Roots::default());
    assert!(took(&refresher, moved).await < SECOND);
}
