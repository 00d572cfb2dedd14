//! The format number of the state directory, and a transaction's place in it.
//!
//! A transaction has a random id. Below it stand a lock that is held for its whole life, a
//! directory for trees half made, one for trees half removed and, while something visible is being
//! changed, a journal.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use plugd_disk::tree::remove_abandoned;
use plugd_disk::{Disk, DiskError, FileLock};
use plugd_model::{AbsPath, Layout};

use crate::sweeper::Sweeper;
use crate::{Store, StoreError};

/// The format of everything below the state directory.
const FORMAT: u64 = 1;

impl Store {
    /// Makes sure that no journal of a transaction that is over can come back. To be called before a
    /// record goes without a transaction, or is made to speak of another directory.
    pub(crate) fn settle_journals(&self) -> Result<(), StoreError> {
        let journals = self.layout().journals();
        match self.disk().link_stamp(&journals)? {
            Some(_) => Ok(self.disk().sync_dir(&journals)?),
            None => Ok(()),
        }
    }

    /// Tells whether this program may write the state, and changes nothing. A state that does not
    /// exist yet may be written.
    ///
    /// # Errors
    /// A newer program owns the state, something else stands where its directories belong, or the
    /// system refuses.
    pub fn check_format(&self) -> Result<(), StoreError> {
        self.read_format().map(|_| ())
    }

    /// Makes the state ready for a file of any kind: refuses as [`Store::check_format`] does, and
    /// writes the format number the first time. To be called before anything is written there, so
    /// that no state exists that does not say which format it has.
    ///
    /// # Errors
    /// As [`Store::check_format`]; or the format number cannot be written.
    pub fn prepare_state(&self) -> Result<(), StoreError> {
        if self.read_format()?.is_some() {
            return Ok(());
        }
        self.disk().create_dirs_durably(&self.layout().state())?;
        let text = format!("{FORMAT}\n");
        Ok(self
            .disk()
            .replace(&self.layout().state_version(), text.as_bytes(), 0o644)?)
    }

    /// The format of the state, which is one that may be written; `None` when there is no state.
    fn read_format(&self) -> Result<Option<u64>, StoreError> {
        self.check_state_places()?;
        let path = self.layout().state_version();
        let bytes = match self.disk().read(&path, 64) {
            Ok(bytes) => bytes,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let number = std::str::from_utf8(&bytes).ok().map(str::trim);
        match number.and_then(|number| number.parse::<u64>().ok()) {
            Some(found) if found > FORMAT => Err(StoreError::FormatTooNew {
                path,
                found,
                known: FORMAT,
            }),
            Some(found) => Ok(Some(found)),
            None => Err(StoreError::BadFormat { path }),
        }
    }

    /// Opens a new transaction.
    pub(crate) fn open_ticket(&self) -> Result<Ticket, StoreError> {
        self.inner.sweeper.another_begins();
        self.disk().create_dirs_durably(&self.layout().journals())?;
        loop {
            let id = self.inner.names.next();
            // A name that is taken belongs to somebody else, living or not.
            let Some(mut ticket) = Ticket::of(self.disk(), self.layout(), &id)? else {
                continue;
            };
            if self.disk().link_stamp(&ticket.journal)?.is_none() {
                ticket.has_no_journal();
                ticket.clear()?;
                ticket.unsettled.store(false, Ordering::Relaxed);
                return Ok(ticket);
            }
        }
    }
}

/// A transaction's id with its lock and places.
///
/// Dropping it sweeps the places, or has them swept behind the answer, unless a journal speaks of what
/// lies in them or recovery is to do it.
#[derive(Debug)]
pub(crate) struct Ticket {
    disk: Disk,
    lock: Arc<FileLock>,
    pub(crate) journal: AbsPath,
    pub(crate) staging: AbsPath,
    pub(crate) trash: AbsPath,
    trees: AbsPath,
    journaled: bool,
    left: bool,
    /// Whether a tree may have been moved from or to one of the places, and that is not durable yet.
    unsettled: AtomicBool,
    /// Who sweeps the places; nobody but whoever drops the ticket, as long as there is none.
    sweeper: Option<Arc<Sweeper>>,
}

impl Ticket {
    /// Takes the ticket of an id; `None` when its transaction is alive.
    pub(crate) fn of(disk: &Disk, layout: &Layout, id: &str) -> Result<Option<Self>, DiskError> {
        let lock = layout.journals().join(format!("{id}.lock"));
        Ok(disk.try_lock(&lock)?.map(|lock| Self {
            disk: disk.clone(),
            lock: Arc::new(lock),
            journal: layout.journals().join(format!("{id}.json")),
            staging: layout.staging().join(id),
            trash: layout.trash().join(id),
            trees: layout.trees(),
            journaled: true,
            left: false,
            // Nobody knows what the one before us had begun.
            unsettled: AtomicBool::new(true),
            sweeper: None,
        }))
    }

    /// The id of the transaction, which nobody else has.
    pub(crate) fn id(&self) -> &str {
        self.staging
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default()
    }

    /// Removes what lies in the places now, and tells whether that worked. What is left is a dead
    /// transaction, which recovery finds.
    pub(crate) fn close(mut self) -> Result<(), StoreError> {
        self.left = true;
        self.sweep()
    }

    /// From here on the places belong to the journal, also when the ticket is dropped.
    pub(crate) fn journal_exists(&mut self) {
        self.journaled = true;
    }

    /// The places may be swept. A ticket does not begin like this, because an error on the way to
    /// knowing must not cost the trees that a journal speaks of.
    pub(crate) fn has_no_journal(&mut self) {
        self.journaled = false;
    }

    /// Leaves lock and places where they are, so that the next recovery finds a dead transaction and
    /// does what could not be done here.
    pub(crate) fn leave_to_recovery(&mut self) {
        self.left = true;
    }

    /// Lets the places be swept behind the answer, when the process does so at all. For a transaction that
    /// is committed: who is refused finds everything as it was.
    pub(crate) fn sweep_behind(&mut self, sweeper: &Arc<Sweeper>) {
        self.sweeper = Some(Arc::clone(sweeper));
    }

    /// Whether the transaction is neither committed nor undone.
    pub(crate) fn is_journaled(&self) -> bool {
        self.journaled
    }

    /// The commit: without a journal the places are rubbish. After a loss of power it may be back, until
    /// the directory is synced: every transaction does that before it changes anything, and so does
    /// whoever changes without one what a journal speaks of ([`Store::settle_journals`]).
    pub(crate) fn drop_journal(&mut self) -> Result<(), DiskError> {
        self.disk.remove_file(&self.journal)?;
        self.journaled = false;
        Ok(())
    }

    /// The end of an undoing, which is durable.
    pub(crate) fn remove_journal(&mut self) -> Result<(), DiskError> {
        self.disk.remove_file(&self.journal)?;
        self.journaled = false;
        match self.journal.parent() {
            Some(parent) => self.disk.sync_dir(&parent),
            None => Ok(()),
        }
    }

    /// To be called before a tree is moved from or to one of the places.
    pub(crate) fn moves_a_tree(&self) {
        self.unsettled.store(true, Ordering::Relaxed);
    }

    /// Makes all moves of trees durable by one wait. Nothing in the places is removed before: a tree whose
    /// name a loss of power brought back would be half removed, and one whose name it took would be gone.
    pub(crate) fn settle(&self) -> Result<(), DiskError> {
        if self.unsettled.load(Ordering::Relaxed) {
            match self.disk.sync_dir(&self.trees) {
                // A dead one may have had nothing to do with trees.
                Err(error) if error.is_not_found() => {}
                synced => synced?,
            }
        }
        self.unsettled.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Removes what lies in the places.
    fn clear(&self) -> Result<(), StoreError> {
        remove_abandoned(&self.disk, &self.staging)?;
        Ok(remove_abandoned(&self.disk, &self.trash)?)
    }

    fn sweep(&self) -> Result<(), StoreError> {
        self.settle()?;
        self.clear()?;
        // Last, because without it nobody can tell that the places are dead. Whoever waits for it
        // notices that it is gone.
        Ok(self.disk.remove_file(self.lock.path())?)
    }

    /// The same transaction without its journal and with nothing to settle, for whoever sweeps its places
    /// later.
    fn remains(&self) -> Self {
        Self {
            disk: self.disk.clone(),
            lock: Arc::clone(&self.lock),
            journal: self.journal.clone(),
            staging: self.staging.clone(),
            trash: self.trash.clone(),
            trees: self.trees.clone(),
            journaled: false,
            left: false,
            unsettled: AtomicBool::new(false),
            sweeper: None,
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.journaled || self.left {
            return;
        }
        let swept = match self.sweeper.take() {
            // What the answer says has to last, so nobody leaves that to the thread.
            Some(sweeper) => self
                .settle()
                .map(|()| sweeper.sweep(self.remains()))
                .map_err(Into::into),
            None => self.sweep(),
        };
        if let Err(error) = swept {
            // Recovery sweeps what is left here.
            tracing::warn!(lock = %self.lock.path(), %error, "a transaction leaves files behind");
        }
    }
}
