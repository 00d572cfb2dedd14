//! The program behind `plugd app-server`: the parts, the methods, and one connection over stdio.

use std::future::Future;
use std::io::{Read, Write};
use std::pin::Pin;
use std::sync::Arc;

use plugd_disk::Disk;
use plugd_model::{Environment, Layout, error_chain};
use plugd_plugins::events::{Change, Events};
use plugd_plugins::{
    Activity, Blocking, ChangeWatch, Copies, CuratedSync, Insistence, Leases, Lookup, PluginWatch,
    Refresher, RemoteSync, SessionFlags, SkillWatch, Sweeping, watch_skills,
};

use crate::background::Background;
use crate::connection::{self, Backend, ExitReason, Io, Options, StartError};
use crate::context::Context;
use crate::handlers;
use crate::method_table::{Dispatcher, RegisteredTwice};

/// Why the server could not begin.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A thread could not be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Two handlers claim one name.
    #[error(transparent)]
    Methods(#[from] RegisteredTwice),
}

/// What a process is about: where it lives and how it was told to behave.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Everything the process was told from outside.
    pub environment: Environment,
    /// The file system, which sees every operation of this process on the home directory.
    pub disk: Disk,
    /// The paths of the home directory.
    pub layout: Layout,
    /// The session's configuration flags.
    pub flags: SessionFlags,
    /// When a server removes what operations leave; a command always does so at once.
    pub sweeping: Sweeping,
}

/// Serves one client until the connection ends.
///
/// # Errors
/// The server could not begin; nothing was read or written.
pub async fn serve<R, W>(
    setup: Setup,
    io: Io<R, W>,
    options: Options,
    signal: impl Future<Output = ()> + Send,
) -> Result<ExitReason, ServeError>
where
    R: Read + Send + 'static,
    W: Write + Send + 'static,
{
    let (events, stream) = Events::channel();
    let context = Arc::new(Context::new(setup, events, Activity::Works));
    let background = Behind {
        curated: context.curated.clone(),
        remote_sync: context.remote_sync.clone(),
        refresher: context.refresher.clone(),
        blocking: context.blocking.clone(),
        leases: context.leases.clone(),
        lookup: context.lookup.clone(),
        copies: context.copies.clone(),
        skill_watch: context.skill_watch.clone(),
        change_watch: context.change_watch.clone(),
        plugin_watch: context.plugin_watch.clone(),
    };
    let backend = Backend {
        methods: handlers::table(context)?,
        events: stream,
        background: Arc::new(background),
    };
    Ok(connection::run(io, backend, options, signal).await?)
}

/// The methods without a connection: the command line answers `--json` through them. Nothing happens
/// in the background.
///
/// # Errors
/// Two handlers claim one name, which is a fault of ours.
pub fn dispatcher(setup: Setup) -> Result<Dispatcher, RegisteredTwice> {
    let context = Context::new(setup, Events::detached(), Activity::Rests);
    handlers::table(Arc::new(context))
}

/// The work that no request waits for. A refresh begins with the first listing, so only the two
/// syncs have a start of their own, and the watch of skills for a client that wants events before it lists.
struct Behind {
    curated: CuratedSync,
    remote_sync: RemoteSync,
    refresher: Refresher,
    blocking: Blocking,
    leases: Leases,
    lookup: Lookup,
    copies: Copies,
    skill_watch: SkillWatch,
    change_watch: ChangeWatch,
    plugin_watch: PluginWatch,
}

impl Background for Behind {
    fn start(&self) {
        self.curated.request(Insistence::WhenDue);
        self.remote_sync.request();
        if !self.skill_watch.is_wanted() {
            return;
        }
        let (blocking, lookup) = (self.blocking.clone(), self.lookup.clone());
        let (copies, watch) = (self.copies.clone(), self.skill_watch.clone());
        tokio::spawn(async move {
            if let Err(error) = watch_skills(&blocking, &lookup, &copies, &watch).await {
                tracing::debug!(
                    "skills are watched once they are listed: {}",
                    error_chain(&error)
                );
            }
        });
    }

    fn begin(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let watch = self.change_watch.clone();
        Box::pin(async move { watch.begin().await })
    }

    fn reconciled(
        &self,
        changes: Vec<Change>,
    ) -> Pin<Box<dyn Future<Output = Vec<Change>> + Send>> {
        let watch = self.change_watch.clone();
        Box::pin(async move { watch.reconciled(changes).await })
    }

    fn stop(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let (curated, refresher) = (self.curated.clone(), self.refresher.clone());
        let (remote_sync, remote) = (self.remote_sync.clone(), self.lookup.remote().clone());
        self.skill_watch.stop();
        self.change_watch.stop();
        let plugin_watch = self.plugin_watch.clone();
        // Both at once: each has a step of its own to come to an end with.
        Box::pin(async move {
            tokio::join!(
                curated.stop(),
                refresher.stop(),
                remote_sync.stop(),
                plugin_watch.stop(),
                remote.settle(),
            );
        })
    }

    fn let_go(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let (blocking, leases) = (self.blocking.clone(), self.leases.clone());
        let copies = self.copies.clone();
        Box::pin(async move {
            if let Err(error) = leases.end(&blocking).await {
                tracing::debug!("the leases are left to recovery: {}", error_chain(&error));
            }
            if let Err(error) = copies.finish_sweeping(&blocking).await {
                tracing::debug!("removals are left to recovery: {}", error_chain(&error));
            }
        })
    }
}
