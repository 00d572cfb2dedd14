//! `plugd/pin`: what an installed plugin must stay at.
//!
//! A pin names what is installed, so that it never says something that is not there. What brings
//! another version, a rollback or an installation that names one, sets the pin with it.

use plugd_model::PluginId;
use plugd_store::{Installed, Pin, Record};

use crate::Error;
use crate::call::Call;
use crate::install::STORE_PATIENCE;
use crate::parts::Parts;
use crate::standing::Standing;
use crate::version_change::{VersionChange, VersionChanges, VersionName, VersionReason};
use crate::version_error::VersionRefusal;
use crate::version_step::one_change;
use crate::versions::{begins_with, is_digest, named};

/// What to pin to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PinTo {
    /// Exactly what is installed.
    Installed,
    /// The version, whatever content its source has under it.
    Version(String),
    /// The commit, or the exact release of a registry.
    Commit(String),
    /// The content.
    Digest(String),
    /// Nothing: the pin goes.
    None,
}

/// Sets or removes the pin of an installed plugin.
///
/// # Errors
/// The plugin is not installed, nothing is recorded of its copy, it is not what the request names, or
/// the record cannot be written.
pub async fn pin(
    call: &Call,
    parts: &Parts,
    id: PluginId,
    to: PinTo,
    dry_run: bool,
) -> Result<VersionChanges, Error> {
    let (of_step, named) = (call.clone(), id.clone());
    one_change(call, parts, id, dry_run, move |of| {
        step(&of_step, of, &named, &to, dry_run)
    })
    .await
}

fn step(
    call: &Call,
    parts: &Parts,
    id: &PluginId,
    to: &PinTo,
    dry_run: bool,
) -> Result<VersionChange, Error> {
    let failed = |source| Error::Store {
        action: "pin",
        id: id.clone(),
        source: Box::new(source),
    };
    let store = parts.copies.store()?;
    let standing = Standing::of(store, id).map_err(failed)?;
    let Some(copy) = &standing.copy else {
        return Err(Error::NotInstalled { id: id.clone() });
    };
    let before = standing.pin().cloned();
    let pin = match (to, copy.provenance_record()) {
        (PinTo::None, _) => None,
        (to, Some(record)) => Some(wanted(id, to, copy, record)?),
        (_, None) => {
            return Err(failed(plugd_store::StoreError::NotRecorded {
                id: id.clone(),
            }));
        }
    };
    let changed = pin != before;
    if changed && !dry_run {
        let patience = call.patience(STORE_PATIENCE);
        store
            .set_pin(id, pin.clone(), &standing.seen, patience)
            .map_err(failed)?;
    }
    let name = |pin: &Option<Pin>| pin.as_ref().map_or_else(VersionName::default, name_of);
    Ok(VersionChange {
        id: id.clone(),
        from: name(&before),
        to: name(&pin),
        changed,
        reason: match (changed, &pin) {
            (false, _) => VersionReason::Current,
            (true, Some(_)) => VersionReason::Pinned,
            (true, None) => VersionReason::Unpinned,
        },
        pin,
        growth: None,
        problems: Vec::new(),
    })
}

fn name_of(pin: &Pin) -> VersionName {
    VersionName {
        version: Some(pin.version.to_string()),
        commit: pin.commit.clone(),
        digest: pin.tree_digest,
    }
}

/// The pin that a request means, which must be what is installed.
fn wanted(id: &PluginId, to: &PinTo, copy: &Installed, record: &Record) -> Result<Pin, Error> {
    let version = copy.version.clone();
    let refused = |field, wanted: &str, installed: String| {
        Err(VersionRefusal::NotInstalledAs {
            id: id.clone(),
            field,
            wanted: wanted.to_owned(),
            installed,
        }
        .into())
    };
    let (commit, tree_digest) = match to {
        PinTo::None | PinTo::Installed => (record.commit.clone(), Some(record.tree_digest)),
        PinTo::Version(wanted) if wanted == version.as_str() => (None, None),
        PinTo::Version(wanted) => return refused("version", wanted, version.to_string()),
        PinTo::Commit(wanted) => match &record.commit {
            Some(commit) if begins_with(wanted, Some(commit)) => (Some(commit.clone()), None),
            Some(commit) => return refused("commit", wanted, commit.clone()),
            None => return refused("commit", wanted, format!("{version}, of no known commit")),
        },
        PinTo::Digest(wanted) if is_digest(wanted, record.tree_digest) => {
            (None, Some(record.tree_digest))
        }
        PinTo::Digest(wanted) => {
            return refused("digest", wanted, named(&version, &record.tree_digest));
        }
    };
    Ok(Pin {
        version,
        commit,
        tree_digest,
        locks: Vec::new(),
    })
}
