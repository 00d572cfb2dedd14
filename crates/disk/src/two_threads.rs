//! Work on many independent things by two threads, for an answer that somebody waits for.
//!
//! The thread of the caller takes part, so nothing waits for the other one to start, and a machine
//! that gives none is only slower. Two, because a frontend and its other programs want to run too.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Calls `work` once on each of two threads, or on this one alone when it is not `worth_it`, and hands
/// each thing with its place to one of them, so many at a time. It ends when all is done.
pub fn on_two_threads<'a, T: Sync>(
    things: &'a [T],
    at_a_time: usize,
    worth_it: bool,
    work: impl Fn(Portion<'a, '_, T>) + Sync,
) {
    let next = AtomicUsize::new(0);
    let portion = || Portion {
        things,
        next: &next,
        at_a_time,
        taken: 0..0,
    };
    if !worth_it {
        return work(portion());
    }
    thread::scope(|scope| {
        let other = thread::Builder::new().name("plugd-beside".to_owned());
        if let Err(error) = other.spawn_scoped(scope, || work(portion())) {
            tracing::debug!(%error, "one thread does the work of two");
        }
        work(portion());
    });
}

/// What one of the threads does, a few things at a time.
#[derive(Debug)]
pub struct Portion<'a, 'n, T> {
    things: &'a [T],
    next: &'n AtomicUsize,
    at_a_time: usize,
    taken: std::ops::Range<usize>,
}

impl<'a, T> Iterator for Portion<'a, '_, T> {
    type Item = (usize, &'a T);

    fn next(&mut self) -> Option<Self::Item> {
        if self.taken.is_empty() {
            let from = self.next.fetch_add(self.at_a_time, Ordering::Relaxed);
            self.taken = from..from.saturating_add(self.at_a_time).min(self.things.len());
        }
        let at = self.taken.next()?;
        Some((at, self.things.get(at)?))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread::{self, ThreadId};

    use pretty_assertions::assert_eq;

    use super::on_two_threads;

    /// Each thing as often as it was handed out, and by how many threads.
    fn handed_out(many: usize, at_a_time: usize, worth_it: bool) -> (Vec<usize>, usize) {
        let things: Vec<AtomicUsize> = (0..many).map(|_| AtomicUsize::new(0)).collect();
        let threads: Mutex<BTreeSet<String>> = Mutex::default();
        let name = |id: ThreadId| format!("{id:?}");
        on_two_threads(&things, at_a_time, worth_it, |portion| {
            threads.lock().unwrap().insert(name(thread::current().id()));
            for (at, thing) in portion {
                assert!(std::ptr::eq(thing, &raw const things[at]));
                thing.fetch_add(1, Ordering::Relaxed);
            }
        });
        let often = things.into_iter().map(AtomicUsize::into_inner).collect();
        (often, threads.into_inner().unwrap().len())
    }

    #[test]
    fn each_thing_is_handed_out_once() {
        for many in [0, 1, 2, 7, 8, 9, 48, 1_003] {
            for at_a_time in [1, 8] {
                for (worth_it, threads) in [(false, 1), (true, 2)] {
                    let found = handed_out(many, at_a_time, worth_it);
                    assert_eq!(found, (vec![1; many], threads), "{many} {at_a_time}");
                }
            }
        }
    }

    #[test]
    #[should_panic(expected = "a scoped thread panicked")]
    fn a_panic_of_the_other_thread_is_not_lost() {
        let me = thread::current().id();
        on_two_threads(&[(); 64], 8, true, |portion| {
            assert_eq!(thread::current().id(), me);
            portion.for_each(drop);
        });
    }
}
