//! What a look at many files depends on, so that its outcome can be kept as long as that is as it was.
//!
//! Invariants:
//! - The stamp of each path is taken before the look touches it. What changes in between makes the
//!   testimony out of date, never the outcome.
//! - A look that writes, takes locks, or meets a link has no testimony: what lies behind a link can
//!   change and the link stays as it is.
//! - What is left is what every stamp leaves: a file that is rewritten in place with the same number of
//!   bytes within the tick of the clock in which it was read.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use plugd_model::AbsPath;

use crate::{Disk, Kind, Operation, OperationKind, Probe, Stamp};

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
    /// What was touched, when all of it can be told by its stamps.
    #[must_use]
    pub fn testimony(&self) -> Option<Testimony> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let stamps = std::mem::take(&mut seen.stamps);
        (!seen.is_unsure).then(|| Testimony(stamps.into_iter().collect()))
    }
}

impl Probe for Witness {
    fn before(&self, operation: &Operation<'_>) -> io::Result<()> {
        self.disk.ask_probe(operation)?;
        let looks = matches!(
            operation.kind,
            OperationKind::Read | OperationKind::Stat | OperationKind::List
        );
        let stamp = match looks {
            true => self.disk.link_stamp(operation.path).ok(),
            false => None,
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(stamp) = stamp.filter(|stamp| stamp.is_none_or(|it| it.kind != Kind::Link)) else {
            seen.is_unsure = true;
            return Ok(());
        };
        match seen.stamps.get(operation.path) {
            Some(before) => seen.is_unsure |= *before != stamp,
            None => {
                seen.stamps.insert(operation.path.clone(), stamp);
            }
        }
        Ok(())
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
