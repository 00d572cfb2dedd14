//! Installations that are ready and wait for the store's lock together: one transaction, with one edit of
//! the configuration.
//!
//! When anything stands against that before anything has changed, each copy takes its place by itself. What
//! goes wrong later takes all of them back, and the copies with them: the first one is told why, and the
//! others that they were taken back with it, so that they begin again.

use std::sync::mpsc;

use plugd_config::{Edit, PendingWrite, Plan};
use plugd_model::{AbsPath, PluginId};
use plugd_store::{Held, Installed, NotTogether, ReadyInstall, Store, StoreError};

use crate::call::Call;
use crate::gathering::{Answer, Gathering, Member, Waiting};
use crate::install::STORE_PATIENCE;
use crate::install_job::failed;
use crate::take_place::{note_edit, take_place, take_place_alone};
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

/// Puts a copy in its place, together with those of others.
pub(crate) fn activate_with_others(
    lookup: &Lookup,
    copies: &Copies,
    activation: Activation,
) -> Result<Installed, Error> {
    let (answer, answered) = mpsc::sync_channel(1);
    let (call, id) = (activation.call.clone(), activation.id().clone());
    // The receiver is waited on below, and there is room for the one answer.
    let tell = Box::new(move |outcome| drop(answer.send(outcome)));
    let place = copies.activations().enter(activation, tell);
    let store = copies.store()?;
    let serve = |held, taken| answer_all(lookup, store, held, taken);
    copies
        .activations()
        .serve(place.number(), &call, store, &serve);
    answered.recv().unwrap_or_else(|_| {
        Err(Error::Panicked {
            text: format!("`{id}` was being installed with others"),
        })
    })
}

/// Why some copies have not taken their places.
enum Refused {
    /// Before anything changed: here they are.
    Before(Vec<ReadyInstall>, Error),
    /// Everything was taken back.
    TakenBack(Error),
}

/// What is left of one when its copy is taken out.
struct Client {
    call: Call,
    id: PluginId,
    setting: Setting,
    answer: Answer<Activation>,
}

fn answer_all(lookup: &Lookup, store: &Store, held: Held, taken: Vec<Waiting<Activation>>) {
    let (mut copies, mut clients) = (Vec::new(), Vec::new());
    for Waiting { member, answer, .. } in taken {
        let Activation {
            call,
            ready: copy,
            setting,
        } = member;
        let id = copy.id().clone();
        match setting.check(lookup, &id) {
            Ok(()) => {
                copies.push(copy);
                clients.push(Client {
                    call,
                    id,
                    setting,
                    answer,
                });
            }
            Err(error) => {
                drop(copy);
                answer(Err(error));
            }
        }
    }
    match together(lookup, store, held, copies, &mut clients) {
        Ok(installed) => {
            for (client, installed) in clients.into_iter().zip(installed) {
                let failed = |error| failed(&client.id, error);
                (client.answer)(installed.map_err(failed));
            }
        }
        Err(Refused::Before(copies, error)) if copies.len() > 1 => {
            tracing::debug!(%error, "copies do not take their places together; each by itself");
            for (mut client, copy) in clients.into_iter().zip(copies) {
                let installed = alone(lookup, copy, &mut client);
                (client.answer)(installed);
            }
        }
        Err(Refused::Before(_, error) | Refused::TakenBack(error)) => {
            let mut told = Some(error);
            for Client { id, answer, .. } in clients {
                answer(Err(told.take().unwrap_or(Error::TakenBack { id })));
            }
        }
    }
}

fn together(
    lookup: &Lookup,
    store: &Store,
    held: Held,
    copies: Vec<ReadyInstall>,
    clients: &mut [Client],
) -> Result<Vec<Result<Installed, StoreError>>, Refused> {
    let mut copies = copies.into_iter();
    let (Some(first), Some(client)) = (copies.next(), clients.first()) else {
        return Ok(Vec::new());
    };
    let (call, id) = (client.call.clone(), client.id.clone());
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

fn alone(lookup: &Lookup, copy: ReadyInstall, client: &mut Client) -> Result<Installed, Error> {
    let (call, id) = (client.call.clone(), client.id.clone());
    let failed = |error| failed(&id, error);
    let locked = copy.lock(call.patience(STORE_PATIENCE)).map_err(failed)?;
    client.setting.check(lookup, &id)?;
    let edit = begin_edit(&call, lookup, std::slice::from_mut(client))?;
    take_place_alone(&call, lookup, locked, edit, &failed)
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
