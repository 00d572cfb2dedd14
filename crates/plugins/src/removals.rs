//! Uninstallations that wait for the store's lock together: one transaction, all of it or nothing. When it
//! comes to nothing each plugin is removed by itself, so that an answer always tells of its own plugin.

use plugd_model::PluginId;
use plugd_store::{Held, Store, StoreError};
use tokio::sync::oneshot;

use crate::call::Call;
use crate::gathering::{Gathering, Member, Waiting};
use crate::uninstall::{Uninstalled, failed, remove, remove_together};
use crate::{Blocking, Copies, Error, Lookup};

/// One of them.
#[derive(Debug)]
pub(crate) struct Removal {
    call: Call,
    id: PluginId,
}

/// Those that wait in one process.
pub(crate) type Removals = Gathering<Removal>;

impl Member for Removal {
    type Outcome = Uninstalled;

    fn call(&self) -> &Call {
        &self.call
    }

    fn id(&self) -> &PluginId {
        &self.id
    }

    fn failed(&self, error: StoreError) -> Error {
        failed(&self.id, error)
    }
}

/// Removes a plugin, together with those that others are removing. Its section begins when there is a turn
/// for it; another one may have served it by then.
pub(crate) async fn remove_with_others(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    id: PluginId,
) -> Result<Uninstalled, Error> {
    let (answer, mut answered) = oneshot::channel();
    let lost = |_| Error::Panicked {
        text: format!("`{id}` was being removed with others"),
    };
    let removal = Removal {
        call: call.clone(),
        id: id.clone(),
    };
    // Who has gone away is not told.
    let tell = Box::new(|outcome| drop(answer.send(outcome)));
    let place = copies.removals().enter(removal, tell);
    let (call, lookup, copies) = (call.clone(), lookup.clone(), copies.clone());
    let number = place.number();
    let section = blocking.write(move || {
        let store = copies.store()?;
        let serve = |held, taken| answer_all(&lookup, store, held, taken);
        copies.removals().serve(number, &call, store, &serve);
        Ok(())
    });
    tokio::select! {
        biased;
        answer = &mut answered => answer.unwrap_or_else(|gone| Err(lost(gone))),
        ended = section => {
            ended?;
            answered.await.unwrap_or_else(|gone| Err(lost(gone)))
        }
    }
}

fn answer_all(lookup: &Lookup, store: &Store, held: Held, taken: Vec<Waiting<Removal>>) {
    let Some(first) = taken.first() else {
        return;
    };
    let ids: Vec<_> = taken.iter().map(|one| one.member.id()).collect();
    match remove_together(&first.member.call, lookup, store, held, &ids) {
        Ok(outcomes) => {
            for (one, outcome) in taken.into_iter().zip(outcomes) {
                (one.answer)(Ok(outcome));
            }
        }
        Err(error) => match <[_; 1]>::try_from(taken) {
            Ok([alone]) => (alone.answer)(Err(error)),
            Err(several) => {
                tracing::debug!(%error, "plugins do not go together; each goes by itself");
                for one in several {
                    let Removal { call, id } = one.member;
                    (one.answer)(remove(&call, lookup, store, id));
                }
            }
        },
    }
}

#[cfg(test)]
#[path = "removals_tests.rs"]
mod tests;
