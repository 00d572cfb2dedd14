//! Why a directory could not be linked, or a link not be ended.

use plugd_disk::DiskError;
use plugd_model::{AbsPath, PluginId};

use crate::error_terms::{Facts, Kind};

/// Why.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The manifest calls the plugin something that can stand in no id.
    #[error("the plugin in {path} is called `{}`, which cannot be the name of an id", name.escape_debug())]
    BadName {
        /// The name.
        name: String,
        /// The directory.
        path: AbsPath,
    },
    /// The directory holds another plugin than the one that was asked for.
    #[error("the plugin in {path} is called `{}` and cannot stand in for `{id}`", name.escape_debug())]
    OtherName {
        /// What was asked for.
        id: PluginId,
        /// What the manifest says.
        name: String,
        /// The directory.
        path: AbsPath,
    },
    /// What the account has is not replaced here.
    #[error("`{id}` belongs to the remote catalog, so no directory can stand in for it")]
    OfAccount {
        /// The plugin.
        id: PluginId,
    },
    /// Several known plugins have the name.
    #[error("several plugins are called `{}`: {}", name, ids.join(", "))]
    Ambiguous {
        /// The name.
        name: String,
        /// Their ids.
        ids: Vec<String>,
    },
    /// The directory belongs to the home directory, whose files are written, or holds it.
    #[error("{path} cannot be linked: it holds files of the home directory, or is one of them")]
    InHome {
        /// The directory.
        path: AbsPath,
    },
    /// Nothing is linked there.
    #[error("`{what}` is not linked")]
    NotLinked {
        /// The plugin or the directory.
        what: String,
    },
    /// The file of the links cannot be read or written.
    #[error("the links in {path} cannot be read or written")]
    File {
        /// The file.
        path: AbsPath,
        /// Why.
        #[source]
        source: Box<DiskError>,
    },
    /// The file of the links is no JSON object.
    #[error("the links in {path} cannot be understood")]
    Syntax {
        /// The file.
        path: AbsPath,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A newer program has written the file.
    #[error("the links in {path} have format {found}, which is newer than this program")]
    TooNew {
        /// The file.
        path: AbsPath,
        /// Its format.
        found: u64,
    },
}

impl LinkError {
    /// Sorts the error.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::BadName { .. }
            | Self::OtherName { .. }
            | Self::OfAccount { .. }
            | Self::Ambiguous { .. }
            | Self::InHome { .. } => Kind::InvalidInput,
            Self::NotLinked { .. } => Kind::NotFound,
            Self::File { source, .. } if matches!(**source, DiskError::Locked { .. }) => {
                Kind::Conflict
            }
            Self::File { .. } | Self::Syntax { .. } | Self::TooNew { .. } => Kind::Internal,
        }
    }

    /// What a program can act on.
    pub(crate) fn facts(&self) -> Facts {
        let at = |path: &AbsPath| Facts {
            path: Some(path.clone()),
            ..Facts::default()
        };
        match self {
            Self::OtherName { id, path, .. } => Facts {
                plugin: Some(id.to_string()),
                field: Some("pluginId".to_owned()),
                ..at(path)
            },
            Self::OfAccount { id } => Facts {
                plugin: Some(id.to_string()),
                field: Some("pluginId".to_owned()),
                hint: Some("leave `pluginId` out, and it is a plugin of its own".to_owned()),
                ..Facts::default()
            },
            Self::Ambiguous { .. } => Facts {
                field: Some("pluginId".to_owned()),
                hint: Some("say which one by its id".to_owned()),
                ..Facts::default()
            },
            Self::BadName { path, .. } | Self::InHome { path } => Facts {
                field: Some("path".to_owned()),
                ..at(path)
            },
            Self::NotLinked { what } => Facts {
                plugin: PluginId::parse(what).ok().map(|id| id.to_string()),
                hint: Some("`plugd plugin list` shows what is linked".to_owned()),
                ..Facts::default()
            },
            Self::File { path, source } => Facts {
                retryable: matches!(**source, DiskError::Locked { .. }),
                ..at(path)
            },
            Self::Syntax { path, source } => Facts {
                hint: Some("mend the file, or remove it to end all links".to_owned()),
                place: u32::try_from(source.line())
                    .ok()
                    .map(|line| plugd_model::Place {
                        line,
                        column: u32::try_from(source.column()).unwrap_or(u32::MAX),
                    }),
                ..at(path)
            },
            Self::TooNew { path, .. } => at(path),
        }
    }
}
