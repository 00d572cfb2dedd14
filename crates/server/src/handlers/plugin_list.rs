//! `plugin/list`.

use std::collections::BTreeSet;
use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_plugins::{Insistence, ListRequest, Listing, MarketplaceKind, Roots};
use plugd_protocol::{PluginListMarketplaceKind, PluginListParams, PluginListResponse};

use super::shared;
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    _call: Call,
    params: PluginListParams,
) -> Result<Reply, WireError> {
    let PluginListParams {
        cwds,
        marketplace_kinds,
        force_refetch,
        force_remote_sync,
    } = params;
    let looks = lists_local(marketplace_kinds.as_deref())
        .then(|| insistence([force_refetch, force_remote_sync]));
    let request = ListRequest {
        roots: Roots {
            cwds: shared::cwds(cwds)?,
            manifests: Vec::new(),
        },
        kinds: marketplace_kinds.map(|kinds| kinds.into_iter().map(kind).collect::<BTreeSet<_>>()),
    };
    let Listing {
        marketplaces,
        load_errors,
    } = plugd_plugins::list(
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
    Reply::of(&PluginListResponse {
        marketplaces: marketplaces.into_iter().map(shared::marketplace).collect(),
        marketplace_load_errors: load_errors.into_iter().map(shared::load_error).collect(),
        featured_plugin_ids: Vec::new(),
        remote_sync_error: None,
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
        PluginListMarketplaceKind::WorkspaceDirectory
        | PluginListMarketplaceKind::SharedWithMe
        | PluginListMarketplaceKind::CreatedByMeRemote => MarketplaceKind::Account,
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use plugd_plugins::Insistence;
    use plugd_protocol::PluginListMarketplaceKind;

    use super::{insistence, lists_local};

    #[test]
    fn the_curated_repository_is_looked_at_for_local_listings() {
        use PluginListMarketplaceKind::{Local, Vertical};
        assert!(lists_local(None));
        assert!(lists_local(Some(&[Vertical, Local])));
        assert!(!lists_local(Some(&[Vertical])));
        assert!(!lists_local(Some(&[])));
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
