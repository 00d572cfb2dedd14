//! The errors of other machines in terms of the request: which kind they are, which machine it was,
//! whether trying again may help, and what to do.
//!
//! What a repository or package holds is the request's fault, as the content of a local source is.
//! What the network, a server or a login does is nobody's, and may be different tomorrow.

use plugd_disk::tree::TreeError;
use plugd_fetch::FetchError;
use plugd_git::{Failure, GitError, WantError};
use plugd_model::{error_chain, git_url};

use crate::error::Error;
use crate::error_terms::{Facts, Kind};

/// Sorts the errors of git.
pub(crate) fn kind_of_git(error: &GitError) -> Kind {
    match error {
        GitError::Silent { .. } | GitError::SilentHelper { .. } => Kind::Unavailable,
        GitError::Cancelled { .. } => Kind::Cancelled,
        GitError::Start { .. }
        | GitError::Request { .. }
        | GitError::Crashed { .. }
        | GitError::Garbled { .. } => Kind::Internal,
        GitError::Failed { failure, .. } => kind_of_failure(failure),
    }
}

fn kind_of_failure(failure: &Failure) -> Kind {
    match failure {
        Failure::BadRequest { .. }
        | Failure::BadReplacement { .. }
        | Failure::Ambiguous { .. }
        | Failure::DirectoryMissing { .. }
        | Failure::HostileName { .. }
        | Failure::LongName { .. }
        | Failure::OverLimit { .. }
        | Failure::TooMuch { .. } => Kind::InvalidInput,
        Failure::RepositoryMissing { .. }
        | Failure::RepositoryEmpty { .. }
        | Failure::NoDefaultBranch { .. }
        | Failure::RefMissing { .. }
        | Failure::CommitMissing { .. } => Kind::NotFound,
        Failure::Unauthorised { .. }
        | Failure::SshRefused { .. }
        | Failure::ServerFault { .. }
        | Failure::Unreachable { .. }
        | Failure::Refused { .. }
        | Failure::Damaged { .. }
        | Failure::NoCommand
        | Failure::Git { .. } => Kind::Unavailable,
        Failure::Locked { .. } => Kind::Conflict,
        Failure::Submodule { cause, .. } => kind_of_failure(cause),
        Failure::Disk { .. } | Failure::DiskFull { .. } => Kind::Internal,
    }
}

/// Sorts the errors of registries and archives.
pub(crate) fn kind_of_registry(error: &FetchError) -> Kind {
    match error {
        FetchError::BadName { .. }
        | FetchError::BadRegistry { .. }
        | FetchError::Npmrc { .. }
        | FetchError::BadAnswer { .. }
        | FetchError::BadVersion { .. }
        | FetchError::WrongDigest { .. }
        | FetchError::Damaged { .. }
        | FetchError::Entry { .. }
        | FetchError::OverLimit { .. }
        | FetchError::NoPackageJson { .. }
        | FetchError::WrongPackage { .. } => Kind::InvalidInput,
        FetchError::NotFound { .. } | FetchError::NoSuchVersion { .. } => Kind::NotFound,
        FetchError::Status {
            status: 404 | 410, ..
        } if !error.is_of_bundle() => Kind::NotFound,
        FetchError::Http { .. }
        | FetchError::Refused { .. }
        | FetchError::Status { .. }
        | FetchError::BrokenOff => Kind::Unavailable,
        FetchError::Cancelled | FetchError::GivenUp => Kind::Cancelled,
        // Only who names what he has gets this answer, and it is none for a client.
        FetchError::NotModified
        | FetchError::NotTaken
        | FetchError::Exists { .. }
        | FetchError::Disk(_) => Kind::Internal,
    }
}

/// What a program can act on in an error of git.
pub(crate) fn of_git(host: &str, error: &GitError) -> Facts {
    Facts {
        host: Some(host.to_owned()).filter(|_| !error.is_disk_full()),
        hint: hint_of_git(error),
        retryable: error.is_retryable(),
        ..Facts::default()
    }
}

/// Which member names a branch, tag or commit that cannot be meant.
pub(crate) fn of_want(error: &WantError) -> Facts {
    let field = match error {
        WantError::Ref { .. } => "refName",
        WantError::Commit { .. } => "sha",
    };
    Facts {
        field: Some(field.to_owned()),
        ..Facts::default()
    }
}

/// What a program can act on in an error of a registry.
pub(crate) fn of_registry(error: &FetchError) -> Facts {
    Facts {
        host: error.host().map(|host| without_port(host).to_owned()),
        hint: hint_of_registry(error),
        retryable: error.is_retryable(),
        ..Facts::default()
    }
}

/// Whether a machine cannot be reached or does not answer, so that asking it for something else now
/// would end in the same way.
pub(crate) fn is_out_of_reach(error: &Error) -> bool {
    match error {
        Error::Git { source, .. } => matches!(
            **source,
            GitError::Silent { .. }
                | GitError::Failed {
                    failure: Failure::Unreachable { .. }
                        | Failure::ServerFault { .. }
                        | Failure::SshRefused { .. },
                    ..
                }
        ),
        Error::Registry(error) => error.is_offline() || error.is_timeout(),
        _ => false,
    }
}

/// A host without its port, as git names it too.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((front, port)) if !port.ends_with(']') && !front.is_empty() => front,
        _ => host,
    }
}

/// What to do where a machine cannot be reached.
fn hint_of_network(reason: &str) -> &'static str {
    match reason.contains("certificate") {
        true => {
            "nobody here vouches for the certificate of the server; name the authority of your \
             company in a file that the variable SSL_CERT_FILE leads to"
        }
        false => "check the network and the proxy settings, and try again",
    }
}

/// What to do about an answer of a server that is there.
fn hint_of_status(status: u16) -> Option<&'static str> {
    match status {
        401 | 403 => Some("what is there may need a login, and none is sent to that address"),
        404 | 410 => {
            Some("check the address; what is private may be hidden from who is not logged in")
        }
        429 => Some("the server limits how often it is asked; wait a while and try again"),
        500.. => Some("the server has a fault of its own; try again later"),
        _ => None,
    }
}

fn hint_of_git(error: &GitError) -> Option<String> {
    let text = match error {
        GitError::Silent { .. } => {
            "try again; a slow server gets more time with `git_idle_seconds` in plugd.toml"
        }
        GitError::SilentHelper { host, .. } => {
            return Some(format!(
                "it may wait for a person: log in with it in a terminal, or set ${}",
                token_variable(&format!("https://{host}"))
            ));
        }
        GitError::Failed { failure, .. } => return hint_of_failure(failure),
        _ => return None,
    };
    Some(text.to_owned())
}

fn hint_of_failure(failure: &Failure) -> Option<String> {
    let text = match failure {
        Failure::Unauthorised { hint, .. } | Failure::SshRefused { hint, .. } => {
            return Some(hint.clone());
        }
        Failure::ServerFault { status, .. } => return hint_of_status(*status).map(str::to_owned),
        Failure::RepositoryEmpty { .. } => "push a first commit to it, then try again",
        Failure::NoDefaultBranch { .. } => "name a branch, tag or commit",
        Failure::RefMissing { .. } => "check the name of the branch or tag",
        Failure::CommitMissing { .. } => "check the commit; write it in full when it is no tip",
        Failure::Ambiguous { .. } => "write more digits of the commit",
        Failure::RepositoryMissing { .. } => {
            "check the address; a private repository is hidden from who is not logged in"
        }
        Failure::DirectoryMissing { .. } => "check the `path` of the source",
        Failure::Unreachable { reason, .. } => hint_of_network(reason),
        Failure::Refused { reason, .. } => return hint_of_refusal(reason).map(str::to_owned),
        Failure::Git { reason } if says_configuration(reason) => {
            "mend the file of git's configuration that it names"
        }
        Failure::NoCommand => "install git, or set `git = \"auto\"` in plugd.toml",
        Failure::Locked { .. } => "wait for the other process to finish and try again",
        Failure::Submodule { cause, .. } => return hint_of_failure(cause),
        _ => return None,
    };
    Some(text.to_owned())
}

/// Whether libgit2 or git could not read the user's configuration.
fn says_configuration(reason: &str) -> bool {
    let known = ["failed to parse config file", "bad config "];
    known.iter().any(|one| reason.contains(one))
}

/// What to do about a refusal, in our words or git's.
fn hint_of_refusal(reason: &str) -> Option<&'static str> {
    if reason == "access is forbidden" || reason.contains("returned error: 403") {
        return Some(
            "the server gives no access to the repository: check the login, or ask whoever owns it",
        );
    }
    // The git command follows no redirect while a header of the configuration goes along.
    reason
        .contains("returned error: 30")
        .then_some("the repository has moved: use its new address")
}

fn hint_of_registry(error: &FetchError) -> Option<String> {
    let text = match error {
        // A rule of ours that forbids an address is no fault of the network.
        error if error.is_forbidden() => return None,
        FetchError::Http { source, .. } => hint_of_network(&error_chain(source)),
        FetchError::Status { status, .. } if *status < 429 && error.is_of_bundle() => return None,
        FetchError::Status { status, .. } => return hint_of_status(*status).map(str::to_owned),
        FetchError::WrongDigest { .. } => {
            "do not install it: what came is not what the registry promised"
        }
        FetchError::NoSuchVersion { .. } => "name one of the versions or tags that there are",
        _ => return None,
    };
    Some(text.to_owned())
}

/// The variable that git takes a token for this address from.
pub(crate) fn token_variable(url: &str) -> String {
    let url = git_url::without_credentials(url);
    let host = git_url::host_span(&url).map_or("HOST", |span| &url[span]);
    let word = |c: char| match c.is_ascii_alphanumeric() {
        true => c.to_ascii_uppercase(),
        false => '_',
    };
    format!("PLUGD_TOKEN_{}", host.chars().map(word).collect::<String>())
}

impl Error {
    /// Whether there is no room left, wherever it was noticed.
    pub(crate) fn is_disk_full(&self) -> bool {
        match self {
            Self::Store { source, .. } | Self::StoreState(source) => source.is_disk_full(),
            Self::Git { source, .. } => source.is_disk_full(),
            Self::Disk(error) => error.is_full(),
            Self::Tree(error) => matches!(&**error, TreeError::Disk(error) if error.is_full()),
            Self::Registry(error) => {
                matches!(&**error, FetchError::Disk(error) if error.is_full())
            }
            Self::Source { source, .. } => source.is_disk_full(),
            _ => false,
        }
    }

    /// What a refusal is about, which knows it itself.
    pub(crate) fn of_refusal(&self) -> Facts {
        match self {
            Self::Version(refusal) => refusal.facts(),
            Self::Trust(refusal) => refusal.facts(),
            Self::Approve(error) => error.facts(),
            _ => Facts::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use plugd_git::Failure;

    use super::hint_of_failure;

    #[track_caller]
    fn refused(reason: &str, hint: Option<&str>) {
        let (host, reason) = ("h".to_owned(), reason.to_owned());
        let found = hint_of_failure(&Failure::Refused { host, reason });
        let fits = match (&found, hint) {
            (Some(found), Some(hint)) => found.contains(hint),
            (None, None) => true,
            _ => false,
        };
        assert!(fits, "{found:?}");
    }

    #[test]
    fn a_configuration_that_git_cannot_read_is_named() {
        let hint = |reason: &str| {
            let reason = reason.to_owned();
            hint_of_failure(&Failure::Git { reason })
        };
        let ours = "failed to parse config file: missing ']' (in /home/u/.gitconfig:1)";
        let git = "bad config line 1 in file /home/u/.gitconfig";
        for reason in [ours, git] {
            assert!(hint(reason).is_some_and(|hint| hint.contains("mend the file")));
        }
        assert_eq!(hint("git ended without a word"), None);
    }

    #[test]
    fn a_refusal_that_is_understood_has_a_hint() {
        let git = "unable to access 'https://h/r/': The requested URL returned error: ";
        refused("access is forbidden", Some("check the login"));
        refused(&format!("{git}403"), Some("check the login"));
        refused(&format!("{git}301"), Some("new address"));
        refused(&format!("{git}418"), None);
        refused("no git repository but `text/html`", None);
    }
}
