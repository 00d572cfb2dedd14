//! How content is fetched from elsewhere: the git worker, the client of npm registries, and bundles of
//! the remote catalog.
//!
//! Nothing here holds a lock of the store: what is fetched lands in a transaction's own directory,
//! and whoever activates it looks again at what stands there.

use std::future::Future;

use plugd_catalog::Catalog;
use plugd_disk::Disk;
use plugd_fetch::{
    BundleAddress, Bundles, Chunks, Integrity, Npm, Oci, Package, Rules, Tarball, Unpacked, joined,
    unpack,
};
use plugd_git::{
    Address, Backend, CheckedOut, Checkout, CommitId, Depth, Git, GitError, History,
    Progress as GitProgress, Stage, Want, Watch,
};
use plugd_model::{
    AbsPath, Environment, Layout, PluginId, Problem, ProblemKind, Source, error_chain,
};
use plugd_store::{Store, Transaction};

use crate::call::{Call, Progress};
use crate::{Blocking, Copies, Error, Lookup};

/// Fetches. Making one contacts nobody; cloning is cheap.
#[derive(Debug, Clone)]
pub struct Fetcher {
    git: Git,
    npm: Npm,
    pub(crate) oci: Oci,
    no_curated_sync: bool,
}

/// What switches the curated sync off for a process and all that it starts.
const NO_CURATED_SYNC: &str = "CODEX_DISABLE_CURATED_PLUGIN_SYNC";

/// A repository and what is wanted of it, understood and not yet asked for.
#[derive(Debug, Clone)]
pub(crate) struct Repository {
    pub(crate) address: Address,
    pub(crate) want: Want,
}

/// The content of an entry that lies elsewhere, in the directory of a transaction that has begun.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) transaction: Transaction,
    /// The directory with the content.
    pub(crate) dir: AbsPath,
    /// What was fetched: another source asks for another fetch.
    pub(crate) source: Source,
    /// What the source meant: the commit for git, the exact version for an npm registry, the digest
    /// for an artifact, and that of the archive for what is one.
    pub(crate) commit: Option<String>,
    /// When that commit was made, in seconds since the epoch, as far as it is one and says so.
    pub(crate) committed_at: Option<i64>,
    /// What is not as it should be and does no harm.
    pub(crate) problems: Vec<Problem>,
}

/// A bundle of the remote catalog, understood and not yet asked for.
#[derive(Debug, Clone)]
pub(crate) struct Bundle {
    /// Where it is. Whoever has the address has the bundle.
    pub(crate) address: BundleAddress,
    /// What the archive must hash to, where the service says so.
    pub(crate) digest: Option<Integrity>,
}

/// What a fetch has put into its directory.
pub(crate) struct Content {
    pub(crate) dir: AbsPath,
    pub(crate) commit: Option<String>,
    pub(crate) committed_at: Option<i64>,
    pub(crate) problems: Vec<Problem>,
}

impl Repository {
    /// Reads the address and the ref or commit of a request or an entry.
    ///
    /// # Errors
    /// One of them cannot be meant.
    pub(crate) fn new(url: &str, ref_name: Option<&str>, sha: Option<&str>) -> Result<Self, Error> {
        let address = Address::parse(url).map_err(|source| Error::BadAddress { source })?;
        let want = match (sha, ref_name) {
            (Some(sha), _) => Want::of_commit(sha),
            (None, Some(name)) => Want::of_ref(name),
            (None, None) => Ok(Want::Head),
        };
        let want = want.map_err(|source| Error::BadWant { source })?;
        Ok(Self { address, want })
    }
}

impl Fetcher {
    /// A fetcher that starts the program itself as the git worker.
    #[must_use]
    pub fn new(environment: &Environment, disk: &Disk, layout: &Layout) -> Self {
        let args = vec![plugd_git::WORKER_ARGUMENT.into()];
        let user_agent = concat!("plugd/", env!("CARGO_PKG_VERSION"));
        Self {
            git: Git::new(environment.program.clone(), args, environment, layout),
            npm: Npm::new(environment, disk, user_agent),
            oci: Oci::new(environment, disk, user_agent),
            no_curated_sync: environment
                .var(NO_CURATED_SYNC)
                .is_some_and(|value| value != "0" && value != "false"),
        }
    }

    /// Whether the git worker can be started, and why not.
    pub(crate) async fn try_worker(&self) -> Result<(), String> {
        let tried = self.git.try_worker().await;
        tried.map_err(|error| error_chain(&error))
    }

    /// Where the git command lies and its version, when there is one. It blocks.
    pub(crate) fn git_command(&self, disk: &Disk) -> Option<(AbsPath, String)> {
        self.git.git_command(disk)
    }

    /// Whether the environment switches the curated sync off.
    pub(crate) fn is_curated_sync_disabled(&self) -> bool {
        self.no_curated_sync
    }

    /// Brings the content of an entry into a transaction of its own.
    ///
    /// # Errors
    /// The source cannot be had; nothing is left of the attempt.
    pub(crate) async fn fetch(
        &self,
        call: &Call,
        blocking: &Blocking,
        lookup: &Lookup,
        copies: &Copies,
        id: &PluginId,
        source: Source,
    ) -> Result<Fetched, Error> {
        let (transaction, dest) = begin(blocking, copies, id).await?;
        let content = self
            .content(call, blocking, lookup, copies, &source, dest)
            .await;
        settle(blocking, transaction, source, id, content).await
    }

    /// Brings a bundle of the remote catalog into a transaction of its own. What the source meant is
    /// the digest of the archive, which names exactly what came.
    ///
    /// # Errors
    /// The bundle cannot be had, or is none; nothing is left of the attempt.
    pub(crate) async fn bundle(
        &self,
        call: &Call,
        blocking: &Blocking,
        copies: &Copies,
        catalog: &Catalog,
        id: &PluginId,
        bundle: &Bundle,
    ) -> Result<Fetched, Error> {
        let (transaction, dest) = begin(blocking, copies, id).await?;
        let brought = bring_bundle(call, blocking, copies.disk(), catalog, bundle, &dest).await;
        let content = brought.map(|brought| Content {
            dir: dest,
            commit: Some(format!("sha256:{}", brought.sha256)),
            committed_at: None,
            problems: brought.left_out,
        });
        settle(blocking, transaction, Source::Remote, id, content).await
    }

    async fn content(
        &self,
        call: &Call,
        blocking: &Blocking,
        lookup: &Lookup,
        copies: &Copies,
        source: &Source,
        dest: AbsPath,
    ) -> Result<Content, Error> {
        match source {
            Source::Local { path } => Ok(Content {
                dir: path.clone(),
                commit: None,
                committed_at: None,
                problems: Vec::new(),
            }),
            Source::Git {
                url,
                path,
                ref_name,
                sha,
            } => {
                let repository = Repository::new(url, ref_name.as_deref(), sha.as_deref())?;
                let place = Checkout {
                    subdir: path.clone(),
                    ..Checkout::whole(dest.clone())
                };
                let checked_out = self.obtain(call, lookup, &repository, &place).await?;
                Ok(Content {
                    dir: dest,
                    problems: problems_of(&checked_out),
                    committed_at: checked_out.committed_at,
                    commit: Some(checked_out.commit.as_str().to_owned()),
                })
            }
            Source::Npm {
                package,
                version,
                registry,
            } => {
                let package = Package {
                    name: package.clone(),
                    version: version.clone(),
                    registry: registry.clone(),
                };
                self.package(call, blocking, copies, &package, dest).await
            }
            Source::Oci { reference } => {
                let came = self.artifact(call, blocking, copies.disk(), reference, dest);
                came.await.map(Content::from)
            }
            Source::Archive { url, digest } => {
                let known = (Some(digest.as_str()), None);
                let came = self.archive(call, blocking, copies.disk(), url, known, dest);
                came.await.map(Content::from)
            }
            // Its address is handed out anew for every download, so a source alone cannot say it.
            Source::Remote => Err(Error::BadValue {
                field: "source",
                reason: "a bundle of the remote catalog is brought by its remote id".to_owned(),
            }),
        }
    }

    /// Writes what is wanted of a repository to a directory.
    pub(crate) async fn obtain(
        &self,
        call: &Call,
        lookup: &Lookup,
        repository: &Repository,
        place: &Checkout,
    ) -> Result<CheckedOut, Error> {
        let Repository { address, want } = repository;
        let git = self.configured(lookup);
        let checked_out = git
            .obtain(address, want, Depth::Tip, place, watch(call))
            .await;
        checked_out.map_err(|error| failed(address, error))
    }

    /// Asks a server for the commit that is wanted right now; nothing is fetched.
    pub(crate) async fn head(
        &self,
        call: &Call,
        lookup: &Lookup,
        repository: &Repository,
    ) -> Result<CommitId, Error> {
        let Repository { address, want } = repository;
        call.progress.report("resolving", 0, None);
        let git = self.configured(lookup);
        let commit = git.resolve(address, want, watch(call)).await;
        commit.map_err(|error| failed(address, error))
    }

    /// Whether a commit is what is wanted right now, or lies behind that. It may bring the whole
    /// history of the repository.
    pub(crate) async fn lies_behind(
        &self,
        call: &Call,
        lookup: &Lookup,
        repository: &Repository,
        commit: &str,
    ) -> Result<bool, Error> {
        let Some(commit) = CommitId::new(commit) else {
            return Ok(false);
        };
        let Repository { address, want } = repository;
        let git = self.configured(lookup);
        for depth in [Depth::Tip, Depth::Whole] {
            let fetched = git
                .fetch(address, want, depth, Some(&commit), watch(call))
                .await;
            match fetched.map_err(|error| failed(address, error))?.history {
                History::Forward => return Ok(true),
                History::Rewritten => return Ok(false),
                History::Unknown => {}
            }
        }
        Ok(false)
    }

    /// Brings a package: one task takes it from the registry, another unpacks it meanwhile.
    async fn package(
        &self,
        call: &Call,
        blocking: &Blocking,
        copies: &Copies,
        package: &Package,
        dest: AbsPath,
    ) -> Result<Content, Error> {
        call.progress.report("resolving", 0, None);
        let tarball = self.released(call, package).await?;
        let rules = Rules::npm(&tarball);
        let (sender, received) = Chunks::channel();
        let (disk, pace, place) = (copies.disk().clone(), call.clone(), dest.clone());
        let section = blocking.transfer(move || Ok(unpack(&disk, received, &place, &rules, &pace)));
        let progress = call.progress.clone();
        let moved = move |bytes, total| progress.report("fetching", bytes, total);
        let cancelled = call.cancel.cancelled();
        let download = self.npm.download(&tarball, sender, moved, cancelled);
        let (unpacked, downloaded) = tokio::join!(section, download);
        let unpacked = joined(downloaded, unpacked?)?;
        let mut problems = tarball.problems;
        problems.extend(unpacked.left_out);
        Ok(Content {
            dir: dest,
            commit: Some(tarball.version),
            committed_at: None,
            problems,
        })
    }

    /// The exact version and archive that a package means right now.
    pub(crate) async fn released(&self, call: &Call, package: &Package) -> Result<Tarball, Error> {
        let found = self.npm.resolve(package, call.cancel.cancelled()).await;
        found.map_err(Error::from)
    }

    /// The git client with the user's settings of this moment.
    fn configured(&self, lookup: &Lookup) -> Git {
        let config = lookup.config(None);
        let settings = config.settings();
        let backend = match settings.git {
            plugd_config::GitBackend::Auto => Backend::Auto,
            plugd_config::GitBackend::Libgit2 => Backend::Libgit2,
            plugd_config::GitBackend::Command => Backend::Command,
        };
        self.git
            .clone()
            .with_idle(settings.git_idle)
            .with_backend(backend)
    }
}

/// A transaction, and the directory in it that content can be fetched into, which is not there yet.
async fn begin(
    blocking: &Blocking,
    copies: &Copies,
    id: &PluginId,
) -> Result<(Transaction, AbsPath), Error> {
    let (copies, id) = (copies.clone(), id.clone());
    blocking
        .write(move || {
            let begin = |store: &Store| {
                let transaction = store.begin(&id)?;
                let dest = transaction.fetch_dir()?.join("content");
                Ok((transaction, dest))
            };
            begin(copies.store()?).map_err(|source| Error::Store {
                action: "begin the installation of",
                id,
                source: Box::new(source),
            })
        })
        .await
}

/// What was fetched, or the end of the transaction that it was fetched for.
async fn settle(
    blocking: &Blocking,
    transaction: Transaction,
    source: Source,
    id: &PluginId,
    content: Result<Content, Error>,
) -> Result<Fetched, Error> {
    match content {
        Ok(content) => Ok(Fetched {
            transaction,
            dir: content.dir,
            source,
            commit: content.commit,
            committed_at: content.committed_at,
            problems: content.problems,
        }),
        Err(error) => {
            // Its removal is work for the disk.
            let swept = blocking.write(move || {
                drop(transaction);
                Ok(())
            });
            swept.await?;
            Err(match error {
                error @ Error::Cancelled(_) => error,
                error => Error::Source {
                    id: id.clone(),
                    source: Box::new(error),
                },
            })
        }
    }
}

/// Brings a bundle of the remote catalog into a directory that does not exist yet: one task takes it
/// from the network, another unpacks it meanwhile. After an error a part of it may be there.
///
/// # Errors
/// The bundle cannot be had, or breaks a rule.
pub(crate) async fn bring_bundle(
    call: &Call,
    blocking: &Blocking,
    disk: &Disk,
    catalog: &Catalog,
    bundle: &Bundle,
    dest: &AbsPath,
) -> Result<Unpacked, Error> {
    let rules = Rules::bundle(bundle.digest.clone());
    let (sender, received) = Chunks::channel();
    let (disk, pace, place) = (disk.clone(), call.clone(), dest.clone());
    let section = blocking.transfer(move || Ok(unpack(&disk, received, &place, &rules, &pace)));
    let progress = call.progress.clone();
    let moved = move |bytes, total| progress.report("fetching", bytes, total);
    let bundles = Bundles::over(catalog.http().clone()).for_agent(catalog.agent());
    let download = bundles.download(&bundle.address, sender, moved, call.cancel.cancelled());
    let (unpacked, downloaded) = tokio::join!(section, download);
    Ok(joined(downloaded, unpacked?)?)
}

/// What a checkout met that is no reason to refuse it.
pub(crate) fn problems_of(checked_out: &CheckedOut) -> Vec<Problem> {
    let pointers = checked_out.lfs_pointers.iter().map(|pointer| {
        let text = format!(
            "`{}` is a git LFS pointer; its content of {} bytes was not fetched",
            pointer.path.escape_debug(),
            pointer.size
        );
        Problem::warning(ProblemKind::LeftOut, text)
    });
    let left_out = checked_out.left_out.iter().map(|left| {
        let text = format!("`{}` was left out: {}", left.path, left.reason);
        Problem::warning(ProblemKind::LeftOut, text)
    });
    pointers.chain(left_out).collect()
}

fn failed(address: &Address, error: GitError) -> Error {
    match error {
        GitError::Cancelled { .. } => Error::Cancelled(crate::call::Cancelled),
        error => Error::Git {
            url: address.shown(),
            host: error.host().map_or_else(|| address.host(), str::to_owned),
            source: Box::new(error),
        },
    }
}

fn watch(call: &Call) -> Watch<impl FnMut(GitProgress), impl Future<Output = ()>> {
    let progress = call.progress.clone();
    Watch {
        progress: move |now| tell(&progress, now),
        cancel: call.cancel.cancelled(),
    }
}

fn tell(progress: &Progress, now: GitProgress) {
    let known = (now.total_objects > 0).then_some(now.total_objects);
    match now.stage {
        Stage::Starting | Stage::Resolving => progress.report("resolving", 0, None),
        Stage::Waiting => progress.report("waiting", 0, None),
        // Objects have a sum, bytes have none.
        Stage::Fetching => match known {
            Some(total) => progress.report("fetching", now.objects, Some(total)),
            None => progress.report("fetching", now.bytes, None),
        },
        Stage::CheckingOut => progress.report("checkingOut", now.files, None),
    }
}
