//! How one kind of background work went the last time: told to whoever listens, and kept on disk for
//! later processes.
//!
//! It knows nothing of the work. What cannot be kept is logged; the work is done all the same.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plugd_model::{Problem, error_chain};

use crate::Error;
use crate::events::{TaskEvent, TaskKind, TaskState};
use crate::parts::Parts;
use crate::status::{self, Reported, TaskReport};

/// The report of the last run, and the way to its file. Clones speak of the same one.
#[derive(Clone)]
pub(crate) struct LastRun(Arc<Inner>);

struct Inner {
    parts: Parts,
    task: Reported,
    /// The report of this process, once there is one.
    own: Mutex<Option<Arc<TaskReport>>>,
}

/// Which reports are worth a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Worth {
    /// Those that say something else than the one before.
    News,
    /// All: other processes read from it when the last run was.
    Always,
}

impl LastRun {
    /// Nothing has run yet, and nothing is read.
    pub(crate) fn new(parts: &Parts, task: Reported) -> Self {
        Self(Arc::new(Inner {
            parts: parts.clone(),
            task,
            own: Mutex::default(),
        }))
    }

    /// What the newest run said, of this process or of another one. Reads a file.
    pub(crate) fn newest(&self) -> TaskReport {
        let own = self.own().clone();
        let saved = self.saved();
        match own {
            Some(own) if own.finished_at >= saved.finished_at => TaskReport::clone(&own),
            _ => saved,
        }
    }

    /// What the last run of this process said; before the first one, what an earlier process left.
    /// The file is read once.
    pub(crate) fn remembered(&self) -> Arc<TaskReport> {
        let mut own = self.own();
        let own = own.get_or_insert_with(|| Arc::new(self.saved()));
        Arc::clone(own)
    }

    /// Keeps the report of a run, and answers whether it says something else than the one before.
    pub(crate) async fn keep(&self, report: TaskReport, worth: Worth) -> bool {
        let report = Arc::new(report);
        let before = self.own().replace(Arc::clone(&report));
        let is_news = before.is_none_or(|before| !before.says_the_same(&report));
        if is_news || worth == Worth::Always {
            let last = self.clone();
            let save = self.0.parts.blocking.write(move || last.save(&report));
            if let Err(error) = save.await {
                let (task, reason) = (self.0.task, error_chain(&error));
                tracing::warn!("cannot keep the report of the last {task:?}: {reason}");
            }
        }
        is_news
    }

    /// Tells that a run has begun, and answers the number under which its end is told.
    pub(crate) fn begin(&self) -> u64 {
        let id = self.0.parts.events.next_task();
        self.tell(id, TaskState::Started, None);
        id
    }

    /// Tells how a run ended.
    pub(crate) fn end(&self, id: u64, failure: Option<Problem>) {
        let state = match &failure {
            None => TaskState::Done,
            Some(_) => TaskState::Failed,
        };
        self.tell(id, state, failure);
    }

    fn tell(&self, id: u64, state: TaskState, problem: Option<Problem>) {
        self.0.parts.events.task(TaskEvent {
            id,
            kind: match self.0.task {
                Reported::Refresh => TaskKind::Refresh,
                Reported::CuratedSync => TaskKind::CuratedSync,
                Reported::RemoteSync => TaskKind::RemoteSync,
            },
            state,
            message: problem.as_ref().map(|problem| problem.message.clone()),
            problem,
        });
    }

    fn saved(&self) -> TaskReport {
        let lookup = &self.0.parts.lookup;
        status::load(lookup.disk(), &lookup.layout().status(), self.0.task)
    }

    fn save(&self, report: &TaskReport) -> Result<(), Error> {
        self.0.parts.copies.prepare_state()?;
        let lookup = &self.0.parts.lookup;
        status::save(lookup.disk(), lookup.layout(), self.0.task, report).map_err(Error::from)
    }

    /// Held for an assignment, or for the one read of the file.
    fn own(&self) -> MutexGuard<'_, Option<Arc<TaskReport>>> {
        self.0.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
