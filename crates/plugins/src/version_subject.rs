//! The plugin that a row about versions speaks of, while it is found out what to say.

use plugd_model::{PluginId, Problem};
use plugd_store::Pin;

use crate::standing::Standing;
use crate::version_change::{VersionChange, VersionName, VersionReason, compared};

/// The plugin that a row is about.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) id: PluginId,
    pub(crate) from: VersionName,
    pub(crate) pin: Option<Pin>,
}

impl Subject {
    pub(crate) fn of(id: &PluginId, standing: &Standing) -> Self {
        Self {
            id: id.clone(),
            from: VersionName::of(standing),
            pin: standing.pin().cloned(),
        }
    }

    /// A row of one that stays where it is.
    pub(crate) fn stays(
        self,
        reason: VersionReason,
        to: VersionName,
        problems: Vec<Problem>,
    ) -> VersionChange {
        VersionChange {
            changed: false,
            reason,
            problems,
            ..self.moves(to)
        }
    }

    /// A row of one that is what its source has.
    pub(crate) fn current(self) -> VersionChange {
        let to = self.from.clone();
        self.stays(VersionReason::Current, to, Vec::new())
    }

    /// A row of one that would move, unless something is known to hold it back.
    pub(crate) fn would_move(self, to: VersionName, held: Option<Problem>) -> VersionChange {
        match held {
            Some(held) => self.stays(VersionReason::ApprovalNeeded, to, vec![held]),
            None => self.moves(to),
        }
    }

    /// A row of one that moves, or would.
    pub(crate) fn moves(self, to: VersionName) -> VersionChange {
        VersionChange {
            reason: compared(self.from.version.as_deref(), to.version.as_deref()),
            id: self.id,
            from: self.from,
            to,
            changed: true,
            pin: self.pin,
            growth: None,
            problems: Vec::new(),
        }
    }
}
