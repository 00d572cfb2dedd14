//! Why a plugin could not be shared or taken from a share.
//!
//! The words are the reference's where its clients match on them.

use plugd_disk::DiskError;
use plugd_fetch::{BundleAddressError, PackError};
use plugd_model::{AbsPath, Problem, RemoteIdError, RemotePluginId};

use crate::error::Error;
use crate::error_terms::{Facts, Kind};

/// Why.
#[derive(Debug, thiserror::Error)]
pub enum ShareError {
    /// Plugins are switched off, and sharing with them.
    #[error("plugin sharing is not enabled")]
    NotEnabled,
    /// Sharing itself is switched off.
    #[error("plugin sharing is disabled")]
    Disabled,
    /// A text that is no id of a share.
    #[error("invalid remote plugin id")]
    BadId {
        /// What is wrong with it.
        #[source]
        source: RemoteIdError,
    },
    /// What is asked for cannot be meant together, or not here.
    #[error("{reason}")]
    BadRequest {
        /// The member that is to be changed.
        field: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// The login does not say which workspace a link would be for.
    #[error("{action}: the login names no account, so there is no workspace to share with")]
    NoAccount {
        /// What was tried.
        action: &'static str,
    },
    /// A directory or file of this machine is not what it has to be.
    #[error("{action}: invalid plugin path `{path}`: {reason}")]
    BadPath {
        /// What was tried.
        action: &'static str,
        /// The path.
        path: AbsPath,
        /// Why.
        reason: String,
    },
    /// A file of this machine stands in the way, with the place in it.
    #[error("{action}: invalid plugin path `{path}`: {}", problem.message)]
    BadFile {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: AbsPath,
        /// What is wrong with it.
        problem: Box<Problem>,
    },
    /// The plugin could not be made an archive.
    #[error("{action}: the plugin cannot be packed")]
    Pack {
        /// What was tried.
        action: &'static str,
        /// Why.
        #[source]
        source: Box<PackError>,
    },
    /// A plugin that everybody can install is not taken as a working copy.
    #[error("{action}: remote plugin `{id}` is not available for plugin/share/checkout")]
    NotForCheckout {
        /// What was tried.
        action: &'static str,
        /// The plugin.
        id: RemotePluginId,
    },
    /// The service offers no content, or none that can be fetched.
    #[error("{action}: the service did not return a {what} for remote plugin `{id}`")]
    NothingOffered {
        /// What was tried.
        action: &'static str,
        /// The plugin.
        id: RemotePluginId,
        /// What is missing.
        what: &'static str,
    },
    /// The service names a place that nothing is fetched from.
    #[error("{action}: the bundle of remote plugin `{id}` cannot be fetched")]
    BadAddress {
        /// What was tried.
        action: &'static str,
        /// The plugin.
        id: RemotePluginId,
        /// What is wrong with it.
        #[source]
        source: BundleAddressError,
    },
    /// The content of a share is no plugin, or another one.
    #[error("{action}: the bundle of remote plugin `{id}` cannot be used: {reason}")]
    BadBundle {
        /// What was tried.
        action: &'static str,
        /// The plugin.
        id: RemotePluginId,
        /// Why.
        reason: String,
    },
    /// The content of a share could not be brought.
    #[error("{action}: the bundle of remote plugin `{id}` could not be brought")]
    Bundle {
        /// What was tried.
        action: &'static str,
        /// The plugin.
        id: RemotePluginId,
        /// Why.
        #[source]
        source: Box<Error>,
    },
    /// The file that says where shares lie cannot be written.
    #[error("{action}: where the plugin lies cannot be recorded")]
    Mapping {
        /// What was tried.
        action: &'static str,
        /// Why.
        #[source]
        source: Box<DiskError>,
    },
}

impl ShareError {
    /// Sorts the error.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::BadId { .. }
            | Self::BadRequest { .. }
            | Self::BadPath { .. }
            | Self::BadFile { .. }
            | Self::BadBundle { .. } => Kind::InvalidInput,
            Self::Pack { source, .. } => kind_of_pack(source),
            Self::NotEnabled
            | Self::Disabled
            | Self::NoAccount { .. }
            | Self::NotForCheckout { .. } => Kind::NotAllowed,
            Self::NothingOffered { .. } | Self::BadAddress { .. } => Kind::Unavailable,
            Self::Bundle { source, .. } => source.kind(),
            Self::Mapping { source, .. } if matches!(**source, DiskError::Locked { .. }) => {
                Kind::Conflict
            }
            Self::Mapping { .. } => Kind::Internal,
        }
    }

    /// What a program can act on.
    pub(crate) fn facts(&self) -> Facts {
        match self {
            Self::BadId { .. } => Facts {
                field: Some("remotePluginId".to_owned()),
                ..Facts::default()
            },
            Self::BadRequest { field, .. } => Facts {
                field: Some((*field).to_owned()),
                ..Facts::default()
            },
            Self::BadPath { path, .. } => Facts {
                path: Some(path.clone()),
                ..Facts::default()
            },
            Self::BadFile { path, problem, .. } => Facts {
                path: Some(problem.path.clone().unwrap_or_else(|| path.clone())),
                field: problem.field.clone(),
                place: problem.place,
                ..Facts::default()
            },
            Self::NotEnabled => hinted("set `features.plugins = true` in config.toml"),
            Self::Disabled => hinted("set `features.plugin_sharing = true` in config.toml"),
            Self::Pack { source, .. } => match &**source {
                PackError::Special { path } => Facts {
                    path: Some(path.clone()),
                    ..Facts::default()
                },
                _ => Facts::default(),
            },
            Self::NotForCheckout { id, .. }
            | Self::NothingOffered { id, .. }
            | Self::BadBundle { id, .. } => about(id),
            Self::BadAddress { id, .. } => about(id),
            Self::Bundle { id, source, .. } => Facts {
                plugin: Some(id.to_string()),
                ..source.facts()
            },
            Self::NoAccount { .. } | Self::Mapping { .. } => Facts::default(),
        }
    }
}

fn kind_of_pack(error: &PackError) -> Kind {
    match error {
        error if error.is_cancelled() => Kind::Cancelled,
        PackError::Special { .. }
        | PackError::Entry { .. }
        | PackError::TooLarge { .. }
        | PackError::TooDense { .. } => Kind::InvalidInput,
        PackError::Tree(_) => Kind::Internal,
    }
}

fn hinted(hint: &str) -> Facts {
    Facts {
        hint: Some(hint.to_owned()),
        ..Facts::default()
    }
}

fn about(id: &RemotePluginId) -> Facts {
    Facts {
        plugin: Some(id.to_string()),
        ..Facts::default()
    }
}
