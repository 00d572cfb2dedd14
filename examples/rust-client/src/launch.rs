//! How the daemon is started, and the handshake.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use plugd_protocol::ClientInfo;
use tokio::process::Command;

use crate::client::{self, Client};
use crate::error::Error;
use crate::events::Events;

/// How the daemon is started. The same value can start it again.
#[derive(Debug, Clone)]
pub struct Launch {
    program: PathBuf,
    arguments: Vec<OsString>,
    directory: Option<PathBuf>,
    clear: bool,
    variables: Vec<(OsString, OsString)>,
    pub(crate) info: ClientInfo,
    pub(crate) unwanted: Vec<String>,
    pub(crate) log: LogSink,
    pub(crate) handshake_within: Duration,
    pub(crate) answer_within: Duration,
    pub(crate) end_within: Duration,
}

/// Takes a line of the daemon's log.
type Sink = dyn Fn(&str) + Send + Sync;

/// Where lines of the daemon's log go as they come.
#[derive(Clone, Default)]
pub(crate) struct LogSink(Option<Arc<Sink>>);

impl LogSink {
    pub(crate) fn line(&self, line: &str) {
        if let Some(sink) = &self.0 {
            sink(line);
        }
    }
}

impl fmt::Debug for LogSink {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(if self.0.is_some() { "a sink" } else { "none" })
    }
}

impl Launch {
    /// Starts this program; a plain name is looked for on the `PATH`.
    pub fn new(program: impl AsRef<Path>) -> Self {
        Self {
            program: program.as_ref().to_path_buf(),
            arguments: Vec::new(),
            directory: None,
            clear: false,
            variables: Vec::new(),
            info: ClientInfo {
                name: env!("CARGO_PKG_NAME").to_owned(),
                title: None,
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            },
            unwanted: Vec::new(),
            log: LogSink::default(),
            handshake_within: Duration::from_secs(30),
            answer_within: Duration::from_secs(60 * 60),
            end_within: Duration::from_secs(10),
        }
    }

    /// Who speaks. The daemon's `userAgent` begins with this name.
    #[must_use]
    pub fn client(mut self, name: &str, version: &str) -> Self {
        self.info.name = name.to_owned();
        self.info.version = Some(version.to_owned());
        self
    }

    /// Who speaks, as a person would say it.
    #[must_use]
    pub fn title(mut self, title: &str) -> Self {
        self.info.title = Some(title.to_owned());
        self
    }

    /// One more argument after `app-server`, such as `--strict-config`, or `-c` and then
    /// `features.plugins=false`. This client speaks in lines: one that asks for another framing
    /// makes the handshake fail.
    #[must_use]
    pub fn argument(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Tells the daemon not to send a notification, such as `skills/changed`. The events of it do
    /// not come then.
    #[must_use]
    pub fn without(mut self, notification: &str) -> Self {
        self.unwanted.push(notification.to_owned());
        self
    }

    /// Hands every line that the daemon writes to stderr to this function as it comes, without its
    /// line break. It runs on a task of the client and must not block. What it is good for is a log
    /// of the caller's; the last lines are in [`Ending::log`](crate::Ending::log) anyway.
    #[must_use]
    pub fn log(mut self, sink: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.log = LogSink(Some(Arc::new(sink)));
        self
    }

    /// The directory that the daemon starts in.
    #[must_use]
    pub fn directory(mut self, directory: impl AsRef<Path>) -> Self {
        self.directory = Some(directory.as_ref().to_path_buf());
        self
    }

    /// Sets a variable, such as `CODEX_HOME`.
    #[must_use]
    pub fn variable(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.variables
            .push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Gives the daemon only the variables that are set here, and none of this process.
    #[must_use]
    pub fn clear_variables(mut self) -> Self {
        self.clear = true;
        self
    }

    /// How long the daemon may take to start and shake hands; thirty seconds when nothing is said.
    #[must_use]
    pub fn handshake_within(mut self, time: Duration) -> Self {
        self.handshake_within = time;
        self
    }

    /// How long a call may take; an hour when nothing is said, since repositories can be large. A
    /// frontend that wants to give up earlier cancels.
    #[must_use]
    pub fn answer_within(mut self, time: Duration) -> Self {
        self.answer_within = time;
        self
    }

    /// How long the daemon may take to finish what it owes before it is killed; ten seconds when
    /// nothing is said.
    #[must_use]
    pub fn end_within(mut self, time: Duration) -> Self {
        self.end_within = time;
        self
    }

    /// Starts the daemon and shakes hands. The events begin before the handshake, so that the
    /// warnings which follow it are not lost.
    ///
    /// # Errors
    ///
    /// When the program cannot be started, ends at once, writes something else than messages,
    /// refuses the handshake or does not answer it in time, or speaks a newer protocol. No process
    /// is left then.
    pub async fn start(self) -> Result<(Client, Events), Error> {
        let child = self.spawn()?;
        client::connect(self, child).await
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "starting the daemon is what a client is for; the directory is the caller's choice"
    )]
    fn spawn(&self) -> Result<tokio::process::Child, Error> {
        let mut command = Command::new(&self.program);
        command
            .arg("app-server")
            .args(&self.arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // The last resort, for a runtime that ends before anybody could say goodbye.
            .kill_on_drop(true);
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        if self.clear {
            command.env_clear();
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.spawn().map_err(|source| Error::Start {
            program: self.program.display().to_string(),
            source: Arc::new(source),
        })
    }
}
