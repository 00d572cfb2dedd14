//! Collecting on demand: what nobody needs any more, with numbers, and what it would be first.
//!
//! Most of it goes by itself, with the version, the lease or the next recovery. What is left for a
//! request is what is kept for speed or out of habit: copies of what is installed anyway, and
//! versions beyond a limit that has been lowered since.
//!
//! Invariants:
//! - What a living process leases or is working on is neither removed nor counted.
//! - A dry run changes nothing.
//! - Nothing is counted as freed that is still there, and what cannot be removed is a problem and
//!   keeps nothing else.

use std::collections::BTreeSet;
use std::iter::Sum;
use std::ops::Add;
use std::time::Duration;

use plugd_disk::tree::Digest;
use plugd_model::{AbsPath, PluginId, Problem, ProblemKind, error_chain};

use crate::gc_records::GcRecord;
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
    /// Plugins whose records may go, if they still have neither copy nor pin: of those in
    /// [`Store::records_without_copy`] the ones that no configuration names.
    pub forgettable: BTreeSet<PluginId>,
}

/// How much something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Size {
    /// Files.
    pub files: u64,
    /// Bytes of the files, as far as they can be counted. Content that the file system shares counts
    /// in each copy.
    pub bytes: u64,
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
    /// How much it is.
    pub size: Size,
    /// Why it is not needed.
    pub why: Unneeded,
}

/// What was removed, or in a dry run would be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GcReport {
    /// Trees, sorted by digest.
    pub trees: Vec<GcTree>,
    /// What dead processes had half made.
    pub staging: Size,
    /// What dead processes had half removed.
    pub trash: Size,
    /// How many leases of dead processes there were.
    pub dead_leases: usize,
    /// What those leases were written down in.
    pub leases: Size,
    /// Records of plugins that are nowhere, sorted by id.
    pub records: Vec<GcRecord>,
    /// Files of the state that dead processes had not finished, by path.
    pub half_written: Vec<(AbsPath, Size)>,
    /// All bytes together.
    pub freed: u64,
    /// What could not be understood or removed. What a living process leases and cannot be understood
    /// keeps every tree.
    pub problems: Vec<Problem>,
}

impl Add for Size {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            files: self.files.saturating_add(other.files),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}

impl Sum for Size {
    fn sum<I: Iterator<Item = Self>>(sizes: I) -> Self {
        sizes.fold(Self::default(), Add::add)
    }
}

impl Size {
    /// How much of it is gone, when so much is left.
    fn without(self, left: Self) -> Self {
        Self {
            files: self.files.saturating_sub(left.files),
            bytes: self.bytes.saturating_sub(left.bytes),
        }
    }
}

impl GcReport {
    /// Everything together.
    #[must_use]
    pub fn size(&self) -> Size {
        let trees = self.trees.iter().map(|tree| tree.size);
        let records = self.records.iter().map(|record| record.size);
        let half_written = self.half_written.iter().map(|(_, size)| *size);
        let rest = [self.staging, self.trash, self.leases].into_iter();
        trees.chain(records).chain(half_written).chain(rest).sum()
    }
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
        report.freed = report.size().bytes;
        Ok(report)
    }

    fn collectable(&self, gc: &Gc) -> Result<GcReport, StoreError> {
        let leases = self.leases(None)?;
        let records = self.forgettable(&gc.forgettable)?;
        let unneeded = self.unneeded(gc, &leases, &records)?;
        let measured = unneeded.into_iter().map(|(tree, why)| GcTree {
            size: self.size_of(&tree.root),
            digest: tree.digest,
            root: tree.root,
            why,
        });
        let (staging, trash) = self.sizes_of(&self.dead_ids()?);
        let half_written = self.measured_files(self.half_written()?);
        Ok(GcReport {
            trees: measured.collect(),
            staging,
            trash,
            dead_leases: leases.dead(),
            leases: self.size_of_files(&leases.dead_files(self)),
            records,
            half_written,
            freed: 0,
            problems: [leases.problems, self.strays_among_trees()?].concat(),
        })
    }

    fn collect(&self, gc: &Gc, patience: Duration) -> Result<GcReport, StoreError> {
        self.prepare_state()?;
        let dead = self.dead_ids()?;
        let before = self.sizes_of(&dead);
        let lock = self.lock(patience)?;
        let half_written = self.measured_files(self.half_written()?);
        self.end_dead(&lock)?;
        self.settle_journals()?;
        let mut problems = Vec::new();
        let mut records = self.forgettable(&gc.forgettable)?;
        self.forget(&mut records, &mut problems);
        self.sweep_records(&lock)?;
        let leases = self.leases(None)?;
        let (dead_leases, lease_files) = (leases.dead(), leases.dead_files(self));
        let lease_size = self.size_of_files(&lease_files);
        let mut unneeded = self.unneeded(gc, &leases, &records)?;
        // Dead leases are recovery's; while their locks are held here it would take them for alive.
        drop(leases);
        let ticket = self.put_away(&mut unneeded, &mut problems)?;
        drop(lock);
        let trees = self.removed(ticket, unneeded, &mut problems);
        let recovered = self.recover(patience)?;
        problems.extend(recovered.problems);
        problems.extend(self.strays_among_trees()?);
        let after = self.sizes_of(&dead);
        problems.extend(self.stuck_places(&dead));
        Ok(GcReport {
            trees,
            staging: before.0.without(after.0),
            trash: before.1.without(after.1),
            dead_leases,
            leases: lease_size.without(self.size_of_files(&lease_files)),
            records,
            half_written: self.now_gone(half_written),
            freed: 0,
            problems,
        })
    }

    /// Moves trees out of sight, those with an id first. One that cannot be moved stays, with those
    /// of its name, and is a problem. The store lock is held.
    fn put_away(
        &self,
        unneeded: &mut Vec<(TreeDir, Unneeded)>,
        problems: &mut Vec<Problem>,
    ) -> Result<Option<Ticket>, StoreError> {
        if unneeded.is_empty() {
            return Ok(None);
        }
        let ticket = self.open_ticket()?;
        let mut stuck = BTreeSet::new();
        for (tree, _) in unneeded.iter().rev() {
            if stuck.contains(&tree.digest) {
                continue;
            }
            if let Err(error) = self.discard(&tree.root, &ticket) {
                problems.push(stays("the kept version", &error, &tree.root));
                stuck.insert(tree.digest);
            }
        }
        unneeded.retain(|(tree, _)| !matches!(self.kind_of(&tree.root), Ok(Some(_))));
        Ok(Some(ticket))
    }

    /// Removes trees where they lie now, out of sight, and counts what went.
    fn removed(
        &self,
        ticket: Option<Ticket>,
        unneeded: Vec<(TreeDir, Unneeded)>,
        problems: &mut Vec<Problem>,
    ) -> Vec<GcTree> {
        let Some(ticket) = ticket else {
            return Vec::new();
        };
        let trash = ticket.trash.clone();
        let lies = |tree: &TreeDir| tree.root.file_name().map(|name| trash.join(name));
        let size = |tree: &TreeDir| lies(tree).map_or(Size::default(), |path| self.size_of(&path));
        let measured: Vec<(TreeDir, Unneeded, Size)> = unneeded
            .into_iter()
            .map(|(tree, why)| {
                let size = size(&tree);
                (tree, why, size)
            })
            .collect();
        if let Err(error) = ticket.close() {
            problems.push(stays("what was moved out of sight", &error, &trash));
        }
        let removed = measured.into_iter().map(|(tree, why, before)| GcTree {
            size: before.without(size(&tree)),
            digest: tree.digest,
            root: tree.root,
            why,
        });
        removed.collect()
    }

    /// The trees that nobody needs, each with the reason.
    fn unneeded(
        &self,
        gc: &Gc,
        leases: &Leases,
        forgotten: &[GcRecord],
    ) -> Result<Vec<(TreeDir, Unneeded)>, StoreError> {
        let mut trees = self.tree_dirs()?;
        trees.retain(|TreeDir { digest, .. }| {
            !gc.protected.contains(digest) && !leases.protect(digest)
        });
        if trees.is_empty() {
            return Ok(Vec::new());
        }
        let forgotten: BTreeSet<&PluginId> = forgotten.iter().map(|record| &record.id).collect();
        let named = self.named_trees_without(&forgotten)?;
        let needed = self.needed_by_records(gc.keep, &forgotten)?;
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
    fn needed_by_records(
        &self,
        keep: usize,
        forgotten: &BTreeSet<&PluginId>,
    ) -> Result<BTreeSet<Digest>, StoreError> {
        let mut needed = BTreeSet::new();
        for id in self.recorded_ids()? {
            if forgotten.contains(&id) {
                continue;
            }
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

    /// What lies in the places of transactions: half made and half removed.
    fn sizes_of(&self, ids: &[String]) -> (Size, Size) {
        let sum = |dir: AbsPath| ids.iter().map(|id| self.size_of(&dir.join(id))).sum();
        (sum(self.layout().staging()), sum(self.layout().trash()))
    }

    /// The places of dead transactions that could not be swept.
    fn stuck_places(&self, ids: &[String]) -> Vec<Problem> {
        let dirs = [self.layout().staging(), self.layout().trash()];
        let places = ids
            .iter()
            .flat_map(|id| dirs.iter().map(move |dir| dir.join(id)));
        let stuck = places.filter(|place| matches!(self.kind_of(place), Ok(Some(_))));
        let told = stuck.map(|place| {
            let text = "what an interrupted operation left cannot be removed";
            Problem::warning(ProblemKind::Unreadable, text).in_file(&place)
        });
        told.collect()
    }

    /// The files of the state that nobody finishes any more: those beside records and journals, which
    /// are written under the store lock only, and of the others those that are old. Without the lock
    /// one may be somebody's for the moment that it takes to write it.
    fn half_written(&self) -> Result<Vec<AbsPath>, StoreError> {
        let mut found = Vec::new();
        for path in self.remains()?.half_written {
            if self.is_old(&path)? {
                found.push(path);
            }
        }
        found.extend(self.half_written_in(&self.layout().journals())?);
        let records = self.layout().records();
        for entry in self.entries_in(&records)? {
            found.extend(self.half_written_in(&records.join(entry.name))?);
        }
        found.sort();
        Ok(found)
    }

    fn measured_files(&self, paths: Vec<AbsPath>) -> Vec<(AbsPath, Size)> {
        let measured = paths.into_iter().map(|path| {
            let size = self.size_of(&path);
            (path, size)
        });
        measured.collect()
    }

    fn size_of_files(&self, paths: &[AbsPath]) -> Size {
        paths.iter().map(|path| self.size_of(path)).sum()
    }

    fn now_gone(&self, files: Vec<(AbsPath, Size)>) -> Vec<(AbsPath, Size)> {
        let files = files.into_iter();
        files
            .filter(|(path, _)| matches!(self.kind_of(path), Ok(None)))
            .collect()
    }
}

/// Why something is still there.
fn stays(what: &str, error: &StoreError, path: &AbsPath) -> Problem {
    let text = format!("{what} cannot be removed: {}", error_chain(error));
    Problem::warning(ProblemKind::Unreadable, text).in_file(path)
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
