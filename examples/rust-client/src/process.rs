//! The child process: its end, what it wrote to stderr, and the deadline after which it is killed.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStderr};
use tokio::sync::{oneshot, watch};

use crate::launch::LogSink;

/// How many lines of stderr are kept.
const KEPT_LINES: usize = 20;
/// How long the last lines of stderr are waited for after the end: a grandchild may hold the pipe.
const LAST_LINES: Duration = Duration::from_millis(500);

/// How the daemon ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Whether it was killed because it did not end in time.
    pub killed: bool,
    /// The last lines that it wrote to stderr.
    pub log: Vec<String>,
}

impl fmt::Display for Ending {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(formatter, " with code {code}")?,
            None if self.killed => formatter.write_str(" because it was killed")?,
            None => formatter.write_str(" by a signal")?,
        }
        match self.log.last() {
            Some(line) => write!(formatter, ": {line}"),
            None => Ok(()),
        }
    }
}

/// The child as its client sees it.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) id: Option<u32>,
    pub(crate) ending: watch::Receiver<Option<Ending>>,
    kill: std::sync::Mutex<Option<oneshot::Sender<()>>>,
}

/// Watches over a child from now on.
pub(crate) fn watch_over(mut child: Child, sink: LogSink) -> Process {
    let id = child.id();
    let (ended, ending) = watch::channel(None);
    let (kill, killed) = oneshot::channel();
    let log = child.stderr.take();
    let log = log.map(|stderr| tokio::spawn(tail(stderr, sink)));
    tokio::spawn(async move {
        let (status, killed) = tokio::select! {
            status = child.wait() => (status, false),
            // A client that is gone without a word lets the daemon end by itself.
            Ok(()) = killed => {
                // It may have ended by now; then there is nothing to kill.
                let _ = child.start_kill();
                (child.wait().await, true)
            }
        };
        let log = match log {
            Some(mut log) => match tokio::time::timeout(LAST_LINES, &mut log).await {
                Ok(lines) => lines.unwrap_or_default(),
                Err(_) => Vec::new(),
            },
            None => Vec::new(),
        };
        ended.send_replace(Some(Ending {
            code: status.ok().and_then(|status| status.code()),
            killed,
            log,
        }));
    });
    Process {
        id,
        ending,
        kill: std::sync::Mutex::new(Some(kill)),
    }
}

impl Process {
    /// Waits for the end.
    pub(crate) async fn end(&self) -> Ending {
        let mut ending = self.ending.clone();
        let seen = ending.wait_for(Option::is_some).await;
        seen.ok()
            .and_then(|ending| ending.clone())
            .unwrap_or(Ending {
                code: None,
                killed: false,
                log: Vec::new(),
            })
    }

    /// Waits for the end, and kills when it does not come within `deadline`.
    pub(crate) async fn end_within(&self, deadline: Duration) -> Ending {
        if let Ok(ending) = tokio::time::timeout(deadline, self.end()).await {
            return ending;
        }
        let kill = self
            .kill
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .take();
        if let Some(kill) = kill {
            // When nobody listens any more it has ended meanwhile.
            let _ = kill.send(());
        }
        self.end().await
    }
}

/// Reads to the end, so that the daemon never waits for a reader, hands on each line, and keeps the
/// last ones.
async fn tail(stderr: ChildStderr, sink: LogSink) -> Vec<String> {
    let mut stderr = BufReader::new(stderr);
    let mut kept = VecDeque::new();
    let mut line = Vec::new();
    while matches!(stderr.read_until(b'\n', &mut line).await, Ok(read) if read > 0) {
        if kept.len() == KEPT_LINES {
            kept.pop_front();
        }
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        sink.line(&text);
        kept.push_back(text);
        line.clear();
    }
    kept.into()
}
