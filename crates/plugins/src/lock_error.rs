//! Why a lock could not be written, or a home could not be made to match it.

use plugd_model::{AbsPath, PluginId, Problem, ProblemKind};

use crate::archive_error::ArchiveError;
use crate::error_terms::{Facts, Kind};

/// Why.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// There is no lock.
    #[error("there is no lock at `{path}`")]
    NoLock {
        /// Where it was looked for, at last.
        path: AbsPath,
    },
    /// What stands there is no file.
    #[error("`{path}` is no regular file, so it is not taken for a lock")]
    NotAFile {
        /// The path.
        path: AbsPath,
    },
    /// The lock cannot be understood.
    #[error("the lock `{path}` cannot be used: {}{}", problem.message, more(*others))]
    BadLock {
        /// The file.
        path: AbsPath,
        /// The first mistake.
        problem: Box<Problem>,
        /// How many there are beside it.
        others: usize,
    },
    /// Somebody else writes the lock at the same time.
    #[error("the lock `{path}` was changed by somebody else meanwhile")]
    Contested {
        /// The file.
        path: AbsPath,
    },
    /// A plugin that was asked for by name cannot be locked.
    #[error("`{id}` cannot be locked: {}", problem.message)]
    NotLockable {
        /// The plugin.
        id: PluginId,
        /// Why.
        problem: Box<Problem>,
    },
    /// The home is not what the lock says, and may not be changed.
    #[error("the home does not match `{path}`: {}", differences.join("; "))]
    Differs {
        /// The lock.
        path: AbsPath,
        /// Each difference.
        differences: Vec<String>,
    },
    /// Something holds a plugin where the lock does not want it.
    #[error("the lock `{path}` cannot be followed: {}", conflicts.join("; "))]
    Conflicts {
        /// The lock.
        path: AbsPath,
        /// Each conflict.
        conflicts: Vec<String>,
        /// Whether the request can say that it means it.
        can_switch: bool,
    },
    /// What was brought is not what was locked.
    #[error("the content of `{id}` is not what was locked: expected {expected}, found {found}")]
    OtherContent {
        /// The plugin.
        id: PluginId,
        /// The locked digest.
        expected: String,
        /// The digest of what came.
        found: String,
    },
    /// What was brought calls itself another version.
    #[error("`{id}` was locked at {expected}, and its source has {found} there")]
    OtherVersion {
        /// The plugin.
        id: PluginId,
        /// The locked version.
        expected: String,
        /// The version of what came.
        found: String,
    },
    /// The marketplace does not offer the plugin as it did when it was locked.
    #[error("`{id}` cannot be brought as it was locked: {reason}")]
    NotOffered {
        /// The plugin.
        id: PluginId,
        /// Why.
        reason: String,
    },
    /// Something failed on the way, and not everything that was done before could be taken back.
    #[error("the lock was followed in part: {}", left.join("; "))]
    InPart {
        /// What is as the lock says now.
        left: Vec<String>,
        /// What failed.
        #[source]
        source: Box<crate::Error>,
    },
    /// What the lock names calls itself something else by now.
    #[error("the marketplace that the lock names `{name}` calls itself `{found}`")]
    Renamed {
        /// In the lock.
        name: String,
        /// In its manifest.
        found: String,
    },
    /// What an archive names would be configured under a name that nobody may use.
    #[error("the marketplace name `{name}` is reserved")]
    Reserved {
        /// In the lock.
        name: String,
    },
    /// What a lock calls curated has another name.
    #[error("the lock calls `{name}` the curated marketplace, which has another name")]
    NotCurated {
        /// In the lock.
        name: String,
    },
    /// What is switched on is not known, so neither is what the lock would be.
    #[error("the configuration cannot be read, so what is switched on is not known: {}", problem.message)]
    BrokenConfig {
        /// What is wrong with it.
        problem: Box<Problem>,
    },
    /// A lock would lose all that it says.
    #[error(
        "nothing that is installed and switched on here can be locked, and `{path}` names plugins"
    )]
    WouldBeEmpty {
        /// The lock.
        path: AbsPath,
    },
    /// It is about an archive of plugins.
    #[error(transparent)]
    Archive(ArchiveError),
    /// Another machine would have to be asked.
    #[error("without the network this cannot be had: {}", missing.join(", "))]
    Offline {
        /// What would have to be fetched.
        missing: Vec<String>,
    },
}

fn more(others: usize) -> String {
    match others {
        0 => String::new(),
        1 => " (and one more mistake)".to_owned(),
        others => format!(" (and {others} more mistakes)"),
    }
}

impl LockError {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::NoLock { .. } => Kind::NotFound,
            Self::NotAFile { .. }
            | Self::BadLock { .. }
            | Self::Reserved { .. }
            | Self::NotCurated { .. } => Kind::InvalidInput,
            Self::Contested { .. }
            | Self::NotLockable { .. }
            | Self::Differs { .. }
            | Self::Conflicts { .. }
            | Self::OtherContent { .. }
            | Self::OtherVersion { .. }
            | Self::NotOffered { .. }
            | Self::Renamed { .. }
            | Self::BrokenConfig { .. }
            | Self::WouldBeEmpty { .. } => Kind::Conflict,
            Self::InPart { source, .. } => source.kind(),
            Self::Archive(error) => error.kind(),
            Self::Offline { .. } => Kind::Unavailable,
        }
    }

    pub(crate) fn facts(&self) -> Facts {
        let of_file = |path: &AbsPath| Facts {
            path: Some(path.clone()),
            ..Facts::default()
        };
        let of_plugin = |id: &PluginId| Facts {
            plugin: Some(id.to_string()),
            marketplace: Some(id.marketplace.to_string()),
            ..Facts::default()
        };
        let facts = match self {
            Self::NoLock { path }
            | Self::NotAFile { path }
            | Self::WouldBeEmpty { path }
            | Self::Differs { path, .. }
            | Self::Conflicts { path, .. } => of_file(path),
            Self::Renamed { name, .. } | Self::Reserved { name } | Self::NotCurated { name } => {
                Facts {
                    marketplace: Some(name.clone()),
                    ..Facts::default()
                }
            }
            Self::BrokenConfig { problem } => Facts {
                path: problem.path.clone(),
                place: problem.place,
                ..Facts::default()
            },
            Self::Contested { path } => Facts {
                retryable: true,
                ..of_file(path)
            },
            Self::BadLock { path, problem, .. } => Facts {
                field: problem.field.clone(),
                place: problem.place,
                ..of_file(path)
            },
            Self::NotLockable { id, problem } => Facts {
                path: problem.path.clone(),
                ..of_plugin(id)
            },
            Self::OtherContent { id, .. }
            | Self::OtherVersion { id, .. }
            | Self::NotOffered { id, .. } => of_plugin(id),
            Self::InPart { source, .. } => source.facts(),
            Self::Archive(error) => error.facts(),
            Self::Offline { .. } => Facts::default(),
        };
        Facts {
            hint: Some(self.hint().to_owned()),
            ..facts
        }
    }

    fn hint(&self) -> &'static str {
        match self {
            Self::NoLock { .. } => "`plugd lock` writes one from what is installed here",
            Self::NotAFile { .. } => "move it away, or name another file",
            Self::BadLock { problem, .. } if problem.kind == ProblemKind::UnsupportedSchema => {
                "a newer plugd has written it; update this one"
            }
            Self::BadLock { .. } => "mend the file, or write it anew with `plugd lock`",
            Self::Contested { .. } => "ask again",
            Self::NotLockable { .. } => "install it from its marketplace, then lock it",
            Self::Differs { .. } => "`plugd sync` makes the home match the lock",
            Self::Conflicts {
                can_switch: true, ..
            } => {
                "`plugd sync --switch` (or `plugd import --switch`) follows this lock all the same, \
                 here and for every other project of this home"
            }
            Self::Conflicts { .. } => "mend what stands in the way, then ask again",
            Self::OtherContent { .. } | Self::OtherVersion { .. } => {
                "somebody changed what the source has there; when that is meant, install it and \
                 lock it again"
            }
            Self::NotOffered { .. } => "install what there is now and lock it again",
            Self::InPart { .. } => "`plugd sync` goes on from here",
            Self::Reserved { .. } => "rename the marketplace in its manifest, then export it again",
            Self::NotCurated { .. } => "mend the file, or write it anew with `plugd lock`",
            Self::Renamed { .. } => "lock the plugins of that marketplace again",
            Self::BrokenConfig { .. } => "mend the file, or name the plugins to lock",
            Self::WouldBeEmpty { .. } => "install the plugins first, or remove the file",
            Self::Archive(error) => error.hint(),
            Self::Offline { .. } => "ask again with the network",
        }
    }
}
