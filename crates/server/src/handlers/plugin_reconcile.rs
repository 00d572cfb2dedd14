//! `plugin/reconcile`.

use std::sync::Arc;

use plugd_plugins::Reconciled;
use plugd_plugins::call::Call;
use plugd_protocol as wire;

use super::shared;
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

/// A client's words are worth a line of the log.
const MAX_REASON: usize = 200;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: wire::PluginReconcileParams,
) -> Result<Reply, WireError> {
    let wire::PluginReconcileParams { reason } = params;
    if let Some(reason) = reason {
        let reason: String = reason.chars().take(MAX_REASON).collect();
        tracing::debug!(id = %call.id, "reconciling: {}", reason.escape_debug());
    }
    let Reconciled {
        changed,
        failed,
        not_brought,
        problems,
    } = context.remote_sync.reconcile(&call).await?;
    let changed = changed
        .into_iter()
        .map(|(id, kinds)| wire::PluginReconcileChangedPlugin {
            id: id.to_string(),
            has_mcps: kinds.mcps,
            has_apps: kinds.apps,
            has_hooks: kinds.hooks,
            has_skills: kinds.skills,
        });
    Reply::of(&wire::PluginReconcileResponse {
        changed_plugins: changed.collect(),
        failed_remote_plugin_ids: failed.iter().map(ToString::to_string).collect(),
        failed_materialization_remote_plugin_ids: not_brought
            .iter()
            .map(ToString::to_string)
            .collect(),
        problems: problems.into_iter().map(shared::problem).collect(),
    })
}
