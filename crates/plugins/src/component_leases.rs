//! The leases that this process holds for its clients, by their ids.
//!
//! A lease lives as long as its value: until it is released, until the connection is over, or until
//! the process ends, however it ends. What a dead process leased is swept by the next recovery.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plugd_disk::tree::TreeError;
use plugd_model::error_chain;
use plugd_store::{Installed, Lease, LeasedTree, StoreError};

use crate::call::Call;
use crate::install::STORE_PATIENCE;
use crate::{Blocking, Error};

/// How long the end of a connection waits for another process that swaps a plugin. What is left then
/// is the business of the next recovery.
const END_PATIENCE: Duration = Duration::from_secs(1);

/// How long one try waits for the store, after which the request is asked whether it is still wanted.
const STEP: Duration = Duration::from_millis(200);

/// The leases of one connection. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Leases(Arc<Mutex<BTreeMap<String, Lease>>>);

impl Leases {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps a lease, and answers the id under which it is released.
    pub(crate) fn keep(&self, lease: Lease) -> String {
        let id = lease.id().to_owned();
        self.held().insert(id.clone(), lease);
        id
    }

    fn take(&self, id: &str) -> Option<Lease> {
        self.held().remove(id)
    }

    /// Ends all leases, because their connection is over.
    ///
    /// # Errors
    /// The section panicked.
    pub async fn end(&self, blocking: &Blocking) -> Result<(), Error> {
        let leases = std::mem::take(&mut *self.held());
        if leases.is_empty() {
            return Ok(());
        }
        let section = blocking.write(move || {
            leases.into_values().for_each(end_lease);
            Ok(())
        });
        section.await
    }

    /// The lock is held for one operation of the map.
    fn held(&self) -> MutexGuard<'_, BTreeMap<String, Lease>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends a lease that nobody was told of, or whose holder is gone.
pub(crate) fn end_lease(lease: Lease) {
    if let Err(error) = lease.release(END_PATIENCE) {
        tracing::debug!("a lease is left to recovery: {}", error_chain(&error));
    }
}

/// Leases the content of these copies. It waits for the store only as long as the request is wanted.
///
/// # Errors
/// The request was cancelled, or the lease cannot be written down.
pub(crate) fn lease_trees(
    call: &Call,
    lease: &mut Lease,
    copies: &[Installed],
) -> Result<Vec<Result<LeasedTree, StoreError>>, StoreError> {
    // Of the time of the request: one whose plugins change meanwhile comes here again.
    let waiting = call.patience(STORE_PATIENCE).start();
    loop {
        let trees = lease.add_trees(copies, call, STEP);
        let is_held = match &trees {
            Ok(trees) => {
                let mut failed = trees.iter().filter_map(|tree| tree.as_ref().err());
                failed.any(|error| error.held_lock().is_some())
            }
            Err(error) => error.held_lock().is_some(),
        };
        if !is_held || waiting.is_over() {
            return trees;
        }
        if call.cancel.is_cancelled() {
            return Err(StoreError::Tree(TreeError::GivenUp));
        }
    }
}

/// `plugd/release`: ends a lease. Answers whether this connection held one of this id; ending it
/// twice is no mistake.
///
/// # Errors
/// The store cannot be written. The lease is over all the same, and the next recovery removes what
/// is left.
pub async fn release(
    call: &Call,
    blocking: &Blocking,
    leases: &Leases,
    id: String,
) -> Result<bool, Error> {
    let (call, leases) = (call.clone(), leases.clone());
    let section = blocking.write(move || {
        call.cancel.seal()?;
        let Some(lease) = leases.take(&id) else {
            return Ok(false);
        };
        let released = lease.release(STORE_PATIENCE);
        released.map_err(|error| Error::StoreState(Box::new(error)))?;
        Ok(true)
    });
    section.await
}
