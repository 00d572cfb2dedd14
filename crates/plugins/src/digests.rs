//! Digests of source directories, remembered as long as nobody has touched a file.
//!
//! A refresh after each listing compares the content of every configured plugin. Looking at stamps
//! costs a fraction of reading the files, so content is read again only when a stamp has changed.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use plugd_disk::tree::{Digest, Limits, Pace};
use plugd_model::{AbsPath, Clock};
use plugd_store::{Store, StoreError};

/// A file that changed this recently may change again without its stamp telling: file systems keep
/// time in ticks. Its digest is not remembered.
const SETTLED: Duration = Duration::from_secs(2);
/// More sources than anybody has; beyond it everything is forgotten rather than kept for ever.
const MAX_SOURCES: usize = 10_000;

/// The digests of sources by their directory. Clones share them.
#[derive(Clone)]
pub(crate) struct SourceDigests {
    clock: Arc<dyn Clock>,
    known: Arc<Mutex<HashMap<AbsPath, Known>>>,
}

#[derive(Clone, Copy)]
struct Known {
    fingerprint: [u8; 32],
    digest: Digest,
}

impl fmt::Debug for SourceDigests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceDigests").finish_non_exhaustive()
    }
}

impl SourceDigests {
    /// Knows nothing yet.
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            known: Arc::default(),
        }
    }

    /// The digest that an installation from the directory would record.
    pub(crate) fn of(
        &self,
        store: &Store,
        source: &AbsPath,
        pace: &dyn Pace,
    ) -> Result<Digest, StoreError> {
        let plan = store.plan(source, &Limits::INSTALL, pace)?;
        let fingerprint = plan.fingerprint();
        let remembered = self.lock().get(source).copied();
        if let Some(known) = remembered
            && known.fingerprint == fingerprint
        {
            return Ok(known.digest);
        }
        let digest = store.digest_of(&plan, pace)?;
        let now = i128::try_from(self.clock.now().as_nanos()).unwrap_or(i128::MAX);
        let settled = i128::try_from(SETTLED.as_nanos()).unwrap_or(i128::MAX);
        let mut known = self.lock();
        if known.len() >= MAX_SOURCES {
            known.clear();
        }
        if plan.newest_change_ns().saturating_add(settled) < now {
            let entry = Known {
                fingerprint,
                digest,
            };
            known.insert(source.clone(), entry);
        } else {
            known.remove(source);
        }
        Ok(digest)
    }

    /// Held for a map operation only.
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<AbsPath, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "digests_tests.rs"]
mod tests;
