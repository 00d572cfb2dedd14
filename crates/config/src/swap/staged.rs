//! A new text that is written early and made durable by the caller, together with other files: whoever
//! has a journal waits once for all that it is about to change, and once for all that it has changed.

use plugd_disk::{Disk, Patience, Unsynced};
use plugd_model::AbsPath;

use super::{Swap, text_at};
use crate::write::WriteError;

/// A new text beside the file, under the name of one that is not whole. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct Staged {
    disk: Disk,
    half: AbsPath,
    beside: AbsPath,
    old: String,
    new: String,
}

impl Staged {
    pub(super) fn is_of(&self, old: &str, new: &str) -> bool {
        self.old == old && self.new == new
    }

    /// Gives it the name of one that is whole, which it is by now.
    pub(super) fn into_whole(self) -> Result<AbsPath, WriteError> {
        self.disk.rename(&self.half, &self.beside)?;
        Ok(self.beside.clone())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // Nothing is there once it has its other name.
        if let Err(error) = self.disk.remove_file(&self.half) {
            tracing::debug!(%error, "a temporary file stays until the next write");
        }
    }
}

/// The text that an edit replaced, still beside the file: a program that had the file open when it was
/// exchanged may write into this one, and is finished by the time the caller has waited for the disk.
/// Dropping it removes it unless somebody has; then it is for the next writer, who puts it back.
#[derive(Debug)]
pub(crate) struct Replaced {
    disk: Disk,
    beside: AbsPath,
    old: String,
}

impl Replaced {
    pub(super) fn new(disk: &Disk, beside: &AbsPath, old: &str) -> Self {
        Self {
            disk: disk.clone(),
            beside: beside.clone(),
            old: old.to_owned(),
        }
    }

    /// Whether nobody has written into it. Another writer of ours may have dealt with it already.
    pub(crate) fn is_untouched(&self) -> bool {
        match text_at(&self.disk, &self.beside) {
            Ok(text) => text.is_none_or(|text| text == self.old),
            Err(_) => false,
        }
    }
}

impl Drop for Replaced {
    fn drop(&mut self) {
        if !self.is_untouched() {
            return;
        }
        if let Err(error) = self.disk.remove_file(&self.beside) {
            tracing::debug!(%error, "a replaced text stays until the next write");
        }
    }
}

/// Writes a new text beside the file, if the old one is there to be exchanged for it. The caller holds
/// the lock, makes the content durable, and hands it to [`change_later`].
pub(crate) fn stage(
    disk: &Disk,
    home: &AbsPath,
    file: &AbsPath,
    (old, new): (&str, &str),
    unsynced: &mut Unsynced,
) -> Result<Option<Staged>, WriteError> {
    let swap = Swap::new(disk, home, file)?;
    swap.clean_up()?;
    if old.is_empty() || old == new {
        return Ok(None);
    }
    let (half, beside) = swap.names(0, old, new);
    let staged = Staged {
        disk: disk.clone(),
        half,
        beside,
        old: old.to_owned(),
        new: new.to_owned(),
    };
    disk.write_unsynced(&staged.half, new.as_bytes(), swap.mode()?)?;
    unsynced.file(staged.half.clone());
    Ok(Some(staged))
}

/// As [`super::change`] after [`stage`], and the caller makes the file's name durable by syncing the
/// directory that comes back. As long as that is not done the edit may be lost, so the caller has to be
/// able to take it back. The text that was replaced, if there was one, is looked at again after that.
pub(crate) fn change_later(
    disk: &Disk,
    home: &AbsPath,
    file: &AbsPath,
    staged: Option<Staged>,
    patience: Patience<'_>,
    edit: &mut dyn FnMut(&str) -> Result<String, WriteError>,
) -> Result<(AbsPath, Option<Replaced>), WriteError> {
    let mut swap = Swap::new(disk, home, file)?;
    swap.staged = staged;
    swap.syncs_later = true;
    swap.until_done(patience, edit)?;
    Ok((swap.parent, swap.replaced))
}
