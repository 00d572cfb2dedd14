//! Undoing a transaction, in the process that began it or in one that found its remains.
//!
//! Each step looks at what is there and does nothing when it is already as it should be. The order
//! is the reverse of doing, so that an interruption never leaves a plugin enabled without files.

use plugd_disk::Unsynced;
use plugd_model::AbsPath;

use crate::journal::{Journal, Operation, Part};
use crate::record::Identity;
use crate::state::Ticket;
use crate::{Store, StoreError, UndoError};

impl Store {
    /// Restores tree, record and configuration, then removes the journal. The store lock is held.
    pub(crate) fn undo(&self, ticket: &mut Ticket, journal: &Journal) -> Result<(), StoreError> {
        journal.plugins().try_for_each(|id| self.check_way_to(id))?;
        match journal.operation {
            Operation::Install => {
                self.undo_config(journal)?;
                for part in journal.parts.iter().rev() {
                    self.undo_record(part)?;
                    self.undo_tree(ticket, part)?;
                }
            }
            Operation::Uninstall => {
                for part in journal.parts.iter().rev() {
                    self.undo_tree(ticket, part)?;
                    self.undo_record(part)?;
                }
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
                .map_err(|source| config_undo(journal, source))
        })
    }

    fn undo_record(&self, part: &Part) -> Result<(), StoreError> {
        let path = self.layout().record(&part.plugin);
        // Records are written under the store lock only, so what is half written here is dead.
        if let Some(dir) = path.parent() {
            self.sweep_half_written(&dir)?;
        }
        match &part.record_before {
            Some(text) => {
                // Writing what is there already would be harmless but not free.
                if self.record_file(&part.plugin)?.bytes.as_deref() != Some(text.as_bytes()) {
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
    fn undo_tree(&self, ticket: &Ticket, part: &Part) -> Result<(), StoreError> {
        let place = self.layout().plugin_dir(&part.plugin);
        let parked = [&ticket.trash, &ticket.staging].map(|place| part.parked_in(place));
        let mut old = None;
        for candidate in &parked {
            if let Some(found) = self.identity(candidate)?
                && !part.new.is_some_and(|new| new.is(&found))
            {
                old = Some(candidate);
                break;
            }
        }
        let old = old.filter(|_| part.was_present);
        let mut found = self.identity(&place)?;
        let is_new = found.is_some_and(|found| part.new.is_some_and(|new| new.is(&found)));
        let mut changed = false;
        if is_new {
            let exchanged = match old {
                Some(old) => self.disk().exchange(&place, old)?,
                None => false,
            };
            if !exchanged {
                self.disk().create_dirs(&ticket.staging)?;
                self.disk().rename(
                    &place,
                    &ticket.staging.join(format!("undone-{}", part.number)),
                )?;
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

/// An edit of configuration that belongs to a transaction and cannot be looked at or taken back.
pub(crate) fn config_undo(journal: &Journal, source: UndoError) -> StoreError {
    // What went away together was edited together, so any of them names it.
    let id = journal.parts[0].plugin.clone();
    StoreError::ConfigUndo { id, source }
}
