//! `marketplace/remove`: takes a marketplace out of the user's configuration.
//!
//! Its installed plugins stay installed unless they are to go too. Those that stay and have no
//! marketplace from then on are named in the answer: nothing stays active without being seen.

use plugd_config::Edit;
use plugd_disk::tree;
use plugd_model::{AbsPath, MarketplaceName, PluginId};

use crate::call::Call;
use crate::events::{Change, ChangeReason, Events};
use crate::marketplace_add::CONFIG_PATIENCE;
use crate::survey::Survey;
use crate::{Blocking, Copies, Error, Lookup, Roots, checkout, uninstall};

/// What to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoveRequest {
    /// The marketplace, as it is configured.
    pub name: String,
    /// What becomes of its plugins.
    pub plugins: Leftovers,
}

/// What becomes of installed plugins that have no marketplace any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leftovers {
    /// They stay, as orphans.
    Stay,
    /// They are uninstalled.
    Go,
}

/// What was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// Its name.
    pub name: MarketplaceName,
    /// The checkout that was deleted; absent for a local marketplace.
    pub root: Option<AbsPath>,
    /// Plugins that stay installed and have no marketplace from now on.
    pub orphans: Vec<PluginId>,
    /// Plugins that were uninstalled with it.
    pub uninstalled: Vec<PluginId>,
}

/// Removes a marketplace.
///
/// # Errors
/// The name is no name, or nothing is configured or checked out under it. Where plugins are to go
/// and one of them cannot, the marketplace and the others are gone, and the error names it.
pub async fn remove_marketplace(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    events: &Events,
    request: RemoveRequest,
) -> Result<Removed, Error> {
    let (call, lookup, copies, events) =
        (call.clone(), lookup.clone(), copies.clone(), events.clone());
    blocking
        .write(move || {
            let (name, root) = remove(&call, &lookup, &request.name)?;
            let mut change = Change::new(ChangeReason::Request)
                .marketplace(name.clone())
                .config_key(format!("marketplaces.{name}"));
            let mut uninstalled = Vec::new();
            let left = orphans_of(&lookup, &copies, &name);
            let settled = left.and_then(|left| match request.plugins {
                Leftovers::Stay => Ok(left),
                Leftovers::Go => {
                    for id in left {
                        uninstall::remove(&call, &lookup, copies.store()?, id.clone())?;
                        uninstalled.push(id);
                    }
                    Ok(Vec::new())
                }
            });
            for id in &uninstalled {
                change = change
                    .plugin(id.clone())
                    .config_key(format!("plugins.{id}"));
            }
            // Told also when a plugin could not go: the marketplace and others are gone.
            events.changed(change);
            Ok(Removed {
                name,
                root,
                orphans: settled?,
                uninstalled,
            })
        })
        .await
}

fn remove(
    call: &Call,
    lookup: &Lookup,
    text: &str,
) -> Result<(MarketplaceName, Option<AbsPath>), Error> {
    let name = MarketplaceName::new(text).map_err(|error| Error::BadValue {
        field: "marketplaceName",
        reason: error.to_string(),
    })?;
    let disk = lookup.disk();
    let config = lookup.config(None);
    let rows = config.user_layer().content.get("marketplaces");
    let configured = rows.is_some_and(|rows| rows.get(name.as_str()).is_some());
    let place = lookup.layout().git_marketplace(&name);
    let is_there = disk.link_stamp(&place)?.is_some();
    if !configured && !is_there {
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
    // Nobody puts a checkout into the place meanwhile.
    let _lock = match is_there {
        true => Some(checkout::lock(call, lookup)?),
        false => None,
    };
    // Configuration first: a checkout that nothing names is only an orphan directory.
    if configured {
        let edits = [Edit::remove_marketplace(name.as_str())];
        lookup.write_edits(&edits, call.patience(CONFIG_PATIENCE))?;
    }
    if is_there {
        call.cancel.seal()?;
        tree::remove_tree(disk, &place)?;
    }
    Ok((name, is_there.then_some(place)))
}

/// The installed plugins of this name that nothing offers any more.
fn orphans_of(
    lookup: &Lookup,
    copies: &Copies,
    name: &MarketplaceName,
) -> Result<Vec<PluginId>, Error> {
    let resolved = lookup.resolve_ungated(&Roots::default());
    let differing = std::collections::BTreeSet::new();
    let survey = Survey::new(lookup, copies.store()?, &resolved, &differing)?;
    let orphans = survey.orphans().into_iter();
    Ok(orphans
        .map(|(copy, _)| copy.id.clone())
        .filter(|id| id.marketplace == *name)
        .collect())
}
