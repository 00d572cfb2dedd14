//! `plugin/share/save`.

use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_plugins::{SaveRequest, Saved};
use plugd_protocol::{PluginShareSaveParams, PluginShareSaveResponse};

use super::{plugin_share, shared};
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: PluginShareSaveParams,
) -> Result<Reply, WireError> {
    let PluginShareSaveParams {
        plugin_path,
        remote_plugin_id,
        discoverability,
        share_targets,
    } = params;
    let targets =
        share_targets.map(|targets| targets.into_iter().map(plugin_share::target).collect());
    let request = SaveRequest {
        path: shared::abs_path("pluginPath", &plugin_path)?,
        id: remote_plugin_id,
        discoverability: discoverability.map(plugin_share::discoverability),
        targets,
    };
    let Saved {
        id,
        url,
        can_publish_to_workspace,
        left_out,
        problems,
    } = plugd_plugins::save_share(
        &call,
        &context.blocking,
        &context.lookup,
        &context.copies,
        request,
    )
    .await?;
    Reply::of(&PluginShareSaveResponse {
        remote_plugin_id: id.to_string(),
        // The reference says nothing in this way, and clients expect a text.
        share_url: url.unwrap_or_default(),
        can_publish_to_workspace,
        left_out: left_out.into_iter().map(plugin_share::left_out).collect(),
        problems: problems.into_iter().map(shared::problem).collect(),
    })
}
