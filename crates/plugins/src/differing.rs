//! Which installed copies the last comparison found to differ from their sources.

use std::collections::HashMap;

use plugd_disk::tree::Digest;
use plugd_model::PluginId;
use plugd_store::{Installed, Record};
use serde_json::{Value, json};

use crate::status::{PluginOutcome, PluginResult, TaskReport};

/// Which copy it was that a run has looked at, as its record says: who installs another one later, also of
/// the same version, makes void what the run has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopyMark {
    tree_digest: Digest,
    installed_at: u64,
}

impl CopyMark {
    /// That of a recorded copy.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        Self {
            tree_digest: record.tree_digest,
            installed_at: record.installed_at,
        }
    }

    pub(crate) fn to_json(self) -> Value {
        json!({
            "treeDigest": self.tree_digest.to_string(),
            "installedAt": self.installed_at,
        })
    }

    pub(crate) fn of_json(value: &Value) -> Option<Self> {
        Some(Self {
            tree_digest: Digest::parse(value["treeDigest"].as_str()?).ok()?,
            installed_at: value["installedAt"].as_u64()?,
        })
    }
}

impl PluginResult {
    /// Whether the source had something else, or could not be asked.
    pub(crate) fn is_stale(&self) -> bool {
        matches!(
            self.outcome,
            PluginOutcome::HeldBack | PluginOutcome::Failed
        )
    }

    /// Whether the copy that is there, if there is one, is the one that this speaks of.
    pub(crate) fn speaks_of(&self, copy: Option<&Installed>) -> bool {
        let version = copy.map(|copy| copy.version.as_str());
        let now = copy.and_then(|copy| copy.record.as_ref()).map(CopyMark::of);
        let was = self.copy.as_deref();
        self.from.as_deref() == version && (was.is_none() || was == now.as_ref())
    }
}

/// What the last run held back, by plugin. It speaks of the copies that were compared and of no others.
#[derive(Debug, Clone, Default)]
pub struct Differing(HashMap<PluginId, PluginResult>);

impl Differing {
    pub(crate) fn of(report: &TaskReport) -> Self {
        let held = report
            .plugins
            .iter()
            .filter(|result| result.outcome == PluginOutcome::HeldBack);
        Self(
            held.map(|result| (result.id.clone(), result.clone()))
                .collect(),
        )
    }

    /// Whether the source of a copy is known to hold something else. Who has installed another one since, or
    /// the one before again, knows better than that run.
    pub(crate) fn has(&self, copy: Option<&Installed>) -> bool {
        copy.is_some_and(|copy| {
            let held = self.0.get(&copy.id);
            held.is_some_and(|held| held.speaks_of(Some(copy)))
        })
    }
}
