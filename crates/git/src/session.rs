//! One run of the worker: what it was told and what its parts share.

use std::sync::Arc;
use std::time::Duration;

use plugd_disk::{Disk, FileLock};
use plugd_model::AbsPath;

use crate::config::UserConfig;
use crate::failure::Failure;
use crate::partial::Part;
use crate::programs::Programs;
use crate::progress::{Meter, Stage};
use crate::transport::Remotes;
use crate::{Address, Backend};

/// What every step of a task needs.
pub(crate) struct Session {
    pub(crate) disk: Disk,
    pub(crate) meter: Arc<Meter>,
    pub(crate) user: Arc<UserConfig>,
    pub(crate) remotes: Arc<Remotes>,
    pub(crate) mirrors: AbsPath,
    pub(crate) locks: AbsPath,
    pub(crate) patience: Duration,
    /// After how much silence this process is ended.
    pub(crate) idle: Duration,
    pub(crate) max_pack_bytes: u64,
    pub(crate) backend: Backend,
    pub(crate) programs: Programs,
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

    /// The git command, where all of a repository is to be brought by it.
    pub(crate) fn git_for_all(&self) -> Result<Option<&AbsPath>, Failure> {
        match self.backend {
            Backend::Auto | Backend::Libgit2 => Ok(None),
            Backend::Command => self
                .programs
                .git
                .as_ref()
                .map(Some)
                .ok_or(Failure::NoCommand),
        }
    }

    /// The git command, where a part of a repository is to be brought by it. Nothing else can do
    /// that, and of a repository of this machine nobody needs it.
    ///
    /// Nobody asks for a part of a selection of paths, but many plugins may lie in one repository,
    /// each in a directory of its own: one fetch of the whole serves all of them, so a directory is
    /// brought alone only for who wants the command in any case.
    pub(crate) fn git_for_part(&self, address: &Address, part: &Part<'_>) -> Option<&AbsPath> {
        let is_better = match self.backend {
            Backend::Libgit2 => false,
            Backend::Auto => !part.sparse.is_all(),
            Backend::Command => true,
        };
        self.programs
            .git
            .as_ref()
            .filter(|_| is_better && address.is_remote())
    }

    /// Whether the content of large files is fetched.
    pub(crate) fn may_use_lfs(&self) -> bool {
        self.backend != Backend::Libgit2 && self.programs.lfs.is_some()
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
