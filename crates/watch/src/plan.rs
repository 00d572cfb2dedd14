//! Which directories the system has to watch for a root.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;

use plugd_disk::Disk;
use plugd_model::AbsPath;

use crate::head::{Head, Identity};
use crate::walk::{Listing, Walk};
use crate::{Exclusions, Reach, WatchRoot};

/// Whether one watch of the system reaches everything below a directory.
const WATCHES_REACH_DOWN: bool = cfg!(any(target_os = "macos", windows));

/// The directories of one root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The way to the root.
    pub(crate) head: Head,
    /// The directories of the tree, each watched for all of its names.
    tree: BTreeMap<AbsPath, Identity>,
    deep: bool,
}

/// A tree that needs more watches than there are, or holds a directory that is too large to be
/// looked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLarge;

impl Plan {
    /// Looks through the tree of a root, for at most so many directories.
    ///
    /// # Errors
    /// There are more of them.
    pub(crate) fn make(
        disk: &Disk,
        root: &WatchRoot,
        exclusions: &Exclusions,
        max_dirs: usize,
    ) -> Result<Self, TooLarge> {
        let head = Head::find(disk, root);
        let mut plan = Self {
            tree: BTreeMap::new(),
            deep: WATCHES_REACH_DOWN,
            head,
        };
        let Some(top) = plan.head.tree.clone() else {
            return plan.within(max_dirs);
        };
        if plan.deep && matches!(root.reach, Reach::Tree | Reach::Levels(_)) {
            // Nobody has to look through it.
            if let Some(identity) = Identity::of_dir(disk, &top) {
                plan.tree.insert(top, identity);
            }
            return plan.within(max_dirs);
        }
        let mut walk = Walk::of(top, root.reach);
        while let Some(visit) = walk.next(disk, exclusions) {
            if matches!(visit.listing, Listing::TooMany) {
                return Err(TooLarge);
            }
            // What is gone again is seen by the directory above it.
            if let Some(identity) = Identity::of_dir(disk, &visit.dir) {
                plan.tree.insert(visit.dir, identity);
            }
            if plan.len() > max_dirs {
                return Err(TooLarge);
            }
        }
        if plan.deep {
            plan.reach_down();
        }
        plan.within(max_dirs)
    }

    /// How many directories are watched.
    pub(crate) fn len(&self) -> usize {
        self.head.way.len() + self.tree.len()
    }

    /// The directories that are watched for some names only.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&AbsPath, &BTreeSet<OsString>)> {
        self.head.way.iter().map(|(dir, (_, names))| (dir, names))
    }

    /// The directories that are watched for all names.
    pub(crate) fn dirs(&self) -> impl Iterator<Item = &AbsPath> {
        self.tree.keys()
    }

    /// Whether what lies below the directories of the tree is watched with them.
    pub(crate) fn is_deep(&self) -> bool {
        self.deep
    }

    /// Every watch that is needed; a directory may come twice.
    pub(crate) fn watches(&self) -> impl Iterator<Item = (&AbsPath, Identity, bool)> {
        let way = self.head.way.iter();
        let way = way.map(|(dir, (identity, _))| (dir, *identity, false));
        let tree = self.tree.iter();
        way.chain(tree.map(|(dir, identity)| (dir, *identity, self.deep)))
    }

    /// Whether a directory is one that leads to the root.
    pub(crate) fn is_on_the_way(&self, dir: &AbsPath) -> bool {
        self.head.way.contains_key(dir)
    }

    /// Whether the system can tell of every change; asked where the root lies and on the way there.
    /// Where nobody answers it is believed to.
    pub(crate) fn is_told(&self, disk: &Disk) -> bool {
        let mut dirs = self.head.way.keys().chain(&self.head.tree);
        dirs.all(|dir| disk.tells_of_changes(dir).unwrap_or(true))
    }

    /// Whether both need the same watches.
    pub(crate) fn needs_the_same(&self, other: &Self) -> bool {
        self.head.way == other.head.way && self.tree == other.tree
    }

    /// Leaves only the directories that no other one reaches: where the tree begins, and where links
    /// lead out of it.
    pub(crate) fn reach_down(&mut self) {
        let all: BTreeSet<_> = self.tree.keys().cloned().collect();
        let reached = |dir: &AbsPath| dir.ancestors().skip(1).any(|above| all.contains(&above));
        self.tree.retain(|dir, _| !reached(dir));
        self.deep = true;
    }

    fn within(self, max_dirs: usize) -> Result<Self, TooLarge> {
        if self.len() > max_dirs {
            return Err(TooLarge);
        }
        Ok(self)
    }
}
