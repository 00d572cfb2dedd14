//! What a use case is told about the request it works for: its id, whether it is still wanted, and
//! whom to tell how far it is.
//!
//! Invariants:
//! - Cancelling and committing exclude each other. [`Cancel::seal`] is the only door to the first
//!   visible change, so a request that was answered as cancelled has changed nothing here. What a silent
//!   service was told of it, see `remote_tell`.
//! - Reporting progress never waits and never grows memory: only the latest report is kept.
//!
//! Nothing here knows a wire format or a channel to a client.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use plugd_disk::Patience;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::waits::Waits;

/// The request a use case works for. Clones speak of the same request.
#[derive(Debug, Clone)]
pub struct Call {
    /// The request id as the client wrote it, for the log.
    pub id: String,
    /// Whether the request is still wanted.
    pub cancel: Cancel,
    /// Where to report how far the work is.
    pub progress: Progress,
    /// When somebody stops waiting for what others are asked for, if not by limits of the work's own.
    pub end: Option<Instant>,
    /// How long it may wait for others on this machine.
    pub waits: Waits,
}

/// The request is no longer wanted, and nothing has been changed for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the request was cancelled")]
pub struct Cancelled;

/// A flag that is raised once and seen by every clone.
///
/// A request whose work has several parts that change something each gives every part a flag of its
/// own, see [`Call::part`]: what one part has sealed stands, and the others can still be given up.
#[derive(Debug, Clone)]
pub struct Cancel(Arc<Flag>);

#[derive(Debug)]
struct Flag {
    state: watch::Sender<Wanted>,
    /// Set by a cancel also when the work was sealed before: parts that have not begun to change
    /// anything look here.
    wished: watch::Sender<bool>,
    whole: Option<Cancel>,
}

/// Takes reports of how far the work is. Clones report to the same place.
#[derive(Debug, Clone)]
pub struct Progress {
    ticks: Arc<AtomicU64>,
    listener: Option<Arc<watch::Sender<Option<Report>>>>,
    /// What was reported before the work had to wait for another process.
    before: Arc<Mutex<Option<Report>>>,
}

/// The stage of work that waits for another process.
const WAITING: &str = "waiting";

/// How far the work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// A short stable word for what is being done, such as `fetch`.
    pub stage: &'static str,
    /// How many units of this stage are done.
    pub done: u64,
    /// How many there are, where that is known.
    pub total: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Yes,
    Cancelled,
    Sealed,
}

impl Call {
    /// A call that nobody can cancel and nobody watches: for the command line and background work.
    #[must_use]
    pub fn detached() -> Self {
        Self {
            id: String::new(),
            cancel: Cancel::new(),
            progress: Progress::unwatched(),
            end: None,
            waits: Waits::new(),
        }
    }

    /// The same call for as long as somebody waits.
    #[must_use]
    pub fn until(&self, end: Instant) -> Self {
        Self {
            end: Some(end),
            ..self.clone()
        }
    }

    /// Waits until the time is over; for ever when nobody has said how long it is.
    pub(crate) async fn out_of_time(&self) {
        match self.end {
            Some(end) => tokio::time::sleep_until(end).await,
            None => std::future::pending().await,
        }
    }

    /// How long to wait for a lock: up to a limit, until the request has waited for others as long as
    /// it may, or until it is cancelled. With the lock in hand the work is sealed.
    #[must_use]
    pub fn patience(&self, limit: Duration) -> Patience<'_> {
        Patience::unless_given_up(limit, self)
    }

    /// The call of one part of the work, which is sealed for itself: with it the whole is sealed,
    /// and the other parts are not.
    #[must_use]
    pub fn part(&self) -> Self {
        Self {
            cancel: Cancel::with(Some(self.cancel.clone())),
            ..self.clone()
        }
    }
}

impl Cancel {
    /// A request that is wanted.
    #[expect(
        clippy::new_without_default,
        reason = "each value is a request of its own; nothing should make one by accident"
    )]
    #[must_use]
    pub fn new() -> Self {
        Self::with(None)
    }

    fn with(whole: Option<Self>) -> Self {
        Self(Arc::new(Flag {
            state: watch::Sender::new(Wanted::Yes),
            wished: watch::Sender::new(false),
            whole,
        }))
    }

    /// Says that the request is no longer wanted. Answers whether that can still be obeyed: once
    /// the work is sealed it goes on to its end, and its result stands.
    pub fn cancel(&self) -> bool {
        self.0.state.send_if_modified(|state| {
            let open = *state == Wanted::Yes;
            if open {
                *state = Wanted::Cancelled;
            }
            open
        });
        // Behind the state: a part that hears of it may end the whole, which must know by then.
        self.0.wished.send_replace(true);
        self.is_cancelled()
    }

    /// Whether the request is no longer wanted. Long loops ask this once per step.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        match *self.0.state.borrow() {
            Wanted::Yes => self.whole_is_unwanted(),
            Wanted::Cancelled => true,
            Wanted::Sealed => false,
        }
    }

    /// Whether somebody wants an end of everything that this is a part of.
    fn whole_is_unwanted(&self) -> bool {
        let whole = self.0.whole.as_ref();
        whole.is_some_and(|whole| *whole.0.wished.borrow())
    }

    /// Whether the work has passed the point up to which it can be cancelled.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        *self.0.state.borrow() == Wanted::Sealed
    }

    /// The same as [`Self::is_cancelled`], in the form that `?` wants.
    ///
    /// # Errors
    /// The request is no longer wanted.
    pub fn check(&self) -> Result<(), Cancelled> {
        if self.is_cancelled() {
            Err(Cancelled)
        } else {
            Ok(())
        }
    }

    /// Waits until the request is no longer wanted. It waits for ever when that never happens, so
    /// it belongs beside the work in a `select!`.
    pub async fn cancelled(&self) {
        let mut state = self.0.state.subscribe();
        let own = async move {
            let seen = state
                .wait_for(|state| *state == Wanted::Cancelled)
                .await
                .is_ok();
            if !seen {
                // `self` holds the sender, so the channel cannot close while this waits.
                std::future::pending::<()>().await;
            }
        };
        let Some(whole) = &self.0.whole else {
            return own.await;
        };
        let mut wished = whole.0.wished.subscribe();
        let unwanted = async move {
            // The flag of the whole lives as long as this one.
            let _ = wished.wait_for(|wished| *wished).await;
        };
        tokio::select! {
            () = own => {}
            () = unwanted => {
                // What this part has sealed goes on to its end.
                if self.is_sealed() {
                    std::future::pending::<()>().await;
                }
            }
        }
    }

    /// Waits until somebody wants an end of it, also when it is too late for that. What is left then of
    /// sealed work and is an adornment only can be given up.
    pub async fn wished(&self) {
        let mut wished = self.0.wished.subscribe();
        // The flag lives as long as this one.
        let _ = wished.wait_for(|wished| *wished).await;
    }

    /// Ends the time in which the work can be cancelled. A use case calls it once, directly before
    /// its first visible change; from then on a cancel is too late and the result stands. Sealing
    /// twice is the same as sealing once.
    ///
    /// Whatever changes state must ask here: a request that is cancelled and not sealed is answered
    /// as cancelled after a short time, whether or not its work has noticed.
    ///
    /// # Errors
    /// The request was cancelled before; the work must undo what it has prepared and end.
    pub fn seal(&self) -> Result<(), Cancelled> {
        if let Some(whole) = &self.0.whole
            && !self.is_sealed()
        {
            self.check()?;
            whole.seal()?;
        }
        self.0.state.send_if_modified(|state| {
            let open = *state == Wanted::Yes;
            if open {
                *state = Wanted::Sealed;
            }
            open
        });
        self.check()
    }
}

/// Work that waits for a lock tells so, and can be cancelled until it has the lock.
impl plugd_disk::Wanted for Call {
    fn is_wanted(&self) -> bool {
        self.progress.waits();
        !self.cancel.is_cancelled()
    }

    fn begin(&self) -> bool {
        self.progress.goes_on();
        self.cancel.seal().is_ok()
    }

    fn left(&self) -> Duration {
        self.waits.left()
    }

    fn waited(&self, time: Duration) {
        self.waits.take(time);
    }
}

/// Work on a big tree tells how far it is and stops when it is cancelled. Sealed work goes on.
impl plugd_disk::tree::Pace for Call {
    fn step(&self, bytes: u64) -> bool {
        self.progress.advance(bytes);
        !self.cancel.is_cancelled()
    }
}

impl Progress {
    /// Progress that nobody asked for. Reports still count as signs of life.
    #[must_use]
    pub fn unwatched() -> Self {
        Self {
            ticks: Arc::default(),
            listener: None,
            before: Arc::default(),
        }
    }

    /// Progress and the place where its latest report appears.
    #[must_use]
    pub fn watched() -> (Self, watch::Receiver<Option<Report>>) {
        let (sender, receiver) = watch::channel(None);
        let progress = Self {
            ticks: Arc::default(),
            listener: Some(Arc::new(sender)),
            before: Arc::default(),
        };
        (progress, receiver)
    }

    /// Reports how far the work is. It costs one atomic addition when nobody asked, and a listener
    /// that is slow sees fewer reports, never old ones.
    pub fn report(&self, stage: &'static str, done: u64, total: Option<u64>) {
        self.ticks.fetch_add(1, Ordering::Relaxed);
        if let Some(listener) = &self.listener {
            listener.send_replace(Some(Report { stage, done, total }));
        }
    }

    /// Reports that the work waits for another process. That is no sign of life.
    fn waits(&self) {
        let Some(listener) = &self.listener else {
            return;
        };
        listener.send_if_modified(|latest| {
            let waits = latest.is_some_and(|report| report.stage == WAITING);
            if !waits {
                *self.before.lock().unwrap_or_else(PoisonError::into_inner) = *latest;
                *latest = Some(Report {
                    stage: WAITING,
                    done: 0,
                    total: None,
                });
            }
            !waits
        });
    }

    /// Reports again what the work was at before it waited, if it did.
    fn goes_on(&self) {
        let before = self
            .before
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(Report { stage, done, total }) = before {
            self.report(stage, done, total);
        }
    }

    /// Whether somebody asked for progress.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        self.listener.is_some()
    }

    /// Adds to what the latest report said was done.
    pub fn advance(&self, by: u64) {
        self.ticks.fetch_add(1, Ordering::Relaxed);
        if let Some(listener) = &self.listener {
            listener.send_modify(|latest| {
                if let Some(report) = latest {
                    report.done = report.done.saturating_add(by);
                }
            });
        }
    }

    /// How many reports there were. Work that hangs is recognised by a number that stands still.
    #[must_use]
    pub fn ticks(&self) -> u64 {
        self.ticks.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{Call, Cancel, Cancelled, Progress, Report};

    #[test]
    fn a_cancelled_request_cannot_be_sealed() {
        let cancel = Cancel::new();
        assert_eq!(cancel.check(), Ok(()));
        assert!(cancel.clone().cancel());
        assert!(cancel.is_cancelled());
        assert_eq!(cancel.seal(), Err(Cancelled));
        assert!(!cancel.is_sealed());
    }

    #[test]
    fn a_sealed_request_cannot_be_cancelled() {
        let cancel = Cancel::new();
        assert_eq!(cancel.seal(), Ok(()));
        assert_eq!(cancel.seal(), Ok(()));
        assert!(!cancel.cancel());
        assert_eq!((cancel.is_cancelled(), cancel.is_sealed()), (false, true));
        assert_eq!(cancel.check(), Ok(()));
    }

    #[test]
    fn waiting_for_another_process_is_a_stage_of_its_own() {
        use plugd_disk::Wanted as _;

        let (progress, reports) = Progress::watched();
        let call = Call {
            progress,
            ..Call::detached()
        };
        let stage = || reports.borrow().map(|report| report.stage);
        call.progress.report("activating", 0, None);
        let ticks = call.progress.ticks();
        assert!(call.is_wanted() && call.is_wanted());
        assert_eq!(stage(), Some("waiting"));
        // Who waits does nothing.
        assert_eq!(call.progress.ticks(), ticks);
        assert!(call.begin());
        assert_eq!(stage(), Some("activating"));
        assert!(call.cancel.is_sealed());
    }

    #[tokio::test]
    async fn parts_are_sealed_for_themselves() {
        let call = Call::detached();
        let (done, open) = (call.part(), call.part());
        assert_eq!(done.cancel.seal(), Ok(()));
        assert!(call.cancel.is_sealed());
        // Too late for the whole, and in time for what has changed nothing.
        assert!(!call.cancel.cancel());
        assert_eq!(
            (done.cancel.is_cancelled(), open.cancel.is_cancelled()),
            (false, true)
        );
        open.cancel.cancelled().await;
        assert_eq!(open.cancel.seal(), Err(Cancelled));
        assert_eq!(done.cancel.seal(), Ok(()));

        let call = Call::detached();
        let part = call.part();
        assert!(call.cancel.cancel());
        assert_eq!(part.cancel.seal(), Err(Cancelled));
        part.cancel.cancelled().await;
    }

    #[tokio::test]
    async fn waiting_ends_with_the_cancel_also_when_it_came_before() {
        let cancel = Cancel::new();
        let waiting = tokio::spawn({
            let cancel = cancel.clone();
            async move { cancel.cancelled().await }
        });
        cancel.cancel();
        waiting.await.unwrap();
        cancel.cancelled().await;
    }

    #[test]
    fn a_listener_sees_the_latest_report_only() {
        let (progress, mut receiver) = Progress::watched();
        progress.report("fetch", 1, Some(3));
        progress.clone().report("fetch", 2, Some(3));
        assert!(receiver.has_changed().unwrap());
        let latest = *receiver.borrow_and_update();
        let expected = Report {
            stage: "fetch",
            done: 2,
            total: Some(3),
        };
        assert_eq!(latest, Some(expected));
        assert_eq!(progress.ticks(), 2);
    }

    #[test]
    fn reports_count_when_nobody_listens() {
        let call = Call::detached();
        call.progress.report("copy", 1, None);
        assert_eq!(call.clone().progress.ticks(), 1);
        assert!(call.id.is_empty());
    }
}
