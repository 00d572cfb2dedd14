//! Collecting on demand: what nobody needs any more, with numbers, and what it would be first.
//!
//! Most of it goes by itself, with the version, the lease or the next recovery. What is left for a
//! request is what is kept for speed or out of habit: copies of what is installed anyway, and
//! versions beyond a limit that has been lowered since.
//!
//! Invariants:
//! - What a living process leases or is working on is neither removed nor counted.
//! - A dry run changes nothing.
//! - Nothing is counted as freed that is still there.

use std::collections::BTreeSet;
use std::time::Duration;

use plugd_disk::tree::Digest;
use plugd_model::{AbsPath, Problem};

use crate::json::trees_in;
use crate::leases::Leases;
use crate::record::{Pin, Record};
use crate::state::Ticket;
use crate::trees::TreeDir;
use crate::{Store, StoreError};

/// What to collect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gc {
    /// Only tells what would be removed.
    pub dry_run: bool,
    /// How many replaced versions of each plugin stay. What a plugin is pinned to stays whatever its
    /// rank.
    pub keep: usize,
    /// Contents that stay whatever else is decided.
    pub protected: BTreeSet<Digest>,
}

/// Why a tree is not needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unneeded {
    /// No record names it.
    Unnamed,
    /// It is a replaced version, and the plugins that name it have so many later ones.
    TooMany,
    /// It is a copy of what is installed, made for a lease that is over.
    CopyOfInstalled,
}

/// A tree that is not needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GcTree {
    /// The content that it was named by.
    pub digest: Digest,
    /// Where it lies, or lay.
    pub root: AbsPath,
    /// How many bytes its files have, as far as they can be counted. Content that the file system
    /// shares counts in each copy.
    pub bytes: u64,
    /// Why it is not needed.
    pub why: Unneeded,
}

/// What was removed, or in a dry run would be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GcReport {
    /// Trees, sorted by digest.
    pub trees: Vec<GcTree>,
    /// Bytes of what dead processes had half made.
    pub staging: u64,
    /// Bytes of what dead processes had half removed.
    pub trash: u64,
    /// How many leases of dead processes there were.
    pub dead_leases: usize,
    /// All bytes together.
    pub freed: u64,
    /// What could not be understood or removed. What a living process leases and cannot be understood
    /// keeps every tree.
    pub problems: Vec<Problem>,
}

impl Store {
    /// Removes the trees that nobody needs and what dead processes left, or tells what that would be.
    /// Operations that were interrupted are undone first; a dry run does not do so and may count what
    /// they would bring back.
    ///
    /// # Errors
    /// The state cannot be read, the store lock is held longer than `patience`, a newer program owns
    /// the state, or the system refuses.
    pub fn gc(&self, gc: &Gc, patience: Duration) -> Result<GcReport, StoreError> {
        let mut report = if gc.dry_run {
            self.collectable(gc)?
        } else {
            self.collect(gc, patience)?
        };
        let trees: u64 = report.trees.iter().map(|tree| tree.bytes).sum();
        report.freed = trees + report.staging + report.trash;
        Ok(report)
    }

    fn collectable(&self, gc: &Gc) -> Result<GcReport, StoreError> {
        let leases = self.leases(None)?;
        let unneeded = self.unneeded(gc, &leases)?;
        let measured = unneeded.into_iter().map(|(tree, why)| GcTree {
            bytes: self.bytes_in(&tree.root),
            digest: tree.digest,
            root: tree.root,
            why,
        });
        let (staging, trash) = self.bytes_of(&self.dead_ids()?);
        Ok(GcReport {
            trees: measured.collect(),
            staging,
            trash,
            dead_leases: leases.dead(),
            freed: 0,
            problems: [leases.problems, self.strays_among_trees()?].concat(),
        })
    }

    fn collect(&self, gc: &Gc, patience: Duration) -> Result<GcReport, StoreError> {
        self.prepare_state()?;
        let dead = self.dead_ids()?;
        let before = self.bytes_of(&dead);
        let lock = self.lock(patience)?;
        self.undo_dead(&lock)?;
        let leases = self.leases(None)?;
        let dead_leases = leases.dead();
        let unneeded = self.unneeded(gc, &leases)?;
        // Dead leases are recovery's; while their locks are held here it would take them for alive.
        drop(leases);
        let ticket = if unneeded.is_empty() {
            None
        } else {
            let ticket = self.open_ticket()?;
            for (tree, _) in unneeded.iter().rev() {
                self.discard(&tree.root, &ticket)?;
            }
            Some(ticket)
        };
        drop(lock);
        let trees = self.measured_in(ticket.as_ref(), unneeded);
        ticket.map_or(Ok(()), Ticket::close)?;
        let recovered = self.recover(patience)?;
        let after = self.bytes_of(&dead);
        let strays = self.strays_among_trees()?;
        Ok(GcReport {
            trees,
            staging: before.0.saturating_sub(after.0),
            trash: before.1.saturating_sub(after.1),
            dead_leases,
            freed: 0,
            problems: [recovered.problems, strays].concat(),
        })
    }

    /// Counts trees where they lie now: out of sight, so that nobody waits for the counting.
    fn measured_in(
        &self,
        ticket: Option<&Ticket>,
        unneeded: Vec<(TreeDir, Unneeded)>,
    ) -> Vec<GcTree> {
        let measured = unneeded.into_iter().map(|(tree, why)| {
            let trash = ticket.map(|ticket| &ticket.trash);
            let lies = trash.zip(tree.root.file_name());
            GcTree {
                bytes: lies.map_or(0, |(trash, name)| self.bytes_in(&trash.join(name))),
                digest: tree.digest,
                root: tree.root,
                why,
            }
        });
        measured.collect()
    }

    /// The trees that nobody needs, each with the reason.
    fn unneeded(&self, gc: &Gc, leases: &Leases) -> Result<Vec<(TreeDir, Unneeded)>, StoreError> {
        let mut trees = self.tree_dirs()?;
        trees.retain(|TreeDir { digest, .. }| {
            !gc.protected.contains(digest) && !leases.protect(digest)
        });
        if trees.is_empty() {
            return Ok(Vec::new());
        }
        let (named, needed) = (self.named_trees()?, self.needed_by_records(gc.keep)?);
        let judged = trees.into_iter().filter_map(|tree| {
            let why = if needed.contains(&tree.digest) {
                return None;
            } else if named.kept.contains(&tree.digest) {
                Unneeded::TooMany
            } else if named.installed.contains(&tree.digest) {
                Unneeded::CopyOfInstalled
            } else {
                Unneeded::Unnamed
            };
            Some((tree, why))
        });
        Ok(judged.collect())
    }

    /// What the records keep when so many versions of each plugin are kept. All that is named, of a
    /// record that cannot be understood.
    fn needed_by_records(&self, keep: usize) -> Result<BTreeSet<Digest>, StoreError> {
        let mut needed = BTreeSet::new();
        for id in self.recorded_ids()? {
            let file = self.record_file(&id)?;
            match &file.record {
                Some(record) => needed.extend(needed_by(record, keep)),
                None => needed.extend(trees_in(&file.members)),
            }
        }
        Ok(needed)
    }

    /// Transactions that are dead, committed and not swept. One with a journal is still to be undone,
    /// and what lies in its places may come back.
    fn dead_ids(&self) -> Result<Vec<String>, StoreError> {
        let mut dead = Vec::new();
        for id in self.remains()?.ids {
            let journals = self.layout().journals();
            let lock = journals.join(format!("{id}.lock"));
            // Trying a lock that is not there would make it.
            let lives = self.kind_of(&lock)?.is_some() && self.disk().try_lock(&lock)?.is_none();
            let journal = journals.join(format!("{id}.json"));
            if !lives && self.kind_of(&journal)?.is_none() {
                dead.push(id);
            }
        }
        Ok(dead)
    }

    /// The bytes that lie in the places of transactions: half made and half removed.
    fn bytes_of(&self, ids: &[String]) -> (u64, u64) {
        let sum = |dir: AbsPath| ids.iter().map(|id| self.bytes_in(&dir.join(id))).sum();
        (sum(self.layout().staging()), sum(self.layout().trash()))
    }
}

/// What one record keeps. A pin by version only means the kept copy of that version.
fn needed_by(record: &Record, keep: usize) -> impl Iterator<Item = Digest> {
    let pinned = |version| match &record.pin {
        Some(Pin {
            version: pinned,
            tree_digest: None,
            ..
        }) => pinned == version,
        _ => false,
    };
    let kept = record.kept.iter().enumerate();
    let kept = kept.filter(move |(rank, kept)| *rank < keep || pinned(&kept.version));
    let pin = record.pin.iter().filter_map(|pin| pin.tree_digest);
    kept.map(|(_, kept)| kept.tree_digest).chain(pin)
}

#[cfg(test)]
#[path = "gc_tests.rs"]
mod tests;
