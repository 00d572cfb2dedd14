//! Comparing the stamps of a root, a piece at a time.
//!
//! A sweep goes through a whole root and folds what it sees into one number; when that differs from
//! the number of the sweep before, something changed. So a root of any size costs the same memory,
//! and a sweep can stop after any directory and go on later. What changes behind its back is seen by
//! the next one.
//!
//! Two contents within one tick of the file system's clock can have the same stamp. The hint about
//! the first one is told only after the debounce, so whoever reads then sees the second.

use std::hash::{DefaultHasher, Hash, Hasher};

use plugd_disk::{Disk, Kind};

use crate::head::Head;
use crate::walk::{Listing, MAX_ENTRIES, Visit, Walk};
use crate::{Exclusions, WatchRoot};

/// The stamps of one root.
#[derive(Debug, Default)]
pub(crate) struct Sweep {
    running: Option<(Walk, DefaultHasher)>,
    last: Option<u64>,
}

/// What a piece of a sweep brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// There is more to look at.
    Unfinished,
    /// The end, and everything is as before; or it was the first sweep.
    Same,
    /// The end, and something changed.
    Changed,
}

impl Sweep {
    /// Whether there is something to compare with.
    pub(crate) fn has_base(&self) -> bool {
        self.last.is_some()
    }

    /// Goes on until the end of the root or until `left` entries have been looked at; a directory is
    /// always looked at as a whole.
    pub(crate) fn step(
        &mut self,
        disk: &Disk,
        root: &WatchRoot,
        exclusions: &Exclusions,
        left: &mut usize,
    ) -> Progress {
        let (mut walk, mut hasher) = match self.running.take() {
            Some(running) => running,
            None => {
                let head = Head::find(disk, root);
                let mut hasher = DefaultHasher::new();
                head.hash(&mut hasher);
                spend(left, 1);
                let Some(top) = head.tree else {
                    return self.finish(&hasher);
                };
                (Walk::of(top, root.reach), hasher)
            }
        };
        while *left > 0 {
            let Some(visit) = walk.next(disk, exclusions) else {
                return self.finish(&hasher);
            };
            spend(left, fold(disk, &visit, &mut hasher));
        }
        self.running = Some((walk, hasher));
        Progress::Unfinished
    }

    fn finish(&mut self, hasher: &DefaultHasher) -> Progress {
        let now = hasher.finish();
        match self.last.replace(now) {
            Some(before) if before != now => Progress::Changed,
            _ => Progress::Same,
        }
    }
}

fn spend(left: &mut usize, entries: usize) {
    *left = left.saturating_sub(entries);
}

/// Folds a directory in, and tells how many entries that were.
fn fold(disk: &Disk, visit: &Visit, hasher: &mut DefaultHasher) -> usize {
    visit.dir.hash(hasher);
    match &visit.listing {
        Listing::Entries(entries) => {
            for entry in entries {
                entry.name.hash(hasher);
                entry.kind.hash(hasher);
                if entry.kind != Kind::Dir {
                    let stamp = disk.link_stamp(&visit.dir.join(&entry.name));
                    stamp.ok().flatten().hash(hasher);
                }
            }
            entries.len() + 1
        }
        Listing::TooMany => {
            disk.stamp(&visit.dir).ok().flatten().hash(hasher);
            usize::try_from(MAX_ENTRIES).unwrap_or(usize::MAX)
        }
        Listing::Unreadable => {
            hasher.write_u8(0);
            1
        }
    }
}
