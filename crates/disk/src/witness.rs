//! What a look at many files depends on, so that its outcome can be kept as long as that is as it was.
//!
//! Invariants:
//! - The stamp of each path is taken before the look touches it. What changes in between makes the
//!   testimony out of date, never the outcome.
//! - A look that writes, takes locks, or meets a link has no testimony: what lies behind a link can
//!   change and the link stays as it is. Nor has one that met what has just changed, which can change
//!   once more without its stamp telling.
//! - That the system refused to read something is not seen here: a refusal can end and no stamp changes.
//!   Whoever keeps an outcome must not keep one with a refusal in it.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plugd_model::AbsPath;

use crate::{Disk, Kind, Operation, OperationKind, Probe, Stamp, is_settled};

/// Notes what a look touches.
pub struct Witness {
    /// The disk itself, for stamps.
    disk: Disk,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    stamps: HashMap<AbsPath, Option<Stamp>>,
    /// Whether something was met that no stamp tells of.
    is_unsure: bool,
}

/// What a look depended on.
#[derive(Debug)]
pub struct Testimony(Vec<(AbsPath, Option<Stamp>)>);

impl Disk {
    /// The same disk with somebody who notes what is touched through it.
    #[must_use]
    pub fn witnessed(&self) -> (Self, Arc<Witness>) {
        let witness = Arc::new(Witness {
            disk: self.clone(),
            seen: Mutex::default(),
        });
        let probe: Arc<dyn Probe> = Arc::<Witness>::clone(&witness);
        (self.with_probe(probe), witness)
    }
}

impl Witness {
    /// What was touched, when all of it can be told by its stamps. `now` is the time before the look.
    #[must_use]
    pub fn testimony(&self, now: Duration) -> Option<Testimony> {
        let mut seen = self.seen();
        let stamps = std::mem::take(&mut seen.stamps);
        let is_old = |stamp: &Stamp| is_settled(stamp.changed_ns.max(stamp.modified_ns), now);
        let is_sure = !seen.is_unsure && stamps.values().flatten().all(is_old);
        is_sure.then(|| Testimony(stamps.into_iter().collect()))
    }

    /// Held for a few assignments only; a panic leaves no broken promise behind.
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Probe for Witness {
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        let asked = self.disk.ask_probe(operation);
        let looks = matches!(
            operation.kind,
            OperationKind::Read | OperationKind::Stat | OperationKind::List
        );
        let stamp = match looks && asked.is_ok() {
            true => self.disk.link_stamp(operation.path).ok(),
            false => None,
        };
        let mut seen = self.seen();
        let Some(stamp) = stamp.filter(|stamp| stamp.is_none_or(|it| it.kind != Kind::Link)) else {
            seen.is_unsure = true;
            return asked;
        };
        match seen.stamps.get(operation.path) {
            Some(before) => seen.is_unsure |= *before != stamp,
            None => {
                seen.stamps.insert(operation.path.clone(), stamp);
            }
        }
        asked
    }
}

impl Testimony {
    /// Whether everything is as it was: one look at each path.
    #[must_use]
    pub fn holds(&self, disk: &Disk) -> bool {
        self.0
            .iter()
            .all(|(path, stamp)| disk.link_stamp(path).is_ok_and(|now| now == *stamp))
    }

    /// How many paths it is about.
    #[must_use]
    pub fn size(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
#[path = "witness_tests.rs"]
mod tests;
