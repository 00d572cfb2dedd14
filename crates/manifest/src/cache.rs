//! A bounded map from paths to what was read there.
//!
//! It knows nothing about validity: whoever puts something in also asks, each time, whether it is
//! still current.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use plugd_model::AbsPath;

/// Values by path, with a bound on their number and on their total cost.
pub(crate) struct Cache<V> {
    inner: Mutex<Inner<V>>,
    max_entries: usize,
    max_cost: usize,
}

struct Inner<V> {
    slots: HashMap<AbsPath, Slot<V>>,
    cost: usize,
    /// Counts uses; the smallest in a slot is the one unused for longest.
    uses: u64,
}

struct Slot<V> {
    value: V,
    cost: usize,
    last_use: u64,
}

impl<V: Clone> Cache<V> {
    /// An empty cache with its bounds.
    pub(crate) fn new(max_entries: usize, max_cost: usize) -> Self {
        Self {
            inner: Mutex::new(Inner {
                slots: HashMap::new(),
                cost: 0,
                uses: 0,
            }),
            max_entries,
            max_cost,
        }
    }

    /// What is remembered for a path.
    pub(crate) fn get(&self, path: &AbsPath) -> Option<V> {
        let mut inner = self.lock();
        inner.uses += 1;
        let now = inner.uses;
        let slot = inner.slots.get_mut(path)?;
        slot.last_use = now;
        Some(slot.value.clone())
    }

    /// Remembers a value, unless `keep` says that the one already there is as good. Returns the one
    /// that is remembered, so that two threads that read the same file end with one value.
    pub(crate) fn put(
        &self,
        path: &AbsPath,
        value: V,
        cost: usize,
        keep: impl FnOnce(&V) -> bool,
    ) -> V {
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
