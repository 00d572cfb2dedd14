//! What a command works with: the parts that the use cases ask for, and a runtime to wait on.
//!
//! Work that changes something can be ended from outside: it is cancelled, cleans up, and only then
//! the command ends. What has passed its point of no return is finished, and its result stands.

use std::cell::Cell;
use std::future::Future;
use std::sync::Arc;

use plugd_disk::Disk;
use plugd_model::{AbsPath, Environment, Problem, Severity};
use plugd_plugins::call::{Call, Cancel};
use plugd_plugins::events::Events;
use plugd_plugins::{
    Activity, Blocking, Copies, Fetcher, Lookup, Parts, Refresher, Remote, Sweeping,
};
use plugd_server::Setup;
use tokio::runtime::{Builder, Runtime};

use crate::failure::Failure;
use crate::flags::Flags;
use crate::home;
use crate::known::{self, KnownMarketplace};
use crate::progress::{Reports, Watched};
use crate::signals::{Signal, Signals};

/// The parts of one command's work. Nothing runs in the background.
pub(crate) struct Session {
    /// The one piece of work there is.
    pub(crate) call: Call,
    pub(crate) blocking: Blocking,
    pub(crate) lookup: Lookup,
    pub(crate) copies: Copies,
    pub(crate) fetcher: Fetcher,
    pub(crate) refresher: Refresher,
    pub(crate) events: Events,
    /// What a use case takes that needs most of them.
    pub(crate) parts: Parts,
    /// The same process as the server sees it.
    pub(crate) setup: Setup,
    reports: Reports,
    /// Absent only while it is dropped.
    runtime: Option<Runtime>,
    /// Nobody waits for work that is left.
    hurried: Cell<bool>,
}

impl Session {
    /// Makes the parts; no file of a plugin is touched yet.
    ///
    /// # Errors
    /// There is no home directory, a flag cannot be understood, or the system refuses a runtime.
    pub(crate) fn open(
        environment: &Environment,
        disk: &Disk,
        flags: &Flags,
        watched: Watched,
    ) -> Result<Self, Failure> {
        let setup = setup(environment, disk, flags)?;
        // A command runs one section after the other.
        let blocking = Blocking::new(1, 1);
        let clock = Arc::clone(&environment.clock);
        let copies = Copies::new(
            disk.clone(),
            setup.layout.clone(),
            Arc::clone(&environment.names),
            Arc::clone(&clock),
        );
        let lookup = Lookup::new(
            disk.clone(),
            Arc::new(setup.layout.clone()),
            environment.home.clone(),
            Arc::new(setup.flags.clone()),
            Remote::new(environment, &setup.layout, &copies),
            Arc::clone(&environment.clock),
        );
        let events = Events::detached();
        let fetcher = Fetcher::new(environment, disk, &setup.layout);
        let parts = Parts {
            blocking: blocking.clone(),
            lookup: lookup.clone(),
            copies: copies.clone(),
            fetcher: fetcher.clone(),
            events: events.clone(),
            clock,
        };
        let refresher = Refresher::new(parts.clone(), Activity::Rests);
        let (progress, reports) = watched.progress();
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Failure::Start)?;
        Ok(Self {
            call: Call {
                progress,
                ..Call::detached()
            },
            blocking,
            lookup,
            copies,
            fetcher,
            refresher,
            events,
            parts,
            setup,
            reports,
            runtime: Some(runtime),
            hurried: Cell::new(false),
        })
    }

    /// Waits for a use case that changes nothing. A signal ends the process, as it ends any.
    pub(crate) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime().block_on(work)
    }

    /// Waits for a use case that changes something, draws how far it is, and cancels it on a signal.
    ///
    /// # Errors
    /// The use case failed, or was ended by a signal.
    pub(crate) fn change<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        let done = self.runtime().block_on(async {
            let mut signals = Signals::listen().map_err(Failure::Start)?;
            let work = until_told(&self.call.cancel, async || signals.next().await, work);
            tokio::select! {
                biased;
                done = work => done,
                never = self.reports.draw() => match never {},
            }
        });
        if let Err(Failure::Abandoned(_)) = done {
            self.hurried.set(true);
        }
        done
    }

    fn runtime(&self) -> &Runtime {
        #[expect(
            clippy::expect_used,
            reason = "it is taken in `drop`, behind which nobody asks"
        )]
        self.runtime
            .as_ref()
            .expect("a session that is not dropped")
    }

    /// The directory that relative arguments count from.
    pub(crate) fn cwd(&self) -> &AbsPath {
        &self.setup.environment.cwd
    }

    /// What is wrong with the configuration itself, so that something may not be seen.
    ///
    /// # Errors
    /// The section panicked.
    pub(crate) async fn config_errors(&self) -> Result<Vec<Problem>, Failure> {
        let config = plugd_plugins::read_config(&self.blocking, &self.lookup, None).await?;
        let problems = config.problems().iter();
        let errors = problems.filter(|one| one.severity == Severity::Error);
        Ok(errors.cloned().collect())
    }

    /// Whether plugins are switched off, so that nothing of them is seen.
    ///
    /// # Errors
    /// The section panicked.
    pub(crate) async fn plugins_are_off(&self) -> Result<bool, Failure> {
        let config = plugd_plugins::read_config(&self.blocking, &self.lookup, None).await?;
        Ok(!config.features().plugins)
    }

    /// Where the manifest of a marketplace lies, whether or not plugins are switched on.
    ///
    /// # Errors
    /// The section panicked.
    pub(crate) async fn manifest_of(&self, name: &str) -> Result<Option<AbsPath>, Failure> {
        let (lookup, name) = (self.lookup.clone(), name.to_owned());
        let find = move || {
            let mut named = known::ungated(&lookup)
                .into_iter()
                .filter(|one| one.name == name);
            Ok(named.find_map(|one| one.path))
        };
        Ok(self.blocking.read(find).await?)
    }

    /// The marketplaces in use.
    ///
    /// # Errors
    /// The section panicked.
    pub(crate) async fn marketplaces(&self) -> Result<Vec<KnownMarketplace>, Failure> {
        let lookup = self.lookup.clone();
        let known = self.blocking.read(move || Ok(known::marketplaces(&lookup)));
        Ok(known.await?)
    }
}

impl Drop for Session {
    /// Waits for work that is left, unless somebody is in a hurry.
    fn drop(&mut self) {
        match self.runtime.take() {
            Some(runtime) if self.hurried.get() => runtime.shutdown_background(),
            runtime => drop(runtime),
        }
    }
}

/// Does the work and listens for signals meanwhile: the first one cancels it and waits for its end,
/// the second one leaves it behind.
async fn until_told<T>(
    cancel: &Cancel,
    mut next: impl AsyncFnMut() -> Signal,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::pin!(work);
    let first = tokio::select! {
        biased;
        done = &mut work => return done,
        signal = next() => signal,
    };
    cancel.cancel();
    let done = tokio::select! {
        biased;
        done = &mut work => done,
        second = next() => return Err(Failure::Abandoned(second)),
    };
    match done {
        Err(failure) if failure.is_cancelled() && !failure.is_in_doubt() => {
            Err(Failure::Interrupted(first))
        }
        // It was too late to cancel, or it had failed for another reason.
        done => done,
    }
}

/// What the process is about, from what it was told.
///
/// # Errors
/// There is no home directory, or a flag cannot be understood.
pub(crate) fn setup(
    environment: &Environment,
    disk: &Disk,
    flags: &Flags,
) -> Result<Setup, Failure> {
    Ok(Setup {
        flags: flags.parse()?,
        disk: disk.clone(),
        layout: home::layout(environment, disk)?,
        environment: environment.clone(),
        sweeping: Sweeping::Behind,
    })
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
