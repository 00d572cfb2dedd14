//! `plugin/installed`.

use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_plugins::{Listing, Roots};
use plugd_protocol::{MarketplaceLoadErrorInfo, PluginInstalledParams};
use serde::Serialize;

use super::shared;
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

/// `PluginInstalledResponse` as it goes out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Installed<'a> {
    marketplaces: Vec<shared::Marketplace<'a>>,
    marketplace_load_errors: Vec<MarketplaceLoadErrorInfo>,
}

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: PluginInstalledParams,
) -> Result<Reply, WireError> {
    let PluginInstalledParams {
        cwds,
        install_suggestion_plugin_names,
    } = params;
    let roots = Roots {
        cwds: shared::cwds(cwds)?,
        manifests: Vec::new(),
    };
    let suggestions = install_suggestion_plugin_names
        .unwrap_or_default()
        .into_iter()
        .collect();
    let Listing {
        marketplaces,
        load_errors,
        featured: _,
    } = plugd_plugins::installed(
        &call,
        &context.blocking,
        &context.lookup,
        &context.copies,
        &context.refresher,
        roots,
        suggestions,
    )
    .await?;
    // Behind the reading, so that the answer never waits for it.
    context.remote_sync.request();
    context.plugin_watch.request();
    Reply::of(&Installed {
        marketplaces: shared::marketplaces(&marketplaces)?,
        marketplace_load_errors: load_errors.into_iter().map(shared::load_error).collect(),
    })
}
