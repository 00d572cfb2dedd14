//! `plugin/share/checkout`.

use std::sync::Arc;

use plugd_plugins::CheckedOut;
use plugd_plugins::call::Call;
use plugd_protocol::{PluginShareCheckoutParams, PluginShareCheckoutResponse};

use super::shared;
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: PluginShareCheckoutParams,
) -> Result<Reply, WireError> {
    let PluginShareCheckoutParams { remote_plugin_id } = params;
    let CheckedOut {
        remote_id,
        id,
        path,
        marketplace,
        manifest,
        version,
        changed,
        problems,
    } = plugd_plugins::checkout_share(
        &call,
        &context.blocking,
        &context.lookup,
        &context.copies,
        &context.events,
        remote_plugin_id,
    )
    .await?;
    Reply::of(&PluginShareCheckoutResponse {
        remote_plugin_id: remote_id.to_string(),
        plugin_id: id.to_string(),
        plugin_name: id.plugin.to_string(),
        plugin_path: shared::path(&path),
        marketplace_name: marketplace.to_string(),
        marketplace_path: shared::path(&manifest),
        remote_version: version,
        changed,
        problems: problems.into_iter().map(shared::problem).collect(),
    })
}
