//! Why a root is polled although messages of the system were wanted.

use plugd_model::{Problem, ProblemKind, error_chain};

use crate::WatchRoot;
use crate::native::ArmError;
use crate::plan::TooLarge;

/// The reason.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fallback {
    /// The options say so, and nobody needs to be told.
    #[error("polling was chosen")]
    Chosen,
    /// The tree is too large.
    #[error("there are more directories than may be watched, or more entries in one of them")]
    TooLarge,
    /// It lies where others may change it without this system noticing.
    #[error("its file system does not tell of every change")]
    Silent,
    /// The system does not watch one of its directories.
    #[error(transparent)]
    Unarmed(#[from] ArmError),
}

impl From<TooLarge> for Fallback {
    fn from(_: TooLarge) -> Self {
        Self::TooLarge
    }
}

impl Fallback {
    /// What a person is told.
    pub(crate) fn problem(&self, root: &WatchRoot) -> Option<Problem> {
        let kind = match self {
            Self::Chosen => return None,
            Self::TooLarge => ProblemKind::TooLarge,
            Self::Silent | Self::Unarmed(_) => ProblemKind::Unwatched,
        };
        let message = format!(
            "changes are looked for from time to time only: {}",
            error_chain(self)
        );
        Some(Problem::warning(kind, message).in_file(&root.path))
    }
}
