//! Uninstalling: the mirror image of an installation.
//!
//! The order is: lock, journal, the caller's edit of configuration, and then, in one step for the
//! caller, files to the trash, record, all of it made durable, removal of the journal. So what a crash
//! could leave is an orphan and never an enabled plugin without files.
//!
//! Several plugins can go in one transaction: all of them or none. It has one place, one journal and two
//! waits for the disk, however many they are.

use std::collections::BTreeSet;

use plugd_disk::tree::Digest;
use plugd_disk::{FileLock, Patience, Unsynced};
use plugd_model::PluginId;
use serde_json::Value;

use crate::change::Change;
use crate::install::text_of;
use crate::journal::{Journal, Operation, Part};
use crate::json::{installed_in, trees_in};
use crate::record::{Record, RecordFile};
use crate::seen::{Held, Seen};
use crate::state::Ticket;
use crate::{Store, StoreError};

/// An uninstallation that has begun and has changed nothing yet. Dropping it takes back the edits of
/// configuration that it was told of.
#[derive(Debug)]
pub struct PendingRemoval {
    change: Change,
    /// What was recorded, as the journal's parts.
    old: Vec<RecordFile>,
}

/// What an uninstallation removed of one plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// Whether anything stood at the plugin's directory.
    pub was_present: bool,
    /// What was recorded about it.
    pub record: Option<Record>,
}

impl Store {
    /// Begins an uninstallation. A plugin that is not installed is fine: its configuration may
    /// still have to go.
    ///
    /// # Errors
    /// The store lock is held longer than `patience`, an earlier operation on the plugin cannot be
    /// undone, a newer program owns the state, or the system refuses.
    pub fn uninstall<'a>(
        &self,
        id: &PluginId,
        patience: impl Into<Patience<'a>>,
    ) -> Result<PendingRemoval, StoreError> {
        self.begin_removal(id, None, patience.into())
    }

    /// The same for background work that has decided on what it saw: whoever installs, removes or
    /// records something meanwhile has the say.
    ///
    /// # Errors
    /// [`StoreError::Superseded`] when the plugin is no longer as it was seen; else as
    /// [`Store::uninstall`].
    pub fn uninstall_seen<'a>(
        &self,
        id: &PluginId,
        seen: &Seen,
        patience: impl Into<Patience<'a>>,
    ) -> Result<PendingRemoval, StoreError> {
        self.begin_removal(id, Some(seen), patience.into())
    }

    /// The same of several plugins, all or none. Each is named once.
    ///
    /// # Errors
    /// As [`Store::uninstall`], when that holds of any of them.
    pub fn uninstall_together(
        &self,
        held: Held,
        ids: &[&PluginId],
    ) -> Result<PendingRemoval, StoreError> {
        let ticket = self.open_ticket()?;
        self.removal_of(ids, ticket, held.lock)
    }

    fn begin_removal(
        &self,
        id: &PluginId,
        seen: Option<&Seen>,
        patience: Patience<'_>,
    ) -> Result<PendingRemoval, StoreError> {
        self.prepare_state()?;
        let ticket = self.open_ticket()?;
        let lock = self.lock(patience)?;
        let removal = self.removal_of(&[id], ticket, lock)?;
        if let Some(seen) = seen {
            self.must_be_as_seen(id, seen)?;
        }
        Ok(removal)
    }

    fn removal_of(
        &self,
        ids: &[&PluginId],
        ticket: Ticket,
        lock: FileLock,
    ) -> Result<PendingRemoval, StoreError> {
        for id in ids {
            self.check_places_of(id)?;
        }
        self.finish_dead(&lock, ids)?;
        let (mut parts, mut old) = (Vec::new(), Vec::new());
        for (number, id) in ids.iter().enumerate() {
            let record = self.record_file(id)?;
            parts.push(Part {
                number,
                plugin: (*id).clone(),
                was_present: self.identity(&self.layout().plugin_dir(id))?.is_some(),
                new: None,
                new_version: None,
                record_before: text_of(&record),
            });
            old.push(record);
        }
        let journal = Journal {
            operation: Operation::Uninstall,
            parts,
            config: Vec::new(),
        };
        Ok(PendingRemoval {
            change: Change::new(self.clone(), ticket, lock, journal),
            old,
        })
    }
}

impl PendingRemoval {
    /// Begins the journal with how to take back an edit of configuration. To be called before the
    /// edit. `written` becomes durable with the journal.
    ///
    /// # Errors
    /// The journal cannot be written; the edit must not be made then.
    pub fn journal_config(&mut self, undo: Value, written: Unsynced) -> Result<(), StoreError> {
        self.change.journal.config.push(undo);
        self.begin(written)
    }

    /// What the commit makes durable: the edit of configuration may be added.
    pub fn unsynced(&mut self) -> &mut Unsynced {
        &mut self.change.unsynced
    }

    fn begin(&mut self, mut written: Unsynced) -> Result<(), StoreError> {
        let Change {
            store,
            journal,
            ticket,
            ..
        } = &self.change;
        if journal.replaces() {
            // The copy will lie here, so the way to it must be durable.
            let trash = store.layout().trash();
            store.disk().create_dirs_durably(&trash)?;
            store.disk().create_dirs(&ticket.trash)?;
            written.dir(trash);
        }
        self.change.begin(written)
    }

    /// Removes files, sidecar, record and kept versions, and makes that final. The plugin's data
    /// and the marketplace's directory stay; of a linked directory only the link goes. What was removed
    /// is told in the order of the plugins.
    ///
    /// # Errors
    /// The system refuses; everything is taken back then, configuration included.
    pub fn commit(mut self, protected: &BTreeSet<Digest>) -> Result<Vec<Removed>, StoreError> {
        if !self.change.ticket.is_journaled() {
            self.begin(Unsynced::default())?;
        }
        let Change {
            store,
            journal,
            ticket,
            unsynced,
            ..
        } = &mut self.change;
        let disk = store.disk();
        for part in &journal.parts {
            let place = store.layout().plugin_dir(&part.plugin);
            if part.was_present {
                let parked = part.parked_in(&ticket.trash);
                disk.rename(&place, &parked)
                    .map_err(|error| StoreError::of_move(error, &place, &parked))?;
                // One step changed both directories, and either of them makes it durable.
                if let Some(dir) = place.parent() {
                    unsynced.dir(dir);
                }
            }
            store.remove_file_list(&part.plugin)?;
            store.forget_record(&store.layout().record(&part.plugin), unsynced)?;
        }
        self.change.commit()?;
        self.drop_kept(protected);
        let was_present = self
            .change
            .journal
            .parts
            .iter()
            .map(|part| part.was_present);
        let removed = was_present.zip(self.old);
        Ok(removed
            .map(|(was_present, old)| Removed {
                was_present,
                record: old.record,
            })
            .collect())
    }

    /// Takes everything back, as dropping does, and tells whether that worked.
    ///
    /// # Errors
    /// Something could not be taken back; the journal stays, and recovery tries again.
    pub fn roll_back(mut self) -> Result<(), StoreError> {
        self.change.undo()
    }

    /// A failure leaves an unused tree, which recovery finds, so it is not an error.
    fn drop_kept(&mut self, protected: &BTreeSet<Digest>) {
        // Also of a record that cannot be understood as a whole; and the tree of what was installed
        // lies there when it was leased.
        let members = self.old.iter().map(|old| &old.members);
        let digests = members
            .flat_map(|members| trees_in(members).chain(installed_in(members)))
            .filter(|digest| !protected.contains(digest));
        let Change { store, ticket, .. } = &self.change;
        if let Err(error) = store.drop_trees(digests, ticket) {
            tracing::warn!(plugin = %self.change.id(), %error, "a kept version is not removed");
            self.change.ticket.leave_to_recovery();
        }
        self.change.unlock();
    }
}

#[cfg(test)]
#[path = "removal_tests.rs"]
mod tests;
