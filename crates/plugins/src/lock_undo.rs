//! The way back of a synchronisation that failed half-way: every part by the same transactions that
//! made it, in the opposite order.
//!
//! What cannot be taken back is named, and never hidden.

use std::collections::BTreeSet;

use plugd_config::Edit;
use plugd_model::{MarketplaceName, PluginId, error_chain};
use plugd_store::{BoundSource, InstalledBy, Kept, NewInstall, PinChange, Retention};

use crate::call::Call;
use crate::install::STORE_PATIENCE;
use crate::install_job::failed;
use crate::lock_plan::PluginStep;
use crate::marketplace_remove::{Leftovers, RemoveRequest, remove_marketplace};
use crate::parts::Parts;
use crate::standing::Standing;
use crate::uninstall;
use crate::{Error, Lookup};

/// Something that was done.
#[derive(Debug)]
pub(crate) enum Done {
    /// A marketplace was added.
    Added(MarketplaceName),
    /// A plugin took its place.
    Put(Box<PluginStep>),
    /// A plugin is held where it is.
    Held(Box<PluginStep>),
    /// A plugin was switched on.
    SwitchedOn(PluginId),
}

/// Takes everything back. Answers what could not be.
pub(crate) async fn undo(call: &Call, parts: &Parts, done: Vec<Done>) -> Vec<String> {
    // What was asked for is over; its way back is not.
    let call = Call {
        id: call.id.clone(),
        ..Call::detached()
    };
    let mut left = Vec::new();
    for one in done.into_iter().rev() {
        let what = match &one {
            Done::Added(name) => format!("the marketplace `{name}` is configured"),
            Done::Put(step) => format!("`{}` is {}", step.id, step.wanted.version),
            Done::Held(step) => format!("`{}` is pinned", step.id),
            Done::SwitchedOn(id) => format!("`{id}` is switched on"),
        };
        let taken = match one {
            Done::Added(name) => remove(&call, parts, &name).await,
            Done::Put(step) => {
                let (call, of) = (call.clone(), parts.clone());
                let back = move || put_back(&call, &of, &step);
                parts.blocking.write(back).await
            }
            Done::Held(step) => {
                let (call, of) = (call.clone(), parts.clone());
                let back = move || release(&call, &of, &step);
                parts.blocking.write(back).await
            }
            Done::SwitchedOn(id) => {
                let (call, of) = (call.clone(), parts.clone());
                let back = move || forget(&call, &of.lookup, &id);
                parts.blocking.write(back).await
            }
        };
        if let Err(error) = taken {
            tracing::error!(
                "what a lock did cannot be taken back: {}",
                error_chain(&error)
            );
            left.push(what);
        }
    }
    left
}

async fn remove(call: &Call, parts: &Parts, name: &MarketplaceName) -> Result<(), Error> {
    let Parts {
        blocking,
        lookup,
        copies,
        events,
        ..
    } = parts;
    let request = RemoveRequest {
        name: name.to_string(),
        plugins: Leftovers::Stay,
    };
    remove_marketplace(call, blocking, lookup, copies, events, request).await?;
    Ok(())
}

/// The copy that was replaced comes back with its record's words and its pin, or goes when there was
/// none.
fn put_back(call: &Call, parts: &Parts, step: &PluginStep) -> Result<(), Error> {
    let id = &step.id;
    let store = parts.copies.store()?;
    let now = Standing::of(store, id).map_err(|error| failed(id, error))?;
    let is_ours = now.record.as_ref().is_some_and(|record| {
        record.version == step.wanted.version
            && record.source_digest == Some(step.wanted.source_digest)
    });
    if !is_ours {
        // Somebody has put something else there since, which is his.
        return Ok(());
    }
    let not_there = || Error::NotInstalled { id: id.clone() };
    let Some(before) = &step.standing.copy else {
        return match (&step.standing.record, step.switches_on) {
            // What was recorded of a copy that was gone would go with this one.
            (Some(_), _) => Err(not_there()),
            (None, true) => uninstall::remove(call, &parts.lookup, store, id.clone()).map(drop),
            (None, false) => {
                let patience = call.patience(STORE_PATIENCE);
                let begun = store.uninstall_seen(id, &now.seen, patience);
                let removed = begun.and_then(|removal| removal.commit(&BTreeSet::new()));
                removed.map(drop).map_err(|error| failed(id, error))
            }
        };
    };
    let versions = store.kept_versions(id).map_err(|error| failed(id, error))?;
    let digest = before.provenance_record().map(|record| record.tree_digest);
    let is_it = |kept: &Kept| match digest {
        Some(digest) => kept.tree_digest == digest,
        None => kept.version == before.version && kept.origin.is_none(),
    };
    let kept = versions.into_iter().map(|(kept, _)| kept).find(is_it);
    let (Some(kept), Some(record)) = (kept, &now.record) else {
        return Err(not_there());
    };
    let origin = kept.origin.clone().unwrap_or_else(|| record.origin());
    let begun = store.begin(id);
    let staged = begun.and_then(|transaction| transaction.stage_kept(&kept, call));
    let new = NewInstall {
        version: kept.version.clone(),
        source: origin.source,
        commit: origin.commit,
        by: kept.origin.map_or(InstalledBy::Adopted, |origin| origin.by),
        pin: match step.standing.pin() {
            Some(pin) => PinChange::Set(pin.clone()),
            None => PinChange::Clear,
        },
        remote_id: match &origin.bound {
            BoundSource::Remote { id } => Some(id.clone()),
            BoundSource::Manifest(_)
            | BoundSource::Git { .. }
            | BoundSource::Packed(_)
            | BoundSource::Curated => None,
        },
        bound: origin.bound,
        repaired_from: None,
    };
    let retention = Retention {
        // What goes again is kept too, and must not take the place of what was kept before.
        keep: parts.lookup.config(None).settings().keep_versions + 1,
        protected: BTreeSet::new(),
    };
    let patience = call.patience(STORE_PATIENCE);
    let activated = staged.and_then(|staged| staged.activate(new, &now.seen, &retention, patience));
    let committed = activated.and_then(|activated| activated.commit());
    committed.map_err(|error| failed(id, error))?;
    match step.switches_on {
        true => forget(call, &parts.lookup, id),
        false => Ok(()),
    }
}

fn release(call: &Call, parts: &Parts, step: &PluginStep) -> Result<(), Error> {
    let id = &step.id;
    let store = parts.copies.store()?;
    let seen = store.seen(id).map_err(|error| failed(id, error))?;
    let pin = step.standing.pin().cloned();
    let patience = call.patience(STORE_PATIENCE);
    let set = store.set_pin(id, pin, &seen, patience);
    set.map(drop).map_err(|error| failed(id, error))
}

fn forget(call: &Call, lookup: &Lookup, id: &PluginId) -> Result<(), Error> {
    lookup.write_edits(call, &[Edit::remove_plugin(id)])?;
    Ok(())
}
