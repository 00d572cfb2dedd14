//! A pack that comes, as it grows on disk: a sign of life, and a look at what it unfolds into.
//!
//! Both programs write it under a name of their own until it is complete. The mirror is locked, so
//! whatever has such a name is the one that comes now, or was left by a run that was ended.

use plugd_disk::Disk;
use plugd_disk::tree::Limits;
use plugd_model::AbsPath;

use crate::pack_scan::{PackScan, Unfolded};

/// How git and libgit2 call what is not complete.
const UNFINISHED: &[&str] = &["tmp_", "pack_git2_"];

/// What may come out of one pack: an object that may be written, and all of a long history.
const UNFOLDED: Unfolded = Unfolded {
    object: Limits::INSTALL.bytes,
    all: 32 << 30,
};

/// The fewest bytes of a pack that can stand for one object that is too large: nothing folds better
/// than to a thousandth. As long as each object is smaller, nothing needs to be looked at.
pub(crate) const SUSPICIOUS: u64 = 1 << 20;

/// How much is looked at in one go.
const GLANCE: u64 = 4 << 20;

/// A pack that comes into a repository.
pub(crate) struct Growth {
    disk: Disk,
    packs: AbsPath,
    scan: Option<(AbsPath, u64, PackScan)>,
}

impl Growth {
    /// `dir` is the repository.
    pub(crate) fn new(disk: &Disk, dir: &AbsPath) -> Self {
        Self {
            disk: disk.clone(),
            packs: dir.join("objects/pack"),
            scan: None,
        }
    }

    /// Removes what a run left that was ended. To be called before a new one starts.
    pub(crate) fn remove_leftovers(&self) {
        for path in self.unfinished() {
            if let Err(error) = self.disk.remove_file(&path) {
                tracing::debug!(%error, "cannot remove what an earlier run left");
            }
        }
    }

    /// How many bytes are there.
    pub(crate) fn bytes(&self) -> u64 {
        let stamp = |path| self.disk.link_stamp(&path).ok().flatten();
        let stamps = self.unfinished().into_iter().filter_map(stamp);
        stamps.map(|stamp| stamp.size).sum()
    }

    /// Looks at what came since the last look. Answers whether it unfolds into more than is
    /// accepted. A pack that cannot be looked at is not judged.
    pub(crate) fn is_bomb(&mut self) -> bool {
        if self.scan.is_none() {
            let mut packs = self.unfinished().into_iter();
            let first = packs.find(|path| !path.to_text().contains("/tmp_idx"));
            self.scan = first.map(|path| (path, 0, PackScan::new(UNFOLDED)));
        }
        let Some((path, seen, scan)) = &mut self.scan else {
            return false;
        };
        loop {
            let Ok(bytes) = self.disk.read_from(path, *seen, GLANCE) else {
                return false;
            };
            if bytes.is_empty() {
                return false;
            }
            *seen += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            if scan.is_too_large(&bytes) {
                return true;
            }
        }
    }

    fn unfinished(&self) -> Vec<AbsPath> {
        // A directory that is not there has no pack that grows.
        let entries = self.disk.list(&self.packs).unwrap_or_default();
        entries
            .into_iter()
            .filter(|entry| {
                let name = entry.name.to_string_lossy();
                UNFINISHED.iter().any(|front| name.starts_with(front))
            })
            .map(|entry| self.packs.join(&entry.name))
            .collect()
    }
}
