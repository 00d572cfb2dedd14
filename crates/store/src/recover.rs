//! Recovery: undoing what dead processes began, and sweeping what they left.

use std::collections::BTreeSet;
use std::time::Duration;

use plugd_disk::FileLock;
use plugd_model::{AbsPath, PluginId, Problem, ProblemKind, error_chain};

use crate::state::Ticket;
use crate::{Store, StoreError};

/// What recovery found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Recovered {
    /// Plugins whose interrupted operation was undone.
    pub undone: Vec<PluginId>,
    /// Transactions that are still there, with the reason. Operations on their plugins try again.
    pub problems: Vec<Problem>,
}

/// A journal that could not be undone.
pub(crate) struct Stuck {
    pub(crate) plugin: Option<PluginId>,
    pub(crate) error: StoreError,
    journal: AbsPath,
}

impl Store {
    /// Undoes every transaction whose process is gone and sweeps what it left. To be called before
    /// the store is used; a second call does nothing, and an interrupted one can be repeated.
    ///
    /// Without anything to do this lists three directories and takes no lock.
    ///
    /// # Errors
    /// The state directory cannot be read, or the store lock is held longer than `patience`.
    pub fn recover(&self, patience: Duration) -> Result<Recovered, StoreError> {
        let mut recovered = Recovered::default();
        let (ids, journals) = self.transactions()?;
        if ids.is_empty() && !journals {
            return Ok(recovered);
        }
        if let Err(error) = self.prepare_to_write() {
            // Reading goes on, so that a newer program's state is shown; writing will refuse.
            recovered
                .problems
                .push(problem(&error, &self.layout().state_version()));
            return Ok(recovered);
        }
        if journals {
            let lock = self.lock(patience)?;
            let (undone, stuck) = self.undo_dead(&lock)?;
            recovered.undone = undone;
            recovered.problems = stuck
                .iter()
                .map(|stuck| problem(&stuck.error, &stuck.journal))
                .collect();
        }
        for id in ids {
            // Dropping the ticket sweeps, unless a journal is (still) there.
            if let Some(mut ticket) = Ticket::of(self.disk(), self.layout(), &id)?
                && self.disk().link_stamp(&ticket.journal)?.is_none()
            {
                ticket.has_no_journal();
            }
        }
        Ok(recovered)
    }

    /// The ids that have left anything, and whether there is a journal or a part of one.
    fn transactions(&self) -> Result<(BTreeSet<String>, bool), StoreError> {
        let mut ids = BTreeSet::new();
        let mut journals = false;
        for name in self.names_in(&self.layout().journals())? {
            match name.strip_suffix(".lock") {
                Some(id) => _ = ids.insert(id.to_owned()),
                None => journals = true,
            }
        }
        ids.extend(self.names_in(&self.layout().staging())?);
        ids.extend(self.names_in(&self.layout().trash())?);
        Ok((ids, journals))
    }

    pub(crate) fn names_in(&self, dir: &AbsPath) -> Result<Vec<String>, StoreError> {
        match self.disk().list(dir) {
            // Names of ours are text; whatever else lies there is not ours.
            Ok(entries) => Ok(entries
                .into_iter()
                .filter_map(|entry| entry.name.into_string().ok())
                .collect()),
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    /// Undoes the journals of dead processes. One that fails stays, and the others go on.
    ///
    /// Journals exist only under the store lock, so under it every journal is a dead one, and a
    /// file that is half of one is rubbish.
    pub(crate) fn undo_dead(
        &self,
        _lock: &FileLock,
    ) -> Result<(Vec<PluginId>, Vec<Stuck>), StoreError> {
        let journals = self.layout().journals();
        let (mut undone, mut stuck) = (Vec::new(), Vec::new());
        for name in self.names_in(&journals)? {
            let journal = journals.join(&name);
            let Some(id) = name.strip_suffix(".json") else {
                if !name.ends_with(".lock") {
                    self.disk().remove_file(&journal)?;
                }
                continue;
            };
            match self.undo_one(id, &journal) {
                Ok(plugin) => undone.extend(plugin),
                Err(found) => {
                    let error = &found.error;
                    tracing::warn!(%journal, %error, "an interrupted operation cannot be undone");
                    stuck.push(*found);
                }
            }
        }
        Ok((undone, stuck))
    }

    fn undo_one(&self, id: &str, path: &AbsPath) -> Result<Option<PluginId>, Box<Stuck>> {
        let stuck = |plugin: Option<&PluginId>, error| {
            Box::new(Stuck {
                plugin: plugin.cloned(),
                error,
                journal: path.clone(),
            })
        };
        let ticket = Ticket::of(self.disk(), self.layout(), id);
        let journal = self
            .read_journal(path)
            .map_err(|error| stuck(None, error))?;
        let Some(journal) = journal else {
            return Ok(None);
        };
        let plugin = &journal.plugin;
        let mut ticket = match ticket {
            Ok(Some(ticket)) => ticket,
            // Somebody is just giving it up.
            Ok(None) => {
                let error = StoreError::Unfinished {
                    id: plugin.clone(),
                    journal: path.clone(),
                };
                return Err(stuck(Some(plugin), error));
            }
            Err(error) => return Err(stuck(Some(plugin), error.into())),
        };
        match self.undo(&mut ticket, &journal) {
            Ok(()) => Ok(Some(plugin.clone())),
            Err(error) => Err(stuck(Some(plugin), error)),
        }
    }

    /// Makes sure that nothing unfinished is left of one plugin. The store lock is held.
    pub(crate) fn finish_dead(&self, lock: &FileLock, id: &PluginId) -> Result<(), StoreError> {
        let (_, stuck) = self.undo_dead(lock)?;
        // A journal that cannot be read now may be this plugin's; one that is damaged never tells.
        let concerns = |stuck: &Stuck| match &stuck.plugin {
            Some(plugin) => plugin == id,
            None => matches!(stuck.error, StoreError::Disk(_)),
        };
        match stuck.into_iter().find(concerns) {
            Some(stuck) => Err(stuck.error),
            None => Ok(()),
        }
    }
}

fn problem(error: &StoreError, path: &AbsPath) -> Problem {
    Problem::error(ProblemKind::Unreadable, error_chain(error)).in_file(path)
}

#[cfg(test)]
#[path = "recover_tests.rs"]
mod tests;
