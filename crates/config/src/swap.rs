//! Changing a file that other programs write too, some of them without any lock.
//!
//! Under our own lock the new text is put beside the file and exchanged with it in one step. What
//! comes out is then compared with what was read: when a foreign program wrote in between, its text
//! is in our hands and not gone, and the edit is made again on it. Where the system cannot exchange,
//! the file is read once more right before it is replaced, which leaves a gap of microseconds.
//!
//! A crash in the middle leaves a file with a name of ours. Its name holds the digests of both texts,
//! so the next writer can tell a left-over from a foreign text that nobody has taken over yet; the
//! latter is kept under a visible name.

use std::thread;
use std::time::Duration;

use plugd_disk::Disk;
use plugd_model::AbsPath;
use sha2::{Digest as _, Sha256};

use crate::layer;
use crate::tree;
use crate::write::WriteError;

/// A home with secrets in its configuration is nobody else's to read.
const MODE_OF_NEW_FILE: u32 = 0o600;
/// More rounds than this means that somebody rewrites the file all the time.
const ROUNDS: usize = 8;
/// Some programs truncate a file and write it anew; an empty or broken text is looked at again
/// after this time.
const SETTLING: Duration = Duration::from_millis(10);
/// A text that is broken, and another one each time, after so many looks is not going to settle.
const LOOKS: usize = 100;

/// Changes a file. `edit` gets a text and answers the new one; it may be called several times.
/// Where the old text and the new one are equal, nothing is written.
pub(crate) fn change(
    disk: &Disk,
    home: &AbsPath,
    file: &AbsPath,
    edit: &mut dyn FnMut(&str) -> Result<String, WriteError>,
) -> Result<(), WriteError> {
    let swap = Swap::new(disk, home, file)?;
    swap.clean_up()?;
    let on_disk = swap.read_settled(&swap.target)?;
    let mut state = State {
        base: on_disk.clone().unwrap_or_default(),
        on_disk,
        displaced: Vec::new(),
    };
    let changed = swap.rounds(&mut state, edit);
    if changed.is_err() {
        swap.give_back(&state);
    }
    changed
}

/// How far a change has come.
struct State {
    /// The text that the edit is due on.
    base: String,
    /// What the file holds as far as we know; after a foreign text came out, it is our own.
    on_disk: Option<String>,
    /// Foreign texts that came out, oldest first; the last one is `base`.
    displaced: Vec<AbsPath>,
}

/// What became of one attempt.
enum Put {
    /// The new text is in place and replaced what was read.
    Done,
    /// The new text is in place and replaced something else, which is kept beside it.
    Came { text: String, kept: AbsPath },
    /// The system cannot exchange, and something else stands there; nothing was changed.
    Changed { text: Option<String> },
}

struct Swap<'a> {
    disk: &'a Disk,
    /// The file behind all links.
    target: AbsPath,
    parent: AbsPath,
    /// The start of the names of our temporary files; two homes that share a file by links do not
    /// share their lock, so they must not share names.
    prefix: String,
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
        })
    }

    fn rounds(
        &self,
        state: &mut State,
        edit: &mut dyn FnMut(&str) -> Result<String, WriteError>,
    ) -> Result<(), WriteError> {
        for round in 0..ROUNDS {
            let new = edit(&state.base)?;
            if new == state.on_disk.as_deref().unwrap_or_default() {
                return self.finish(&state.displaced);
            }
            if state.on_disk.is_none() {
                state.on_disk = self.create()?;
                if let Some(text) = state.on_disk.as_ref().filter(|text| !text.is_empty()) {
                    state.base.clone_from(text);
                    continue;
                }
            }
            let old = state.on_disk.clone().unwrap_or_default();
            match self.put(round, &old, &new)? {
                Put::Done => return self.finish(&state.displaced),
                Put::Came { text, kept } => {
                    // Ours is in place; the foreign text came out and the edit is due on it.
                    state.base = text;
                    state.on_disk = Some(new);
                    state.displaced.push(kept);
                }
                Put::Changed { text } => {
                    // What came out before is no part of this text; it stays to be rescued.
                    state.displaced.clear();
                    state.base = text.clone().unwrap_or_default();
                    state.on_disk = text;
                }
            }
            tracing::debug!(file = %self.target, "written by another program, edited again");
        }
        Err(WriteError::Contested {
            path: self.target.clone(),
        })
    }

    /// After a failure: a foreign text that came out goes back to where it was. Where that fails
    /// too, it stays beside the file and the next writer gives it a visible name.
    fn give_back(&self, state: &State) {
        let Some(kept) = state.displaced.last() else {
            return;
        };
        if !matches!(self.disk.exchange(kept, &self.target), Ok(true)) {
            return;
        }
        if layer::read_text(self.disk, kept).is_ok_and(|text| text == state.on_disk) {
            self.drop_ours(kept);
        }
    }

    /// Reads a text, giving a program that is in the middle of writing it a moment to finish.
    fn read_settled(&self, path: &AbsPath) -> Result<Option<String>, WriteError> {
        let mut last = None;
        for _ in 0..LOOKS {
            let text = layer::read_text(self.disk, path)
                .map_err(|problem| WriteError::unusable(path, &problem))?;
            let settled = match &text {
                None => true,
                Some(text) if !text.is_empty() && tree::parse(text, 0).is_ok() => true,
                _ => last.as_ref() == Some(&text),
            };
            if settled {
                return Ok(text);
            }
            last = Some(text);
            thread::sleep(SETTLING);
        }
        Err(WriteError::Contested { path: path.clone() })
    }

    /// Makes an empty file, which means the same as none, so that there is something to exchange.
    /// Another program may have made one meanwhile; its text is the answer then.
    fn create(&self) -> Result<Option<String>, WriteError> {
        self.disk.create_dirs(&self.parent)?;
        match self.disk.write_new(&self.target, b"", MODE_OF_NEW_FILE) {
            Ok(()) => Ok(Some(String::new())),
            Err(error) => match self.read_settled(&self.target)? {
                Some(text) => Ok(Some(text)),
                None => Err(error.into()),
            },
        }
    }

    fn put(&self, round: usize, old: &str, new: &str) -> Result<Put, WriteError> {
        let mode = match self.disk.stamp(&self.target)? {
            Some(stamp) => stamp.mode,
            None => MODE_OF_NEW_FILE,
        };
        let name = format!("{}{}-{}-{round}", self.prefix, digest(old), digest(new));
        let beside = self.parent.join(name);
        self.disk.write_new(&beside, new.as_bytes(), mode)?;
        match self.disk.exchange(&beside, &self.target) {
            Ok(true) => {}
            Ok(false) => {
                let put = self.move_in(&beside, old);
                if !matches!(put, Ok(Put::Done)) {
                    self.drop_ours(&beside);
                }
                return put;
            }
            Err(error) => {
                self.drop_ours(&beside);
                if !error.is_not_found() {
                    return Err(error.into());
                }
                // Removed by somebody since it was read.
                let text = self.read_settled(&self.target)?;
                return Ok(Put::Changed { text });
            }
        }
        match self.read_settled(&beside) {
            Ok(Some(text)) if text != old => Ok(Put::Came { text, kept: beside }),
            Ok(_) => {
                self.drop_ours(&beside);
                Ok(Put::Done)
            }
            Err(error) => {
                // What came out cannot be read as text; it goes back to where it was.
                self.disk.exchange(&beside, &self.target)?;
                self.drop_ours(&beside);
                Err(error)
            }
        }
    }

    /// The way without an exchange: look once more, then replace.
    fn move_in(&self, beside: &AbsPath, old: &str) -> Result<Put, WriteError> {
        let now = self.read_settled(&self.target)?;
        if now.as_deref() != Some(old) {
            return Ok(Put::Changed { text: now });
        }
        self.disk.rename(beside, &self.target)?;
        Ok(Put::Done)
    }

    /// Removes a file whose text is known to be elsewhere. When that fails the next writer does it.
    fn drop_ours(&self, beside: &AbsPath) {
        if let Err(error) = self.disk.remove_file(beside) {
            tracing::debug!(%error, "a temporary file stays until the next write");
        }
    }

    /// Makes the result durable and drops the text that has been taken over.
    fn finish(&self, displaced: &[AbsPath]) -> Result<(), WriteError> {
        // The last one is part of the result. One in front of it may not be, when two programs
        // wrote within the same moment; it stays, and the next writer gives it a visible name.
        if let Some(kept) = displaced.last() {
            self.drop_ours(kept);
        }
        Ok(self.disk.sync_dir(&self.parent)?)
    }

    /// Deals with what a crash left behind.
    fn clean_up(&self) -> Result<(), WriteError> {
        let entries = match self.disk.list(&self.parent) {
            Ok(entries) => entries,
            Err(error) if error.is_not_found() => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        for entry in entries {
            let Some(name) = entry.name.to_str() else {
                continue;
            };
            let Some(digests) = name.strip_prefix(&self.prefix) else {
                continue;
            };
            let left = self.parent.join(name);
            let Ok(Some(text)) = layer::read_text(self.disk, &left) else {
                continue;
            };
            let found = digest(&text);
            if digests.split('-').take(2).any(|known| known == found) || text.is_empty() {
                self.disk.remove_file(&left)?;
                continue;
            }
            let file = self
                .target
                .file_name()
                .unwrap_or_default()
                .to_string_lossy();
            let kept = self.parent.join(format!("{file}.rescued-{found}"));
            self.disk.rename(&left, &kept)?;
            tracing::warn!(file = %kept, "an edit by another program was saved from a crash");
        }
        Ok(())
    }
}

/// A short name for a text.
fn digest(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let mut name = String::new();
    for byte in &digest[..8] {
        use std::fmt::Write as _;
        // Writing to a String cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

#[cfg(test)]
mod tests;
