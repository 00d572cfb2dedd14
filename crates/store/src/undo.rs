//! Undoing a transaction, in the process that began it or in one that found its remains.
//!
//! Each step looks at what is there and does nothing when it is already as it should be. The order
//! is the reverse of doing, so that an interruption never leaves a plugin enabled without files.

use plugd_disk::Unsynced;
use plugd_model::AbsPath;

use crate::journal::{Journal, Operation};
use crate::record::Identity;
use crate::state::Ticket;
use crate::{Store, StoreError};

impl Store {
    /// Restores tree, record and configuration, then removes the journal. The store lock is held.
    pub(crate) fn undo(&self, ticket: &mut Ticket, journal: &Journal) -> Result<(), StoreError> {
        self.check_way_to(&journal.plugin)?;
        match journal.operation {
            Operation::Install => {
                self.undo_config(journal)?;
                self.undo_record(journal)?;
                self.undo_tree(ticket, journal)?;
            }
            Operation::Uninstall => {
                self.undo_tree(ticket, journal)?;
                self.undo_record(journal)?;
                self.undo_config(journal)?;
            }
        }
        Ok(ticket.remove_journal()?)
    }

    fn undo_config(&self, journal: &Journal) -> Result<(), StoreError> {
        journal.config.iter().rev().try_for_each(|note| {
            self.inner
                .config
                .undo(note)
                .map_err(|source| StoreError::ConfigUndo {
                    id: journal.plugin.clone(),
                    source,
                })
        })
    }

    fn undo_record(&self, journal: &Journal) -> Result<(), StoreError> {
        let path = self.layout().record(&journal.plugin);
        // Records are written under the store lock only, so what is half written here is dead.
        if let Some(dir) = path.parent() {
            self.sweep_half_written(&dir)?;
        }
        match &journal.record_before {
            Some(text) => {
                // Writing what is there already would be harmless but not free.
                if self.record_file(&journal.plugin)?.bytes.as_deref() != Some(text.as_bytes()) {
                    self.disk().replace(&path, text.as_bytes(), 0o644)?;
                }
                Ok(())
            }
            None => self.remove_record(&path),
        }
    }

    /// Removes a record file for good.
    pub(crate) fn remove_record(&self, path: &AbsPath) -> Result<(), StoreError> {
        let mut unsynced = Unsynced::default();
        self.forget_record(path, &mut unsynced)?;
        Ok(self.disk().make_durable(&unsynced)?)
    }

    /// The same, and it may come back until what is added to `unsynced` is durable.
    pub(crate) fn forget_record(
        &self,
        path: &AbsPath,
        unsynced: &mut Unsynced,
    ) -> Result<(), StoreError> {
        if self.disk().link_stamp(path)?.is_none() {
            return Ok(());
        }
        self.disk().remove_file(path)?;
        if let Some(parent) = path.parent() {
            unsynced.dir(parent);
        }
        Ok(())
    }

    /// Brings back what stood at the plugin's directory.
    ///
    /// The old directory is in the trash (two renames), in staging (an exchange), or still in its
    /// place. A directory in its place that is neither the old nor the new one was put there by
    /// another program meanwhile; it stays.
    fn undo_tree(&self, ticket: &Ticket, journal: &Journal) -> Result<(), StoreError> {
        let place = self.layout().plugin_dir(&journal.plugin);
        let parked = [parked_in(&ticket.trash), parked_in(&ticket.staging)];
        let mut old = None;
        for candidate in &parked {
            if let Some(found) = self.identity(candidate)?
                && !journal.new.is_some_and(|new| new.is(&found))
            {
                old = Some(candidate);
                break;
            }
        }
        let old = old.filter(|_| journal.was_present);
        let mut found = self.identity(&place)?;
        let is_new = found.is_some_and(|found| journal.new.is_some_and(|new| new.is(&found)));
        let mut changed = false;
        if is_new {
            let exchanged = match old {
                Some(old) => self.disk().exchange(&place, old)?,
                None => false,
            };
            if !exchanged {
                self.disk().create_dirs(&ticket.staging)?;
                self.disk().rename(&place, &ticket.staging.join("undone"))?;
                found = None;
            }
            changed = true;
        }
        if let (None, Some(old)) = (found, old) {
            // Somebody may have cleared the whole cache since.
            if let Some(parent) = place.parent() {
                self.disk().create_dirs_durably(&parent)?;
            }
            self.disk().rename(old, &place)?;
            changed = true;
        }
        match place.parent().filter(|_| changed) {
            Some(parent) => Ok(self.disk().sync_dir(&parent)?),
            None => Ok(()),
        }
    }

    /// The identity of what stands at a path; a link counts as itself.
    pub(crate) fn identity(&self, path: &AbsPath) -> Result<Option<Identity>, StoreError> {
        Ok(self.disk().link_stamp(path)?.as_ref().map(Identity::of))
    }
}

/// Where a plugin's whole directory lies below a transaction's place.
pub(crate) fn parked_in(place: &AbsPath) -> AbsPath {
    place.join("plugin")
}
