//! What directories hold, remembered as long as nobody has touched a file in them.
//!
//! Why a tree is trusted: whoever uses a tree of ours for the first time in a process has all of it
//! read, so what an earlier process or a stranger left there is never taken on faith. After that the
//! stamps of its files are looked at, all of them and each time. The system moves the time of change
//! with every write, mode change and rename, and no program can set it back, so equal stamps mean
//! equal content, unless a write fell into the same clock tick. That is why content which changed in
//! the last moments is not remembered.
//!
//! No decision depends on what is remembered, only its price. Nothing of this is kept on disk, with two
//! exceptions, neither of them for what is run: the refresh may take over what earlier processes found of
//! sources ([`crate::known_sources`]), and a replaced copy can be kept under the digest that its record has
//! ([`Record::stamps`]).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plugd_disk::is_settled;
use plugd_disk::tree::{Digest, Limits, Pace, TreePlan, digest};
use plugd_model::{AbsPath, Problem};

use crate::record::Record;
use crate::{Store, StoreError};

/// More directories than anybody leases or installs from; beyond it everything is forgotten rather than kept for
/// ever.
pub(crate) const MAX_DIRECTORIES: usize = 10_000;

/// The digests that are known in this process.
#[derive(Default)]
pub(crate) struct Contents {
    known: Mutex<HashMap<AbsPath, Known>>,
}

/// Whose word is good enough for what a source holds, as long as the stamps of its files are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Believing {
    /// That of this process: for whoever does what somebody asked for, or writes down what was found.
    ThisProcess,
    /// That of earlier ones too: for whoever looks in the background whether there is anything to do.
    EarlierOnes,
}

/// What was read, and the stamps of its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) fingerprint: Digest,
    pub(crate) digest: Digest,
}

/// A directory that was looked at. What is changed after the look began has just been changed, however
/// long the work takes.
pub(crate) struct Look {
    began: Duration,
    pub(crate) plan: TreePlan,
    fingerprint: Digest,
}

impl Look {
    fn of(began: Duration, plan: TreePlan) -> Self {
        Self {
            began,
            fingerprint: plan.fingerprint(),
            plan,
        }
    }
}

/// What an installation from a directory would find there.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceContent {
    /// The digest that it would record.
    pub digest: Digest,
    /// What it would not take over.
    pub left_out: Vec<Problem>,
}

/// What a directory holds now.
#[derive(Debug)]
pub(crate) struct Content {
    /// What a copy of it would hold.
    pub(crate) plan: TreePlan,
    /// The digest of such a copy.
    pub(crate) digest: Digest,
}

impl Contents {
    /// What is known of a directory that looks like this.
    fn of(&self, root: &AbsPath, look: &Look) -> Option<Known> {
        let known = self.lock().get(root).copied();
        known.filter(|known| known.fingerprint == look.fingerprint)
    }

    /// Remembers what was read after a look; nothing when files had only just been changed.
    pub(crate) fn remember(&self, root: &AbsPath, look: &Look, digest: Digest) -> Option<Known> {
        let mut known = self.lock();
        if known.len() >= MAX_DIRECTORIES {
            known.clear();
        }
        if !is_settled(look.plan.newest_change_ns(), look.began) {
            known.remove(root);
            return None;
        }
        let entry = Known {
            fingerprint: look.fingerprint,
            digest,
        };
        known.insert(root.clone(), entry);
        Some(entry)
    }

    /// Held for a map operation only.
    fn lock(&self) -> MutexGuard<'_, HashMap<AbsPath, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// The digest that an installation from a directory would record as its source digest. Asking
    /// costs a look at the stamps of its files; they are read only when one has changed since they
    /// were read last.
    ///
    /// # Errors
    /// It cannot be read, contains the store, is over a limit, or `pace` gives the work up.
    pub fn source_digest(&self, root: &AbsPath, pace: &dyn Pace) -> Result<Digest, StoreError> {
        let look = self.look_into_source(root, &Limits::INSTALL, pace)?;
        match self.inner.contents.of(root, &look) {
            Some(known) => Ok(known.digest),
            None => Ok(self.read(root, &look, pace)?.0),
        }
    }

    /// The digest of all that a directory holds, with what an installation would not copy because it
    /// makes it itself. The price is the same.
    ///
    /// # Errors
    /// Those of [`Store::source_digest`].
    pub fn whole_digest(&self, root: &AbsPath, pace: &dyn Pace) -> Result<Digest, StoreError> {
        Ok(self.content(root, pace)?.digest)
    }

    /// The digest of a source, and what the installation would leave out: whoever looks at a copy has to be told
    /// each time, also when the copy was made long ago.
    ///
    /// # Errors
    /// Those of [`Store::source_digest`].
    pub fn source_content(
        &self,
        root: &AbsPath,
        believing: Believing,
        pace: &dyn Pace,
    ) -> Result<SourceContent, StoreError> {
        let look = self.look_into_source(root, &Limits::INSTALL, pace)?;
        let (digest, known) = match self.known(root, &look, believing) {
            Some(known) => (known.digest, Some(known)),
            None => self.read(root, &look, pace)?,
        };
        if let Some(known) = known.filter(|_| self.is_worth_keeping(root, &look)) {
            self.inner.sources.note(root, known);
        }
        let left_out = look.plan.left_out().to_vec();
        Ok(SourceContent { digest, left_out })
    }

    fn known(&self, root: &AbsPath, look: &Look, believing: Believing) -> Option<Known> {
        let own = self.inner.contents.of(root, look);
        let earlier = || match believing {
            Believing::ThisProcess => None,
            Believing::EarlierOnes => {
                let file = self.layout().known_sources();
                let sources = &self.inner.sources;
                sources.of(self.disk(), &file, root, look.fingerprint)
            }
        };
        own.or_else(earlier)
    }

    /// Whether another process could believe it: the file system tells when a file was changed, and the
    /// directory is still there then.
    fn is_worth_keeping(&self, root: &AbsPath, look: &Look) -> bool {
        look.plan.is_finely_stamped() && !root.starts_with(&self.layout().staging())
    }

    /// What a directory holds now. Its files are read only when a stamp has changed since this process
    /// read them last.
    pub(crate) fn content(&self, root: &AbsPath, pace: &dyn Pace) -> Result<Content, StoreError> {
        self.content_as_recorded(root, None, pace)
    }

    /// The same of a copy that a record may speak of. Its word counts as long as the files have the stamps
    /// that they had when they were written, unless this process knows better.
    ///
    /// A write into the same tick of the clock as ours would go unseen, and one of which a loss of power
    /// has left the bytes and not the time. So it is for nobody who runs what he finds, and the caller sees
    /// to it that a copy which is believed wrongly is still there afterwards.
    pub(crate) fn content_as_recorded(
        &self,
        root: &AbsPath,
        record: Option<&Record>,
        pace: &dyn Pace,
    ) -> Result<Content, StoreError> {
        let began = self.inner.clock.now();
        let look = Look::of(began, self.plan_of_all(root, &Limits::INSTALL, pace)?);
        let own = || Some(self.inner.contents.of(root, &look)?.digest);
        let recorded = record
            .filter(|record| record.stamps == Some(look.fingerprint))
            .map(|record| record.tree_digest);
        let digest = match own().or(recorded) {
            Some(digest) => digest,
            None => self.read(root, &look, pace)?.0,
        };
        let plan = look.plan;
        Ok(Content { plan, digest })
    }

    /// Looks at names and stamps of what an installation would copy.
    pub(crate) fn look_into_source(
        &self,
        root: &AbsPath,
        limits: &Limits,
        pace: &dyn Pace,
    ) -> Result<Look, StoreError> {
        let began = self.inner.clock.now();
        Ok(Look::of(began, self.plan(root, limits, pace)?))
    }

    fn read(
        &self,
        root: &AbsPath,
        look: &Look,
        pace: &dyn Pace,
    ) -> Result<(Digest, Option<Known>), StoreError> {
        let digest = digest(self.disk(), &look.plan, pace)?;
        let known = self.inner.contents.remember(root, look, digest);
        Ok((digest, known))
    }
}

#[cfg(test)]
#[path = "contents_tests.rs"]
pub(crate) mod tests;
