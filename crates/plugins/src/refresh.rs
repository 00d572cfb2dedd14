//! The background refresh: configured plugins follow the local marketplaces they came from.
//!
//! - A listing asks for it and never waits. While one run works, further requests merge into one
//!   run afterwards, so a client that polls cannot pile up work.
//! - A plugin is compared by version *and* by content with the source it is bound to. Different
//!   means reinstalled through the one install path; missing means repaired; configuration is never
//!   written.
//! - Whatever moves a copy here has asked `may_move` first.
//! - What lies on this disk comes first, in one section. Only then other machines are asked: for a
//!   marketplace or a plugin that is missing at once, for news of one that is there once in five
//!   minutes.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plugd_model::{MarketplaceName, PluginId, Problem, ProblemKind, Source, error_chain};
use tokio::sync::Notify;

use crate::call::{Call, Cancel};
use crate::events::{Change, ChangeReason, TaskEvent, TaskKind, TaskState as EventState};
use crate::follow::{Elsewhere, Followed, follow};
use crate::follow_elsewhere::follow_elsewhere;
use crate::listing::settings_of;
use crate::marketplace_upgrade::bring_missing;
use crate::parts::{Activity, Parts};
use crate::status::{self, PluginOutcome, PluginResult, Reported, TaskReport, TaskState};
use crate::{Error, Roots, checkout};

/// How long a source that answered is not asked again whether it has news, in seconds.
const LOOK_AGAIN: u64 = 300;

/// Runs refreshes, one at a time. Clones speak of the same queue.
#[derive(Clone)]
pub struct Refresher(Arc<Inner>);

struct Inner {
    parts: Parts,
    activity: Activity,
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
    /// When each source elsewhere was last asked for news.
    looked: Vec<(Source, u64)>,
}

/// What a pass came to without asking another machine.
#[derive(Default)]
struct Passed {
    results: Vec<PluginResult>,
    /// What has to be asked for, and where the request that needs it looked.
    elsewhere: Vec<(Roots, Elsewhere)>,
}

impl fmt::Debug for Refresher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refresher")
            .field("activity", &self.0.activity)
            .finish_non_exhaustive()
    }
}

impl Refresher {
    /// A queue that nothing works on yet: a run starts with a request. One that rests takes none.
    #[must_use]
    pub fn new(parts: Parts, activity: Activity) -> Self {
        Self(Arc::new(Inner {
            parts,
            activity,
            state: Mutex::default(),
            idle: Notify::new(),
        }))
    }

    /// Asks for a run over these roots. It returns at once; a run that is working is followed by one
    /// more, however often it was asked for meanwhile.
    pub fn request(&self, roots: Roots) {
        let mut state = self.0.state();
        if self.0.activity == Activity::Rests || state.stopping {
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
            let lookup = &self.0.parts.lookup;
            let file = lookup.layout().status();
            state.report = status::load(lookup.disk(), &file, Reported::Refresh);
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
        let id = self.parts.events.next_task();
        self.tell(id, EventState::Started, None);
        let started_at = Some(self.parts.clock.now().as_secs());
        let mut outcome = self.results(roots.clone()).await;
        // What is missing may lie far away, so it does not hold up what is here.
        let problem = match self.bring_missing().await {
            Ok((false, problem)) => problem,
            Ok((true, problem)) => {
                if let (Ok(results), Ok(more)) = (&mut outcome, self.results(roots).await) {
                    results.extend(more);
                }
                problem
            }
            Err(error) => Some(Problem::error(ProblemKind::Unreadable, error_chain(&error))),
        };
        let (plugins, problem) = match outcome {
            Ok(results) => (status::merge(results), problem),
            Err(error) => {
                let problem = Problem::error(ProblemKind::Unreadable, error_chain(&error));
                (Vec::new(), Some(problem))
            }
        };
        let report = TaskReport {
            started_at,
            finished_at: Some(self.parts.clock.now().as_secs()),
            plugins,
            problem,
        };
        self.publish(id, report).await;
    }

    /// One pass over everything that is configured where the requests looked, and over what of it
    /// lies elsewhere.
    async fn results(self: &Arc<Self>, roots: Vec<Roots>) -> Result<Vec<PluginResult>, Error> {
        let inner = Arc::clone(self);
        let pass = self.parts.blocking.write(move || inner.pass(&roots));
        let Passed {
            mut results,
            elsewhere,
        } = pass.await?;
        for (roots, asked) in elsewhere {
            if asked.known.is_some() && !self.may_look(&asked.source) {
                results.push(asked.unchanged());
                continue;
            }
            let Some(call) = self.next_call() else {
                break;
            };
            let Parts {
                blocking,
                lookup,
                copies,
                fetcher,
                ..
            } = &self.parts;
            let followed =
                follow_elsewhere(&call, blocking, lookup, copies, fetcher, &roots, asked);
            results.extend(followed.await);
        }
        Ok(results)
    }

    /// The part of a pass that needs no other machine.
    fn pass(&self, roots: &[Roots]) -> Result<Passed, Error> {
        self.parts.copies.recover_again();
        let (lookup, copies) = (&self.parts.lookup, &self.parts.copies);
        let mut passed = Passed::default();
        for roots in roots {
            let resolved = lookup.resolve(roots);
            let settings = settings_of(resolved.scopes.iter().map(|sight| &*sight.config));
            for id in settings.keys() {
                let Some(call) = self.next_call() else {
                    return Ok(passed);
                };
                match follow(&call, lookup, copies, &resolved, id, None) {
                    Followed::Nothing => {}
                    Followed::Result(result) => passed.results.push(result),
                    Followed::Elsewhere(asked) => passed.elsewhere.push((roots.clone(), asked)),
                }
            }
        }
        Ok(passed)
    }

    /// Brings configured git marketplaces that were never fetched. Answers whether one came, and
    /// what went wrong with another.
    async fn bring_missing(&self) -> Result<(bool, Option<Problem>), Error> {
        let Some(call) = self.next_call() else {
            return Ok((false, None));
        };
        let Parts {
            blocking,
            lookup,
            copies,
            fetcher,
            ..
        } = &self.parts;
        let rows = bring_missing(&call, blocking, lookup, copies, fetcher).await?;
        let mut change = Change::new(ChangeReason::Sync);
        let mut problem = None;
        for row in rows {
            match (row.outcome, MarketplaceName::new(&row.name)) {
                (Ok(_), Ok(name)) => change = change.marketplace(name),
                (Err(Error::Cancelled(_)), _) | (Ok(_), Err(_)) => {}
                (Err(error), _) => {
                    problem = Some(checkout::not_fetched(&row.name, error_chain(&error)));
                }
            }
        }
        let came = !change.is_everything();
        if came {
            self.parts.events.changed(change);
        }
        Ok((came, problem))
    }

    /// Each plugin has a call of its own: what is sealed for one cannot be stopped, what comes
    /// behind it can. `None` when everything stops.
    fn next_call(&self) -> Option<Call> {
        let call = Call::detached();
        let mut state = self.state();
        state.current = Some(call.cancel.clone());
        (!state.stopping).then_some(call)
    }

    /// Whether a source may be asked for news, and notes that it is.
    fn may_look(&self, source: &Source) -> bool {
        let now = self.parts.clock.now().as_secs();
        let mut state = self.state();
        // A clock that was set back must not keep anybody from looking.
        state
            .looked
            .retain(|(_, at)| *at <= now && now - *at < LOOK_AGAIN);
        if state.looked.iter().any(|(known, _)| known == source) {
            return false;
        }
        state.looked.push((source.clone(), now));
        true
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
            let save = self.parts.blocking.write(move || inner.save(&report));
            let saved = save.await;
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
            self.parts.events.changed(change);
        }
        let state = match &failed {
            None => EventState::Done,
            Some(_) => EventState::Failed,
        };
        self.tell(id, state, failed);
    }

    fn save(&self, report: &TaskReport) -> Result<(), Error> {
        self.parts.copies.prepare_state()?;
        let lookup = &self.parts.lookup;
        status::save(lookup.disk(), lookup.layout(), Reported::Refresh, report).map_err(Error::from)
    }

    fn tell(&self, id: u64, state: EventState, problem: Option<Problem>) {
        self.parts.events.task(TaskEvent {
            id,
            kind: TaskKind::Refresh,
            state,
            message: problem.as_ref().map(|problem| problem.message.clone()),
            problem,
        });
    }
}
