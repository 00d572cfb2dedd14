//! `plugd/import`.

use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_plugins::{ImportRequest, Imported, Synced};
use plugd_protocol as wire;

use super::plugd_sync::change;
use super::shared;
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: wire::PlugdImportParams,
) -> Result<Reply, WireError> {
    let wire::PlugdImportParams {
        path,
        switch,
        dry_run,
    } = params;
    let dry_run = dry_run == Some(true);
    let request = ImportRequest {
        path: shared::abs_path("path", &path)?,
        switch: switch == Some(true),
        dry_run,
    };
    let imported = plugd_plugins::import(&call, &context.parts, request).await?;
    let Imported { sha256, synced } = imported;
    let Synced {
        path,
        changes,
        problems,
    } = synced;
    Reply::of(&wire::PlugdImportResponse {
        path: shared::path(&path),
        sha256,
        dry_run,
        changes: changes.into_iter().map(change).collect(),
        problems: problems.into_iter().map(shared::problem).collect(),
    })
}
