//! Uninstallations that wait at the same time are one transaction.
//!
//! A frontend that removes a dozen plugins asks for all of them and waits for none. One transaction each
//! would take the store's lock, edit the configuration and wait for the disk a dozen times; so whoever
//! gets the lock does the work of all who wait by then. Each request keeps a section and a patience of its
//! own: none waits longer for a lock than if it were alone, and none depends on another one's being wanted.
//!
//! Invariants:
//! - Who waits is answered once: by the section that took him from the queue, or by his own when that
//!   does not get the lock.
//! - What goes together goes or stays together. When it stays, each plugin is removed by itself, so that
//!   an answer always tells of the request's own plugin.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use plugd_disk::Wanted as _;
use plugd_model::PluginId;
use plugd_store::{Held, Store};
use tokio::sync::oneshot;

use crate::call::{Call, Cancelled};
use crate::install::STORE_PATIENCE;
use crate::uninstall::{Uninstalled, failed, remove, remove_together};
use crate::{Blocking, Copies, Error, Lookup};

/// So many plugins go in one transaction at most: the first one waits for the last one's files to be moved.
pub(crate) const TOGETHER: usize = 100;

/// The uninstallations that wait in one process. Cloning is cheap.
#[derive(Debug, Clone, Default)]
pub struct Removals(Arc<Mutex<Queue>>);

#[derive(Debug, Default)]
struct Queue {
    next: u64,
    waiting: VecDeque<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    call: Call,
    id: PluginId,
    answer: oneshot::Sender<Result<Uninstalled, Error>>,
}

/// Somebody's place in the queue. Who goes away leaves it.
struct Place<'a> {
    removals: &'a Removals,
    number: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        drop(self.removals.take(self.number));
    }
}

impl Removals {
    /// Removes a plugin, together with those that others are removing.
    pub(crate) async fn remove(
        &self,
        call: &Call,
        (blocking, lookup, copies): (&Blocking, &Lookup, &Copies),
        id: PluginId,
    ) -> Result<Uninstalled, Error> {
        let (answer, mut answered) = oneshot::channel();
        let place = self.enter(call, id.clone(), answer);
        let (removals, number) = (self.clone(), place.number);
        let (call, lookup, copies) = (call.clone(), lookup.clone(), copies.clone());
        let section = blocking.write(move || {
            removals.serve(&call, &lookup, copies.store()?, number);
            Ok(())
        });
        let lost = |_| Error::Panicked {
            text: format!("`{id}` was being removed with others"),
        };
        tokio::select! {
            biased;
            answer = &mut answered => answer.unwrap_or_else(|gone| Err(lost(gone))),
            ended = section => {
                ended?;
                answered.await.unwrap_or_else(|gone| Err(lost(gone)))
            }
        }
    }

    fn enter(
        &self,
        call: &Call,
        id: PluginId,
        answer: oneshot::Sender<Result<Uninstalled, Error>>,
    ) -> Place<'_> {
        let mut queue = self.queue();
        let number = queue.next;
        queue.next += 1;
        queue.waiting.push_back(Waiting {
            number,
            call: call.clone(),
            id,
            answer,
        });
        Place {
            removals: self,
            number,
        }
    }

    /// The section of one request: serves those who wait until this one is served, by whomever. The first
    /// round leaves it where too many came before, or somebody for the same plugin.
    fn serve(&self, call: &Call, lookup: &Lookup, store: &Store, number: u64) {
        while self.waits(number) {
            match store.hold_all(call.patience(STORE_PATIENCE)) {
                Ok(held) => answer_all(lookup, store, held, self.take_together()),
                Err(error) => {
                    // Somebody else may be serving it.
                    if let Some(own) = self.take(number) {
                        let refused = failed(&own.id, error);
                        own.answer(Err(refused));
                    }
                }
            }
        }
    }

    fn waits(&self, number: u64) -> bool {
        let queue = self.queue();
        queue.waiting.iter().any(|one| one.number == number)
    }

    fn take(&self, number: u64) -> Option<Waiting> {
        let waiting = &mut self.queue().waiting;
        let index = waiting.iter().position(|one| one.number == number)?;
        waiting.remove(index)
    }

    /// Those who come first, each plugin once: who asks for the same one comes later.
    fn take_together(&self) -> Vec<Waiting> {
        let mut queue = self.queue();
        let (mut ids, mut taken, mut left) = (BTreeSet::new(), Vec::new(), VecDeque::new());
        for one in queue.waiting.drain(..) {
            match taken.len() < TOGETHER && ids.insert(one.id.clone()) {
                true => taken.push(one),
                false => left.push_back(one),
            }
        }
        queue.waiting = left;
        taken
    }

    /// Held for a look into the queue; every change leaves it usable.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes the plugins of all who still want that, and answers.
fn answer_all(lookup: &Lookup, store: &Store, held: Held, taken: Vec<Waiting>) {
    let (wanted, given_up): (Vec<_>, Vec<_>) = taken.into_iter().partition(|one| one.call.begin());
    for one in given_up {
        one.answer(Err(Cancelled.into()));
    }
    let Some(first) = wanted.first() else {
        return;
    };
    let ids: Vec<_> = wanted.iter().map(|one| &one.id).collect();
    match remove_together(&first.call, lookup, store, held, &ids) {
        Ok(outcomes) => {
            for (one, outcome) in wanted.into_iter().zip(outcomes) {
                one.answer(Ok(outcome));
            }
        }
        Err(error) => match <[_; 1]>::try_from(wanted) {
            Ok([alone]) => alone.answer(Err(error)),
            Err(several) => {
                tracing::debug!(%error, "plugins do not go together; each goes by itself");
                for one in several {
                    let outcome = remove(&one.call, lookup, store, one.id.clone());
                    one.answer(outcome);
                }
            }
        },
    }
}

impl Waiting {
    /// Who has gone away is not told.
    fn answer(self, outcome: Result<Uninstalled, Error>) {
        drop(self.answer.send(outcome));
    }
}

#[cfg(test)]
#[path = "removals_tests.rs"]
mod tests;
