//! What plugins' directories were found to hold, remembered as long as nobody has touched them.
//!
//! A look at an installed plugin lists two directories and reads its record, and a listing has one for
//! each plugin of the home. So a copy that looked as it should is looked at again only when the stamp of
//! its directory, of the active version's, of its record or of its mark has changed. As with directories
//! (see `contents`), what changed in the last moments is not remembered, and neither is what hangs on a
//! link or has something wrong with it. Whoever decides by what is recorded reads it each time.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plugd_disk::{Kind, Stamp, is_settled};
use plugd_model::{AbsPath, Layout, PluginId};

use crate::{Identity, Installed, Store};

/// More plugins than any home has; beyond it everything is forgotten rather than kept for ever.
const MAX_PLUGINS: usize = 10_000;

/// What was found in this process.
#[derive(Default)]
pub(crate) struct Looks {
    known: Mutex<HashMap<PluginId, Known>>,
}

struct Known {
    stamps: Stamps,
    found: Installed,
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
        (known.found.root == root).then(|| known.found.clone())
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
                let found = found.clone();
                known.insert(found.id.clone(), Known { stamps, found });
            }
            None => {
                known.remove(&found.id);
            }
        }
    }

    /// Held for a map operation only.
    fn lock(&self) -> MutexGuard<'_, HashMap<PluginId, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "looks_tests.rs"]
mod tests;
