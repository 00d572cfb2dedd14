//! What several writers did to several things, and what each thing may be in the end.
//!
//! Every write is known by the time in which it happened: after it was asked and before it was
//! answered. A state fits when some order of all writes that agrees with these times leads to it.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Writes by the name of what was written; many threads tell theirs.
#[derive(Debug)]
pub(crate) struct History<V> {
    writes: Mutex<BTreeMap<String, Vec<Written<V>>>>,
}

#[derive(Debug)]
struct Written<V> {
    asked: Instant,
    answered: Instant,
    value: V,
}

impl<V: Clone + PartialEq + Debug> History<V> {
    pub(crate) fn new() -> Self {
        Self {
            writes: Mutex::new(BTreeMap::new()),
        }
    }

    /// A write that was answered just now with success.
    pub(crate) fn wrote(&self, name: &str, asked: Instant, value: V) {
        let written = Written {
            asked,
            answered: Instant::now(),
            value,
        };
        let mut writes = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
        writes.entry(name.to_owned()).or_default().push(written);
    }

    /// What a thing may be: each value after whose write no other one began. Without any write
    /// nothing is known of it.
    pub(crate) fn last(&self, name: &str) -> Vec<V> {
        let writes = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(writes) = writes.get(name) else {
            return Vec::new();
        };
        let last_begin = writes.iter().map(|written| written.asked).max();
        let may_be_last = |written: &&Written<V>| Some(written.answered) >= last_begin;
        writes
            .iter()
            .filter(may_be_last)
            .map(|written| written.value.clone())
            .collect()
    }

    /// What was found must be one of [`History::last`].
    #[track_caller]
    pub(crate) fn check(&self, name: &str, found: &V) {
        let last = self.last(name);
        assert!(
            last.is_empty() || last.contains(found),
            "{name} is {found:?}, and the last writes were {last:?}"
        );
    }
}
