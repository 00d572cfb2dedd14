//! What goes over the pipe between the two processes: one request line in; progress lines and one
//! last line out.
//!
//! Both ends are the same program, but a worker may be older than the program that was just
//! replaced, so a request carries a version and a worker refuses one that it does not know.
//! Nothing else reads or stores these texts.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{Backend, CommitId, Depth, Failure, Progress, Stage, Want};

/// Changes with every change that an older worker would misread.
pub(crate) const VERSION: u32 = 3;

/// The one line a worker reads.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) version: u32,
    pub(crate) settings: Settings,
    pub(crate) url: String,
    pub(crate) task: Task,
}

/// What holds for every task.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// The directory of all mirrors.
    pub(crate) mirrors: PathBuf,
    /// The directory of lock files.
    pub(crate) locks: PathBuf,
    /// How long to wait for another process.
    pub(crate) lock_seconds: u64,
    /// How long nothing may move before the worker is ended. Older programs do not say it, and are
    /// refused for their version.
    #[serde(default)]
    pub(crate) idle_millis: u64,
    /// How much one fetch may bring.
    pub(crate) max_pack_bytes: u64,
    /// Which program brings the objects.
    pub(crate) backend: Backend,
}

/// What a worker is started for.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Task {
    Resolve {
        want: Want,
    },
    Fetch {
        want: Want,
        depth: Depth,
        since: Option<CommitId>,
    },
    Checkout {
        commit: CommitId,
        place: Place,
    },
    Obtain {
        want: Want,
        depth: Depth,
        place: Place,
    },
}

/// What of a commit is written, and where.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) dest: PathBuf,
    pub(crate) subdir: Option<String>,
    pub(crate) sparse: Vec<String>,
    pub(crate) keep_repository: bool,
    pub(crate) since: Option<CommitId>,
}

/// A line a worker writes.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Line {
    Progress(Progress),
    /// Whom it waits for from here on.
    With(With),
    Done(Outcome),
    Failed {
        stage: Stage,
        failure: Failure,
    },
}

/// Who can keep a worker waiting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum With {
    /// A machine.
    Host(String),
    /// A credential helper of the user.
    Helper(String),
}

/// What a task ends with.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Outcome {
    Resolved(CommitId),
    Fetched(Fetched),
    CheckedOut(CheckedOut),
}

impl Outcome {
    pub(crate) fn resolved(self) -> Option<CommitId> {
        match self {
            Self::Resolved(commit) => Some(commit),
            Self::Fetched(_) | Self::CheckedOut(_) => None,
        }
    }

    pub(crate) fn fetched(self) -> Option<Fetched> {
        match self {
            Self::Fetched(fetched) => Some(fetched),
            Self::Resolved(_) | Self::CheckedOut(_) => None,
        }
    }

    pub(crate) fn checked_out(self) -> Option<CheckedOut> {
        match self {
            Self::CheckedOut(checked_out) => Some(checked_out),
            Self::Resolved(_) | Self::Fetched(_) => None,
        }
    }
}

/// A commit that lies in the mirror now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    /// The commit.
    pub commit: CommitId,
    /// How it stands to the commit that the caller had before.
    pub history: History,
}

/// Whether a repository's history went on or was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum History {
    /// The new commit is the old one or descends from it.
    Forward,
    /// The new commit does not descend from the old one.
    Rewritten,
    /// The mirror holds too little to tell, or there was no old commit.
    Unknown,
}

/// A commit that was written to a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedOut {
    /// How the commit stands to the one that the caller had before.
    pub history: History,
    /// The commit.
    pub commit: CommitId,
    /// When it was made, in seconds since the epoch, as whoever made it says. Nothing from an older
    /// worker.
    #[serde(default)]
    pub committed_at: Option<i64>,
    /// Files whose content lies elsewhere.
    pub lfs_pointers: Vec<LfsPointer>,
    /// Repositories that were written into this one.
    pub submodules: Vec<Submodule>,
    /// What the commit holds and the directory does not.
    pub left_out: Vec<LeftOut>,
}

/// A file that only names its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LfsPointer {
    /// Where it lies, relative to the directory.
    pub path: String,
    /// SHA-256 of the content, hexadecimal.
    pub oid: String,
    /// Its size in bytes.
    pub size: u64,
}

/// A repository inside a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submodule {
    /// Where it lies, relative to the directory.
    pub path: String,
    /// Where it came from, without credentials.
    pub url: String,
    /// The commit.
    pub commit: CommitId,
}

/// Something that was not written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Where it would lie, relative to the directory; escaped where it is no plain text.
    pub path: String,
    /// Why not, as a fragment of a sentence.
    pub reason: String,
}
