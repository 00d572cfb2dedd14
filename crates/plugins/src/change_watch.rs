//! Telling what others have changed: a second daemon, the reference, an editor.
//!
//! It remembers the state that the client was last told of. Before anything is told, and whenever the
//! system says that something may have changed, it looks again; what differs and is not told already
//! is the work of somebody else. So nothing is told twice, and what was told is on disk.
//!
//! It begins for a client that wants to hear of changes and for nobody else.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plugd_model::{MarketplaceName, PluginId, error_chain};
use plugd_watch::{Exclusions, WatchOptions, WatchRoot, Watcher};

use crate::events::{Change, ChangeReason, Events};
use crate::observed::{Differences, HeldBack, Observed};
use crate::{Blocking, Copies, Error, Lookup};

/// How long the first look and the watch may take before the client is served without them.
const BEGINNING: Duration = Duration::from_secs(2);
/// How long the system may take to watch more places.
const SETTLING: Duration = Duration::from_secs(2);
/// How often the places may be others again before what was seen has to do.
const LOOKS: usize = 4;
/// When somebody looks again for what this process had in hand.
const LATER: Duration = Duration::from_secs(1);

/// Watches everything that a client is told about. Clones speak of the same watch.
#[derive(Clone)]
pub struct ChangeWatch(Arc<Inner>);

struct Inner {
    blocking: Blocking,
    lookup: Lookup,
    copies: Copies,
    events: Events,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    stopped: bool,
    watcher: Option<Arc<Watcher>>,
    roots: BTreeSet<WatchRoot>,
    /// What the client was last told of; nothing before the first look.
    told: Option<Arc<Observed>>,
    /// Somebody will look again without being asked.
    is_later: bool,
}

impl fmt::Debug for ChangeWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChangeWatch").finish_non_exhaustive()
    }
}

impl ChangeWatch {
    /// Watches nothing yet.
    #[must_use]
    pub fn new(blocking: Blocking, lookup: Lookup, copies: Copies, events: Events) -> Self {
        Self(Arc::new(Inner {
            blocking,
            lookup,
            copies,
            events,
            state: Mutex::default(),
        }))
    }

    /// Begins, when the client wants to hear of changes. What changes after the return is told; of the
    /// manifests of plugins that are offered here a second later, when they are looked at first.
    pub async fn begin(&self) {
        if !self.0.events.changes_wanted() || !self.0.start() {
            return;
        }
        let looked = self.0.look_at_all(None);
        match tokio::time::timeout(BEGINNING, looked).await {
            Ok(Ok(observed)) => {
                self.0.state().told = Some(Arc::new(observed));
                // For what the first look has left out.
                self.0.look_later();
            }
            Ok(Err(error)) => tracing::warn!("changes by others: {}", error_chain(&error)),
            // The next look is the first one then.
            Err(_) => tracing::debug!("the first look at the home directory takes long"),
        }
    }

    /// What is to be told at a moment when this process has something to tell, or when others may
    /// have changed something: the same, and behind it what others did.
    pub async fn reconciled(&self, mut changes: Vec<Change>) -> Vec<Change> {
        let inner = &self.0;
        inner.lookup.claims().told(&changes);
        if !inner.is_watching() {
            return changes;
        }
        let before = inner.state().told.clone();
        let mut now = match inner.look_at_all(before.clone()).await {
            Ok(now) => now,
            Err(error) => {
                tracing::debug!("changes by others: {}", error_chain(&error));
                return changes;
            }
        };
        let Some(before) = before else {
            // Nobody knows what the client has seen.
            inner.state().told = Some(Arc::new(now));
            inner.look_later();
            changes.push(Change::new(ChangeReason::Watcher));
            return changes;
        };
        let own = inner.lookup.claims().waiting();
        if own != HeldBack::default() {
            inner.look_later();
        }
        now.hold_back(&before, &held_back(own, &now, &changes));
        let others = by_others(now.differences(&before), &changes);
        if others.as_ref().is_some_and(Change::concerns_skills) {
            // A plugin that came after the last listing of skills is watched by nobody else.
            inner.events.skills_changed();
        }
        inner.state().told = Some(Arc::new(now));
        changes.extend(others);
        changes
    }

    /// Ends the watch for good.
    pub fn stop(&self) {
        let mut state = self.0.state();
        state.stopped = true;
        state.watcher = None;
        state.told = None;
    }
}

impl Inner {
    /// Held for moving values in and out.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_watching(&self) -> bool {
        self.state().watcher.is_some()
    }

    /// Starts a watch of nothing, once.
    fn start(&self) -> bool {
        let mut state = self.state();
        if state.stopped || state.watcher.is_some() {
            return false;
        }
        let options = WatchOptions::excluding(Exclusions::none().name(".git").name("node_modules"));
        let (watcher, mut hints) = Watcher::new(options, self.lookup.disk().clone());
        let events = self.events.clone();
        tokio::spawn(async move {
            while hints.next().await.is_some() {
                events.look();
            }
        });
        state.watcher = Some(Arc::new(watcher));
        true
    }

    /// Looks, and watches what was seen. Places that are watched only now are looked at again: what
    /// changed in between would never be told.
    async fn look_at_all(&self, before: Option<Arc<Observed>>) -> Result<Observed, Error> {
        let mut looks = 1;
        loop {
            let (lookup, copies, before) =
                (self.lookup.clone(), self.copies.clone(), before.clone());
            let look = move || Observed::look(&lookup, &copies, before.as_deref());
            let observed = self.blocking.read_behind(look).await?;
            if looks == LOOKS || !self.watch(observed.roots()).await {
                return Ok(observed);
            }
            looks += 1;
        }
    }

    /// Watches these places. Answers whether they are others than before.
    async fn watch(&self, roots: &BTreeSet<WatchRoot>) -> bool {
        let watcher = {
            let mut state = self.state();
            if state.roots == *roots {
                return false;
            }
            state.roots.clone_from(roots);
            state.watcher.clone()
        };
        let Some(watcher) = watcher else {
            return false;
        };
        let roots: Vec<WatchRoot> = roots.iter().cloned().collect();
        if let Err(error) = watcher.set(&roots) {
            tracing::warn!("changes by others are not told: {error}");
            return false;
        }
        if tokio::time::timeout(SETTLING, watcher.settled())
            .await
            .is_err()
        {
            tracing::debug!("the watch of the home directory takes long to begin");
        }
        true
    }

    /// What this process has in hand may end without a word, as when a later step fails.
    fn look_later(self: &Arc<Self>) {
        if std::mem::replace(&mut self.state().is_later, true) {
            return;
        }
        let inner = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(LATER).await;
            inner.state().is_later = false;
            inner.events.look();
        });
    }
}

/// What is not compared now: what somebody is at, and what this process will tell by itself.
fn held_back(mut own: HeldBack, now: &Observed, told: &[Change]) -> HeldBack {
    let is_told = |id: &PluginId| told.iter().any(|change| change.plugins.contains(id));
    let underway = now.underway().iter().filter(|id| !is_told(id));
    own.plugins.extend(underway.cloned());
    own
}

/// The differences that this process does not tell itself.
fn by_others(found: Differences, told: &[Change]) -> Option<Change> {
    if told.iter().any(Change::is_everything) {
        return None;
    }
    let mut change = Change::new(ChangeReason::Watcher);
    if found.is_more {
        return Some(change);
    }
    let is_told = |id: &PluginId| told.iter().any(|change| change.plugins.contains(id));
    let is_named = |name: &MarketplaceName| {
        let row = format!("marketplaces.{name}");
        told.iter().any(|change| {
            change.marketplaces.contains(name)
                || change.config_keys.iter().any(|key| meet(key, &row))
        })
    };
    for path in found.keys {
        let key = path.join(".");
        let row = match path.as_slice() {
            [table, row, ..] => Some((table.as_str(), row.as_str())),
            _ => None,
        };
        let (mut id, mut name) = (None, None);
        match row {
            Some(("plugins", row)) => id = PluginId::parse(row).ok(),
            Some(("marketplaces", row)) => name = MarketplaceName::new(row).ok(),
            _ => {}
        }
        let own_keys = || told.iter().flat_map(|change| &change.config_keys);
        if own_keys().any(|own| meet(own, &key))
            || id.as_ref().is_some_and(is_told)
            || name.as_ref().is_some_and(is_named)
        {
            continue;
        }
        change.plugins.extend(id);
        change.marketplaces.extend(name);
        change.config_keys.insert(key);
    }
    let plugins = found.plugins.into_iter().filter(|id| !is_told(id));
    change.plugins.extend(plugins);
    let marketplaces = found.marketplaces.into_iter();
    change
        .marketplaces
        .extend(marketplaces.filter(|name| !is_named(name)));
    (!change.is_everything()).then_some(change)
}

/// Whether one of two keys is the other or lies below it.
fn meet(left: &str, right: &str) -> bool {
    let (short, long) = if left.len() < right.len() {
        (left, right)
    } else {
        (right, left)
    };
    long.strip_prefix(short)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
#[path = "change_watch_tests.rs"]
mod tests;
