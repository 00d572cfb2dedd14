//! What the callers, the system's messages and the thread that watches have in common.
//!
//! A message is turned into the roots that it concerns right where it arrives. So nothing grows with
//! the number of messages, and a message about a neighbour of a root wakes nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::WatchRoot;
use crate::routes::Routes;

/// A root within one run of the thread; a path that is set again gets a new number.
pub(crate) type RootId = u64;

/// The meeting point.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

/// What is behind the lock.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// Either side has gone.
    pub(crate) ending: bool,
    /// A thread watches.
    pub(crate) running: bool,
    /// The roots that the caller wants.
    pub(crate) wanted: BTreeSet<WatchRoot>,
    /// How often the roots were replaced.
    pub(crate) asked: u64,
    /// Which roots a path concerns.
    pub(crate) routes: Routes,
    /// What was seen and not told yet.
    pub(crate) news: News,
}

/// What one message of the system says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    /// Content changed; the directories are what they were.
    Content,
    /// Something came, changed its rights, or cannot be told apart.
    Shape,
    /// Something went, so a watch on it is void.
    Gone,
}

/// What was seen and not told yet. Its size is bounded by that of the routes.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// The roots, and whether there may be other directories to watch than before.
    pub(crate) roots: BTreeMap<RootId, bool>,
    /// Watched directories that are gone, or are others now.
    pub(crate) gone: BTreeSet<PathBuf>,
    /// Messages were lost.
    pub(crate) overflow: bool,
    first: Option<Instant>,
    last: Option<Instant>,
}

impl Shared {
    /// The lock is held for map operations only, which leave nothing half done.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a change of the state, at most for a while.
    pub(crate) fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        limit: Duration,
    ) -> MutexGuard<'a, State> {
        let waited = self.wake.wait_timeout(state, limit);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    pub(crate) fn notify(&self) {
        self.wake.notify_all();
    }

    /// Ends the thread at its next safe point.
    pub(crate) fn end(&self) {
        self.lock().ending = true;
        self.notify();
    }

    /// Takes a message of the system.
    pub(crate) fn seen<'a>(&self, sort: Sort, paths: impl Iterator<Item = &'a Path>) {
        let mut state = self.lock();
        let mut concerned = false;
        for path in paths {
            concerned |= state.see(sort, path);
        }
        drop(state);
        if concerned {
            self.notify();
        }
    }

    /// Takes the message that messages were lost.
    pub(crate) fn overflow(&self) {
        let mut state = self.lock();
        state.news.overflow = true;
        state.news.stamp();
        drop(state);
        self.notify();
    }
}

impl State {
    fn see(&mut self, sort: Sort, path: &Path) -> bool {
        let roots = self.routes.concerned(path);
        if sort == Sort::Gone && self.routes.watches(path) {
            self.news.gone.insert(path.to_path_buf());
        }
        for &root in &roots {
            self.news.mark(root, sort != Sort::Content);
        }
        !roots.is_empty()
    }
}

impl News {
    /// Notes that a root may have changed.
    pub(crate) fn mark(&mut self, root: RootId, shape: bool) {
        *self.roots.entry(root).or_default() |= shape;
        self.stamp();
    }

    fn stamp(&mut self) {
        let now = Instant::now();
        self.first.get_or_insert(now);
        self.last = Some(now);
    }

    /// When they are told: after a quiet while, and not later than the limit.
    pub(crate) fn due(&self, debounce: Duration, limit: Duration) -> Option<Instant> {
        let (first, last) = (self.first?, self.last?);
        Some((last + debounce).min(first + limit))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use pretty_assertions::assert_eq;

    use super::News;

    #[track_caller]
    fn check(first: u64, last: u64, due: u64) {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let news = News {
            first: Some(at(first)),
            last: Some(at(last)),
            ..News::default()
        };
        let found = news.due(Duration::from_secs(2), Duration::from_secs(10));
        assert_eq!(found, Some(at(due)));
    }

    #[test]
    fn news_wait_for_quiet_and_not_for_ever() {
        check(0, 0, 2);
        check(0, 5, 7);
        check(0, 9, 10);
        let none = News::default();
        assert_eq!(none.due(Duration::ZERO, Duration::ZERO), None);
    }

    #[test]
    fn a_root_that_needs_a_new_look_keeps_that_need() {
        let mut news = News::default();
        for shape in [false, true, false] {
            news.mark(1, shape);
        }
        news.mark(2, false);
        assert_eq!(
            news.roots.into_iter().collect::<Vec<_>>(),
            [(1, true), (2, false)]
        );
    }
}
