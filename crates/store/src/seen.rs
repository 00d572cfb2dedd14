//! What one look found of a plugin, so that a decision which took long is carried out only while it
//! still holds.
//!
//! Whoever installs, adopts or edits configuration decides first and takes the lock afterwards. In
//! between another process may install, uninstall or overwrite. Under the lock the store looks again
//! and refuses when it finds something else.

use plugd_disk::tree::Digest;
use plugd_disk::{FileLock, Kind, Patience};
use plugd_model::{PluginId, VersionSegment};

use crate::installed::{absent_is_none, version_dirs};
use crate::record::{Identity, RecordFile};
use crate::{Store, StoreError};

/// What one look found: which directories, which version and which record. Two are equal when
/// nothing was installed, removed, overwritten or recorded between the looks.
///
/// Files that change inside a copy do not show here; for them there is the tree digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub(crate) directory: Option<Identity>,
    pub(crate) version: Option<(VersionSegment, Identity)>,
    pub(crate) record: SeenRecord,
}

/// The record file, as far as it matters whether it is the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SeenRecord {
    Absent,
    Content(Digest),
    Unreadable,
}

impl SeenRecord {
    pub(crate) fn of(file: &Result<RecordFile, StoreError>) -> Self {
        match file {
            Ok(RecordFile {
                bytes: Some(bytes), ..
            }) => Self::Content(Digest::of_bytes(bytes)),
            Ok(_) => Self::Absent,
            Err(_) => Self::Unreadable,
        }
    }
}

/// The store lock. While this lives, no other process that keeps to the lock installs, removes or
/// records anything.
#[derive(Debug)]
#[must_use]
pub struct Held {
    pub(crate) lock: FileLock,
}

impl Store {
    /// Looks at a plugin, whether or not it is installed. Takes no lock.
    ///
    /// # Errors
    /// The cache cannot be read.
    pub fn seen(&self, id: &PluginId) -> Result<Seen, StoreError> {
        let dir = self.layout().plugin_dir(id);
        // The directory first: when it is exchanged after this, the whole fits nothing.
        let directory = self.identity(&dir)?;
        let entries = absent_is_none(self.disk().list(&dir))?.unwrap_or_default();
        let version = match VersionSegment::active(&version_dirs(&entries)) {
            Some(version) => self
                .disk()
                .link_stamp(&dir.join(version.as_str()))?
                .filter(|stamp| stamp.kind == Kind::Dir)
                .map(|stamp| (version.clone(), Identity::of(&stamp))),
            None => None,
        };
        Ok(Seen {
            directory,
            version,
            record: SeenRecord::of(&self.record_file(id)),
        })
    }

    /// Takes the store lock for a change that is not the store's own but must fit what is installed,
    /// like an edit of configuration for a copy that is already there.
    ///
    /// # Errors
    /// [`StoreError::Superseded`] when the plugin is no longer as it was seen. Otherwise the store
    /// lock is held longer than `patience`, an earlier operation on the plugin cannot be undone, or
    /// the system refuses.
    pub fn hold<'a>(
        &self,
        id: &PluginId,
        seen: &Seen,
        patience: impl Into<Patience<'a>>,
    ) -> Result<Held, StoreError> {
        let lock = self.lock_for(id, patience)?;
        self.must_be_as_seen(id, seen)?;
        Ok(Held { lock })
    }

    /// Takes the store lock before it is known what all there is to do under it.
    ///
    /// # Errors
    /// The store lock is held longer than `patience`, a newer program owns the state, or the system
    /// refuses.
    pub fn hold_all<'a>(&self, patience: impl Into<Patience<'a>>) -> Result<Held, StoreError> {
        self.prepare_state()?;
        let lock = self.lock(patience)?;
        Ok(Held { lock })
    }

    /// Takes the store lock and brings what dead processes left of the plugin to its end.
    pub(crate) fn lock_for<'a>(
        &self,
        id: &PluginId,
        patience: impl Into<Patience<'a>>,
    ) -> Result<FileLock, StoreError> {
        self.prepare_state()?;
        let lock = self.lock(patience)?;
        self.check_places_of(id)?;
        self.finish_dead(&lock, &[id])?;
        Ok(lock)
    }

    /// Refuses when the plugin is no longer as it was seen. The store lock is held.
    pub(crate) fn must_be_as_seen(&self, id: &PluginId, seen: &Seen) -> Result<(), StoreError> {
        if self.seen(id)? == *seen {
            return Ok(());
        }
        Err(StoreError::Superseded { id: id.clone() })
    }
}

#[cfg(test)]
#[path = "seen_tests.rs"]
mod tests;
