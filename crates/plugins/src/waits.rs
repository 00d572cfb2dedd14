//! How long one request waits for others, in all.
//!
//! A request may have to wait for the store, then for the configuration, then for a program that
//! keeps rewriting it, and begin anew when a plugin has changed under it. Each of these waits has a
//! limit of its own, and a sum of limits is none that anybody could be told. So all of them take
//! from one stock of time, and a request that has used it up is refused instead of waiting again.
//!
//! What is counted is the waiting, not the work: a download that takes minutes takes nothing of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The most that a request waits for other processes and programs on this machine. No single wait is
/// longer.
pub(crate) const IN_ALL: Duration = Duration::from_secs(30);

/// The time that a request has left for waiting. Clones share it.
#[derive(Debug, Clone)]
pub struct Waits(Arc<AtomicU64>);

impl Waits {
    /// All of it.
    #[expect(
        clippy::new_without_default,
        reason = "each value belongs to one request; nothing should make one by accident"
    )]
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(AtomicU64::new(millis(IN_ALL))))
    }

    /// What is left.
    pub(crate) fn left(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }

    /// Whether what others have overtaken may be done once more: the time of the try was lost to them
    /// like that of any other wait.
    pub(crate) fn try_again(&self, begun: Instant) -> bool {
        self.try_again_after(begun.elapsed())
    }

    /// The same for a try that has cost so much.
    pub(crate) fn try_again_after(&self, lost: Duration) -> bool {
        self.take(lost);
        !self.left().is_zero()
    }

    /// Takes the time of a wait.
    pub(crate) fn take(&self, time: Duration) {
        let taken = |left: u64| Some(left.saturating_sub(millis(time)));
        // Only a closure that answers nothing makes this fail.
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken);
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use plugd_disk::{Disk, DiskError};
    use plugd_testkit::Sandbox;
    use pretty_assertions::assert_eq;

    use super::{IN_ALL, Waits};
    use crate::call::Call;

    #[test]
    fn all_waits_take_from_one_stock() {
        let waits = Waits::new();
        waits.clone().take(IN_ALL / 3);
        waits.take(IN_ALL / 3);
        assert_eq!(waits.left(), IN_ALL / 3);
        waits.take(IN_ALL);
        assert_eq!(waits.left(), Duration::ZERO);
    }

    #[test]
    fn what_is_overtaken_is_done_again_while_there_is_time() {
        let waits = Waits::new();
        let begun = Instant::now();
        assert!(waits.try_again(begun));
        waits.take(IN_ALL);
        assert!(!waits.try_again(begun));
    }

    /// Whoever has waited long enough for one thing does not wait for the next, whatever the limit
    /// of that is; a part of a request has no time of its own.
    #[test]
    fn a_request_that_has_waited_its_time_does_not_wait_again() {
        let sandbox = Sandbox::new();
        let disk = Disk::new();
        let path = sandbox.path("lock");
        let held = disk.lock(&path, Duration::ZERO).unwrap();
        let call = Call::detached();
        let short = Duration::from_millis(30);
        disk.lock(&path, call.part().patience(short)).unwrap_err();
        assert!(call.waits.left() <= IN_ALL - short);
        call.waits.take(IN_ALL);
        let again = disk.lock(&path, call.patience(Duration::from_secs(3600)));
        assert!(matches!(again, Err(DiskError::Locked { .. })), "{again:?}");
        drop(held);
        disk.lock(&path, call.patience(Duration::ZERO)).unwrap();
    }
}
