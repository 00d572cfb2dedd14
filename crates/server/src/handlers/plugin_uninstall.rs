//! `plugin/uninstall`.

use std::sync::Arc;

use plugd_plugins::Uninstalled;
use plugd_plugins::call::Call;
use plugd_protocol::{PluginUninstallParams, PluginUninstallResponse};

use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: PluginUninstallParams,
) -> Result<Reply, WireError> {
    let PluginUninstallParams { plugin_id } = params;
    let Uninstalled { id: _, changed } = plugd_plugins::uninstall(
        &call,
        &context.blocking,
        &context.lookup,
        &context.copies,
        &context.events,
        plugin_id,
    )
    .await?;
    Reply::of(&PluginUninstallResponse { changed })
}
