//! One run of the worker: what it was told and what its parts share.

use std::sync::Arc;
use std::time::Duration;

use plugd_disk::{Disk, FileLock};
use plugd_model::AbsPath;

use crate::Address;
use crate::config::UserConfig;
use crate::failure::Failure;
use crate::progress::{Meter, Stage};
use crate::transport::Remotes;

/// What every step of a task needs.
pub(crate) struct Session {
    pub(crate) disk: Disk,
    pub(crate) meter: Arc<Meter>,
    pub(crate) user: Arc<UserConfig>,
    pub(crate) remotes: Arc<Remotes>,
    pub(crate) mirrors: AbsPath,
    pub(crate) locks: AbsPath,
    pub(crate) patience: Duration,
    pub(crate) max_pack_bytes: u64,
}

impl Session {
    /// Where to go for an address: the user's configuration may send us elsewhere.
    pub(crate) fn effective(&self, address: &Address) -> Result<Address, Failure> {
        let Some(replaced) = self.user.replacement(address.secret_text()) else {
            return Ok(address.clone());
        };
        Address::parse(&replaced).map_err(|error| Failure::BadReplacement {
            from: address.shown(),
            reason: error.to_string(),
        })
    }

    /// Waits until no other process uses the mirror of an address.
    pub(crate) fn lock(&self, address: &Address) -> Result<FileLock, Failure> {
        let path = self.locks.join(format!("mirror-{}", address.mirror_name()));
        let fail = |error| Failure::disk(&error);
        if let Some(lock) = self.disk.try_lock(&path).map_err(fail)? {
            return Ok(lock);
        }
        self.meter.enter(Stage::Waiting);
        self.disk.lock(&path, self.patience).map_err(fail)
    }
}
