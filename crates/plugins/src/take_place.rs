//! The end of every installation and of every way back: a staged copy takes its place, together with
//! an edit of the configuration where there is one.
//!
//! The order is what a crash can leave: both are noted before either is made, both are made before the
//! commit, and the text that the edit replaced is looked at again behind it.

use plugd_config::PendingWrite;
use plugd_store::{Installed, LockedInstall, StoreError};

use crate::call::Call;
use crate::marketplace_add::CONFIG_PATIENCE;
use crate::{Error, Lookup};

/// Writes the edit beside its file, and notes it.
///
/// # Errors
/// It cannot be written. Nothing has changed.
pub(crate) fn note_edit(locked: &mut LockedInstall, edit: &mut PendingWrite) -> Result<(), Error> {
    edit.stage(locked.unsynced())?;
    locked.note_config(edit.undo().to_json());
    Ok(())
}

/// Copies in their places.
pub(crate) struct Taken {
    /// Each in the order of the plugins; one that cannot be read is told of by itself.
    pub(crate) copies: Vec<Result<Installed, StoreError>>,
    /// Whether the edit is there. It may be lost when another program was writing the file and it cannot be
    /// made again.
    pub(crate) settled: Result<(), Error>,
}

/// Swaps, edits and commits, under the lock that `locked` holds. `edit` has been noted.
///
/// # Errors
/// The store or the configuration cannot be written; then everything is as it was.
pub(crate) fn take_place(
    call: &Call,
    lookup: &Lookup,
    locked: LockedInstall,
    edit: Option<PendingWrite>,
    failed: &dyn Fn(StoreError) -> Error,
) -> Result<Taken, Error> {
    let ids: Vec<_> = locked.ids().cloned().collect();
    let mut activated = locked.prepare().map_err(failed)?;
    if let Err(error) = activated.activate() {
        // Taking back what was done may need the configuration's lock.
        drop(edit);
        drop(activated);
        return Err(failed(error));
    }
    let saved = match edit {
        Some(edit) => Some(edit.save(call.patience(CONFIG_PATIENCE), activated.unsynced())?),
        None => None,
    };
    for id in ids {
        lookup.claims().plugin(id);
    }
    let copies = activated.commit_all().map_err(failed)?;
    let settled = saved.map_or(Ok(()), |saved| saved.settle(call.patience(CONFIG_PATIENCE)));
    Ok(Taken {
        copies,
        settled: settled.map_err(Error::from),
    })
}

/// The same for one copy, and the edit is noted here.
///
/// # Errors
/// As [`take_place`], and when the edit is not there or the new copy cannot be read; it is in its place then.
pub(crate) fn take_place_alone(
    call: &Call,
    lookup: &Lookup,
    mut locked: LockedInstall,
    mut edit: Option<PendingWrite>,
    failed: &dyn Fn(StoreError) -> Error,
) -> Result<Installed, Error> {
    let id = locked.id().clone();
    if let Some(edit) = &mut edit {
        note_edit(&mut locked, edit)?;
    }
    let Taken {
        mut copies,
        settled,
    } = take_place(call, lookup, locked, edit, failed)?;
    settled?;
    let installed = copies.pop();
    let absent = || Err(StoreError::NotInstalled { id });
    installed.unwrap_or_else(absent).map_err(failed)
}
