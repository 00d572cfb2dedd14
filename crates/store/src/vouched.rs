//! Installed copies that need no look, because the system vouches for all that a look would hang on.
//!
//! A stamp costs a call of the system, and a listing takes three for each copy that is remembered. Where the
//! system tells of every change, one question serves all of them.
//!
//! Invariants:
//! - The watches over a copy had begun before its stamps were found to be those that it is remembered by, and
//!   they were quiet when the listing began.
//! - The way to a copy is not watched. The directories around plugins and around records are looked at, once for
//!   each listing and marketplace, and must be those that they were in front of the watches and behind them.
//! - Nobody waits for a watch to begin: who looks at a copy again leaves a note, and [`Store::watch_due`] is
//!   called behind the answers.

use plugd_disk::{Kind, Watch};
use plugd_model::{AbsPath, MarketplaceName, PluginId};

use crate::{Identity, Store};

/// Whether the system tells of changes of a copy.
pub(crate) enum Vouching {
    /// It has not been asked to.
    NotYet,
    /// It does not, and is not asked again.
    Refused,
    /// It does, unless it has told of one.
    Begun(Voucher),
}

/// The watches over a plugin's directory, its active version and its record.
pub(crate) struct Voucher {
    watches: [Watch; 3],
    around: Around,
}

/// The directories that plugins and records of a marketplace lie in, whatever their paths are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Around {
    plugins: Identity,
    records: Identity,
}

/// What one listing sees of installed copies. It must not outlive the listing.
pub(crate) struct Glance {
    /// Whether the system vouches for any of them.
    some: bool,
}

impl Vouching {
    /// Asks the system to tell of changes of a copy.
    pub(crate) fn begin(store: &Store, id: &PluginId, root: &AbsPath) -> Self {
        let around = Around::of(store, &id.marketplace);
        // Directories first, so that nothing in them can be exchanged unheard.
        let watches = [
            (&store.layout().plugin_dir(id), Kind::Dir),
            (root, Kind::Dir),
            (&store.layout().record(id), Kind::File),
        ]
        .map(|(path, kind)| store.disk().vigil().watch(store.disk(), path, kind));
        if around != Around::of(store, &id.marketplace) {
            // The watches may be over what lay there before.
            return Self::NotYet;
        }
        match (watches, around) {
            ([Some(dir), Some(version), Some(record)], Some(around)) => Self::Begun(Voucher {
                watches: [dir, version, record],
                around,
            }),
            _ => Self::Refused,
        }
    }

    /// Whether nothing has been told of the copy.
    pub(crate) fn is_quiet(&self) -> bool {
        matches!(self, Self::Begun(voucher) if voucher.is_quiet())
    }

    /// Whether it lies where it lay, besides.
    pub(crate) fn is_quiet_in(&self, around: &Around) -> bool {
        matches!(self, Self::Begun(voucher) if voucher.is_quiet() && voucher.around == *around)
    }

    /// Whether the system may be asked, or asked again.
    pub(crate) fn may_begin(&self) -> bool {
        match self {
            Self::NotYet => true,
            Self::Refused => false,
            Self::Begun(voucher) => !voucher.is_quiet(),
        }
    }
}

impl Voucher {
    fn is_quiet(&self) -> bool {
        self.watches.iter().all(Watch::is_quiet)
    }
}

impl Glance {
    /// What stands around the copies of a marketplace, when that matters.
    pub(crate) fn around(&self, store: &Store, marketplace: &MarketplaceName) -> Option<Around> {
        match self.some {
            true => Around::of(store, marketplace),
            false => None,
        }
    }
}

impl Around {
    fn of(store: &Store, marketplace: &MarketplaceName) -> Option<Self> {
        // From inside, because what may not be gone through hides what is in it.
        let of = |dir: &AbsPath| {
            let stamp = store.disk().stamp_from_inside(dir).ok()??;
            Some(Identity::of(&stamp))
        };
        let layout = store.layout();
        Some(Self {
            plugins: of(&layout.cache().join(marketplace.as_str()))?,
            records: of(&layout.records().join(marketplace.as_str()))?,
        })
    }
}

impl Store {
    /// A glance at what has changed so far.
    pub(crate) fn glance(&self) -> Glance {
        self.disk().vigil().catch_up();
        Glance {
            some: self.inner.looks.are_some_vouched_for(),
        }
    }

    /// Whether there are copies to be put under watch.
    #[must_use]
    pub fn has_due(&self) -> bool {
        self.inner.looks.has_due()
    }

    /// Puts some of the copies under watch that are looked at again and again, and tells whether more of them
    /// wait. It costs more than a look at each, so it is for a moment in which nobody waits.
    pub fn watch_due(&self, at_most: usize) -> bool {
        let (some, more) = self.inner.looks.take_due(at_most);
        // A watch that was loud is known as such.
        self.disk().vigil().catch_up();
        for id in &some {
            self.inner.looks.watch(self, id);
        }
        more
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
#[path = "vouched_tests.rs"]
mod tests;
