//! `plugin/list`: what can be installed, and what of it is.

use std::collections::BTreeSet;

use crate::survey::Survey;
use crate::{Blocking, Copies, Error, Listing, Lookup, Refresher, Roots};

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct ListRequest {
    /// Where to look.
    pub roots: Roots,
    /// Which kinds of marketplaces; `None` means the default.
    pub kinds: Option<BTreeSet<MarketplaceKind>>,
}

/// The kinds that a client can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MarketplaceKind {
    /// On this disk.
    Local,
    /// A collection of the remote catalog that is empty without a login.
    Vertical,
    /// Collections of the remote catalog that need a login.
    Account,
}

/// Lists plugins, and asks for a refresh of what is configured.
///
/// # Errors
/// A kind was asked for that needs a login, or the store cannot be read.
pub async fn list(
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    refresher: &Refresher,
    request: ListRequest,
) -> Result<Listing, Error> {
    let wants = |kind| {
        request
            .kinds
            .as_ref()
            .map_or(kind == MarketplaceKind::Local, |kinds| {
                kinds.contains(&kind)
            })
    };
    let (lookup, copies) = (lookup.clone(), copies.clone());
    let roots = request.roots.clone();
    let local = wants(MarketplaceKind::Local);
    let account = wants(MarketplaceKind::Account);
    let follower = refresher.clone();
    let (listing, refresh) = blocking
        .read(move || {
            let resolved = lookup.resolve(&roots);
            if resolved.is_off() {
                return Ok((Listing::default(), false));
            }
            if account {
                return Err(Error::LoginRequired {
                    action: "list remote plugin catalog",
                });
            }
            if !local {
                return Ok((Listing::default(), false));
            }
            let differing = follower.differing();
            let survey = Survey::new(&lookup, copies.store()?, &resolved, &differing)?;
            Ok((survey.listing(|_| true), true))
        })
        .await?;
    if refresh {
        refresher.request(request.roots);
    }
    Ok(listing)
}
