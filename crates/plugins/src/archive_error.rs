//! Why plugins could not be put into an archive, or an archive could not be used.

use plugd_fetch::{FetchError, PackError};
use plugd_model::{AbsPath, PluginId};

use crate::Error;
use crate::error_terms::{Facts, Kind};
use crate::lock_error::LockError;

/// What is wrong with a plugin that no import would take.
pub(crate) const ONLY_HERE: &str = "its source is an address of plain http, which leads to this \
                                    machine only and to another one where the archive is taken in";

/// Why.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Something stands where the archive would be written.
    #[error("`{path}` is there already")]
    Taken {
        /// The target.
        path: AbsPath,
    },
    /// A directory or a device stands where the archive would be written.
    #[error("`{path}` is no regular file, so nothing is written over it")]
    NotAFile {
        /// The target.
        path: AbsPath,
    },
    /// Nothing of this home can be exported.
    #[error("nothing that is installed and switched on here can be exported{why}")]
    Nothing {
        /// Why not, each behind a semicolon.
        why: String,
    },
    /// A copy is not what its record says its source was.
    #[error("`{id}` cannot be exported: {reason}")]
    NotExportable {
        /// The plugin.
        id: PluginId,
        /// Why.
        reason: String,
    },
    /// It comes from an address that means another machine elsewhere.
    #[error("`{id}` cannot be exported: {ONLY_HERE}")]
    OnlyHere {
        /// The plugin.
        id: PluginId,
    },
    /// There are too many files.
    #[error("the list of all files has more than {limit} bytes")]
    Index {
        /// The limit.
        limit: u64,
    },
    /// It cannot be packed.
    #[error("the archive `{path}` cannot be written")]
    Pack {
        /// The target.
        path: AbsPath,
        /// Why.
        #[source]
        source: Box<PackError>,
    },
    /// There is no such file.
    #[error("there is no archive at `{path}`")]
    NotThere {
        /// The path.
        path: AbsPath,
    },
    /// It is not the one that was meant.
    #[error("the archive `{path}` has the SHA-256 {found}, and {expected} was expected")]
    OtherArchive {
        /// The archive.
        path: AbsPath,
        /// What was expected, in hexadecimal digits.
        expected: String,
        /// What it has.
        found: String,
    },
    /// It cannot be unpacked.
    #[error("the archive `{path}` cannot be used")]
    Unpack {
        /// The archive.
        path: AbsPath,
        /// Why.
        #[source]
        source: Box<FetchError>,
    },
    /// It is no archive of ours, or its index is damaged.
    #[error("`{path}` is no export of plugins: {reason}")]
    Foreign {
        /// The archive.
        path: AbsPath,
        /// What was found.
        reason: String,
    },
    /// A newer program wrote it.
    #[error("`{path}` has format {found}, and {known} is the newest that is known")]
    Newer {
        /// The archive.
        path: AbsPath,
        /// Its format.
        found: u64,
        /// Ours.
        known: u64,
    },
    /// Something in it is not what the index or the lock in it says.
    #[error("the archive `{path}` is damaged or was changed: `{entry}` {reason}")]
    Entry {
        /// The archive.
        path: AbsPath,
        /// What of it.
        entry: String,
        /// What is wrong.
        reason: &'static str,
    },
}

impl From<ArchiveError> for Error {
    fn from(error: ArchiveError) -> Self {
        Self::Lock(LockError::Archive(error))
    }
}

impl ArchiveError {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Taken { .. } | Self::NotAFile { .. } | Self::NotExportable { .. } => {
                Kind::Conflict
            }
            Self::Nothing { .. } | Self::NotThere { .. } => Kind::NotFound,
            Self::Pack { source, .. } if source.is_cancelled() => Kind::Cancelled,
            Self::Unpack { source, .. } if matches!(**source, FetchError::GivenUp) => {
                Kind::Cancelled
            }
            Self::OnlyHere { .. }
            | Self::Index { .. }
            | Self::Pack { .. }
            | Self::OtherArchive { .. }
            | Self::Unpack { .. }
            | Self::Foreign { .. }
            | Self::Newer { .. }
            | Self::Entry { .. } => Kind::InvalidInput,
        }
    }

    pub(crate) fn facts(&self) -> Facts {
        let of_file = |path: &AbsPath| Facts {
            path: Some(path.clone()),
            ..Facts::default()
        };
        let facts = match self {
            Self::Nothing { .. } | Self::Index { .. } => Facts::default(),
            Self::NotExportable { id, .. } | Self::OnlyHere { id } => Facts {
                plugin: Some(id.to_string()),
                marketplace: Some(id.marketplace.to_string()),
                ..Facts::default()
            },
            Self::Taken { path }
            | Self::NotAFile { path }
            | Self::NotThere { path }
            | Self::OtherArchive { path, .. }
            | Self::Pack { path, .. }
            | Self::Unpack { path, .. }
            | Self::Foreign { path, .. }
            | Self::Newer { path, .. } => of_file(path),
            Self::Entry { path, entry, .. } => Facts {
                field: Some(entry.clone()),
                ..of_file(path)
            },
        };
        Facts {
            hint: Some(self.hint().to_owned()),
            ..facts
        }
    }

    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Taken { .. } => "name another file, or write over it with `--force`",
            Self::NotAFile { .. } => "name another file, such as `plugins.tar.gz`",
            Self::Nothing { .. } => "install plugins first, or name some",
            Self::NotExportable { .. } => {
                "`plugd verify` says what was changed; install it again, then export it"
            }
            Self::OnlyHere { .. } => {
                "leave it out, or install it from a marketplace that has it behind https"
            }
            Self::Index { .. } => "export the plugins in several archives",
            Self::Pack { .. } => "make room or name another place",
            Self::NotThere { .. } => "`plugd export` writes one",
            Self::OtherArchive { .. } => {
                "this is not what was exported: ask whoever gave it to you for another copy"
            }
            Self::Newer { .. } => "update this program",
            Self::Unpack { .. } | Self::Foreign { .. } | Self::Entry { .. } => {
                "copy the archive here again, or export it anew"
            }
        }
    }
}
