//! The store itself: what every operation needs. All that it remembers between two is what files
//! were found to hold, which makes the next look cheaper and never another one.

use std::sync::Arc;

use plugd_disk::{Disk, FileLock, Patience};
use plugd_model::{Clock, Layout, RandomNames};

use crate::contents::Contents;
use crate::known_sources::KnownSources;
use crate::looks::Looks;
use crate::named::Named;
use crate::sweeper::Sweeper;
use crate::{ConfigUndo, StoreError};

/// The installed plugins of one home directory. Cloning is cheap, and no state is cached: two stores
/// of one home, in one process or in two, see the same.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) disk: Disk,
    pub(crate) layout: Layout,
    pub(crate) names: Arc<dyn RandomNames>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) config: Arc<dyn ConfigUndo>,
    pub(crate) contents: Contents,
    pub(crate) sources: KnownSources,
    pub(crate) looks: Looks,
    pub(crate) named: Named,
    pub(crate) sweeper: Arc<Sweeper>,
}

impl Store {
    /// A store over a home directory. Touches nothing.
    ///
    /// `config` takes back edits of configuration when a transaction is undone. It belongs to the
    /// store and not to a call because undoing starts by itself: on drop, and when an operation
    /// finds the remains of a crash.
    #[must_use]
    pub fn new(
        disk: Disk,
        layout: Layout,
        names: Arc<dyn RandomNames>,
        clock: Arc<dyn Clock>,
        config: Arc<dyn ConfigUndo>,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                disk,
                layout,
                names,
                clock,
                config,
                contents: Contents::default(),
                sources: KnownSources::default(),
                looks: Looks::default(),
                named: Named::default(),
                sweeper: Arc::default(),
            }),
        }
    }

    /// The paths it works on.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.inner.layout
    }

    pub(crate) fn disk(&self) -> &Disk {
        &self.inner.disk
    }

    /// The time, in seconds since the epoch, as everything here is dated by it.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.inner.clock.now().as_secs()
    }

    /// The lock over everything that changes what readers see.
    pub(crate) fn lock<'a>(
        &self,
        patience: impl Into<Patience<'a>>,
    ) -> Result<FileLock, StoreError> {
        Ok(self.disk().lock(&self.layout().lock("store"), patience)?)
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("home", self.layout().home())
            .finish_non_exhaustive()
    }
}
