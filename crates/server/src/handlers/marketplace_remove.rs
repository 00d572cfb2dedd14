//! `marketplace/remove`.

use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_plugins::{Leftovers, RemoveRequest, Removed};
use plugd_protocol::{MarketplaceRemoveParams, MarketplaceRemoveResponse};

use super::shared;
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: MarketplaceRemoveParams,
) -> Result<Reply, WireError> {
    let MarketplaceRemoveParams {
        marketplace_name,
        remove_plugins,
    } = params;
    let request = RemoveRequest {
        name: marketplace_name,
        plugins: match remove_plugins {
            Some(true) => Leftovers::Go,
            Some(false) | None => Leftovers::Stay,
        },
    };
    let Removed {
        name,
        root,
        orphans,
        uninstalled,
    } = plugd_plugins::remove_marketplace(
        &call,
        &context.blocking,
        &context.lookup,
        &context.copies,
        &context.events,
        request,
    )
    .await?;
    Reply::of(&MarketplaceRemoveResponse {
        marketplace_name: name.to_string(),
        installed_root: root.as_ref().map(shared::path),
        orphans: orphans.iter().map(ToString::to_string).collect(),
        removed_plugins: uninstalled.iter().map(ToString::to_string).collect(),
    })
}
