//! Lanes: writes about one thing run one after the other, in the order of their arrival.
//!
//! A request may name several things, as a batch of configuration keys does. It stands in all their
//! lanes from the moment it arrives and runs when its turn has come in each. Since it enters all of
//! them in one step, two requests can never wait for each other.
//!
//! Most requests stand in a lane alone. A write about one marketplace also stands in the lane of all
//! marketplaces, beside its like; only a write about all of them stands there alone.
//!
//! Invariants:
//! - Leaving is dropping the ticket, so a handler that panics or is cancelled cannot block a lane.
//! - Nobody overtakes: whoever came later and cannot run beside somebody in front waits.
//! - A lane that nobody stands in does not exist; names from clients leave nothing behind.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// What a write is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum LaneKey {
    /// A plugin, by its name alone: an install names its marketplace by a path, an uninstall by a
    /// name, and both must meet.
    Plugin(String),
    /// A marketplace by its name, or by its source while the name is not known.
    Marketplace(String),
    /// All marketplaces.
    Marketplaces,
    /// Every other configuration key: they share one file.
    Config,
}

/// Who may run at the same time in a lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Company {
    /// Nobody.
    Alone,
    /// Others who say the same.
    Shared,
}

/// The lanes that a request stands in.
pub(crate) type Places = BTreeMap<LaneKey, Company>;

/// All lanes. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lanes(Arc<Mutex<Table>>);

/// A place in some lanes, given up by dropping it.
#[derive(Debug)]
pub(crate) struct Ticket {
    lanes: Lanes,
    number: u64,
    keys: Vec<LaneKey>,
    turn: Option<oneshot::Receiver<()>>,
}

#[derive(Debug, Default)]
struct Table {
    last: u64,
    queues: HashMap<LaneKey, Queue>,
    waiting: HashMap<u64, Waiting>,
}

/// Who stands in a lane, the first in front.
#[derive(Debug, Default)]
struct Queue(VecDeque<(u64, Company)>);

#[derive(Debug)]
struct Waiting {
    /// The lanes in which its turn has not come.
    behind: BTreeSet<LaneKey>,
    wake: oneshot::Sender<()>,
}

impl Lanes {
    /// Takes a place at the end of these lanes. Without any there is nothing to wait for.
    pub(crate) fn enter(&self, places: Places) -> Ticket {
        let mut table = self.table();
        table.last += 1;
        let number = table.last;
        let mut behind = BTreeSet::new();
        for (key, &company) in &places {
            let queue = table.queues.entry(key.clone()).or_default();
            if !queue.admits(company) {
                behind.insert(key.clone());
            }
            queue.0.push_back((number, company));
        }
        let turn = (!behind.is_empty()).then(|| {
            let (wake, turn) = oneshot::channel();
            table.waiting.insert(number, Waiting { behind, wake });
            turn
        });
        drop(table);
        Ticket {
            lanes: self.clone(),
            number,
            keys: places.into_keys().collect(),
            turn,
        }
    }

    /// The lock is held for a few map operations that cannot panic.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// Waits until nobody stands in front. Dropping the future loses nothing.
    pub(crate) async fn turn(&mut self) {
        if let Some(turn) = &mut self.turn {
            // An error would mean that the table is gone, and with it everybody in front.
            let _ = turn.await;
            self.turn = None;
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut table = self.lanes.table();
        table.waiting.remove(&self.number);
        for key in &self.keys {
            table.leave(key, self.number);
        }
    }
}

impl Queue {
    /// Whether somebody who comes now has his turn at once.
    fn admits(&self, company: Company) -> bool {
        match company {
            Company::Alone => self.0.is_empty(),
            Company::Shared => self.0.iter().all(|(_, other)| *other == Company::Shared),
        }
    }

    /// Those whose turn it is: the first, and if he shares, all behind him up to one who does not.
    fn in_turn(&self) -> impl Iterator<Item = u64> {
        let shared = self
            .0
            .iter()
            .take_while(|(_, company)| *company == Company::Shared)
            .count();
        self.0.iter().take(shared.max(1)).map(|(number, _)| *number)
    }
}

impl Table {
    fn leave(&mut self, key: &LaneKey, number: u64) {
        let Some(queue) = self.queues.get_mut(key) else {
            return;
        };
        queue.0.retain(|(other, _)| *other != number);
        let next: Vec<u64> = queue.in_turn().collect();
        if next.is_empty() {
            self.queues.remove(key);
        }
        for number in next {
            self.advance(key, number);
        }
    }

    /// The turn has come in one lane; whoever had it before is not woken twice.
    fn advance(&mut self, key: &LaneKey, number: u64) {
        let Some(waiting) = self.waiting.get_mut(&number) else {
            return;
        };
        waiting.behind.remove(key);
        if waiting.behind.is_empty()
            && let Some(waiting) = self.waiting.remove(&number)
        {
            // Nobody listens when the request was cancelled meanwhile; its ticket is about to go.
            let _ = waiting.wake.send(());
        }
    }
}

#[cfg(test)]
#[path = "lanes_tests.rs"]
mod tests;
