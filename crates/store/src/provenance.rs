//! Changing what is known about a copy without touching the copy: the pin, and taking over a copy
//! that another program installed.
//!
//! Each is one file that is replaced as a whole, so it needs no journal.

use plugd_disk::tree::{AtEase, Digest};
use plugd_disk::{FileLock, Patience};
use plugd_model::{PluginId, Source};

use crate::record::{Before, BoundSource, InstalledBy, Pin, Record, RecordFile};
use crate::seen::Seen;
use crate::{Installed, Provenance, Store, StoreError};

/// What a foreign copy is bound to when it is taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adoption {
    /// The marketplace.
    pub bound: BoundSource,
    /// The source that its entry names.
    pub source: Source,
    /// The commit, for git, when it is known.
    pub commit: Option<String>,
    /// The digest of the source, when the caller has compared it with the copy.
    pub source_digest: Option<Digest>,
    /// What the caller had found when it decided to take the copy over.
    pub seen: Seen,
    /// The content of the copy that the caller compared.
    pub tree_digest: Digest,
}

impl Store {
    /// Sets or removes the pin of an installed plugin.
    ///
    /// # Errors
    /// [`StoreError::Superseded`] when the plugin is no longer as it was `seen`. Otherwise it is not
    /// installed or not recorded, the store lock is held longer than `patience`, or the system
    /// refuses.
    pub fn set_pin<'a>(
        &self,
        id: &PluginId,
        pin: Option<Pin>,
        seen: &Seen,
        patience: impl Into<Patience<'a>>,
    ) -> Result<Installed, StoreError> {
        let (_lock, installed, old) = self.open_record(id, patience)?;
        if installed.seen != *seen {
            return Err(StoreError::Superseded { id: id.clone() });
        }
        let Some(record) = &old.record else {
            return Err(StoreError::NotRecorded { id: id.clone() });
        };
        if record.pin == pin {
            return Ok(installed);
        }
        let record = Record {
            pin,
            ..record.clone()
        };
        self.write_record(id, &old, &record)?;
        self.installed_now(id)
    }

    /// Records that the source means another commit or version by now, and that the copy is what it
    /// has: so nobody fetches it again to find that out.
    ///
    /// # Errors
    /// [`StoreError::Superseded`] when the copy is no longer the one that the caller compared; the
    /// store lock is held longer than `patience`, or the system refuses.
    pub fn note_commit<'a>(
        &self,
        id: &PluginId,
        seen: &Seen,
        commit: &str,
        patience: impl Into<Patience<'a>>,
    ) -> Result<(), StoreError> {
        let (_lock, installed, old) = self.open_record(id, patience)?;
        match &old.record {
            Some(record) if installed.seen == *seen => {
                let record = Record {
                    commit: Some(commit.to_owned()),
                    ..record.clone()
                };
                self.write_record(id, &old, &record)
            }
            _ => Err(StoreError::Superseded { id: id.clone() }),
        }
    }

    /// Records a copy that another program installed. A copy that has a record by the time the lock
    /// is there is left alone.
    ///
    /// # Errors
    /// [`StoreError::Superseded`] when the copy is no longer the one that the caller compared.
    /// Otherwise the plugin is not installed, its copy cannot be read, the store lock is held longer
    /// than `patience`, or the system refuses.
    pub fn adopt<'a>(
        &self,
        id: &PluginId,
        adoption: Adoption,
        patience: impl Into<Patience<'a>>,
    ) -> Result<Installed, StoreError> {
        let (_lock, installed, old) = self.open_record(id, patience)?;
        let superseded = || StoreError::Superseded { id: id.clone() };
        if installed.seen != adoption.seen {
            return Err(superseded());
        }
        if installed.provenance == Provenance::Recorded {
            return Ok(installed);
        }
        if self.tree_digest(&installed, &AtEase)?.digest != adoption.tree_digest {
            return Err(superseded());
        }
        let Some((_, directory)) = installed.seen.version else {
            return Err(superseded());
        };
        // The record speaks of another directory from now on.
        self.settle_journals()?;
        let before = old.record.as_ref();
        // The same content in the same place has what stood there before it.
        let same = before.filter(|record| {
            record.version == installed.version && record.tree_digest == adoption.tree_digest
        });
        let record = Record {
            bound: adoption.bound,
            source: adoption.source,
            commit: adoption.commit,
            version: installed.version.clone(),
            source_digest: adoption.source_digest,
            tree_digest: adoption.tree_digest,
            installed_at: self.now(),
            by: InstalledBy::Adopted,
            before: same.map_or(Before::Unknown, |record| record.before.clone()),
            // The other program has removed the copy that was there before; older ones are ours.
            kept: before.map_or(Vec::new(), |record| record.kept.clone()),
            pin: before.and_then(|record| record.pin.clone()),
            // Whoever put it there put there what the source has.
            repaired_from: None,
            stamps: None,
            directory,
        };
        self.write_record(id, &old, &record)?;
        self.installed_now(id)
    }

    /// Looks at copy and record under the lock.
    fn open_record<'a>(
        &self,
        id: &PluginId,
        patience: impl Into<Patience<'a>>,
    ) -> Result<(FileLock, Installed, RecordFile), StoreError> {
        let lock = self.lock_for(id, patience)?;
        let installed = self.installed_now(id)?;
        Ok((lock, installed, self.record_file(id)?))
    }

    fn installed_now(&self, id: &PluginId) -> Result<Installed, StoreError> {
        let installed = self.get(id)?;
        installed.ok_or_else(|| StoreError::NotInstalled { id: id.clone() })
    }
}

#[cfg(test)]
#[path = "provenance_tests.rs"]
mod tests;
