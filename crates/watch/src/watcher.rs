//! The side of the caller: which roots are watched.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread;

use plugd_disk::Disk;
use plugd_model::Problem;

use crate::board::{Board, Hints};
use crate::engine::Engine;
use crate::native::{self, Start};
use crate::shared::Shared;
use crate::{WatchOptions, WatchRoot};

/// Watches a set of roots. Dropping it ends that.
pub struct Watcher {
    options: WatchOptions,
    disk: Disk,
    start: Start,
    shared: Arc<Shared>,
    board: Arc<Board>,
}

/// Why roots could not be watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The system has no thread left for it.
    #[error("cannot start the thread that watches files")]
    Thread {
        /// The reason of the system.
        #[source]
        source: io::Error,
    },
}

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watcher")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Watcher {
    /// A watcher of nothing, and where its hints will arrive. No thread is started and no file is
    /// touched before roots are set.
    #[must_use]
    pub fn new(options: WatchOptions, disk: Disk) -> (Self, Hints) {
        Self::on(native::start, options, disk)
    }

    /// A watcher on a system that is told how to start.
    pub(crate) fn on(start: Start, options: WatchOptions, disk: Disk) -> (Self, Hints) {
        let shared = Arc::new(Shared::default());
        let board = Arc::new(Board::new());
        let hints = Hints::new(Arc::clone(&board), Arc::clone(&shared));
        let watcher = Self {
            options,
            disk,
            start,
            shared,
            board,
        };
        (watcher, hints)
    }

    /// Replaces the set of roots. What stays is not touched, and the same set again costs nothing.
    /// It returns at once; from when on changes are told is what [`Watcher::settled`] waits for.
    /// Without roots the thread ends.
    ///
    /// # Errors
    /// No thread can be started; then nothing is watched, and the next call tries again.
    pub fn set(&self, roots: &[WatchRoot]) -> Result<(), WatchError> {
        let wanted: BTreeSet<WatchRoot> = roots.iter().cloned().collect();
        self.board.retain(&wanted);
        let mut state = self.shared.lock();
        let same = state.wanted == wanted && (state.running || wanted.is_empty());
        // Without a listener there is nothing to do, now or later.
        if same || state.ending {
            return Ok(());
        }
        state.wanted = wanted;
        state.asked += 1;
        if state.wanted.is_empty() && !state.running {
            self.board.place(state.asked);
        }
        if !state.running && !state.wanted.is_empty() {
            // The thread waits for the lock, so it finds what was written here.
            self.spawn()?;
            state.running = true;
        }
        drop(state);
        self.shared.notify();
        Ok(())
    }

    /// Waits until the roots set so far are watched: what changes from then on is told. A caller
    /// that has to miss nothing sets the roots, waits, and only then reads.
    pub async fn settled(&self) {
        let (asked, running) = {
            let state = self.shared.lock();
            (state.asked, state.running)
        };
        if running {
            self.board.placed(asked).await;
        }
    }

    /// Why roots are polled although the system's messages were wanted: one problem for each such
    /// root, as long as it is set. Each is also logged once.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        self.board.problems()
    }

    fn spawn(&self) -> Result<(), WatchError> {
        let engine = Engine::new(
            self.options.clone(),
            self.disk.clone(),
            self.start,
            Arc::clone(&self.shared),
            Arc::clone(&self.board),
        );
        let thread = thread::Builder::new().name("plugd-watch".to_owned());
        match thread.spawn(move || engine.run()) {
            Ok(_) => Ok(()),
            Err(source) => Err(WatchError::Thread { source }),
        }
    }
}

impl Drop for Watcher {
    /// Does not wait for the thread, which ends by itself after the directory it looks at.
    fn drop(&mut self) {
        self.shared.end();
        self.board.close();
    }
}

#[cfg(test)]
impl Watcher {
    /// The inside, for the tests of this crate.
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}
