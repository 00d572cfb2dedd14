//! Recovery: undoing what dead processes began, and sweeping what they left.
//!
//! Nothing that is found here may keep others from their work: what cannot be understood or swept is
//! left and reported.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::time::Duration;

use plugd_disk::{Entry, FileLock, Kind, is_temporary};
use plugd_model::{AbsPath, PluginId, Problem, ProblemKind, error_chain};

use crate::journal::Journal;
use crate::places::in_the_way;
use crate::state::Ticket;
use crate::sweep::is_half_written;
use crate::{Store, StoreError};

/// What recovery found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovered {
    /// Plugins whose interrupted operation was undone.
    pub undone: Vec<PluginId>,
    /// Transactions that are still there, with the reason, and what lies in the state directory and
    /// does not belong there. Operations on the plugins of those transactions try again.
    pub problems: Vec<Problem>,
}

/// What was interrupted and is not undone yet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Interrupted {
    /// How many operations recovery can undo.
    pub operations: usize,
    /// Journals that cannot be understood. They stay until somebody takes them away.
    pub problems: Vec<Problem>,
}

/// A journal whose transaction could not be ended.
pub(crate) struct Stuck {
    /// The plugins that it speaks of; none when it cannot be read.
    pub(crate) plugins: Vec<PluginId>,
    pub(crate) error: StoreError,
    journal: AbsPath,
}

/// How a dead transaction ended.
enum Ended {
    /// Before it changed anything.
    Never,
    /// Its change was complete.
    Done,
    /// It was taken back.
    Undone(Vec<PluginId>),
}

/// What became of the transactions of the dead.
#[derive(Default)]
pub(crate) struct Dead {
    /// The plugins of those that were taken back.
    pub(crate) undone: Vec<PluginId>,
    /// Whether there were others.
    has_ended: bool,
    /// The places of all that ended, which are swept when this is dropped. Whoever has more to sweep does
    /// that before: while they lie there, an interrupted sweep is found.
    places: Vec<Ticket>,
    /// Those that could not be ended.
    pub(crate) stuck: Vec<Stuck>,
}

/// What lies in the state directory, of the living and of the dead.
#[derive(Default)]
pub(crate) struct Remains {
    /// Transactions that have left anything.
    pub(crate) ids: BTreeSet<String>,
    /// Whether there is a journal or a part of one.
    journals: bool,
    /// Files of the state directory itself that are not finished.
    pub(crate) half_written: Vec<AbsPath>,
    /// Whether there are leases, of the living or of the dead.
    leases: bool,
    /// What does not belong there.
    problems: Vec<Problem>,
}

impl Remains {
    fn is_empty(&self) -> bool {
        let Self {
            ids,
            journals,
            half_written,
            leases,
            problems: _,
        } = self;
        ids.is_empty() && !journals && half_written.is_empty() && !leases
    }
}

impl Store {
    /// Undoes every transaction whose process is gone, or ends it when it was complete, and sweeps what
    /// it left, with the leases of the dead and the trees that no record names and nobody living leases.
    /// To be called before the store is used, and cheap enough to be called again at any time: without
    /// anything to do this lists the state directory and four directories in it, tries the locks of the
    /// leases, and waits for none. An interrupted call can be repeated.
    ///
    /// # Errors
    /// The state directory cannot be read, or the store lock is held longer than `patience`.
    pub fn recover(&self, patience: Duration) -> Result<Recovered, StoreError> {
        let mut remains = self.remains()?;
        let mut recovered = Recovered {
            undone: Vec::new(),
            problems: std::mem::take(&mut remains.problems),
        };
        if remains.is_empty() {
            return Ok(recovered);
        }
        if let Err(error) = self.prepare_state() {
            // Reading goes on, so that a newer program's state is shown; writing will refuse.
            let path = match &error {
                StoreError::InTheWay { path, .. } => path.clone(),
                _ => self.layout().state_version(),
            };
            let told = recovered
                .problems
                .iter()
                .any(|problem| problem.path.as_ref() == Some(&path));
            if !told {
                recovered.problems.push(problem(&error, &path));
            }
            return Ok(recovered);
        }
        let problems = &mut recovered.problems;
        let mut dead = self.dead_tickets(&remains.ids, problems);
        let dead_leases = remains.leases && self.has_dead_leases(problems);
        if remains.journals || !dead.is_empty() || dead_leases {
            // Before anything of the dead goes: while it lies there, an interrupted sweep is found.
            let lock = self.lock(patience)?;
            let ended = self.end_dead(&lock)?;
            let stuck = ended.stuck.iter();
            problems.extend(stuck.map(|stuck| problem(&stuck.error, &stuck.journal)));
            let has_ended = ended.has_ended || !ended.undone.is_empty();
            if has_ended || !dead.is_empty() || dead_leases {
                let swept = self.sweep_records(&lock);
                report(swept, &self.layout().records(), problems);
                dead.extend(self.sweep_unused(&lock, problems));
            }
            dead.extend(ended.places);
            recovered.undone = ended.undone;
        }
        // Dropping the tickets sweeps their places.
        dead.iter_mut().for_each(Ticket::has_no_journal);
        drop(dead);
        let swept = self.sweep_old(&remains.half_written);
        report(swept, &self.layout().state(), &mut recovered.problems);
        Ok(recovered)
    }

    /// Whether there are leases of the dead; looks again under the lock before anything is done.
    fn has_dead_leases(&self, problems: &mut Vec<Problem>) -> bool {
        match self.leases(None) {
            Ok(leases) => {
                let has_remains = leases.has_remains();
                problems.extend(leases.problems);
                has_remains
            }
            Err(error) => {
                problems.push(problem(&error, &self.layout().leases()));
                false
            }
        }
    }

    /// Sweeps trees that nobody needs, and only then the leases of the dead. What is returned removes
    /// the trees when it is dropped.
    fn sweep_unused(&self, lock: &FileLock, problems: &mut Vec<Problem>) -> Option<Ticket> {
        let swept = self.leases(None).and_then(|leases| {
            let ticket = self.sweep_trees(lock, &leases)?;
            self.sweep_leases(&leases)?;
            Ok(ticket)
        });
        swept.unwrap_or_else(|error| {
            problems.push(problem(&error, &self.layout().trees()));
            None
        })
    }

    pub(crate) fn remains(&self) -> Result<Remains, StoreError> {
        let mut remains = Remains::default();
        let state = self.layout().state();
        match self.disk().link_stamp(&state)?.map(|stamp| stamp.kind) {
            None => return Ok(remains),
            Some(Kind::Dir) => {}
            Some(found) => {
                let error = in_the_way(state.clone(), found);
                remains.problems.push(problem(&error, &state));
                return Ok(remains);
            }
        }
        let mut kinds = BTreeMap::new();
        for entry in self.entries_in(&state)? {
            if is_half_written(&entry) {
                remains.half_written.push(state.join(&entry.name));
            }
            kinds.insert(entry.name, entry.kind);
        }
        let layout = self.layout();
        for dir in [layout.catalog_state(), layout.catalog_cache()] {
            remains.half_written.extend(self.half_written_in(&dir)?);
        }
        // A lock that is no file cannot tell who is dead.
        let mut unknown = BTreeSet::new();
        for entry in self.real_dir(&layout.journals(), &kinds, &mut remains.problems)? {
            let name = entry.name.to_str().unwrap_or_default();
            let lock_of = name.strip_suffix(".lock");
            if entry.kind != Kind::File {
                unknown.extend(lock_of.map(str::to_owned));
            } else if let Some(id) = lock_of {
                remains.ids.insert(id.to_owned());
                continue;
            } else if name.ends_with(".json") || is_temporary(name) {
                remains.journals = true;
                continue;
            }
            let stray = stray(&layout.journals(), &entry, "transaction");
            remains.problems.push(stray);
        }
        for place in [layout.staging(), layout.trash()] {
            let entries = self.real_dir(&place, &kinds, &mut remains.problems)?;
            let names = entries
                .into_iter()
                .filter_map(|e| e.name.into_string().ok());
            remains.ids.extend(names);
        }
        remains.ids.retain(|id| !unknown.contains(id));
        let leases = self.real_dir(&layout.leases(), &kinds, &mut remains.problems)?;
        remains.leases = !leases.is_empty();
        Ok(remains)
    }

    /// Lists a directory of the state, and never what a link in its place leads to.
    fn real_dir(
        &self,
        dir: &AbsPath,
        kinds: &BTreeMap<OsString, Kind>,
        problems: &mut Vec<Problem>,
    ) -> Result<Vec<Entry>, StoreError> {
        match dir.file_name().and_then(|name| kinds.get(name)) {
            None => Ok(Vec::new()),
            Some(Kind::Dir) => self.entries_in(dir),
            Some(found) => {
                problems.push(problem(&in_the_way(dir.clone(), *found), dir));
                Ok(Vec::new())
            }
        }
    }

    /// The tickets of transactions that are dead and have no journal. While they are held nobody
    /// else sweeps their places; dropping them changes nothing yet.
    fn dead_tickets(&self, ids: &BTreeSet<String>, problems: &mut Vec<Problem>) -> Vec<Ticket> {
        let mut dead = Vec::new();
        for id in ids {
            let found = Ticket::of(self.disk(), self.layout(), id).and_then(|ticket| {
                let Some(ticket) = ticket else {
                    return Ok(None);
                };
                let journal = self.disk().link_stamp(&ticket.journal)?;
                Ok(journal.is_none().then_some(ticket))
            });
            match found {
                Ok(ticket) => dead.extend(ticket),
                Err(error) => problems.push(error.problem()),
            }
        }
        dead
    }

    pub(crate) fn names_in(&self, dir: &AbsPath) -> Result<Vec<String>, StoreError> {
        // Names of ours are text; whatever else lies there is not ours.
        let entries = self.entries_in(dir)?.into_iter();
        Ok(entries
            .filter_map(|entry| entry.name.into_string().ok())
            .collect())
    }

    /// Ends the transactions of dead processes: undoes them, or does what is left to do of one whose
    /// change is complete. One that fails stays, and the others go on.
    ///
    /// Journals exist only under the store lock, so under it every journal is a dead one, and a
    /// file that is half of one is rubbish.
    pub(crate) fn end_dead(&self, _lock: &FileLock) -> Result<Dead, StoreError> {
        let journals = self.layout().journals();
        let mut dead = Dead::default();
        for entry in self.entries_in(&journals)? {
            let journal = journals.join(&entry.name);
            if is_half_written(&entry) {
                self.disk().remove_file(&journal)?;
            }
            let name = entry.name.to_str().unwrap_or_default();
            let Some(id) = name
                .strip_suffix(".json")
                .filter(|_| entry.kind == Kind::File)
            else {
                continue;
            };
            match self.end_one(id, &journal) {
                Ok((ended, ticket)) => {
                    match ended {
                        Ended::Undone(plugins) => dead.undone.extend(plugins),
                        Ended::Done | Ended::Never => dead.has_ended = true,
                    }
                    dead.places.extend(ticket);
                }
                Err(found) => {
                    let error = &found.error;
                    // Whoever called tells it, or has no part in it.
                    tracing::debug!(%journal, %error, "an interrupted operation cannot be undone");
                    dead.stuck.push(*found);
                }
            }
        }
        Ok(dead)
    }

    /// Counts what was interrupted, and undoes nothing. While a living process holds the store lock
    /// its own operation is among them.
    ///
    /// # Errors
    /// The journals cannot be listed.
    pub fn interrupted(&self) -> Result<Interrupted, StoreError> {
        let journals = self.layout().journals();
        let mut found = Interrupted::default();
        for entry in self.entries_in(&journals)? {
            let name = entry.name.to_str().unwrap_or_default();
            if entry.kind != Kind::File || !name.ends_with(".json") {
                continue;
            }
            let journal = journals.join(&entry.name);
            match self.read_journal(&journal) {
                Ok(Some(_)) => found.operations += 1,
                // It has just been undone.
                Ok(None) => {}
                Err(error) => found.problems.push(problem(&error, &journal)),
            }
        }
        Ok(found)
    }

    fn end_one(&self, id: &str, path: &AbsPath) -> Result<(Ended, Option<Ticket>), Box<Stuck>> {
        let stuck = |journal: Option<&Journal>, error| {
            let plugins = journal.into_iter().flat_map(Journal::plugins);
            Box::new(Stuck {
                plugins: plugins.cloned().collect(),
                error,
                journal: path.clone(),
            })
        };
        let ticket = Ticket::of(self.disk(), self.layout(), id);
        let journal = self
            .read_journal(path)
            .map_err(|error| stuck(None, error))?;
        let Some(journal) = journal else {
            // Nothing was changed, so what is left of it and its places is rubbish.
            let swept = ticket.and_then(|mut ticket| {
                ticket.as_mut().map_or(Ok(()), Ticket::remove_journal)?;
                Ok(ticket)
            });
            return match swept {
                Ok(ticket) => Ok((Ended::Never, ticket)),
                Err(error) => Err(stuck(None, error.into())),
            };
        };
        let mut ticket = match ticket {
            Ok(Some(ticket)) => ticket,
            // Somebody is just giving it up.
            Ok(None) => {
                let error = StoreError::Unfinished {
                    id: journal.parts[0].plugin.clone(),
                    journal: path.clone(),
                };
                return Err(stuck(Some(&journal), error));
            }
            Err(error) => return Err(stuck(Some(&journal), error.into())),
        };
        let ended = match self.go_forward(&mut ticket, &journal) {
            Ok(true) => Ok(Ended::Done),
            Ok(false) => self
                .undo(&mut ticket, &journal)
                .map(|()| Ended::Undone(journal.plugins().cloned().collect())),
            Err(error) => Err(error),
        };
        match ended {
            Ok(ended) => Ok((ended, Some(ticket))),
            Err(error) => Err(stuck(Some(&journal), error)),
        }
    }

    /// Makes sure that nothing unfinished is left of these plugins. The store lock is held.
    pub(crate) fn finish_dead(&self, lock: &FileLock, ids: &[&PluginId]) -> Result<(), StoreError> {
        let stuck = self.end_dead(lock)?.stuck;
        // A journal that cannot be read now may be of one of them; one that is damaged never tells.
        let concerns = |stuck: &Stuck| match stuck.plugins.as_slice() {
            [] => matches!(stuck.error, StoreError::Disk(_)),
            plugins => plugins.iter().any(|plugin| ids.contains(&plugin)),
        };
        match stuck.into_iter().find(concerns) {
            Some(stuck) => Err(stuck.error),
            None => Ok(()),
        }
    }
}

/// What cannot be swept costs space and nothing else.
fn report(swept: Result<(), StoreError>, path: &AbsPath, problems: &mut Vec<Problem>) {
    problems.extend(swept.err().map(|error| problem(&error, path)));
}

/// Something that is not ours among files that are each a `what` of ours.
pub(crate) fn stray(dir: &AbsPath, entry: &Entry, what: &str) -> Problem {
    let text = format!(
        "this {} is no part of a {what} and is left alone",
        entry.kind.word()
    );
    let kind = match entry.kind {
        Kind::File => ProblemKind::BadName,
        Kind::Dir | Kind::Link | Kind::Special => ProblemKind::NotAFile,
    };
    Problem::warning(kind, text).in_file(&dir.join(&entry.name))
}

fn problem(error: &StoreError, path: &AbsPath) -> Problem {
    Problem::error(ProblemKind::Unreadable, error_chain(error)).in_file(path)
}

#[cfg(test)]
#[path = "recover_tests.rs"]
mod tests;
