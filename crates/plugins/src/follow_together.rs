//! Many plugins are followed by one after the other, and the copies that are ready wait for the store's lock
//! together: they take their places in one transaction, and wait for the disk once.
//!
//! A copy that is ready does not wait for many others: when there are enough, or the first has waited long
//! enough, no other plugin is begun before all are in their places. The one that was begun is waited for.
//! While somebody else puts copies in their places more are begun, up to four times as many, instead of waiting
//! for him: two who follow would only stand behind each other, and he may take these along. Uninstallations
//! and other processes are waited for.

use std::time::{Duration, Instant};

use plugd_model::PluginId;

use crate::call::Call;
use crate::follow::{Begun, Followed, Ready, begin_to_follow};
use crate::lookup::Resolved;
use crate::{Copies, Lookup};

/// How long copies that are ready wait for one another.
#[derive(Clone, Copy)]
struct Bounds {
    /// So many are enough.
    together: usize,
    /// No other plugin is begun when the first of them has waited for so long.
    at_most: Duration,
}

/// So many times as much is enough while somebody else puts copies in their places.
const BESIDE_OTHERS: u8 = 4;

const BOUNDS: Bounds = Bounds {
    together: 16,
    at_most: Duration::from_millis(50),
};

impl Bounds {
    /// Whether so many that are ready, of which the first has waited so long, are enough.
    fn are_reached(&self, ready: usize, waited: Duration, beside_others: bool) -> bool {
        let times = if beside_others { BESIDE_OTHERS } else { 1 };
        ready >= self.together * usize::from(times)
            || waited >= self.at_most.saturating_mul(times.into())
    }
}

/// Follows one plugin after the other. What each came to is told under what came with it; those that were
/// not ready at once stand behind others.
pub(crate) fn follow_together<K>(
    at: (&Lookup, &Copies, &Resolved),
    plugins: impl Iterator<Item = (K, PluginId, Call)>,
) -> Vec<(K, Followed)> {
    follow_within(BOUNDS, at, plugins)
}

fn follow_within<K>(
    bounds: Bounds,
    (lookup, copies, resolved): (&Lookup, &Copies, &Resolved),
    mut plugins: impl Iterator<Item = (K, PluginId, Call)>,
) -> Vec<(K, Followed)> {
    let (mut done, mut ready) = (Vec::new(), Vec::new());
    let mut since = Instant::now();
    let settle = |(key, one): (K, Ready)| (key, one.settle(lookup, copies, resolved));
    loop {
        let asked = Instant::now();
        let Some((key, id, call)) = plugins.next() else {
            break;
        };
        // While answers go first nobody is waited for: it is no reason for a transaction with fewer.
        since += asked.elapsed();
        match begin_to_follow(&call, lookup, copies, resolved, &id, None) {
            Begun::Ended(followed) => done.push((key, followed)),
            Begun::Ready(one) => {
                if ready.is_empty() {
                    since = Instant::now();
                }
                ready.push((key, one));
            }
        }
        let waiting = ready.iter().filter(|(_, one)| one.waits()).count();
        if waiting == 0 {
            since = Instant::now();
        }
        if bounds.are_reached(waiting, since.elapsed(), copies.activations().is_serving()) {
            done.extend(ready.drain(..).map(settle));
        }
    }
    done.extend(ready.into_iter().map(settle));
    done
}

#[cfg(test)]
#[path = "follow_together_tests.rs"]
mod tests;
