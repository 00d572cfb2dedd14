//! Changing a file that other programs write too, some of them without any lock.
//!
//! Under our own lock the new text is written beside the file and made durable, which takes its time;
//! then the file is read once more, and only if it is still what the edit was made on, the two are
//! exchanged in one step. What comes out is compared again: a foreign text that came into the moment
//! between reading and exchanging goes back to its place at once, and the edit is made on it. So a
//! foreign program finds what it wrote whenever it looks, except within that moment. Where the system
//! cannot exchange, the file is replaced right after it was read, and the moment is a gap.
//!
//! A crash in the middle leaves a file with a name of ours. Its name holds the digests of both texts,
//! so the next writer can tell a left-over from a foreign text that had come out. The latter goes back
//! when our text still stands in its place.
//!
//! A foreign text is kept beside the file, under a visible name, only when it would be lost otherwise:
//! after a crash when somebody has written since and does not have all of its lines, and when a
//! program read ours within the moment in which another one's text was out, and wrote what it made of
//! it. Nothing else makes such a file, one text makes one file, and none is ever removed here: it is
//! somebody's only copy. So their number is that of such accidents, and not of edits.

use std::collections::HashSet;
use std::thread;
use std::time::Duration;

use plugd_disk::{Disk, Patience};
use plugd_model::{AbsPath, hex};
use sha2::{Digest as _, Sha256};

use crate::layer;
use crate::tree;
use crate::write::WriteError;

/// A home with secrets in its configuration is nobody else's to read.
const MODE_OF_NEW_FILE: u32 = 0o600;
/// Stands in the name of a file of ours that is being written.
const HALF: &str = "half-";
/// How long an edit is made again and again because somebody keeps rewriting the file. Other edits
/// wait for the lock meanwhile, so it is shorter than what they wait.
const CONTEST: Duration = Duration::from_secs(5);
/// How often a foreign text is exchanged for a newer one that came into that very moment. One
/// exchange takes microseconds, so nobody gets far in this.
const EXCHANGES: usize = 100;
/// Some programs truncate a file and write it anew; an empty or broken text is looked at again
/// after this time.
const SETTLING: Duration = Duration::from_millis(10);
/// A broken text that is the same so many times more is not going to be mended by who writes it. On a
/// busy machine a program may be stopped in the middle for a while.
const BROKEN_LOOKS: usize = 5;
/// A file that has been empty for so long is not in the middle of being written.
const LONG_EMPTY_NS: i128 = 1_000_000_000;
/// A text that is broken, and another one each time, after so many looks is not going to settle.
const LOOKS: usize = 100;

/// Changes a file. `edit` gets a text and answers the new one; it may be called several times.
/// Where the old text and the new one are equal, nothing is written. When other programs have
/// rewritten the file between reading and exchanging for as long as `patience` lasts, it is as they
/// wrote it.
pub(crate) fn change(
    disk: &Disk,
    home: &AbsPath,
    file: &AbsPath,
    patience: Patience<'_>,
    edit: &mut dyn FnMut(&str) -> Result<String, WriteError>,
) -> Result<(), WriteError> {
    let mut swap = Swap::new(disk, home, file)?;
    swap.clean_up()?;
    swap.until_done(patience, edit)
}

/// What a crash left beside a file and nobody needs. Nothing is removed; whoever holds the lock may.
pub(crate) fn rubbish(
    disk: &Disk,
    home: &AbsPath,
    file: &AbsPath,
) -> Result<Vec<AbsPath>, WriteError> {
    Swap::new(disk, home, file)?.rubbish()
}

/// What is done until an edit is in place.
impl Swap<'_> {
    fn until_done(
        &mut self,
        patience: Patience<'_>,
        edit: &mut dyn FnMut(&str) -> Result<String, WriteError>,
    ) -> Result<(), WriteError> {
        let waiting = patience.at_most(CONTEST).start();
        // Chances and not a number of them: how many an edit needs depends on how it and the pauses
        // of the other program compare, and each costs little.
        for round in 0_u64.. {
            if let Put::Done = self.attempt(round, edit)? {
                return Ok(());
            }
            tracing::debug!(file = %self.target, "written by another program, edited again");
            if waiting.is_over() {
                break;
            }
        }
        Err(WriteError::Contested {
            path: self.target.clone(),
        })
    }
}

/// Whether a file is known to need no change, by its text as it stands at this moment; then that text
/// is durable as far as its name goes. Takes no lock, so a yes must not depend on what somebody does
/// who holds it.
pub(crate) fn needs_no_change(
    disk: &Disk,
    file: &AbsPath,
    is_done: impl FnOnce(&str) -> bool,
) -> Result<bool, WriteError> {
    let target = disk.follow_links(file)?;
    match layer::read_text(disk, &target) {
        // An empty one may be in the middle of being written.
        Ok(Some(text)) if !text.is_empty() && is_done(&text) => {
            let parent = target.parent().unwrap_or_else(|| target.clone());
            disk.sync_dir(&parent)?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// A text as it stands at this moment.
pub(crate) fn text_at(disk: &Disk, path: &AbsPath) -> Result<Option<String>, WriteError> {
    layer::read_text(disk, path).map_err(|problem| WriteError::unusable(path, &problem))
}

/// Reads a text, giving a program that is in the middle of writing it a moment to finish.
pub(crate) fn read_settled(disk: &Disk, path: &AbsPath) -> Result<Option<String>, WriteError> {
    let (mut last, mut same) = (None, 0);
    for _ in 0..LOOKS {
        let text = text_at(disk, path)?;
        same = match last == text {
            true => same + 1,
            false => 0,
        };
        let settled = match &text {
            None => true,
            Some(text) if text.is_empty() => same > 0,
            Some(text) => same >= BROKEN_LOOKS || tree::parse(text, 0).is_ok(),
        };
        if settled {
            return Ok(text);
        }
        last = text;
        thread::sleep(SETTLING);
    }
    Err(WriteError::Contested { path: path.clone() })
}

/// What became of one attempt.
enum Put {
    /// The new text is in place and replaced what was read.
    Done,
    /// Something else stands there, and the edit is due on that.
    Changed,
}

struct Swap<'a> {
    disk: &'a Disk,
    /// The file behind all links.
    target: AbsPath,
    parent: AbsPath,
    /// The start of the names of our temporary files; two homes that share a file by links do not
    /// share their lock, so they must not share names.
    prefix: String,
    /// A new text that was written before, and is durable by now.
    staged: Option<Staged>,
    /// Whether the caller makes the file's name durable, together with what else it has done.
    syncs_later: bool,
    /// The old text, when the caller is the one who looks at it once more.
    replaced: Option<Replaced>,
}

impl<'a> Swap<'a> {
    fn new(disk: &'a Disk, home: &AbsPath, file: &AbsPath) -> Result<Self, WriteError> {
        let target = disk.follow_links(file)?;
        let parent = target.parent().unwrap_or_else(|| target.clone());
        let name = target
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let owner = digest(&format!("{home}\n{name}"));
        Ok(Self {
            disk,
            target,
            parent,
            prefix: format!(".plugd-edit-{owner}-"),
            staged: None,
            syncs_later: false,
            replaced: None,
        })
    }

    /// Reads the file, makes the edit on it, and puts what comes out in its place, if the file is
    /// still what was read.
    fn attempt(
        &mut self,
        round: u64,
        edit: &mut dyn FnMut(&str) -> Result<String, WriteError>,
    ) -> Result<Put, WriteError> {
        let (on_disk, new) = self.read_and_edit(edit)?;
        let old = on_disk.clone().unwrap_or_default();
        if new == old {
            self.sync_name()?;
            return Ok(Put::Done);
        }
        if on_disk.is_none() {
            if !self.create()? {
                return Ok(Put::Changed);
            }
        } else if !matches!(self.text_of(&self.target), Ok(Some(text)) if text == old) {
            // Found out before anybody waits for the disk.
            return Ok(Put::Changed);
        }
        let beside = match self.staged.take().filter(|one| one.is_of(&old, &new)) {
            Some(staged) => staged.into_whole()?,
            None => self.write_beside(round, &old, &new)?,
        };
        // One that was found empty, and not one that was just made.
        let was_empty = on_disk.is_some_and(|text| text.is_empty());
        if was_empty && !self.stays_empty(&beside)? {
            self.drop_ours(&beside);
            return Ok(Put::Changed);
        }
        self.put(&beside, &old, &new, edit)
    }

    /// The text, and what the edit makes of it. The moment between reading and exchanging is what
    /// another program must leave us, so a text is looked at twice only when there is a reason: an
    /// empty or broken one may be in the middle of being written.
    fn read_and_edit(
        &self,
        edit: &mut dyn FnMut(&str) -> Result<String, WriteError>,
    ) -> Result<(Option<String>, String), WriteError> {
        let text = self.text_of(&self.target)?;
        if text.as_ref().is_none_or(|text| !text.is_empty()) {
            match edit(text.as_deref().unwrap_or_default()) {
                Err(WriteError::Broken { .. }) => {}
                edited => return edited.map(|new| (text, new)),
            }
        }
        let text = read_settled(self.disk, &self.target)?;
        let new = edit(text.as_deref().unwrap_or_default())?;
        Ok((text, new))
    }

    /// Makes an empty file, which means the same as none, so that there is something to exchange.
    /// `false` means that another program has made one meanwhile.
    fn create(&self) -> Result<bool, WriteError> {
        self.disk.create_dirs(&self.parent)?;
        match self.disk.write_new(&self.target, b"", MODE_OF_NEW_FILE) {
            Ok(()) => Ok(true),
            Err(error) => match self.disk.stamp(&self.target)? {
                Some(_) => Ok(false),
                None => Err(error.into()),
            },
        }
    }

    /// Whether a file that is empty is meant to be. A program that truncates a file and writes it
    /// anew may be stopped in between for a while, and what it writes then goes into the file that
    /// it has open, wherever that lies by now. `fresh` was written just now and tells the time.
    fn stays_empty(&self, fresh: &AbsPath) -> Result<bool, WriteError> {
        let Some(now) = self.disk.stamp(fresh)? else {
            return Ok(false);
        };
        for _ in 0..LOOKS {
            match self.disk.stamp(&self.target)? {
                Some(found) if found.size == 0 => {
                    if now.modified_ns - found.modified_ns >= LONG_EMPTY_NS {
                        return Ok(true);
                    }
                }
                _ => return Ok(false),
            }
            thread::sleep(SETTLING);
        }
        Ok(true)
    }

    fn put(
        &mut self,
        beside: &AbsPath,
        old: &str,
        new: &str,
        edit: &mut dyn FnMut(&str) -> Result<String, WriteError>,
    ) -> Result<Put, WriteError> {
        match self.text_of(&self.target) {
            Ok(Some(text)) if text == old => {}
            other => {
                self.drop_ours(beside);
                return other.map(|_| Put::Changed);
            }
        }
        match self.disk.exchange(beside, &self.target) {
            Ok(true) if matches!(self.text_of(beside), Ok(Some(text)) if text == old) => {
                if self.syncs_later {
                    self.replaced = Some(Replaced::new(self.disk, beside, old));
                    return Ok(Put::Done);
                }
                if let Err(error) = self.sync_name() {
                    self.take_back(beside, new);
                    return Err(error);
                }
                // A program that had the old file open may have written into it meanwhile.
                match self.text_of(beside) {
                    Ok(Some(text)) if text != old => return self.put_back(beside, new, edit),
                    Ok(_) => self.drop_ours(beside),
                    // The edit is in place; what this one holds is for the next writer to find out.
                    Err(error) => tracing::debug!(%error, "a replaced text cannot be read again"),
                }
                Ok(Put::Done)
            }
            Ok(true) => self.put_back(beside, new, edit),
            Ok(false) => {
                let moved = self.disk.rename(beside, &self.target);
                if moved.is_err() {
                    self.drop_ours(beside);
                }
                moved?;
                self.sync_name()?;
                Ok(Put::Done)
            }
            Err(error) => {
                self.drop_ours(beside);
                // Otherwise it was removed by somebody since it was read.
                match error.is_not_found() {
                    true => Ok(Put::Changed),
                    false => Err(error.into()),
                }
            }
        }
    }

    /// An edit that could not be made durable is none: whoever is told so acts as if the file were as
    /// it was, so it has to be. What cannot be taken back is for the next writer to find out.
    fn take_back(&self, beside: &AbsPath, new: &str) {
        let exchanged = self.disk.exchange(beside, &self.target);
        if matches!(exchanged, Ok(true))
            && matches!(self.text_of(beside), Ok(Some(text)) if text == new)
        {
            self.drop_ours(beside);
        }
    }

    /// Writes the new text under its name beside the file. It has another name until it is whole, so
    /// that after a crash a half of it is not taken for somebody's text.
    fn write_beside(&self, round: u64, old: &str, new: &str) -> Result<AbsPath, WriteError> {
        let (half, beside) = self.names(round, old, new);
        self.disk.write_new(&half, new.as_bytes(), self.mode()?)?;
        if let Err(error) = self.disk.rename(&half, &beside) {
            self.drop_ours(&half);
            return Err(error.into());
        }
        Ok(beside)
    }

    fn mode(&self) -> Result<u32, WriteError> {
        let found = self.disk.stamp(&self.target)?;
        Ok(found.map_or(MODE_OF_NEW_FILE, |stamp| stamp.mode))
    }

    /// The names of a new text: as long as it is not whole, and then.
    fn names(&self, round: u64, old: &str, new: &str) -> (AbsPath, AbsPath) {
        let digests = format!("{}-{}-{round}", digest(old), digest(new));
        let half = format!("{}{HALF}{digests}", self.prefix);
        let beside = format!("{}{digests}", self.prefix);
        (self.parent.join(half), self.parent.join(beside))
    }

    /// Makes the file's name durable, unless the caller does.
    fn sync_name(&self) -> Result<(), WriteError> {
        match self.syncs_later {
            true => Ok(()),
            false => Ok(self.disk.sync_dir(&self.parent)?),
        }
    }

    /// A foreign text came out, and stands in `beside`: it goes back to where it was. Programs that
    /// write within this moment are followed until what was written last is in place.
    ///
    /// What cannot be put back stays, and the next writer deals with it. So does what comes out and
    /// cannot be read: the file is then as it was, and the edit has failed.
    fn put_back(
        &self,
        beside: &AbsPath,
        new: &str,
        edit: &mut dyn FnMut(&str) -> Result<String, WriteError>,
    ) -> Result<Put, WriteError> {
        let mut put_in = Some(new.to_owned());
        let mut is_ours = true;
        for _ in 0..EXCHANGES {
            let goes_in = self.text_of(beside);
            self.disk.exchange(beside, &self.target)?;
            if self.text_of(beside)? == put_in {
                // Nobody wrote over what we had put in, and that is what came out.
                if is_ours || self.is_superseded(put_in.as_deref(), edit) {
                    self.drop_ours(beside);
                } else {
                    self.rescue(beside, put_in.as_deref().unwrap_or_default())?;
                }
                return Ok(Put::Changed);
            }
            // Somebody did, and what he wrote is out now; it is newer than what went in.
            put_in = goes_in?;
            is_ours = false;
        }
        Err(WriteError::Contested {
            path: self.target.clone(),
        })
    }

    /// Whether a foreign text that stands nowhere any more is no loss beside the one that stands in
    /// the file now. It is none when all of it is there. Neither is it when the program that wrote
    /// the file had not read ours: then it had read this one, or something older than this, and
    /// would have overwritten it also without us.
    fn is_superseded(
        &self,
        foreign: Option<&str>,
        edit: &mut dyn FnMut(&str) -> Result<String, WriteError>,
    ) -> bool {
        let (Some(foreign), Ok(Some(now))) = (foreign, read_settled(self.disk, &self.target))
        else {
            return false;
        };
        has_all_lines(&now, foreign) || edit(&now).is_ok_and(|edited| edited != now)
    }

    /// A text as it stands at this moment.
    fn text_of(&self, path: &AbsPath) -> Result<Option<String>, WriteError> {
        text_at(self.disk, path)
    }

    /// Removes a file whose text is known to be elsewhere. When that fails the next writer does it.
    fn drop_ours(&self, beside: &AbsPath) {
        if let Err(error) = self.disk.remove_file(beside) {
            tracing::debug!(%error, "a temporary file stays until the next write");
        }
    }
}

/// Whether every line of a text also stands in another one.
fn has_all_lines(text: &str, of: &str) -> bool {
    let lines: HashSet<&str> = text.lines().map(str::trim).collect();
    of.lines()
        .map(str::trim)
        .all(|line| line.is_empty() || lines.contains(line))
}

/// A short name for a text.
fn digest(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes())[..8])
}

mod left_over;
mod staged;

pub(crate) use staged::{Replaced, Staged, change_later, stage};

#[cfg(test)]
mod contested;
#[cfg(test)]
mod tests;
