//! A lease: the trees that one holder, normally one connection, uses and that must not change under
//! it.
//!
//! A tree is asked for through the lease and in no other way, because the order decides: first the
//! lease names the content, under the store lock, and only then the tree is looked for or made. So a
//! tree that somebody is about to be told of can never be swept in between.
//!
//! A tree is a copy of its own, by reflink where the file system can and never by hard links: plugins
//! write into their directories, and the installed copy must not change with them.
//!
//! The lease ends with [`Lease::release`], with the value, or with the process, whatever becomes of
//! it. What the trees were needed for alone goes with it, at once or with the next recovery.

use std::collections::BTreeSet;
use std::time::Duration;

use plugd_disk::FileLock;
use plugd_disk::tree::{Digest, Pace, TreeError, copy, sync_tree};
use plugd_model::{AbsPath, Problem};

use crate::contents::Content;
use crate::state::Ticket;
use crate::{Installed, Store, StoreError};

/// How often a copy is read again that changes while it is copied.
const TRIES: usize = 3;

/// The trees that one holder uses. Nothing of the store changes or removes them while this lives.
#[derive(Debug)]
#[must_use]
pub struct Lease {
    store: Store,
    id: String,
    /// What the holder was given; its file may name more, which costs room and nothing else.
    digests: BTreeSet<Digest>,
    ended: bool,
    _lock: FileLock,
}

/// A tree that a lease protects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeasedTree {
    /// Where it lies.
    pub root: AbsPath,
    /// Its content when it was leased. Whoever runs in it may add to it later.
    pub digest: Digest,
    /// Whether that is the content that is recorded. It is not when somebody has changed the
    /// installed copy or has put another one there; the tree holds what was found.
    pub as_recorded: bool,
    /// What of the installed copy is not in the tree, and why. An installation leaves nothing of
    /// the kind behind.
    pub left_out: Vec<Problem>,
}

impl Store {
    /// Opens a lease that holds nothing yet.
    ///
    /// # Errors
    /// A newer program owns the state, or the system refuses.
    pub fn lease(&self) -> Result<Lease, StoreError> {
        self.prepare_state()?;
        self.disk().create_dirs_durably(&self.layout().leases())?;
        loop {
            let id = self.inner.names.next();
            let files = self.lease_files(&id);
            // A name that is taken belongs to somebody else, living or not.
            let Some(lock) = self.disk().try_lock(&files.lock)? else {
                continue;
            };
            if self.kind_of(&files.json)?.is_none() {
                return Ok(Lease {
                    store: self.clone(),
                    id,
                    digests: BTreeSet::new(),
                    ended: false,
                    _lock: lock,
                });
            }
        }
    }

    /// What an installed copy holds, if it is the one that the caller knows.
    fn content_of(&self, installed: &Installed, pace: &dyn Pace) -> Result<Content, StoreError> {
        let content = self.content(&installed.root, pace);
        self.must_be_there(installed)?;
        content
    }

    /// Refuses when another copy stands there than the one that the caller knows.
    pub(crate) fn must_be_there(&self, installed: &Installed) -> Result<(), StoreError> {
        let known = installed.seen.version.as_ref();
        match (self.identity(&installed.root)?, known) {
            (Some(found), Some((_, known))) if found.is(known) => Ok(()),
            _ => Err(StoreError::Superseded {
                id: installed.id.clone(),
            }),
        }
    }
}

impl Lease {
    /// What names it to others: random, and never given twice.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The contents of the trees that it holds.
    #[must_use]
    pub fn digests(&self) -> &BTreeSet<Digest> {
        &self.digests
    }

    /// Leases the content of an installed copy as it is now. The first one who does this of a
    /// content makes the tree; after that only stamps are looked at.
    ///
    /// Waits for the store lock, so a caller that holds it would wait for itself.
    ///
    /// # Errors
    /// [`StoreError::Superseded`] when the copy is no longer the one that the caller knows; looking
    /// again helps. Otherwise it cannot be read or copied, `pace` gives the work up, the store lock
    /// is held longer than `patience`, or the system refuses. What the lease held it still holds.
    pub fn add_tree(
        &mut self,
        installed: &Installed,
        pace: &dyn Pace,
        patience: Duration,
    ) -> Result<LeasedTree, StoreError> {
        let mut trees = self.add_trees(std::slice::from_ref(installed), pace, patience)?;
        // One for one.
        trees.pop().unwrap_or_else(|| {
            Err(StoreError::NotInstalled {
                id: installed.id.clone(),
            })
        })
    }

    /// As [`Lease::add_tree`] for many copies, written down at once. The results have the order of
    /// the copies, and one that fails spoils no other.
    ///
    /// # Errors
    /// `pace` gives the work up, or the lease cannot be written down. What the lease held it still
    /// holds.
    pub fn add_trees(
        &mut self,
        installed: &[Installed],
        pace: &dyn Pace,
        patience: Duration,
    ) -> Result<Vec<Result<LeasedTree, StoreError>>, StoreError> {
        let held = self.digests.clone();
        let added = self.try_add(installed, &held, pace, patience);
        let got = added.iter().flatten().flatten().map(|tree| tree.digest);
        self.digests = held.into_iter().chain(got).collect();
        added
    }

    fn try_add(
        &mut self,
        installed: &[Installed],
        held: &BTreeSet<Digest>,
        pace: &dyn Pace,
        patience: Duration,
    ) -> Result<Vec<Result<LeasedTree, StoreError>>, StoreError> {
        let mut contents = Vec::new();
        for installed in installed {
            contents.push(unless_given_up(self.store.content_of(installed, pace))?);
        }
        let digests = contents.iter().flatten().map(|content| content.digest);
        self.declare(digests.collect(), patience)?;
        let mut trees = Vec::new();
        for (installed, content) in installed.iter().zip(contents) {
            let work = Work {
                installed,
                held,
                pace,
                patience,
            };
            let tree = content.and_then(|content| self.tree(&work, content));
            trees.push(unless_given_up(tree)?);
        }
        Ok(trees)
    }

    /// Leases kept versions by their content; `None` for one that is not there or is no longer what
    /// its name says.
    ///
    /// # Errors
    /// A tree cannot be read, `pace` gives the work up, the store lock is held longer than
    /// `patience`, or the system refuses. What the lease held it still holds.
    pub fn add_kept(
        &mut self,
        digests: &[Digest],
        pace: &dyn Pace,
        patience: Duration,
    ) -> Result<Vec<Option<AbsPath>>, StoreError> {
        let held = self.digests.clone();
        let added = self
            .declare(digests.iter().copied().collect(), patience)
            .and_then(|()| {
                let roots = digests.iter();
                let roots = roots.map(|digest| self.store.matching_tree(digest, pace));
                roots.collect::<Result<Vec<_>, _>>()
            });
        self.digests = held;
        for (digest, root) in digests.iter().zip(added.iter().flatten()) {
            self.digests.extend(root.as_ref().map(|_| *digest));
        }
        added
    }

    /// Ends the lease, and removes the trees that nobody needs now.
    ///
    /// # Errors
    /// The store lock is held longer than `patience`, or the system refuses. The lease is over all
    /// the same, and the next recovery removes what is left.
    pub fn release(mut self, patience: Duration) -> Result<(), StoreError> {
        self.end(patience)
    }

    fn end(&mut self, patience: Duration) -> Result<(), StoreError> {
        self.ended = true;
        self.store.prepare_state()?;
        let lock = self.store.lock(patience)?;
        let leases = self.store.leases(Some(&self.id))?;
        // Before the leases go: while they lie there, an interrupted sweep is found.
        let swept = self.store.sweep_trees(&lock, &leases)?;
        self.store.sweep_leases(&leases)?;
        self.store.lease_files(&self.id).remove(&self.store)?;
        drop(lock);
        swept.map_or(Ok(()), Ticket::close)
    }

    /// Writes down that these trees are used, too. From here on nobody removes them.
    fn declare(&mut self, more: BTreeSet<Digest>, patience: Duration) -> Result<(), StoreError> {
        if more.is_subset(&self.digests) {
            return Ok(());
        }
        self.store.prepare_state()?;
        let _lock = self.store.lock(patience)?;
        let all = &self.digests | &more;
        let files = self.store.lease_files(&self.id);
        self.store.write_lease(&files.json, &all)?;
        self.digests = all;
        Ok(())
    }

    /// The tree of a content that is declared; a copy that changes meanwhile is read again.
    fn tree(&mut self, work: &Work<'_>, content: Content) -> Result<LeasedTree, StoreError> {
        let mut content = content;
        for _ in 1..TRIES {
            match self.find_or_make(work, &content) {
                Err(StoreError::Tree(TreeError::Changed { path })) => {
                    tracing::debug!(%path, "a copy changed while it was leased");
                }
                other => return other,
            }
            content = self.store.content_of(work.installed, work.pace)?;
            self.declare(BTreeSet::from([content.digest]), work.patience)?;
        }
        self.find_or_make(work, &content)
    }

    fn find_or_make(&self, work: &Work<'_>, content: &Content) -> Result<LeasedTree, StoreError> {
        let digest = content.digest;
        let root = match self.store.matching_tree(&digest, work.pace)? {
            Some(root) => root,
            None => self.make(work, content)?,
        };
        let record = work.installed.provenance_record();
        Ok(LeasedTree {
            root,
            digest,
            as_recorded: content.plan.is_plain()
                && record.is_some_and(|record| record.tree_digest == digest),
            left_out: content.plan.left_out().to_vec(),
        })
    }

    /// Copies beside and moves into place. Others may make the same tree at the same time; who comes
    /// second uses what the first one made.
    fn make(&self, work: &Work<'_>, content: &Content) -> Result<AbsPath, StoreError> {
        let (store, digest) = (&self.store, &content.digest);
        let ticket = store.open_ticket()?;
        store.disk().create_dirs(&ticket.staging)?;
        let staged = ticket.staging.join("tree");
        let copied = match copy(store.disk(), &content.plan, &staged, work.pace) {
            Ok(copied) => copied,
            Err(error) => {
                // A copy that was replaced is the better reason.
                store.must_be_there(work.installed)?;
                return Err(error.into());
            }
        };
        if copied.files.digest() != *digest {
            let path = work.installed.root.clone();
            return Err(TreeError::Changed { path }.into());
        }
        sync_tree(store.disk(), &staged)?;
        let lock = store.lock(work.patience)?;
        if let Some(root) = store.matching_tree(digest, work.pace)? {
            return Ok(root);
        }
        // What this very holder was given before is in use like that of any other.
        let except = (!work.held.contains(digest)).then_some(self.id.as_str());
        let place = store.place_for(digest, &store.leases(except)?, &ticket)?;
        ticket.moves_a_tree();
        store.disk().rename(&staged, &place)?;
        ticket.settle()?;
        drop(lock);
        Ok(place)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        // Nobody waits in a drop; who holds the lock is not to be waited for, and recovery comes.
        if let Err(error) = self.end(Duration::ZERO) {
            tracing::debug!(lease = %self.id, %error, "a lease is left to recovery");
        }
    }
}

/// What it takes to lease one copy.
struct Work<'a> {
    installed: &'a Installed,
    /// What the lease held before the call.
    held: &'a BTreeSet<Digest>,
    pace: &'a dyn Pace,
    patience: Duration,
}

/// Giving up concerns all that is left to do; every other failure concerns one copy.
fn unless_given_up<T>(result: Result<T, StoreError>) -> Result<Result<T, StoreError>, StoreError> {
    match result {
        Err(StoreError::Tree(TreeError::GivenUp)) => Err(StoreError::Tree(TreeError::GivenUp)),
        other => Ok(other),
    }
}

#[cfg(test)]
#[path = "lease_race_tests.rs"]
mod race_tests;
#[cfg(test)]
#[path = "lease_tests.rs"]
mod tests;
