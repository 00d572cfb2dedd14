//! What background work takes: it outlives the request that asked for it, so it owns its parts.

use std::fmt;
use std::sync::Arc;

use plugd_model::Clock;

use crate::events::Events;
use crate::follow_elsewhere::Reach;
use crate::{Blocking, Copies, Fetcher, Lookup};

/// The parts. Cloning is cheap.
#[derive(Clone)]
pub struct Parts {
    /// Where blocking work runs.
    pub blocking: Blocking,
    /// Configuration and marketplaces.
    pub lookup: Lookup,
    /// Installed copies.
    pub copies: Copies,
    /// The way to content that lies elsewhere.
    pub fetcher: Fetcher,
    /// Where changes are told.
    pub events: Events,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Parts {
    /// What asking for a plugin elsewhere takes of them.
    pub(crate) fn reach(&self) -> Reach<'_> {
        Reach {
            blocking: &self.blocking,
            lookup: &self.lookup,
            copies: &self.copies,
            fetcher: &self.fetcher,
        }
    }
}

/// Whether there is background work at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activity {
    /// As a daemon does.
    Works,
    /// A command does what it is told and nothing else.
    Rests,
}

/// When the files go that a committed operation leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sweeping {
    /// Behind the answer: for a process that stays.
    Behind,
    /// Before it, so that everything happens in one order.
    AtOnce,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").finish_non_exhaustive()
    }
}
