//! How a program is started in a sandbox: arguments, variables, directory, framing, patience.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{io::Write as _, thread};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::capture::Capture;
use crate::daemon::{Daemon, Seen};
use crate::environment::variables;
use crate::process::Process;
use crate::{Framing, Sandbox, must};

/// How long anything is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Looks at every message of a daemon, on the thread of the test.
pub(crate) type Observer = Arc<dyn Fn(&Seen<'_>) + Send + Sync>;

/// A program that is about to be started.
///
/// Nothing of the caller's environment comes along. In arguments, variables and the directory
/// `$ROOT` means the sandbox's root.
#[derive(Clone)]
pub struct Launch {
    pub(crate) binary: PathBuf,
    pub(crate) framing: Framing,
    pub(crate) patience: Duration,
    pub(crate) reads_when_asked: bool,
    pub(crate) hangs_up_after: Option<usize>,
    pub(crate) lenient: bool,
    pub(crate) observer: Option<Observer>,
    args: Vec<String>,
    vars: BTreeMap<String, Option<String>>,
    dir: String,
    input: Option<Vec<u8>>,
}

/// What a program left behind that ran to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Output {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to stdout.
    pub stdout: String,
    /// What it wrote to stderr.
    pub stderr: String,
}

/// Runs the binary to its end with these arguments and no input.
///
/// # Panics
/// It cannot be started, or has not ended after ten seconds.
#[track_caller]
pub fn run_cli(binary: impl Into<PathBuf>, args: &[&str], sandbox: &Sandbox) -> Output {
    Launch::new(binary).args(args).run(sandbox)
}

impl Launch {
    /// A program without arguments.
    #[must_use]
    pub fn new(binary: impl Into<PathBuf>) -> Self {
        Self {
            binary: binary.into(),
            framing: Framing::Lines,
            patience: PATIENCE,
            reads_when_asked: false,
            hangs_up_after: None,
            lenient: false,
            observer: None,
            args: Vec::new(),
            vars: BTreeMap::new(),
            dir: "$ROOT/cwd".to_owned(),
            input: None,
        }
    }

    /// The daemon: the binary with the argument `app-server`.
    #[must_use]
    pub fn app_server(binary: impl Into<PathBuf>) -> Self {
        Self::new(binary).args(&["app-server"])
    }

    /// More arguments.
    #[must_use]
    pub fn args(mut self, args: &[&str]) -> Self {
        self.args.extend(args.iter().map(|&arg| arg.to_owned()));
        self
    }

    /// Sets a variable, also one that the sandbox sets otherwise.
    #[must_use]
    pub fn var(mut self, name: &str, value: &str) -> Self {
        self.vars.insert(name.to_owned(), Some(value.to_owned()));
        self
    }

    /// Leaves a variable of the sandbox out.
    #[must_use]
    pub fn without_var(mut self, name: &str) -> Self {
        self.vars.insert(name.to_owned(), None);
        self
    }

    /// Starts in another directory, which may be relative to the root.
    #[must_use]
    pub fn dir(mut self, dir: &str) -> Self {
        dir.clone_into(&mut self.dir);
        self
    }

    /// Speaks with this framing.
    #[must_use]
    pub fn framing(mut self, framing: Framing) -> Self {
        self.framing = framing;
        self
    }

    /// Waits so long for each thing, instead of ten seconds.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Gives [`Launch::run`] something on stdin; a daemon gets its input from its methods.
    #[must_use]
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = Some(input.into());
        self
    }

    /// Takes a message from the daemon's stdout only when the test waits for one, like a client
    /// that is busy: the pipe fills up.
    #[must_use]
    pub fn reads_when_asked(mut self) -> Self {
        self.reads_when_asked = true;
        self
    }

    /// Closes the reading end of the daemon's stdout after so many messages, like a client that
    /// died.
    #[must_use]
    pub fn hangs_up_after(mut self, messages: usize) -> Self {
        self.hangs_up_after = Some(messages);
        self
    }

    /// Accepts messages that are JSON and otherwise have any form: for other programs than ours.
    #[must_use]
    pub fn lenient(mut self) -> Self {
        self.lenient = true;
        self
    }

    /// Shows every response and notification to `observer`, for example to validate it.
    #[must_use]
    pub fn observed_by(mut self, observer: impl Fn(&Seen<'_>) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Starts it and speaks with it.
    ///
    /// # Panics
    /// It cannot be started.
    #[must_use]
    #[track_caller]
    pub fn start(&self, sandbox: &Sandbox) -> Daemon {
        must(Daemon::launch(self, sandbox))
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// It cannot be started, or has not ended in time.
    #[track_caller]
    pub fn run(&self, sandbox: &Sandbox) -> Output {
        must(self.try_run(sandbox, "", || {}))
    }

    /// Runs it to its end, and does something as soon as its stdout holds `text`; never, when it
    /// ends without.
    ///
    /// # Panics
    /// As [`Launch::run`].
    #[track_caller]
    pub fn run_and_when(&self, sandbox: &Sandbox, text: &str, then: impl FnOnce()) -> Output {
        must(self.try_run(sandbox, text, then))
    }

    fn try_run(&self, sandbox: &Sandbox, text: &str, then: impl FnOnce()) -> Result<Output> {
        let mut command = self.command(sandbox);
        command.stdout(Stdio::piped());
        command.stdin(match self.input {
            Some(_) => Stdio::piped(),
            None => Stdio::null(),
        });
        let mut process = self.spawn(&mut command)?;
        let stdout = process.child().stdout.take();
        let stdout = Capture::of(stdout.context("the child has no stdout")?);
        if let (Some(mut stdin), Some(input)) = (process.child().stdin.take(), self.input.clone()) {
            // A program may end without having read everything.
            thread::spawn(move || drop(stdin.write_all(&input)));
        }
        let deadline = Instant::now() + self.patience;
        if stdout.wait_for(deadline, |so_far| so_far.contains(text)) {
            then();
        }
        let status = process.wait(deadline);
        let stderr = process.stderr().clone();
        let (Some(status), true, true) =
            (status, stdout.wait_end(deadline), stderr.wait_end(deadline))
        else {
            bail!(
                "{self:?} has not ended after {:?}\nstdout:\n{}\nstderr:\n{}",
                self.patience,
                stdout.text(),
                stderr.text()
            );
        };
        Ok(Output {
            status,
            stdout: stdout.text(),
            stderr: stderr.text(),
        })
    }

    /// The command with its environment; the caller adds the pipes.
    pub(crate) fn command(&self, sandbox: &Sandbox) -> Command {
        let mut vars = variables(sandbox);
        for (name, value) in &self.vars {
            match value {
                Some(value) => vars.insert(name.into(), sandbox.expand(value).into()),
                None => vars.remove(&OsString::from(name)),
            };
        }
        let mut command = Command::new(&self.binary);
        command
            .args(self.args.iter().map(|arg| sandbox.expand(arg)))
            .env_clear()
            .envs(vars)
            .current_dir(sandbox.path(sandbox.expand(&self.dir)));
        command
    }

    pub(crate) fn spawn(&self, command: &mut Command) -> Result<Process> {
        Process::spawn(command).with_context(|| format!("cannot start {self:?}"))
    }
}

impl fmt::Debug for Launch {
    /// The command line, as messages show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}", self.binary.display())?;
        self.args.iter().try_for_each(|arg| write!(f, " {arg}"))?;
        f.write_str("`")
    }
}

impl Output {
    /// What it wrote to stdout.
    ///
    /// # Panics
    /// It did not end with exit code 0; shows what it wrote.
    #[must_use]
    #[track_caller]
    pub fn success(&self) -> &str {
        assert!(self.status.success(), "it failed: {self}");
        &self.stdout
    }

    /// The exit code.
    ///
    /// # Panics
    /// A signal ended it; shows what it wrote.
    #[must_use]
    #[track_caller]
    pub fn code(&self) -> i32 {
        match self.status.code() {
            Some(code) => code,
            None => panic!("it has no exit code: {self}"),
        }
    }

    /// Its stdout as JSON, whatever its exit code: errors are JSON as well.
    ///
    /// # Panics
    /// It is not one JSON value; shows what it wrote.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        match serde_json::from_str(&self.stdout) {
            Ok(value) => value,
            Err(error) => panic!("stdout is not JSON, {error}: {self}"),
        }
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            status,
            stdout,
            stderr,
        } = self;
        write!(f, "{status}\nstdout:\n{stdout}\nstderr:\n{stderr}")
    }
}

#[cfg(test)]
#[cfg(unix)]
#[path = "launch_tests.rs"]
mod tests;
