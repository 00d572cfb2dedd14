//! `plugin/uninstall`: the mirror image of an installation.
//!
//! Configuration goes first and files second, so that what a crash could leave is an unused copy and
//! never an enabled plugin without files. A plugin whose marketplace is gone can be removed like any
//! other: nothing is resolved. One of the remote catalog takes its own way, because the account is told.

use std::collections::BTreeSet;

use plugd_config::Edit;
use plugd_disk::Unsynced;
use plugd_model::{AbsPath, PluginId, RemoteMarketplace, RemotePluginId};
use plugd_store::{Held, PendingRemoval, Seen, Store, StoreError};

use crate::call::Call;
use crate::gathering::TOGETHER;
use crate::install::STORE_PATIENCE;
use crate::marketplace_add::CONFIG_PATIENCE;
use crate::parts::Parts;
use crate::remote_error::RemoteError;
use crate::removals::remove_with_others;
use crate::{Error, Lookup, remote_uninstall};

/// What an uninstallation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uninstalled {
    /// The plugin; nothing when it was asked for by an id of the remote catalog that no name is known
    /// for.
    pub id: Option<PluginId>,
    /// Its id in the remote catalog, when the account was told.
    pub remote_id: Option<RemotePluginId>,
    /// Whether there was anything to remove.
    pub changed: bool,
    /// The working tree that stands in for the plugin, and goes on doing so.
    pub linked: Option<AbsPath>,
}

/// Removes a plugin's files and its configuration, and tells the account when the plugin is of the
/// remote catalog. Removing what is not there succeeds.
///
/// # Errors
/// The text is no id, the service refuses or cannot be asked, or the store or the configuration cannot
/// be written; then everything is as it was.
pub async fn uninstall(call: &Call, parts: &Parts, id: String) -> Result<Uninstalled, Error> {
    let id = match parse(&id)? {
        Asked::Remote(id) => return remote_uninstall::by_id(call, parts, id).await,
        Asked::Named(id) => id,
    };
    if RemoteMarketplace::of_name(id.marketplace.as_str()).is_some() {
        return remote_uninstall::by_name(call, parts, id).await;
    }
    let of = (&parts.blocking, &parts.lookup, &parts.copies);
    remove_with_others(call, of, &parts.events, id).await
}

/// Removes files and configuration.
pub(crate) fn remove(
    call: &Call,
    lookup: &Lookup,
    store: &Store,
    id: PluginId,
) -> Result<Uninstalled, Error> {
    let begun = store.uninstall(&id, call.patience(STORE_PATIENCE));
    finish_one(call, lookup, id, begun)
}

/// Plugins that have gone.
pub(crate) struct Gone {
    /// In their order.
    pub(crate) outcomes: Vec<Uninstalled>,
    /// Whether the edit of the configuration is there. It may be lost when another program was writing the
    /// file and it cannot be made again.
    pub(crate) settled: Result<(), Error>,
}

/// The same of several plugins: all of them or none. `held` is the store's lock, and each plugin is named
/// once.
pub(crate) fn remove_together(
    call: &Call,
    lookup: &Lookup,
    store: &Store,
    held: Held,
    ids: &[&PluginId],
) -> Result<Gone, Error> {
    let begun = store.uninstall_together(held, ids);
    finish(call, lookup, ids, begun)
}

/// Removes several plugins: together where they go so, else one after the other. Tells which went before
/// one did not.
pub(crate) fn remove_several(
    call: &Call,
    lookup: &Lookup,
    store: &Store,
    ids: &[PluginId],
) -> (Vec<Uninstalled>, Result<(), Error>) {
    let mut gone = Vec::new();
    for ids in ids.chunks(TOGETHER) {
        let held = store.hold_all(call.patience(STORE_PATIENCE)).ok();
        let together = held.and_then(|held| {
            let ids: Vec<_> = ids.iter().collect();
            remove_together(call, lookup, store, held, &ids).ok()
        });
        if let Some(Gone {
            outcomes,
            settled: Ok(()),
        }) = together
        {
            gone.extend(outcomes);
            continue;
        }
        for id in ids {
            match remove(call, lookup, store, id.clone()) {
                Ok(one) => gone.push(one),
                Err(error) => return (gone, Err(error)),
            }
        }
    }
    (gone, Ok(()))
}

/// The same for what was decided on a look: whoever has done something with the plugin since has the
/// say.
pub(crate) fn remove_seen(
    call: &Call,
    lookup: &Lookup,
    store: &Store,
    id: PluginId,
    seen: &Seen,
) -> Result<Uninstalled, Error> {
    let begun = store.uninstall_seen(&id, seen, call.patience(STORE_PATIENCE));
    finish_one(call, lookup, id, begun)
}

fn finish_one(
    call: &Call,
    lookup: &Lookup,
    id: PluginId,
    begun: Result<PendingRemoval, StoreError>,
) -> Result<Uninstalled, Error> {
    let Gone { outcomes, settled } = finish(call, lookup, &[&id], begun)?;
    settled?;
    let changed = outcomes.iter().any(|outcome| outcome.changed);
    let linked = outcomes.into_iter().find_map(|outcome| outcome.linked);
    Ok(Uninstalled {
        id: Some(id),
        remote_id: None,
        changed,
        linked,
    })
}

/// From the store's lock to the end: the edit of the configuration, the files, and both for good.
fn finish(
    call: &Call,
    lookup: &Lookup,
    ids: &[&PluginId],
    begun: Result<PendingRemoval, StoreError>,
) -> Result<Gone, Error> {
    let in_store = |source| failed(ids[0], source);
    let mut removal = begun.map_err(in_store)?;
    let edits: Vec<_> = ids.iter().map(|id| Edit::remove_plugin(id)).collect();
    let mut edit = lookup.begin_edits(call, &edits, None)?;
    let mut written = Unsynced::default();
    edit.stage(&mut written)?;
    removal
        .journal_config(edit.undo().to_json(), written)
        .map_err(in_store)?;
    let patience = call.patience(CONFIG_PATIENCE);
    let saved = edit.save(patience, removal.unsynced())?;
    let before = saved.written().before.iter();
    let configured: Vec<_> = before.map(|(_, value)| value.is_some()).collect();
    let removed = removal.commit(&BTreeSet::new()).map_err(in_store)?;
    let settled = saved.settle(call.patience(CONFIG_PATIENCE));
    let links = lookup.links();
    let outcomes = ids.iter().zip(configured.into_iter().zip(removed));
    let outcomes = outcomes.map(|(id, (configured, removed))| Uninstalled {
        changed: configured || removed.was_present,
        id: Some((*id).clone()),
        remote_id: None,
        linked: links.of_plugin(id).cloned(),
    });
    Ok(Gone {
        outcomes: outcomes.collect(),
        settled: settled.map_err(Error::from),
    })
}

pub(crate) fn failed(id: &PluginId, source: StoreError) -> Error {
    Error::Store {
        action: "uninstall",
        id: id.clone(),
        source: Box::new(source),
    }
}

/// What a text names.
#[derive(Debug)]
enum Asked {
    /// A plugin by its name here.
    Named(PluginId),
    /// A plugin by its id in the remote catalog.
    Remote(RemotePluginId),
}

/// A text that can be neither `name@marketplace` nor the id of a remote plugin is refused.
fn parse(text: &str) -> Result<Asked, Error> {
    if let Ok(id) = PluginId::parse(text) {
        return Ok(Asked::Named(id));
    }
    let remote = RemotePluginId::parse(text);
    remote.map(Asked::Remote).map_err(|_| {
        let id = text.to_owned();
        RemoteError::NeitherId { id }.into()
    })
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::{Asked, parse};
    use crate::Error;
    use crate::remote_error::RemoteError;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = match parse(text) {
            Ok(Asked::Named(id)) => format!("named {id}"),
            Ok(Asked::Remote(id)) => format!("remote {id}"),
            Err(Error::Remote(RemoteError::NeitherId { .. })) => "bad".to_owned(),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn ids() {
        check("a.b@m", "named a.b@m");
        check("a@openai-curated-remote", "named a@openai-curated-remote");
        check("bare", "remote bare");
        check("plugins~Plugin_0af", "remote plugins~Plugin_0af");
        for bad in ["", "a@", "a@b.c", "a/b", "a b", "a.b", "a%2f"] {
            check(bad, "bad");
        }
    }
}
