//! What directories hold, remembered as long as nobody has touched a file in them.
//!
//! Why a tree is trusted: whoever uses a tree for the first time in a process has all of it read, so
//! what an earlier process or a stranger left there is never taken on faith. After that the stamps
//! of its files are looked at, all of them and each time. The system moves the time of change with
//! every write, mode change and rename, and no program can set it back, so equal stamps mean equal
//! content, unless a write fell into the same clock tick. That is why content which changed in the
//! last moments is not remembered.
//!
//! Nothing of this is kept on disk: a mark beside a tree could be copied or restored together with a
//! tree that it does not speak of. No decision depends on what is remembered, only its price.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use plugd_disk::is_settled;
use plugd_disk::tree::{Digest, Limits, Pace, TreePlan, digest};
use plugd_model::{AbsPath, Problem};

use crate::{Store, StoreError};

/// More directories than anybody leases or installs from; beyond it everything is forgotten rather than kept for
/// ever.
const MAX_DIRECTORIES: usize = 10_000;

/// The digests that are known in this process.
#[derive(Default)]
pub(crate) struct Contents {
    known: Mutex<HashMap<AbsPath, Known>>,
}

#[derive(Clone, Copy)]
struct Known {
    fingerprint: [u8; 32],
    digest: Digest,
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
        Ok(self.content(root, pace)?.digest)
    }

    /// The same, and what the installation would leave out: whoever looks at a copy has to be told
    /// each time, also when the copy was made long ago.
    ///
    /// # Errors
    /// Those of [`Store::source_digest`].
    pub fn source_content(
        &self,
        root: &AbsPath,
        pace: &dyn Pace,
    ) -> Result<SourceContent, StoreError> {
        let Content { plan, digest } = self.content(root, pace)?;
        let left_out = plan.left_out().to_vec();
        Ok(SourceContent { digest, left_out })
    }

    /// What a directory holds now. Its files are read only when a stamp has changed since they were
    /// read last.
    pub(crate) fn content(&self, root: &AbsPath, pace: &dyn Pace) -> Result<Content, StoreError> {
        // Before the look: what is changed during it has just been changed, however long it takes.
        let now = self.inner.clock.now();
        let plan = self.plan(root, &Limits::INSTALL, pace)?;
        let fingerprint = plan.fingerprint();
        let contents = &self.inner.contents;
        let remembered = contents.lock().get(root).copied();
        if let Some(known) = remembered
            && known.fingerprint == fingerprint
        {
            let digest = known.digest;
            return Ok(Content { plan, digest });
        }
        let digest = digest(self.disk(), &plan, pace)?;
        let mut known = contents.lock();
        if known.len() >= MAX_DIRECTORIES {
            known.clear();
        }
        if is_settled(plan.newest_change_ns(), now) {
            let entry = Known {
                fingerprint,
                digest,
            };
            known.insert(root.clone(), entry);
        } else {
            known.remove(root);
        }
        drop(known);
        Ok(Content { plan, digest })
    }
}

#[cfg(test)]
#[path = "contents_tests.rs"]
pub(crate) mod tests;
