//! The first half of an installation: content on its way, seen by nobody.

use plugd_disk::Patience;
use plugd_disk::tree::{
    Digest, FileDigests, Limits, Pace, TreeError, TreePlan, copy, is_storable_name, remove_tree,
};
use plugd_model::{AbsPath, PluginId, PluginPath, Problem, is_migrated_skill, shipped_as_migrated};

use crate::install::ActivatedInstall;
use crate::record::{Before, Kept, NewInstall, Retention};
use crate::seen::Seen;
use crate::state::Ticket;
use crate::{Installed, Store, StoreError};

/// The mode of files that are added to a copy with its source: nobody's file is in them.
const MODE_OF_EXTRA: u32 = 0o644;

/// An installation that has begun. Others of the same plugin may run beside it; who activates last
/// wins.
#[derive(Debug)]
pub struct Transaction {
    pub(crate) store: Store,
    pub(crate) id: PluginId,
    pub(crate) ticket: Ticket,
    fetched: AbsPath,
}

/// A complete copy that nobody sees yet.
#[derive(Debug)]
pub struct StagedInstall {
    pub(crate) transaction: Transaction,
    pub(crate) tree: StagedTree,
    pub(crate) files: FileDigests,
    /// Set when a kept version comes back.
    pub(crate) returning: Option<Returning>,
}

/// What a kept version brings back with it, because nothing is copied from its source.
#[derive(Debug)]
pub(crate) struct Returning {
    pub(crate) source_digest: Option<Digest>,
    pub(crate) before: Before,
}

/// What an installed copy holds right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyDigest {
    /// Its tree digest.
    pub digest: Digest,
    /// Whether the digest speaks of all of it. Somebody else may have put links, special files, data
    /// of git or set-user bits there, which no digest sees and no installation leaves behind.
    pub clean: bool,
}

/// What a staged copy holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StagedTree {
    /// Where it lies until it is activated.
    pub root: AbsPath,
    /// The digest of what was copied.
    pub source_digest: Digest,
    /// The digest of what will be on disk: with the files that were added.
    pub tree_digest: Digest,
    /// What of the source was not copied, and why.
    pub left_out: Vec<Problem>,
    /// How many files and directories were looked at.
    pub entries: u64,
    /// How many bytes the copied files have.
    pub bytes: u64,
    /// Becomes [`Record::stamps`](crate::Record::stamps).
    pub(crate) stamps: Option<Digest>,
}

impl Store {
    /// Begins an installation.
    ///
    /// # Errors
    /// A newer program owns the state, or the system refuses.
    pub fn begin(&self, id: &PluginId) -> Result<Transaction, StoreError> {
        self.prepare_state()?;
        self.check_places_of(id)?;
        let ticket = self.open_ticket()?;
        let fetched = ticket.staging.join("fetched");
        // Its own entry is made durable with what will lie in it.
        self.disk().create_dirs_durably(&self.layout().staging())?;
        self.disk().create_dirs(&ticket.staging)?;
        Ok(Transaction {
            store: self.clone(),
            id: id.clone(),
            ticket,
            fetched,
        })
    }

    /// What an installation would copy of a directory.
    ///
    /// # Errors
    /// It cannot be read, contains the store, is over a limit, or `pace` gives the work up.
    pub fn plan(
        &self,
        source: &AbsPath,
        limits: &Limits,
        pace: &dyn Pace,
    ) -> Result<TreePlan, StoreError> {
        let plan = self.plan_of_all(source, limits, pace)?;
        Ok(plan.without(is_migrated_skill, shipped_as_migrated))
    }

    /// The same with what an installation makes itself: what a copy holds.
    ///
    /// # Errors
    /// Those of [`Store::plan`].
    pub fn plan_of_all(
        &self,
        root: &AbsPath,
        limits: &Limits,
        pace: &dyn Pace,
    ) -> Result<TreePlan, StoreError> {
        let exclude = [self.layout().state(), self.layout().cache()];
        Ok(TreePlan::scan(self.disk(), root, limits, &exclude, pace)?)
    }

    /// The tree digest of an installed copy as it is now. Its files are read only when a stamp has
    /// changed since this process read them last.
    ///
    /// # Errors
    /// It cannot be read, has become larger than an installation may be, or `pace` gives the work
    /// up.
    pub fn tree_digest(
        &self,
        installed: &Installed,
        pace: &dyn Pace,
    ) -> Result<CopyDigest, StoreError> {
        let content = self.content(&installed.root, pace)?;
        Ok(CopyDigest {
            digest: content.digest,
            clean: content.plan.is_plain(),
        })
    }
}

impl Transaction {
    /// The plugin that is being installed.
    #[must_use]
    pub fn id(&self) -> &PluginId {
        &self.id
    }

    /// Makes a directory for content that has to be fetched or unpacked before it can be staged. It goes
    /// away with the transaction.
    ///
    /// # Errors
    /// The system refuses.
    pub fn fetch_dir(&self) -> Result<&AbsPath, StoreError> {
        self.store.disk().create_dirs(&self.fetched)?;
        Ok(&self.fetched)
    }

    /// Copies what an installation takes of a directory, and adds files to the copy. The caller has
    /// resolved and checked the path; one that leads elsewhere by now is refused.
    ///
    /// # Errors
    /// The source cannot be read, contains the store, is over a limit or changes while it is copied;
    /// `pace` gives the work up; or a file to add has a bad name or is there already.
    pub fn stage(
        self,
        source: &AbsPath,
        limits: &Limits,
        extra_files: &[(PluginPath, Vec<u8>)],
        pace: &dyn Pace,
    ) -> Result<StagedInstall, StoreError> {
        let disk = self.store.disk().clone();
        let look = self.store.look_into_source(source, limits, pace)?;
        let (plan, is_fetched) = (&look.plan, source.starts_with(&self.fetched));
        // What was fetched lies where nobody else writes, below a home that a link may lead to.
        if plan.root() != source && !is_fetched {
            let path = source.clone();
            return Err(TreeError::Changed { path }.into());
        }
        let root = self.ticket.staging.join("tree");
        let report = copy(&disk, plan, &root, pace)?;
        let digest = report.files.digest();
        if !is_fetched {
            // Whoever compares the copy with it need not read it again.
            self.store.inner.contents.remember(source, &look, digest);
        }
        // What was fetched is in the copy now; a second one would only fill the disk.
        remove_tree(&disk, &self.fetched)?;
        let mut staged = StagedInstall {
            transaction: self,
            tree: StagedTree {
                root,
                source_digest: digest,
                tree_digest: digest,
                left_out: plan.left_out().to_vec(),
                entries: plan.entries(),
                bytes: report.bytes,
                stamps: report.fingerprint,
            },
            files: report.files,
            returning: None,
        };
        staged.add_files(extra_files, MODE_OF_EXTRA)?;
        Ok(staged)
    }

    /// Copies a kept version, so that it can be activated again. Its tree stays where it is: somebody
    /// may run in it, and until the commit it is what there is of that version.
    ///
    /// # Errors
    /// [`StoreError::NotKept`] when the tree is gone or is no longer what its name says. Otherwise it
    /// cannot be read, or `pace` gives the work up.
    pub fn stage_kept(self, kept: &Kept, pace: &dyn Pace) -> Result<StagedInstall, StoreError> {
        let disk = self.store.disk().clone();
        let not_kept = || StoreError::NotKept {
            id: self.id.clone(),
            version: kept.version.clone(),
        };
        let source = self.store.matching_tree(&kept.tree_digest, pace)?;
        let source = source.ok_or_else(not_kept)?;
        let plan = TreePlan::scan(&disk, &source, &Limits::INSTALL, &[], pace)?;
        let root = self.ticket.staging.join("tree");
        let report = copy(&disk, &plan, &root, pace)?;
        if report.files.digest() != kept.tree_digest {
            return Err(not_kept());
        }
        remove_tree(&disk, &self.fetched)?;
        let origin = kept.origin.as_ref();
        let source_digest = origin.and_then(|origin| origin.source_digest);
        Ok(StagedInstall {
            tree: StagedTree {
                root,
                source_digest: source_digest.unwrap_or(kept.tree_digest),
                tree_digest: kept.tree_digest,
                left_out: Vec::new(),
                entries: plan.entries(),
                bytes: report.bytes,
                stamps: report.fingerprint,
            },
            files: report.files,
            returning: Some(Returning {
                source_digest,
                before: origin.map_or(Before::Unknown, |origin| origin.before.clone()),
            }),
            transaction: self,
        })
    }
}

impl StagedInstall {
    /// What was staged, so that the caller can read the manifest of the very bytes that will be
    /// installed, and compare digests.
    #[must_use]
    pub fn tree(&self) -> &StagedTree {
        &self.tree
    }

    /// Adds files that the source does not have, for example a manifest made from the marketplace's
    /// entry, with these permission bits. They count for the tree digest and not for the source digest.
    ///
    /// # Errors
    /// A name that the store does not take, a file that is there already, or the system refuses.
    pub fn add_files(
        &mut self,
        files: &[(PluginPath, Vec<u8>)],
        mode: u32,
    ) -> Result<(), StoreError> {
        let disk = self.transaction.store.disk();
        for (path, content) in files {
            let bad = |reason| StoreError::BadExtraFile {
                path: path.as_str().to_owned(),
                reason,
            };
            if !path.as_str().split('/').all(is_storable_name) {
                return Err(bad("a part of it is not a legal name"));
            }
            if self.files.contains(path.as_str()) {
                return Err(bad("the plugin has such a file"));
            }
            let target = path.below(&self.tree.root);
            if let Some(parent) = target.parent() {
                disk.create_dirs(&parent)?;
            }
            disk.write_new(&target, content, mode)?;
            self.files.add(path.as_str(), false, content);
            // The stamps say nothing of what was added.
            self.tree.stamps = None;
        }
        self.tree.tree_digest = self.files.digest();
        Ok(())
    }

    /// Asks whether the copy could be activated now, as far as that depends on others. No lock is
    /// held while a copy is staged, nor by this, so [`StagedInstall::activate`] asks again; but who
    /// has to tell another machine first can find out beforehand that it would be in vain.
    ///
    /// # Errors
    /// [`StoreError::Superseded`] when the plugin is no longer as it was `seen`. Otherwise something
    /// is in the way, or the system refuses. The staged copy stays as it is.
    pub fn still_applies(&self, seen: &Seen) -> Result<(), StoreError> {
        let Transaction { store, id, .. } = &self.transaction;
        store.check_places_of(id)?;
        store.must_be_as_seen(id, seen)
    }

    /// Puts the copy in the place of the installed one, under the store lock and a journal. What it
    /// returns takes everything back unless it is committed.
    ///
    /// # Errors
    /// [`StoreError::Superseded`] when the plugin is no longer as it was `seen`. Otherwise the store
    /// lock is held longer than `patience`, an earlier operation on the plugin cannot be undone, or
    /// the system refuses. What was in its place is there, and the staged copy goes away.
    pub fn activate<'a>(
        self,
        new: NewInstall,
        seen: &Seen,
        retention: &Retention,
        patience: impl Into<Patience<'a>>,
    ) -> Result<ActivatedInstall, StoreError> {
        self.ready(new, seen, retention)?.lock(patience)?.activate()
    }
}

#[cfg(test)]
#[path = "staged_tests.rs"]
mod tests;
