//! `plugd/outdated`.

use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_protocol as wire;

use super::versions_shared;
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: wire::PlugdOutdatedParams,
) -> Result<Reply, WireError> {
    let wire::PlugdOutdatedParams { plugin_id } = params;
    let only = plugin_id.map(versions_shared::plugin_id).transpose()?;
    let found = plugd_plugins::outdated(&call, &context.parts, only).await?;
    Reply::of(&versions_shared::changed(found))
}
