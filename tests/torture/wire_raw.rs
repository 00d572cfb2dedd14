//! A client that keeps no rule: it writes bytes and reads bytes.
#![expect(
    clippy::disallowed_methods,
    reason = "the tests' own client keeps to the rules of the wire, and the memory of a process \
              stands in files of the system"
)]

use std::fs;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use plugd_testkit::Sandbox;

use crate::BINARY;

/// How long a daemon may take for anything here.
const DEADLINE: Duration = Duration::from_secs(60);

/// A daemon with its bare pipes; dropping it kills it.
#[derive(Debug)]
pub(crate) struct RawDaemon {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    /// Its directories are there for as long as it is.
    _sandbox: Sandbox,
}

impl RawDaemon {
    pub(crate) fn start(sandbox: &Sandbox) -> Self {
        let mut child = Command::new(BINARY)
            .arg("app-server")
            .env_clear()
            .env("HOME", sandbox.home().as_path())
            .env("CODEX_HOME", sandbox.codex_home().as_path())
            .env("TMPDIR", sandbox.path("tmp").as_path())
            .env("CODEX_DISABLE_CURATED_PLUGIN_SYNC", "1")
            .current_dir(sandbox.cwd())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            stdin: child.stdin.take(),
            stdout: child.stdout.take(),
            child,
            _sandbox: sandbox.clone(),
        }
    }

    /// Writes on a thread of its own, and closes the input behind it.
    pub(crate) fn write_and_close(&mut self, bytes: Vec<u8>) {
        let mut stdin = self.stdin.take().unwrap();
        // A daemon that has ended does not take the rest.
        thread::spawn(move || drop(stdin.write_all(&bytes)));
    }

    /// Everything that it writes, taken in pieces of this size.
    pub(crate) fn read_all(&mut self, piece: usize) -> Vec<u8> {
        let mut stdout = self.stdout.take().unwrap();
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let mut piece = vec![0; piece];
            while let Ok(read @ 1..) = stdout.read(&mut piece) {
                if sender.send(piece[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        let deadline = Instant::now() + DEADLINE;
        let mut all = Vec::new();
        loop {
            match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(piece) => all.extend(piece),
                Err(mpsc::RecvTimeoutError::Disconnected) => return all,
                Err(mpsc::RecvTimeoutError::Timeout) => panic!("the output does not end"),
            }
        }
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self, patience: Duration) -> ExitStatus {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "it has not ended after {patience:?}"
            );
            thread::yield_now();
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for RawDaemon {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A line of the system's account of a process, in kibibytes: `VmRSS` or `VmHWM`.
pub(crate) fn memory(process: u32, field: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let digits = line.unwrap().trim_start_matches(':').trim();
    digits.trim_end_matches(" kB").parse().unwrap()
}

/// How many files, pipes and the like a process has open.
pub(crate) fn descriptors(process: u32) -> usize {
    fs::read_dir(format!("/proc/{process}/fd")).unwrap().count()
}
