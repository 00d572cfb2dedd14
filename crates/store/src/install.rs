//! The second half of an installation: the swap, and the way back.
//!
//! The order is: lock, write everything that is to come beside its place, make that durable with the
//! journal, exchange, record, the caller's edit of configuration, make that durable, and then the
//! removal of the journal, which is the commit. Only after that the old copy goes to the kept versions
//! or away. So a transaction waits twice for the disk: for what it has written, and for what it has
//! moved. A journal that a crash leaves between the two is undone; one whose change is complete was at
//! its end, and is ended (`forward`).

use plugd_disk::tree::{AtEase, Digest, FileDigests};
use plugd_disk::{FileLock, Replacement, Unsynced};
use plugd_model::{AbsPath, PluginId};
use serde_json::Value;

use crate::change::Change;
use crate::installed::version_dirs;
use crate::journal::{Journal, Operation, Part};
use crate::json::{installed_in, trees_in};
use crate::kept::{Predecessor, keep_of};
use crate::locked::ReadyInstall;
use crate::record::{Before, Kept, PinChange, Record, RecordFile, Retention};
use crate::staged::Transaction;
use crate::state::Ticket;
use crate::{Installed, Store, StoreError};

/// Installations that readers see when they are activated and that are not committed. Dropping them takes
/// everything back.
#[derive(Debug)]
pub struct ActivatedInstall {
    // Fields are dropped in this order: records that are not in their places before the lock is free.
    swaps: Vec<Swap>,
    /// What becomes durable with the journal.
    written: Unsynced,
    change: Change,
    /// What is left of each one's own transaction: nothing but an empty place.
    _guests: Vec<Ticket>,
    /// As the journal's parts.
    members: Vec<Member>,
}

/// What is to be done for one plugin when its copy stays.
#[derive(Debug)]
struct Member {
    retention: Retention,
    predecessors: Vec<Predecessor>,
    kept: Vec<Kept>,
    dropped: Vec<Digest>,
    files: FileDigests,
}

/// A copy with its record, each beside its place.
#[derive(Debug)]
struct Swap {
    staged: AbsPath,
    record: Replacement,
}

/// What becomes of the copies, worked out before anything is written.
#[derive(Default)]
struct Incoming {
    parts: Vec<Part>,
    members: Vec<Member>,
    records: Vec<(AbsPath, RecordFile, Record)>,
}

impl Incoming {
    fn take(
        &mut self,
        one: ReadyInstall,
        unsynced: &mut Unsynced,
    ) -> Result<Transaction, StoreError> {
        let (store, id) = (&one.transaction.store, &one.transaction.id);
        let place = store.layout().plugin_dir(id);
        let old = store.record_file(id)?;
        let record = make_record(store, &one, &old);
        if let Some(parent) = place.parent() {
            store.disk().create_dirs_durably(&parent)?;
        }
        self.parts.push(Part {
            number: self.parts.len(),
            plugin: id.clone(),
            was_present: store.identity(&place)?.is_some(),
            new: Some(one.prepared.plugin),
            new_version: Some(one.prepared.version),
            record_before: text_of(&old),
        });
        self.members.push(Member {
            retention: one.retention,
            kept: record.kept.clone(),
            dropped: dropped_by(&old, &one.predecessors, &record),
            predecessors: one.predecessors,
            files: one.files,
        });
        self.records.push((one.prepared.plugin_dir, old, record));
        unsynced.join(one.unsynced);
        Ok(one.transaction)
    }
}

impl ActivatedInstall {
    /// Works out what is to be done, and writes what nobody sees. The lock is held, and each copy is in its
    /// final form.
    pub(crate) fn new(
        lock: FileLock,
        (first, others): (ReadyInstall, Vec<ReadyInstall>),
        config: Vec<Value>,
        mut unsynced: Unsynced,
    ) -> Result<Self, StoreError> {
        let mut all = Incoming::default();
        let Transaction { store, ticket, .. } = all.take(first, &mut unsynced)?;
        // The first one's place becomes that of all.
        let mut guests = Vec::new();
        for one in others {
            guests.push(all.take(one, &mut unsynced)?.ticket);
        }
        if !guests.is_empty() {
            unsynced.tree(ticket.staging.clone());
        }
        store.prepare_records(all.parts.iter().map(|part| &part.plugin))?;
        let mut swaps = Vec::new();
        for (part, (plugin_dir, old, record)) in all.parts.iter().zip(all.records) {
            let staged = part.parked_in(&ticket.staging);
            if staged != plugin_dir {
                store.disk().rename(&plugin_dir, &staged)?;
            }
            let record = store.stage_record(&part.plugin, &old, &record)?;
            unsynced.file(record.content().clone());
            swaps.push(Swap { staged, record });
        }
        let journal = Journal {
            operation: Operation::Install,
            parts: all.parts,
            config,
        };
        Ok(Self {
            swaps,
            written: unsynced,
            change: Change::new(store, ticket, lock, journal),
            _guests: guests,
            members: all.members,
        })
    }

    /// Puts the copies in their places, under one journal. What fails is taken back when this is dropped, so
    /// whoever holds what that needs lets go of it before.
    ///
    /// # Errors
    /// The system refuses.
    pub fn activate(&mut self) -> Result<(), StoreError> {
        self.change.begin(std::mem::take(&mut self.written))?;
        let swaps = std::mem::take(&mut self.swaps).into_iter();
        for (number, swap) in swaps.enumerate() {
            self.put(number, swap)?;
        }
        Ok(())
    }

    /// Puts one copy with its record in its place.
    fn put(&mut self, number: usize, swap: Swap) -> Result<(), StoreError> {
        let Change {
            store,
            journal,
            ticket,
            unsynced,
            ..
        } = &mut self.change;
        let (disk, part) = (store.disk(), &journal.parts[number]);
        let (place, trash, staged) = (
            store.layout().plugin_dir(&part.plugin),
            &ticket.trash,
            &swap.staged,
        );
        let of_move = |error| StoreError::of_move(error, staged, &place);
        if !part.was_present {
            disk.rename(staged, &place).map_err(of_move)?;
        } else if !disk.exchange(staged, &place).map_err(of_move)? {
            disk.create_dirs_durably(trash)?;
            let parked = part.parked_in(trash);
            disk.rename(&place, &parked)
                .map_err(|error| StoreError::of_move(error, &place, &parked))?;
            disk.rename(staged, &place).map_err(of_move)?;
            disk.sync_dir(trash)?;
        }
        // One step changed both directories, and either of them makes it durable.
        if let Some(parent) = place.parent() {
            unsynced.dir(parent);
        }
        unsynced.dir(swap.record.put()?);
        Ok(())
    }

    /// What the commit makes durable: the edit of configuration may be added.
    pub fn unsynced(&mut self) -> &mut Unsynced {
        &mut self.change.unsynced
    }

    /// Makes the installation of one plugin final.
    ///
    /// # Errors
    /// It cannot be made durable, or the journal cannot be removed; everything is taken back then. Or
    /// the new copy cannot be read; it is in its place then.
    pub fn commit(self) -> Result<Installed, StoreError> {
        let id = self.change.id().clone();
        let installed = self.commit_all()?.pop();
        installed.unwrap_or(Err(StoreError::NotInstalled { id }))
    }

    /// The same for all of them. A copy that is in its place and cannot be read is told of by itself.
    ///
    /// # Errors
    /// It cannot be made durable, or the journal cannot be removed; everything is taken back then.
    pub fn commit_all(mut self) -> Result<Vec<Result<Installed, StoreError>>, StoreError> {
        self.change.commit()?;
        self.park();
        let store = &self.change.store;
        let installed = self.change.journal.plugins().map(|id| {
            let installed = store.get(id)?;
            installed.ok_or_else(|| StoreError::NotInstalled { id: id.clone() })
        });
        Ok(installed.collect())
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
        let Change {
            store,
            journal,
            ticket,
            ..
        } = &mut self.change;
        for (part, member) in journal.parts.iter().zip(&self.members) {
            let plugin = &part.plugin;
            if let Err(error) = store.write_file_list(plugin, &member.files) {
                tracing::warn!(%plugin, %error, "the files of the copy are not listed");
            }
            for place in [&ticket.staging, &ticket.trash] {
                let parked = part.parked_in(place);
                let kept = store.keep(&parked, &member.predecessors, &member.kept, ticket);
                if let Err(error) = kept {
                    tracing::warn!(%plugin, %error, "a replaced version is not kept");
                }
            }
        }
        let dropped = self.members.iter().flat_map(|member| {
            let protected = &member.retention.protected;
            let dropped = member.dropped.iter();
            dropped
                .copied()
                .filter(|digest| !protected.contains(digest))
        });
        if let Err(error) = store.drop_trees(dropped, ticket) {
            tracing::warn!(%error, "an old kept version is not removed");
            ticket.leave_to_recovery();
        }
        self.change.unlock();
    }
}

fn make_record(store: &Store, ready: &ReadyInstall, old: &RecordFile) -> Record {
    let ReadyInstall {
        new,
        retention,
        tree,
        prepared,
        predecessors,
        returning,
        ..
    } = ready;
    let old_record = old.record.as_ref();
    let (source_digest, before) = match returning {
        Some(returning) => (returning.source_digest, returning.before.clone()),
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
        stamps: tree.stamps,
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
    ///
    /// The record is believed only of a copy that will be kept: what the new one holds, or a kept tree, is
    /// not kept again, and must not be lost for having been taken for that.
    pub(crate) fn predecessors(
        &self,
        id: &PluginId,
        new: &Digest,
    ) -> Result<Vec<Predecessor>, StoreError> {
        let record = || {
            let record = self.record(id).ok()??;
            let digest = record.tree_digest;
            let is_kept = self.identity(&self.tree_of(&digest)).ok()?.is_some();
            (digest != *new && !is_kept).then_some(record)
        };
        self.versions_in(&self.layout().plugin_dir(id), record)
    }

    /// The versions in a plugin directory, wherever it is, the active one first. The one that the record
    /// speaks of is read only when somebody has touched a file of it since it was recorded.
    pub(crate) fn versions_in(
        &self,
        dir: &AbsPath,
        record: impl FnOnce() -> Option<Record>,
    ) -> Result<Vec<Predecessor>, StoreError> {
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
        let (record, mut predecessors) = (record(), Vec::new());
        for version in versions {
            let root = dir.join(version.as_str());
            let Some(identity) = self.identity(&root)? else {
                continue;
            };
            let of_this =
                |record: &&Record| record.version == version && record.directory.is(&identity);
            let record = record.as_ref().filter(of_this);
            match self.content_as_recorded(&root, record, &AtEase) {
                Ok(content) if content.plan.is_plain() => predecessors.push(Predecessor {
                    version,
                    identity,
                    tree_digest: content.digest,
                    root,
                }),
                Ok(_) => {
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

    pub(crate) fn still_there(&self, predecessors: &[Predecessor]) -> Result<bool, StoreError> {
        for old in predecessors {
            match self.identity(&old.root)? {
                Some(found) if found.is(&old.identity) => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }
}
