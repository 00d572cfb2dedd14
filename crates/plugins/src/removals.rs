//! Uninstallations that wait for the store's lock together: one transaction, all of it or nothing. When it
//! comes to nothing each plugin is removed by itself, so that an answer always tells of its own plugin.

use plugd_model::PluginId;
use plugd_store::{Held, StoreError};
use tokio::sync::oneshot;

use crate::call::Call;
use crate::events::{Change, ChangeReason, Events};
use crate::gathering::{Gathering, Member, Told, Waiting, most_patient};
use crate::uninstall::{Gone, Uninstalled, failed, remove_together};
use crate::{Blocking, Copies, Error, Lookup};

/// One of them.
#[derive(Debug)]
pub(crate) struct Removal {
    call: Call,
    id: PluginId,
    /// Whether its files have gone with those of others, and only its configuration is left.
    has_gone: bool,
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

/// Removes a plugin, together with those that others are removing, and tells whoever listens. Its section
/// begins when there is a turn for it; another one may have served it by then.
pub(crate) async fn remove_with_others(
    call: &Call,
    (blocking, lookup, copies): (&Blocking, &Lookup, &Copies),
    events: &Events,
    id: PluginId,
) -> Result<Uninstalled, Error> {
    let lost = |_| Error::Panicked {
        text: format!("`{id}` was being removed with others"),
    };
    let mut removal = Removal {
        call: call.clone(),
        id: id.clone(),
        has_gone: false,
    };
    let mut alone = false;
    loop {
        let (answer, mut answered) = oneshot::channel();
        let events = events.clone();
        let tell = Box::new(move |told| {
            if let Told::Outcome(Ok(outcome)) = &told {
                tell_others(&events, outcome);
            }
            // Who has gone away is not told.
            drop(answer.send(told));
        });
        let place = copies.removals().enter(removal, alone, tell);
        let (number, call) = (place.number(), call.clone());
        let (lookup, copies) = (lookup.clone(), copies.clone());
        let section = blocking.write(move || {
            let serve = |held, taken| answer_all(&lookup, &copies, held, taken);
            copies
                .removals()
                .serve(number, &call, copies.store()?, &serve);
            Ok(())
        });
        let told = tokio::select! {
            biased;
            told = &mut answered => told,
            ended = section => {
                ended?;
                answered.await
            }
        };
        match told.map_err(lost)? {
            Told::Outcome(outcome) => return outcome,
            Told::Alone(again) => (removal, alone) = (again, true),
        }
    }
}

fn tell_others(events: &Events, outcome: &Uninstalled) {
    if let (true, Some(id)) = (outcome.changed, &outcome.id) {
        let change = Change::new(ChangeReason::Request).plugin(id.clone());
        events.changed(change.config_key(format!("plugins.{id}")));
    }
}

fn answer_all(lookup: &Lookup, copies: &Copies, held: Held, mut taken: Vec<Waiting<Removal>>) {
    let calls = taken.iter().map(|one| one.member.call());
    let Some(call) = most_patient(calls).cloned() else {
        return;
    };
    let ids: Vec<_> = taken.iter().map(|one| one.member.id()).collect();
    let store = copies.store();
    let removed = store.and_then(|store| remove_together(&call, lookup, store, held, &ids));
    let (outcomes, ended) = match removed {
        Ok(Gone { outcomes, settled }) => (outcomes, settled),
        Err(error) => (Vec::new(), Err(error)),
    };
    let Err(error) = ended else {
        for (one, mut outcome) in taken.into_iter().zip(outcomes) {
            outcome.changed |= one.member.has_gone;
            one.ends(Ok(outcome));
        }
        return;
    };
    for (one, outcome) in taken.iter_mut().zip(outcomes) {
        one.member.has_gone |= outcome.changed;
    }
    match <[_; 1]>::try_from(taken) {
        Ok([alone]) => alone.ends(Err(error)),
        Err(several) => {
            tracing::debug!(%error, "plugins do not go together; each goes by itself");
            several.into_iter().for_each(Waiting::again);
        }
    }
}

#[cfg(test)]
#[path = "removals_tests.rs"]
mod tests;
