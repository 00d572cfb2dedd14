//! What a crash left beside the file: a text of ours, or a foreign one that had come out and goes back
//! or gets a visible name. The next writer deals with it, under the lock.

use plugd_disk::Kind;
use plugd_model::AbsPath;

use super::{HALF, Swap, digest, has_all_lines};
use crate::layer;
use crate::write::WriteError;

impl Swap<'_> {
    /// Deals with what a crash left behind.
    pub(super) fn clean_up(&self) -> Result<(), WriteError> {
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
            if digests.starts_with(HALF) {
                self.disk.remove_file(&left)?;
            } else if let Ok(Some(text)) = layer::read_text(self.disk, &left) {
                self.settle(&left, digests, &text)?;
            }
        }
        Ok(())
    }

    /// What a crash left behind that is nobody's text: halves of ours, and texts that are known. A
    /// foreign one is for the next writer.
    pub(super) fn rubbish(&self) -> Result<Vec<AbsPath>, WriteError> {
        let entries = match self.disk.list(&self.parent) {
            Ok(entries) => entries,
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let mut rubbish = Vec::new();
        for entry in entries.into_iter().filter(|entry| entry.kind == Kind::File) {
            let digests = entry.name.to_str();
            let Some(digests) = digests.and_then(|name| name.strip_prefix(&self.prefix)) else {
                continue;
            };
            let left = self.parent.join(&entry.name);
            let text = || layer::read_text(self.disk, &left).ok().flatten();
            if digests.starts_with(HALF) || text().is_some_and(|text| is_known(digests, &text)) {
                rubbish.push(left);
            }
        }
        Ok(rubbish)
    }

    /// A whole text that a crash left behind under a name of ours: one of the two that are known, or
    /// a foreign one that came out.
    fn settle(&self, left: &AbsPath, digests: &str, text: &str) -> Result<(), WriteError> {
        if is_known(digests, text) {
            return Ok(self.disk.remove_file(left)?);
        }
        let now = self.text_of(&self.target)?.unwrap_or_default();
        let is_ours = digests.split('-').nth(1) == Some(digest(&now).as_str());
        if is_ours && matches!(self.disk.exchange(left, &self.target), Ok(true)) {
            tracing::warn!(file = %self.target, "an edit by another program came back after a crash");
            if self.text_of(left)?.is_some_and(|out| out == now) {
                return Ok(self.disk.remove_file(left)?);
            }
            // Written in this moment, and newer than what went in.
            self.disk.exchange(left, &self.target)?;
        } else if has_all_lines(&now, text) {
            return Ok(self.disk.remove_file(left)?);
        }
        self.rescue(left, text)
    }

    /// Gives a foreign text a visible name, since it stands nowhere else.
    pub(super) fn rescue(&self, left: &AbsPath, text: &str) -> Result<(), WriteError> {
        let file = self.target.file_name().unwrap_or_default();
        let name = format!("{}.rescued-{}", file.to_string_lossy(), digest(text));
        let kept = self.parent.join(name);
        self.disk.rename(left, &kept)?;
        tracing::warn!(file = %kept, "an edit by another program was kept beside the file");
        Ok(())
    }
}

/// Whether a text is one of the two that the name of its file knows, or none.
fn is_known(digests: &str, text: &str) -> bool {
    let found = digest(text);
    text.is_empty() || digests.split('-').take(2).any(|known| known == found)
}
