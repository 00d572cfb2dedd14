//! Removing what nobody needs any more and no transaction answers for: trees that no record names,
//! and files that were half written when their writer was killed.
//!
//! Only what has a name of ours is removed, and only regular files and trees; a stranger's file in
//! our directories stays where it is.

use plugd_disk::{Entry, FileLock, Kind, is_temporary};
use plugd_model::AbsPath;

use crate::gc::Size;
use crate::leases::Leases;
use crate::state::Ticket;
use crate::trees::TreeDir;
use crate::{Store, StoreError};

/// A file that is being written has its final name after milliseconds. Not everything in the state
/// directory is written under the store lock, so a younger one may be somebody's.
const HALF_WRITTEN_NS: i128 = 300 * 1_000_000_000;

impl Store {
    /// Moves the trees out of sight that no record names and nobody living leases. They stay behind
    /// when a lease ends, and when a process is killed between its commit and the end of its work.
    /// The store lock is held; what is returned removes them, better without it.
    ///
    /// A tree of what is installed stays: the next lease wants it again, and copying it once per
    /// session would cost more than its room. It goes with the version, or on request.
    pub(crate) fn sweep_trees(
        &self,
        _lock: &FileLock,
        leases: &Leases,
    ) -> Result<Option<Ticket>, StoreError> {
        let mut unused = self.tree_dirs()?;
        unused.retain(|tree| !leases.protect(&tree.digest));
        if !unused.is_empty() {
            let named = self.named_trees()?;
            unused.retain(|TreeDir { digest, .. }| {
                !named.kept.contains(digest) && !named.installed.contains(digest)
            });
        }
        if unused.is_empty() {
            return Ok(None);
        }
        let ticket = self.open_ticket()?;
        for tree in unused.iter().rev() {
            self.discard(&tree.root, &ticket)?;
        }
        Ok(Some(ticket))
    }

    /// How many files there are at or below a path, and how many bytes they have, as far as they can
    /// be counted. A link counts for nothing: what it leads to stays when the link goes.
    pub(crate) fn size_of(&self, root: &AbsPath) -> Size {
        let mut size = Size::default();
        let mut waiting = vec![root.clone()];
        while let Some(path) = waiting.pop() {
            let Ok(Some(stamp)) = self.disk().link_stamp(&path) else {
                continue;
            };
            match stamp.kind {
                Kind::File => {
                    size.files += 1;
                    size.bytes = size.bytes.saturating_add(stamp.size);
                }
                Kind::Dir => {
                    let entries = self.disk().list(&path).unwrap_or_default().into_iter();
                    waiting.extend(entries.map(|entry| path.join(entry.name)));
                }
                Kind::Link | Kind::Special => {}
            }
        }
        size
    }

    /// Removes records that were half written. Records are written under the store lock only, so
    /// under it every such file is dead.
    pub(crate) fn sweep_records(&self, _lock: &FileLock) -> Result<(), StoreError> {
        let records = self.layout().records();
        for Entry { name, kind } in self.entries_in(&records)? {
            if kind == Kind::Dir {
                self.sweep_half_written(&records.join(name))?;
            }
        }
        Ok(())
    }

    /// Removes the half-written files of one directory whose writers are dead.
    pub(crate) fn sweep_half_written(&self, dir: &AbsPath) -> Result<(), StoreError> {
        for entry in self.entries_in(dir)? {
            if is_half_written(&entry) {
                self.disk().remove_file(&dir.join(&entry.name))?;
            }
        }
        Ok(())
    }

    /// The files of a directory that were not finished. One that is a link is somebody else's.
    pub(crate) fn half_written_in(&self, dir: &AbsPath) -> Result<Vec<AbsPath>, StoreError> {
        let stamp = self.disk().link_stamp(dir)?;
        if stamp.is_none_or(|stamp| stamp.kind != Kind::Dir) {
            return Ok(Vec::new());
        }
        let entries = self.entries_in(dir)?.into_iter();
        let half_written = entries.filter(is_half_written);
        Ok(half_written.map(|entry| dir.join(entry.name)).collect())
    }

    /// Removes files of the state directory that were half written long ago. Needs no lock, because
    /// nobody writes that long.
    pub(crate) fn sweep_old(&self, half_written: &[AbsPath]) -> Result<(), StoreError> {
        for path in half_written {
            if self.is_old(path)? {
                self.disk().remove_file(path)?;
            }
        }
        Ok(())
    }

    /// Whether a file is there that nobody can still be writing.
    pub(crate) fn is_old(&self, path: &AbsPath) -> Result<bool, StoreError> {
        let now = self.inner.clock.now().as_nanos();
        let now = i128::try_from(now).unwrap_or(i128::MAX);
        let stamp = self.disk().link_stamp(path)?;
        Ok(stamp.is_some_and(|stamp| now.saturating_sub(stamp.modified_ns) > HALF_WRITTEN_NS))
    }

    /// Lists a directory that need not exist.
    pub(crate) fn entries_in(&self, dir: &AbsPath) -> Result<Vec<Entry>, StoreError> {
        match self.disk().list(dir) {
            Ok(entries) => Ok(entries),
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether an entry is a file that [`plugd_disk::Disk::replace`] had not finished.
pub(crate) fn is_half_written(entry: &Entry) -> bool {
    entry.kind == Kind::File && entry.name.to_str().is_some_and(is_temporary)
}

#[cfg(test)]
#[path = "sweep_tests.rs"]
mod tests;
