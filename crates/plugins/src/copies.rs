//! The store as use cases get it: recovered before its first use, never earlier.
//!
//! A process that is only asked for its name touches no plugin file, so recovery cannot happen at
//! start; and no use case may forget it, so the store is not to be had without it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use plugd_config::UndoRecord;
use plugd_disk::{Disk, Unsynced};
use plugd_model::{Clock, Layout, Problem, ProblemKind, RandomNames, error_chain};
use plugd_store::{ConfigUndo, Recovered, Store, UndoError, Workspace};
use serde_json::Value;

use crate::activations::Activations;
use crate::events::{Events, TaskEvent, TaskKind, TaskState};
use crate::marketplace_add::CONFIG_PATIENCE;
use crate::removals::Removals;
use crate::{Blocking, Error};

/// How long the end of a process waits for removals. A client that has gone waits for nothing, and what is
/// left is removed by whoever works on the home next.
const SWEEPING_AT_THE_END: Duration = Duration::from_secs(10);

/// The installed copies of one home directory. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Copies {
    disk: Disk,
    store: Store,
    recovered: Arc<Mutex<Option<Recovered>>>,
    activations: Activations,
    removals: Removals,
    /// Where repairs are told.
    events: Events,
}

impl Copies {
    /// The copies below a home directory. Touches nothing.
    #[must_use]
    pub fn new(
        disk: Disk,
        layout: Layout,
        names: Arc<dyn RandomNames>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let undo = OfConfig {
            disk: disk.clone(),
            layout: layout.clone(),
        };
        Self {
            disk: disk.clone(),
            store: Store::new(disk, layout, names, clock, Arc::new(undo)),
            recovered: Arc::default(),
            activations: Activations::default(),
            removals: Removals::default(),
            events: Events::detached(),
        }
    }

    /// The same, which tells of what it repairs.
    #[must_use]
    pub fn telling(self, events: Events) -> Self {
        Self { events, ..self }
    }

    /// The store. The first call undoes what dead processes have left half done. It waits for
    /// nobody: while a living process holds the lock, or when the remains cannot be undone, whoever
    /// writes undoes them under the lock, and readers see whole copies in any case.
    ///
    /// # Errors
    /// None today; it may have one when the store has to be opened.
    pub(crate) fn store(&self) -> Result<&Store, Error> {
        let mut recovered = self
            .recovered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if recovered.is_none() {
            *recovered = self.recover();
            if let Some(found) = &*recovered {
                self.tell(found, &[]);
            }
        }
        Ok(&self.store)
    }

    /// The installations that wait for the store's lock.
    pub(crate) fn activations(&self) -> &Activations {
        &self.activations
    }

    /// The uninstallations that wait for it.
    pub(crate) fn removals(&self) -> &Removals {
        &self.removals
    }

    /// Whether there are copies to be put under watch, see [`Store::watch_due`].
    pub(crate) fn has_due(&self) -> bool {
        self.store.has_due()
    }

    /// From here on what operations leave is removed behind their answers, until
    /// [`Copies::finish_sweeping`]. For a process that stays.
    pub fn sweep_behind(&self) {
        self.store.sweep_behind();
    }

    /// Waits until all of it is removed; what takes too long is left to recovery.
    ///
    /// # Errors
    /// [`Error::Panicked`] when the wait does.
    pub async fn finish_sweeping(&self, blocking: &Blocking) -> Result<(), Error> {
        let store = self.store.clone();
        let section = blocking.read(move || {
            store.finish_sweeping(SWEEPING_AT_THE_END);
            Ok(())
        });
        section.await
    }

    /// The store with whatever dead processes have left half done: for whoever tells of that. Readers
    /// see whole copies in any case.
    pub(crate) fn store_as_it_is(&self) -> &Store {
        &self.store
    }

    /// Looks for what processes have left that died since. It costs three listings when there is
    /// nothing.
    pub(crate) fn recover_again(&self) {
        let found = self.recover();
        let mut recovered = self
            .recovered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = found {
            let known = recovered.take().map(|before| before.problems);
            self.tell(&found, &known.unwrap_or_default());
            *recovered = Some(found);
        }
    }

    /// Tells of what was repaired, and of what could not be and is not known to be so. It is told
    /// afterwards: before, nobody knows that there is anything to do, and it takes no time.
    fn tell(&self, found: &Recovered, known: &[Problem]) {
        let mut news = found.problems.iter();
        let problem = news.find(|problem| !known.contains(problem)).cloned();
        if found.undone.is_empty() && problem.is_none() {
            return;
        }
        let undone: Vec<String> = found.undone.iter().map(ToString::to_string).collect();
        let message = format!("interrupted operations were undone: {}", undone.join(", "));
        let started = TaskEvent {
            id: self.events.next_task(),
            kind: TaskKind::Recovery,
            state: TaskState::Started,
            message: None,
            problem: None,
        };
        self.events.task(started.clone());
        self.events.task(TaskEvent {
            state: match problem {
                Some(_) => TaskState::Failed,
                None => TaskState::Done,
            },
            message: (!undone.is_empty()).then_some(message),
            problem,
            ..started
        });
    }

    fn recover(&self) -> Option<Recovered> {
        match self.store.recover(Duration::ZERO) {
            Ok(found) => {
                for id in &found.undone {
                    tracing::warn!(plugin = %id, "an interrupted operation was undone");
                }
                Some(found)
            }
            Err(error) if error.held_lock().is_some() => None,
            Err(error) => {
                tracing::warn!("interrupted operations: {}", error_chain(&error));
                let problem = Problem::error(ProblemKind::Unreadable, error_chain(&error));
                Some(Recovered {
                    problems: vec![problem],
                    ..Recovered::default()
                })
            }
        }
    }

    /// A place for trees that are no plugins.
    ///
    /// # Errors
    /// A newer program owns the state, or the system refuses.
    pub(crate) fn workspace(&self) -> Result<Workspace, Error> {
        let opened = self.store()?.workspace();
        opened.map_err(|error| Error::StoreState(Box::new(error)))
    }

    /// Makes the state ready for a file of any kind. State of a newer program is left alone.
    pub(crate) fn prepare_state(&self) -> Result<(), Error> {
        self.store()?
            .prepare_state()
            .map_err(|error| Error::StoreState(Box::new(error)))
    }

    /// The file system.
    pub(crate) fn disk(&self) -> &Disk {
        &self.disk
    }

    /// What recovery could not undo.
    pub(crate) fn recovery_problems(&self) -> Vec<Problem> {
        let recovered = self
            .recovered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        recovered
            .as_ref()
            .map_or(Vec::new(), |found| found.problems.clone())
    }
}

struct OfConfig {
    disk: Disk,
    layout: Layout,
}

impl ConfigUndo for OfConfig {
    fn undo(&self, note: &Value) -> Result<(), UndoError> {
        let record = UndoRecord::from_json(note)?;
        plugd_config::undo(&self.disk, &self.layout, &record, CONFIG_PATIENCE)?;
        Ok(())
    }

    fn is_made(&self, note: &Value, unsynced: &mut Unsynced) -> Result<bool, UndoError> {
        let record = UndoRecord::from_json(note)?;
        let made = plugd_config::is_made(&self.disk, &self.layout, &record, unsynced)?;
        Ok(made)
    }
}
