//! Which trees the records name, remembered as long as nobody has touched a record.
//!
//! Whether a replaced version may go depends on every record of the home, because two plugins can keep
//! the same tree. With 180 plugins, reading and understanding all of them was half of what a refresh
//! cost, once for each version that went. So a record is read again only when its stamp has changed;
//! that it stands there is looked at each time. As with directories (see `contents`), what changed in
//! the last moments is not remembered.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plugd_disk::tree::Digest;
use plugd_disk::{Kind, Stamp, is_settled};
use plugd_model::PluginId;

use crate::json::{installed_in, trees_in};
use crate::{Store, StoreError};

/// More records than any home has; beyond it everything is forgotten rather than kept for ever.
const MAX_RECORDS: usize = 10_000;

/// The trees that records name, also records that cannot be understood as a whole because they are
/// damaged or a newer program wrote them.
#[derive(Debug, Default)]
pub(crate) struct NamedTrees {
    /// Kept and pinned.
    pub(crate) kept: BTreeSet<Digest>,
    /// What is installed. A copy of it lies among the trees only because somebody has leased it.
    pub(crate) installed: BTreeSet<Digest>,
}

/// What the records were found to name in this process.
#[derive(Default)]
pub(crate) struct Named {
    known: Mutex<HashMap<PluginId, Known>>,
}

#[derive(Clone)]
struct Known {
    stamp: Stamp,
    names: Arc<Names>,
}

/// What one record names.
struct Names {
    kept: Vec<Digest>,
    installed: Option<Digest>,
}

impl Named {
    /// Held for a map operation only.
    fn lock(&self) -> MutexGuard<'_, HashMap<PluginId, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    pub(crate) fn named_trees(&self) -> Result<NamedTrees, StoreError> {
        self.named_trees_without(&BTreeSet::new())
    }

    /// The same, as if some records were gone.
    pub(crate) fn named_trees_without(
        &self,
        forgotten: &BTreeSet<&PluginId>,
    ) -> Result<NamedTrees, StoreError> {
        let mut named = NamedTrees::default();
        for id in self.recorded_ids()? {
            if !forgotten.contains(&id) {
                let names = self.named_by(id)?;
                named.kept.extend(&names.kept);
                named.installed.extend(&names.installed);
            }
        }
        Ok(named)
    }

    /// Leaves those trees that no record keeps.
    pub(crate) fn retain_unkept(&self, trees: &mut BTreeSet<Digest>) -> Result<(), StoreError> {
        for id in self.recorded_ids()? {
            if trees.is_empty() {
                break;
            }
            for kept in &self.named_by(id)?.kept {
                trees.remove(kept);
            }
        }
        Ok(())
    }

    fn named_by(&self, id: PluginId) -> Result<Arc<Names>, StoreError> {
        // Before the look: what is changed during it has just been changed, however long it takes.
        let now = self.inner.clock.now();
        let stamp = self.disk().link_stamp(&self.layout().record(&id))?;
        // What a link leads to changes without the link.
        let stamp = stamp.filter(|stamp| stamp.kind == Kind::File);
        let named = &self.inner.named;
        let remembered = named.lock().get(&id).cloned();
        if let Some(known) = remembered
            && Some(known.stamp) == stamp
        {
            return Ok(known.names);
        }
        let members = self.record_file(&id)?.members;
        let names = Arc::new(Names {
            kept: trees_in(&members).collect(),
            installed: installed_in(&members),
        });
        let mut known = named.lock();
        if known.len() >= MAX_RECORDS {
            known.clear();
        }
        match stamp.filter(|stamp| is_settled(stamp.changed_ns.max(stamp.modified_ns), now)) {
            Some(stamp) => {
                let names = Arc::clone(&names);
                known.insert(id, Known { stamp, names });
            }
            None => {
                known.remove(&id);
            }
        }
        drop(known);
        Ok(names)
    }
}

#[cfg(test)]
#[path = "named_tests.rs"]
mod tests;
