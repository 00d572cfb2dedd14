//! `plugd/link` and `plugd/unlink`: a working tree in the place of a plugin.
//!
//! Which plugin that is, when nobody says: the one that a marketplace offers from this very directory,
//! else the installed one of that name, else the configured one. A name that somebody else's
//! marketplace only offers is none of the author's business. Where nothing fits, the plugin is one of
//! its own, of the marketplace `linked` that no file describes.

use std::collections::BTreeSet;

use plugd_disk::Disk;
use plugd_marketplace::{MarketplaceSet, Origin};
use plugd_model::{AbsPath, MarketplaceName, PluginId, PluginName, Problem, ProblemKind, Source};

use crate::active::is_remote;
use crate::call::Call;
use crate::events::{Change, ChangeReason};
use crate::install::STORE_PATIENCE;
use crate::link_error::LinkError;
use crate::links::{self, LinkEdit, Links};
use crate::lookup::Roots;
use crate::parts::Parts;
use crate::{Error, Lookup};

/// The marketplace of linked plugins that nobody offers, installs or configures.
pub(crate) const NOWHERE: &str = "linked";

/// What to link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRequest {
    /// The directory of the plugin.
    pub path: AbsPath,
    /// The plugin that it stands in for, when the caller says so.
    pub id: Option<PluginId>,
    /// Whether to tell only.
    pub dry_run: bool,
}

/// Which link to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unlink {
    /// That of a plugin.
    Plugin(PluginId),
    /// That of a directory.
    Directory(AbsPath),
}

/// What linking, or its end, did.
#[derive(Debug, Clone, PartialEq)]
pub struct Linked {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// The plugin.
    pub id: PluginId,
    /// The directory.
    pub path: AbsPath,
    /// What changed, or would; the plugin that was asked for first.
    pub changes: Vec<LinkChange>,
    /// What is wrong with the plugin's manifest.
    pub problems: Vec<Problem>,
}

/// A link that came, went, or leads elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkChange {
    /// The plugin.
    pub id: PluginId,
    /// The directory before.
    pub from: Option<AbsPath>,
    /// The directory after.
    pub to: Option<AbsPath>,
    /// Why.
    pub reason: LinkReason,
}

/// Why a link is another than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkReason {
    /// It was asked for.
    Asked,
    /// It is there already.
    Unchanged,
    /// Its directory stands in for another plugin now.
    Moved,
}

/// Links a directory. Nothing is copied, no byte is written there and no configuration is changed.
///
/// # Errors
/// There is no plugin, it cannot be told which one it is, or the link cannot be written.
pub async fn link(call: &Call, parts: &Parts, request: LinkRequest) -> Result<Linked, Error> {
    let (call, of) = (call.clone(), parts.clone());
    parts
        .blocking
        .write(move || {
            let LinkRequest { path, id, dry_run } = request;
            let (name, problems) = plugin_at(&of.lookup, &path)?;
            refuse_home(&of.lookup, &path)?;
            let config = of.lookup.config(None);
            config
                .requirements()
                .allows_tree(&path)
                .map_err(|problem| Error::Policy {
                    problem: Box::new(problem),
                })?;
            let id = match id {
                Some(id) if is_remote(&id) => return Err(LinkError::OfAccount { id }.into()),
                Some(id) if id.plugin == name => id,
                Some(id) => {
                    let name = name.to_string();
                    return Err(LinkError::OtherName { id, name, path }.into());
                }
                None => identity(&of, &name, &path)?,
            };
            let changes = edit(&call, &of, dry_run, |disk, links| {
                Ok(linked(disk, links, &id, &path))
            })?;
            Ok(Linked {
                dry_run,
                id,
                path,
                changes,
                problems,
            })
        })
        .await
}

/// Ends a link. What is installed counts again.
///
/// # Errors
/// There is no such link, or it cannot be written.
pub async fn unlink(
    call: &Call,
    parts: &Parts,
    what: Unlink,
    dry_run: bool,
) -> Result<Linked, Error> {
    let (call, of) = (call.clone(), parts.clone());
    parts
        .blocking
        .write(move || {
            let changes = edit(&call, &of, dry_run, |disk, links| {
                unlinked(disk, links, &what)
            })?;
            let Some(first) = changes.first().cloned() else {
                return Err(not_linked(&what).into());
            };
            let path = first.from.unwrap_or_else(|| of.lookup.layout().links());
            Ok(Linked {
                dry_run,
                id: first.id,
                path,
                changes,
                problems: Vec::new(),
            })
        })
        .await
}

/// Decides under the lock, writes unless it is a dry run, and tells.
fn edit(
    call: &Call,
    of: &Parts,
    dry_run: bool,
    decide: impl FnOnce(&Disk, &Links) -> Result<Vec<LinkChange>, LinkError>,
) -> Result<Vec<LinkChange>, Error> {
    let (disk, layout) = (of.lookup.disk(), of.lookup.layout());
    if dry_run {
        let links = Links::read(disk, layout);
        return Ok(decide(disk, &links)?);
    }
    of.copies.prepare_state()?;
    let now = of.clock.now().as_secs();
    let patience = call.patience(STORE_PATIENCE);
    let changes = links::write(disk, layout, patience, now, |links| {
        let changes = decide(disk, links)?;
        let edits = changes.iter().filter(|change| change.from != change.to);
        let edits = edits.map(|change| LinkEdit {
            id: change.id.clone(),
            to: change.to.clone(),
        });
        Ok((edits.collect(), changes))
    })?;
    let moved = changes.iter().filter(|change| change.from != change.to);
    let change = moved.fold(Change::new(ChangeReason::Request), |told, change| {
        told.plugin(change.id.clone())
    });
    // A change that names nothing would say that everything may have changed.
    if !change.is_everything() {
        of.events.changed(change);
    }
    Ok(changes)
}

/// A directory is linked once, and a plugin to one directory.
fn linked(disk: &Disk, links: &Links, id: &PluginId, path: &AbsPath) -> Vec<LinkChange> {
    let from = links.of_plugin(id).cloned();
    let first = LinkChange {
        id: id.clone(),
        reason: match from.as_ref() == Some(path) {
            true => LinkReason::Unchanged,
            false => LinkReason::Asked,
        },
        from,
        to: Some(path.clone()),
    };
    let others = links
        .rows
        .iter()
        .filter(|(other, there)| *other != id && is_same(disk, there, path));
    let others = others.map(|(other, there)| LinkChange {
        id: other.clone(),
        from: Some(there.clone()),
        to: None,
        reason: LinkReason::Moved,
    });
    std::iter::once(first).chain(others).collect()
}

fn unlinked(disk: &Disk, links: &Links, what: &Unlink) -> Result<Vec<LinkChange>, LinkError> {
    let rows = links.rows.iter().filter(|(id, path)| match what {
        Unlink::Plugin(wanted) => *id == wanted,
        Unlink::Directory(wanted) => is_same(disk, path, wanted),
    });
    let changes: Vec<_> = rows
        .map(|(id, path)| LinkChange {
            id: id.clone(),
            from: Some(path.clone()),
            to: None,
            reason: LinkReason::Asked,
        })
        .collect();
    match changes.is_empty() {
        true => Err(not_linked(what)),
        false => Ok(changes),
    }
}

fn not_linked(what: &Unlink) -> LinkError {
    LinkError::NotLinked {
        what: match what {
            Unlink::Plugin(id) => id.to_string(),
            Unlink::Directory(path) => path.to_text(),
        },
    }
}

/// The name of the plugin in a directory, and what is wrong with its manifest.
fn plugin_at(lookup: &Lookup, path: &AbsPath) -> Result<(PluginName, Vec<Problem>), Error> {
    let nothing = |problem| Error::NoPluginThere {
        path: path.clone(),
        problem: Box::new(problem),
    };
    let missing = |text: &str| Problem::error(ProblemKind::Missing, text).in_file(path);
    let loaded = match lookup.loader().plugin(path).map_err(nothing)? {
        Some(loaded) => loaded,
        None if lookup.disk().stamp(path)?.is_none() => {
            return Err(nothing(missing("the directory does not exist")));
        }
        None => return Err(nothing(missing("it has no plugin manifest"))),
    };
    let name = PluginName::new(&loaded.value.name).map_err(|_| LinkError::BadName {
        name: loaded.value.name.clone(),
        path: path.clone(),
    })?;
    Ok((name, loaded.problems.clone()))
}

/// What is written by installations is not used in place, and nobody watches a directory that holds
/// the files which the watching itself writes.
fn refuse_home(lookup: &Lookup, path: &AbsPath) -> Result<(), LinkError> {
    let (disk, layout) = (lookup.disk(), lookup.layout());
    let real = |path: &AbsPath| disk.resolve(path).unwrap_or_else(|_| path.clone());
    let (path, home) = (real(path), real(layout.home()));
    let (cache, state) = (real(&layout.cache()), real(&layout.state()));
    let is_ours = path.starts_with(&cache) || path.starts_with(&state);
    match is_ours || home.starts_with(&path) {
        true => Err(LinkError::InHome { path }),
        false => Ok(()),
    }
}

/// Which plugin a directory stands in for when nobody says.
fn identity(of: &Parts, name: &PluginName, path: &AbsPath) -> Result<PluginId, Error> {
    let lookup = &of.lookup;
    let resolved = lookup.resolve_ungated(&Roots::default());
    let (installed, _) = of
        .copies
        .store_as_it_is()
        .list()
        .map_err(|error| Error::StoreState(Box::new(error)))?;
    let config = lookup.config(None);
    let offered = offered_from(lookup.disk(), &resolved.set, name, path);
    let installed = installed.into_iter().map(|copy| copy.id);
    let configured = config.plugins().iter().map(|row| row.id.clone());
    let named = |id: &PluginId| id.plugin == *name && !is_remote(id);
    let ways: [BTreeSet<PluginId>; 3] = [
        offered,
        installed.filter(named).collect(),
        configured.filter(named).collect(),
    ];
    for ids in ways {
        let mut ids = ids.into_iter();
        match (ids.next(), ids.next()) {
            (None, _) => {}
            (Some(id), None) => return Ok(id),
            (Some(first), Some(second)) => {
                let ids = [first, second].into_iter().chain(ids);
                let ids = ids.map(|id| id.to_string()).collect();
                let name = name.to_string();
                return Err(LinkError::Ambiguous { name, ids }.into());
            }
        }
    }
    Ok(PluginId {
        plugin: name.clone(),
        marketplace: nowhere(),
    })
}

#[expect(
    clippy::expect_used,
    reason = "the text is a constant that the name rule accepts"
)]
fn nowhere() -> MarketplaceName {
    MarketplaceName::new(NOWHERE).expect("a legal name")
}

/// What a marketplace that the user chose offers from this very directory.
fn offered_from(
    disk: &Disk,
    set: &MarketplaceSet,
    name: &PluginName,
    path: &AbsPath,
) -> BTreeSet<PluginId> {
    let chosen = set.shown().filter(|(marketplace, ..)| {
        matches!(marketplace.origin, Origin::Home | Origin::Configured { .. })
    });
    let offers = chosen.flat_map(|(_, _, offers)| offers);
    let from_here = offers.filter(|offer| match &offer.entry.source {
        Source::Local { path: source } => offer.entry.name == *name && is_same(disk, source, path),
        Source::Git { .. }
        | Source::Npm { .. }
        | Source::Oci { .. }
        | Source::Archive { .. }
        | Source::Remote => false,
    });
    from_here.map(|offer| offer.id()).collect()
}

/// Whether two paths lead to one directory. What is gone leads to its path.
fn is_same(disk: &Disk, left: &AbsPath, right: &AbsPath) -> bool {
    left == right || matches!((disk.resolve(left), disk.resolve(right)), (Ok(a), Ok(b)) if a == b)
}
