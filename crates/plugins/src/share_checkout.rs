//! `plugin/share/checkout`: a working copy of a shared plugin, in the user's home directory and
//! listed in the marketplace there.
//!
//! A working copy that is there is the user's: it is listed again where that was lost, and nothing in
//! it is touched. What can refuse is asked before anything is fetched, and once more when it takes its
//! place.

use plugd_catalog::{Access, Catalog, Item, Urls};
use plugd_disk::tree::sync_tree;
use plugd_fetch::{BundleAddress, Integrity};
use plugd_model::{
    AbsPath, Discoverability, MarketplaceName, PluginId, Problem, ProblemKind, RemotePluginId,
    RemoteScope,
};
use plugd_store::Workspace;

use crate::call::Call;
use crate::events::{Change, ChangeReason, Events};
use crate::fetcher::{Bundle, bring_bundle};
use crate::remote_error::RemoteError;
use crate::share_error::ShareError;
use crate::share_place::{Place, Places, Taken};
use crate::sharing::{self, Gate};
use crate::{Blocking, Copies, Error, Lookup};

pub(crate) const ACTION: &str = "checkout plugin share";

/// A working copy.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedOut {
    /// The share.
    pub remote_id: RemotePluginId,
    /// What the working copy is called, with the marketplace of the home directory.
    pub id: PluginId,
    /// Its directory.
    pub path: AbsPath,
    /// That marketplace.
    pub marketplace: MarketplaceName,
    /// Its file.
    pub manifest: AbsPath,
    /// The version that the service offers.
    pub version: Option<String>,
    /// Whether the working copy is new.
    pub changed: bool,
    /// What is not as it should be and does no harm.
    pub problems: Vec<Problem>,
}

/// Makes a working copy of a share, or finds the one that is there.
///
/// # Errors
/// Sharing is switched off, nobody is logged in, the plugin is not shared with this account in
/// particular, something is in its place, its bundle cannot be brought or is another plugin, or the
/// home directory's marketplace cannot take it. Nothing is changed then.
pub async fn checkout_share(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    events: &Events,
    id: String,
) -> Result<CheckedOut, Error> {
    let id = sharing::parse_id(&id)?;
    let service = sharing::begin(call, blocking, lookup, Gate::Sharing, ACTION).await?;
    let asked = service.item(&id, Urls::With, None, call.cancel.cancelled());
    let item = asked
        .await
        .map_err(|error| RemoteError::asked(ACTION, error))?;
    admit(&item)?;
    let looking = {
        let (lookup, item) = (lookup.clone(), item.clone());
        blocking.read(move || Places::of(&lookup)?.find(&lookup, &item))
    };
    let taken = match looking.await? {
        Place::There { path, problems } => {
            let (call, lookup) = (call.clone(), lookup.clone());
            let (copies, item) = (copies.clone(), item.clone());
            let listing = blocking.write(move || {
                copies.prepare_state()?;
                Places::of(&lookup)?.list(&call, &lookup, &item, path, problems)
            });
            listing.await?
        }
        Place::Free { path, problems } => {
            let content = Content {
                access: service.access(),
                catalog: service.catalog(),
                item: &item,
            };
            let workspace = bring(call, blocking, lookup, copies, &content).await?;
            let (call, lookup, item) = (call.clone(), lookup.clone(), item.clone());
            let placing = blocking.write(move || {
                let staged = bundle_in(&workspace);
                sync_tree(lookup.disk(), &staged)?;
                let places = Places::of(&lookup)?;
                places.take(&call, &lookup, &item, &staged, path, problems)
            });
            placing.await?
        }
    };
    Ok(checked_out(events, item, taken))
}

fn checked_out(events: &Events, item: Item, taken: Taken) -> CheckedOut {
    let Taken {
        path,
        marketplace,
        manifest,
        copied,
        listed,
        problems,
    } = taken;
    if copied || listed {
        let change = Change::new(ChangeReason::Request).marketplace(marketplace.clone());
        events.changed(change);
    }
    CheckedOut {
        id: PluginId {
            plugin: item.name,
            marketplace: marketplace.clone(),
        },
        remote_id: item.id,
        path,
        marketplace,
        manifest,
        version: item.release.version,
        changed: copied,
        problems,
    }
}

/// Only what is shared with somebody in particular is taken as a working copy; what a directory lists
/// is installed.
fn admit(item: &Item) -> Result<(), ShareError> {
    let is_shared = item.scope == RemoteScope::Workspace
        && matches!(
            item.discoverability,
            Some(Discoverability::Private | Discoverability::Unlisted)
        );
    if is_shared {
        return Ok(());
    }
    Err(ShareError::NotForCheckout {
        action: ACTION,
        id: item.id.clone(),
    })
}

/// What is to be brought, and through whom.
struct Content<'a> {
    access: &'a Access,
    catalog: &'a Catalog,
    item: &'a Item,
}

impl Content<'_> {
    fn nothing(&self, what: &'static str) -> ShareError {
        ShareError::NothingOffered {
            action: ACTION,
            id: self.item.id.clone(),
            what,
        }
    }

    fn unusable(&self, reason: String) -> ShareError {
        ShareError::BadBundle {
            action: ACTION,
            id: self.item.id.clone(),
            reason,
        }
    }

    fn not_brought(&self, error: Error) -> Error {
        match error {
            error @ Error::Cancelled(_) => error,
            error => ShareError::Bundle {
                action: ACTION,
                id: self.item.id.clone(),
                source: Box::new(error),
            }
            .into(),
        }
    }

    /// Where the bundle is, and what it must be.
    fn wanted(&self) -> Result<Bundle, ShareError> {
        let release = &self.item.release;
        if release.version.is_none() {
            return Err(self.nothing("release version"));
        }
        let url = release.bundle_url.as_ref();
        let url = url.ok_or_else(|| self.nothing("download URL"))?;
        let is_loopback = self.access.base.is_loopback_http();
        let address = BundleAddress::parse(url.reveal(), is_loopback).map_err(|source| {
            ShareError::BadAddress {
                action: ACTION,
                id: self.item.id.clone(),
                source,
            }
        })?;
        let digest = match &release.digest {
            None => None,
            Some(text) => {
                // A digest that nobody can check is worse than none: it looks like a promise.
                let parsed = Integrity::parse(text);
                Some(parsed.ok_or_else(|| self.unusable("its digest is of no known kind".into()))?)
            }
        };
        Ok(Bundle { address, digest })
    }
}

fn bundle_in(workspace: &Workspace) -> AbsPath {
    workspace.dir().join("bundle")
}

/// Brings the content of a share into a workspace.
async fn bring(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    content: &Content<'_>,
) -> Result<Workspace, Error> {
    let bundle = content.wanted()?;
    let opened = copies.clone();
    let opening = blocking.write(move || {
        let opened = opened.store()?.workspace();
        opened.map_err(|error| Error::StoreState(Box::new(error)))
    });
    let workspace = opening.await?;
    let dest = bundle_in(&workspace);
    let disk = lookup.disk();
    let brought = bring_bundle(call, blocking, disk, content.catalog, &bundle, &dest).await;
    let (lookup, name) = (lookup.clone(), content.item.name.clone());
    // Also after a failure: what lies in the workspace is removed where the disk may be waited for.
    let checking = blocking.write(move || {
        brought?;
        let found = lookup.loader().plugin_named(&bundle_in(&workspace), "");
        let fault = match found {
            Ok(Some(manifest)) if manifest.value.name == name.as_str() => None,
            Ok(Some(manifest)) => Some(format!(
                "plugin.json name `{}` does not match remote plugin name `{name}`",
                manifest.value.name.escape_debug()
            )),
            Ok(None) => Some("it holds no plugin manifest at its root".to_owned()),
            Err(problem) => Some(problem.message),
        };
        Ok(match fault {
            None => Ok(workspace),
            Some(fault) => Err(fault),
        })
    });
    match checking.await {
        Ok(Ok(workspace)) => Ok(workspace),
        Ok(Err(fault)) => Err(content.unusable(fault).into()),
        Err(error) => Err(content.not_brought(error)),
    }
}

/// A working copy whose manifest says another name than the service: it cannot be listed as it is.
pub(crate) fn another_name(found: &str, item: &Item) -> Problem {
    let words = format!(
        "the working copy calls itself `{}` and not `{}`",
        found.escape_debug(),
        item.name
    );
    Problem::warning(ProblemKind::NameMismatch, words)
}
