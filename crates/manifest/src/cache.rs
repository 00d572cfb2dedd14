//! A bounded map from paths to what was read there.
//!
//! It holds about what is asked for. The bounds are there for what is asked for at one time; a path
//! that nobody names any more goes long before them, because a daemon lives for days and meets a new
//! directory with every version of a plugin.
//!
//! It knows nothing about validity: whoever puts something in also asks, each time, whether it is
//! still current.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use plugd_model::AbsPath;

/// So many values, and so much cost, are taken for a working set in any case.
const FEW_ENTRIES: usize = 64;
const LOW_COST: usize = 256 * 1024;
/// A value is idle when others were asked for so many times as often as there are values in the
/// working set. Whoever asks for all of them in turn makes none idle, however many they are.
const IDLE_TURNS: u64 = 8;

/// Values by path, with a bound on their number and on their total cost.
pub struct Cache<V> {
    inner: Mutex<Inner<V>>,
    max_entries: usize,
    max_cost: usize,
}

struct Inner<V> {
    slots: HashMap<AbsPath, Slot<V>>,
    cost: usize,
    /// Counts uses; the smallest in a slot is the one unused for longest.
    uses: u64,
    /// How many values and how much cost stayed when idle ones were looked for.
    working_set: (usize, usize),
}

struct Slot<V> {
    value: V,
    cost: usize,
    last_use: u64,
}

impl<V: Clone> Cache<V> {
    /// An empty cache with its bounds.
    #[must_use]
    pub fn new(max_entries: usize, max_cost: usize) -> Self {
        Self {
            inner: Mutex::new(Inner {
                slots: HashMap::new(),
                cost: 0,
                uses: 0,
                working_set: (FEW_ENTRIES, LOW_COST),
            }),
            max_entries,
            max_cost,
        }
    }

    /// What is remembered for a path.
    pub fn get(&self, path: &AbsPath) -> Option<V> {
        let mut inner = self.lock();
        inner.uses += 1;
        let now = inner.uses;
        let slot = inner.slots.get_mut(path)?;
        slot.last_use = now;
        Some(slot.value.clone())
    }

    /// Remembers a value, unless `keep` says that the one already there is as good. Returns the one
    /// that is remembered, so that two threads that read the same file end with one value.
    pub fn put(&self, path: &AbsPath, value: V, cost: usize, keep: impl FnOnce(&V) -> bool) -> V {
        let mut inner = self.lock();
        if let Some(slot) = inner.slots.get(path)
            && keep(&slot.value)
        {
            return slot.value.clone();
        }
        inner.uses += 1;
        let slot = Slot {
            value: value.clone(),
            cost,
            last_use: inner.uses,
        };
        inner.cost += cost;
        if let Some(old) = inner.slots.insert(path.clone(), slot) {
            inner.cost -= old.cost;
        }
        inner.forget_idle();
        if inner.slots.len() > self.max_entries || inner.cost > self.max_cost {
            inner.shrink(self.max_entries / 4 * 3, self.max_cost / 4 * 3);
        }
        value
    }

    fn lock(&self) -> MutexGuard<'_, Inner<V>> {
        // Every change leaves the map usable, so a panic elsewhere while it was locked is no harm.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V> Inner<V> {
    /// Forgets what is idle, whenever there is twice the working set: so the look at all of them costs
    /// each new one a constant.
    fn forget_idle(&mut self) {
        let (entries, cost) = self.working_set;
        if self.slots.len() < entries * 2 && self.cost < cost * 2 {
            return;
        }
        let turn = u64::try_from(entries).unwrap_or(u64::MAX);
        let idle_since = self.uses.saturating_sub(turn.saturating_mul(IDLE_TURNS));
        let total = &mut self.cost;
        self.slots.retain(|_, slot| {
            let stays = slot.last_use >= idle_since;
            if !stays {
                *total -= slot.cost;
            }
            stays
        });
        self.working_set = (self.slots.len().max(FEW_ENTRIES), self.cost.max(LOW_COST));
    }

    /// Forgets what was unused for longest. A quarter goes at once, so that a sweep over more
    /// plugins than fit does not sort the map again for each of them.
    fn shrink(&mut self, entries: usize, cost: usize) {
        let mut order: Vec<(u64, AbsPath)> = self
            .slots
            .iter()
            .map(|(path, slot)| (slot.last_use, path.clone()))
            .collect();
        order.sort_unstable();
        for (_, path) in order {
            if self.slots.len() <= entries && self.cost <= cost {
                break;
            }
            if let Some(slot) = self.slots.remove(&path) {
                self.cost -= slot.cost;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use plugd_model::AbsPath;
    use pretty_assertions::assert_eq;

    use super::Cache;

    fn path(number: usize) -> AbsPath {
        AbsPath::new(format!("/{number}")).unwrap()
    }

    #[track_caller]
    fn check(cache: &Cache<usize>, count: usize, cost: usize, expected: &[usize]) {
        for number in 0..count {
            cache.put(&path(number), number, cost, |_| false);
        }
        let kept: Vec<_> = (0..count)
            .filter(|&n| cache.get(&path(n)).is_some())
            .collect();
        assert_eq!(kept, expected);
    }

    #[test]
    fn the_number_of_values_is_bounded() {
        check(&Cache::new(8, 1_000), 8, 1, &[0, 1, 2, 3, 4, 5, 6, 7]);
        check(&Cache::new(8, 1_000), 9, 1, &[3, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn the_cost_is_bounded() {
        check(&Cache::new(100, 8), 9, 1, &[3, 4, 5, 6, 7, 8]);
        check(&Cache::new(100, 8), 1, 9, &[]);
    }

    #[test]
    fn what_was_used_lately_stays() {
        let cache = Cache::new(4, 100);
        for number in 0..4 {
            cache.put(&path(number), number, 1, |_| false);
        }
        assert_eq!(cache.get(&path(0)), Some(0));
        cache.put(&path(4), 4, 1, |_| false);
        assert_eq!(cache.get(&path(0)), Some(0));
        assert_eq!(cache.get(&path(1)), None);
    }

    /// Asks for paths as a loader does, and reads what is not remembered.
    fn ask(cache: &Cache<usize>, cost: usize, numbers: impl IntoIterator<Item = usize>) -> usize {
        let mut read = 0;
        for number in numbers {
            if cache.get(&path(number)).is_none() {
                cache.put(&path(number), number, cost, |_| false);
                read += 1;
            }
        }
        read
    }

    fn count(cache: &Cache<usize>) -> usize {
        cache.lock().slots.len()
    }

    #[test]
    fn what_nobody_asks_for_any_more_goes_long_before_the_bounds() {
        for cost in [1, 10_000] {
            let cache = Cache::new(1_000_000, 1_000_000_000);
            ask(&cache, cost, 0..10);
            for new in 10..10_000 {
                assert_eq!(ask(&cache, cost, 0..10), 0, "what is in use stays");
                assert_eq!(ask(&cache, cost, [new]), 1);
                assert!(count(&cache) <= 128, "{} after {new}", count(&cache));
            }
        }
    }

    #[test]
    fn asking_for_many_in_turn_forgets_none() {
        let cache = Cache::new(1_000_000, 1_000_000_000);
        assert_eq!(ask(&cache, 1_000, 0..5_000), 5_000);
        for _ in 0..20 {
            assert_eq!(ask(&cache, 1_000, 0..5_000), 0);
        }
    }

    #[test]
    fn a_replaced_value_costs_once() {
        let cache = Cache::new(4, 10);
        for number in 0..100 {
            assert_eq!(cache.put(&path(0), number, 6, |_| false), number);
        }
        assert_eq!(cache.get(&path(0)), Some(99));
    }

    #[test]
    fn a_value_that_is_as_good_stays() {
        let cache = Cache::new(4, 10);
        cache.put(&path(0), 1, 1, |_| false);
        assert_eq!(cache.put(&path(0), 2, 1, |&old| old == 1), 1);
    }
}
