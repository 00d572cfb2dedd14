//! The store as use cases get it: recovered before its first use, never earlier.
//!
//! A process that is only asked for its name touches no plugin file, so recovery cannot happen at
//! start; and no use case may forget it, so the store is not to be had without it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use plugd_config::UndoRecord;
use plugd_disk::Disk;
use plugd_model::{Clock, Layout, Problem, RandomNames};
use plugd_store::{Recovered, Store, UndoError};
use serde_json::Value;

use crate::Error;
use crate::digests::SourceDigests;
use crate::marketplace_add::CONFIG_PATIENCE;

/// A swap takes milliseconds. Who holds the lock longer is alive, and readers need no lock.
const RECOVERY_PATIENCE: Duration = Duration::from_secs(1);

/// The installed copies of one home directory. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Copies {
    store: Store,
    recovered: Arc<Mutex<Option<Recovered>>>,
    digests: SourceDigests,
}

impl Copies {
    /// The copies below a home directory. Touches nothing.
    #[must_use]
    pub fn new(
        disk: Disk,
        layout: Layout,
        names: Arc<dyn RandomNames>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let undo = undo_of_config(disk.clone(), layout.clone());
        let digests = SourceDigests::new(Arc::clone(&clock));
        Self {
            store: Store::new(disk, layout, names, clock, Arc::new(undo)),
            recovered: Arc::default(),
            digests,
        }
    }

    /// The store. The first call undoes what dead processes have left half done. While a living one
    /// holds the lock there is nothing to undo yet, and the next call looks again.
    ///
    /// # Errors
    /// The remains cannot be looked at; the next call tries again.
    pub(crate) fn store(&self) -> Result<&Store, Error> {
        let mut recovered = self
            .recovered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if recovered.is_none() {
            let found = match self.store.recover(RECOVERY_PATIENCE) {
                Ok(found) => found,
                Err(error) if error.held_lock().is_some() => return Ok(&self.store),
                Err(error) => return Err(Error::StoreState(Box::new(error))),
            };
            for id in &found.undone {
                tracing::warn!(plugin = %id, "an interrupted operation was undone");
            }
            *recovered = Some(found);
        }
        Ok(&self.store)
    }

    /// The digests of sources, as far as they are known.
    pub(crate) fn digests(&self) -> &SourceDigests {
        &self.digests
    }

    /// What recovery could not undo.
    pub(crate) fn recovery_problems(&self) -> Vec<Problem> {
        let recovered = self
            .recovered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        recovered
            .as_ref()
            .map_or(Vec::new(), |found| found.problems.clone())
    }
}

fn undo_of_config(
    disk: Disk,
    layout: Layout,
) -> impl Fn(&Value) -> Result<(), UndoError> + Send + Sync {
    move |note| {
        let record = UndoRecord::from_json(note)?;
        plugd_config::undo(&disk, &layout, &record, CONFIG_PATIENCE)?;
        Ok(())
    }
}
