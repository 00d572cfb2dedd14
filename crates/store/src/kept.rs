//! Kept versions: trees of replaced copies, named by their content.
//!
//! A tree here is never changed by us. Its name is a promise, so it is checked before the tree is
//! used again. Two plugins can keep the same tree; it goes when nobody names it.

use std::collections::BTreeSet;
use std::time::Duration;

use plugd_disk::Kind;
use plugd_disk::tree::{AtEase, Digest, Limits, TreePlan};
use plugd_model::{AbsPath, MarketplaceName, PluginId, PluginName, VersionSegment};

use crate::json::trees_in;
use crate::record::{Kept, Pin, Record, Retention};
use crate::staged::plain_digest;
use crate::state::Ticket;
use crate::{Identity, Store, StoreError};

/// A copy that is being replaced.
#[derive(Debug, Clone)]
pub(crate) struct Predecessor {
    pub(crate) version: VersionSegment,
    pub(crate) identity: Identity,
    pub(crate) tree_digest: Digest,
    pub(crate) root: AbsPath,
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
    let replaced = predecessors.iter().map(|old| Kept {
        version: old.version.clone(),
        tree_digest: old.tree_digest,
        replaced_at: now,
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
        let root = self.tree_of(digest);
        if self.disk().link_stamp(&root)?.map(|stamp| stamp.kind) != Some(Kind::Dir) {
            return Ok(None);
        }
        let found = plain_digest(self.disk(), &root)?;
        Ok((found == Some(*digest)).then_some(root))
    }

    /// The kept versions of a plugin whose trees are there, the latest first. Their content is not
    /// checked.
    ///
    /// # Errors
    /// The record or the trees cannot be read.
    pub fn kept_versions(&self, id: &PluginId) -> Result<Vec<(Kept, AbsPath)>, StoreError> {
        let mut kept = Vec::new();
        for entry in self
            .record_file(id)?
            .record
            .map_or(Vec::new(), |record| record.kept)
        {
            let root = self.tree_of(&entry.tree_digest);
            if self.disk().link_stamp(&root)?.is_some() {
                kept.push((entry, root));
            }
        }
        Ok(kept)
    }

    /// The trees that no record names and that are not protected.
    ///
    /// # Errors
    /// The trees or the records cannot be read.
    pub fn unused_trees(
        &self,
        protected: &BTreeSet<Digest>,
    ) -> Result<Vec<UnusedTree>, StoreError> {
        let unlimited = Limits {
            entries: u64::MAX,
            bytes: u64::MAX,
            ..Limits::INSTALL
        };
        let mut unused = Vec::new();
        for digest in self.unnamed_trees(protected)? {
            let root = self.tree_of(&digest);
            let plan = TreePlan::scan(self.disk(), &root, &unlimited, &[], &AtEase);
            unused.push(UnusedTree {
                digest,
                bytes: plan.map_or(0, |plan| plan.bytes()),
                root,
            });
        }
        Ok(unused)
    }

    /// The unused trees without a look into them.
    pub(crate) fn unnamed_trees(
        &self,
        protected: &BTreeSet<Digest>,
    ) -> Result<Vec<Digest>, StoreError> {
        let mut there = BTreeSet::new();
        for entry in self.entries_in(&self.layout().trees())? {
            // Another name is not ours to judge.
            there.extend(entry.name.to_str().and_then(Digest::from_hex));
        }
        there.retain(|digest| !protected.contains(digest));
        if !there.is_empty() {
            let named = self.named_trees()?;
            there.retain(|digest| !named.contains(digest));
        }
        Ok(there.into_iter().collect())
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
        let unused = self.unused_trees(protected)?;
        for tree in &unused {
            self.discard(&tree.root, &ticket)?;
        }
        drop(lock);
        Ok(unused)
    }

    pub(crate) fn tree_of(&self, digest: &Digest) -> AbsPath {
        self.layout().trees().join(digest.hex())
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
            let to = self.tree_of(&old.tree_digest);
            if self.disk().link_stamp(&to)?.is_some() {
                if self.kept_tree(&old.tree_digest).ok().flatten().is_some() {
                    continue;
                }
                // It no longer is what its name says, and the real one is here.
                self.discard(&to, ticket)?;
            }
            self.disk().create_dirs_durably(&self.layout().trees())?;
            self.disk().rename(&from, &to)?;
            self.disk().sync_dir(&self.layout().trees())?;
        }
        Ok(())
    }

    /// Removes trees that one plugin named, unless another one or somebody living does. The store
    /// lock is held.
    pub(crate) fn drop_trees(
        &self,
        dropped: &[Digest],
        protected: &BTreeSet<Digest>,
        ticket: &Ticket,
    ) -> Result<(), StoreError> {
        let mut there = Vec::new();
        for digest in dropped.iter().filter(|digest| !protected.contains(digest)) {
            if self.disk().link_stamp(&self.tree_of(digest))?.is_some() {
                there.push(digest);
            }
        }
        if there.is_empty() {
            return Ok(());
        }
        let named = self.named_trees()?;
        for digest in there.into_iter().filter(|digest| !named.contains(digest)) {
            self.discard(&self.tree_of(digest), ticket)?;
        }
        Ok(())
    }

    /// Moves a tree out of sight; the ticket removes it.
    pub(crate) fn discard(&self, root: &AbsPath, ticket: &Ticket) -> Result<(), StoreError> {
        let Some(name) = root.file_name() else {
            return Ok(());
        };
        self.disk().create_dirs(&ticket.trash)?;
        Ok(self.disk().rename(root, &ticket.trash.join(name))?)
    }

    /// Every tree that a record names, also a record that cannot be understood as a whole, because
    /// it is damaged or a newer program wrote it.
    fn named_trees(&self) -> Result<BTreeSet<Digest>, StoreError> {
        let mut named = BTreeSet::new();
        for id in self.recorded_ids()? {
            named.extend(trees_in(&self.record_file(&id)?.members));
        }
        Ok(named)
    }

    fn recorded_ids(&self) -> Result<Vec<PluginId>, StoreError> {
        let records = self.layout().records();
        let mut ids = Vec::new();
        for marketplace in self.names_in(&records)? {
            let Ok(name) = MarketplaceName::new(&marketplace) else {
                continue;
            };
            for file in self.names_in(&records.join(&marketplace))? {
                let plugin = file.strip_suffix(".json").map(PluginName::new);
                if let Some(Ok(plugin)) = plugin {
                    ids.push(PluginId {
                        plugin,
                        marketplace: name.clone(),
                    });
                }
            }
        }
        Ok(ids)
    }
}

#[cfg(test)]
#[path = "kept_tests.rs"]
mod tests;
