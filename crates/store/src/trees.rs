//! The directories among the kept and leased trees: their names, what makes one usable, and where a
//! new one goes.
//!
//! A tree is named by its content: `<hex>`. A plugin that runs in a leased tree may write into it,
//! and then the name is no longer true. Such a tree is not used again. Nor may it be taken away
//! while somebody runs in it, so the true one lies beside it then, as `<hex>.<random id>`.
//!
//! Invariants:
//! - A tree of ours appears and goes away by one rename, under the store lock.
//! - Where a tree has a random id there is one without it, so looking at one path tells whether
//!   there is anything.
//! - What has another name is not ours to judge.

use std::collections::BTreeSet;

use plugd_disk::Kind;
use plugd_disk::tree::{Digest, Pace, TreeError};
use plugd_model::{AbsPath, MarketplaceName, PluginId, PluginName, Problem, ProblemKind};

use crate::leases::Leases;
use crate::state::Ticket;
use crate::{Store, StoreError};

/// A directory whose name promises a content.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TreeDir {
    pub(crate) digest: Digest,
    pub(crate) root: AbsPath,
}

impl Store {
    /// Where a tree lies, unless its name was untrue there.
    pub(crate) fn tree_of(&self, digest: &Digest) -> AbsPath {
        self.layout().trees().join(digest.hex())
    }

    /// All trees, sorted by digest.
    pub(crate) fn tree_dirs(&self) -> Result<Vec<TreeDir>, StoreError> {
        let dir = self.layout().trees();
        let mut trees = Vec::new();
        for entry in self.entries_in(&dir)? {
            let digest = entry.name.to_str().and_then(promised);
            trees.extend(digest.map(|digest| TreeDir {
                digest,
                root: dir.join(&entry.name),
            }));
        }
        trees.sort();
        Ok(trees)
    }

    /// What lies among the trees and promises no content. It is left alone, and whoever counts what
    /// the trees cost has to know of it.
    pub(crate) fn strays_among_trees(&self) -> Result<Vec<Problem>, StoreError> {
        let dir = self.layout().trees();
        let entries = self.entries_in(&dir)?.into_iter();
        let strays = entries.filter(|entry| entry.name.to_str().and_then(promised).is_none());
        let told = strays.map(|entry| {
            let kind = entry.kind.word();
            let text = format!("this {kind} has no name of a tree and is left alone");
            Problem::warning(ProblemKind::BadName, text).in_file(&dir.join(&entry.name))
        });
        Ok(told.collect())
    }

    /// The tree with this content, read and compared. `None` when there is none whose name is true.
    pub(crate) fn matching_tree(
        &self,
        digest: &Digest,
        pace: &dyn Pace,
    ) -> Result<Option<AbsPath>, StoreError> {
        let plain = self.tree_of(digest);
        if self.kind_of(&plain)?.is_none() {
            return Ok(None);
        }
        if self.is_true(&plain, digest, pace)? {
            return Ok(Some(plain));
        }
        for tree in self.tree_dirs()? {
            let is_other = tree.digest == *digest && tree.root != plain;
            if is_other && self.is_true(&tree.root, digest, pace)? {
                return Ok(Some(tree.root));
            }
        }
        Ok(None)
    }

    /// Whether a tree holds what its name says and nothing that a digest does not see. One that its
    /// user has made unreadable or too large does not.
    fn is_true(
        &self,
        root: &AbsPath,
        digest: &Digest,
        pace: &dyn Pace,
    ) -> Result<bool, StoreError> {
        if self.kind_of(root)? != Some(Kind::Dir) {
            return Ok(false);
        }
        match self.content(root, pace) {
            Ok(content) => Ok(content.digest == *digest && content.plan.is_plain()),
            Err(StoreError::Tree(error)) if is_no_tree_of_ours(&error) => {
                tracing::debug!(%root, %error, "a tree is not what its name says");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// A free path for a tree that is about to be moved there. What is there and untrue goes away,
    /// unless somebody uses it. The store lock is held.
    pub(crate) fn place_for(
        &self,
        digest: &Digest,
        leases: &Leases,
        ticket: &Ticket,
    ) -> Result<AbsPath, StoreError> {
        let place = self.tree_of(digest);
        self.disk().create_dirs_durably(&self.layout().trees())?;
        if self.kind_of(&place)?.is_none() {
            return Ok(place);
        }
        if leases.protect(digest) {
            let name = format!("{}.{}", digest.hex(), ticket.id());
            return Ok(self.layout().trees().join(name));
        }
        self.discard_all(&BTreeSet::from([*digest]), ticket)?;
        Ok(place)
    }

    /// Moves every tree of these names out of sight, of each the one without an id last. One that cannot be
    /// moved keeps none of the others.
    pub(crate) fn discard_all(
        &self,
        digests: &BTreeSet<Digest>,
        ticket: &Ticket,
    ) -> Result<(), StoreError> {
        if digests.is_empty() {
            return Ok(());
        }
        let trees = self.tree_dirs()?.into_iter().rev();
        let named = trees.filter(|tree| digests.contains(&tree.digest));
        let mut stuck = BTreeSet::new();
        let mut first = Ok(());
        for tree in named {
            // What lies beside a tree without an id is found by that one.
            if stuck.contains(&tree.digest) {
                continue;
            }
            if let Err(error) = self.discard(&tree.root, ticket) {
                stuck.insert(tree.digest);
                first = first.and(Err(error));
            }
        }
        first
    }

    /// Moves a tree out of sight, for good; the ticket removes it.
    pub(crate) fn discard(&self, root: &AbsPath, ticket: &Ticket) -> Result<(), StoreError> {
        let Some(name) = root.file_name() else {
            return Ok(());
        };
        self.disk().create_dirs(&ticket.trash)?;
        ticket.moves_a_tree();
        Ok(self.disk().rename(root, &ticket.trash.join(name))?)
    }

    /// Every plugin that has a record.
    pub(crate) fn recorded_ids(&self) -> Result<Vec<PluginId>, StoreError> {
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

/// The content that a name among the trees promises.
fn promised(name: &str) -> Option<Digest> {
    Digest::from_hex(name.split_once('.').map_or(name, |(hex, _)| hex))
}

/// Whether an error says something of the tree and not of the disk.
fn is_no_tree_of_ours(error: &TreeError) -> bool {
    match error {
        TreeError::OverLimit { .. }
        | TreeError::Changed { .. }
        | TreeError::NotADirectory { .. } => true,
        TreeError::Disk(error) => error.is_denied(),
        TreeError::ContainsStore { .. } | TreeError::GivenUp | TreeError::Exists { .. } => false,
    }
}
