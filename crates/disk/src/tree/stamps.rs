//! The stamps of all files of a tree as one digest, which is the same as long as nobody touched a file.

use sha2::{Digest as _, Sha256};

use super::digest::Digest;
use crate::Stamp;
use crate::stamp::is_fine;

/// Without a time of change a file could be exchanged unnoticed by another one of the same size and time.
const TELLS_CHANGES: bool = cfg!(unix);

/// Takes the stamps in the order of a plan.
pub(super) struct Stamps {
    hasher: Sha256,
    is_fine: bool,
}

impl Stamps {
    pub(super) fn new() -> Self {
        Self {
            hasher: Sha256::new(),
            is_fine: true,
        }
    }

    /// Adds a file by its path in a copy.
    pub(super) fn add(&mut self, path: &str, stamp: &Stamp) {
        let Stamp {
            device,
            inode,
            size,
            modified_ns,
            changed_ns,
            mode,
            ..
        } = stamp;
        self.is_fine &= is_finely_stamped(stamp);
        self.hasher.update(format!(
            "{device} {inode} {size} {modified_ns} {changed_ns} {mode} {path}\n"
        ));
    }

    /// The digest of them all.
    pub(super) fn fingerprint(self) -> Digest {
        Digest::of_hash(self.hasher.finalize().into())
    }

    /// The same, if it is good for whoever compares it much later.
    pub(super) fn lasting(self) -> Option<Digest> {
        self.is_fine.then(|| self.fingerprint())
    }
}

/// Whether the system tells when a file was changed, to less than a millisecond.
pub(super) fn is_finely_stamped(stamp: &Stamp) -> bool {
    TELLS_CHANGES && is_fine(stamp.changed_ns)
}
