//! `plugin/uninstall`: the mirror image of an installation.
//!
//! Configuration goes first and files second, so that what a crash could leave is an unused copy and
//! never an enabled plugin without files. A plugin whose marketplace is gone can be removed like any
//! other: nothing is resolved.

use std::collections::BTreeSet;

use plugd_config::Edit;
use plugd_model::PluginId;
use plugd_store::Store;

use crate::call::Call;
use crate::events::{Change, ChangeReason, Events};
use crate::install::STORE_PATIENCE;
use crate::{Blocking, Copies, Error, Lookup};

/// What an uninstallation did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uninstalled {
    /// The plugin.
    pub id: PluginId,
    /// Whether there was anything to remove.
    pub changed: bool,
}

/// Removes a plugin's files and its configuration. Removing what is not there succeeds.
///
/// # Errors
/// The text is no id, or the store or the configuration cannot be written; then everything is as it
/// was.
pub async fn uninstall(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    events: &Events,
    id: String,
) -> Result<Uninstalled, Error> {
    let id = parse(&id)?;
    let (call, lookup, copies, events) =
        (call.clone(), lookup.clone(), copies.clone(), events.clone());
    blocking
        .write(move || {
            let outcome = remove(&call, &lookup, copies.store()?, id)?;
            if outcome.changed {
                let change = Change::new(ChangeReason::Request)
                    .plugin(outcome.id.clone())
                    .config_key(format!("plugins.{}", outcome.id));
                events.changed(change);
            }
            Ok(outcome)
        })
        .await
}

pub(crate) fn remove(
    call: &Call,
    lookup: &Lookup,
    store: &Store,
    id: PluginId,
) -> Result<Uninstalled, Error> {
    let in_store = |source| Error::Store {
        action: "uninstall",
        id: id.clone(),
        source: Box::new(source),
    };
    let mut removal = store
        .uninstall(&id, call.patience(STORE_PATIENCE))
        .map_err(in_store)?;
    let edits = [Edit::remove_plugin(&id)];
    let pending = lookup.begin_edits(&edits)?;
    removal
        .journal_config(pending.undo().to_json())
        .map_err(in_store)?;
    let configured = pending.save()?.changed;
    let removed = removal.commit(&BTreeSet::new()).map_err(in_store)?;
    Ok(Uninstalled {
        changed: configured || removed.was_present,
        id,
    })
}

/// A text that can be neither `name@marketplace` nor the id of a remote plugin is refused; one that
/// could be remote needs the login, in the words that clients of the reference know.
fn parse(text: &str) -> Result<PluginId, Error> {
    if let Ok(id) = PluginId::parse(text) {
        return Ok(id);
    }
    let could_be_remote = !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'~'));
    Err(if could_be_remote {
        Error::LoginRequired {
            action: "resolve remote plugin before uninstall",
        }
    } else {
        Error::BadPluginId {
            id: text.to_owned(),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::Error;

    #[test]
    fn ids() {
        assert_eq!(parse("a.b@m").unwrap().to_string(), "a.b@m");
        for remote in ["bare", "plugins~Plugin_0af"] {
            assert!(
                matches!(parse(remote), Err(Error::LoginRequired { .. })),
                "{remote}"
            );
        }
        for bad in ["", "a@", "a@b.c", "a/b", "a b"] {
            assert!(
                matches!(parse(bad), Err(Error::BadPluginId { .. })),
                "{bad}"
            );
        }
    }
}
