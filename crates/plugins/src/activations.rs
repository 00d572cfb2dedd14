//! Installations that are ready and wait for the store's lock together: one transaction, with one edit of
//! the configuration.
//!
//! When anything stands against that before anything is written, each copy takes its place by itself. What
//! goes wrong later takes all of them back, and the copies with them: each of several is told just that, and
//! begins again, by itself.

use std::sync::mpsc::{self, Receiver};

use plugd_config::{Edit, PendingWrite, Plan};
use plugd_model::{AbsPath, PluginId};
use plugd_store::{Held, Installed, NotTogether, ReadyInstall, Store, StoreError};

use crate::call::Call;
use crate::gathering::{Answer, Gathering, Member, Place, Told, Waiting, most_patient};
use crate::install_job::failed;
use crate::take_place::{Taken, note_edit, take_place};
use crate::{Copies, Error, Lookup};

/// One of them.
#[derive(Debug)]
pub(crate) struct Activation {
    pub(crate) call: Call,
    pub(crate) ready: ReadyInstall,
    pub(crate) setting: Setting,
}

/// Those that wait in one process.
pub(crate) type Activations = Gathering<Activation>;

/// What an installation has to do with the configuration.
#[derive(Debug)]
pub(crate) enum Setting {
    /// Nothing.
    Untouched,
    /// It switches the plugin; planned as if it were alone.
    Switched { enabled: bool, plan: Option<Plan> },
    /// It happens only if the plugin still is configured, as seen from one of these directories.
    IfConfigured(Vec<Option<AbsPath>>),
}

impl Member for Activation {
    type Outcome = Installed;

    fn call(&self) -> &Call {
        &self.call
    }

    fn id(&self) -> &PluginId {
        self.ready.id()
    }

    fn failed(&self, error: StoreError) -> Error {
        failed(self.id(), error)
    }
}

/// One that has joined those who wait: anybody who gets the lock from now on may put it in its place, and
/// nobody has to. Dropping it takes it out again, unless somebody has.
#[derive(Debug)]
pub(crate) struct Entered {
    call: Call,
    id: PluginId,
    place: Place<Activation>,
    answered: Receiver<Told<Activation>>,
}

impl Entered {
    /// Lets a copy wait for the lock together with those of others.
    pub(crate) fn new(copies: &Copies, activation: Activation) -> Self {
        Self::enter(copies, activation, false)
    }

    fn enter(copies: &Copies, activation: Activation, alone: bool) -> Self {
        let (answer, answered) = mpsc::sync_channel(1);
        Self {
            call: activation.call.clone(),
            id: activation.id().clone(),
            // There is room for the one answer, and who has gone away is not told.
            place: copies.activations().enter(
                activation,
                alone,
                Box::new(move |told| drop(answer.send(told))),
            ),
            answered,
        }
    }

    /// Whether nobody puts the copy in its place yet.
    pub(crate) fn waits(&self) -> bool {
        self.place.waits()
    }

    /// Waits until the copy is in its place. Whoever waits here gets the lock for all who wait by then.
    ///
    /// # Errors
    /// It cannot take its place; what stood there stands there.
    pub(crate) fn settle(self, lookup: &Lookup, copies: &Copies) -> Result<Installed, Error> {
        let (store, activations) = (copies.store()?, copies.activations());
        let serve = |held, taken| answer_all(lookup, activations, store, held, taken);
        let mut entered = self;
        loop {
            activations.serve(entered.place.number(), &entered.call, store, &serve);
            match entered.answered.recv() {
                Ok(Told::Outcome(outcome)) => return outcome,
                Ok(Told::Alone(again)) => entered = Self::enter(copies, again, true),
                Err(_) => {
                    return Err(Error::Panicked {
                        text: format!("`{}` was being installed with others", entered.id),
                    });
                }
            }
        }
    }
}

/// Why some copies have not taken their places.
enum Refused {
    /// Before anything changed: here they are.
    Before(Vec<ReadyInstall>, Error),
    /// Everything was taken back, and the copies are gone.
    TakenBack(Error),
}

/// What is left of one when its copy is taken out.
struct Client {
    call: Call,
    id: PluginId,
    setting: Setting,
    answer: Answer<Activation>,
}

fn answer_all(
    lookup: &Lookup,
    activations: &Activations,
    store: &Store,
    held: Held,
    taken: Vec<Waiting<Activation>>,
) {
    let (mut copies, mut clients) = (Vec::new(), Vec::new());
    for one in taken {
        let id = one.member.id().clone();
        if let Err(error) = one.member.setting.check(lookup, &id) {
            one.ends(Err(error));
            continue;
        }
        let Waiting { member, answer, .. } = one;
        let Activation {
            call,
            ready,
            setting,
        } = member;
        copies.push(ready);
        clients.push(Client {
            call,
            id,
            setting,
            answer,
        });
    }
    match together(lookup, store, held, copies, &mut clients) {
        Ok(taken) => answer_taken(clients, taken),
        Err(Refused::Before(copies, error)) if copies.len() > 1 => {
            tracing::debug!(%error, "copies do not take their places together; each by itself");
            for (client, ready) in clients.into_iter().zip(copies) {
                (client.answer)(Told::Alone(Activation {
                    call: client.call,
                    ready,
                    setting: client.setting,
                }));
            }
        }
        Err(Refused::TakenBack(error)) if clients.len() > 1 => {
            tracing::debug!(%error, "copies were taken back together; each begins by itself");
            activations.part(clients.iter().map(|client| &client.id));
            for Client { id, answer, .. } in clients {
                answer(Told::Outcome(Err(Error::TakenBack { id })));
            }
        }
        Err(refused) => {
            let error = match refused {
                Refused::Before(copies, error) => {
                    // It goes before anybody hears of it.
                    drop(copies);
                    error
                }
                Refused::TakenBack(error) => error,
            };
            if let Some(client) = clients.pop() {
                (client.answer)(Told::Outcome(Err(error)));
            }
        }
    }
}

/// What each is told of the places that were taken, and of the edit that may be lost behind it.
fn answer_taken(clients: Vec<Client>, taken: Taken) {
    let Taken { copies, settled } = taken;
    let (mut lost, is_alone) = (settled.err(), clients.len() == 1);
    for (client, copy) in clients.into_iter().zip(copies) {
        let id = client.id;
        let is_lost = lost.is_some() && matches!(client.setting, Setting::Switched { .. });
        (client.answer)(Told::Outcome(match lost.take_if(|_| is_lost && is_alone) {
            Some(error) => Err(error),
            // It begins again, finds its copy and makes the edit by itself.
            None if is_lost => Err(Error::TakenBack { id }),
            None => copy.map_err(|error| failed(&id, error)),
        }));
    }
}

fn together(
    lookup: &Lookup,
    store: &Store,
    held: Held,
    copies: Vec<ReadyInstall>,
    clients: &mut [Client],
) -> Result<Taken, Refused> {
    let mut copies = copies.into_iter();
    let call = most_patient(clients.iter().map(|client| &client.call)).cloned();
    let (Some(first), Some(call)) = (copies.next(), call) else {
        return Ok(Taken {
            copies: Vec::new(),
            settled: Ok(()),
        });
    };
    // Where it is told there is no other one.
    let id = first.id().clone();
    let mut locked = match store.lock_together(held, first, copies.collect()) {
        Ok(locked) => locked,
        Err(NotTogether { members, source }) => {
            return Err(Refused::Before(members, failed(&id, source)));
        }
    };
    let edit = begin_edit(&call, lookup, clients).and_then(|mut edit| {
        edit.as_mut()
            .map_or(Ok(()), |edit| note_edit(&mut locked, edit))?;
        Ok(edit)
    });
    let edit = match edit {
        Ok(edit) => edit,
        Err(error) => return Err(Refused::Before(locked.let_go(), error)),
    };
    let failed = |error| failed(&id, error);
    take_place(&call, lookup, locked, edit, &failed).map_err(Refused::TakenBack)
}

/// The edit that switches all whom their installation switches.
fn begin_edit(
    call: &Call,
    lookup: &Lookup,
    clients: &mut [Client],
) -> Result<Option<PendingWrite>, Error> {
    let (mut edits, mut planned) = (Vec::new(), Vec::new());
    for Client { id, setting, .. } in clients {
        if let Setting::Switched { enabled, plan } = setting {
            edits.push(Edit::set_plugin_enabled(id, *enabled));
            planned.push(plan.take());
        }
    }
    if edits.is_empty() {
        return Ok(None);
    }
    // Several plans are each of its own text.
    let plan = planned.pop().filter(|_| planned.is_empty()).flatten();
    lookup.begin_edits(call, &edits, plan).map(Some)
}

impl Setting {
    /// Whether the installation still is to happen. The store's lock is held.
    fn check(&self, lookup: &Lookup, id: &PluginId) -> Result<(), Error> {
        match self {
            Self::IfConfigured(cwds) => {
                let is_configured = cwds.iter().any(|cwd| {
                    let config = lookup.config(cwd.as_ref());
                    config.plugins().iter().any(|row| row.id == *id)
                });
                let refused = || Error::NoLongerConfigured { id: id.clone() };
                is_configured.then_some(()).ok_or_else(refused)
            }
            Self::Untouched | Self::Switched { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
#[path = "activations_tests.rs"]
mod tests;
