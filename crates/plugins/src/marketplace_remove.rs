//! `marketplace/remove`: takes a marketplace out of the user's configuration.
//!
//! Its installed plugins stay installed unless they are to go too. Those that stay and have no
//! marketplace from then on are named in the answer: nothing stays active without being seen.

use plugd_config::{Edit, Snapshot, WriteError};
use plugd_model::{AbsPath, MarketplaceName, PluginId};

use crate::call::Call;
use crate::differing::Differing;
use crate::events::{Change, ChangeReason, Events};
use crate::survey::Survey;
use crate::uninstall::remove_several;
use crate::{Blocking, Copies, Error, Lookup, Roots, checkout};

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
    /// The files that were deleted; absent for a local marketplace.
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
/// and one of them cannot, the marketplace and the others are gone, and the error names it; the same
/// request again then finishes the work.
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
            let name = MarketplaceName::new(&request.name).map_err(|error| Error::BadValue {
                field: "marketplaceName",
                reason: error.to_string(),
            })?;
            let mut change = Change::new(ChangeReason::Request);
            let (root, left) = match remove(&call, &lookup, &copies, &name) {
                Ok(root) => {
                    change = change
                        .marketplace(name.clone())
                        .config_key(format!("marketplaces.{name}"));
                    (root, orphans_of(&lookup, &copies, &name, request.plugins))
                }
                // Of an earlier request that removed the marketplace and could not remove them.
                Err(error @ Error::NotConfigured { .. }) if request.plugins == Leftovers::Go => {
                    let left = orphans_of(&lookup, &copies, &name, request.plugins)?;
                    if left.is_empty() {
                        return Err(error);
                    }
                    (None, Ok(left))
                }
                Err(error) => return Err(error),
            };
            let mut uninstalled = Vec::new();
            let settled = left.and_then(|left| match request.plugins {
                Leftovers::Stay => Ok(left),
                Leftovers::Go => {
                    let store = copies.store()?;
                    let (gone, ended) = remove_several(&call, &lookup, store, &left);
                    uninstalled.extend(gone.into_iter().filter_map(|one| one.id));
                    ended.map(|()| Vec::new())
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
    copies: &Copies,
    name: &MarketplaceName,
) -> Result<Option<AbsPath>, Error> {
    // What is refused takes no lock and makes no file.
    present(lookup, name)?;
    let disk = lookup.disk();
    // Nobody puts a checkout into the place meanwhile, or takes it away.
    let lock = checkout::lock(call, lookup)?;
    let Present {
        configured,
        root,
        places,
    } = present(lookup, name)?;
    let workspace = copies.workspace()?;
    // Configuration first: a checkout that nothing names is only an orphan directory.
    if configured {
        let edits = [Edit::remove_marketplace(name.as_str())];
        lookup.write_edits(call, &edits)?;
    }
    for (number, place) in places.iter().enumerate() {
        // In one step for readers; the removal itself is swept also when we are killed.
        disk.rename(place, &workspace.dir().join(format!("removed-{number}")))?;
        if let Some(parent) = place.parent() {
            disk.sync_dir(&parent)?;
        }
    }
    drop(lock);
    Ok(root)
}

/// What there is of a marketplace.
struct Present {
    configured: bool,
    /// Where its files are, as it was told when they came; absent for a local marketplace.
    root: Option<AbsPath>,
    /// What is there of it.
    places: Vec<AbsPath>,
}

/// Looks, and refuses what cannot be removed.
fn present(lookup: &Lookup, name: &MarketplaceName) -> Result<Present, Error> {
    let config = lookup.config(None);
    must_be_readable(lookup, &config)?;
    let row = config.user_layer().at(&["marketplaces", name.as_str()]);
    let configured = row.is_some();
    let mut keys = config.marketplaces().iter();
    let effective = keys.find(|row| row.key == name.as_str());
    if let (false, Some(row)) = (configured, effective) {
        return Err(Error::ConfiguredElsewhere {
            name: name.to_string(),
            file: row.origin.file.clone(),
        });
    }
    let layout = lookup.layout();
    let root = match effective.and_then(|row| row.kind.origin()) {
        Some(origin) => layout.packed_marketplace(name, origin),
        None => layout.git_marketplace(name),
    };
    let mut places = Vec::new();
    for place in [layout.git_marketplace(name), layout.packed_place(name)] {
        if lookup.disk().link_stamp(&place)?.is_some() {
            places.push(place);
        }
    }
    if !configured && places.is_empty() {
        let mut keys = config.marketplaces().iter().map(|row| row.key.clone());
        return Err(Error::NotConfigured {
            name: name.to_string(),
            other_case: keys.find(|key| key.eq_ignore_ascii_case(name.as_str())),
        });
    }
    Ok(Present {
        configured,
        // Of what nobody names the place is all that is known.
        root: match places.iter().any(|place| root.starts_with(place)) {
            true => Some(root),
            false => places.first().cloned(),
        },
        places,
    })
}

/// Of a file that cannot be read nobody can say what is not in it.
fn must_be_readable(lookup: &Lookup, config: &Snapshot) -> Result<(), Error> {
    match &config.user_layer().error {
        None => Ok(()),
        Some(problem) => Err(Error::from(WriteError::Broken {
            path: lookup.layout().user_config(),
            problem: Box::new(problem.clone()),
        })),
    }
}

/// The installed plugins of this name that nothing offers any more. Where they are to go, one that may
/// be there and cannot be seen is an error: nobody may be told that all have gone.
fn orphans_of(
    lookup: &Lookup,
    copies: &Copies,
    name: &MarketplaceName,
    plugins: Leftovers,
) -> Result<Vec<PluginId>, Error> {
    let store = copies.store()?;
    let resolved = lookup.resolve_ungated(&Roots::default());
    let differing = Differing::default();
    let survey = Survey::new(lookup, store, &resolved, &differing)?;
    if plugins == Leftovers::Go {
        for sight in &resolved.scopes {
            must_be_readable(lookup, &sight.config)?;
        }
        for id in survey.without_copy().filter(|id| id.marketplace == *name) {
            let copy = store.get(id);
            if copy
                .map_err(|error| Error::StoreState(Box::new(error)))?
                .is_some()
            {
                // It could not be seen a moment ago, or has just come.
                return orphans_of(lookup, copies, name, plugins);
            }
        }
    }
    let orphans = survey.orphans().into_iter();
    Ok(orphans
        .map(|(copy, _)| copy.id.clone())
        .filter(|id| id.marketplace == *name)
        .collect())
}
