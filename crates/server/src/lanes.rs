//! Lanes: writes about one thing run one after the other, in the order of their arrival.
//!
//! A request may name several things, as a batch of configuration keys does. It stands in all their
//! lanes from the moment it arrives and runs when it is first in each. Since it enters all of them
//! in one step, two requests can never wait for each other.
//!
//! Invariants:
//! - Leaving is dropping the ticket, so a handler that panics or is cancelled cannot block a lane.
//! - A lane that nobody stands in does not exist; names from clients leave nothing behind.

use std::collections::{BTreeSet, HashMap, VecDeque};
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
    /// Every other configuration key: they share one file.
    Config,
}

/// All lanes. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lanes(Arc<Mutex<Table>>);

/// A place in some lanes, given up by dropping it.
#[derive(Debug)]
pub(crate) struct Ticket {
    lanes: Lanes,
    number: u64,
    keys: BTreeSet<LaneKey>,
    turn: Option<oneshot::Receiver<()>>,
}

#[derive(Debug, Default)]
struct Table {
    last: u64,
    queues: HashMap<LaneKey, VecDeque<u64>>,
    waiting: HashMap<u64, Waiting>,
}

#[derive(Debug)]
struct Waiting {
    /// In how many lanes somebody stands in front.
    behind: usize,
    wake: oneshot::Sender<()>,
}

impl Lanes {
    /// Takes a place at the end of the lanes of `keys`. Without keys there is nothing to wait for.
    pub(crate) fn enter(&self, keys: BTreeSet<LaneKey>) -> Ticket {
        let mut table = self.table();
        table.last += 1;
        let number = table.last;
        let mut behind = 0;
        for key in &keys {
            let queue = table.queues.entry(key.clone()).or_default();
            behind += usize::from(!queue.is_empty());
            queue.push_back(number);
        }
        let turn = (behind > 0).then(|| {
            let (wake, turn) = oneshot::channel();
            table.waiting.insert(number, Waiting { behind, wake });
            turn
        });
        drop(table);
        Ticket {
            lanes: self.clone(),
            number,
            keys,
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

impl Table {
    fn leave(&mut self, key: &LaneKey, number: u64) {
        let Some(queue) = self.queues.get_mut(key) else {
            return;
        };
        let was_first = queue.front() == Some(&number);
        queue.retain(|&other| other != number);
        let next = queue.front().copied();
        if next.is_none() {
            self.queues.remove(key);
        }
        if let Some(next) = next.filter(|_| was_first) {
            self.advance(next);
        }
    }

    /// One lane more in which this one is first.
    fn advance(&mut self, number: u64) {
        let Some(waiting) = self.waiting.get_mut(&number) else {
            return;
        };
        waiting.behind -= 1;
        if waiting.behind == 0
            && let Some(waiting) = self.waiting.remove(&number)
        {
            // Nobody listens when the request was cancelled meanwhile; its ticket is about to go.
            let _ = waiting.wake.send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::{LaneKey, Lanes, Ticket};

    fn plugins(names: &str) -> BTreeSet<LaneKey> {
        names
            .chars()
            .map(|name| LaneKey::Plugin(name.to_string()))
            .collect()
    }

    fn runs(ticket: &mut Ticket) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        pin!(ticket.turn()).poll(&mut context) == Poll::Ready(())
    }

    #[test]
    fn one_lane_is_first_in_first_out() {
        let lanes = Lanes::default();
        let mut first = lanes.enter(plugins("a"));
        let mut second = lanes.enter(plugins("a"));
        let mut third = lanes.enter(plugins("a"));
        assert!(runs(&mut first) && !runs(&mut second) && !runs(&mut third));
        drop(first);
        assert!(runs(&mut second) && !runs(&mut third));
        drop(second);
        assert!(runs(&mut third));
    }

    #[test]
    fn lanes_are_independent() {
        let lanes = Lanes::default();
        let mut slow = lanes.enter(plugins("a"));
        let mut other = lanes.enter(plugins("b"));
        let mut config = lanes.enter(BTreeSet::from([LaneKey::Config]));
        let mut nothing = lanes.enter(BTreeSet::new());
        for ticket in [&mut slow, &mut other, &mut config, &mut nothing] {
            assert!(runs(ticket));
        }
    }

    #[test]
    fn several_lanes_are_waited_for_together() {
        let lanes = Lanes::default();
        let a = lanes.enter(plugins("a"));
        let b = lanes.enter(plugins("b"));
        let mut both = lanes.enter(plugins("ab"));
        let mut behind = lanes.enter(plugins("b"));
        drop(a);
        assert!(!runs(&mut both) && !runs(&mut behind));
        drop(b);
        assert!(runs(&mut both) && !runs(&mut behind));
        drop(both);
        assert!(runs(&mut behind));
    }

    #[test]
    fn one_that_gives_up_in_the_middle_is_forgotten() {
        let lanes = Lanes::default();
        let first = lanes.enter(plugins("a"));
        let second = lanes.enter(plugins("ab"));
        let mut third = lanes.enter(plugins("ab"));
        drop(second);
        assert!(!runs(&mut third));
        drop(first);
        assert!(runs(&mut third));
    }

    #[test]
    fn an_empty_lane_leaves_nothing_behind() {
        let lanes = Lanes::default();
        let first = lanes.enter(plugins("abc"));
        let second = lanes.enter(plugins("c"));
        drop((first, second));
        let table = lanes.table();
        assert!(table.queues.is_empty() && table.waiting.is_empty());
    }
}
