//! `plugd/sync`.

use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_plugins::{SyncChange, SyncReason, SyncRequest, Synced};
use plugd_protocol as wire;

use super::plugd_lock::names;
use super::shared;
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: wire::PlugdSyncParams,
) -> Result<Reply, WireError> {
    let wire::PlugdSyncParams {
        cwd,
        path,
        frozen,
        offline,
        switch,
        dry_run,
    } = params;
    let dry_run = dry_run == Some(true);
    let request = SyncRequest {
        cwd: shared::abs_path("cwd", &cwd)?,
        path: path
            .map(|path| shared::abs_path("path", &path))
            .transpose()?,
        frozen: frozen == Some(true),
        offline: offline == Some(true),
        switch: switch == Some(true),
        dry_run,
    };
    let synced = plugd_plugins::sync_lock(&call, &context.parts, request).await?;
    let Synced {
        path,
        changes,
        problems,
    } = synced;
    Reply::of(&wire::PlugdSyncResponse {
        path: shared::path(&path),
        dry_run,
        changes: changes.into_iter().map(change).collect(),
        problems: problems.into_iter().map(shared::problem).collect(),
    })
}

pub(super) fn change(change: SyncChange) -> wire::PlugdSyncChange {
    let changed = change.changed();
    let SyncChange {
        subject,
        from,
        to,
        reason,
    } = change;
    let (plugin_id, marketplace_name) = names(subject);
    wire::PlugdSyncChange {
        plugin_id,
        marketplace_name,
        from,
        to,
        changed,
        reason: match reason {
            SyncReason::Unchanged => wire::PlugdSyncReason::Unchanged,
            SyncReason::Added => wire::PlugdSyncReason::Added,
            SyncReason::Installed => wire::PlugdSyncReason::Installed,
            SyncReason::Moved => wire::PlugdSyncReason::Moved,
            SyncReason::Replaced => wire::PlugdSyncReason::Replaced,
            SyncReason::Pinned => wire::PlugdSyncReason::Pinned,
            SyncReason::SwitchedOn => wire::PlugdSyncReason::SwitchedOn,
        },
    }
}
