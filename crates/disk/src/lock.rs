//! Locks between processes: one empty file each, never the data itself.
//!
//! The locks that everybody shares are never deleted. One that belongs to a single transaction is
//! deleted by its last holder, so taking a lock checks that the file still is the one at its path.
//!
//! The system releases them when the process ends, however it ends. Mandatory locks (Windows) would
//! keep others from reading locked data, which is why a lock file holds nothing.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use plugd_model::AbsPath;

use crate::{Disk, DiskError, OperationKind, Stamp};

/// So long a waiter does not look at a lock, at most. Whoever has just come looks more often, so that
/// a long pause would let him go first again and again.
const LONGEST_PAUSE: Duration = Duration::from_millis(10);

/// Whether work that waits for a lock is still wanted.
pub trait Wanted {
    /// Asked again and again while the lock is held by somebody else.
    fn is_wanted(&self) -> bool;

    /// Asked once, with the lock in hand and before the first change. After a yes the work goes on
    /// to its end.
    fn begin(&self) -> bool;

    /// How much longer it may wait for others. The time is one for all that it waits for: whoever has
    /// waited for one lock has less of it for the next.
    fn left(&self) -> Duration;

    /// Told how long it has waited for somebody.
    fn waited(&self, time: Duration);
}

/// How long to wait for others, and for whom.
#[derive(Clone, Copy)]
pub struct Patience<'a> {
    limit: Duration,
    wanted: Option<&'a dyn Wanted>,
}

impl<'a> Patience<'a> {
    /// Waits this long for work that can be given up.
    pub fn unless_given_up(limit: Duration, wanted: &'a dyn Wanted) -> Self {
        Self {
            limit,
            wanted: Some(wanted),
        }
    }

    /// The same with a limit that is not above another one.
    #[must_use]
    pub fn at_most(self, limit: Duration) -> Self {
        Self {
            limit: self.limit.min(limit),
            ..self
        }
    }

    /// Begins to wait: until the limit, or until the work has no more time for others.
    #[must_use]
    pub fn start(self) -> Waiting<'a> {
        let left = self.wanted.map_or(self.limit, Wanted::left);
        let began = Instant::now();
        Waiting {
            began,
            end: began + self.limit.min(left),
            wanted: self.wanted,
        }
    }
}

/// A wait that has begun. When it is dropped, its time is taken from what the work had for waiting.
pub struct Waiting<'a> {
    began: Instant,
    end: Instant,
    wanted: Option<&'a dyn Wanted>,
}

impl Waiting<'_> {
    /// Whether there is no more time.
    #[must_use]
    pub fn is_over(&self) -> bool {
        Instant::now() >= self.end
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(wanted) = self.wanted {
            wanted.waited(self.began.elapsed());
        }
    }
}

impl From<Duration> for Patience<'_> {
    /// Waits this long, whatever happens.
    fn from(limit: Duration) -> Self {
        Self {
            limit,
            wanted: None,
        }
    }
}

/// How often locks of this process were given back. Whoever waits for one looks again when another
/// thread tells, and from time to time because another process cannot.
#[derive(Debug, Default)]
pub(crate) struct Released {
    count: Mutex<u64>,
    more: Condvar,
}

impl Released {
    /// Held for an addition only.
    fn count(&self) -> MutexGuard<'_, u64> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many were given back until now.
    pub(crate) fn seen(&self) -> u64 {
        *self.count()
    }

    /// Waits until more than `before` were given back, and no longer than a pause.
    pub(crate) fn wait(&self, before: u64, pause: Duration) {
        let waiting = self
            .more
            .wait_timeout_while(self.count(), pause, |count| *count == before);
        drop(waiting.unwrap_or_else(PoisonError::into_inner));
    }
}

/// Tells those who wait, when it is dropped.
#[derive(Debug)]
pub(crate) struct Telling(Arc<Released>);

impl Telling {
    pub(crate) fn of(released: &Arc<Released>) -> Self {
        Self(Arc::clone(released))
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        *self.0.count() += 1;
        self.0.more.notify_all();
    }
}

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub struct FileLock {
    path: AbsPath,
    // Dropped in this order: it is free before anybody is told.
    _file: File,
    _telling: Telling,
}

impl FileLock {
    /// The file that is locked.
    #[must_use]
    pub fn path(&self) -> &AbsPath {
        &self.path
    }
}

impl Disk {
    /// Takes a lock at once, or tells that somebody else holds it.
    ///
    /// # Errors
    /// The lock file cannot be made or opened.
    pub fn try_lock(&self, path: &AbsPath) -> Result<Option<FileLock>, DiskError> {
        self.see(OperationKind::Lock, path, None, 0)?;
        let fail = |source| DiskError::io(OperationKind::Lock, path, source);
        loop {
            let file = match open(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    if let Some(parent) = path.parent() {
                        self.create_dirs(&parent)?;
                    }
                    open(path)
                }
                other => other,
            }
            .map_err(fail)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(source)) => return Err(fail(source)),
            }
            // Whoever held it may have removed the file; then what was locked here is a file that
            // nobody else can find, and the next one would get "the same" lock again.
            if still_there(&file, path).map_err(fail)? {
                return Ok(Some(FileLock {
                    path: path.clone(),
                    _file: file,
                    _telling: Telling::of(&self.released),
                }));
            }
        }
    }

    /// Takes a lock, waiting for it as long as `patience` allows.
    ///
    /// # Errors
    /// [`DiskError::Locked`] when it was held all the time, [`DiskError::NotWanted`] when the work
    /// was given up meanwhile; otherwise as [`Disk::try_lock`].
    pub fn lock<'a>(
        &self,
        path: &AbsPath,
        patience: impl Into<Patience<'a>>,
    ) -> Result<FileLock, DiskError> {
        let patience = patience.into();
        let waiting = patience.start();
        let mut pause = Duration::from_millis(1);
        let not_wanted = || DiskError::NotWanted { path: path.clone() };
        loop {
            let before = self.released.seen();
            if let Some(lock) = self.try_lock(path)? {
                let goes_on = patience.wanted.is_none_or(Wanted::begin);
                return goes_on.then_some(lock).ok_or_else(not_wanted);
            }
            if !patience.wanted.is_none_or(Wanted::is_wanted) {
                return Err(not_wanted());
            }
            if waiting.is_over() {
                return Err(DiskError::Locked { path: path.clone() });
            }
            tracing::debug!(lock = %path, "waiting for somebody else");
            self.released.wait(before, pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

fn open(path: &AbsPath) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
}

/// Whether a path still leads to the very file that was opened.
fn still_there(file: &File, path: &AbsPath) -> io::Result<bool> {
    let locked = Stamp::of(&file.metadata()?);
    match std::fs::metadata(path) {
        Ok(found) => {
            let found = Stamp::of(&found);
            Ok((found.device, found.inode) == (locked.device, locked.inode))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
