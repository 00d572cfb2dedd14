//! What a command works with: the parts that the use cases ask for, and a runtime to wait on.

use std::future::Future;
use std::sync::Arc;

use plugd_disk::Disk;
use plugd_model::{AbsPath, Environment, Problem, Severity};
use plugd_plugins::call::Call;
use plugd_plugins::events::Events;
use plugd_plugins::{Blocking, Copies, Lookup, Refresher};
use plugd_server::Setup;
use tokio::runtime::{Builder, Runtime};

use crate::failure::Failure;
use crate::flags::Flags;
use crate::home;
use crate::known::{self, KnownMarketplace};

/// The parts of one command's work. Nothing runs in the background.
pub(crate) struct Session {
    /// The one piece of work there is.
    pub(crate) call: Call,
    pub(crate) blocking: Blocking,
    pub(crate) lookup: Lookup,
    pub(crate) copies: Copies,
    pub(crate) refresher: Refresher,
    pub(crate) events: Events,
    /// The same process as the server sees it.
    pub(crate) setup: Setup,
    runtime: Runtime,
}

impl Session {
    /// Makes the parts; no file of a plugin is touched yet.
    ///
    /// # Errors
    /// There is no home directory, a flag cannot be understood, or the system refuses a runtime.
    pub(crate) fn open(environment: &Environment, flags: &Flags) -> Result<Self, Failure> {
        let setup = setup(environment, flags)?;
        let disk = Disk::new();
        // A command runs one section after the other.
        let blocking = Blocking::new(1, 1);
        let lookup = Lookup::new(
            disk.clone(),
            Arc::new(setup.layout.clone()),
            environment.home.clone(),
            Arc::new(setup.flags.clone()),
        );
        let clock = Arc::clone(&environment.clock);
        let copies = Copies::new(
            disk,
            setup.layout.clone(),
            Arc::clone(&environment.names),
            Arc::clone(&clock),
        );
        let events = Events::detached();
        let refresher = Refresher::switched_off(
            blocking.clone(),
            lookup.clone(),
            copies.clone(),
            events.clone(),
            clock,
        );
        Ok(Self {
            call: Call::detached(),
            blocking,
            lookup,
            copies,
            refresher,
            events,
            setup,
            runtime: Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(Failure::Start)?,
        })
    }

    /// Waits for a use case.
    pub(crate) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
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

/// What the process is about, from what it was told.
///
/// # Errors
/// There is no home directory, or a flag cannot be understood.
pub(crate) fn setup(environment: &Environment, flags: &Flags) -> Result<Setup, Failure> {
    Ok(Setup {
        flags: flags.parse()?,
        layout: home::layout(environment, &Disk::new())?,
        environment: environment.clone(),
    })
}
