//! Events: what changed and what happens in the background, told to whoever listens.
//!
//! A sender never waits and never fails, so a use case may speak of a change in the middle of its
//! work. Memory stays bounded however slow the listener is: changes with one reason merge into one,
//! and of the background tasks only the latest [`MAX_TASKS`] messages are kept.
//!
//! Invariants:
//! - A change is a hint and idempotent: a listener reads the state again, so merging loses nothing.
//! - The order of the messages about one background task is kept.
//!
//! Nothing here knows clients, notifications or their names on the wire.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use plugd_model::{MarketplaceName, PluginId, Problem};

/// How many messages about background tasks wait at most; with more the oldest is lost.
pub const MAX_TASKS: usize = 256;

/// How many names one change lists at most; beyond it the change speaks of everything.
pub const MAX_NAMES: usize = 1_000;

/// Why something changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeReason {
    /// A client asked for it.
    Request,
    /// A configured plugin was brought to the state of its source.
    Refresh,
    /// A marketplace was brought to the state of its source.
    Sync,
    /// Somebody else changed files.
    Watcher,
}

/// What changed. A change that names nothing says that anything may have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Why.
    pub reason: ChangeReason,
    /// Marketplaces that came, went or offer something else.
    pub marketplaces: BTreeSet<MarketplaceName>,
    /// Plugins that were installed, moved, removed, enabled or disabled.
    pub plugins: BTreeSet<PluginId>,
    /// Paths of configuration keys that were written.
    pub config_keys: BTreeSet<String>,
    /// Of the marketplaces those whose history was replaced: what they offer now does not descend
    /// from what they offered before.
    pub rewritten: BTreeSet<MarketplaceName>,
}

/// Kinds of background work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaskKind {
    /// Configured plugins are compared with their sources.
    Refresh,
    /// The curated marketplace is mirrored.
    CuratedSync,
    /// The installed copies follow the account.
    RemoteSync,
    /// What an interrupted process left is cleaned up.
    Recovery,
}

/// How far background work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaskState {
    /// It has begun.
    Started,
    /// It has ended well.
    Done,
    /// It has ended with a problem.
    Failed,
}

/// A message about one piece of background work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskEvent {
    /// The same for all messages about one piece of work; from [`Events::next_task`].
    pub id: u64,
    /// What kind of work.
    pub kind: TaskKind,
    /// How far it is.
    pub state: TaskState,
    /// A short text for people, where there is something to say.
    pub message: Option<String>,
    /// What went wrong.
    pub problem: Option<Problem>,
}

/// The sending side. Clones send to the same listener.
#[derive(Debug, Clone)]
pub struct Events(Arc<Shared>);

/// The listening side, of which there is one.
#[derive(Debug)]
pub struct EventStream(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    arrived: Notify,
    last_task: AtomicU64,
}

#[derive(Debug, Default)]
struct Waiting {
    /// Nobody listens any more, so nothing is kept.
    deaf: bool,
    /// Whether anybody wants to hear of skills.
    skills_wanted: bool,
    skills: bool,
    /// Whether anybody wants to hear of changes.
    changes_wanted: bool,
    /// Somebody else may have changed something.
    look: bool,
    changes: BTreeMap<ChangeReason, Change>,
    tasks: VecDeque<TaskEvent>,
}

impl Change {
    /// A change for a reason that names nothing yet.
    #[must_use]
    pub fn new(reason: ChangeReason) -> Self {
        Self {
            reason,
            marketplaces: BTreeSet::new(),
            plugins: BTreeSet::new(),
            config_keys: BTreeSet::new(),
            rewritten: BTreeSet::new(),
        }
    }

    /// The same change, with a marketplace.
    #[must_use]
    pub fn marketplace(mut self, name: MarketplaceName) -> Self {
        self.marketplaces.insert(name);
        self
    }

    /// The same change, with a marketplace whose history was replaced.
    #[must_use]
    pub fn rewritten(mut self, name: MarketplaceName) -> Self {
        self.rewritten.insert(name.clone());
        self.marketplace(name)
    }

    /// The same change, with a plugin.
    #[must_use]
    pub fn plugin(mut self, id: PluginId) -> Self {
        self.plugins.insert(id);
        self
    }

    /// The same change, with the path of a configuration key.
    #[must_use]
    pub fn config_key(mut self, path: impl Into<String>) -> Self {
        self.config_keys.insert(path.into());
        self
    }

    /// Whether it says that anything may have changed.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.names() == 0
    }

    /// Whether a host may have other skills afterwards.
    pub(crate) fn concerns_skills(&self) -> bool {
        let tables = ["plugins", "skills", "features"];
        let table = |key: &String| tables.contains(&key.split('.').next().unwrap_or(key));
        let anything = self.is_everything() || !self.plugins.is_empty();
        anything || self.config_keys.iter().any(table)
    }

    fn names(&self) -> usize {
        self.marketplaces.len() + self.plugins.len() + self.config_keys.len()
    }

    fn merge(&mut self, other: Self) {
        if self.is_everything() {
            return;
        }
        let everything = other.is_everything();
        self.marketplaces.extend(other.marketplaces);
        self.plugins.extend(other.plugins);
        self.config_keys.extend(other.config_keys);
        self.rewritten.extend(other.rewritten);
        if everything || self.names() > MAX_NAMES {
            *self = Self::new(self.reason);
        }
    }
}

impl Events {
    /// A sender and its listener.
    #[must_use]
    pub fn channel() -> (Self, EventStream) {
        let shared = Arc::new(Shared::default());
        (Self(Arc::clone(&shared)), EventStream(shared))
    }

    /// A sender that nobody listens to: for the command line.
    #[must_use]
    pub fn detached() -> Self {
        let (events, stream) = Self::channel();
        drop(stream);
        events
    }

    /// An id for a new piece of background work; they increase.
    #[must_use]
    pub fn next_task(&self) -> u64 {
        self.0.last_task.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Tells of a change. It is told after the change is on disk, never before.
    pub fn changed(&self, change: Change) {
        let mut waiting = self.0.waiting();
        if waiting.deaf {
            return;
        }
        waiting.skills |= waiting.skills_wanted && change.concerns_skills();
        match waiting.changes.get_mut(&change.reason) {
            Some(earlier) => earlier.merge(change),
            None => {
                let mut first = Change::new(change.reason);
                if change.names() <= MAX_NAMES {
                    first = change;
                }
                waiting.changes.insert(first.reason, first);
            }
        }
        drop(waiting);
        self.0.arrived.notify_one();
    }

    /// From here on somebody wants to hear of skills.
    pub fn want_skills(&self) {
        self.0.waiting().skills_wanted = true;
    }

    /// Whether somebody does.
    #[must_use]
    pub fn skills_wanted(&self) -> bool {
        self.0.waiting().skills_wanted
    }

    /// Tells that skills may be others than before.
    pub fn skills_changed(&self) {
        let mut waiting = self.0.waiting();
        waiting.skills = waiting.skills_wanted && !waiting.deaf;
        drop(waiting);
        self.0.arrived.notify_one();
    }

    /// Whether anybody wants to hear of changes.
    #[must_use]
    pub fn changes_wanted(&self) -> bool {
        self.0.waiting().changes_wanted
    }

    /// Says that others may have changed something, so that somebody has to look.
    pub(crate) fn look(&self) {
        let mut waiting = self.0.waiting();
        waiting.look = !waiting.deaf;
        drop(waiting);
        self.0.arrived.notify_one();
    }

    /// Tells of background work.
    pub fn task(&self, event: TaskEvent) {
        let mut waiting = self.0.waiting();
        if waiting.deaf {
            return;
        }
        if waiting.tasks.len() >= MAX_TASKS {
            waiting.tasks.pop_front();
        }
        waiting.tasks.push_back(event);
        drop(waiting);
        self.0.arrived.notify_one();
    }
}

impl EventStream {
    /// Waits until something is there to be taken. It waits for ever when nothing comes.
    pub async fn ready(&mut self) {
        loop {
            let arrived = self.0.arrived.notified();
            if self.0.waiting().is_anything() {
                return;
            }
            arrived.await;
        }
    }

    /// Whether a change waits.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        !self.0.waiting().changes.is_empty()
    }

    /// Whether the message waits that skills may be others than before.
    #[must_use]
    pub fn has_skills_changed(&self) -> bool {
        self.0.waiting().skills
    }

    /// From here on the listener wants to hear of skills.
    pub fn want_skills(&self) {
        self.0.waiting().skills_wanted = true;
    }

    /// From here on the listener wants to hear of changes, and with them of skills.
    pub fn want_changes(&self) {
        let mut waiting = self.0.waiting();
        waiting.changes_wanted = true;
        waiting.skills_wanted = true;
    }

    /// Takes the message that somebody has to look, if it waits.
    pub fn take_look(&mut self) -> bool {
        std::mem::take(&mut self.0.waiting().look)
    }

    /// Takes all changes, one per reason.
    pub fn take_changes(&mut self) -> Vec<Change> {
        let changes = std::mem::take(&mut self.0.waiting().changes);
        changes.into_values().collect()
    }

    /// Takes the message that skills may be others than before, if it waits.
    pub fn take_skills_changed(&mut self) -> bool {
        std::mem::take(&mut self.0.waiting().skills)
    }

    /// Takes all messages about background work, oldest first.
    pub fn take_tasks(&mut self) -> Vec<TaskEvent> {
        std::mem::take(&mut self.0.waiting().tasks).into()
    }
}

impl Drop for EventStream {
    /// From here on the senders keep nothing.
    fn drop(&mut self) {
        let mut waiting = self.0.waiting();
        waiting.deaf = true;
        waiting.skills = false;
        waiting.changes.clear();
        waiting.tasks.clear();
    }
}

impl Waiting {
    fn is_anything(&self) -> bool {
        let waits = !self.changes.is_empty() || !self.tasks.is_empty();
        waits || self.skills || self.look
    }
}

impl Shared {
    /// The lock is held for a few map operations only. A panic in one of them leaves hints behind
    /// and no broken promise, so poison is ignored.
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "events_tests.rs"]
mod tests;
