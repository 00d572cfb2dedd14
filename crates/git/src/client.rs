//! The daemon's side: one worker for each task, watched until it ends.
//!
//! A worker may take as long as it likes while it makes progress. It is ended when nothing moves for
//! the idle time, when the caller gives up, and when the future that waits for it is dropped. What a
//! checkout had written by then stays: the caller made the directory's name and removes it.

use std::ffi::OsString;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use tokio::time::timeout;

use plugd_model::{AbsPath, Environment, Layout};

use crate::running::{Running, Said};
use crate::wire::{CheckedOut, Fetched, Line, Outcome, Place, Request, Settings, Task, VERSION};
use crate::{Address, Backend, CommitId, Depth, GitError, Progress, Stage, Want};

/// How long nothing may move.
const IDLE: Duration = Duration::from_secs(30);
/// How long to wait for a process that uses the same mirror.
const PATIENCE: Duration = Duration::from_secs(10 * 60);
/// How much one fetch may bring: twice what an installation may hold.
const MAX_PACK: u64 = 2 << 30;

/// Starts workers. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Git {
    pub(crate) program: AbsPath,
    pub(crate) args: Vec<OsString>,
    pub(crate) environment: Environment,
    layout: Layout,
    idle: Duration,
    patience: Duration,
    max_pack_bytes: u64,
    backend: Backend,
}

/// Who watches a task: told how far it is, and able to give it up.
#[derive(Debug)]
pub struct Watch<P, C> {
    /// Called for every report.
    pub progress: P,
    /// Ends the task when it is ready.
    pub cancel: C,
}

/// What of a commit is written, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    /// A directory that does not exist, in one that does.
    pub dest: AbsPath,
    /// Only this directory of the repository; its content lies in `dest` itself.
    pub subdir: Option<String>,
    /// Only these paths of the repository, each with everything below; none means all.
    pub sparse: Vec<String>,
    /// Leaves a small repository of this one commit in `.git`, for programs that look there which
    /// commit it is or fetch on from it. It has no remote and no hook. Refused with `subdir` and
    /// `sparse`: a repository that lacks files would look like one where somebody deleted them.
    pub keep_repository: bool,
    /// The commit whose place the new one takes; the answer says how the two stand to each other.
    pub since: Option<CommitId>,
}

impl Checkout {
    /// The whole tree, without a repository.
    #[must_use]
    pub fn whole(dest: AbsPath) -> Self {
        Self {
            dest,
            subdir: None,
            sparse: Vec::new(),
            keep_repository: false,
            since: None,
        }
    }
}

impl Watch<fn(Progress), std::future::Pending<()>> {
    /// Nobody watches.
    #[must_use]
    pub fn nobody() -> Self {
        Self {
            progress: |_| {},
            cancel: std::future::pending(),
        }
    }
}

impl Git {
    /// Workers are `program` with `args`, which must end in [`crate::worker_main`].
    #[must_use]
    pub fn new(
        program: AbsPath,
        args: Vec<OsString>,
        environment: &Environment,
        layout: &Layout,
    ) -> Self {
        Self {
            program,
            args,
            environment: environment.clone(),
            layout: layout.clone(),
            idle: IDLE,
            patience: PATIENCE,
            max_pack_bytes: MAX_PACK,
            backend: Backend::Auto,
        }
    }

    /// The same with another idle time.
    #[must_use]
    pub fn with_idle(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }

    /// The same with another limit on the bytes of one fetch.
    #[must_use]
    pub fn with_max_pack(mut self, bytes: u64) -> Self {
        self.max_pack_bytes = bytes;
        self
    }

    /// The same with another time to wait for a process that uses the same mirror.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The same with another program behind it.
    #[must_use]
    pub fn with_backend(mut self, backend: Backend) -> Self {
        self.backend = backend;
        self
    }

    /// Asks the remote which commit is wanted; nothing is fetched. A full commit is answered as it
    /// is, and an abbreviated one only from the tips of branches and tags.
    ///
    /// # Errors
    /// The remote cannot be asked, or has no such thing.
    pub async fn resolve<P, C>(
        &self,
        address: &Address,
        want: &Want,
        watch: Watch<P, C>,
    ) -> Result<CommitId, GitError>
    where
        P: FnMut(Progress),
        C: Future<Output = ()>,
    {
        let want = want.clone();
        self.call(address, Task::Resolve { want }, Outcome::resolved, watch)
            .await
    }

    /// Brings a commit into the mirror, and tells how it stands to the one that was there `since`.
    ///
    /// # Errors
    /// The remote cannot be asked, or has no such thing.
    pub async fn fetch<P, C>(
        &self,
        address: &Address,
        want: &Want,
        depth: Depth,
        since: Option<&CommitId>,
        watch: Watch<P, C>,
    ) -> Result<Fetched, GitError>
    where
        P: FnMut(Progress),
        C: Future<Output = ()>,
    {
        let task = Task::Fetch {
            want: want.clone(),
            depth,
            since: since.cloned(),
        };
        self.call(address, task, Outcome::fetched, watch).await
    }

    /// Writes a commit to a directory, from the mirror where it has it.
    ///
    /// # Errors
    /// The commit cannot be had or must not be written. What the directory holds by then stays.
    pub async fn checkout<P, C>(
        &self,
        address: &Address,
        commit: &CommitId,
        checkout: &Checkout,
        watch: Watch<P, C>,
    ) -> Result<CheckedOut, GitError>
    where
        P: FnMut(Progress),
        C: Future<Output = ()>,
    {
        let task = Task::Checkout {
            commit: commit.clone(),
            place: place(checkout),
        };
        self.call(address, task, Outcome::checked_out, watch).await
    }

    /// Fetches and writes in one go, so that nobody can change the mirror in between.
    ///
    /// # Errors
    /// As [`Self::fetch`] and [`Self::checkout`].
    pub async fn obtain<P, C>(
        &self,
        address: &Address,
        want: &Want,
        depth: Depth,
        checkout: &Checkout,
        watch: Watch<P, C>,
    ) -> Result<CheckedOut, GitError>
    where
        P: FnMut(Progress),
        C: Future<Output = ()>,
    {
        let task = Task::Obtain {
            want: want.clone(),
            depth,
            place: place(checkout),
        };
        self.call(address, task, Outcome::checked_out, watch).await
    }

    /// Has a task done. `expected` takes its own kind of outcome; a worker that answers with another
    /// one does not answer the question.
    async fn call<T, P, C>(
        &self,
        address: &Address,
        task: Task,
        expected: fn(Outcome) -> Option<T>,
        watch: Watch<P, C>,
    ) -> Result<T, GitError>
    where
        P: FnMut(Progress),
        C: Future<Output = ()>,
    {
        let outcome = self.run(address, task, watch).await?;
        expected(outcome).ok_or_else(|| GitError::Garbled {
            stage: Stage::Starting,
            host: address.host(),
        })
    }

    fn request(&self, address: &Address, task: Task) -> Result<String, GitError> {
        let request = Request {
            version: VERSION,
            settings: Settings {
                mirrors: self.layout.mirrors().as_path().to_path_buf(),
                locks: self.locks().as_path().to_path_buf(),
                lock_seconds: self.patience.as_secs(),
                idle_millis: u64::try_from(self.idle.as_millis()).unwrap_or(u64::MAX),
                max_pack_bytes: self.max_pack_bytes,
                backend: self.backend,
            },
            url: address.secret_text().to_owned(),
            task,
        };
        serde_json::to_string(&request).map_err(|source| GitError::Request { source })
    }

    fn locks(&self) -> AbsPath {
        let lock = self.layout.mirror_lock("x");
        lock.parent().unwrap_or(lock)
    }

    async fn run<P, C>(
        &self,
        address: &Address,
        task: Task,
        watch: Watch<P, C>,
    ) -> Result<Outcome, GitError>
    where
        P: FnMut(Progress),
        C: Future<Output = ()>,
    {
        let request = self.request(address, task)?;
        let mut worker = Running::start(&self.program, &self.args, &self.environment, address)?;
        let Watch {
            mut progress,
            cancel,
        } = watch;
        let mut cancel = pin!(cancel);
        let asked = tokio::select! {
            biased;
            () = &mut cancel => Err(worker.cancelled()),
            asked = timeout(self.idle, worker.ask(request)) => match asked {
                Ok(()) => Ok(()),
                Err(_) => Err(worker.silent(self.idle)),
            },
        };
        if let Err(error) = asked {
            worker.end().await;
            return Err(error);
        }
        let ended = loop {
            // Whoever waits for a lock is silent by right; the worker itself has a limit there.
            let idle = match worker.stage {
                Stage::Waiting => self.patience + self.idle,
                _ => self.idle,
            };
            let line = tokio::select! {
                biased;
                () = &mut cancel => break Err(worker.cancelled()),
                line = timeout(idle, worker.line()) => line,
            };
            match line {
                Err(_) => break Err(worker.silent(idle)),
                Ok(Said::Line(Line::Progress(report))) => {
                    worker.stage = report.stage;
                    progress(report);
                }
                Ok(Said::Line(Line::With(with))) => worker.wait_for(with),
                Ok(Said::Line(Line::Done(outcome))) => break Ok(outcome),
                Ok(Said::Line(Line::Failed { stage, failure })) => {
                    break Err(GitError::Failed {
                        stage,
                        host: worker.host.clone(),
                        failure,
                    });
                }
                Ok(Said::Noise) => break Err(worker.garbled()),
                Ok(Said::Nothing) => return Err(worker.crashed().await),
            }
        };
        worker.end().await;
        ended
    }
}

fn place(checkout: &Checkout) -> Place {
    Place {
        dest: checkout.dest.as_path().to_path_buf(),
        subdir: checkout.subdir.clone(),
        sparse: checkout.sparse.clone(),
        keep_repository: checkout.keep_repository,
        since: checkout.since.clone(),
    }
}
