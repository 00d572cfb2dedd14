//! Why a worker could not do its task. It crosses the pipe, so it holds texts and no causes.
//!
//! No variant may hold a secret: an address goes in without credentials, and what a server or a
//! helper said goes through [`quoted`].

use serde::{Deserialize, Serialize};

use plugd_disk::DiskError;
use plugd_model::error_chain;

/// Longest text of a stranger that is repeated.
const MAX_QUOTE: usize = 600;

/// Why a task failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Failure {
    /// The request itself is wrong: an unknown version, address or ref.
    #[error("the git worker does not accept the request: {reason}")]
    BadRequest {
        /// What is wrong.
        reason: String,
    },
    /// The user's git configuration leads to an address that is not accepted.
    #[error("the git configuration replaces `{from}`: {reason}")]
    BadReplacement {
        /// The address that was asked for.
        from: String,
        /// Why its replacement is refused.
        reason: String,
    },
    /// The repository has nothing yet.
    #[error("the repository at `{url}` is empty: it has no branch and no commit yet")]
    RepositoryEmpty {
        /// The repository.
        url: String,
    },
    /// No branch was named, and the repository has none by default.
    #[error("`{url}` has no default branch: its `HEAD` leads nowhere")]
    NoDefaultBranch {
        /// The repository.
        url: String,
    },
    /// The repository has no such branch or tag.
    #[error("`{url}` has no branch or tag `{wanted}`")]
    RefMissing {
        /// The repository.
        url: String,
        /// What was looked for.
        wanted: String,
    },
    /// The repository has no such commit, or its server does not give it away.
    #[error("`{url}` has no commit `{wanted}`")]
    CommitMissing {
        /// The repository.
        url: String,
        /// What was looked for.
        wanted: String,
    },
    /// An abbreviation that several commits share.
    #[error("`{wanted}` stands for more than one commit of `{url}`")]
    Ambiguous {
        /// The repository.
        url: String,
        /// What was looked for.
        wanted: String,
    },
    /// There is no repository at the address.
    #[error("there is no git repository at `{url}`")]
    RepositoryMissing {
        /// The address.
        url: String,
    },
    /// The server wants a login and took none of those that are there.
    #[error("`{host}` wants a login; tried: {}; {hint}", tried.join(", "))]
    Unauthorised {
        /// The server.
        host: String,
        /// What was tried, in order.
        tried: Vec<String>,
        /// What the user can do.
        hint: String,
    },
    /// ssh got no access, which is no fault of the network.
    #[error("ssh got no access to `{host}`: {reason}")]
    SshRefused {
        /// The server.
        host: String,
        /// What ssh said.
        reason: String,
        /// What the user can do.
        hint: String,
    },
    /// The server is there, and has a fault of its own or too much to do.
    #[error("`{host}` answered with status {status}")]
    ServerFault {
        /// The server.
        host: String,
        /// 429, or one above 499.
        status: u16,
    },
    /// The server could not be reached or broke off.
    #[error("cannot reach `{host}`: {reason}")]
    Unreachable {
        /// The server.
        host: String,
        /// What happened.
        reason: String,
    },
    /// The server answered something that is no git, or refused.
    #[error("`{host}` answered: {reason}")]
    Refused {
        /// The server.
        host: String,
        /// What it said.
        reason: String,
    },
    /// The git command is to be used, and there is none.
    #[error(
        "there is no git command in the absolute directories of the PATH; install git, or let the \
         built-in one do the work"
    )]
    NoCommand,
    /// libgit2 or the git command gave up.
    #[error("git cannot go on: {reason}")]
    Git {
        /// What it said.
        reason: String,
    },
    /// Objects are missing or broken, also after everything was fetched anew.
    #[error("the objects of `{url}` are damaged: {reason}")]
    Damaged {
        /// The repository.
        url: String,
        /// What was found.
        reason: String,
    },
    /// A name that no honest program writes into a repository.
    #[error("the repository holds the name `{path}`, which is not allowed")]
    HostileName {
        /// The path, escaped.
        path: String,
    },
    /// A name that is longer than file systems hold.
    #[error("the repository holds a name that is too long, at `{path}`")]
    LongName {
        /// The path, escaped and cut.
        path: String,
    },
    /// More than is accepted.
    #[error("the repository has {limit}, reached at `{path}`")]
    OverLimit {
        /// The limit.
        limit: String,
        /// The first entry beyond it.
        path: String,
    },
    /// The fetch brings more than is accepted.
    #[error("`{host}` sends more than {limit} bytes")]
    TooMuch {
        /// The server.
        host: String,
        /// The limit.
        limit: u64,
    },
    /// The directory that was asked for is not in the commit.
    #[error("commit {commit} has no directory `{path}`")]
    DirectoryMissing {
        /// The commit.
        commit: String,
        /// The directory.
        path: String,
    },
    /// A repository inside the repository could not be had.
    #[error("cannot fetch the submodule `{path}`")]
    Submodule {
        /// Where it lies.
        path: String,
        /// Why not.
        #[source]
        cause: Box<Self>,
    },
    /// Another process held the mirror until the deadline.
    #[error("another process is using the mirror; its lock is `{lock}`")]
    Locked {
        /// The lock file.
        lock: String,
    },
    /// There is no room for what was to be written.
    #[error("{reason}")]
    DiskFull {
        /// Who was writing what, and the system's reason.
        reason: String,
    },
    /// A file operation failed.
    #[error("{reason}")]
    Disk {
        /// The operation, the path and the system's reason.
        reason: String,
    },
}

impl Failure {
    pub(crate) fn disk(error: &DiskError) -> Self {
        match error {
            DiskError::Locked { path } => Self::Locked {
                lock: path.to_text(),
            },
            full if full.is_full() => Self::DiskFull {
                reason: error_chain(full),
            },
            other => Self::Disk {
                reason: error_chain(other),
            },
        }
    }

    pub(crate) fn tree(error: &plugd_disk::tree::TreeError) -> Self {
        match error {
            plugd_disk::tree::TreeError::Disk(error) => Self::disk(error),
            other => Self::Disk {
                reason: error_chain(other),
            },
        }
    }

    pub(crate) fn git(error: &git2::Error) -> Self {
        let reason = quoted(error.message(), &[]);
        match says_full(&reason) {
            true => Self::DiskFull { reason },
            false => Self::Git { reason },
        }
    }

    /// Whether there is no room left on this machine.
    pub(crate) fn is_disk_full(&self) -> bool {
        match self {
            Self::DiskFull { .. } => true,
            Self::Submodule { cause, .. } => cause.is_disk_full(),
            _ => false,
        }
    }

    /// The machine that is to blame, where one is.
    pub(crate) fn host(&self) -> Option<&str> {
        match self {
            Self::Unauthorised { host, .. }
            | Self::SshRefused { host, .. }
            | Self::ServerFault { host, .. }
            | Self::Unreachable { host, .. }
            | Self::Refused { host, .. }
            | Self::TooMuch { host, .. } => Some(host),
            Self::Submodule { cause, .. } => cause.host(),
            _ => None,
        }
    }

    /// Whether a repository cannot be had as it is, while this machine is fine.
    pub(crate) fn is_theirs(&self) -> bool {
        matches!(
            self,
            Self::Unreachable { .. }
                | Self::ServerFault { .. }
                | Self::Refused { .. }
                | Self::Unauthorised { .. }
                | Self::SshRefused { .. }
                | Self::RepositoryMissing { .. }
                | Self::RepositoryEmpty { .. }
                | Self::CommitMissing { .. }
                | Self::BadReplacement { .. }
                | Self::Damaged { .. }
        )
    }

    /// Whether trying again later may help.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::ServerFault { .. }
            | Self::Locked { .. }
            | Self::DiskFull { .. } => true,
            Self::Submodule { cause, .. } => cause.is_retryable(),
            Self::BadRequest { .. }
            | Self::BadReplacement { .. }
            | Self::RefMissing { .. }
            | Self::CommitMissing { .. }
            | Self::Ambiguous { .. }
            | Self::RepositoryMissing { .. }
            | Self::RepositoryEmpty { .. }
            | Self::NoDefaultBranch { .. }
            | Self::Unauthorised { .. }
            | Self::SshRefused { .. }
            | Self::Refused { .. }
            | Self::NoCommand
            | Self::Git { .. }
            | Self::Damaged { .. }
            | Self::HostileName { .. }
            | Self::LongName { .. }
            | Self::OverLimit { .. }
            | Self::TooMuch { .. }
            | Self::DirectoryMissing { .. }
            | Self::Disk { .. } => false,
        }
    }
}

/// A failure while a mirror is used: its own fault or somebody else's.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// What the mirror holds cannot be read; a fresh fetch may help.
    Damaged(String),
    /// A fresh fetch would not help.
    Failed(Failure),
}

impl Trouble {
    pub(crate) fn damaged(error: &git2::Error) -> Self {
        match Failure::git(error) {
            full @ Failure::DiskFull { .. } => Self::Failed(full),
            _ => Self::Damaged(quoted(error.message(), &[])),
        }
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<DiskError> for Trouble {
    fn from(error: DiskError) -> Self {
        Self::Failed(Failure::disk(&error))
    }
}

/// Whether libgit2 or git tells in the system's words that there is no room left: a mirror is not
/// damaged then, and fetching it once more would need more room still.
pub(crate) fn says_full(text: &str) -> bool {
    let known = [
        "No space left on device",
        "Disk quota exceeded",
        "There is not enough space on the disk",
    ];
    known.iter().any(|one| text.contains(one))
}

/// A stranger's text made fit for an error: no control characters, no secret, not too long.
pub(crate) fn quoted(text: &str, secrets: &[String]) -> String {
    let mut clean = text.trim().to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        clean = clean.replace(secret.as_str(), "***");
    }
    let mut out = String::new();
    for c in clean.chars().take(MAX_QUOTE) {
        match c {
            '\n' | '\r' | '\t' => out.push(' '),
            c if c.is_control() => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use git2::{Error, ErrorClass, ErrorCode};

    use super::{Failure, Trouble, quoted};

    #[test]
    fn a_full_disk_is_no_damaged_mirror() {
        let error = |text: &str| Error::new(ErrorCode::GenericError, ErrorClass::Os, text);
        let full = error("cannot extend packfile: No space left on device");
        assert!(matches!(
            Trouble::damaged(&full),
            Trouble::Failed(Failure::DiskFull { .. })
        ));
        assert!(Failure::git(&full).is_retryable());
        let damaged = error("object file is empty");
        assert!(matches!(Trouble::damaged(&damaged), Trouble::Damaged(_)));
    }

    #[test]
    fn a_quote_has_no_secret_and_no_control_character() {
        let secrets = ["hunter2".to_owned(), String::new()];
        assert_eq!(
            quoted("no\u{1b}[31m hunter2\nhere \n", &secrets),
            "no\\u{1b}[31m *** here"
        );
        assert_eq!(quoted(&"a".repeat(5000), &[]).len(), 600);
    }
}
