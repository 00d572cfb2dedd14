//! Why an installation happens, and what follows from that: what is recorded, what becomes of the
//! configuration and of the pin.

use plugd_disk::tree::Digest;
use plugd_store::{InstalledBy, Pin, PinChange};

use crate::Sight;
use crate::trust::Word;

/// Why a copy is brought.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Why<'a> {
    /// A client asked: the plugin is switched on as well.
    Request,
    /// A client asked for what its source has: how it is switched stays as it is.
    Update,
    /// It is configured in one of these scopes, which is asked again under the lock: an uninstall
    /// may have come first. Configuration is never touched.
    Configured {
        /// The scopes.
        scopes: &'a [Sight],
        /// The foreign copy that this replaces, when it is a repair.
        repaired_from: Option<Digest>,
    },
    /// An account has it, or is about to. That switches it on too, so configuration says nothing.
    Account {
        /// What it is recorded as.
        by: InstalledBy,
    },
    /// An account has its counterpart, so it is switched here as it is there.
    State {
        /// How.
        enabled: bool,
    },
    /// A lock names exactly this one, and holds it from now on.
    Lock {
        /// What it is held at.
        pin: &'a Pin,
        /// Whether it is switched on; one that is configured already stays as it is.
        switches_on: bool,
        /// What it is recorded as.
        by: InstalledBy,
        /// Who says that it comes from its marketplace.
        word: Word,
    },
}

impl Why<'_> {
    pub(crate) fn recorded(self) -> InstalledBy {
        match self {
            Self::Request | Self::Update => InstalledBy::Request,
            Self::Configured { .. } => InstalledBy::Refresh,
            Self::Account { by } => by,
            Self::State { .. } => InstalledBy::Sync,
            Self::Lock { by, .. } => by,
        }
    }

    /// The pin that a lock sets; any other reason leaves that to the request.
    pub(crate) fn pin(self) -> Option<PinChange> {
        match self {
            Self::Lock { pin, .. } => Some(PinChange::Set(pin.clone())),
            Self::Request
            | Self::Update
            | Self::Configured { .. }
            | Self::Account { .. }
            | Self::State { .. } => None,
        }
    }

    pub(crate) fn repaired_from(self) -> Option<Digest> {
        match self {
            Self::Request
            | Self::Update
            | Self::Account { .. }
            | Self::State { .. }
            | Self::Lock { .. } => None,
            Self::Configured { repaired_from, .. } => repaired_from,
        }
    }

    /// Whether the plugin is switched in configuration.
    pub(crate) fn configures(self) -> bool {
        match self {
            Self::Request | Self::State { .. } => true,
            Self::Update | Self::Configured { .. } | Self::Account { .. } => false,
            Self::Lock { switches_on, .. } => switches_on,
        }
    }

    /// How, if it is.
    pub(crate) fn enabled(self) -> bool {
        !matches!(self, Self::State { enabled: false })
    }
}
