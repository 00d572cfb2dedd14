//! The part of a synchronisation that changes the home: marketplaces first, then each plugin by a
//! transaction of its own. What was done is noted, so that it can be taken back.

use plugd_config::Edit;
use plugd_lockfile::LockedMarketplace;
use plugd_model::{MarketplaceName, PluginId};
use plugd_store::{InstalledBy, Pin};

use crate::call::Call;
use crate::events::{Change, ChangeReason};
use crate::install::STORE_PATIENCE;
use crate::install_job::{Job, failed};
use crate::install_why::Why;
use crate::install_wish::PinWish;
use crate::lock_error::LockError;
use crate::lock_file::LockPlace;
use crate::lock_plan::{MarketplaceStep, PluginStep, What, directory, kind_of};
use crate::lock_stage::{Ready, pin};
use crate::lock_undo::{Done, undo};
use crate::marketplace_add::{AddRequest, add_marketplace, allowed};
use crate::parts::Parts;
use crate::trust::Word;
use crate::{Error, Lookup};

/// Where the content comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// The nearest place that has it, another machine included.
    Online,
    /// This machine.
    Offline,
    /// An archive; of a marketplace only where it is.
    Archive,
}

impl Way {
    /// What is recorded as the reason of an installation.
    pub(crate) fn recorded(self) -> InstalledBy {
        match self {
            Self::Online | Self::Offline => InstalledBy::Lock,
            Self::Archive => InstalledBy::Import,
        }
    }
}

/// Makes the changes. What was done is in `done`, also after a failure.
#[expect(
    clippy::too_many_arguments,
    reason = "everything that was prepared, and where it is noted"
)]
pub(crate) async fn apply(
    call: &Call,
    parts: &Parts,
    place: &LockPlace,
    adds: Vec<MarketplaceStep>,
    steps: Vec<PluginStep>,
    ready: Vec<Ready>,
    way: Way,
    done: &mut Vec<Done>,
) -> Result<(), Error> {
    for step in adds {
        let added = match way {
            Way::Archive => configure(call, parts, place, step.clone()).await?,
            Way::Offline | Way::Online => add(call, parts, place, &step, way).await?,
        };
        if added {
            done.push(Done::Added(step.name));
        }
    }
    let (of, place) = (parts.clone(), place.clone());
    let call = call.clone();
    let section = parts.blocking.write(move || {
        let mut noted = Vec::new();
        let outcome = apply_plugins(&call, &of, &place, (steps, ready), &mut noted);
        Ok((noted, outcome))
    });
    let (noted, outcome) = section.await?;
    done.extend(noted);
    outcome
}

/// Configures a marketplace under its own name. Answers whether it was not there before: what
/// somebody else has added meanwhile is his.
async fn add(
    call: &Call,
    parts: &Parts,
    place: &LockPlace,
    step: &MarketplaceStep,
    way: Way,
) -> Result<bool, Error> {
    let none = || (None, Vec::new());
    let (source, (ref_name, sparse_paths)) = match &step.wanted {
        LockedMarketplace::Local(location) => (directory(place, location).to_text(), none()),
        LockedMarketplace::Packed(_) if way == Way::Offline => return Err(not_here(step)),
        LockedMarketplace::Packed(origin) => (origin.to_string(), none()),
        LockedMarketplace::Git {
            url,
            ref_name,
            sparse_paths,
        } => {
            if way == Way::Offline {
                return Err(not_here(step));
            }
            (url.clone(), (ref_name.clone(), sparse_paths.clone()))
        }
        LockedMarketplace::Curated => return Ok(false),
    };
    let request = AddRequest {
        source,
        ref_name,
        sparse_paths,
        cwd: place.project.clone(),
    };
    let Parts {
        blocking,
        lookup,
        copies,
        fetcher,
        events,
        ..
    } = parts;
    let added = add_marketplace(call, blocking, lookup, copies, fetcher, events, request).await?;
    if added.name == step.name {
        return Ok(!added.already_added);
    }
    if !added.already_added {
        // It is there now, and it is not the one that was meant.
        undo(call, parts, vec![Done::Added(added.name.clone())]).await;
    }
    let found = added.name;
    Err(LockError::Renamed {
        name: step.name.to_string(),
        found: found.to_string(),
    }
    .into())
}

/// Nobody may be asked for it.
fn not_here(step: &MarketplaceStep) -> Error {
    let missing = vec![format!("the marketplace `{}`", step.name)];
    LockError::Offline { missing }.into()
}

/// Writes the row of a marketplace, and looks for nothing there: it may be on no machine that can be
/// reached. Answers whether there was none before.
async fn configure(
    call: &Call,
    parts: &Parts,
    place: &LockPlace,
    step: MarketplaceStep,
) -> Result<bool, Error> {
    let (call, lookup, place) = (call.clone(), parts.lookup.clone(), place.clone());
    let section = move || {
        let name = &step.name;
        let Some(kind) = kind_of(lookup.layout(), name, &place, &step.wanted) else {
            return Ok(false);
        };
        let config = lookup.config(None);
        allowed(&config, name.as_str(), &kind)?;
        let mut rows = config.marketplaces().iter();
        match rows.rfind(|row| row.key == name.as_str()) {
            Some(row) if row.kind == kind => Ok(false),
            // Somebody has added another one since it was planned.
            Some(_) => Err(Error::from(LockError::Contested {
                path: lookup.layout().user_config(),
            })),
            None => {
                lookup.write_edits(&call, &Edit::set_marketplace(name.as_str(), &kind))?;
                Ok(true)
            }
        }
    };
    parts.blocking.write(section).await
}

fn apply_plugins(
    call: &Call,
    parts: &Parts,
    place: &LockPlace,
    (steps, ready): (Vec<PluginStep>, Vec<Ready>),
    done: &mut Vec<Done>,
) -> Result<(), Error> {
    for one in ready {
        put(call, parts, one, done)?;
    }
    for step in steps {
        match step.what {
            What::Install | What::Move | What::Replace => {}
            What::Nothing if !step.switches_on => {}
            What::Nothing | What::Pin => hold(call, parts, place, step, done)?,
        }
    }
    Ok(())
}

/// Puts a staged plugin into its place.
fn put(call: &Call, parts: &Parts, ready: Ready, done: &mut Vec<Done>) -> Result<(), Error> {
    let Ready {
        step,
        subject,
        pin,
        by,
        staged,
        ..
    } = ready;
    let job = Job {
        subject,
        why: Why::Lock {
            pin: &pin,
            switches_on: step.switches_on,
            by,
            // That was asked when it was staged.
            word: Word::Lock,
        },
        pin: PinWish::Keep,
        standing: step.standing.clone(),
    };
    match staged {
        Some(staged) => {
            job.activate(call, &parts.lookup, &parts.copies, *staged)?;
            done.push(Done::Put(Box::new(step)));
            Ok(())
        }
        None => set(call, parts, step, pin, done),
    }
}

/// Holds a copy that is what the lock says.
fn hold(
    call: &Call,
    parts: &Parts,
    place: &LockPlace,
    step: PluginStep,
    done: &mut Vec<Done>,
) -> Result<(), Error> {
    let record = step.standing.record.as_ref();
    let digest = record.map_or(step.wanted.tree_digest, |record| record.tree_digest);
    let pin = Pin {
        // The same content may have come from another commit, and that is the one that stands there.
        commit: record.and_then(|record| record.commit.clone()),
        ..pin(place, &step, digest)
    };
    set(call, parts, step, pin, done)
}

fn set(
    call: &Call,
    parts: &Parts,
    step: PluginStep,
    pin: Pin,
    done: &mut Vec<Done>,
) -> Result<(), Error> {
    let (id, standing) = (&step.id, &step.standing);
    if step.switches_on {
        switch_on(call, &parts.lookup, id)?;
        done.push(Done::SwitchedOn(id.clone()));
    }
    if standing.pin() != Some(&pin) {
        let store = parts.copies.store()?;
        store
            .set_pin(id, Some(pin), &standing.seen, call.patience(STORE_PATIENCE))
            .map_err(|error| failed(id, error))?;
        done.push(Done::Held(Box::new(step)));
    }
    Ok(())
}

fn switch_on(call: &Call, lookup: &Lookup, id: &PluginId) -> Result<(), Error> {
    lookup.write_edits(call, &[Edit::set_plugin_enabled(id, true)])?;
    Ok(())
}

/// One message for everything.
pub(crate) fn tell(parts: &Parts, done: &[Done]) {
    let mut change = Change::new(ChangeReason::Sync);
    for one in done {
        change = match one {
            Done::Added(name) => of_marketplace(change, name),
            Done::Put(step) if step.switches_on => of_plugin(change, &step.id, true),
            Done::Put(step) | Done::Held(step) => of_plugin(change, &step.id, false),
            Done::SwitchedOn(id) => of_plugin(change, id, true),
        };
    }
    if !change.is_everything() {
        parts.events.changed(change);
    }
}

fn of_marketplace(change: Change, name: &MarketplaceName) -> Change {
    change
        .marketplace(name.clone())
        .config_key(format!("marketplaces.{name}"))
}

fn of_plugin(change: Change, id: &PluginId, configured: bool) -> Change {
    let change = change.plugin(id.clone());
    match configured {
        true => change.config_key(format!("plugins.{id}")),
        false => change,
    }
}
