//! What stands in the store for one plugin at one look: the copy, if there is one, and the record,
//! which outlives a copy that somebody deleted.
//!
//! The look's own mark is taken first. Whoever acts on a standing hands the mark to the store, which
//! refuses under its lock when something has changed since; so a decision is never carried out on
//! another state than the one it was made for.

use plugd_marketplace::Binding;
use plugd_model::PluginId;
use plugd_store::{Installed, Pin, Record, Seen, Store, StoreError};

use crate::binding;
use crate::differing::CopyMark;

/// One look at one plugin.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    /// The mark of the look.
    pub(crate) seen: Seen,
    /// The active copy.
    pub(crate) copy: Option<Installed>,
    /// What is recorded, also when the copy is gone.
    pub(crate) record: Option<Record>,
}

impl Standing {
    /// Looks. The mark, the copy and the record are of one look, and a record that the system refuses
    /// to read is an error: a decision without it would take our own copy for a foreign one.
    pub(crate) fn of(store: &Store, id: &PluginId) -> Result<Self, StoreError> {
        // Before the look, so that a copy that comes between the two does not pass for seen.
        let seen = store.seen(id)?;
        match store.get_with_record(id)? {
            Some(copy) => Ok(Self {
                seen: copy.seen.clone(),
                record: copy.record.clone(),
                copy: Some(copy),
            }),
            None => Ok(Self {
                seen,
                copy: None,
                record: store.record(id)?,
            }),
        }
    }

    /// What the plugin is bound to.
    pub(crate) fn binding(&self) -> Option<Binding> {
        self.record
            .as_ref()
            .map(|record| binding::of_record(&record.bound))
    }

    /// Which copy is there, as far as that is recorded.
    pub(crate) fn mark(&self) -> Option<Box<CopyMark>> {
        let record = self.copy.as_ref()?.record.as_ref()?;
        Some(Box::new(CopyMark::of(record)))
    }

    /// What it is pinned to.
    pub(crate) fn pin(&self) -> Option<&Pin> {
        self.record.as_ref()?.pin.as_ref()
    }
}
