//! The curated snapshot follows the account: what older clients insist on with a listing, while the
//! remote catalog itself is switched off.
//!
//! The account's state is read completely before anything happens; half of it, two plugins of one
//! name, another login or a missing snapshot end the whole with nothing changed. Then each plugin of
//! the snapshot is taken for itself: one that fails keeps nothing from the others. What the snapshot
//! does not know is left alone on both sides.
//!
//! What was here is looked at before the service is asked, and everything is decided for that look:
//! who installs, removes or switches a plugin meanwhile has the say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use plugd_catalog::{Access, Fetched, InstalledSet, Urls};
use plugd_config::{Edit, Snapshot};
use plugd_marketplace::MarketplaceSet;
use plugd_model::{CURATED_MARKETPLACE, PluginId, PluginName, Problem, ProblemKind, RemoteScope};
use plugd_store::StoreError;

use crate::call::{Call, Cancelled};
use crate::component_kinds::{ComponentKinds, kinds_of};
use crate::events::{Change, ChangeReason};
use crate::follow::problem_of;
use crate::in_time::in_time;
use crate::install::{STORE_PATIENCE, Step, Target, step};
use crate::install_why::Why;
use crate::parts::Parts;
use crate::remote_error::RemoteError;
use crate::remote_known::is_same_account;
use crate::remote_run::Ran;
use crate::standing::Standing;
use crate::status::{PluginOutcome, PluginResult, is_held};
use crate::uninstall::remove_seen;
use crate::{Error, Roots};

/// What was tried.
pub(crate) const ACTION: &str = "failed to sync the curated plugins with the account";

/// What is done with one plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    /// It is brought from the snapshot and switched so.
    Install { enabled: bool },
    /// It is here and switched so.
    Switch { enabled: bool },
    /// Files and configuration go.
    Uninstall,
}

/// What there was before the service was asked.
struct Before {
    access: Access,
    plugins: Vec<(PluginId, Found)>,
}

/// One plugin of the snapshot, as it was found here.
#[derive(Debug)]
struct Found {
    standing: Standing,
    /// How its table in the configuration switches it, where there is one.
    configured: Option<bool>,
}

/// One plugin of the snapshot that is not as the account has it.
#[derive(Debug)]
struct Due {
    id: PluginId,
    action: Action,
    found: Found,
}

/// Makes the curated plugins what the account has.
///
/// # Errors
/// There is no login or another one by now, the service cannot be asked or does not say everything,
/// two of its plugins have one name, there is no snapshot, or it was cancelled: nothing has changed
/// then.
pub(crate) async fn run(call: &Call, parts: &Parts) -> Result<Ran, Error> {
    let of = parts.clone();
    let Before { access, plugins } = parts.blocking.write(move || look(&of)).await?;
    let service = parts.lookup.remote().service(&access);
    let (scope, cancelled) = (Some(RemoteScope::Global), call.cancel.cancelled());
    let asked = service.installed(scope, Urls::Without, None, call.end, cancelled);
    let set = match asked.await {
        Ok(Fetched::New(set, _)) => set,
        Ok(Fetched::Unchanged) => return Err(no_state("the service said nothing")),
        Err(error) => {
            parts.lookup.remote().heard(&error);
            return Err(RemoteError::asked(ACTION, error));
        }
    };
    let state = state_of(&set)?;
    let of = parts.clone();
    let same = parts.blocking.read(move || must_be_logged_in(&of, &access));
    same.await?;
    let mut ran = Ran::default();
    for one in due(plugins, &state) {
        take(call, parts, one, &mut ran).await?;
    }
    Ok(ran)
}

/// The switch of every plugin that the account has. A set with two plugins of one name is none that
/// says everything.
fn state_of(set: &InstalledSet) -> Result<BTreeMap<PluginName, bool>, Error> {
    if !set.complete {
        let why = set.problems.first().map(|one| one.message.clone());
        let why = why.unwrap_or_else(|| "the service did not say everything".to_owned());
        return Err(no_state(why));
    }
    let items = set.items.iter();
    Ok(items
        .map(|one| (one.item.name.clone(), one.enabled))
        .collect())
}

/// Who is logged in, and what is here of the snapshot.
fn look(parts: &Parts) -> Result<Before, Error> {
    let (lookup, copies) = (&parts.lookup, &parts.copies);
    let config = lookup.config(None);
    let access = lookup.remote().access(&config, ACTION)?;
    copies.recover_again();
    let store = copies.store()?;
    let resolved = lookup.resolve_ungated(&Roots::default());
    let mut plugins = Vec::new();
    for id in snapshot(&resolved.set)? {
        let standing = Standing::of(store, &id).map_err(|error| failed("inspect", &id, error))?;
        let configured = configured(&config, &id);
        let found = Found {
            standing,
            configured,
        };
        plugins.push((id, found));
    }
    Ok(Before { access, plugins })
}

/// Holds if it is still the same account: what one has installed says nothing about another.
fn must_be_logged_in(parts: &Parts, asked: &Access) -> Result<(), Error> {
    let lookup = &parts.lookup;
    let now = lookup.remote().access(&lookup.config(None), ACTION);
    match now {
        Ok(now) if is_same_account(&now, asked) => Ok(()),
        _ => Err(no_state("the login has changed")),
    }
}

/// How a table of the configuration switches a plugin.
fn configured(config: &Snapshot, id: &PluginId) -> Option<bool> {
    let mut rows = config.plugins().iter();
    rows.find(|row| row.id == *id).map(|row| row.enabled)
}

/// What is not as the account has it.
fn due(plugins: Vec<(PluginId, Found)>, state: &BTreeMap<PluginName, bool>) -> Vec<Due> {
    let due = plugins.into_iter().filter_map(|(id, found)| {
        let account = state.get(&id.plugin).copied();
        let action = action(account, found.standing.copy.is_some(), found.configured)?;
        Some(Due { id, action, found })
    });
    due.collect()
}

/// What the snapshot offers.
fn snapshot(set: &MarketplaceSet) -> Result<BTreeSet<PluginId>, Error> {
    let curated = set
        .shown()
        .find(|(_, content, _)| content.manifest.value.name.as_str() == CURATED_MARKETPLACE);
    let Some((_, _, offers)) = curated else {
        return Err(no_state("there is no curated snapshot here"));
    };
    Ok(offers.iter().map(|offer| offer.id()).collect())
}

/// The table. A plugin that no table of the configuration speaks of is off.
fn action(account: Option<bool>, installed: bool, configured: Option<bool>) -> Option<Action> {
    match account {
        Some(enabled) if !installed => Some(Action::Install { enabled }),
        Some(enabled) => (configured != Some(enabled)).then_some(Action::Switch { enabled }),
        None => (installed || configured.is_some()).then_some(Action::Uninstall),
    }
}

/// Does what is due for one plugin.
async fn take(call: &Call, parts: &Parts, due: Due, ran: &mut Ran) -> Result<(), Error> {
    let part = call.part();
    let Due { id, action, found } = due;
    let before = found.standing.copy.clone();
    let from = before.as_ref().map(|copy| copy.version.to_string());
    let done = match action {
        Action::Install { enabled } => {
            let install = install(&part, parts, &id, Arc::new(found), enabled);
            let installed = in_time(&part, ACTION, install);
            installed.await.map(|()| PluginOutcome::Installed)
        }
        Action::Switch { enabled } => {
            let (of, id) = (parts.clone(), id.clone());
            let work = part.clone();
            let section = move || switch(&work, &of, &id, &found, enabled);
            let switched = in_time(&part, ACTION, parts.blocking.write(section));
            switched.await.map(|()| PluginOutcome::Updated)
        }
        Action::Uninstall => {
            let (of, id) = (parts.clone(), id.clone());
            let work = part.clone();
            let section = move || uninstall(&work, &of, id, &found);
            let removed = in_time(&part, ACTION, parts.blocking.write(section));
            removed.await.map(|()| PluginOutcome::Removed)
        }
    };
    match done {
        Ok(outcome) => settle(parts, id, action, outcome, before, ran).await,
        // Somebody has done something with it meanwhile.
        Err(error) if error.is_superseded() => Ok(()),
        Err(Error::Cancelled(_)) if ran.results.is_empty() => Err(Error::Cancelled(Cancelled)),
        Err(error) => {
            let problem = problem_of(&error);
            let outcome = match is_held(problem.kind) {
                true => PluginOutcome::HeldBack,
                false => PluginOutcome::Failed,
            };
            ran.reconciled.problems.push(problem.clone());
            ran.results.push(PluginResult {
                id,
                outcome,
                to: None,
                from,
                problem: Some(problem),
                copy: None,
            });
            Ok(())
        }
    }
}

/// Tells of what was done.
async fn settle(
    parts: &Parts,
    id: PluginId,
    action: Action,
    outcome: PluginOutcome,
    before: Option<plugd_store::Installed>,
    ran: &mut Ran,
) -> Result<(), Error> {
    let change = Change::new(ChangeReason::Sync).plugin(id.clone());
    parts
        .events
        .changed(change.config_key(format!("plugins.{id}")));
    tracing::info!(%id, "curated plugins follow the account: {action:?}");
    let from = before.as_ref().map(|copy| copy.version.to_string());
    let (of, plugin) = (parts.clone(), id.clone());
    let look = parts.blocking.read(move || {
        let now = of.copies.store()?.get(&plugin);
        let now = now.map_err(|error| failed("inspect", &plugin, error))?;
        let kinds = before.iter().chain(&now);
        let kinds = kinds.fold(ComponentKinds::default(), |known, copy| {
            known | kinds_of(&of.lookup, copy)
        });
        Ok((now.map(|copy| copy.version.to_string()), kinds))
    });
    let (to, kinds) = look.await?;
    ran.moved(id.clone(), kinds);
    ran.results.push(PluginResult {
        id,
        outcome,
        from,
        to,
        problem: None,
        copy: None,
    });
    Ok(())
}

/// Holds if nobody has done anything with a plugin since it was looked at.
fn must_be_as_found(parts: &Parts, id: &PluginId, found: &Found) -> Result<(), Error> {
    let seen = parts.copies.store()?.seen(id);
    let seen = seen.map_err(|error| failed("inspect", id, error))?;
    let is_same = seen == found.standing.seen
        && configured(&parts.lookup.config(None), id) == found.configured;
    if is_same {
        return Ok(());
    }
    let id = id.clone();
    Err(failed("change", &id.clone(), StoreError::Superseded { id }))
}

/// Brings a plugin from the snapshot, unless somebody else has.
async fn install(
    call: &Call,
    parts: &Parts,
    id: &PluginId,
    found: Arc<Found>,
    enabled: bool,
) -> Result<(), Error> {
    let mut fetched = None;
    loop {
        let section = {
            let (call, of, id, found) = (call.clone(), parts.clone(), id.clone(), found.clone());
            let fetched = fetched.take();
            parts.blocking.write(move || {
                must_be_as_found(&of, &id, &found)?;
                let (target, why) = (Target::Shown(id), Why::State { enabled });
                step(&call, &of.lookup, &of.copies, &target, why, fetched)
            })
        };
        match section.await? {
            Step::Done(_) => return Ok(()),
            Step::Fetch { id, source } => {
                let Parts {
                    blocking, lookup, ..
                } = parts;
                let content =
                    parts
                        .fetcher
                        .fetch(call, blocking, lookup, &parts.copies, &id, source);
                fetched = Some(content.await?);
            }
        }
    }
}

/// Switches a plugin that is here, under the store's lock, so that no uninstallation comes between.
fn switch(
    call: &Call,
    parts: &Parts,
    id: &PluginId,
    found: &Found,
    enabled: bool,
) -> Result<(), Error> {
    let store = parts.copies.store()?;
    let held = store.hold(id, &found.standing.seen, call.patience(STORE_PATIENCE));
    let _held = held.map_err(|error| failed("switch", id, error))?;
    must_be_as_found(parts, id, found)?;
    let edits = [Edit::set_plugin_enabled(id, enabled)];
    parts.lookup.write_edits(call, &edits)?;
    Ok(())
}

/// Uninstalls a plugin that nobody has pinned.
fn uninstall(call: &Call, parts: &Parts, id: PluginId, found: &Found) -> Result<(), Error> {
    if let Some(pin) = found.standing.pin() {
        let text = format!(
            "`{id}` is pinned to {}; the account does not have it",
            pin.version
        );
        return Err(Error::Policy {
            problem: Box::new(Problem::warning(ProblemKind::HeldBack, text)),
        });
    }
    must_be_as_found(parts, &id, found)?;
    let (store, seen) = (parts.copies.store()?, &found.standing.seen);
    remove_seen(call, &parts.lookup, store, id, seen).map(drop)
}

fn no_state(reason: impl Into<String>) -> Error {
    RemoteError::NoState {
        action: ACTION,
        reason: reason.into(),
    }
    .into()
}

fn failed(action: &'static str, id: &PluginId, source: StoreError) -> Error {
    Error::Store {
        action,
        id: id.clone(),
        source: Box::new(source),
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{Action, action};

    #[test]
    fn the_table() {
        let check = |account, installed, configured, expected| {
            let found = action(account, installed, configured);
            assert_eq!(found, expected, "{account:?} {installed} {configured:?}");
        };
        let install = |enabled| Some(Action::Install { enabled });
        let switch = |enabled| Some(Action::Switch { enabled });
        for configured in [None, Some(true), Some(false)] {
            check(Some(true), false, configured, install(true));
            check(Some(false), false, configured, install(false));
        }
        check(Some(true), true, Some(true), None);
        check(Some(true), true, Some(false), switch(true));
        check(Some(true), true, None, switch(true));
        check(Some(false), true, Some(false), None);
        check(Some(false), true, Some(true), switch(false));
        check(Some(false), true, None, switch(false));
        check(None, true, None, Some(Action::Uninstall));
        check(None, true, Some(true), Some(Action::Uninstall));
        check(None, false, Some(false), Some(Action::Uninstall));
        check(None, false, None, None);
    }
}
