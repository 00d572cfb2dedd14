//! `plugin/share/delete`.

use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_protocol::{PluginShareDeleteParams, PluginShareDeleteResponse};

use super::shared;
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: PluginShareDeleteParams,
) -> Result<Reply, WireError> {
    let PluginShareDeleteParams { remote_plugin_id } = params;
    let problems = plugd_plugins::delete_share(
        &call,
        &context.blocking,
        &context.lookup,
        &context.copies,
        remote_plugin_id,
    )
    .await?;
    Reply::of(&PluginShareDeleteResponse {
        problems: problems.into_iter().map(shared::problem).collect(),
    })
}
