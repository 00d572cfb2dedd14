//! Who uses which trees: reading what all holders have written down.
//!
//! A holder is known by a random id: `leases/<id>.json` names the trees that it uses, and
//! `leases/<id>.lock` is locked for as long as it lives, however it ends. So a lease needs no time
//! limit and no heartbeat, and nothing of a dead holder can keep a tree.
//!
//! Invariants:
//! - The file of a holder is written under the store lock, and so is every removal of a tree. Who
//!   removes reads the leases under the same lock, so nothing goes that was leased before.
//! - What a living holder uses and cannot be understood here may be any tree. Nothing is removed
//!   until it is gone.

use std::collections::{BTreeMap, BTreeSet};

use plugd_disk::tree::Digest;
use plugd_disk::{FileLock, Kind};
use plugd_model::{AbsPath, Problem, ProblemKind};

use crate::recover::stray;
use crate::sweep::is_half_written;
use crate::{Store, StoreError, json};

/// Larger than the file of a holder of everything that a home can have.
const MAX_LEASE: u64 = 16 << 20;

/// All leases of a home, at one moment.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    named: BTreeSet<Digest>,
    /// Living holders of whom nobody knows what they use.
    unknown: bool,
    dead: Vec<DeadLease>,
    half_written: Vec<AbsPath>,
    /// What is wrong with the leases of the living, and what does not belong there.
    pub(crate) problems: Vec<Problem>,
}

/// What a dead holder left. While its lock is held here nobody else sweeps it.
#[derive(Debug)]
struct DeadLease {
    id: String,
    _lock: Option<FileLock>,
}

/// The two files of one holder.
#[derive(Debug, Clone)]
pub(crate) struct LeaseFiles {
    pub(crate) json: AbsPath,
    pub(crate) lock: AbsPath,
}

impl Leases {
    /// Whether somebody living uses a tree, or may.
    pub(crate) fn protect(&self, digest: &Digest) -> bool {
        self.unknown || self.named.contains(digest)
    }

    /// Whether dead holders have left anything.
    pub(crate) fn has_remains(&self) -> bool {
        !self.dead.is_empty() || !self.half_written.is_empty()
    }

    /// How many dead holders have left a lease.
    pub(crate) fn dead(&self) -> usize {
        self.dead.len()
    }

    /// The files of the dead, finished or not.
    pub(crate) fn dead_files(&self, store: &Store) -> Vec<AbsPath> {
        let both = self.dead.iter().map(|lease| store.lease_files(&lease.id));
        let files = both.flat_map(|LeaseFiles { json, lock }| [json, lock]);
        files.chain(self.half_written.iter().cloned()).collect()
    }

    fn report_unknown(&mut self, problem: Problem) {
        self.unknown = true;
        self.problems.push(problem);
    }
}

impl LeaseFiles {
    /// Removes both, and the lock last: without it nobody can tell that the other one is dead. The
    /// caller holds the lock.
    pub(crate) fn remove(&self, store: &Store) -> Result<(), StoreError> {
        store.disk().remove_file(&self.json)?;
        Ok(store.disk().remove_file(&self.lock)?)
    }
}

impl Store {
    /// The trees that living processes use, as far as they can be understood; they are protected in
    /// any case, so this is for whoever wants to tell of them.
    ///
    /// # Errors
    /// The leases cannot be read.
    pub fn leased_digests(&self) -> Result<BTreeSet<Digest>, StoreError> {
        Ok(self.leases(None)?.named)
    }

    pub(crate) fn lease_files(&self, id: &str) -> LeaseFiles {
        let dir = self.layout().leases();
        LeaseFiles {
            json: dir.join(format!("{id}.json")),
            lock: dir.join(format!("{id}.lock")),
        }
    }

    /// All leases but that of `except`, whose holder asks: its own lock would look like that of
    /// somebody else.
    pub(crate) fn leases(&self, except: Option<&str>) -> Result<Leases, StoreError> {
        let dir = self.layout().leases();
        self.must_be_dir(dir.clone())?;
        let mut leases = Leases::default();
        // Whether there is a lock; `None` when it is no file and cannot tell who is dead.
        let mut ids: BTreeMap<String, Option<bool>> = BTreeMap::new();
        for entry in self.entries_in(&dir)? {
            let name = entry.name.to_str().unwrap_or_default();
            match (name.strip_suffix(".json"), name.strip_suffix(".lock")) {
                _ if is_half_written(&entry) => leases.half_written.push(dir.join(&entry.name)),
                (Some(id), _) if entry.kind == Kind::File => {
                    ids.entry(id.to_owned()).or_insert(Some(false));
                }
                (_, Some(id)) => {
                    let lock = (entry.kind == Kind::File).then_some(true);
                    ids.insert(id.to_owned(), lock);
                    if lock.is_none() {
                        leases.problems.push(stray(&dir, &entry, "lease"));
                    }
                }
                _ => leases.problems.push(stray(&dir, &entry, "lease")),
            }
        }
        for (id, lock) in ids {
            if let Some(has_lock) = lock
                && except != Some(id.as_str())
            {
                self.add_lease(&mut leases, id, has_lock);
            }
        }
        Ok(leases)
    }

    fn add_lease(&self, leases: &mut Leases, id: String, has_lock: bool) {
        let files = self.lease_files(&id);
        // A lock is made before the file it stands for, so a file alone is nobody's. Trying would
        // make the lock, and looking is to change nothing.
        if !has_lock {
            leases.dead.push(DeadLease { id, _lock: None });
            return;
        }
        match self.disk().try_lock(&files.lock) {
            Ok(Some(lock)) => leases.dead.push(DeadLease {
                id,
                _lock: Some(lock),
            }),
            Ok(None) => match self.read_lease(&files.json) {
                Ok(named) => leases.named.extend(named),
                Err(problem) => leases.report_unknown(*problem),
            },
            Err(error) => leases.report_unknown(error.problem()),
        }
    }

    /// What a living holder uses: nothing, when it has not written anything yet.
    fn read_lease(&self, path: &AbsPath) -> Result<BTreeSet<Digest>, Box<Problem>> {
        let bytes = match self.disk().read(path, MAX_LEASE) {
            Ok(bytes) => bytes,
            Err(error) if error.is_not_found() => return Ok(BTreeSet::new()),
            Err(error) => return Err(Box::new(error.problem())),
        };
        let parsed = json::parse_lease(&bytes).map_err(|reason| {
            let text = format!("what a process uses cannot be understood: {reason}");
            Box::new(Problem::warning(ProblemKind::Syntax, text).in_file(path))
        })?;
        Ok(parsed.1)
    }

    /// Writes down what a holder uses; members that are unknown here stay. The store lock is held.
    pub(crate) fn write_lease(
        &self,
        path: &AbsPath,
        digests: &BTreeSet<Digest>,
    ) -> Result<(), StoreError> {
        let old = match self.disk().read(path, MAX_LEASE) {
            Ok(bytes) => json::parse_lease(&bytes).map_or_else(|_| Default::default(), |old| old.0),
            Err(error) if error.is_not_found() => Default::default(),
            Err(error) => return Err(error.into()),
        };
        let text = json::lease_text(&old, digests);
        Ok(self.disk().replace(path, text.as_bytes(), 0o644)?)
    }

    /// Removes what dead holders left. The store lock is held, so what is half written is dead too.
    pub(crate) fn sweep_leases(&self, leases: &Leases) -> Result<(), StoreError> {
        for path in &leases.half_written {
            self.disk().remove_file(path)?;
        }
        for lease in &leases.dead {
            self.lease_files(&lease.id).remove(self)?;
        }
        Ok(())
    }
}
