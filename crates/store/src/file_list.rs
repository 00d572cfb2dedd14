//! The list of an installed copy's files, beside its record.
//!
//! A record holds one digest of the whole copy; the list is the text that this digest is of. So it
//! proves itself: one that does not hash to what is recorded is no list of that copy, whatever
//! happened to it. That is why it is written without waiting for the disk, after the commit, and why
//! nothing but the names in a report depends on it.

use plugd_disk::tree::{Digest, FileDigests};
use plugd_model::{AbsPath, PluginId};

use crate::{Store, StoreError};

/// Larger than the list of any copy: as many lines as files are accepted, each with a long path.
const MAX_LIST: u64 = 64 << 20;

impl Store {
    /// Notes the files of a copy that was just installed. The store lock is held.
    pub(crate) fn write_file_list(
        &self,
        id: &PluginId,
        files: &FileDigests,
    ) -> Result<(), StoreError> {
        let path = self.layout().file_list(id);
        self.disk().remove_file(&path)?;
        let text = files.lines();
        Ok(self.disk().write_unsynced(&path, text.as_bytes(), 0o644)?)
    }

    /// The files of the copy with this content, and where they are listed.
    pub(crate) fn file_list(
        &self,
        id: &PluginId,
        digest: &Digest,
    ) -> Option<(AbsPath, FileDigests)> {
        let path = self.layout().file_list(id);
        let bytes = self.disk().read(&path, MAX_LIST).ok()?;
        if Digest::of_bytes(&bytes) != *digest {
            return None;
        }
        let files = FileDigests::parse(&String::from_utf8(bytes).ok()?)?;
        Some((path, files))
    }

    /// Forgets the files of a copy that goes. The store lock is held.
    pub(crate) fn remove_file_list(&self, id: &PluginId) -> Result<(), StoreError> {
        Ok(self.disk().remove_file(&self.layout().file_list(id))?)
    }
}
