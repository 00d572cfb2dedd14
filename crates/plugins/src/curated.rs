//! The curated sync: the official marketplace mirrored into the home directory, in the background.
//!
//! - Place, record and lock are the reference's. One process does it at a time; the others go on
//!   with the snapshot that is there.
//! - The remote is asked at most once in five minutes for each home, whoever asks, unless a client
//!   insists. An unchanged head costs one question.
//! - A snapshot is complete and checked before it takes its place in one step. Without a network the
//!   old one stays, and the failure stands in the report.
//! - Plugins follow through the refresh. One that the snapshot no longer has stays installed.

use std::fmt;
use std::sync::Arc;

use plugd_config::{CURATED_URL, MarketplaceKind, Snapshot};
use plugd_disk::tree::sync_tree;
use plugd_disk::{Disk, FileLock, Kind, is_temporary};
use plugd_git::{CheckedOut, Checkout, CommitId, History};
use plugd_marketplace::Login;
use plugd_model::{
    AbsPath, CURATED_API_MARKETPLACE, CURATED_MARKETPLACE, MarketplaceName, Problem, ProblemKind,
    error_chain, git_url,
};
use plugd_store::Workspace;

use crate::call::Call;
use crate::curated_commit::curated_commit;
use crate::events::{Change, ChangeReason};
use crate::fetcher::Repository;
use crate::last_run::{LastRun, Worth};
use crate::parts::{Activity, Parts};
use crate::queue::{Queue, Urgency};
use crate::status::{Reported, TaskReport, TaskState};
use crate::{Error, Lookup, Refresher, Roots, checkout};

/// How long the remote is not asked again, in seconds.
const LOOK_AGAIN: u64 = 300;

/// Runs synchronisations, one at a time. Clones speak of the same queue.
#[derive(Clone)]
pub struct CuratedSync(Arc<Inner>);

struct Inner {
    parts: Parts,
    refresher: Refresher,
    activity: Activity,
    queue: Queue,
    last: LastRun,
}

/// How soon the remote may be asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Insistence {
    /// When the last look is old enough.
    WhenDue,
    /// Now.
    Now,
}

/// What one run came to.
enum Outcome {
    /// Nothing had to be done or nobody could be asked: there is nothing to report.
    Skipped,
    /// The snapshot is what the remote has.
    Unchanged,
    /// It took the place of another one, and its history stands so to that one's.
    Moved(History),
}

/// What is needed for a run that asks the remote.
struct Begun {
    repository: Repository,
    /// The commit of the snapshot, when there is one that can be used.
    present: Option<String>,
    _lock: FileLock,
}

impl fmt::Debug for CuratedSync {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CuratedSync")
            .field("activity", &self.0.activity)
            .finish_non_exhaustive()
    }
}

impl CuratedSync {
    /// A queue that nothing works on yet. What moved is followed by a run of the refresher.
    #[must_use]
    pub fn new(parts: Parts, refresher: Refresher, activity: Activity) -> Self {
        Self(Arc::new(Inner {
            last: LastRun::new(&parts, Reported::CuratedSync),
            parts,
            refresher,
            activity,
            queue: Queue::default(),
        }))
    }

    /// Asks for a run and returns at once.
    pub fn request(&self, insistence: Insistence) {
        let urgency = match insistence {
            Insistence::WhenDue => Urgency::Any,
            Insistence::Now => Urgency::Fresh,
        };
        if self.0.activity == Activity::Works && self.0.queue.ask(urgency) {
            tokio::spawn(Arc::clone(&self.0).work(insistence));
        }
    }

    /// Whether a run is working, and what the last one said, also one of another process.
    #[must_use]
    pub fn report(&self) -> (TaskState, TaskReport) {
        let running = match self.0.queue.is_running() {
            true => TaskState::Running,
            false => TaskState::Idle,
        };
        (running, self.0.last.newest())
    }

    /// Why nothing is synchronised, when something keeps it from that.
    #[must_use]
    pub fn off(&self, config: &Snapshot) -> Option<String> {
        self.0.off(config).map(|problem| problem.message)
    }

    /// Ends background work: a snapshot that has taken its place stays, the rest is given up.
    pub async fn stop(&self) {
        self.0.queue.stop().await;
    }
}

impl Inner {
    async fn work(self: Arc<Self>, mut insistence: Insistence) {
        let _working = self.queue.working();
        loop {
            if insistence == Insistence::WhenDue {
                self.queue.breathe().await;
            }
            self.run(insistence).await;
            if !self.queue.next() {
                return;
            }
            insistence = Insistence::Now;
        }
    }

    async fn run(self: &Arc<Self>, insistence: Insistence) {
        let Some(call) = self.queue.call() else {
            return;
        };
        let started_at = self.parts.clock.now().as_secs();
        let inner = Arc::clone(self);
        let begin = self.parts.blocking.write(move || inner.begin(insistence));
        let outcome = match begin.await {
            Ok(None) => return,
            Ok(Some(begun)) => {
                let id = self.last.begin();
                let outcome = self.bring(&call, begun).await;
                (id, outcome)
            }
            Err(error) => (self.parts.events.next_task(), Err(error)),
        };
        self.publish(started_at, outcome).await;
    }

    async fn publish(
        self: &Arc<Self>,
        started_at: u64,
        (id, outcome): (u64, Result<Outcome, Error>),
    ) {
        let problem = match &outcome {
            Ok(Outcome::Skipped) | Err(Error::Cancelled(_)) => {
                self.last.end(id, None);
                return;
            }
            Ok(Outcome::Unchanged | Outcome::Moved(_)) => None,
            Err(error) => Some(Problem::error(ProblemKind::Unavailable, error_chain(error))),
        };
        let report = TaskReport {
            started_at: Some(started_at),
            finished_at: Some(self.parts.clock.now().as_secs()),
            plugins: Vec::new(),
            problem: problem.clone(),
        };
        let is_news = self.last.keep(report, Worth::Always).await;
        match &problem {
            // Once: without a network every look fails alike.
            Some(problem) if is_news => tracing::warn!("curated sync: {}", problem.message),
            Some(problem) => tracing::debug!("curated sync: {}", problem.message),
            None => {}
        }
        if let Ok(Outcome::Moved(history)) = outcome {
            let change = Change::new(ChangeReason::Sync);
            let change = match history {
                History::Rewritten => marketplaces().fold(change, Change::rewritten),
                History::Forward | History::Unknown => {
                    marketplaces().fold(change, Change::marketplace)
                }
            };
            self.parts.events.changed(change);
            self.refresher.request(Roots::default());
        }
        self.last.end(id, problem);
    }

    /// What keeps the snapshot from being synchronised.
    fn off(&self, config: &Snapshot) -> Option<Problem> {
        let off = |text: &str| Some(Problem::warning(ProblemKind::Config, text));
        if self.parts.fetcher.is_curated_sync_disabled() {
            return off("CODEX_DISABLE_CURATED_PLUGIN_SYNC is set");
        }
        if !config.features().plugins {
            return off("plugins are switched off in the [features] table of config.toml");
        }
        let login = || self.parts.lookup.remote().resolver_login(config);
        if config.features().remote_plugin && login() == Login::ChatGpt {
            return off("the remote catalog takes the place of the curated marketplace");
        }
        let settings = config.settings();
        if !settings.curated_sync {
            return off("`curated_sync` is false in plugd.toml");
        }
        if let Err(problem) = config.requirements().allows_curated() {
            return Some(problem);
        }
        // A mirror of one's own is one more source, and an administrator decides about sources.
        let source = settings.curated_url.clone()?;
        let mirror = MarketplaceKind::Git {
            source,
            ref_name: None,
            sparse_paths: Vec::new(),
        };
        config
            .requirements()
            .allows(CURATED_MARKETPLACE, &mirror)
            .err()
    }

    /// Finds out whether there is anything to do, and takes the lock.
    fn begin(&self, insistence: Insistence) -> Result<Option<Begun>, Error> {
        let lookup = &self.parts.lookup;
        let config = lookup.config(None);
        if self.off(&config).is_some() {
            return Ok(None);
        }
        let layout = lookup.layout();
        let last = self.last.newest();
        let now = self.parts.clock.now().as_secs();
        // A clock that was set back must not keep anybody from looking.
        let is_fresh = last
            .finished_at
            .is_some_and(|at| at <= now && now - at < LOOK_AGAIN);
        if is_fresh && insistence == Insistence::WhenDue {
            return Ok(None);
        }
        let repository = Repository::new(&curated_url(&config), None, None)?;
        // State of a newer program is left alone, and so is everything that we could not record.
        self.parts.copies.prepare_state()?;
        if let Some(parent) = layout.curated_lock().parent() {
            lookup.disk().create_dirs_durably(&parent)?;
        }
        let Some(lock) = lookup.disk().try_lock(&layout.curated_lock())? else {
            return Ok(None);
        };
        Ok(Some(Begun {
            repository,
            present: self.present(),
            _lock: lock,
        }))
    }

    /// The commit of the snapshot, when it can be used and another program can tell it too.
    fn present(&self) -> Option<String> {
        let lookup = &self.parts.lookup;
        let place = lookup.layout().curated();
        let head = lookup.disk().stamp(&place.join(".git/HEAD"));
        let is_there = catalog(lookup, &place).is_ok() && matches!(head, Ok(Some(_)));
        is_there.then(|| curated_commit(lookup.loader(), lookup.layout()))?
    }

    async fn bring(self: &Arc<Self>, call: &Call, begun: Begun) -> Result<Outcome, Error> {
        let (lookup, fetcher) = (&self.parts.lookup, &self.parts.fetcher);
        let commit = fetcher.head(call, lookup, &begun.repository).await?;
        if begun.present.as_deref() == Some(commit.as_str()) {
            return Ok(Outcome::Unchanged);
        }
        let copies = self.parts.copies.clone();
        let open = self.parts.blocking.write(move || {
            let opened = copies.store()?.workspace();
            opened.map_err(|error| Error::StoreState(Box::new(error)))
        });
        let workspace = open.await?;
        let staged = workspace.dir().join("checkout");
        let place = Checkout {
            keep_repository: true,
            since: begun.present.as_deref().and_then(CommitId::new),
            ..Checkout::whole(staged.clone())
        };
        let obtained = fetcher
            .obtain(call, lookup, &begun.repository, &place)
            .await;
        let (inner, call) = (Arc::clone(self), call.clone());
        // Also after a failure: what lies in the workspace is removed where the disk may be waited
        // for. The lock is held to the end.
        let section = self.parts.blocking.write(move || {
            let _begun = begun;
            inner.settle(&call, &workspace, &staged, &obtained?)
        });
        section.await
    }

    fn settle(
        &self,
        call: &Call,
        workspace: &Workspace,
        staged: &AbsPath,
        obtained: &CheckedOut,
    ) -> Result<Outcome, Error> {
        let lookup = &self.parts.lookup;
        let (disk, layout) = (lookup.disk(), lookup.layout());
        let commit: &CommitId = &obtained.commit;
        catalog(lookup, staged)?;
        sync_tree(disk, staged)?;
        // Somebody may have switched it off while it was fetched.
        if self.off(&lookup.config(None)).is_some() {
            return Ok(Outcome::Skipped);
        }
        call.cancel.seal()?;
        // Between the two steps the record names the old commit: then the next run brings the
        // snapshot once more.
        for name in marketplaces() {
            lookup.claims().marketplace(name);
        }
        checkout::put(disk, workspace, staged, &layout.curated())?.keep();
        let text = format!("{commit}\n");
        let record = layout.curated_sha();
        sweep_half_written(disk, &record)?;
        disk.replace(&record, text.as_bytes(), 0o644)?;
        Ok(Outcome::Moved(obtained.history))
    }
}

/// The marketplaces that the snapshot holds.
fn marketplaces() -> impl Iterator<Item = MarketplaceName> {
    let names = [CURATED_API_MARKETPLACE, CURATED_MARKETPLACE].into_iter();
    names.filter_map(|name| MarketplaceName::new(name).ok())
}

/// Removes what a run that was killed has left beside the record: the lock is held, and nobody else
/// writes there in this way.
fn sweep_half_written(disk: &Disk, record: &AbsPath) -> Result<(), Error> {
    let Some(dir) = record.parent() else {
        return Ok(());
    };
    for entry in disk.list(&dir)? {
        if entry.kind == Kind::File && entry.name.to_str().is_some_and(is_temporary) {
            disk.remove_file(&dir.join(&entry.name))?;
        }
    }
    Ok(())
}

/// Makes sure that a snapshot is a catalog. Its name is a reserved one, which no other marketplace
/// may have, so only its form is looked at.
fn catalog(lookup: &Lookup, root: &AbsPath) -> Result<(), Error> {
    let search = lookup.loader().find_marketplace(root);
    let broken = match search.found {
        Some(manifest) => lookup.loader().marketplace(&manifest).err(),
        None => Some(Problem::error(
            ProblemKind::Missing,
            "there is no marketplace manifest",
        )),
    };
    match broken {
        None => Ok(()),
        Some(problem) => Err(Error::NoMarketplaceInRepository {
            url: "the curated repository".to_owned(),
            problem: Box::new(checkout::inside(problem, root)),
        }),
    }
}
/// The repository of the curated marketplace.
pub(crate) fn curated_url(config: &Snapshot) -> String {
    let url = config.settings().curated_url.clone();
    let url = url.unwrap_or_else(|| CURATED_URL.to_owned());
    git_url::from_shorthand(&url).unwrap_or(url)
}
