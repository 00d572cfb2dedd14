//! What a crash left beside the file: a text of ours, or a foreign one that had come out and goes back
//! or gets a visible name. The next writer deals with it, under the lock.

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

    /// A whole text that a crash left behind under a name of ours: one of the two that are known, or
    /// a foreign one that came out.
    fn settle(&self, left: &AbsPath, digests: &str, text: &str) -> Result<(), WriteError> {
        let found = digest(text);
        let mut known = digests.split('-').take(2);
        if text.is_empty() || known.clone().any(|known| known == found) {
            return Ok(self.disk.remove_file(left)?);
        }
        let now = self.text_of(&self.target)?.unwrap_or_default();
        let is_ours = known.nth(1) == Some(digest(&now).as_str());
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
