//! `plugd/rollback`.

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
    params: wire::PlugdRollbackParams,
) -> Result<Reply, WireError> {
    let wire::PlugdRollbackParams {
        plugin_id,
        to,
        dry_run,
    } = params;
    let id = versions_shared::plugin_id(plugin_id)?;
    let dry_run = dry_run == Some(true);
    let done = plugd_plugins::rollback(&call, &context.parts, id, to, dry_run).await?;
    Reply::of(&versions_shared::changed(done))
}
