//! `marketplace/remove`: takes a marketplace out of the user's configuration.
//!
//! Its installed plugins stay installed; `plugin/installed` shows them as orphans.

use plugd_config::Edit;
use plugd_disk::tree;
use plugd_model::{AbsPath, MarketplaceName};

use crate::call::Call;
use crate::events::{Change, ChangeReason, Events};
use crate::marketplace_add::CONFIG_PATIENCE;
use crate::{Blocking, Error, Lookup};

/// What was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// Its name.
    pub name: MarketplaceName,
    /// The checkout that was deleted; absent for a local marketplace.
    pub root: Option<AbsPath>,
}

/// Removes a marketplace.
///
/// # Errors
/// The name is no name, or nothing is configured or checked out under it.
pub async fn remove_marketplace(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    events: &Events,
    name: String,
) -> Result<Removed, Error> {
    let (call, lookup, events) = (call.clone(), lookup.clone(), events.clone());
    blocking
        .write(move || {
            let removed = remove(&call, &lookup, &name)?;
            let change = Change::new(ChangeReason::Request)
                .marketplace(removed.name.clone())
                .config_key(format!("marketplaces.{}", removed.name));
            events.changed(change);
            Ok(removed)
        })
        .await
}

fn remove(call: &Call, lookup: &Lookup, text: &str) -> Result<Removed, Error> {
    let name = MarketplaceName::new(text).map_err(|error| Error::BadValue {
        field: "marketplaceName",
        reason: error.to_string(),
    })?;
    let disk = lookup.disk();
    let config = lookup.config(None);
    let rows = config.user_layer().content.get("marketplaces");
    let configured = rows.is_some_and(|rows| rows.get(name.as_str()).is_some());
    let checkout = lookup.layout().git_marketplace(&name);
    let checked_out = disk.link_stamp(&checkout)?.is_some();
    if !configured && !checked_out {
        let other_case = config
            .marketplaces()
            .iter()
            .map(|row| row.key.clone())
            .find(|key| key.eq_ignore_ascii_case(text));
        return Err(Error::NotConfigured {
            name: text.to_owned(),
            other_case,
        });
    }
    // Configuration first: a checkout that nothing names is only an orphan directory.
    if configured {
        let edits = [Edit::remove_marketplace(name.as_str())];
        lookup.write_edits(&edits, call.patience(CONFIG_PATIENCE))?;
    }
    if checked_out {
        call.cancel.seal()?;
        tree::remove_tree(disk, &checkout)?;
    }
    Ok(Removed {
        name,
        root: checked_out.then_some(checkout),
    })
}
