//! Why a version could not be named, pinned or brought back.

use plugd_model::PluginId;

use crate::error::Error;
use crate::error_terms::{Facts, Kind};

/// Why.
#[derive(Debug, thiserror::Error)]
pub enum VersionRefusal {
    /// Nothing that is kept has this name.
    #[error("`{}` names no kept version of plugin `{id}`; {}", wanted.escape_debug(), kept_text(kept))]
    NotKept {
        /// The plugin.
        id: PluginId,
        /// What was asked for.
        wanted: String,
        /// What is kept.
        kept: Vec<String>,
    },
    /// Nothing is known to have stood there before, or it is gone.
    #[error(
        "the version of plugin `{id}` before this one is not kept; {}",
        kept_text(kept)
    )]
    NoPredecessor {
        /// The plugin.
        id: PluginId,
        /// What is kept.
        kept: Vec<String>,
    },
    /// Several kept versions have this name.
    #[error(
        "`{}` names several kept versions of plugin `{id}`: {}",
        wanted.escape_debug(), found.join(", ")
    )]
    Ambiguous {
        /// The plugin.
        id: PluginId,
        /// What was asked for.
        wanted: String,
        /// What it names.
        found: Vec<String>,
    },
    /// A pin must name what is installed.
    #[error("plugin `{id}` is not installed as {field} `{}`, but as {installed}", wanted.escape_debug())]
    NotInstalledAs {
        /// The plugin.
        id: PluginId,
        /// Which of its names was given.
        field: &'static str,
        /// What was asked for.
        wanted: String,
        /// What is installed.
        installed: String,
    },
    /// Only one of some members may be given.
    #[error("`{field}` cannot be given together with `{other}`")]
    Together {
        /// The one.
        field: &'static str,
        /// The other.
        other: &'static str,
    },
    /// The source of a plugin does not have what the request names.
    #[error("plugin `{id}` is not offered as {field} `{}`: {reason}", wanted.escape_debug())]
    NotOffered {
        /// The plugin.
        id: PluginId,
        /// Which of its names was given.
        field: &'static str,
        /// What was asked for.
        wanted: String,
        /// What there is instead.
        reason: String,
    },
}

/// What is kept, for a message.
fn kept_text(kept: &[String]) -> String {
    match kept {
        [] => "nothing is kept".to_owned(),
        kept => format!("kept: {}", kept.join(", ")),
    }
}

impl VersionRefusal {
    /// Sorts the error.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotKept { .. }
            | Self::NoPredecessor { .. }
            | Self::NotInstalledAs { .. }
            | Self::NotOffered { .. } => Kind::NotFound,
            Self::Ambiguous { .. } | Self::Together { .. } => Kind::InvalidInput,
        }
    }

    /// What it is about.
    #[must_use]
    pub fn facts(&self) -> Facts {
        let (id, field) = match self {
            Self::NotKept { id, .. } | Self::Ambiguous { id, .. } => (Some(id), Some("to")),
            Self::NoPredecessor { id, .. } => (Some(id), None),
            Self::NotInstalledAs { id, field, .. } | Self::NotOffered { id, field, .. } => {
                (Some(id), Some(*field))
            }
            Self::Together { field, .. } => (None, Some(*field)),
        };
        Facts {
            plugin: id.map(ToString::to_string),
            marketplace: id.map(|id| id.marketplace.to_string()),
            field: field.map(str::to_owned),
            hint: self.hint(),
            ..Facts::default()
        }
    }

    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::NotKept { kept, .. } | Self::NoPredecessor { kept, .. } if kept.is_empty() => {
                "what was never replaced, and what `keep_versions` of plugd.toml does not keep, \
                 has to be installed again"
            }
            Self::NotKept { .. } | Self::NoPredecessor { .. } => "name one of those that are kept",
            Self::Ambiguous { .. } => "give more of the digest",
            Self::NotInstalledAs { .. } => {
                "plugd/rollback brings a kept version back, plugin/install with a version another \
                 one, and both pin it"
            }
            Self::Together { .. } | Self::NotOffered { .. } => return None,
        };
        Some(text.to_owned())
    }
}

impl From<VersionRefusal> for Error {
    fn from(refusal: VersionRefusal) -> Self {
        Self::Version(Box::new(refusal))
    }
}
