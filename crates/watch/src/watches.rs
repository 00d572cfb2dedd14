//! The watches that the system has been asked for.
//!
//! Invariant: what is noted here as armed is armed, or a message about its end is on the way.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use plugd_model::AbsPath;

use crate::head::Identity;
use crate::native::{ArmError, Start, System};
use crate::plan::Plan;
use crate::shared::Shared;

/// The watched directories.
pub(crate) struct Watches {
    start: Start,
    shared: Arc<Shared>,
    system: Option<Box<dyn System>>,
    /// Which directory was watched under a path, and whether with everything below it.
    armed: HashMap<AbsPath, (Identity, bool)>,
}

impl Watches {
    /// No watches. The system is started with the first one.
    pub(crate) fn new(start: Start, shared: Arc<Shared>) -> Self {
        Self {
            start,
            shared,
            system: None,
            armed: HashMap::new(),
        }
    }

    /// Has everything watched that a plan needs, and tells how many watches are new. A directory
    /// that is gone again is left out: its parent tells of that.
    ///
    /// # Errors
    /// The system does not watch one of them; those before it stay watched.
    pub(crate) fn arm(&mut self, plan: &Plan) -> Result<usize, ArmError> {
        let mut new = 0;
        for (dir, identity, deep) in plan.watches() {
            match self.armed.get(dir) {
                Some(&(armed, reach)) if armed == identity && (reach || !deep) => continue,
                // Another directory stands there now, or more of it is wanted.
                Some(_) => self.disarm(dir),
                None => {}
            }
            match self.system()?.arm(dir, deep) {
                Ok(()) => {
                    self.armed.insert(dir.clone(), (identity, deep));
                    new += 1;
                }
                Err(ArmError::Gone) => {}
                // Nothing below can be seen by anybody, and the parent tells when that changes. On
                // the way to a root it is different: names may be used without being listed.
                Err(ArmError::Denied) if !plan.is_on_the_way(dir) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(new)
    }

    /// Drops the watches at and below these paths, and tells which there were. The system has ended
    /// them already, or they now watch a directory that has been moved.
    pub(crate) fn forget(&mut self, gone: &BTreeSet<PathBuf>) -> HashSet<AbsPath> {
        if gone.is_empty() {
            return HashSet::new();
        }
        let below = |dir: &AbsPath| dir.as_path().ancestors().any(|path| gone.contains(path));
        let forgotten: HashSet<_> = self
            .armed
            .keys()
            .filter(|dir| below(dir))
            .cloned()
            .collect();
        for dir in &forgotten {
            self.disarm(dir);
        }
        forgotten
    }

    /// Drops the watches that no plan needs.
    pub(crate) fn keep<'a>(&mut self, plans: impl Iterator<Item = &'a Plan>) {
        let needed: HashSet<_> = plans
            .flat_map(Plan::watches)
            .map(|(dir, _, _)| dir)
            .collect();
        let superfluous: Vec<_> = self
            .armed
            .keys()
            .filter(|dir| !needed.contains(dir))
            .cloned()
            .collect();
        for dir in superfluous {
            self.disarm(&dir);
        }
    }

    /// Drops everything, the system too: after lost messages nobody knows what it still watches.
    pub(crate) fn reset(&mut self) {
        self.armed.clear();
        self.system = None;
    }

    /// Whether the watches that were armed still tell something.
    pub(crate) fn work(&self) -> bool {
        self.system.as_ref().is_none_or(|system| system.works())
    }

    fn system(&mut self) -> Result<&mut Box<dyn System>, ArmError> {
        match &mut self.system {
            Some(system) => Ok(system),
            none => Ok(none.insert((self.start)(&self.shared)?)),
        }
    }

    fn disarm(&mut self, dir: &AbsPath) {
        self.armed.remove(dir);
        if let Some(system) = &mut self.system {
            system.disarm(dir);
        }
    }
}
