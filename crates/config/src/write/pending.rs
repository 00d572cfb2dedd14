//! An edit that somebody with a journal makes: begun, noted, written beside the file, and put in place
//! when everything that the journal speaks of is durable.

use plugd_disk::{Disk, FileLock, Patience, Unsynced};
use plugd_model::Layout;

use super::{Editing, Plan, WriteError, Written, check_state, plan, write};
use crate::swap::{self, Replaced, Staged};
use crate::undo::UndoRecord;
use crate::{Edit, LastEdit};

/// Takes the lock and works out an edit, so that what would undo it can be noted before it is made
/// and is still true then. `planned` is what [`plan()`] found of the same edits before, and `last` is what
/// the last edit left, which is this one when it is saved.
///
/// # Errors
/// As [`write`](super::write()): edits that could not be made cannot be begun.
pub fn begin<'a>(
    disk: &Disk,
    layout: &Layout,
    edits: &[Edit],
    planned: Option<Plan>,
    last: &LastEdit,
    lock_patience: impl Into<Patience<'a>>,
) -> Result<PendingWrite, WriteError> {
    check_state(disk, layout)?;
    let lock = disk.lock(&layout.lock("config"), lock_patience)?;
    let plan = plan::again(disk, layout, edits, planned, last)?;
    Ok(PendingWrite {
        undo: plan.undo(),
        plan,
        disk: disk.clone(),
        layout: layout.clone(),
        staged: None,
        last: last.clone(),
        _lock: lock,
    })
}

/// An edit that holds the lock and is not made yet. Dropping it makes nothing.
#[derive(Debug)]
pub struct PendingWrite {
    disk: Disk,
    layout: Layout,
    plan: Plan,
    undo: UndoRecord,
    staged: Option<Staged>,
    last: LastEdit,
    _lock: FileLock,
}

impl PendingWrite {
    /// The way back, true as long as only programs that take the lock write the file.
    #[must_use]
    pub fn undo(&self) -> &UndoRecord {
        &self.undo
    }

    /// Writes the new text beside the file. What has to be durable before [`PendingWrite::save`] is
    /// added to `unsynced`.
    ///
    /// # Errors
    /// As [`write`](super::write()).
    pub fn stage(&mut self, unsynced: &mut Unsynced) -> Result<(), WriteError> {
        let Plan { target, edited, .. } = &self.plan;
        let (home, file) = (self.layout.home(), target.file(&self.layout));
        let texts = (edited.before.text.as_str(), edited.after.text.as_str());
        self.staged = swap::stage(&self.disk, home, &file, texts, unsynced)?;
        Ok(())
    }

    /// Makes the edit. `patience` is how long other programs may keep rewriting the file. The edit may
    /// be lost until what is added to `unsynced` is durable; a caller who cannot make it so takes the
    /// edit back, and one who can calls [`SavedEdit::settle`] then.
    ///
    /// # Errors
    /// As [`write`](super::write()).
    pub fn save<'a>(
        self,
        patience: impl Into<Patience<'a>>,
        unsynced: &mut Unsynced,
    ) -> Result<SavedEdit, WriteError> {
        let Self {
            disk,
            layout,
            plan,
            staged,
            last,
            _lock,
            ..
        } = self;
        let edits = plan.edits.clone();
        let mut editing = Editing::new(&disk, &layout, &edits, Some(plan))?;
        let file = editing.file.clone();
        let (dir, replaced) = swap::change_later(
            &disk,
            layout.home(),
            &file,
            staged,
            patience.into(),
            &mut |text| editing.on(text),
        )?;
        unsynced.dir(dir);
        let written = editing.done()?;
        last.is(&written.edited.after);
        Ok(SavedEdit {
            written,
            edits,
            disk,
            layout,
            replaced,
        })
    }
}

/// An edit that is made, and holds no lock any more. Dropping it changes nothing of that.
#[derive(Debug)]
#[must_use]
pub struct SavedEdit {
    disk: Disk,
    layout: Layout,
    edits: Vec<Edit>,
    written: Written,
    replaced: Option<Replaced>,
}

impl SavedEdit {
    /// What was written.
    #[must_use]
    pub fn written(&self) -> &Written {
        &self.written
    }

    /// Called when the edit is durable: a program that had the file open when it was replaced has
    /// written by now what it was about to write. What it wrote goes back to its place, and the edit is
    /// made on that.
    ///
    /// # Errors
    /// As [`write`](super::write()); the edit may not be there then.
    pub fn settle<'a>(self, patience: impl Into<Patience<'a>>) -> Result<(), WriteError> {
        let Self {
            disk,
            layout,
            edits,
            replaced,
            ..
        } = self;
        match replaced {
            Some(replaced) if !replaced.is_untouched() => {
                drop(replaced);
                write(&disk, &layout, &edits, None, patience).map(drop)
            }
            _ => Ok(()),
        }
    }
}
