//! Whole directories: what of a tree may be stored, copying it, its digest, removing it.
//!
//! What an installation would take of a directory is decided once, by [`TreePlan::scan`]. Copy and
//! digest work from that plan, so the two can never disagree about a link or a special file.
//!
//! Invariants:
//! - A copy holds regular files and directories only. A link inside the tree becomes a copy of what
//!   it leads to; everything else is left out and reported.
//! - Content is opened one component at a time without following links, from a handle on the root.
//!   A tree that is changed while it is copied can make the copy fail, never lead it elsewhere.
//! - No more bytes are written than the plan counted.
//! - Work that takes long asks a [`Pace`] again and again whether it is still wanted.
//!
//! This module knows nothing of plugins; it must not read a manifest or pick a destination.

mod below;
mod copy;
mod digest;
mod git_name;
#[cfg(unix)]
mod handle;
#[cfg(not(unix))]
#[path = "tree/handle_portable.rs"]
mod handle;
mod pace;
mod reader;
mod remove;
mod scan;
mod stamps;
mod sync;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod pace_tests;

pub use below::Below;
pub use copy::{CopyReport, copy};
pub use digest::{
    Differences, Digest, FileDigests, NotADigest, digest, digest_where, file_digests,
};
pub use git_name::{folded_name, is_git_name};
pub use pace::{AtEase, Pace};
pub use remove::{remove_abandoned, remove_tree};
pub use scan::{PlannedFile, TreePlan, is_storable_name};
pub use sync::sync_tree;

use std::fmt;

use plugd_model::AbsPath;

use crate::DiskError;

/// How much of a tree is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Files, directories and what is left out of them, links counted as what they lead to.
    pub entries: u64,
    /// Bytes of all files together.
    pub bytes: u64,
    /// Components of the longest path.
    pub depth: u32,
}

impl Limits {
    /// What an installation accepts: 100,000 entries, 1 GiB, 64 levels.
    pub const INSTALL: Self = Self {
        entries: 100_000,
        bytes: 1 << 30,
        depth: 64,
    };
}

/// The limit that a tree went over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OverLimit {
    /// Too many entries.
    Entries(u64),
    /// Too many bytes.
    Bytes(u64),
    /// Nested too deeply.
    Depth(u32),
}

impl fmt::Display for OverLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entries(limit) => write!(f, "more than {limit} entries"),
            Self::Bytes(limit) => write!(f, "more than {limit} bytes"),
            Self::Depth(limit) => write!(f, "more than {limit} levels of directories"),
        }
    }
}

/// Why a whole directory could not be planned, read, copied or removed.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// One file operation failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The root of the tree is something else.
    #[error("`{path}` is not a directory")]
    NotADirectory {
        /// The root.
        path: AbsPath,
    },
    /// More than the caller accepts.
    #[error("the tree has {limit}, reached at `{path}`")]
    OverLimit {
        /// Which limit.
        limit: OverLimit,
        /// The first entry beyond it, or the directory that holds more than the limit leaves.
        path: AbsPath,
    },
    /// The tree holds a directory that copies are made in, so a copy would never end.
    #[error("`{root}` contains `{inside}`, where copies of it would be stored")]
    ContainsStore {
        /// The root of the tree.
        root: AbsPath,
        /// The directory inside it.
        inside: AbsPath,
    },
    /// Somebody changed the tree between the plan and the copy.
    #[error("`{path}` changed while it was read")]
    Changed {
        /// The file or directory.
        path: AbsPath,
    },
    /// The watcher of the work did not want it any more.
    #[error("the work on the tree was given up")]
    GivenUp,
    /// The destination of a copy is taken.
    #[error("`{path}` exists already")]
    Exists {
        /// The destination.
        path: AbsPath,
    },
}
