//! The program behind `plugd app-server`: the parts, the methods, and one connection over stdio.

use std::future::Future;
use std::io::{Read, Write};
use std::pin::Pin;
use std::sync::Arc;

use plugd_model::{Environment, Layout};
use plugd_plugins::events::Events;
use plugd_plugins::{Refresher, SessionFlags};

use crate::connection::{self, Backend, Background, ExitReason, Io, Options, StartError};
use crate::context::{Context, Follow};
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
    /// The paths of the home directory.
    pub layout: Layout,
    /// The session's configuration flags.
    pub flags: SessionFlags,
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
    let context = Arc::new(Context::new(
        setup.environment,
        setup.layout,
        setup.flags,
        events,
        Follow::Sources,
    ));
    let background = RefreshInBackground(context.refresher.clone());
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
    let context = Context::new(
        setup.environment,
        setup.layout,
        setup.flags,
        Events::detached(),
        Follow::Nothing,
    );
    handlers::table(Arc::new(context))
}

/// Background work begins with the first listing, so there is nothing to start here.
struct RefreshInBackground(Refresher);

impl Background for RefreshInBackground {
    fn start(&self) {}

    fn stop(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let refresher = self.0.clone();
        Box::pin(async move { refresher.stop().await })
    }
}
