//! What plugins' directories were found to hold, remembered as long as nobody has touched them.
//!
//! A look at an installed plugin lists two directories and reads its record, and a listing has one for
//! each plugin of the home. So a copy that looked as it should is looked at again only when the stamp of
//! its directory, of the active version's, of its record or of its mark has changed. As with directories
//! (see `contents`), what changed in the last moments is not remembered, and neither is what hangs on a
//! link or has something wrong with it. Whoever decides by what is recorded reads it each time.
//!
//! A listing does without the stamps where the system vouches for what they are of (see `vouched`).

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plugd_disk::{Kind, Stamp, is_settled};
use plugd_model::{AbsPath, Layout, PluginId};

use crate::vouched::{Around, Vouching};
use crate::{Identity, Installed, Store};

/// More plugins than any home has; beyond it everything is forgotten rather than kept for ever.
const MAX_PLUGINS: usize = 10_000;

/// What was found in this process.
#[derive(Default)]
pub(crate) struct Looks {
    known: Mutex<HashMap<PluginId, Known>>,
    /// What is asked for again and again, and might be watched.
    due: Mutex<HashSet<PluginId>>,
}

struct Known {
    stamps: Stamps,
    found: Installed,
    vouching: Vouching,
}

/// The stamps of all that a look hangs on.
#[derive(Debug, PartialEq)]
pub(crate) struct Stamps {
    dir: Stamp,
    version: Stamp,
    record: Option<Stamp>,
    mark: Option<Stamp>,
}

impl Stamps {
    /// Takes them. Nothing when one of them says too little: where a link stands, something may change
    /// without its stamp.
    pub(crate) fn of(store: &Store, id: &PluginId, version: &AbsPath) -> Option<Self> {
        let unmarked = Self::of_unmarked(store, id, version)?;
        let mark = store.layout().plugin_dir(id).join(Layout::REMOTE_SIDECAR);
        let mark = store.disk().link_stamp(&mark).ok()?;
        let is_plain = mark.is_none_or(|mark| mark.kind == Kind::File);
        is_plain.then_some(Self { mark, ..unmarked })
    }

    /// The same of a plugin that had no mark. One that comes changes the stamp of the directory.
    fn of_unmarked(store: &Store, id: &PluginId, version: &AbsPath) -> Option<Self> {
        let stamp = |path: &AbsPath| store.disk().link_stamp(path).ok();
        let stamps = Self {
            dir: stamp(&store.layout().plugin_dir(id))??,
            version: stamp(version)??,
            record: stamp(&store.layout().record(id))?,
            mark: None,
        };
        let is_plain = [stamps.dir, stamps.version].map(|dir| dir.kind) == [Kind::Dir; 2]
            && stamps.record.is_none_or(|record| record.kind == Kind::File);
        is_plain.then_some(stamps)
    }

    /// Whether the directory is still the one that was there in front of them.
    pub(crate) fn are_of(&self, directory: Option<Identity>) -> bool {
        directory.is_some_and(|directory| directory.is(&Identity::of(&self.dir)))
    }

    /// Whether what they speak of has stood long enough.
    fn are_settled(&self, now: Duration) -> bool {
        let all = [Some(self.dir), Some(self.version), self.record, self.mark];
        all.into_iter()
            .flatten()
            .all(|stamp| is_settled(stamp.changed_ns.max(stamp.modified_ns), now))
    }
}

impl Looks {
    /// What was found when it was looked at last, if nothing has changed since.
    pub(crate) fn again(&self, store: &Store, id: &PluginId) -> Option<Installed> {
        let remembered = |known: &Known| (known.found.root.clone(), known.stamps.mark.is_some());
        let (root, is_marked) = self.lock().get(id).map(remembered)?;
        let stamps = match is_marked {
            true => Stamps::of(store, id, &root),
            false => Stamps::of_unmarked(store, id, &root),
        }?;
        let known = self.lock();
        let known = known.get(id).filter(|known| known.stamps == stamps)?;
        if known.found.root != root {
            return None;
        }
        if known.is_due() {
            self.due().insert(id.clone());
        }
        Some(known.found.clone())
    }

    /// The same where the system vouches for it, without a look.
    pub(crate) fn untouched(&self, id: &PluginId, around: &Around) -> Option<Installed> {
        let known = self.lock();
        let known = known.get(id)?;
        let is_untouched = known.vouching.is_quiet_in(around);
        is_untouched.then(|| known.found.clone())
    }

    /// Whether the system vouches for any copy.
    pub(crate) fn are_some_vouched_for(&self) -> bool {
        self.lock().values().any(|known| known.vouching.is_quiet())
    }

    /// Whether there are copies to be put under watch.
    pub(crate) fn has_due(&self) -> bool {
        !self.due().is_empty()
    }

    /// Takes some of those, and tells whether there are more.
    pub(crate) fn take_due(&self, at_most: usize) -> (Vec<PluginId>, bool) {
        let mut due = self.due();
        let some: Vec<_> = due.iter().take(at_most).cloned().collect();
        for id in &some {
            due.remove(id);
        }
        (some, !due.is_empty())
    }

    /// Puts what is remembered of a copy under watch, unless it is no longer what is there.
    pub(crate) fn watch(&self, store: &Store, id: &PluginId) {
        let root = |known: &Known| known.is_due().then(|| known.found.root.clone());
        let Some(root) = self.lock().get(id).and_then(root) else {
            return;
        };
        let vouching = Vouching::begin(store, id, &root);
        // What is watched must be what was looked at.
        let Some(stamps) = Stamps::of(store, id, &root) else {
            return;
        };
        if let Some(known) = self.lock().get_mut(id)
            && known.stamps == stamps
            && known.found.root == root
        {
            known.vouching = vouching;
        }
    }

    /// Keeps what a look has found that did not begin before `now`, with the stamps that it hangs on.
    pub(crate) fn keep(&self, found: &Installed, stamps: Option<Stamps>, now: Duration) {
        let stamps = stamps.filter(|stamps| stamps.are_settled(now));
        let stamps = stamps.filter(|_| found.problems.is_empty());
        let mut known = self.lock();
        match stamps {
            Some(stamps) => {
                if known.len() >= MAX_PLUGINS {
                    known.clear();
                }
                let known_by_now = Known {
                    stamps,
                    found: found.clone(),
                    vouching: Vouching::NotYet,
                };
                known.insert(found.id.clone(), known_by_now);
            }
            None => {
                known.remove(&found.id);
            }
        }
    }

    /// Forgets the copies that a listing of all has not found, and with them their watches.
    pub(crate) fn forget_others(&self, listed: &[Installed]) {
        let is_listed = |id: &PluginId| listed.binary_search_by(|one| one.id.cmp(id)).is_ok();
        let mut known = self.lock();
        if known.len() > listed.len() {
            known.retain(|id, _| is_listed(id));
        }
    }

    /// Held for a map operation, in which watches may end: the lock of the vigil is taken inside this one, and
    /// never the other way round.
    fn lock(&self) -> MutexGuard<'_, HashMap<PluginId, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Held for a set operation, also inside the other one.
    fn due(&self) -> MutexGuard<'_, HashSet<PluginId>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Whether it may be watched and is not. Of a file that is not there nobody tells when it comes, but a
    /// mark comes into a directory that is watched.
    fn is_due(&self) -> bool {
        self.stamps.record.is_some() && self.stamps.mark.is_none() && self.vouching.may_begin()
    }
}

#[cfg(test)]
#[path = "looks_tests.rs"]
mod tests;
