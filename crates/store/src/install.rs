//! The second half of an installation: the swap, and the way back.
//!
//! The order is: lock, write everything that is to come beside its place, make that durable with the
//! journal, exchange, record, the caller's edit of configuration, make that durable, and then the
//! removal of the journal, which is the commit. Only after that the old copy goes to the kept versions
//! or away. So a transaction waits twice for the disk: for what it has written, and for what it has
//! moved. A journal that a crash leaves between the two is undone; one whose change is complete was at
//! its end, and is ended (`forward`).

use plugd_disk::tree::{Digest, FileDigests};
use plugd_disk::{FileLock, Patience, Unsynced};
use plugd_model::{AbsPath, Layout, PluginId};
use serde_json::Value;

use crate::change::Change;
use crate::installed::version_dirs;
use crate::journal::{Journal, Operation, Part, parked_in};
use crate::json::{installed_in, trees_in};
use crate::kept::{Predecessor, keep_of};
use crate::record::{Before, Kept, NewInstall, PinChange, Record, RecordFile, Retention};
use crate::seen::Seen;
use crate::staged::{Returning, StagedInstall, Transaction};
use crate::{Identity, Installed, StagedTree, Store, StoreError, sidecar};

/// A tree with so many bytes is small: the disk takes no longer for it than for its names.
const SMALL: u64 = 1 << 20;

/// An installation that readers see and that is not committed. Dropping it takes everything back.
#[derive(Debug)]
pub struct ActivatedInstall {
    change: Change,
    retention: Retention,
    predecessors: Vec<Predecessor>,
    kept: Vec<Kept>,
    dropped: Vec<Digest>,
    files: FileDigests,
}

/// The staged plugin directory, complete.
#[derive(Debug)]
struct Prepared {
    plugin_dir: AbsPath,
    plugin: Identity,
    version: Identity,
}

/// An installation that holds the store lock and has changed nothing yet. Dropping it removes the
/// staged copy.
#[derive(Debug)]
pub struct LockedInstall {
    // Fields are dropped in this order: the transaction's places while the lock is still held.
    transaction: Transaction,
    lock: FileLock,
    new: NewInstall,
    tree: StagedTree,
    files: FileDigests,
    prepared: Prepared,
    predecessors: Vec<Predecessor>,
    returning: Option<Returning>,
    config: Vec<Value>,
    unsynced: Unsynced,
}

impl LockedInstall {
    pub(crate) fn new<'a>(
        staged: StagedInstall,
        new: NewInstall,
        seen: &Seen,
        patience: impl Into<Patience<'a>>,
    ) -> Result<Self, StoreError> {
        let mut unsynced = Unsynced::default();
        let prepared = prepare(&staged, &new, &mut unsynced)?;
        let StagedInstall {
            transaction,
            tree,
            files,
            returning,
        } = staged;
        let (store, id) = (&transaction.store, &transaction.id);

        // Reading the old copy may take long, so it is done before the lock and again only if the
        // copy was exchanged meanwhile.
        let mut predecessors = store.predecessors(id)?;
        let lock = store.lock(patience)?;
        store.check_places_of(id)?;
        store.finish_dead(&lock, &[id])?;
        store.must_be_as_seen(id, seen)?;
        if !store.still_there(&predecessors)? || predecessors.is_empty() {
            predecessors = store.predecessors(id)?;
        }
        Ok(Self {
            transaction,
            lock,
            new,
            tree,
            files,
            prepared,
            predecessors,
            returning,
            config: Vec::new(),
            unsynced,
        })
    }

    /// The plugin that is being installed.
    #[must_use]
    pub fn id(&self) -> &PluginId {
        &self.transaction.id
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

    /// Puts the copy in the place of the installed one, under the journal. What it returns takes
    /// everything back unless it is committed.
    ///
    /// # Errors
    /// The system refuses. What was in its place is there, and the staged copy goes away.
    pub fn activate(self, retention: &Retention) -> Result<ActivatedInstall, StoreError> {
        let Self {
            transaction,
            lock,
            new,
            tree,
            files,
            prepared,
            predecessors,
            returning,
            config,
            mut unsynced,
        } = self;
        let (store, id) = (transaction.store, transaction.id);
        let place = store.layout().plugin_dir(&id);
        let old_record = store.record_file(&id)?;
        let record = make_record(
            &store,
            &new,
            &old_record,
            &predecessors,
            &prepared,
            (&tree, returning),
            retention,
        );
        let dropped = dropped_by(&old_record, &predecessors, &record);
        if let Some(parent) = place.parent() {
            store.disk().create_dirs_durably(&parent)?;
        }
        let journal = Journal {
            operation: Operation::Install,
            parts: vec![Part {
                number: 0,
                plugin: id.clone(),
                was_present: store.identity(&place)?.is_some(),
                new: Some(prepared.plugin),
                new_version: Some(prepared.version),
                record_before: text_of(&old_record),
            }],
            config,
        };
        let mut active = ActivatedInstall {
            change: Change::new(store, transaction.ticket, lock, journal),
            retention: retention.clone(),
            predecessors,
            kept: record.kept.clone(),
            dropped,
            files,
        };
        let record = active
            .change
            .store
            .stage_record(&id, &old_record, &record)?;
        unsynced.file(record.content().clone());
        active.change.begin(unsynced)?;
        active.swap(&prepared.plugin_dir, &place)?;
        let records = record.put()?;
        active.change.unsynced.dir(records);
        Ok(active)
    }
}

impl ActivatedInstall {
    fn swap(&mut self, staged: &AbsPath, place: &AbsPath) -> Result<(), StoreError> {
        let disk = self.change.store.disk();
        let trash = &self.change.ticket.trash;
        let of_move = |error| StoreError::of_move(error, staged, place);
        if !self.change.journal.replaces() {
            disk.rename(staged, place).map_err(of_move)?;
        } else if !disk.exchange(staged, place).map_err(of_move)? {
            disk.create_dirs_durably(trash)?;
            let parked = parked_in(trash);
            disk.rename(place, &parked)
                .map_err(|error| StoreError::of_move(error, place, &parked))?;
            disk.rename(staged, place).map_err(of_move)?;
            disk.sync_dir(trash)?;
        }
        // One step changed both directories, and either of them makes it durable.
        if let Some(parent) = place.parent() {
            self.change.unsynced.dir(parent);
        }
        Ok(())
    }

    /// What the commit makes durable: the edit of configuration may be added.
    pub fn unsynced(&mut self) -> &mut Unsynced {
        &mut self.change.unsynced
    }

    /// The plugin that is being installed.
    #[must_use]
    pub fn id(&self) -> &PluginId {
        self.change.id()
    }

    /// Makes the installation final.
    ///
    /// # Errors
    /// It cannot be made durable, or the journal cannot be removed; everything is taken back then. Or
    /// the new copy cannot be read; it is in its place then.
    pub fn commit(mut self) -> Result<Installed, StoreError> {
        self.change.commit()?;
        self.park();
        let installed = self.change.store.get(self.id())?;
        installed.ok_or_else(|| StoreError::NotInstalled {
            id: self.id().clone(),
        })
    }

    /// Takes everything back, as dropping does, and tells whether that worked.
    ///
    /// # Errors
    /// Something could not be taken back; the journal stays, and recovery tries again.
    pub fn roll_back(mut self) -> Result<(), StoreError> {
        self.change.undo()
    }

    /// Keeps the replaced versions, and removes those that are too many. A failure costs a kept
    /// version or leaves a tree to recovery, so it is not an error of the installation.
    fn park(&mut self) {
        let Change { store, ticket, .. } = &self.change;
        let plugin = self.id();
        if let Err(error) = store.write_file_list(plugin, &self.files) {
            tracing::warn!(%plugin, %error, "the files of the copy are not listed");
        }
        for place in [&ticket.staging, &ticket.trash] {
            let kept = store.keep(&parked_in(place), &self.predecessors, &self.kept, ticket);
            if let Err(error) = kept {
                tracing::warn!(%plugin, %error, "a replaced version is not kept");
            }
        }
        let dropped = store.drop_trees(&self.dropped, &self.retention.protected, ticket);
        if let Err(error) = dropped {
            tracing::warn!(%plugin, %error, "an old kept version is not removed");
            self.change.ticket.leave_to_recovery();
        }
        self.change.unlock();
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

fn make_record(
    store: &Store,
    new: &NewInstall,
    old: &RecordFile,
    predecessors: &[Predecessor],
    prepared: &Prepared,
    (tree, returning): (&StagedTree, Option<Returning>),
    retention: &Retention,
) -> Record {
    let old_record = old.record.as_ref();
    let (source_digest, before) = match returning {
        Some(returning) => (returning.source_digest, returning.before),
        None => (
            Some(tree.source_digest),
            before_of(predecessors.first(), old_record, &tree.tree_digest),
        ),
    };
    let pin = match &new.pin {
        PinChange::Keep => old_record.and_then(|record| record.pin.clone()),
        PinChange::Set(pin) => Some(pin.clone()),
        PinChange::Clear => None,
    };
    let now = store.now();
    Record {
        bound: new.bound.clone(),
        source: new.source.clone(),
        commit: new.commit.clone(),
        version: new.version.clone(),
        source_digest,
        tree_digest: tree.tree_digest,
        installed_at: now,
        by: new.by,
        before,
        kept: keep_of(
            predecessors,
            old_record,
            &tree.tree_digest,
            pin.as_ref(),
            retention,
            now,
        ),
        pin,
        repaired_from: new.repaired_from,
        directory: prepared.version,
    }
}

/// What a new copy replaces. The same content in the same place has what stood there before it.
fn before_of(replaced: Option<&Predecessor>, old: Option<&Record>, new: &Digest) -> Before {
    let (version, tree_digest, record) = match (replaced, old) {
        (None, None) => return Before::Nothing,
        // Somebody took the copy away; what it was is still known.
        (None, Some(old)) => (&old.version, old.tree_digest, Some(old)),
        (Some(one), old) => {
            let record = old.filter(|old| one.is_of(old));
            (&one.version, one.tree_digest, record)
        }
    };
    if tree_digest == *new {
        return record.map_or(Before::Unknown, |record| record.before.clone());
    }
    Before::Replaced {
        version: version.clone(),
        tree_digest,
    }
}

/// The trees that this plugin named before and names no more.
fn dropped_by(old: &RecordFile, predecessors: &[Predecessor], record: &Record) -> Vec<Digest> {
    let named = trees_in(&old.members).chain(installed_in(&old.members));
    named
        .chain(predecessors.iter().map(|old| old.tree_digest))
        .filter(|digest| !record.kept.iter().any(|kept| kept.tree_digest == *digest))
        .collect()
}

/// The old record for the journal. One that is no text is damaged; it comes back as far as it can.
pub(crate) fn text_of(file: &RecordFile) -> Option<String> {
    file.bytes
        .as_ref()
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

impl Store {
    /// The copies that an installation replaces, the active one first. One that cannot be read is
    /// not kept, and that must not stop the installation which may be its repair.
    pub(crate) fn predecessors(&self, id: &PluginId) -> Result<Vec<Predecessor>, StoreError> {
        self.versions_in(&self.layout().plugin_dir(id))
    }

    /// The versions in a plugin directory, wherever it is, the active one first.
    pub(crate) fn versions_in(&self, dir: &AbsPath) -> Result<Vec<Predecessor>, StoreError> {
        // What a link leads to is not ours to move.
        let stamp = self.disk().link_stamp(dir)?;
        if stamp.map(|stamp| stamp.kind) != Some(plugd_disk::Kind::Dir) {
            return Ok(Vec::new());
        }
        let mut versions = match self.disk().list(dir) {
            Ok(entries) => version_dirs(&entries),
            // Another process took it away in this moment; the look under the lock decides.
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        if let Some(active) = plugd_model::VersionSegment::active(&versions).cloned() {
            versions.retain(|version| *version != active);
            versions.insert(0, active);
        }
        let mut predecessors = Vec::new();
        for version in versions {
            let root = dir.join(version.as_str());
            let Some(identity) = self.identity(&root)? else {
                continue;
            };
            match crate::staged::plain_digest(self.disk(), &root) {
                Ok(Some(tree_digest)) => predecessors.push(Predecessor {
                    version,
                    identity,
                    tree_digest,
                    root,
                }),
                Ok(None) => {
                    tracing::warn!(
                        %root,
                        "a replaced version holds what the store does not take, and is not kept"
                    );
                }
                Err(error) => {
                    tracing::warn!(%root, %error, "a replaced version will not be kept");
                }
            }
        }
        Ok(predecessors)
    }

    fn still_there(&self, predecessors: &[Predecessor]) -> Result<bool, StoreError> {
        for old in predecessors {
            match self.identity(&old.root)? {
                Some(found) if found.is(&old.identity) => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }
}
