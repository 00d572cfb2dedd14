//! The synchronisation with the account: in the background whenever somebody has looked or changed
//! something, and in the foreground for whoever wants to wait for it.
//!
//! - One run at a time in this process, whoever asked for it; between processes the store's locks
//!   decide plugin by plugin.
//! - What is asked for while a run works is followed by one more: the answer that it works with may be
//!   older than the question. A run in the foreground answers what was asked for in the background
//!   before it: nothing of that begins behind its own answer.
//! - Without a login, or with plugins switched off, nobody is asked and nothing happens.
//! - How the last run went is kept on disk. What failed is tried again by the next run.
//!
//! What a run does stands in `remote_run`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use plugd_catalog::Login;
use plugd_config::Snapshot;
use plugd_model::{Problem, ProblemKind, error_chain};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::call::{Call, Cancelled};
use crate::in_time::late;
use crate::last_run::{LastRun, Worth};
use crate::login_refresh::refresh_login;
use crate::parts::{Activity, Parts};
use crate::queue::{Queue, Urgency};
use crate::remote_error::RemoteError;
use crate::remote_listing::renew_stale;
use crate::remote_login::{is_kept_elsewhere, why_unread};
use crate::remote_run::{self, Ran, Reconciled};
use crate::status::{PluginOutcome, Reported, TaskReport, TaskState};
use crate::{Error, curated_state};

/// What was tried.
const FORCE: &str = "failed to sync with the account";

/// How long a run waits for the service from its request on, with the time that it waits for its turn.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long it waits at least: the run before it may have brought much, and the service be well.
const LEAST: Duration = Duration::from_secs(5);

/// Runs synchronisations, one at a time. Clones speak of the same queue.
#[derive(Clone)]
pub struct RemoteSync(Arc<Inner>);

struct Inner {
    parts: Parts,
    activity: Activity,
    queue: Queue,
    /// One turn, which a run has from its beginning to its end.
    turn: Semaphore,
    last: LastRun,
}

/// What follows the account.
#[derive(Debug, Clone, Copy)]
enum What {
    /// The copies of the remote catalog.
    Account,
    /// The curated snapshot.
    Curated,
}

impl fmt::Debug for RemoteSync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteSync")
            .field("activity", &self.0.activity)
            .finish_non_exhaustive()
    }
}

impl RemoteSync {
    /// A queue that nothing works on yet.
    #[must_use]
    pub fn new(parts: Parts, activity: Activity) -> Self {
        Self(Arc::new(Inner {
            last: LastRun::new(&parts, Reported::RemoteSync),
            parts,
            activity,
            queue: Queue::default(),
            turn: Semaphore::new(1),
        }))
    }

    /// Asks for a run and returns at once.
    pub fn request(&self) {
        if self.0.activity == Activity::Works && self.0.queue.ask(Urgency::Fresh) {
            tokio::spawn(Arc::clone(&self.0).work());
        }
    }

    /// Runs once and waits for the end. Without an account to synchronise with nothing happens, and
    /// nothing has changed.
    ///
    /// # Errors
    /// It was cancelled before anything had changed, the login cannot be used, the service cannot be
    /// asked or refuses, or the store cannot be read. What concerns one plugin stands in the answer.
    pub async fn reconcile(&self, call: &Call) -> Result<Reconciled, Error> {
        let ran = self
            .0
            .run(call, What::Account, Heard::ByCaller, LoginWas::Left);
        let ran = ran.await?;
        Ok(ran.map(|ran| ran.reconciled).unwrap_or_default())
    }

    /// Does what an older client insists on with a listing: reconciles with the account before
    /// anything is answered. Without the remote catalog the curated snapshot follows the account.
    ///
    /// # Errors
    /// As [`RemoteSync::reconcile`], and there is no login, or another one before the end, or the time
    /// of the call was over before everything was done. What concerns one plugin is an error too, when
    /// everything else is done: the client has no other place to see it.
    pub async fn force(&self, call: &Call) -> Result<Reconciled, Error> {
        let parts = self.0.parts.clone();
        refresh_login(call, &parts.blocking, &parts.lookup).await;
        let look = self.0.parts.blocking.read(move || {
            let config = parts.lookup.config(None);
            let features = config.features();
            if features.plugins {
                parts.lookup.remote().access(&config, FORCE)?;
            }
            Ok((features.plugins, features.remote_plugin))
        });
        let what = match look.await? {
            (false, _) => return Ok(Reconciled::default()),
            (true, true) => What::Account,
            (true, false) => What::Curated,
        };
        let Some(Ran {
            results,
            reconciled,
            partial,
        }) = self
            .0
            .run(call, what, Heard::ByCaller, LoginWas::Refreshed)
            .await?
        else {
            return Err(RemoteError::NoState {
                action: FORCE,
                reason: "the login has changed".to_owned(),
            }
            .into());
        };
        let left = results
            .iter()
            .filter(|one| matches!(one.outcome, PluginOutcome::Failed | PluginOutcome::HeldBack));
        let texts: Vec<_> = left
            .filter_map(|one| one.problem.as_ref())
            .chain(&partial)
            .map(|problem| problem.message.clone())
            .collect();
        if texts.is_empty() {
            return Ok(reconciled);
        }
        Err(RemoteError::NoState {
            action: FORCE,
            reason: texts.join("; "),
        }
        .into())
    }

    /// Whether a run is working, and what the last one said, also one of another process. Reads a
    /// file.
    #[must_use]
    pub fn report(&self) -> (TaskState, TaskReport) {
        let running = match self.0.queue.is_running() || self.0.turn.available_permits() == 0 {
            true => TaskState::Running,
            false => TaskState::Idle,
        };
        (running, self.0.last.newest())
    }

    /// Why nobody is asked, when something keeps it from that. Reads a file.
    #[must_use]
    pub fn off(&self, config: &Snapshot) -> Option<String> {
        off(&self.0.parts, config).map(str::to_owned)
    }

    /// Ends background work: a copy that has taken its place stays, the rest is given up.
    pub async fn stop(&self) {
        self.0.queue.stop().await;
    }
}

/// Who is told when a run as a whole fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    /// Whoever asked for it has the error as the answer.
    ByCaller,
    /// It ran in the background.
    ByNobody,
}

/// What a run finds of the login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LoginWas {
    /// It was refreshed right before, where it had expired.
    Refreshed,
    /// Nobody has looked whether it has expired.
    Left,
}

impl Inner {
    async fn work(self: Arc<Self>) {
        let _working = self.queue.working();
        loop {
            self.queue.breathe().await;
            if let Some(call) = self.queue.call() {
                // It has its end in the report.
                let run = self.run(&call, What::Account, Heard::ByNobody, LoginWas::Left);
                let _ = run.await;
                renew_stale(self.parts.lookup.remote(), &call, &self.parts.blocking).await;
            }
            if !self.queue.next() {
                return;
            }
        }
    }

    async fn run(
        self: &Arc<Self>,
        call: &Call,
        what: What,
        heard: Heard,
        login: LoginWas,
    ) -> Result<Option<Ran>, Error> {
        if call.cancel.is_cancelled() {
            return Err(Error::Cancelled(Cancelled));
        }
        let begun = Instant::now();
        let at_once = self.turn.try_acquire().ok();
        // While somebody waits for the turn a login can expire.
        let is_refreshed = login == LoginWas::Refreshed && at_once.is_some();
        let _turn = match at_once {
            Some(turn) => Some(turn),
            None => tokio::select! {
                biased;
                () = call.cancel.cancelled() => return Err(Error::Cancelled(Cancelled)),
                // It is never closed; without a turn a run would still be correct.
                turn = self.turn.acquire() => turn.ok(),
                () = call.out_of_time() => return Err(late(FORCE)),
            },
        };
        let asked = self.queue.asked();
        if heard == Heard::ByNobody && self.queue.is_answered() {
            return Ok(None);
        }
        if !self.is_wanted().await? {
            return Ok(None);
        }
        // Where nobody is logged in there is nothing to refresh, and that is so behind most listings.
        if !is_refreshed {
            refresh_login(call, &self.parts.blocking, &self.parts.lookup).await;
        }
        let id = self.last.begin();
        let started_at = self.parts.clock.now().as_secs();
        let outcome = match what {
            What::Account => {
                let outcome = remote_run::run(call, &self.parts, answer_by(begun)).await;
                // With another login at its end it has done nothing for that one.
                if let Ok(Some(_)) = &outcome {
                    self.queue.answer(asked);
                }
                outcome
            }
            What::Curated => curated_state::run(call, &self.parts).await.map(Some),
        };
        self.publish(id, started_at, &outcome, heard).await;
        outcome
    }

    /// Whether there is an account, before anybody is told of a run.
    async fn is_wanted(&self) -> Result<bool, Error> {
        let parts = self.parts.clone();
        let look = self.parts.blocking.read(move || {
            let config = parts.lookup.config(None);
            Ok(off(&parts, &config).is_none())
        });
        look.await
    }

    async fn publish(
        self: &Arc<Self>,
        id: u64,
        started_at: u64,
        outcome: &Result<Option<Ran>, Error>,
        heard: Heard,
    ) {
        let (plugins, problem) = match outcome {
            Ok(Some(ran)) => (ran.results.clone(), ran.partial.clone()),
            Ok(None) | Err(Error::Cancelled(_)) => {
                self.last.end(id, None);
                return;
            }
            Err(error) => (Vec::new(), Some(problem_of(error))),
        };
        let report = TaskReport {
            started_at: Some(started_at),
            finished_at: Some(self.parts.clock.now().as_secs()),
            plugins,
            problem,
        };
        let failure = report.failure();
        if self.last.keep(report.clone(), Worth::News).await {
            log(&report, heard);
        }
        self.last.end(id, failure);
    }
}

/// When somebody who began to wait then stops to wait for the service.
fn answer_by(begun: Instant) -> Instant {
    (begun + PATIENCE).max(Instant::now() + LEAST)
}

/// What keeps a run from asking anybody. What is wrong with a login that is there is a failure of the
/// run.
fn off(parts: &Parts, config: &Snapshot) -> Option<&'static str> {
    if !config.features().plugins {
        return Some("plugins are switched off in the [features] table of config.toml");
    }
    let state = parts.lookup.remote().login(config);
    match state.login {
        Login::Backend(_) => None,
        Login::Unread => why_unread(&state)
            .filter(|problem| is_kept_elsewhere(problem))
            .map(|_| "the login is kept where plugd cannot read it"),
        Login::None => Some("nobody is logged in"),
        Login::ApiKey => Some("the login is an API key, which has no plugins"),
    }
}

/// What everybody may read of a run: what moved, and once what did not.
fn log(report: &TaskReport, heard: Heard) {
    match (&report.problem, heard) {
        (Some(problem), Heard::ByNobody) => tracing::warn!("remote sync: {}", problem.message),
        (Some(problem), Heard::ByCaller) => tracing::debug!("remote sync: {}", problem.message),
        (None, _) => {}
    }
    for result in &report.plugins {
        let (id, from, to) = (&result.id, &result.from, &result.to);
        let (from, to) = (from.as_deref().unwrap_or("-"), to.as_deref().unwrap_or("-"));
        match (&result.outcome, &result.problem) {
            (PluginOutcome::Unchanged, _) => {}
            (outcome, None) => tracing::info!(%id, from, to, "remote sync: {outcome:?}"),
            (_, Some(problem)) => tracing::warn!(%id, from, to, "remote sync: {}", problem.message),
        }
    }
}

/// A failed run as a problem.
fn problem_of(error: &Error) -> Problem {
    let kind = match error {
        Error::Remote(RemoteError::LoginExpired { .. }) => ProblemKind::LoginExpired,
        Error::Remote(_) => ProblemKind::RemoteUnavailable,
        _ => ProblemKind::Unreadable,
    };
    Problem::error(kind, error_chain(error))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, advance};

    use super::answer_by;

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_his_turn_waits_so_much_less_for_the_service() {
        let begun = Instant::now();
        let left = || answer_by(begun) - Instant::now();
        assert_eq!(left(), Duration::from_secs(30));
        advance(Duration::from_secs(20)).await;
        assert_eq!(left(), Duration::from_secs(10));
        advance(Duration::from_secs(600)).await;
        assert_eq!(left(), Duration::from_secs(5));
    }
}
