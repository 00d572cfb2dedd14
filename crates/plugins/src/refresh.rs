//! The background refresh: configured plugins follow the local marketplaces they came from.
//!
//! - A listing asks for it and never waits. While one run works, further requests merge into one
//!   run afterwards, so a client that polls cannot pile up work. A run that found nothing to do is
//!   followed by a rest that grows with what it cost, and that ends when somebody knows of something to do.
//! - A plugin is compared by version *and* by content with the source it is bound to. Different
//!   means reinstalled through the one install path; missing means repaired; configuration is never
//!   written.
//! - Whatever moves a copy here has asked `may_move` first.
//! - What lies on this disk comes first, two plugins at a time, and copies that are ready take their places
//!   together. Only then other machines are asked, once in five minutes for the same thing, and a listing
//!   that comes meanwhile gets its local pass at once.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plugd_model::{MarketplaceName, Problem, ProblemKind, error_chain};
use plugd_store::Store;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::asked_of_late::AskedOfLate;
use crate::behind::Behind;
use crate::call::{Call, Cancel};
use crate::differing::Differing;
use crate::events::{Change, ChangeReason};
use crate::follow::{Elsewhere, Followed};
use crate::follow_together::follow_together;
use crate::last_run::{LastRun, Worth};
use crate::lost_commands::lost_command;
use crate::marketplace_upgrade::bring_missing;
use crate::parts::{Activity, Parts};
use crate::queue::{Queue, Urgency};
use crate::refresh_far::{follow_far, is_let_go};
use crate::refresh_look::Looked;
use crate::refresh_rest::Rest;
use crate::status::{self, PluginOutcome, PluginResult, Reported, TaskReport, TaskState};
use crate::waits::Waits;
use crate::{Error, Roots, checkout};

/// Runs refreshes, one at a time. Clones speak of the same queue.
#[derive(Clone)]
pub struct Refresher(Arc<Inner>);

struct Inner {
    parts: Parts,
    activity: Activity,
    queue: Queue,
    last: LastRun,
    /// All work here, each plugin of which is a part: stopped once, for good.
    here: Call,
    state: Mutex<State>,
    /// A request came while a run was working.
    more: Notify,
    rest: Rest,
}

#[derive(Default)]
struct State {
    stopping: bool,
    /// What was asked for while a run was working, each set of roots once.
    waiting: Vec<Roots>,
    /// What stops the work with another machine.
    far: Option<Cancel>,
    /// Whom not to ask again yet.
    asked: AskedOfLate,
}

/// What a run came to.
#[derive(Default)]
struct Came {
    results: Vec<PluginResult>,
    /// The same, of which clients know already.
    told: Vec<PluginResult>,
    problem: Option<Problem>,
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
            last: LastRun::new(&parts, Reported::Refresh),
            parts,
            activity,
            queue: Queue::default(),
            here: Call::detached(),
            state: Mutex::default(),
            more: Notify::new(),
            rest: Rest::default(),
        }))
    }

    /// Asks for a run over these roots because something has moved. It returns at once; a run that is working
    /// is followed by one more, however often it was asked for meanwhile.
    pub(crate) fn request(&self, roots: Roots) {
        self.ask(roots);
        self.0.rest.rouse();
    }

    /// The same behind a listing, which waits for the end of a rest unless it shows something new to do.
    pub(crate) fn listed(&self, roots: Roots, behind: Behind) {
        self.ask(roots);
        self.0.rest.learn(behind);
    }

    fn ask(&self, roots: Roots) {
        if self.0.activity == Activity::Rests {
            return;
        }
        {
            let mut state = self.0.state();
            if !state.waiting.contains(&roots) {
                state.waiting.push(roots);
            }
        }
        if self.0.queue.ask(Urgency::Fresh) {
            tokio::spawn(Arc::clone(&self.0).work());
        } else {
            self.0.more.notify_one();
        }
    }

    /// The plugins whose source had something else at the end of the last run.
    #[must_use]
    pub fn differing(&self) -> Differing {
        Differing::of(&self.0.last.remembered())
    }

    /// Whether a run is working, and what the last one said, also one of an earlier process.
    #[must_use]
    pub fn report(&self) -> (TaskState, TaskReport) {
        let running = match self.0.queue.is_running() {
            true => TaskState::Running,
            false => TaskState::Idle,
        };
        (running, TaskReport::clone(&self.0.last.remembered()))
    }

    /// Ends background work: what is past its point of no return is finished, the rest is given up.
    pub async fn stop(&self) {
        {
            let mut state = self.0.state();
            state.stopping = true;
            self.0.here.cancel.cancel();
            if let Some(far) = &state.far {
                far.cancel();
            }
        }
        self.0.queue.stop().await;
    }
}

impl Inner {
    /// Held for a few assignments only; a panic leaves a report behind and no broken promise.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        self.parts.clock.now().as_secs()
    }

    async fn work(self: Arc<Self>) {
        let _working = self.queue.working();
        loop {
            // A run that goes on may have taken what was asked for meanwhile.
            if !self.state().waiting.is_empty() {
                self.rest.over(&self.queue).await;
            }
            self.rest.run_begins();
            let roots = self.asked();
            if !roots.is_empty() {
                let began = Instant::now();
                let has_changed = self.run(roots).await;
                self.rest.run_ended(has_changed, began.elapsed());
            }
            if !self.queue.next() {
                return;
            }
        }
    }

    /// What was asked for, and nothing when everything stops.
    fn asked(&self) -> Vec<Roots> {
        let mut state = self.state();
        match state.stopping {
            true => Vec::new(),
            false => std::mem::take(&mut state.waiting),
        }
    }

    /// One run, and whether it has changed anything.
    async fn run(self: &Arc<Self>, roots: Vec<Roots>) -> bool {
        let id = self.last.begin();
        let started_at = Some(self.now());
        let Came {
            results,
            told,
            problem,
        } = self.both(roots).await.unwrap_or_else(|error| Came {
            problem: Some(Problem::error(ProblemKind::Unreadable, error_chain(&error))),
            ..Came::default()
        });
        let untold = results.clone();
        let plugins = status::merge(results.into_iter().chain(told));
        let has_changed = plugins.iter().any(|plugin| plugin.outcome.is_change());
        let report = TaskReport {
            started_at,
            finished_at: Some(self.now()),
            plugins,
            problem,
        };
        self.publish(id, report, &untold).await;
        has_changed
    }

    /// What is here, and then what lies elsewhere; whoever asks meanwhile gets the first part at once.
    async fn both(self: &Arc<Self>, roots: Vec<Roots>) -> Result<Came, Error> {
        let Passed { results, elsewhere } = self.here(roots.clone()).await?;
        let (mut first, mut told) = (results, Vec::new());
        if !elsewhere.is_empty() {
            // Nobody who waits for these is to wait for other machines.
            self.tell_moved(&first);
            told.append(&mut first);
        }
        let mut far = std::pin::pin!(self.far(roots, elsewhere));
        let mut again = Vec::new();
        let mut came = loop {
            tokio::select! {
                biased;
                done = &mut far => break done,
                () = self.more.notified() => {}
            }
            let asked = self.asked();
            if asked.is_empty() {
                continue;
            }
            let passed = self.here(asked.clone()).await?;
            self.tell_moved(&passed.results);
            told.extend(passed.results);
            again.extend(asked);
        };
        came.told.splice(0..0, told);
        came.results.splice(0..0, first);
        let mut state = self.state();
        // Their other part is still to come, in the run that they asked for.
        again.retain(|roots| !state.waiting.contains(roots));
        state.waiting.extend(again);
        Ok(came)
    }

    /// One pass over everything that is configured where the requests looked.
    async fn here(self: &Arc<Self>, roots: Vec<Roots>) -> Result<Passed, Error> {
        let inner = Arc::clone(self);
        let begin = self.parts.blocking.write(move || {
            // What this run will say is compared with what an earlier process said.
            inner.last.remembered();
            inner.parts.copies.recover_again();
            Ok(())
        });
        begin.await?;
        let mut passed = Passed::default();
        for roots in roots {
            self.pass(roots, &mut passed).await?;
        }
        Ok(passed)
    }

    /// The same for one request. Two plugins at a time, in whatever order; what is told of them stands in
    /// that of the configuration.
    async fn pass(self: &Arc<Self>, roots: Roots, passed: &mut Passed) -> Result<(), Error> {
        let inner = Arc::clone(self);
        let look = move || Ok(Looked::new(inner.here.clone(), &inner.parts.lookup, roots));
        let looked = Arc::new(self.parts.blocking.write(look).await?);
        let work = || {
            let (inner, looked) = (Arc::clone(self), Arc::clone(&looked));
            self.parts
                .blocking
                .write(move || Ok(inner.follow_each(&looked)))
        };
        // While one waits for the disk the other one goes on; more would take the processor from answers.
        let (mut followed, others) = tokio::try_join!(work(), work())?;
        followed.extend(others);
        followed.sort_by_key(|(number, _)| *number);
        for (_, followed) in followed {
            match followed {
                Followed::Nothing => {}
                Followed::Result(result) => passed.results.push(result),
                Followed::Elsewhere(asked) => passed.elsewhere.push((looked.roots.clone(), asked)),
            }
        }
        Ok(())
    }

    /// Brings what lies on other machines.
    async fn far(self: &Arc<Self>, roots: Vec<Roots>, elsewhere: Vec<(Roots, Elsewhere)>) -> Came {
        let told = self.follow_far(elsewhere).await;
        let failed = |error: &Error| Problem::error(ProblemKind::Unreadable, error_chain(error));
        let (is_new, problem) = match self.bring_missing().await {
            Ok(found) => found,
            Err(error) => (false, Some(failed(&error))),
        };
        let mut came = Came {
            told,
            problem,
            ..Came::default()
        };
        if is_new {
            match self.here(roots).await {
                Ok(passed) => {
                    came.results.extend(passed.results);
                    came.told.extend(self.follow_far(passed.elsewhere).await);
                }
                Err(error) => came.problem = Some(failed(&error)),
            }
        }
        came
    }

    /// The same for plugins; what has moved is told at once.
    async fn follow_far(&self, elsewhere: Vec<(Roots, Elsewhere)>) -> Vec<PluginResult> {
        let (mut results, mut wanted) = (Vec::new(), Vec::new());
        for (roots, asked) in elsewhere {
            // What was held and is not any more is to come at once.
            let held = self.held_last_time(&asked);
            let is_let_go = held.as_ref().is_some_and(|held| is_let_go(held, &asked));
            if asked.known.is_some()
                && !self.state().asked.may_look(&asked.source, self.now())
                && !is_let_go
            {
                results.push(held.unwrap_or_else(|| asked.unchanged()));
                continue;
            }
            wanted.push((roots, asked));
        }
        if let Some(whole) = self.far_call().filter(|_| !wanted.is_empty()) {
            let tell = |result: &PluginResult| self.tell_moved(std::slice::from_ref(result));
            let next_call = || Call {
                waits: Waits::new(),
                ..whole.part()
            };
            results.extend(follow_far(next_call, self.parts.reach(), wanted, tell).await);
        }
        results
    }

    /// What the last run said of a copy that it held back, while that copy is there.
    fn held_last_time(&self, asked: &Elsewhere) -> Option<PluginResult> {
        let last = self.last.remembered();
        let held = last.plugins.iter().find(|result| {
            result.outcome == PluginOutcome::HeldBack
                && (&result.id, &result.from) == (&asked.id, &asked.from)
                && (result.copy.is_none() || result.copy == asked.copy)
        });
        held.cloned()
    }

    /// Takes one plugin after the other, as long as there are any and nothing stops.
    fn follow_each(&self, looked: &Looked) -> Vec<(usize, Followed)> {
        let (lookup, copies) = (&self.parts.lookup, &self.parts.copies);
        // Only where something was told: the others have nothing to find out again.
        let had_problems = self.last.remembered().with_problems();
        let at = (lookup, copies, &looked.resolved);
        let plugins = std::iter::from_fn(|| {
            let next = looked.next();
            // Not behind the last one.
            if next.is_some() {
                self.parts.blocking.make_room();
            }
            next
        });
        let mut done = follow_together(at, plugins);
        for (_, followed) in &mut done {
            if let Followed::Result(result) = followed
                && result.outcome == PluginOutcome::Unchanged
                && result.problem.is_none()
                && had_problems.contains(&result.id)
            {
                result.problem = lost_command(lookup, copies, &result.id);
            }
        }
        done
    }

    /// Brings configured git marketplaces that were never fetched. Answers whether one came, and
    /// what went wrong with another.
    async fn bring_missing(&self) -> Result<(bool, Option<Problem>), Error> {
        let Some(call) = self.far_call() else {
            return Ok((false, None));
        };
        let missed = self.state().asked.missed(self.now());
        let Parts {
            blocking,
            lookup,
            copies,
            fetcher,
            ..
        } = &self.parts;
        let rows = bring_missing(&call, blocking, lookup, copies, fetcher, missed).await?;
        let mut change = Change::new(ChangeReason::Sync);
        let mut failures = Vec::new();
        for row in rows {
            match (row.outcome, MarketplaceName::new(&row.name)) {
                (Ok(_), Ok(name)) => change = change.marketplace(name),
                (Err(Error::Cancelled(_)), _) | (Ok(_), Err(_)) => {}
                (Err(error), _) => failures.push((row.name, error_chain(&error))),
            }
        }
        let came = !change.is_everything();
        if came {
            self.parts.events.changed(change);
        }
        Ok((came, self.note_missed(failures)))
    }

    /// Remembers what could not be had, and makes one problem of it.
    fn note_missed(&self, failures: Vec<(String, String)>) -> Option<Problem> {
        let mut texts = Vec::new();
        for (name, reason) in failures {
            texts.push(checkout::not_fetched(&name, &reason));
            self.state().asked.miss(name, self.now());
        }
        (!texts.is_empty()).then(|| Problem::error(ProblemKind::Unavailable, texts.join("; ")))
    }

    /// Work with another machine, beside which there may be work here. `None` when everything stops.
    fn far_call(&self) -> Option<Call> {
        let call = Call::detached();
        let mut state = self.state();
        state.far = Some(call.cancel.clone());
        (!state.stopping).then_some(call)
    }

    async fn publish(self: &Arc<Self>, id: u64, report: TaskReport, untold: &[PluginResult]) {
        let failure = report.failure();
        // A run that only says "unchanged" again is not worth a write, and one that was stopped has not seen
        // everything.
        if !self.state().stopping {
            self.last.keep(report, Worth::News).await;
        }
        self.tell_moved(untold);
        self.last.end(id, failure);
        self.keep_known_sources().await;
    }

    /// Leaves what was read to the next process.
    async fn keep_known_sources(&self) {
        let copies = self.parts.copies.clone();
        let Ok(true) = copies.store().map(Store::knows_new_sources) else {
            return;
        };
        let keep = move || {
            let kept = copies.store()?.keep_known_sources();
            kept.map_err(|error| Error::StoreState(Box::new(error)))
        };
        if let Err(error) = self.parts.blocking.write(keep).await {
            // It costs the next process some reading.
            tracing::debug!(%error, "what sources hold is not kept");
        }
    }

    fn tell_moved(&self, results: &[PluginResult]) {
        let change = results
            .iter()
            .filter(|result| result.outcome.is_new_copy())
            .map(|result| result.id.clone())
            .fold(Change::new(ChangeReason::Refresh), Change::plugin);
        // A change that names nothing would say that everything may have changed.
        if !change.is_everything() {
            self.parts.events.changed(change);
        }
    }
}

#[cfg(test)]
#[path = "refresh_tests.rs"]
mod tests;
