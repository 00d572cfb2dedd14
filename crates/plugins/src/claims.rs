//! What this process has put on disk and has not told yet.
//!
//! A run over many plugins tells at its end what moved, and a look at the disk finds each of them
//! before. Whoever puts something in its place says so here, and until it is told it is not taken for
//! the work of somebody else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use plugd_model::{MarketplaceName, PluginId};

use crate::events::Change;
use crate::observed::HeldBack;

/// A run that takes longer is told twice, which is better than never: it may have ended without a word.
const PATIENCE: Duration = Duration::from_secs(30);

/// The claims of one process. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Claims(Arc<Mutex<Claimed>>);

#[derive(Debug, Default)]
struct Claimed {
    plugins: BTreeMap<PluginId, Instant>,
    marketplaces: BTreeMap<MarketplaceName, Instant>,
}

impl Claims {
    /// This process is about to put a copy of the plugin in its place.
    pub(crate) fn plugin(&self, id: PluginId) {
        self.held().plugins.insert(id, Instant::now());
    }

    /// This process is about to put what a marketplace offers in its place.
    pub(crate) fn marketplace(&self, name: MarketplaceName) {
        self.held().marketplaces.insert(name, Instant::now());
    }

    /// This is being told now.
    pub(crate) fn told(&self, changes: &[Change]) {
        let mut held = self.held();
        if changes.iter().any(Change::is_everything) {
            *held = Claimed::default();
        }
        for change in changes {
            held.plugins.retain(|id, _| !change.plugins.contains(id));
            let is_told = |name: &MarketplaceName| change.marketplaces.contains(name);
            held.marketplaces.retain(|name, _| !is_told(name));
        }
    }

    /// What is still to be told.
    pub(crate) fn waiting(&self) -> HeldBack {
        let held = self.held();
        HeldBack {
            plugins: held.plugins.keys().cloned().collect(),
            marketplaces: held.marketplaces.keys().cloned().collect(),
        }
    }

    /// Held for map operations only. What is too old goes, also where nobody listens.
    fn held(&self) -> MutexGuard<'_, Claimed> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.plugins.retain(|_, since| since.elapsed() < PATIENCE);
        held.marketplaces
            .retain(|_, since| since.elapsed() < PATIENCE);
        held
    }
}
