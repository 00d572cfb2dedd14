//! A worker that runs: its pipes, its stage, its end.
//!
//! Whatever becomes of this value, the worker ends with it and takes along what it has started.

use std::ffi::OsString;
use std::io;
use std::process::ExitStatus;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use plugd_model::{AbsPath, Environment};

use crate::failure::quoted;
use crate::wire::{Line, With};
use crate::{Address, GitError, Stage, process};

/// Longest line of a worker: a report on everything that was left out.
const MAX_LINE: usize = 64 << 20;
/// How much of what a dying worker said is kept.
const MAX_WORDS: usize = 4096;
/// How long to wait for the end of a worker that was ended.
const GOODBYE: Duration = Duration::from_millis(500);

/// What came from a worker.
pub(crate) enum Said {
    Line(Line),
    Noise,
    Nothing,
}

/// A worker that runs; it ends with this value.
pub(crate) struct Running {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    words: JoinHandle<String>,
    pub(crate) stage: Stage,
    pub(crate) host: String,
    /// The credential helper that the worker waits for.
    helper: Option<String>,
    secrets: Vec<String>,
}

impl Running {
    /// Starts a worker for an address.
    pub(crate) fn start(
        program: &AbsPath,
        args: &[OsString],
        environment: &Environment,
        address: &Address,
    ) -> Result<Self, GitError> {
        let failed = |source| GitError::Start {
            program: program.clone(),
            source,
        };
        let mut child = process::worker(program, args, environment)
            .spawn()
            .map_err(failed)?;
        let (input, output, words) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(input), Some(output), Some(words)) = (input, output, words) else {
            return Err(failed(io::ErrorKind::BrokenPipe.into()));
        };
        Ok(Self {
            child,
            input: Some(input),
            output: BufReader::new(output),
            words: tokio::spawn(last_words(words)),
            stage: Stage::Starting,
            host: address.host(),
            helper: None,
            secrets: address.secrets(),
        })
    }

    /// Sends the request. The pipe stays open: its end tells the worker that nobody waits.
    pub(crate) async fn ask(&mut self, mut request: String) {
        request.push('\n');
        if let Some(input) = &mut self.input {
            // A worker that ended already is noticed when it is read from.
            let _ = input.write_all(request.as_bytes()).await;
            let _ = input.flush().await;
        }
    }

    pub(crate) async fn line(&mut self) -> Said {
        let mut line = Vec::new();
        loop {
            let Ok(bytes) = self.output.fill_buf().await else {
                return Said::Nothing;
            };
            if bytes.is_empty() {
                return Said::Nothing;
            }
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(bytes.len(), |at| at + 1);
            line.extend_from_slice(&bytes[..taken]);
            self.output.consume(taken);
            if line.len() > MAX_LINE {
                return Said::Noise;
            }
            if end.is_some() {
                break;
            }
        }
        serde_json::from_slice(&line).map_or(Said::Noise, Said::Line)
    }

    /// Remembers whom the worker waits for.
    pub(crate) fn wait_for(&mut self, with: With) {
        match with {
            With::Host(host) => (self.host, self.helper) = (host, None),
            With::Helper(helper) => self.helper = Some(helper),
        }
    }

    pub(crate) fn silent(&self, idle: Duration) -> GitError {
        let (stage, host) = (self.stage, self.host.clone());
        match self.helper.clone() {
            Some(helper) => GitError::SilentHelper { helper, host, idle },
            None => GitError::Silent { stage, host, idle },
        }
    }

    pub(crate) fn cancelled(&self) -> GitError {
        GitError::Cancelled {
            stage: self.stage,
            host: self.host.clone(),
        }
    }

    pub(crate) fn garbled(&self) -> GitError {
        GitError::Garbled {
            stage: self.stage,
            host: self.host.clone(),
        }
    }

    pub(crate) async fn crashed(&mut self) -> GitError {
        let status = timeout(GOODBYE, self.child.wait()).await;
        let how = match status {
            Ok(Ok(status)) => ending(status),
            _ => "it closed its output".to_owned(),
        };
        process::kill(&mut self.child);
        let words = match timeout(GOODBYE, &mut self.words).await {
            Ok(Ok(words)) if !words.is_empty() => format!("; {}", quoted(&words, &self.secrets)),
            _ => String::new(),
        };
        GitError::Crashed {
            stage: self.stage,
            host: self.host.clone(),
            how: format!("{how}{words}"),
        }
    }

    /// Ends the worker, whatever it is doing, and waits until the system has forgotten it.
    pub(crate) async fn end(&mut self) {
        process::kill(&mut self.child);
        let _ = timeout(GOODBYE, self.child.wait()).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        process::kill(&mut self.child);
        self.words.abort();
    }
}

fn ending(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("signal {signal}");
    }
    match status.code() {
        Some(code) => format!("exit code {code}"),
        None => "no exit code".to_owned(),
    }
}

/// Reads to the end, so that the worker never waits for us, and keeps the last part.
async fn last_words(mut words: ChildStderr) -> String {
    let mut kept = Vec::new();
    let mut buffer = [0; 1024];
    while let Ok(read) = words.read(&mut buffer).await {
        if read == 0 {
            break;
        }
        kept.extend_from_slice(&buffer[..read]);
        if kept.len() > 2 * MAX_WORDS {
            kept.drain(..kept.len() - MAX_WORDS);
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}
