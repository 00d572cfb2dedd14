//! Where the system's messages come late or not at all, nothing is vouched for.

use plugd_model::AbsPath;

use crate::Kind;

/// There are none.
pub(super) enum Messages {}

/// What came of the wish to watch something.
#[expect(dead_code, reason = "nothing is ever watched here")]
pub(super) enum Added {
    /// It is watched under this number.
    As(i32),
    /// This one is not.
    Refused,
    /// No other one will be either.
    NoMore,
}

/// What the system allows a user; nothing here.
pub(super) fn limit() -> Option<usize> {
    None
}

impl Messages {
    pub(super) fn new() -> Option<Self> {
        None
    }

    pub(super) fn add(&self, _path: &AbsPath, _kind: Kind) -> Added {
        match *self {}
    }

    pub(super) fn remove(&self, _number: i32) {
        match *self {}
    }

    pub(super) fn read(&self, _told: impl FnMut(i32, bool)) -> bool {
        match *self {}
    }
}

pub(super) fn vouches(_path: &AbsPath) -> bool {
    false
}
