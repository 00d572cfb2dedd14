//! Why content could not be had.
//!
//! No variant may hold a secret: addresses go in without user, password and query, and of a token
//! only whether it was sent. What a stranger wrote is escaped and cut when it is shown.

use std::fmt;

use plugd_disk::DiskError;
use plugd_http::HttpError;
use plugd_model::AbsPath;

use crate::Algorithm;

/// Why a package or an archive could not be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The name cannot be that of a package.
    #[error("`{}` is not the name of an npm package", name.escape_debug())]
    BadName {
        /// The name.
        name: String,
    },
    /// The address of the registry cannot be used.
    #[error("the registry `{registry}` of {origin} cannot be used: {reason}")]
    BadRegistry {
        /// The address, without user and password.
        registry: String,
        /// Who named it.
        origin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The user's npmrc is there and cannot be read, so it is not known which registry is meant.
    #[error("cannot read the npmrc of the user")]
    Npmrc {
        /// The reason.
        #[source]
        source: DiskError,
    },
    /// The host could not be asked, or did not bring what it promised.
    #[error("cannot fetch {subject} from `{host}`")]
    Http {
        /// What was fetched: a package, one of its versions, or a bundle.
        subject: String,
        /// The host, with its port where that is not the usual one.
        host: String,
        /// The reason.
        #[source]
        source: HttpError,
    },
    /// The registry wants a login, or another one.
    #[error("`{host}` gives no access to {subject} ({status}): {access}")]
    Refused {
        /// What was fetched.
        subject: String,
        /// The host.
        host: String,
        /// 401 or 403.
        status: u16,
        /// What was sent and what can be done.
        access: Access,
    },
    /// The registry has no such package, or hides it from who asks.
    #[error("the registry {registry} does not have {subject}; {access}")]
    NotFound {
        /// What was fetched.
        subject: String,
        /// The registry.
        registry: String,
        /// What was sent and what can be done.
        access: Access,
    },
    /// The host answered with another status than success.
    #[error("`{host}` answered {status} for {subject}")]
    Status {
        /// What was fetched.
        subject: String,
        /// The host.
        host: String,
        /// The status code.
        status: u16,
    },
    /// What the registry says about a package cannot be understood.
    #[error("what the registry {registry} says about `{package}` is not usable: {reason}")]
    BadAnswer {
        /// The package.
        package: String,
        /// The registry.
        registry: String,
        /// What is wrong.
        reason: String,
    },
    /// The package has no version that fits.
    #[error("`{package}` has no version `{}`; there are {known}", wanted.escape_debug())]
    NoSuchVersion {
        /// The package.
        package: String,
        /// What was asked for.
        wanted: String,
        /// The newest versions and the tags.
        known: String,
    },
    /// The version that fits cannot be fetched safely.
    #[error("`{package}` {version} cannot be fetched: {fault}")]
    BadVersion {
        /// The package.
        package: String,
        /// The version.
        version: String,
        /// What is wrong with it.
        fault: VersionFault,
    },
    /// It is what is known already, so nothing came.
    #[error("it has not changed")]
    NotModified,
    /// The caller gave up.
    #[error("the download was cancelled")]
    Cancelled,
    /// Nobody takes the chunks any more: the section that unpacks has failed, and knows why.
    #[error("the archive was not unpacked to its end")]
    NotTaken,
    /// The download ended without saying that it was complete, and knows why.
    #[error("the download was broken off")]
    BrokenOff,
    /// The archive is another one than was promised.
    #[error("the archive has the {algorithm} digest {found} and should have {expected}")]
    WrongDigest {
        /// How the digests were made.
        algorithm: Algorithm,
        /// The beginning of the promised digest.
        expected: String,
        /// The beginning of the digest of what came.
        found: String,
    },
    /// The archive is no gzip file, or is damaged.
    #[error("the archive is damaged: {reason}")]
    Damaged {
        /// What was found.
        reason: String,
    },
    /// An entry of the archive is not accepted.
    #[error("the archive holds `{entry}`: {fault}")]
    Entry {
        /// The entry, escaped and cut.
        entry: String,
        /// What is wrong with it.
        fault: EntryFault,
    },
    /// More than is accepted.
    #[error("the archive has {over}{}", reached(at.as_deref()))]
    OverLimit {
        /// The limit.
        over: Over,
        /// The first entry beyond it, escaped and cut, where it was one.
        at: Option<String>,
    },
    /// The archive has no `package.json` that can be read.
    #[error("the archive has no usable `package.json`: {reason}")]
    NoPackageJson {
        /// What was found.
        reason: String,
    },
    /// The archive is that of another package.
    #[error("the archive is the package `{}` and not `{expected}`", found.escape_debug())]
    WrongPackage {
        /// The package that was asked for.
        expected: String,
        /// The name in its `package.json`.
        found: String,
    },
    /// The destination is taken.
    #[error("`{path}` exists already")]
    Exists {
        /// The destination.
        path: AbsPath,
    },
    /// The watcher of the work did not want it any more.
    #[error("the work on the archive was given up")]
    GivenUp,
    /// A file operation failed.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

/// What a registry was told about who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Nothing: the npmrc has no credential for the address.
    None {
        /// The key that an npmrc would need.
        key: String,
    },
    /// Nothing: it is not the host of the registry, and credentials are for the registry only.
    Elsewhere,
    /// A credential of the npmrc.
    Sent {
        /// Its key.
        key: String,
    },
    /// The npmrc has a credential with a variable that is not set, so it was not sent.
    Unset {
        /// Its key.
        key: String,
        /// The variable.
        variable: String,
    },
    /// Nothing: the docker config has no login for the registry.
    NoLogin {
        /// The registry.
        host: String,
    },
    /// The login of the docker config for the registry.
    Login {
        /// The registry.
        host: String,
    },
    /// Nothing: the docker config has a login that is not understood.
    NotUsed {
        /// What it has, and why that is not used.
        reason: String,
    },
}

/// Why a version of a package cannot be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionFault {
    /// The registry's record of it cannot be understood.
    Broken(String),
    /// There is nothing to check the archive against.
    NoDigest,
    /// The address of its archive is not accepted.
    BadUrl {
        /// The address, without user and password.
        url: String,
        /// Why.
        reason: String,
    },
}

/// Why an entry of an archive is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryFault {
    /// The path is absolute.
    Absolute,
    /// The path climbs out of the archive.
    Climbs,
    /// The path is empty, or has an empty or odd component.
    BadName,
    /// The path is not UTF-8 or holds control characters.
    Unprintable,
    /// Data of git.
    Git,
    /// A component or the whole path is longer than file systems hold.
    TooLong,
    /// It is there twice.
    Duplicate,
    /// It differs from a neighbour only in case.
    CaseClash,
    /// It lies below a file or link, or replaces a directory.
    KindClash,
    /// It lies outside the one root directory.
    OutsideRoot,
    /// A device, FIFO, sparse file or something unknown.
    Special,
    /// A symbolic or hard link, where the rules accept none.
    Link,
    /// Its header is damaged or contradicts itself.
    BadHeader,
}

/// The limit that an archive went over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// Bytes of the archive.
    ArchiveBytes(u64),
    /// Bytes of all files together.
    Bytes(u64),
    /// Files and directories.
    Entries(u64),
    /// Levels of directories.
    Depth(u32),
    /// Bytes that come out of one byte of the archive.
    Ratio(u64),
}

impl FetchError {
    /// Whether trying again later may help without anything being changed.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Http { source, .. } => source.is_retryable(),
            Self::Status { status, .. } => matches!(status, 429 | 500 | 502..=504),
            // What came is not what was promised, or only half of it: a mirror that is being updated
            // or a proxy that cut it.
            Self::BrokenOff => true,
            Self::BadName { .. }
            | Self::BadRegistry { .. }
            | Self::Npmrc { .. }
            | Self::Refused { .. }
            | Self::NotFound { .. }
            | Self::BadAnswer { .. }
            | Self::NoSuchVersion { .. }
            | Self::BadVersion { .. }
            | Self::Cancelled
            | Self::NotTaken
            | Self::WrongDigest { .. }
            | Self::Damaged { .. }
            | Self::Entry { .. }
            | Self::OverLimit { .. }
            | Self::NoPackageJson { .. }
            | Self::WrongPackage { .. }
            | Self::Exists { .. }
            | Self::GivenUp
            | Self::NotModified
            | Self::Disk(_) => false,
        }
    }

    /// Whether the host cannot be reached at all, as on a machine without a network.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        matches!(self, Self::Http { source, .. } if source.is_offline())
    }

    /// Whether we do not ask such an address, as when a redirect leads from https to plain http.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::Http { source, .. } if matches!(source, HttpError::NotAllowed { .. }))
    }

    /// Whether it is the answer for a bundle. A service makes the address of one for a single request, so
    /// nobody wrote it down who could mend it.
    #[must_use]
    pub fn is_of_bundle(&self) -> bool {
        matches!(self, Self::Status { subject, .. } if subject == crate::bundles::SUBJECT)
    }

    /// Whether a wait took too long: for a connection, for the next byte, or for the whole.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        let Self::Http { source, .. } = self else {
            return false;
        };
        matches!(source, HttpError::Timeout { .. })
    }

    /// Whether the caller gave up.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled | Self::GivenUp)
    }

    /// The host that refused or did not answer, where it was one.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match self {
            Self::Http { host, .. } | Self::Refused { host, .. } | Self::Status { host, .. } => {
                Some(host)
            }
            _ => None,
        }
    }
}

/// The entry at which a limit was reached, as the end of a sentence.
pub(crate) fn reached(at: Option<&str>) -> String {
    at.map_or_else(String::new, |entry| format!(", reached at `{entry}`"))
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None { key } => write!(
                f,
                "no credential was sent; if it is private, put `{key}` into the npmrc"
            ),
            Self::Elsewhere => {
                f.write_str("no credential was sent, because it is not the host of the registry")
            }
            Self::Sent { key } => {
                write!(
                    f,
                    "the credential `{key}` of the npmrc was sent; is it right?"
                )
            }
            Self::Unset { key, variable } => write!(
                f,
                "`{key}` of the npmrc was not sent, because the variable `{variable}` is not set"
            ),
            Self::NoLogin { host } => write!(
                f,
                "no login was sent; if it is private, put one for `{host}` into the docker config"
            ),
            Self::Login { host } => write!(
                f,
                "the login for `{host}` of the docker config was sent; is it right?"
            ),
            Self::NotUsed { reason } => write!(f, "no login was sent: {reason}"),
        }
    }
}

impl fmt::Display for VersionFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Broken(reason) => write!(f, "the registry's record of it is broken: {reason}"),
            Self::NoDigest => f.write_str("the registry names no digest to check it against"),
            Self::BadUrl { url, reason } => write!(f, "its archive is at `{url}`: {reason}"),
        }
    }
}

impl fmt::Display for EntryFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absolute => "an absolute path is not accepted",
            Self::Climbs => "a path that climbs with `..` is not accepted",
            Self::BadName => "that is no name of a file",
            Self::Unprintable => "a name that is not UTF-8 or holds control characters",
            Self::Git => "data of git is not accepted",
            Self::TooLong => "the name is too long",
            Self::Duplicate => "it is there twice",
            Self::CaseClash => "its name differs from another one only in case",
            Self::KindClash => "it is both a directory and something else",
            Self::OutsideRoot => "it lies outside the archive's one root directory",
            Self::Link => "links are not accepted",
            Self::Special => "a device, pipe, sparse file or unknown kind of entry",
            Self::BadHeader => "its header is damaged",
        })
    }
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ArchiveBytes(limit) => write!(f, "more than {limit} bytes"),
            Self::Bytes(limit) => write!(f, "more than {limit} bytes of content"),
            Self::Entries(limit) => write!(f, "more than {limit} entries"),
            Self::Depth(limit) => write!(f, "more than {limit} levels of directories"),
            Self::Ratio(limit) => {
                write!(f, "more than {limit} bytes of content for each of its own")
            }
        }
    }
}
