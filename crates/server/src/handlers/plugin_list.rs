//! `plugin/list`.

use std::sync::Arc;
use std::time::Duration;

use plugd_model::error_chain;
use plugd_plugins::call::Call;
use plugd_plugins::{Error, Insistence, ListRequest, Listing, MarketplaceKind, Roots};
use plugd_protocol::{MarketplaceLoadErrorInfo, PluginListMarketplaceKind, PluginListParams};
use serde::Serialize;
use tokio::time::Instant;

use super::shared;
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

/// How long a client waits that insists on a synchronisation, all in all.
const FORCED: Duration = Duration::from_secs(30);
/// How much of it is kept for the listing itself.
const RESERVED: Duration = Duration::from_secs(5);

/// `PluginListResponse` as it goes out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    marketplaces: Vec<shared::Marketplace<'a>>,
    marketplace_load_errors: Vec<MarketplaceLoadErrorInfo>,
    featured_plugin_ids: Vec<String>,
    remote_sync_error: Option<String>,
}

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: PluginListParams,
) -> Result<Reply, WireError> {
    let PluginListParams {
        cwds,
        marketplace_kinds,
        force_refetch,
        force_remote_sync,
    } = params;
    let (call, remote_sync_error) = match force_remote_sync {
        Some(true) => {
            let end = Instant::now() + FORCED;
            let error = force(&context, &call.until(end - RESERVED)).await?;
            (call.until(end), error)
        }
        _ => (call, None),
    };
    let follows = lists_remote(marketplace_kinds.as_deref());
    let looks = lists_local(marketplace_kinds.as_deref())
        .then(|| insistence([force_refetch, force_remote_sync]));
    let request = ListRequest {
        roots: Roots {
            cwds: shared::cwds(cwds)?,
            manifests: Vec::new(),
        },
        kinds: marketplace_kinds.map(|kinds| kinds.into_iter().map(kind).collect()),
        insists: [force_refetch, force_remote_sync].contains(&Some(true)),
        hurries: remote_sync_error.is_some(),
    };
    let Listing {
        marketplaces,
        load_errors,
        featured,
    } = plugd_plugins::list(
        &call,
        &context.blocking,
        &context.lookup,
        &context.copies,
        &context.refresher,
        request,
    )
    .await?;
    // Behind the reading, so that the answer never waits for it.
    if let Some(insistence) = looks {
        context.curated.request(insistence);
    }
    if follows {
        context.remote_sync.request();
    }
    context.plugin_watch.request();
    Reply::of(&Listed {
        marketplaces: shared::marketplaces(&marketplaces)?,
        marketplace_load_errors: load_errors.into_iter().map(shared::load_error).collect(),
        featured_plugin_ids: featured,
        remote_sync_error,
    })
}

/// What older clients insist on. What goes wrong with it is told and keeps no answer back, except
/// that a request which nobody wants any more ends here.
async fn force(context: &Context, call: &Call) -> Result<Option<String>, WireError> {
    match context.remote_sync.force(call).await {
        Ok(_) => Ok(None),
        Err(error @ Error::Cancelled(_)) => Err(error.into()),
        Err(error) => Ok(Some(error_chain(&error))),
    }
}

/// Whether what the account has is looked at behind the listing.
fn lists_remote(kinds: Option<&[PluginListMarketplaceKind]>) -> bool {
    kinds.is_none_or(|kinds| {
        kinds
            .iter()
            .any(|kind| *kind != PluginListMarketplaceKind::Vertical)
    })
}

/// Whether the marketplaces of this machine are listed, of which the curated one is one.
fn lists_local(kinds: Option<&[PluginListMarketplaceKind]>) -> bool {
    kinds.is_none_or(|kinds| kinds.contains(&PluginListMarketplaceKind::Local))
}

/// Older and newer clients have a member each to insist with.
fn insistence(forced: [Option<bool>; 2]) -> Insistence {
    if forced.contains(&Some(true)) {
        Insistence::Now
    } else {
        Insistence::WhenDue
    }
}

fn kind(kind: PluginListMarketplaceKind) -> MarketplaceKind {
    match kind {
        PluginListMarketplaceKind::Local => MarketplaceKind::Local,
        PluginListMarketplaceKind::Vertical => MarketplaceKind::Vertical,
        PluginListMarketplaceKind::WorkspaceDirectory => MarketplaceKind::WorkspaceDirectory,
        PluginListMarketplaceKind::SharedWithMe => MarketplaceKind::SharedWithMe,
        PluginListMarketplaceKind::CreatedByMeRemote => MarketplaceKind::CreatedByMe,
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use plugd_plugins::Insistence;
    use plugd_protocol::PluginListMarketplaceKind;

    use super::{insistence, lists_local, lists_remote};

    #[test]
    fn the_curated_repository_is_looked_at_for_local_listings() {
        use PluginListMarketplaceKind::{Local, Vertical};
        assert!(lists_local(None));
        assert!(lists_local(Some(&[Vertical, Local])));
        assert!(!lists_local(Some(&[Vertical])));
        assert!(!lists_local(Some(&[])));
    }

    #[test]
    fn the_account_is_looked_at_behind_what_shows_something_of_it() {
        use PluginListMarketplaceKind::{Local, SharedWithMe, Vertical};
        assert!(lists_remote(None));
        assert!(lists_remote(Some(&[Vertical, SharedWithMe])));
        assert!(lists_remote(Some(&[Local])));
        assert!(!lists_remote(Some(&[Vertical])));
        assert!(!lists_remote(Some(&[])));
    }

    #[test]
    fn either_member_insists() {
        let check = |forced, expected| assert_eq!(insistence(forced), expected, "{forced:?}");
        check([None, None], Insistence::WhenDue);
        check([Some(false), None], Insistence::WhenDue);
        check([Some(true), None], Insistence::Now);
        check([Some(false), Some(true)], Insistence::Now);
        check([None, Some(true)], Insistence::Now);
    }
}
