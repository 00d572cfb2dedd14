//! `plugin/list`.

use std::collections::BTreeSet;
use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_plugins::{ListRequest, Listing, MarketplaceKind, Roots};
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
        // There is no remote catalog yet that either of them could reach.
        force_refetch: _,
        force_remote_sync: _,
    } = params;
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
    Reply::of(&PluginListResponse {
        marketplaces: marketplaces.into_iter().map(shared::marketplace).collect(),
        marketplace_load_errors: load_errors.into_iter().map(shared::load_error).collect(),
        featured_plugin_ids: Vec::new(),
        remote_sync_error: None,
    })
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
