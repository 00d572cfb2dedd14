//! `plugd/export`.

use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_plugins::{ExportRequest, Exported, ExportedPlugin};
use plugd_protocol as wire;

use super::{shared, versions_shared};
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: wire::PlugdExportParams,
) -> Result<Reply, WireError> {
    let wire::PlugdExportParams {
        path,
        plugins,
        lock_path,
        force,
    } = params;
    let ids = plugins.unwrap_or_default().into_iter();
    let request = ExportRequest {
        path: shared::abs_path("path", &path)?,
        plugins: ids
            .map(versions_shared::plugin_id)
            .collect::<Result<_, _>>()?,
        lock: lock_path
            .map(|path| shared::abs_path("lockPath", &path))
            .transpose()?,
        force: force == Some(true),
    };
    let exported = plugd_plugins::export(
        &call,
        &context.blocking,
        &context.lookup,
        &context.copies,
        request,
    )
    .await?;
    let Exported {
        path,
        bytes,
        sha256,
        plugins,
        problems,
    } = exported;
    Reply::of(&wire::PlugdExportResponse {
        path: shared::path(&path),
        bytes,
        sha256,
        plugins: plugins.into_iter().map(plugin).collect(),
        problems: problems.into_iter().map(shared::problem).collect(),
    })
}

fn plugin(plugin: ExportedPlugin) -> wire::PlugdExportedPlugin {
    let ExportedPlugin {
        id,
        version,
        source_digest,
        tree_digest,
        files,
        bytes,
    } = plugin;
    wire::PlugdExportedPlugin {
        plugin_id: id.to_string(),
        version: version.to_string(),
        source_digest,
        tree_digest,
        files,
        bytes,
    }
}
