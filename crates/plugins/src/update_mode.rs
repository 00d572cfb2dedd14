//! How far an update goes, and what it has to be asked about.

use plugd_disk::tree::Digest;
use plugd_model::PluginId;

use crate::version_growth::Growth;

/// What an update has to be asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirm {
    /// Nothing.
    Nothing,
    /// What makes a plugin able to do more.
    Capabilities,
}

/// What to update, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateRequest {
    /// One plugin, else all that are installed.
    pub only: Option<PluginId>,
    /// Whether to only tell what would change.
    pub dry_run: bool,
    /// What to ask about.
    pub confirm: Confirm,
    /// The new copies that were asked about and agreed to.
    pub confirmed: Vec<Digest>,
}

/// How far to go.
#[derive(Debug, Clone)]
pub(crate) enum Mode {
    /// Only ask the sources; nothing is fetched.
    Look,
    /// Bring what they have.
    Bring(UpdateRequest),
}

impl Mode {
    /// Whether nothing may be changed.
    pub(crate) fn is_dry(&self) -> bool {
        match self {
            Self::Look => true,
            Self::Bring(request) => request.dry_run,
        }
    }

    /// Whether a new copy may take its place.
    pub(crate) fn agrees(&self, growth: &Growth) -> bool {
        match self {
            Self::Look => false,
            Self::Bring(request) => {
                request.confirm == Confirm::Nothing
                    || !growth.asks()
                    || request.confirmed.contains(&growth.digest)
            }
        }
    }
}
