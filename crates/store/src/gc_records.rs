//! What is written down of plugins that are nowhere any more.
//!
//! A record outlives the loss of its files on purpose: a plugin that is configured is fetched again
//! from where it came. One that nothing configures and nobody holds was uninstalled by another
//! program, which knows nothing of records.
//!
//! Invariants:
//! - Only a record that is understood, speaks of no copy and holds no pin is forgotten, under the
//!   store lock, after another look.
//! - The record goes before the list of its files: a list alone is nobody's.

use std::collections::{BTreeMap, BTreeSet};

use plugd_disk::Kind;
use plugd_model::{
    AbsPath, MarketplaceName, PluginId, PluginName, Problem, ProblemKind, error_chain,
};

use crate::gc::Size;
use crate::{Record, Store, StoreError};

/// What was written down of a plugin that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GcRecord {
    /// The plugin.
    pub id: PluginId,
    /// The record, or the list of files that has none.
    pub path: AbsPath,
    /// Both together.
    pub size: Size,
}

impl Store {
    /// The plugins that are recorded without a copy and without a pin. Whether the configuration
    /// wants one of them back is for the caller to know.
    ///
    /// # Errors
    /// The records or the cache cannot be read.
    pub fn records_without_copy(&self) -> Result<BTreeSet<PluginId>, StoreError> {
        let mut without = BTreeSet::new();
        for id in self.recorded_ids()? {
            let record = self.record_file(&id)?.record;
            if record.is_some_and(|record| record.pin.is_none()) && self.is_nowhere(&id)? {
                without.insert(id);
            }
        }
        Ok(without)
    }

    /// Every record that can be understood, sorted by plugin, whether or not there is a copy.
    ///
    /// # Errors
    /// The records cannot be read.
    pub fn records(&self) -> Result<BTreeMap<PluginId, Record>, StoreError> {
        let mut records = BTreeMap::new();
        for id in self.recorded_ids()? {
            if let Some(record) = self.record_file(&id)?.record {
                records.insert(id, record);
            }
        }
        Ok(records)
    }

    /// Whether nothing stands where a plugin would be installed.
    fn is_nowhere(&self, id: &PluginId) -> Result<bool, StoreError> {
        let dir = self.layout().plugin_dir(id);
        match self.kind_of(&dir)? {
            None => Ok(true),
            Some(Kind::Dir) => Ok(self.entries_in(&dir)?.is_empty()),
            Some(_) => Ok(false),
        }
    }

    /// The records that may be forgotten and still can, and the lists of files without a record.
    pub(crate) fn forgettable(
        &self,
        forgettable: &BTreeSet<PluginId>,
    ) -> Result<Vec<GcRecord>, StoreError> {
        let mut gone = Vec::new();
        if !forgettable.is_empty() {
            let still = self.records_without_copy()?;
            gone.extend(still.intersection(forgettable).cloned());
        }
        let recorded: BTreeSet<PluginId> = self.recorded_ids()?.into_iter().collect();
        let mut found: Vec<GcRecord> = gone
            .into_iter()
            .map(|id| self.written_of(self.layout().record(&id), id))
            .collect();
        for id in self.listed_ids()? {
            if !recorded.contains(&id) {
                found.push(self.written_of(self.layout().file_list(&id), id));
            }
        }
        found.sort_by(|left, right| left.id.cmp(&right.id));
        Ok(found)
    }

    fn written_of(&self, path: AbsPath, id: PluginId) -> GcRecord {
        let both = [self.layout().record(&id), self.layout().file_list(&id)];
        GcRecord {
            path,
            size: both.iter().map(|path| self.size_of(path)).sum(),
            id,
        }
    }

    /// Every plugin whose files are listed.
    fn listed_ids(&self) -> Result<Vec<PluginId>, StoreError> {
        let records = self.layout().records();
        let mut ids = Vec::new();
        for name in self.names_in(&records)? {
            let Ok(marketplace) = MarketplaceName::new(&name) else {
                continue;
            };
            for file in self.names_in(&records.join(&name))? {
                if let Some(Ok(plugin)) = file.strip_suffix(".files").map(PluginName::new) {
                    ids.push(PluginId {
                        plugin,
                        marketplace: marketplace.clone(),
                    });
                }
            }
        }
        Ok(ids)
    }

    /// Forgets them. The store lock is held. What cannot be removed is a problem, and is not among
    /// what is left of the list.
    pub(crate) fn forget(&self, gone: &mut Vec<GcRecord>, problems: &mut Vec<Problem>) {
        gone.retain(|record| match self.forget_one(&record.id) {
            Ok(()) => true,
            Err(error) => {
                let text = format!("the record stays: {}", error_chain(&error));
                let problem = Problem::warning(ProblemKind::Unreadable, text);
                problems.push(problem.in_file(&record.path));
                false
            }
        });
    }

    fn forget_one(&self, id: &PluginId) -> Result<(), StoreError> {
        let record = self.layout().record(id);
        self.disk().remove_file(&record)?;
        self.remove_file_list(id)?;
        let Some(dir) = record.parent() else {
            return Ok(());
        };
        self.disk().sync_dir(&dir)?;
        if self.entries_in(&dir)?.is_empty() {
            self.disk().remove_dir(&dir)?;
        }
        Ok(())
    }
}
