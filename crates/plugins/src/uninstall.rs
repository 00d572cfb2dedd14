//! `plugin/uninstall`: the mirror image of an installation.
//!
//! Configuration goes first and files second, so that what a crash could leave is an unused copy and
//! never an enabled plugin without files. A plugin whose marketplace is gone can be removed like any
//! other: nothing is resolved. One of the remote catalog takes its own way, because the account is told.

use std::collections::BTreeSet;

use plugd_config::Edit;
use plugd_disk::Unsynced;
use plugd_model::{AbsPath, PluginId, RemoteMarketplace, RemotePluginId};
use plugd_store::{PendingRemoval, Seen, Store, StoreError};

use crate::call::Call;
use crate::events::{Change, ChangeReason};
use crate::install::STORE_PATIENCE;
use crate::marketplace_add::CONFIG_PATIENCE;
use crate::parts::Parts;
use crate::remote_error::RemoteError;
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
    let (call, of) = (call.clone(), parts.clone());
    let section = parts.blocking.write(move || {
        let mut outcome = remove(&call, &of.lookup, of.copies.store()?, id.clone())?;
        outcome.linked = of.lookup.links().of_plugin(&id).cloned();
        if outcome.changed {
            let key = format!("plugins.{id}");
            let change = Change::new(ChangeReason::Request).plugin(id);
            of.events.changed(change.config_key(key));
        }
        Ok(outcome)
    });
    section.await
}

/// Removes files and configuration.
pub(crate) fn remove(
    call: &Call,
    lookup: &Lookup,
    store: &Store,
    id: PluginId,
) -> Result<Uninstalled, Error> {
    let begun = store.uninstall(&id, call.patience(STORE_PATIENCE));
    finish(call, lookup, id, begun)
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
    finish(call, lookup, id, begun)
}

fn finish(
    call: &Call,
    lookup: &Lookup,
    id: PluginId,
    begun: Result<PendingRemoval, StoreError>,
) -> Result<Uninstalled, Error> {
    let in_store = |source| Error::Store {
        action: "uninstall",
        id: id.clone(),
        source: Box::new(source),
    };
    let mut removal = begun.map_err(in_store)?;
    let edits = [Edit::remove_plugin(&id)];
    let mut edit = lookup.begin_edits(call, &edits, None)?;
    let mut written = Unsynced::default();
    edit.stage(&mut written)?;
    removal
        .journal_config(edit.undo().to_json(), written)
        .map_err(in_store)?;
    let patience = call.patience(CONFIG_PATIENCE);
    let saved = edit.save(patience, removal.unsynced())?;
    let configured = saved.written().changed;
    let removed = removal.commit(&BTreeSet::new()).map_err(in_store)?;
    saved.settle(call.patience(CONFIG_PATIENCE))?;
    Ok(Uninstalled {
        changed: configured || removed.iter().any(|one| one.was_present),
        id: Some(id),
        remote_id: None,
        linked: None,
    })
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
