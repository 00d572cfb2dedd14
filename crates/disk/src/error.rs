//! The one error of file access: what was tried, on which path, and why it failed.

use std::io;

use plugd_model::{AbsPath, Problem, ProblemKind, error_chain};

use crate::{Kind, OperationKind};

/// Why a file operation failed.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// The system refused.
    #[error("cannot {} `{path}`", operation.verb())]
    Io {
        /// What was tried.
        operation: OperationKind,
        /// On which path.
        path: AbsPath,
        /// The system's reason.
        #[source]
        source: io::Error,
    },
    /// The file is larger than the caller is ready to read.
    #[error("`{path}` is larger than {limit} bytes")]
    TooLarge {
        /// The file.
        path: AbsPath,
        /// The limit that was set.
        limit: u64,
    },
    /// A directory, FIFO, socket or device where a regular file belongs.
    #[error("`{path}` is a {kind} and not a file", kind = found.word())]
    NotAFile {
        /// The path.
        path: AbsPath,
        /// What stands there.
        found: Kind,
    },
    /// A path that had been resolved leads through a link by now: somebody changes the tree.
    #[error("`{path}` was replaced by a link, or a directory above it, while it was read")]
    Moved {
        /// The path as it had been resolved.
        path: AbsPath,
    },
    /// The work was given up while it waited for a lock; nothing has been changed.
    #[error("the work was given up while it waited for the lock `{path}`")]
    NotWanted {
        /// The lock file.
        path: AbsPath,
    },
    /// Another process held a lock until the deadline.
    #[error("the lock `{path}` is held by another process")]
    Locked {
        /// The lock file.
        path: AbsPath,
    },
}

impl DiskError {
    /// Wraps a system error.
    pub(crate) fn io(operation: OperationKind, path: &AbsPath, source: io::Error) -> Self {
        Self::Io {
            operation,
            path: path.clone(),
            source,
        }
    }

    /// The path it speaks of.
    #[must_use]
    pub fn path(&self) -> &AbsPath {
        match self {
            Self::Io { path, .. }
            | Self::TooLarge { path, .. }
            | Self::NotAFile { path, .. }
            | Self::Moved { path }
            | Self::NotWanted { path }
            | Self::Locked { path } => path,
        }
    }

    /// Whether the reason is that there is nothing at the path.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        match self {
            Self::Io { source, .. } => is_absent(source),
            _ => false,
        }
    }

    /// Whether somebody put a link in the way since the path was resolved.
    #[must_use]
    pub fn is_moved(&self) -> bool {
        matches!(self, Self::Moved { .. })
    }

    /// Whether the reason is a link that leads to itself.
    #[must_use]
    pub fn is_link_loop(&self) -> bool {
        matches!(self, Self::Io { source, .. } if is_link_loop(source))
    }

    /// Whether the reason is a missing right.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        self.has_io_kind(io::ErrorKind::PermissionDenied)
    }

    /// Whether the reason is a name that no file can have here, such as one that is too long.
    #[must_use]
    pub fn is_bad_name(&self) -> bool {
        self.has_io_kind(io::ErrorKind::InvalidFilename)
    }

    /// Whether the reason is that a directory still has entries: somebody adds some while it is emptied.
    #[must_use]
    pub fn is_not_empty(&self) -> bool {
        self.has_io_kind(io::ErrorKind::DirectoryNotEmpty)
    }

    /// Whether the reason is that two paths lie on different file systems.
    #[must_use]
    pub fn is_other_file_system(&self) -> bool {
        self.has_io_kind(io::ErrorKind::CrossesDevices)
    }

    /// Whether the reason is that there is no room left. Who may not write more than so much has none
    /// either.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(
            self,
            Self::Io { operation, source, .. }
                if operation.mutates() && *operation != OperationKind::Lock
                    && matches!(
                        source.kind(),
                        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
                    )
        )
    }

    /// Whether the reason is that the system or file system cannot do such a thing.
    pub(crate) fn is_unsupported(&self) -> bool {
        self.has_io_kind(io::ErrorKind::Unsupported)
    }

    fn has_io_kind(&self, kind: io::ErrorKind) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == kind)
    }

    /// The error with its source in one line, for a problem that is shown to a person.
    #[must_use]
    pub fn in_full(&self) -> String {
        error_chain(self)
    }

    /// The error as a problem of its path, for a caller whose other files stay usable.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let kind = match self {
            _ if self.is_not_found() => ProblemKind::Missing,
            Self::TooLarge { .. } => ProblemKind::TooLarge,
            Self::NotAFile { .. } => ProblemKind::NotAFile,
            Self::Io { .. } | Self::Moved { .. } | Self::Locked { .. } | Self::NotWanted { .. } => {
                ProblemKind::Unreadable
            }
        };
        Problem::error(kind, self.in_full()).in_file(self.path())
    }
}

/// A missing path shows in two ways: the last component is missing, or one in front of it is a file.
pub(crate) fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Links that lead in a circle; the standard library has no stable name for it yet.
#[cfg(unix)]
pub(crate) fn is_link_loop(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

/// The system's number for a link that cannot be resolved (`ERROR_CANT_RESOLVE_FILENAME`).
#[cfg(not(unix))]
pub(crate) fn is_link_loop(error: &io::Error) -> bool {
    error.raw_os_error() == Some(1921)
}

#[cfg(test)]
mod tests {
    use std::io;

    use plugd_model::{AbsPath, ProblemKind};
    use pretty_assertions::assert_eq;

    use super::DiskError;
    use crate::{Kind, OperationKind};

    fn path() -> AbsPath {
        AbsPath::new("/srv/a").unwrap()
    }

    #[track_caller]
    fn check(error: &DiskError, kind: ProblemKind, message: &str) {
        let problem = error.problem();
        assert_eq!(problem.kind, kind);
        assert_eq!(problem.message, message);
        assert_eq!(problem.path, Some(path()));
    }

    fn io_error(source: io::Error) -> DiskError {
        DiskError::io(OperationKind::Read, &path(), source)
    }

    #[test]
    fn a_problem_tells_what_is_wrong_with_the_path() {
        check(
            &io_error(io::Error::new(io::ErrorKind::NotFound, "gone")),
            ProblemKind::Missing,
            "cannot read `/srv/a`: gone",
        );
        check(
            &io_error(io::Error::other("disk on fire")),
            ProblemKind::Unreadable,
            "cannot read `/srv/a`: disk on fire",
        );
        let (path, limit) = (path(), 5);
        check(
            &DiskError::TooLarge { path, limit },
            ProblemKind::TooLarge,
            "`/srv/a` is larger than 5 bytes",
        );
        let (path, found) = (self::path(), Kind::Dir);
        check(
            &DiskError::NotAFile { path, found },
            ProblemKind::NotAFile,
            "`/srv/a` is a directory and not a file",
        );
    }
}
