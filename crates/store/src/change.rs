//! A change that readers may see and that is not committed: what an installation and an
//! uninstallation have in common.
//!
//! It holds the journal and both locks. Errors, drops and kills take the same way back: the one
//! that the journal describes. A kill after the last step, and an error after it whose way back fails
//! at once, is found complete by recovery, which ends it then.

use plugd_disk::{FileLock, Unsynced};
use plugd_model::PluginId;

use crate::journal::{Journal, Operation};
use crate::state::Ticket;
use crate::{Store, StoreError};

/// A change with its journal. Dropping it before the commit takes everything back.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) store: Store,
    pub(crate) journal: Journal,
    // Fields are dropped in this order: the transaction's places while the lock is still held.
    pub(crate) ticket: Ticket,
    lock: Option<FileLock>,
    /// What was changed and is made durable by the commit.
    pub(crate) unsynced: Unsynced,
}

impl Change {
    /// A change whose journal is not written yet.
    pub(crate) fn new(store: Store, ticket: Ticket, lock: FileLock, journal: Journal) -> Self {
        Self {
            store,
            journal,
            ticket,
            lock: Some(lock),
            unsynced: Unsynced::default(),
        }
    }

    /// Writes the journal, and makes it durable with its name, together with all that was written before
    /// and that nobody sees yet. Nothing that readers see has changed when this returns.
    pub(crate) fn begin(&mut self, mut written: Unsynced) -> Result<(), StoreError> {
        // From the first byte of the journal on, whatever fails is undone by the drop.
        self.ticket.journal_exists();
        let disk = self.store.disk();
        self.journal.put(disk, &self.ticket.journal)?;
        written.file(self.ticket.journal.clone());
        written.dir(self.store.layout().journals());
        Ok(disk.make_durable(&written)?)
    }

    /// The plugin that is being changed, and of several the first.
    pub(crate) fn id(&self) -> &PluginId {
        &self.journal.parts[0].plugin
    }

    /// Makes the change durable and then final. When the journal cannot be removed it is not, and the
    /// drop takes it back.
    ///
    /// Nobody waits until the removal is durable: a journal that comes back after a loss of power finds
    /// everything done that it speaks of, and ends. One of several plugins would find less when another
    /// program has done something with one of them since, and the others would go back with it; so that one
    /// does not come back.
    pub(crate) fn commit(&mut self) -> Result<(), StoreError> {
        let disk = self.store.disk();
        disk.make_durable(&self.unsynced)?;
        self.ticket.drop_journal()?;
        if self.journal.parts.len() > 1
            && let Err(error) = disk.sync_dir(&self.store.layout().journals())
        {
            tracing::warn!(%error, "the end of a transaction may not be durable yet");
        }
        Ok(())
    }

    /// Takes everything back; what cannot be taken back stays in the journal.
    pub(crate) fn undo(&mut self) -> Result<(), StoreError> {
        self.store.undo(&mut self.ticket, &self.journal)
    }

    /// Lets other operations go on after the commit. What is left is swept by the ticket, and nobody needs
    /// to wait for that; where nothing was there before, it is an empty directory and gone at once.
    pub(crate) fn unlock(&mut self) {
        self.lock = None;
        if self.journal.replaces() {
            self.ticket.sweep_behind(&self.store.inner.sweeper);
        }
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        if !self.ticket.is_journaled() {
            return;
        }
        if let Err(error) = self.undo() {
            let operation = match self.journal.operation {
                Operation::Install => "installation",
                Operation::Uninstall => "uninstallation",
            };
            tracing::error!(
                plugin = %self.id(), %error,
                "an {operation} could not be taken back; the next operation tries again"
            );
        }
    }
}
