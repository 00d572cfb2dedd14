//! What waits for the listener.
//!
//! The same hint twice is one hint, so what waits is a set of roots and never longer than the set of
//! what is watched.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use plugd_model::{AbsPath, Problem};

use crate::WatchRoot;
use crate::shared::Shared;

/// How many roots one hint names at most; beyond it the hint speaks of everything.
pub const MAX_HINTED: usize = 1_000;

/// What may have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// These roots, in the spelling they were set with.
    Roots(BTreeSet<AbsPath>),
    /// Every root: the system has forgotten what it had to tell.
    Everything,
}

/// The listening side, of which there is one. Dropping it ends the watching.
#[derive(Debug)]
pub struct Hints {
    board: Arc<Board>,
    shared: Arc<Shared>,
}

/// Between the thread that watches and whoever listens.
#[derive(Debug)]
pub(crate) struct Board {
    waiting: Mutex<Waiting>,
    arrived: Notify,
    placed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Waiting {
    hint: Option<Hint>,
    problems: BTreeMap<WatchRoot, Problem>,
    over: bool,
}

impl Hint {
    fn merge(self, other: Self) -> Self {
        match (self, other) {
            (Self::Roots(mut roots), Self::Roots(others)) => {
                roots.extend(others);
                Self::Roots(roots).within_limit()
            }
            _ => Self::Everything,
        }
    }

    fn within_limit(self) -> Self {
        match self {
            Self::Roots(roots) if roots.len() > MAX_HINTED => Self::Everything,
            hint => hint,
        }
    }
}

impl Hints {
    pub(crate) fn new(board: Arc<Board>, shared: Arc<Shared>) -> Self {
        Self { board, shared }
    }

    /// Waits for the next hint; what came in the meantime is merged into one. `None` when the
    /// watcher is gone. Giving up the wait loses nothing.
    pub async fn next(&mut self) -> Option<Hint> {
        loop {
            let arrived = self.board.arrived.notified();
            {
                let mut waiting = self.board.waiting();
                if let Some(hint) = waiting.hint.take() {
                    return Some(hint);
                }
                if waiting.over {
                    return None;
                }
            }
            arrived.await;
        }
    }
}

impl Drop for Hints {
    /// Nobody listens any more, so nobody has to watch.
    fn drop(&mut self) {
        self.shared.end();
        self.board.close();
    }
}

impl Board {
    pub(crate) fn new() -> Self {
        Self {
            waiting: Mutex::default(),
            arrived: Notify::new(),
            placed: watch::Sender::new(0),
        }
    }

    /// Tells the listener. An empty hint is none.
    pub(crate) fn tell(&self, hint: Hint) {
        if matches!(&hint, Hint::Roots(roots) if roots.is_empty()) {
            return;
        }
        let mut waiting = self.waiting();
        let merged = match waiting.hint.take() {
            Some(earlier) => earlier.merge(hint),
            None => hint.within_limit(),
        };
        waiting.hint = Some(merged);
        drop(waiting);
        self.arrived.notify_one();
    }

    /// Keeps only what speaks of roots that are still wanted.
    pub(crate) fn retain(&self, wanted: &BTreeSet<WatchRoot>) {
        let mut waiting = self.waiting();
        waiting.problems.retain(|root, _| wanted.contains(root));
        if let Some(Hint::Roots(roots)) = &mut waiting.hint {
            let paths: BTreeSet<_> = wanted.iter().map(|root| &root.path).collect();
            roots.retain(|path| paths.contains(path));
            if roots.is_empty() {
                waiting.hint = None;
            }
        }
    }

    /// Notes why a root is polled.
    pub(crate) fn note(&self, root: &WatchRoot, problem: Problem) {
        self.waiting().problems.insert(root.clone(), problem);
    }

    pub(crate) fn problems(&self) -> Vec<Problem> {
        self.waiting().problems.values().cloned().collect()
    }

    /// Says that everything asked for up to this number is watched.
    pub(crate) fn place(&self, asked: u64) {
        self.placed
            .send_modify(|placed| *placed = asked.max(*placed));
    }

    pub(crate) async fn placed(&self, asked: u64) {
        let mut placed = self.placed.subscribe();
        // The sender lives as long as the board, so the wait cannot fail.
        let _ = placed.wait_for(|&placed| placed >= asked).await;
    }

    /// Says that no hint will come any more.
    pub(crate) fn close(&self) {
        self.waiting().over = true;
        self.placed.send_replace(u64::MAX);
        self.arrived.notify_one();
    }

    /// The lock is held for a few set operations only, which leave nothing half done.
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use pretty_assertions::assert_eq;

    use plugd_model::AbsPath;

    use super::{Board, Hint, Hints, MAX_HINTED};
    use crate::WatchRoot;
    use crate::shared::Shared;

    fn path(name: usize) -> AbsPath {
        AbsPath::new(format!("/r/{name}")).unwrap()
    }

    fn roots(names: impl IntoIterator<Item = usize>) -> Hint {
        Hint::Roots(names.into_iter().map(path).collect())
    }

    fn listening() -> (Arc<Board>, Hints) {
        let board = Arc::new(Board::new());
        let hints = Hints::new(Arc::clone(&board), Arc::new(Shared::default()));
        (board, hints)
    }

    #[tokio::test]
    async fn hints_merge_until_they_are_taken() {
        let (board, mut hints) = listening();
        for hint in [roots([1]), roots([2, 3]), roots([1])] {
            board.tell(hint);
        }
        assert_eq!(hints.next().await, Some(roots([1, 2, 3])));
        board.tell(roots([4]));
        board.tell(Hint::Everything);
        board.tell(roots([5]));
        assert_eq!(hints.next().await, Some(Hint::Everything));
    }

    #[tokio::test]
    async fn too_many_roots_become_everything() {
        let (board, mut hints) = listening();
        board.tell(roots(0..MAX_HINTED));
        board.tell(roots([MAX_HINTED]));
        assert_eq!(hints.next().await, Some(Hint::Everything));
        board.tell(roots(0..=MAX_HINTED));
        assert_eq!(hints.next().await, Some(Hint::Everything));
    }

    #[tokio::test]
    async fn what_is_not_wanted_any_more_is_forgotten() {
        let (board, mut hints) = listening();
        board.tell(roots([1, 2]));
        board.retain(&BTreeSet::from([WatchRoot::file(path(2))]));
        assert_eq!(hints.next().await, Some(roots([2])));
        board.tell(roots([2]));
        board.retain(&BTreeSet::new());
        board.close();
        assert_eq!(hints.next().await, None);
    }

    #[tokio::test]
    async fn the_last_hint_is_told_before_the_end() {
        let (board, mut hints) = listening();
        let listening =
            tokio::spawn(async move { (hints.next().await, hints.next().await, hints) });
        board.tell(roots([1]));
        board.close();
        let (first, second, _hints) = listening.await.unwrap();
        assert_eq!((first, second), (Some(roots([1])), None));
    }
}
