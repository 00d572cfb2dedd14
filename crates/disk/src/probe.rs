//! The probe: a way to see every file operation before it happens, and to refuse it.
//!
//! Tests set one, in their own process; the binary has no flag, feature or variable for it. Beside them
//! a [`Witness`](crate::Witness) is one, which refuses nothing.

use std::io;

use plugd_model::AbsPath;

/// Kinds of operations, as fine as a test of durability needs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OperationKind {
    /// Reading a file's content.
    Read,
    /// Asking for a file's kind, size and times.
    Stat,
    /// Listing a directory.
    List,
    /// Reading or resolving links.
    Resolve,
    /// Creating a directory.
    CreateDir,
    /// Writing content to a file that is not yet visible under its name.
    Write,
    /// Copying content into a file that is not yet visible under its name.
    Copy,
    /// Setting mode bits.
    SetMode,
    /// Making a file's content durable.
    SyncFile,
    /// Making a directory's entries durable.
    SyncDir,
    /// Renaming.
    Rename,
    /// Exchanging two paths in one step.
    Exchange,
    /// Removing a file or link.
    RemoveFile,
    /// Removing a directory, which is empty by then.
    RemoveDir,
    /// Taking a lock.
    Lock,
}

impl OperationKind {
    /// The verb for messages.
    pub(crate) fn verb(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Stat => "inspect",
            Self::List => "list",
            Self::Resolve => "resolve",
            Self::CreateDir => "create the directory",
            Self::Write => "write",
            Self::Copy => "copy to",
            Self::SetMode => "set the mode of",
            Self::SyncFile | Self::SyncDir => "sync",
            Self::Rename => "rename",
            Self::Exchange => "exchange",
            Self::RemoveFile | Self::RemoveDir => "remove",
            Self::Lock => "lock",
        }
    }

    /// Whether the operation changes something.
    #[must_use]
    pub fn mutates(self) -> bool {
        !matches!(self, Self::Read | Self::Stat | Self::List | Self::Resolve)
    }
}

/// One operation that is about to happen.
#[derive(Debug, Clone, Copy)]
pub struct Operation<'a> {
    /// What is done.
    pub kind: OperationKind,
    /// To which path.
    pub path: &'a AbsPath,
    /// The second path of a rename, exchange or copy.
    pub other: Option<&'a AbsPath>,
    /// How many bytes are written, where that is known.
    pub bytes: u64,
}

/// Sees operations before they happen.
pub trait Probe: Send + Sync {
    /// Called before each operation.
    ///
    /// # Errors
    /// An error is reported to the caller as if the system had refused.
    fn before(&self, operation: &Operation<'_>) -> io::Result<()>;
}
