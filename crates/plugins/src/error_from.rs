//! How the errors of the crates below become those of a use case.

use plugd_config::WriteError;
use plugd_disk::DiskError;
use plugd_disk::tree::TreeError;
use plugd_fetch::FetchError;

use crate::call::Cancelled;
use crate::error::Error;

impl From<FetchError> for Error {
    /// Giving up is the same everywhere.
    fn from(error: FetchError) -> Self {
        if error.is_cancelled() {
            return Self::Cancelled(Cancelled);
        }
        Self::Registry(Box::new(error))
    }
}

impl From<WriteError> for Error {
    fn from(error: WriteError) -> Self {
        Self::Config(Box::new(error))
    }
}

impl From<DiskError> for Error {
    fn from(error: DiskError) -> Self {
        Self::Disk(Box::new(error))
    }
}

impl From<TreeError> for Error {
    fn from(error: TreeError) -> Self {
        Self::Tree(Box::new(error))
    }
}
