//! The background refresh: configured plugins follow the local marketplaces they came from.
//!
//! - A listing asks for it and never waits. While one run works, further requests merge into one
//!   run afterwards, so a client that polls cannot pile up work.
//! - A plugin is compared by version *and* by content with the source it is bound to. Different
//!   means reinstalled through the one install path; missing means repaired; configuration is never
//!   written.
//! - Whatever moves a copy here has asked `may_move` first.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plugd_model::{Clock, PluginId, Problem, ProblemKind, error_chain};
use tokio::sync::Notify;

use crate::call::{Call, Cancel};
use crate::events::{Change, ChangeReason, Events, TaskEvent, TaskKind, TaskState as EventState};
use crate::follow::follow;
use crate::listing::settings_of;
use crate::status::{self, PluginOutcome, PluginResult, TaskReport, TaskState};
use crate::{Blocking, Copies, Error, Lookup, Roots};

/// Runs refreshes, one at a time. Clones speak of the same queue.
#[derive(Clone)]
pub struct Refresher(Arc<Inner>);

struct Inner {
    blocking: Blocking,
    lookup: Lookup,
    copies: Copies,
    events: Events,
    clock: Arc<dyn Clock>,
    /// Off for the command line, which does what it is told and nothing else.
    active: bool,
    state: Mutex<State>,
    idle: Notify,
}

#[derive(Default)]
struct State {
    running: bool,
    stopping: bool,
    /// What was asked for while a run was working, each set of roots once.
    waiting: Vec<Roots>,
    report: TaskReport,
    /// Whether the report of an earlier process has been read.
    loaded: bool,
    /// What stops the plugin that is being worked on, until it is sealed.
    current: Option<Cancel>,
}

impl fmt::Debug for Refresher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refresher")
            .field("active", &self.0.active)
            .finish_non_exhaustive()
    }
}

impl Refresher {
    /// A queue that nothing works on yet: a run starts with a request.
    #[must_use]
    pub fn new(
        blocking: Blocking,
        lookup: Lookup,
        copies: Copies,
        events: Events,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self::with(blocking, lookup, copies, events, clock, true)
    }

    /// A queue that takes no requests: for the command line.
    #[must_use]
    pub fn switched_off(
        blocking: Blocking,
        lookup: Lookup,
        copies: Copies,
        events: Events,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self::with(blocking, lookup, copies, events, clock, false)
    }

    fn with(
        blocking: Blocking,
        lookup: Lookup,
        copies: Copies,
        events: Events,
        clock: Arc<dyn Clock>,
        active: bool,
    ) -> Self {
        Self(Arc::new(Inner {
            blocking,
            lookup,
            copies,
            events,
            clock,
            active,
            state: Mutex::default(),
            idle: Notify::new(),
        }))
    }

    /// Asks for a run over these roots. It returns at once; a run that is working is followed by one
    /// more, however often it was asked for meanwhile.
    pub fn request(&self, roots: Roots) {
        let mut state = self.0.state();
        if !self.0.active || state.stopping {
            return;
        }
        if !state.waiting.contains(&roots) {
            state.waiting.push(roots);
        }
        if !state.running {
            state.running = true;
            drop(state);
            tokio::spawn(Arc::clone(&self.0).work());
        }
    }

    /// The plugins whose source had something else at the end of the last run.
    #[must_use]
    pub fn differing(&self) -> BTreeSet<PluginId> {
        let (_, report) = self.report();
        report
            .plugins
            .into_iter()
            .filter(|result| result.outcome == PluginOutcome::HeldBack)
            .map(|result| result.id)
            .collect()
    }

    /// Whether a run is working, and what the last one said, also one of an earlier process.
    #[must_use]
    pub fn report(&self) -> (TaskState, TaskReport) {
        let mut state = self.0.state();
        if !state.loaded {
            state.loaded = true;
            state.report = status::load(self.0.lookup.disk(), &self.0.lookup.layout().status());
        }
        let running = if state.running {
            TaskState::Running
        } else {
            TaskState::Idle
        };
        (running, state.report.clone())
    }

    /// Ends background work: what is past its point of no return is finished, the rest is given up.
    pub async fn stop(&self) {
        loop {
            let idle = self.0.idle.notified();
            {
                let mut state = self.0.state();
                state.stopping = true;
                state.waiting.clear();
                if let Some(current) = &state.current {
                    current.cancel();
                }
                if !state.running {
                    return;
                }
            }
            idle.await;
        }
    }
}

impl Inner {
    /// Held for a few assignments only; a panic leaves a report behind and no broken promise.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn work(self: Arc<Self>) {
        loop {
            let roots = {
                let mut state = self.state();
                if state.waiting.is_empty() || state.stopping {
                    state.running = false;
                    break;
                }
                std::mem::take(&mut state.waiting)
            };
            self.run(roots).await;
        }
        self.idle.notify_waiters();
    }

    async fn run(self: &Arc<Self>, roots: Vec<Roots>) {
        let id = self.events.next_task();
        self.tell(id, EventState::Started, None);
        let started_at = Some(self.clock.now().as_secs());
        let inner = Arc::clone(self);
        let outcome = self.blocking.write(move || inner.pass(&roots)).await;
        let (plugins, problem) = match outcome {
            Ok(results) => (status::merge(results), None),
            Err(error) => {
                let problem = Problem::error(ProblemKind::Unreadable, error_chain(&error));
                (Vec::new(), Some(problem))
            }
        };
        let report = TaskReport {
            started_at,
            finished_at: Some(self.clock.now().as_secs()),
            plugins,
            problem,
        };
        self.publish(id, report).await;
    }

    /// One pass over everything that is configured where the requests looked.
    fn pass(&self, roots: &[Roots]) -> Result<Vec<PluginResult>, Error> {
        self.copies.recover_again();
        let mut results = Vec::new();
        for roots in roots {
            let resolved = self.lookup.resolve(roots);
            let settings = settings_of(resolved.scopes.iter().map(|sight| &*sight.config));
            for id in settings.keys() {
                // Each plugin has a call of its own: what is sealed for one cannot be stopped, what
                // comes behind it can.
                let call = Call::detached();
                {
                    let mut state = self.state();
                    if state.stopping {
                        return Ok(results);
                    }
                    state.current = Some(call.cancel.clone());
                }
                results.extend(follow(&call, &self.lookup, &self.copies, &resolved, id));
            }
        }
        Ok(results)
    }

    async fn publish(self: &Arc<Self>, id: u64, report: TaskReport) {
        let moved: Vec<PluginId> = report
            .plugins
            .iter()
            .filter(|result| {
                matches!(
                    result.outcome,
                    PluginOutcome::Installed | PluginOutcome::Updated
                )
            })
            .map(|result| result.id.clone())
            .collect();
        let failed = report.problem.clone().or_else(|| {
            let failed = |result: &&PluginResult| result.outcome == PluginOutcome::Failed;
            report.plugins.iter().find(failed)?.problem.clone()
        });
        let news = {
            let mut state = self.state();
            let news = !state.report.says_the_same(&report);
            state.loaded = true;
            state.report = report.clone();
            news
        };
        // A run that only says "unchanged" again is not worth a write.
        if news {
            let inner = Arc::clone(self);
            let saved = self.blocking.write(move || inner.save(&report)).await;
            if let Err(error) = saved {
                tracing::warn!(
                    "cannot keep the report of the refresh: {}",
                    error_chain(&error)
                );
            }
        }
        if !moved.is_empty() {
            let change = moved
                .into_iter()
                .fold(Change::new(ChangeReason::Refresh), Change::plugin);
            self.events.changed(change);
        }
        let state = match &failed {
            None => EventState::Done,
            Some(_) => EventState::Failed,
        };
        self.tell(id, state, failed);
    }

    fn save(&self, report: &TaskReport) -> Result<(), Error> {
        let file = self.lookup.layout().status();
        // State of a newer program is left alone, as the store does.
        self.copies
            .store()?
            .prepare_state()
            .map_err(|error| Error::StoreState(Box::new(error)))?;
        status::save(self.lookup.disk(), &file, report).map_err(Error::from)
    }

    fn tell(&self, id: u64, state: EventState, problem: Option<Problem>) {
        self.events.task(TaskEvent {
            id,
            kind: TaskKind::Refresh,
            state,
            message: problem.as_ref().map(|problem| problem.message.clone()),
            problem,
        });
    }
}
