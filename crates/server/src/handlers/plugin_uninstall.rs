//! `plugin/uninstall`.

use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_plugins::{Error, Uninstalled};
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
    let done = plugd_plugins::uninstall(&call, &context.parts, plugin_id).await;
    // Nobody but the service can say what became of one that was cancelled too late.
    if done
        .as_ref()
        .map_or_else(Error::is_in_doubt, |done| done.remote_id.is_some())
    {
        context.remote_sync.request();
    }
    let Uninstalled {
        id: _,
        remote_id: _,
        changed,
        linked,
    } = done?;
    Reply::of(&PluginUninstallResponse {
        changed,
        linked: linked.as_ref().map(shared::linked),
    })
}
