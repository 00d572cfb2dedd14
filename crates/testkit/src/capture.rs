//! Collects what a process writes, on a thread of its own, so that a full pipe never stops it.

use std::io::Read;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

/// Everything that came out of a pipe so far. A clone looks at the same bytes.
#[derive(Debug, Clone)]
pub(crate) struct Capture {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    ended: bool,
}

impl Capture {
    /// Starts to read a pipe to its end.
    pub(crate) fn of(mut pipe: impl Read + Send + 'static) -> Self {
        let shared = Arc::new(Shared::default());
        let mine = Arc::clone(&shared);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                // A pipe that cannot be read has ended, as far as a test can tell.
                let read = pipe.read(&mut buffer).unwrap_or(0);
                let mut state = lock(&mine);
                state.bytes.extend_from_slice(&buffer[..read]);
                state.ended = read == 0;
                mine.changed.notify_all();
                if state.ended {
                    return;
                }
            }
        });
        Self { shared }
    }

    /// What came so far, as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&lock(&self.shared).bytes).into_owned()
    }

    /// Waits until the text fits or the pipe has ended; tells whether it fits.
    pub(crate) fn wait_for(&self, deadline: Instant, fits: impl Fn(&str) -> bool) -> bool {
        self.wait(deadline, |state| {
            state.ended || fits(&String::from_utf8_lossy(&state.bytes))
        });
        fits(&self.text())
    }

    /// Waits until the pipe has ended; tells whether it has.
    pub(crate) fn wait_end(&self, deadline: Instant) -> bool {
        self.wait(deadline, |state| state.ended)
    }

    fn wait(&self, deadline: Instant, done: impl Fn(&State) -> bool) -> bool {
        let patience = deadline.saturating_duration_since(Instant::now());
        let waited =
            self.shared
                .changed
                .wait_timeout_while(lock(&self.shared), patience, |state| !done(state));
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        done(&state)
    }
}

fn lock(shared: &Shared) -> MutexGuard<'_, State> {
    shared.state.lock().unwrap_or_else(PoisonError::into_inner)
}
