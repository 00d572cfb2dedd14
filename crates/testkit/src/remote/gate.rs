//! A door in a server: it holds an answer back until the test has looked around.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How long a test waits for somebody to stand at a gate.
const PATIENCE: Duration = Duration::from_secs(20);

/// A gate that is closed until it is opened, for good. A clone is the same gate.
#[derive(Debug, Clone, Default)]
pub struct Gate {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    open: bool,
    reached: usize,
}

impl Gate {
    /// A closed gate.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets everybody through, now and later.
    pub fn open(&self) {
        self.change(|state| state.open = true);
    }

    /// Waits until somebody has come to the gate.
    ///
    /// # Panics
    /// Nobody comes within twenty seconds.
    #[track_caller]
    pub fn wait_reached(&self) {
        self.wait_reached_by(1);
    }

    /// Waits until so many have come to the gate, those included that went through.
    ///
    /// # Panics
    /// They do not come within twenty seconds.
    #[track_caller]
    pub fn wait_reached_by(&self, visitors: usize) {
        let state = self.shared.state.lock();
        let state = state.unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .shared
            .changed
            .wait_timeout_while(state, PATIENCE, |state| state.reached < visitors);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let reached = state.reached;
        drop(state);
        assert!(
            reached >= visitors,
            "the server was to hold {visitors} answers and came to hold {reached}"
        );
    }

    /// Stands at the gate until it is open; the server's side.
    pub(crate) fn pass(&self) {
        self.change(|state| state.reached += 1);
        let state = self.shared.state.lock();
        let state = state.unwrap_or_else(PoisonError::into_inner);
        let waited = self.shared.changed.wait_while(state, |state| !state.open);
        drop(waited);
    }

    fn change(&self, how: impl FnOnce(&mut State)) {
        let state = self.shared.state.lock();
        how(&mut state.unwrap_or_else(PoisonError::into_inner));
        self.shared.changed.notify_all();
    }
}
