//! Why nothing could be begun.

use plugd_model::AbsPath;

use crate::error_terms::{Facts, Kind};

/// Why.
#[derive(Debug, thiserror::Error)]
pub enum ScaffoldError {
    /// Not every program would understand the name.
    #[error("`{}` cannot be the name of a new {what}: {reason}", name.escape_debug())]
    BadName {
        /// What it would be.
        what: &'static str,
        /// The name.
        name: String,
        /// Why.
        reason: &'static str,
    },
    /// What is there is never overwritten.
    #[error("{path} exists already, and nothing that exists is overwritten")]
    InTheWay {
        /// What is there.
        path: AbsPath,
    },
}

impl ScaffoldError {
    /// Sorts the error.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::BadName { .. } => Kind::InvalidInput,
            Self::InTheWay { .. } => Kind::Conflict,
        }
    }

    /// What a program can act on.
    pub(crate) fn facts(&self) -> Facts {
        match self {
            Self::BadName { .. } => Facts::default(),
            Self::InTheWay { path } => Facts {
                path: Some(path.clone()),
                hint: Some("choose another name, or another place with `--dir`".to_owned()),
                ..Facts::default()
            },
        }
    }
}
