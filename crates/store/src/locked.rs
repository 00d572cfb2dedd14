//! The middle of an installation: a copy in its final form, and then the store's lock.
//!
//! Everything here can still be let go: nothing that readers see has changed. Several copies that are
//! ready at the same time can take the lock together and their places in one transaction.

use std::iter;

use plugd_disk::tree::FileDigests;
use plugd_disk::{FileLock, Patience, Unsynced};
use plugd_model::{AbsPath, Layout, PluginId};
use serde_json::Value;

use crate::install::ActivatedInstall;
use crate::journal::parked_in;
use crate::kept::Predecessor;
use crate::record::{Identity, NewInstall, Retention};
use crate::seen::{Held, Seen};
use crate::staged::{Returning, StagedInstall, Transaction};
use crate::{StagedTree, Store, StoreError, sidecar};

/// A tree with so many bytes is small: the disk takes no longer for it than for its names.
const SMALL: u64 = 1 << 20;

/// A staged copy in its final form, with all that is to be said of it. Dropping it removes it.
#[derive(Debug)]
pub struct ReadyInstall {
    pub(crate) transaction: Transaction,
    pub(crate) new: NewInstall,
    pub(crate) retention: Retention,
    pub(crate) tree: StagedTree,
    pub(crate) files: FileDigests,
    pub(crate) prepared: Prepared,
    pub(crate) predecessors: Vec<Predecessor>,
    pub(crate) returning: Option<Returning>,
    pub(crate) unsynced: Unsynced,
    seen: Seen,
}

/// The staged plugin directory, complete.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) plugin_dir: AbsPath,
    pub(crate) plugin: Identity,
    pub(crate) version: Identity,
}

/// Installations that hold the store lock and have changed nothing yet. Dropping them removes the staged
/// copies.
#[derive(Debug)]
pub struct LockedInstall {
    // Fields are dropped in this order: the transactions' places while the lock is still held.
    first: ReadyInstall,
    others: Vec<ReadyInstall>,
    lock: FileLock,
    config: Vec<Value>,
    unsynced: Unsynced,
}

/// Installations that cannot be made together, as they were before.
#[derive(Debug, thiserror::Error)]
#[error("the copies cannot take their places together")]
pub struct NotTogether {
    /// The copies, in their order.
    pub members: Vec<ReadyInstall>,
    /// What stands against it, of one of them.
    #[source]
    pub source: StoreError,
}

impl StagedInstall {
    /// Gives the copy its final form, and makes a large one durable, so that nobody waits for that under
    /// the lock. What is decided in `new` is decided for the plugin as it was `seen`.
    ///
    /// # Errors
    /// The system refuses. The staged copy goes away.
    pub fn ready(
        self,
        new: NewInstall,
        seen: &Seen,
        retention: &Retention,
    ) -> Result<ReadyInstall, StoreError> {
        let mut unsynced = Unsynced::default();
        let prepared = prepare(&self, &new, &mut unsynced)?;
        let Self {
            transaction,
            tree,
            files,
            returning,
        } = self;
        Ok(ReadyInstall {
            // Reading the old copy may take long, so it is done before the lock and again only if the
            // copy was exchanged meanwhile.
            predecessors: transaction
                .store
                .predecessors(&transaction.id, &tree.tree_digest)?,
            transaction,
            new,
            retention: retention.clone(),
            tree,
            files,
            prepared,
            returning,
            unsynced,
            seen: seen.clone(),
        })
    }
}

impl ReadyInstall {
    /// The plugin that is being installed.
    #[must_use]
    pub fn id(&self) -> &PluginId {
        &self.transaction.id
    }

    /// Takes the store lock and looks again, and changes nothing yet.
    ///
    /// # Errors
    /// [`StoreError::Superseded`] when the plugin is no longer as it was seen. Otherwise the store
    /// lock is held longer than `patience`, an earlier operation on the plugin cannot be undone, or
    /// the system refuses. What was in its place is there, and the staged copy goes away.
    pub fn lock<'a>(self, patience: impl Into<Patience<'a>>) -> Result<LockedInstall, StoreError> {
        let lock = self.transaction.store.lock(patience)?;
        let locked = LockedInstall::new(lock, self, Vec::new());
        locked.map_err(|refused| refused.source)
    }

    /// Whether the plugin still is as it was when all of this was decided. The store lock is held.
    fn look_again(&mut self) -> Result<(), StoreError> {
        let (store, id) = (&self.transaction.store, &self.transaction.id);
        store.must_be_as_seen(id, &self.seen)?;
        if !store.still_there(&self.predecessors)? || self.predecessors.is_empty() {
            self.predecessors = store.predecessors(id, &self.tree.tree_digest)?;
        }
        Ok(())
    }
}

impl Store {
    /// Looks again at several plugins under the lock that is held, as [`ReadyInstall::lock`] does, for
    /// copies that take their places in one transaction. Each is of another plugin.
    ///
    /// # Errors
    /// One of them could not be installed. Nothing has changed, and all of them come back.
    pub fn lock_together(
        &self,
        held: Held,
        first: ReadyInstall,
        others: Vec<ReadyInstall>,
    ) -> Result<LockedInstall, NotTogether> {
        LockedInstall::new(held.lock, first, others)
    }
}

impl LockedInstall {
    fn new(
        lock: FileLock,
        first: ReadyInstall,
        others: Vec<ReadyInstall>,
    ) -> Result<Self, NotTogether> {
        let mut locked = Self {
            first,
            others,
            lock,
            config: Vec::new(),
            unsynced: Unsynced::default(),
        };
        match locked.look_again() {
            Ok(()) => Ok(locked),
            Err(source) => Err(NotTogether {
                members: locked.let_go(),
                source,
            }),
        }
    }

    fn look_again(&mut self) -> Result<(), StoreError> {
        let store = self.first.transaction.store.clone();
        let ids: Vec<_> = self.ids().collect();
        for id in &ids {
            store.check_places_of(id)?;
        }
        store.finish_dead(&self.lock, &ids)?;
        self.first.look_again()?;
        self.others
            .iter_mut()
            .try_for_each(ReadyInstall::look_again)
    }

    /// The plugin that is being installed, and of several the first.
    #[must_use]
    pub fn id(&self) -> &PluginId {
        self.first.id()
    }

    /// The plugins that are being installed.
    pub fn ids(&self) -> impl Iterator<Item = &PluginId> {
        let others = self.others.iter().map(ReadyInstall::id);
        iter::once(self.id()).chain(others)
    }

    /// Notes how to take back an edit of configuration that is made after the activation and before
    /// the commit. It stands in the journal from the beginning then, which is written once.
    pub fn note_config(&mut self, undo: Value) {
        self.config.push(undo);
    }

    /// What becomes durable with the journal: what was written for the edit may be added.
    pub fn unsynced(&mut self) -> &mut Unsynced {
        &mut self.unsynced
    }

    /// Puts the copies in the places of the installed ones, for whoever holds nothing that taking them back
    /// needs.
    ///
    /// # Errors
    /// As [`LockedInstall::prepare`].
    pub fn activate(self) -> Result<ActivatedInstall, StoreError> {
        let mut active = self.prepare()?;
        active.activate()?;
        Ok(active)
    }

    /// Gives the lock back and the copies as they were.
    #[must_use]
    pub fn let_go(self) -> Vec<ReadyInstall> {
        iter::once(self.first).chain(self.others).collect()
    }

    /// Everything up to the journal. What it returns takes everything back unless it is committed.
    ///
    /// # Errors
    /// The system refuses. What was in their places is there, and the staged copies go away.
    pub fn prepare(self) -> Result<ActivatedInstall, StoreError> {
        let Self {
            first,
            others,
            lock,
            config,
            unsynced,
        } = self;
        ActivatedInstall::new(lock, (first, others), config, unsynced)
    }
}

/// Gives the staged tree its final form and makes it durable; a small one becomes so with the journal,
/// for which others wait a little longer then.
fn prepare(
    staged: &StagedInstall,
    new: &NewInstall,
    unsynced: &mut Unsynced,
) -> Result<Prepared, StoreError> {
    let store = &staged.transaction.store;
    let disk = store.disk();
    let plugin_dir = parked_in(&staged.transaction.ticket.staging);
    let version_dir = plugin_dir.join(new.version.as_str());
    disk.create_dir(&plugin_dir)?;
    disk.rename(&staged.tree.root, &version_dir)?;
    if let Some(remote_id) = &new.remote_id {
        let path = plugin_dir.join(Layout::REMOTE_SIDECAR);
        disk.write_new(&path, sidecar::text(remote_id).as_bytes(), sidecar::MODE)?;
    }
    // The replaced copy will lie in the transaction's place after an exchange, so the way to it must
    // be durable as well.
    unsynced.tree(staged.transaction.ticket.staging.clone());
    if staged.tree.bytes > SMALL {
        disk.make_durable(&std::mem::take(unsynced))?;
    }
    let identity = |path: &AbsPath| {
        store
            .identity(path)?
            .ok_or_else(|| StoreError::NotInstalled {
                id: staged.transaction.id.clone(),
            })
    };
    Ok(Prepared {
        plugin: identity(&plugin_dir)?,
        version: identity(&version_dir)?,
        plugin_dir,
    })
}

#[cfg(test)]
#[path = "locked_tests.rs"]
mod tests;
