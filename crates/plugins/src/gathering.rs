//! Changes that wait for the store's lock at the same time, gathered into one transaction.
//!
//! A frontend that removes a dozen plugins asks for all of them and waits for none, and so does a refresh
//! that brings as many. One transaction each would take the lock, edit the configuration and wait for the
//! disk a dozen times; so whoever gets the lock does the work of all who wait by then. Each keeps a patience
//! of its own and a section that serves it if nobody else does: none depends on another one's being wanted.
//! Who enters several and then serves one after the other waits for the lock as long as he would with each by
//! itself.
//!
//! Invariants:
//! - Who waits is answered once: by the one who took him from the queue, or by himself when he does not
//!   get the lock.
//! - Nobody is left in the queue whose section has ended.
//! - Of one plugin there is one change at a time.
//! - Changes that fail together are made again each by itself: what one of them is to blame for is told to
//!   that one.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use plugd_disk::{Patience, Wanted};
use plugd_model::PluginId;
use plugd_store::{Held, Store, StoreError};

use crate::Error;
use crate::call::{Call, Cancelled};
use crate::install::STORE_PATIENCE;

/// So many changes are one transaction at most: the first one waits for the last one's files to be moved.
pub(crate) const TOGETHER: usize = 100;

/// A change of one plugin.
pub(crate) trait Member: Send + 'static {
    /// What it comes to.
    type Outcome: Send + 'static;

    /// The request that it is for.
    fn call(&self) -> &Call;

    /// The plugin.
    fn id(&self) -> &PluginId;

    /// What is told when the store refuses.
    fn failed(&self, error: StoreError) -> Error;
}

/// The changes of one kind that wait in one process. Clones share the queue.
#[derive(Debug)]
pub(crate) struct Gathering<M: Member>(Arc<Mutex<Queue<M>>>);

#[derive(Debug)]
struct Queue<M: Member> {
    next: u64,
    waiting: VecDeque<Waiting<M>>,
    /// How many serve those whom they took: one has the lock, and others who have given it back settle what
    /// is behind it.
    serving: usize,
    /// The plugins whose changes were taken back with those of others: the next one of each is made by
    /// itself.
    alone: BTreeSet<PluginId>,
}

/// What somebody is told.
pub(crate) enum Told<M: Member> {
    /// What his change came to.
    Outcome(Result<M::Outcome, Error>),
    /// That it cannot be made with others. He enters again.
    Alone(M),
}

/// How somebody is told.
pub(crate) type Answer<M> = Box<dyn FnOnce(Told<M>) + Send>;

/// A change that waits, or is being made.
pub(crate) struct Waiting<M: Member> {
    number: u64,
    /// The change.
    pub(crate) member: M,
    /// To be called once.
    pub(crate) answer: Answer<M>,
    /// Whether it failed with others before.
    alone: bool,
}

/// Somebody's place in the queue. Who goes away leaves it.
#[derive(Debug)]
pub(crate) struct Place<M: Member> {
    gathering: Gathering<M>,
    number: u64,
}

/// Ends with the serving, however that ends.
struct Serving<'a, M: Member>(&'a Gathering<M>);

impl<M: Member> Drop for Serving<'_, M> {
    fn drop(&mut self) {
        self.0.queue().serving -= 1;
    }
}

impl<M: Member> Drop for Place<M> {
    fn drop(&mut self) {
        drop(self.gathering.take(self.number));
    }
}

impl<M: Member> Gathering<M> {
    /// Joins those who wait, and waits to be served `alone` after having failed with others. What is returned
    /// is to be served, or it goes out of the queue again.
    pub(crate) fn enter(&self, member: M, alone: bool, answer: Answer<M>) -> Place<M> {
        let mut queue = self.queue();
        let number = queue.next;
        queue.next += 1;
        let alone = queue.alone.remove(member.id()) || alone;
        queue.waiting.push_back(Waiting {
            number,
            member,
            answer,
            alone,
        });
        Place {
            gathering: self.clone(),
            number,
        }
    }

    /// How many have come until now.
    #[cfg(test)]
    pub(crate) fn came(&self) -> u64 {
        self.queue().next
    }

    /// The section of one: serves those who wait until this one is served, by whomever. A round leaves him
    /// where too many came before, or somebody for the same plugin, or when he has to be alone and is not the
    /// first. `serve` makes the changes of all whom it is handed and answers each.
    pub(crate) fn serve(
        &self,
        number: u64,
        call: &Call,
        store: &Store,
        serve: &dyn Fn(Held, Vec<Waiting<M>>),
    ) {
        let unserved = Unserved {
            gathering: self,
            number,
            call,
        };
        while self.waits(number) {
            let patience = Patience::unless_given_up(STORE_PATIENCE, &unserved);
            match store.hold_all(patience) {
                Ok(held) => {
                    let _serving = self.serving();
                    serve(held, self.take_together());
                }
                Err(error) => {
                    // Somebody else may be serving him.
                    if let Some(own) = self.take(number) {
                        let refused = own.member.failed(error);
                        own.ends(Err(refused));
                    }
                }
            }
        }
    }

    /// Whether somebody is serving others: who would wait for the lock now may do something else first.
    pub(crate) fn is_serving(&self) -> bool {
        self.queue().serving > 0
    }

    /// Held by whoever serves, as long as he does.
    fn serving(&self) -> Serving<'_, M> {
        self.queue().serving += 1;
        Serving(self)
    }

    /// Whether nobody has taken this one yet.
    fn waits(&self, number: u64) -> bool {
        let queue = self.queue();
        queue.waiting.iter().any(|one| one.number == number)
    }

    fn take(&self, number: u64) -> Option<Waiting<M>> {
        let waiting = &mut self.queue().waiting;
        let index = waiting.iter().position(|one| one.number == number)?;
        waiting.remove(index)
    }

    /// The next change of each of these plugins is made by itself.
    pub(crate) fn part<'a>(&self, ids: impl Iterator<Item = &'a PluginId>) {
        self.queue().alone.extend(ids.cloned());
    }

    /// Those who came first and are still wanted, each plugin once.
    fn take_together(&self) -> Vec<Waiting<M>> {
        let mut queue = self.queue();
        let (mut ids, mut taken, mut left) = (BTreeSet::new(), Vec::new(), VecDeque::new());
        for one in queue.waiting.drain(..) {
            let fits = match taken.last() {
                None => true,
                Some(Waiting { alone: true, .. }) => false,
                Some(_) => !one.alone && taken.len() < TOGETHER,
            };
            match fits && ids.insert(one.member.id().clone()) {
                true => taken.push(one),
                false => left.push_back(one),
            }
        }
        queue.waiting = left;
        drop(queue);
        let (wanted, given_up): (Vec<_>, Vec<_>) =
            taken.into_iter().partition(|one| one.member.call().begin());
        for one in given_up {
            one.ends(Err(Cancelled.into()));
        }
        wanted
    }

    /// Held for a look into the queue; every change leaves it usable.
    fn queue(&self) -> MutexGuard<'_, Queue<M>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M: Member> Place<M> {
    /// What names it to [`Gathering::serve`].
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Whether nobody serves it yet.
    pub(crate) fn waits(&self) -> bool {
        self.gathering.waits(self.number)
    }
}

impl<M: Member> Default for Gathering<M> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Queue {
            next: 0,
            waiting: VecDeque::new(),
            serving: 0,
            alone: BTreeSet::new(),
        })))
    }
}

impl<M: Member> Clone for Gathering<M> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<M: Member> Waiting<M> {
    /// Tells what the change came to.
    pub(crate) fn ends(self, outcome: Result<M::Outcome, Error>) {
        let Self { member, answer, .. } = self;
        // Whatever it leaves goes before anybody hears of it.
        drop(member);
        answer(Told::Outcome(outcome));
    }

    /// Tells that the change has to be made by itself.
    pub(crate) fn again(self) {
        (self.answer)(Told::Alone(self.member));
    }
}

/// The request among them that may wait for others the longest: what all of them wait for is waited for on
/// its behalf.
pub(crate) fn most_patient<'a>(calls: impl Iterator<Item = &'a Call>) -> Option<&'a Call> {
    calls.max_by_key(|call| call.waits.left())
}

impl<M: Member> std::fmt::Debug for Waiting<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waiting")
            .field("number", &self.number)
            .field("plugin", self.member.id())
            .finish_non_exhaustive()
    }
}

/// Whoever is being served needs no lock any more.
struct Unserved<'a, M: Member> {
    gathering: &'a Gathering<M>,
    number: u64,
    call: &'a Call,
}

impl<M: Member> Wanted for Unserved<'_, M> {
    fn is_wanted(&self) -> bool {
        self.gathering.waits(self.number) && self.call.is_wanted()
    }

    fn begin(&self) -> bool {
        self.gathering.waits(self.number) && self.call.begin()
    }

    fn left(&self) -> Duration {
        self.call.left()
    }

    fn waited(&self, time: Duration) {
        self.call.waited(time);
    }
}

#[cfg(test)]
mod tests {
    use super::Gathering;
    use crate::activations::Activation;

    #[test]
    fn who_ends_serving_speaks_for_himself() {
        let gathering = Gathering::<Activation>::default();
        let first = gathering.serving();
        // The first one has given the lock back and is not done.
        let second = gathering.serving();
        drop(first);
        assert!(gathering.is_serving());
        drop(second);
        assert!(!gathering.is_serving());
    }
}
