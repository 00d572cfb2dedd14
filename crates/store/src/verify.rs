//! Comparing an installed copy with what is recorded about it.
//!
//! A record holds one digest of the whole copy, so it tells whether the copy is what it was. Which
//! files differ is known from the list of files beside the record, and where that is missing, as for
//! a copy that was adopted, from a true tree of the recorded content among the kept and leased ones.

use plugd_disk::tree::{Differences, Digest, FileDigests, Limits, Pace, TreePlan, file_digests};
use plugd_model::{AbsPath, Problem};

use crate::{Installed, Store, StoreError};

/// What a comparison found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyReport {
    /// The content that is recorded; `None` when no record speaks of this copy, and then nothing
    /// could be compared.
    pub recorded: Option<Digest>,
    /// The content that is there.
    pub found: Digest,
    /// Whether the copy is exactly what is recorded: it holds that content, and nothing that a digest
    /// does not see.
    pub matches: bool,
    /// The list of files or the tree that the copy was compared with file by file. `None` when the
    /// digests are equal, and when there is neither; the lists of files say nothing then.
    pub compared_with: Option<AbsPath>,
    /// Files with other content or another right to be executed, sorted by path.
    pub changed: Vec<String>,
    /// Files that are recorded and gone.
    pub missing: Vec<String>,
    /// Files that were not there.
    pub added: Vec<String>,
    /// Links, special files and names that no installation leaves behind. Data of git is among what
    /// makes a copy not match, and is not listed.
    pub left_out: Vec<Problem>,
}

impl Store {
    /// Compares an installed copy with its record, from the files and not from what is remembered of
    /// them.
    ///
    /// # Errors
    /// [`StoreError::Superseded`] when the copy is no longer the one that the caller knows.
    /// Otherwise it cannot be read, has become larger than an installation may be, or `pace` gives
    /// the work up.
    pub fn verify(
        &self,
        installed: &Installed,
        pace: &dyn Pace,
    ) -> Result<VerifyReport, StoreError> {
        let read = self.files_of(&installed.root, pace);
        self.must_be_there(installed)?;
        let (plan, files) = read?;
        let found = files.digest();
        let recorded = installed
            .provenance_record()
            .map(|record| record.tree_digest);
        let original = match recorded {
            Some(recorded) if recorded != found => match self.file_list(&installed.id, &recorded) {
                Some(listed) => Some(listed),
                None => self.original(&recorded, pace)?,
            },
            _ => None,
        };
        let (compared_with, differences) = match original {
            Some((root, original)) => (Some(root), original.differences(&files)),
            None => (None, Differences::default()),
        };
        let Differences {
            changed,
            missing,
            added,
        } = differences;
        Ok(VerifyReport {
            recorded,
            found,
            matches: recorded == Some(found) && plan.is_plain(),
            compared_with,
            changed,
            missing,
            added,
            left_out: plan.left_out().to_vec(),
        })
    }

    /// The files of a recorded content, when a tree of it is there and still true.
    fn original(
        &self,
        digest: &Digest,
        pace: &dyn Pace,
    ) -> Result<Option<(AbsPath, FileDigests)>, StoreError> {
        let Some(root) = self.matching_tree(digest, pace)? else {
            return Ok(None);
        };
        let (_, files) = self.files_of(&root, pace)?;
        // It was true a moment ago; who runs in it may have written since.
        Ok((files.digest() == *digest).then_some((root, files)))
    }

    fn files_of(
        &self,
        root: &AbsPath,
        pace: &dyn Pace,
    ) -> Result<(TreePlan, FileDigests), StoreError> {
        let plan = TreePlan::scan(self.disk(), root, &Limits::INSTALL, &[], pace)?;
        let files = file_digests(self.disk(), &plan, pace)?;
        Ok((plan, files))
    }
}

#[cfg(test)]
#[path = "verify_tests.rs"]
mod tests;
