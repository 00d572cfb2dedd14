//! How far a worker is.
//!
//! The work counts into a [`Meter`], which costs an atomic addition. A [`Reporter`] looks at it ten
//! times a second and writes a line when something changed: the other side sees every stretch of
//! silence, and a fast fetch does not flood it.

use std::io::Write;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::wire::{Line, With};

const INTERVAL: Duration = Duration::from_millis(100);

/// What a worker is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// Starting up.
    Starting,
    /// Waiting for another process that uses the same mirror.
    Waiting,
    /// Asking the server for its branches and tags.
    Resolving,
    /// Getting commits.
    Fetching,
    /// Writing files.
    CheckingOut,
}

impl Stage {
    const ALL: [Self; 5] = [
        Self::Starting,
        Self::Waiting,
        Self::Resolving,
        Self::Fetching,
        Self::CheckingOut,
    ];

    /// What is being done, as a part of a sentence.
    #[must_use]
    pub fn doing(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Waiting => "waiting for another process",
            Self::Resolving => "resolving",
            Self::Fetching => "fetching",
            Self::CheckingOut => "checking out",
        }
    }
}

/// How far a worker is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// What it is doing.
    pub stage: Stage,
    /// Bytes that came from the other side.
    pub bytes: u64,
    /// Objects that were received.
    pub objects: u64,
    /// How many objects there will be; 0 while that is unknown.
    pub total_objects: u64,
    /// Files that were written.
    pub files: u64,
    /// Steps of work that have no number of their own; it only tells that something moves.
    pub steps: u64,
}

/// Where the work counts.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    stage: AtomicU8,
    bytes: AtomicU64,
    objects: AtomicU64,
    total_objects: AtomicU64,
    files: AtomicU64,
    steps: AtomicU64,
    /// Whom the work waits for, until that is told.
    with: Mutex<Option<With>>,
}

impl Meter {
    pub(crate) fn enter(&self, stage: Stage) {
        let index = Stage::ALL.iter().position(|one| *one == stage);
        let index = index.and_then(|index| u8::try_from(index).ok());
        self.stage.store(index.unwrap_or(0), Ordering::Relaxed);
    }

    /// Says whom the work waits for from here on.
    pub(crate) fn wait_for(&self, with: With) {
        *self.with.lock().unwrap_or_else(PoisonError::into_inner) = Some(with);
        self.step();
    }

    fn take_with(&self) -> Option<With> {
        let mut with = self.with.lock().unwrap_or_else(PoisonError::into_inner);
        with.take()
    }

    pub(crate) fn bytes(&self, more: usize) {
        let more = u64::try_from(more).unwrap_or(u64::MAX);
        self.bytes.fetch_add(more, Ordering::Relaxed);
    }

    /// The same where only the sum is known.
    pub(crate) fn bytes_in_all(&self, sum: u64) {
        self.bytes.fetch_max(sum, Ordering::Relaxed);
    }

    pub(crate) fn objects(&self, now: usize, total: usize) {
        let count = |number| u64::try_from(number).unwrap_or(u64::MAX);
        self.received(count(now), count(total));
    }

    /// The same in the numbers of another program.
    pub(crate) fn received(&self, now: u64, total: u64) {
        self.objects.store(now, Ordering::Relaxed);
        self.total_objects.store(total, Ordering::Relaxed);
    }

    pub(crate) fn file(&self) {
        self.files.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn step(&self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn stage(&self) -> Stage {
        let index = usize::from(self.stage.load(Ordering::Relaxed));
        Stage::ALL.get(index).copied().unwrap_or(Stage::Starting)
    }

    pub(crate) fn read(&self) -> Progress {
        let number = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Progress {
            stage: self.stage(),
            bytes: number(&self.bytes),
            objects: number(&self.objects),
            total_objects: number(&self.total_objects),
            files: number(&self.files),
            steps: number(&self.steps),
        }
    }
}

/// Writes lines; everything a worker says goes through one of these.
pub(crate) struct Lines<W>(Mutex<W>);

impl<W: Write> Lines<W> {
    pub(crate) fn new(output: W) -> Self {
        Self(Mutex::new(output))
    }

    /// A reader that is gone is no error: the end of our input says so too.
    pub(crate) fn write(&self, line: &Line) {
        let Ok(mut text) = serde_json::to_string(line) else {
            return;
        };
        text.push('\n');
        let mut output = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = output.write_all(text.as_bytes());
        let _ = output.flush();
    }
}

/// The thread that reports; it ends when this is dropped, so that nothing follows the last line.
pub(crate) struct Reporter {
    stop: Arc<(Mutex<bool>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl Reporter {
    pub(crate) fn start<W: Write + Send + 'static>(
        meter: Arc<Meter>,
        lines: Arc<Lines<W>>,
    ) -> Self {
        let stop = Arc::new((Mutex::new(false), Condvar::new()));
        let watched = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let (stopped, bell) = &*watched;
            let mut last = None;
            let mut guard = stopped.lock().unwrap_or_else(PoisonError::into_inner);
            while !*guard {
                if let Some(with) = meter.take_with() {
                    lines.write(&Line::With(with));
                }
                let now = meter.read();
                if last != Some(now) {
                    lines.write(&Line::Progress(now));
                    last = Some(now);
                }
                guard = bell
                    .wait_timeout(guard, INTERVAL)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0;
            }
        });
        Self {
            stop,
            thread: Some(thread),
        }
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        let (stopped, bell) = &*self.stop;
        *stopped.lock().unwrap_or_else(PoisonError::into_inner) = true;
        bell.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
