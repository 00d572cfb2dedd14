//! The end of every installation and of every way back: a staged copy takes its place, together with
//! an edit of the configuration where there is one.
//!
//! The order is what a crash can leave: both are noted before either is made, both are made before the
//! commit, and the text that the edit replaced is looked at again behind it.

use plugd_config::PendingWrite;
use plugd_model::PluginId;
use plugd_store::{Installed, LockedInstall, Retention, StoreError};

use crate::call::Call;
use crate::marketplace_add::CONFIG_PATIENCE;
use crate::{Error, Lookup};

/// Swaps, edits and commits, under the lock that `locked` holds.
///
/// # Errors
/// The store or the configuration cannot be written; then everything is as it was.
pub(crate) fn take_place(
    call: &Call,
    lookup: &Lookup,
    id: &PluginId,
    mut locked: LockedInstall,
    mut edit: Option<PendingWrite>,
    retention: &Retention,
    failed: &dyn Fn(StoreError) -> Error,
) -> Result<Installed, Error> {
    if let Some(edit) = &mut edit {
        edit.stage(locked.unsynced())?;
        locked.note_config(edit.undo().to_json());
    }
    let mut activated = locked.activate(retention).map_err(failed)?;
    let saved = match edit {
        Some(edit) => Some(edit.save(call.patience(CONFIG_PATIENCE), activated.unsynced())?),
        None => None,
    };
    lookup.claims().plugin(id.clone());
    let copy = activated.commit().map_err(failed)?;
    if let Some(saved) = saved {
        saved.settle(call.patience(CONFIG_PATIENCE))?;
    }
    Ok(copy)
}
