//! Kept versions: trees of replaced copies, named by their content.
//!
//! A tree here is never changed by us. Its name is a promise, so it is checked before the tree is
//! used again. Two plugins can keep the same tree; it goes when nobody names it. A tree that a living
//! process leases stays whatever else is decided: the store looks for leases itself, under its lock,
//! and does not depend on a caller to name them.

use std::collections::BTreeSet;
use std::time::Duration;

use plugd_disk::tree::{AtEase, Digest};
use plugd_model::{AbsPath, PluginId, VersionSegment};

use crate::record::{Kept, Origin, Pin, Record, Retention};
use crate::state::Ticket;
use crate::trees::TreeDir;
use crate::{Identity, Installed, Store, StoreError};

/// A copy that is being replaced.
#[derive(Debug, Clone)]
pub(crate) struct Predecessor {
    pub(crate) version: VersionSegment,
    pub(crate) identity: Identity,
    pub(crate) tree_digest: Digest,
    pub(crate) root: AbsPath,
}

impl Predecessor {
    /// Whether a record speaks of this copy.
    pub(crate) fn is_of(&self, record: &Record) -> bool {
        record.version == self.version && record.directory.is(&self.identity)
    }

    /// Where it came from, if the record speaks of it. One that somebody wrote into is from there and
    /// no longer what was copied.
    fn origin(&self, record: &Record) -> Option<Origin> {
        let is_whole = record.tree_digest == self.tree_digest;
        self.is_of(record).then(|| Origin {
            source_digest: record.source_digest.filter(|_| is_whole),
            ..record.origin()
        })
    }
}

/// A tree that no record names and nobody protects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusedTree {
    /// The digest that it is named by.
    pub digest: Digest,
    /// Where it lies.
    pub root: AbsPath,
    /// How many bytes its files have, as far as they can be counted.
    pub bytes: u64,
}

/// What a new record keeps: the replaced copies and then what was kept before, up to the limit. The
/// pinned content stays whatever its rank, and the content that is installed is not kept twice.
pub(crate) fn keep_of(
    predecessors: &[Predecessor],
    old: Option<&Record>,
    installed: &Digest,
    pin: Option<&Pin>,
    retention: &Retention,
    now: u64,
) -> Vec<Kept> {
    let replaced = predecessors.iter().map(|one| Kept {
        version: one.version.clone(),
        tree_digest: one.tree_digest,
        replaced_at: now,
        origin: old.and_then(|old| one.origin(old)),
    });
    // What another program put there may be what we have had before.
    let replaced = replaced.map(|kept| {
        let known = old.into_iter().flat_map(|old| &old.kept);
        let mut same = known.filter(|known| known.tree_digest == kept.tree_digest);
        let origin = same.next().and_then(|known| known.origin.clone());
        Kept {
            origin: kept.origin.or(origin),
            ..kept
        }
    });
    let before = old.into_iter().flat_map(|old| old.kept.iter().cloned());
    let pinned = pin.and_then(|pin| pin.tree_digest);
    let mut seen = BTreeSet::from([*installed]);
    let mut kept = Vec::new();
    for entry in replaced.chain(before) {
        let has_room = kept.len() < retention.keep || pinned == Some(entry.tree_digest);
        if has_room && seen.insert(entry.tree_digest) {
            kept.push(entry);
        }
    }
    kept
}

impl Store {
    /// The tree of a kept version, checked against its name. `None` when it is gone or was changed,
    /// also by things that a digest does not see, like links.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn kept_tree(&self, digest: &Digest) -> Result<Option<AbsPath>, StoreError> {
        self.matching_tree(digest, &AtEase)
    }

    /// The kept versions of a plugin whose trees are there, the latest first; before them the pinned
    /// one, when another program has put something else in its place. Their content is not checked.
    ///
    /// # Errors
    /// The record, the copy or the trees cannot be read.
    pub fn kept_versions(&self, id: &PluginId) -> Result<Vec<(Kept, AbsPath)>, StoreError> {
        let Some(record) = self.record_file(id)?.record else {
            return Ok(Vec::new());
        };
        let mut kept = Vec::new();
        if let Some(pinned) = self.pinned_version(id)? {
            let digest = pinned.0.tree_digest;
            let copy = self.get(id)?;
            let installed = copy.as_ref().and_then(Installed::provenance_record);
            let is_installed = installed.is_some_and(|record| record.tree_digest == digest);
            if !is_installed && record.kept.iter().all(|kept| kept.tree_digest != digest) {
                kept.push(pinned);
            }
        }
        for entry in record.kept {
            let root = self.tree_of(&entry.tree_digest);
            if self.disk().link_stamp(&root)?.is_some() {
                kept.push((entry, root));
            }
        }
        Ok(kept)
    }

    /// The content that a plugin is pinned to, when its tree is there, whatever is installed. A
    /// rollback leaves it there, because the pin names it. Its content is not checked.
    ///
    /// # Errors
    /// The record or the tree cannot be read.
    pub fn pinned_version(&self, id: &PluginId) -> Result<Option<(Kept, AbsPath)>, StoreError> {
        let Some(record) = self.record_file(id)?.record else {
            return Ok(None);
        };
        let Some((pin, digest)) = record
            .pin
            .as_ref()
            .and_then(|pin| Some((pin, pin.tree_digest?)))
        else {
            return Ok(None);
        };
        let root = self.tree_of(&digest);
        if self.disk().link_stamp(&root)?.is_none() {
            return Ok(None);
        }
        let known = record.kept.iter().find(|kept| kept.tree_digest == digest);
        let kept = known.cloned().unwrap_or_else(|| Kept {
            version: pin.version.clone(),
            tree_digest: digest,
            replaced_at: record.installed_at,
            origin: (record.tree_digest == digest).then(|| record.origin()),
        });
        Ok(Some((kept, root)))
    }

    /// The trees that no record keeps, nobody living leases and that are not protected.
    ///
    /// # Errors
    /// The trees, the records or the leases cannot be read.
    pub fn unused_trees(
        &self,
        protected: &BTreeSet<Digest>,
    ) -> Result<Vec<UnusedTree>, StoreError> {
        let unused = self.trees_that_nobody_needs(protected)?;
        Ok(unused.into_iter().map(|tree| self.measured(tree)).collect())
    }

    /// Removes the unused trees and tells which they were.
    ///
    /// # Errors
    /// The store lock is held longer than `patience`, or the system refuses.
    pub fn remove_unused_trees(
        &self,
        protected: &BTreeSet<Digest>,
        patience: Duration,
    ) -> Result<Vec<UnusedTree>, StoreError> {
        self.prepare_state()?;
        let ticket = self.open_ticket()?;
        let lock = self.lock(patience)?;
        let unneeded = self.trees_that_nobody_needs(protected)?;
        let measured = unneeded.iter().cloned().map(|tree| self.measured(tree));
        let unused = measured.collect();
        for tree in unneeded.iter().rev() {
            self.discard(&tree.root, &ticket)?;
        }
        drop(lock);
        Ok(unused)
    }

    fn trees_that_nobody_needs(
        &self,
        protected: &BTreeSet<Digest>,
    ) -> Result<Vec<TreeDir>, StoreError> {
        let mut there = self.tree_dirs()?;
        there.retain(|tree| !protected.contains(&tree.digest));
        if !there.is_empty() {
            let (leases, named) = (self.leases(None)?, self.named_trees()?);
            there.retain(|TreeDir { digest, .. }| {
                !leases.protect(digest) && !named.kept.contains(digest)
            });
        }
        Ok(there)
    }

    fn measured(&self, tree: TreeDir) -> UnusedTree {
        UnusedTree {
            digest: tree.digest,
            bytes: self.size_of(&tree.root).bytes,
            root: tree.root,
        }
    }

    /// Moves what is to be kept of a replaced plugin directory to its names. The store lock is held.
    pub(crate) fn keep(
        &self,
        plugin_dir: &AbsPath,
        predecessors: &[Predecessor],
        kept: &[Kept],
        ticket: &Ticket,
    ) -> Result<(), StoreError> {
        for old in predecessors {
            if !kept.iter().any(|kept| kept.tree_digest == old.tree_digest) {
                continue;
            }
            let from = plugin_dir.join(old.version.as_str());
            match self.identity(&from)? {
                Some(found) if found.is(&old.identity) => {}
                _ => continue,
            }
            if self.kept_tree(&old.tree_digest).ok().flatten().is_some() {
                continue;
            }
            // One that no longer is what its name says must not hinder the real one.
            let leases = self.leases(None)?;
            let to = self.place_for(&old.tree_digest, &leases, ticket)?;
            ticket.moves_a_tree();
            self.disk().rename(&from, &to)?;
        }
        Ok(())
    }

    /// Moves trees out of sight that plugins named, unless another one or somebody living does. The
    /// store lock is held.
    ///
    /// It looks at every record and at every tree, so whoever changes several plugins asks once.
    pub(crate) fn drop_trees(
        &self,
        dropped: impl Iterator<Item = Digest>,
        ticket: &Ticket,
    ) -> Result<(), StoreError> {
        let mut there = BTreeSet::new();
        for digest in dropped {
            if self.disk().link_stamp(&self.tree_of(&digest))?.is_some() {
                there.insert(digest);
            }
        }
        if there.is_empty() {
            return Ok(());
        }
        let leases = self.leases(None)?;
        there.retain(|digest| !leases.protect(digest));
        self.retain_unkept(&mut there)?;
        self.discard_all(&there, ticket)
    }
}

#[cfg(test)]
#[path = "kept_tests.rs"]
mod tests;
