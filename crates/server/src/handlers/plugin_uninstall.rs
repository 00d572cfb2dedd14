//! `plugin/uninstall`.

use std::sync::Arc;

use plugd_plugins::Uninstalled;
use plugd_plugins::call::Call;
use plugd_protocol::{PluginUninstallParams, PluginUninstallResponse};

use super::shared;
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: PluginUninstallParams,
) -> Result<Reply, WireError> {
    let PluginUninstallParams { plugin_id } = params;
    let Uninstalled {
        id: _,
        remote_id,
        changed,
        linked,
    } = plugd_plugins::uninstall(&call, &context.parts, plugin_id).await?;
    if remote_id.is_some() {
        context.remote_sync.request();
    }
    Reply::of(&PluginUninstallResponse {
        changed,
        linked: linked.as_ref().map(shared::linked),
    })
}
