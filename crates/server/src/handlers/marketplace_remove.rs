//! `marketplace/remove`.

use std::sync::Arc;

use plugd_plugins::Removed;
use plugd_plugins::call::Call;
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
    let MarketplaceRemoveParams { marketplace_name } = params;
    let Removed { name, root } = plugd_plugins::remove_marketplace(
        &call,
        &context.blocking,
        &context.lookup,
        &context.events,
        marketplace_name,
    )
    .await?;
    Reply::of(&MarketplaceRemoveResponse {
        marketplace_name: name.to_string(),
        installed_root: root.as_ref().map(shared::path),
    })
}
