//! Whether the two programs that bring objects can be had: the worker and the git command. Nothing is
//! fetched.

use std::io::Read;
use std::time::Duration;

use plugd_disk::Disk;
use plugd_model::AbsPath;
use tokio::time::timeout;

use crate::programs::Programs;
use crate::{Git, GitError, process};

/// More than any version is long.
const MAX_VERSION: u64 = 4096;
/// A program that does nothing has ended by then.
const PATIENCE: Duration = Duration::from_secs(10);

impl Git {
    /// Starts a worker that is asked for nothing, and waits until it has ended.
    ///
    /// # Errors
    /// It cannot be started, or does not end.
    pub async fn try_worker(&self) -> Result<(), GitError> {
        let failed = |source| GitError::Start {
            program: self.program.clone(),
            source,
        };
        let mut child = process::worker(&self.program, &self.args, &self.environment)
            .spawn()
            .map_err(failed)?;
        // Nobody wants anything of it, which is what the end of its input says.
        drop(child.stdin.take());
        match timeout(PATIENCE, child.wait()).await {
            Ok(ended) => ended.map(|_| ()).map_err(failed),
            Err(_) => Err(failed(std::io::ErrorKind::TimedOut.into())),
        }
    }

    /// Where the git command lies and what it calls itself; nothing where there is none. It blocks.
    #[must_use]
    pub fn git_command(&self, disk: &Disk) -> Option<(AbsPath, String)> {
        let program = Programs::find(disk, &self.environment).git?;
        let started = process::start_git(
            &program,
            &["--version"],
            &[],
            &self.environment,
            MAX_VERSION,
        );
        let mut child = started.ok()?;
        drop(child.stdin.take());
        let mut said = String::new();
        let output = child.stdout.take()?;
        let read = output.take(MAX_VERSION).read_to_string(&mut said);
        let ended = child.wait().ok()?;
        let version = said.trim().strip_prefix("git version ").unwrap_or_default();
        (read.is_ok() && ended.success()).then(|| (program, version.to_owned()))
    }
}
