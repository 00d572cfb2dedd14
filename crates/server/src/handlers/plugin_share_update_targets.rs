//! `plugin/share/updateTargets`.

use std::sync::Arc;

use plugd_plugins::ShareState;
use plugd_plugins::call::Call;
use plugd_protocol::{PluginShareUpdateTargetsParams, PluginShareUpdateTargetsResponse};

use super::{plugin_share, remote_row};
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: PluginShareUpdateTargetsParams,
) -> Result<Reply, WireError> {
    let PluginShareUpdateTargetsParams {
        remote_plugin_id,
        discoverability,
        share_targets,
    } = params;
    let ShareState {
        principals,
        discoverability,
    } = plugd_plugins::update_share_targets(
        &call,
        &context.blocking,
        &context.lookup,
        remote_plugin_id,
        plugin_share::discoverability(discoverability),
        share_targets
            .into_iter()
            .map(plugin_share::target)
            .collect(),
    )
    .await?;
    Reply::of(&PluginShareUpdateTargetsResponse {
        principals: principals.into_iter().map(remote_row::principal).collect(),
        discoverability: remote_row::discoverability(discoverability),
    })
}
