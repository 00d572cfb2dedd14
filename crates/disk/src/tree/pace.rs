//! Giving up work on a big tree, and telling how far it is.

/// Watches work on a tree while it is done.
///
/// Reading a gigabyte takes seconds, and whoever asked for it may not want it any more. The watcher
/// is asked between two pieces, so stopping leaves no half-written piece behind. A large tree is copied by
/// two threads, and each of them asks.
pub trait Pace: Sync {
    /// Called for each entry that is looked at and for each file that is read, and within a file for
    /// each mebibyte, with the bytes that were read since the last call. `false` gives the work up.
    fn step(&self, bytes: u64) -> bool;
}

/// Work that is done to its end and watched by nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AtEase;

impl Pace for AtEase {
    fn step(&self, _bytes: u64) -> bool {
        true
    }
}

/// Asks the watcher in the form that `?` understands.
pub(super) fn go_on(pace: &dyn Pace, bytes: u64) -> Result<(), super::TreeError> {
    pace.step(bytes)
        .then_some(())
        .ok_or(super::TreeError::GivenUp)
}
