//! Telling that skills may have changed, and with them plugins and configuration, by other hands.
//!
//! The watch begins with the first listing, or with a client that asked for events; a process that
//! is only asked for something else watches nothing. It covers what has been listed so far: later
//! listings add their directories.
//!
//! A hint says that something may have changed and no more. It may be told twice, and a client lists
//! again when it wants to know.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plugd_disk::Disk;
use plugd_model::Layout;
use plugd_watch::{Exclusions, Hints, WatchOptions, WatchRoot, Watcher};

use crate::events::{Change, ChangeReason, Events};

/// More places than a person works in; with more, those that were listed first are let go.
const MAX_ROOTS: usize = 2_000;
/// How long a listing waits for the watch to begin. Large directories take a while, and a missed
/// change is better than a missing answer.
const SETTLING: Duration = Duration::from_secs(2);

/// Watches the places of skills. Clones speak of the same watch.
#[derive(Clone)]
pub struct SkillWatch(Arc<Inner>);

struct Inner {
    options: WatchOptions,
    disk: Disk,
    events: Events,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    stopped: bool,
    /// Kept also when it could not begin, so that it is tried once.
    watcher: Option<Arc<Watcher>>,
    /// In the order in which they were listed first.
    order: Vec<WatchRoot>,
    covered: BTreeSet<WatchRoot>,
}

/// What asking for a watch came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Followed {
    /// All of it was watched before.
    Covered,
    /// Some of it is watched only from now on.
    New,
}

impl fmt::Debug for SkillWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SkillWatch").finish_non_exhaustive()
    }
}

impl SkillWatch {
    /// Watches nothing yet.
    #[must_use]
    pub fn new(layout: &Layout, disk: Disk, events: Events) -> Self {
        let exclusions = Exclusions::none().place(layout.state()).name(".git");
        Self(Arc::new(Inner {
            options: WatchOptions::excluding(exclusions),
            disk,
            events,
            state: Mutex::default(),
        }))
    }

    /// Watches nothing, ever: for a command, which ends before anything could be told.
    #[must_use]
    pub fn off(layout: &Layout) -> Self {
        let watch = Self::new(layout, Disk::new(), Events::detached());
        watch.stop();
        watch
    }

    /// Watches these places too. What changes after the return is told.
    pub(crate) async fn follow(&self, roots: Vec<WatchRoot>) -> Followed {
        let Some(watcher) = self.0.add(roots) else {
            return Followed::Covered;
        };
        if tokio::time::timeout(SETTLING, watcher.settled())
            .await
            .is_err()
        {
            tracing::debug!("the watch of skills takes long to begin");
        }
        Followed::New
    }

    /// From here on the client wants to hear of skills.
    pub(crate) fn want(&self) {
        self.0.events.want_skills();
    }

    /// Whether it did before.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        self.0.events.skills_wanted()
    }

    /// Ends the watch for good.
    pub fn stop(&self) {
        let mut state = self.0.state();
        state.stopped = true;
        state.watcher = None;
    }
}

impl Inner {
    /// Held for set operations and for handing over a set, which returns at once.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds places; answers the watcher when there is something to wait for.
    fn add(&self, roots: Vec<WatchRoot>) -> Option<Arc<Watcher>> {
        let mut state = self.state();
        if state.stopped {
            return None;
        }
        let new: BTreeSet<_> = roots
            .into_iter()
            .filter(|root| !state.covered.contains(root))
            .collect();
        if new.is_empty() {
            return None;
        }
        for root in new {
            state.order.push(root.clone());
            state.covered.insert(root);
        }
        let too_many = state.order.len().saturating_sub(MAX_ROOTS);
        for root in state.order.drain(..too_many).collect::<Vec<_>>() {
            state.covered.remove(&root);
        }
        let watcher = match &state.watcher {
            Some(watcher) => Arc::clone(watcher),
            None => {
                let (watcher, hints) = Watcher::new(self.options.clone(), self.disk.clone());
                tokio::spawn(tell(hints, self.events.clone()));
                Arc::new(watcher)
            }
        };
        state.watcher = Some(Arc::clone(&watcher));
        if let Err(error) = watcher.set(&state.order) {
            tracing::warn!("changes of skills are not told: {error}");
            return None;
        }
        Some(watcher)
    }
}

/// Passes hints on until the watcher is gone. Whose change it was cannot be told, so our own are
/// told twice: with their names when they are made, and without a name from here.
async fn tell(mut hints: Hints, events: Events) {
    while hints.next().await.is_some() {
        events.skills_changed();
        events.changed(Change::new(ChangeReason::Watcher));
    }
}
