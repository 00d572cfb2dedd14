//! `plugd/lock`.

use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_plugins::{LockChange, LockReason, LockRequest, LockSubject, Locked};
use plugd_protocol as wire;

use super::{shared, versions_shared};
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: wire::PlugdLockParams,
) -> Result<Reply, WireError> {
    let wire::PlugdLockParams {
        cwd,
        path,
        plugin_ids,
        dry_run,
    } = params;
    let ids = plugin_ids.unwrap_or_default().into_iter();
    let dry_run = dry_run == Some(true);
    let request = LockRequest {
        cwd: shared::abs_path("cwd", &cwd)?,
        path: path
            .map(|path| shared::abs_path("path", &path))
            .transpose()?,
        plugins: ids
            .map(versions_shared::plugin_id)
            .collect::<Result<_, _>>()?,
        dry_run,
    };
    let locked = plugd_plugins::lock(
        &call,
        &context.blocking,
        &context.lookup,
        &context.copies,
        request,
    )
    .await?;
    let Locked {
        path,
        changes,
        problems,
    } = locked;
    Reply::of(&wire::PlugdLockResponse {
        path: shared::path(&path),
        dry_run,
        changes: changes.into_iter().map(change).collect(),
        problems: problems.into_iter().map(shared::problem).collect(),
    })
}

fn change(change: LockChange) -> wire::PlugdLockChange {
    let changed = change.changed();
    let LockChange {
        subject,
        from,
        to,
        reason,
    } = change;
    let (plugin_id, marketplace_name) = names(subject);
    wire::PlugdLockChange {
        plugin_id,
        marketplace_name,
        from,
        to,
        changed,
        reason: match reason {
            LockReason::Added => wire::PlugdLockReason::Added,
            LockReason::Moved => wire::PlugdLockReason::Moved,
            LockReason::Replaced => wire::PlugdLockReason::Replaced,
            LockReason::Removed => wire::PlugdLockReason::Removed,
            LockReason::Unchanged => wire::PlugdLockReason::Unchanged,
        },
    }
}

/// The id of a plugin, or the name of a marketplace.
pub(super) fn names(subject: LockSubject) -> (Option<String>, Option<String>) {
    match subject {
        LockSubject::Plugin(id) => (Some(id.to_string()), None),
        LockSubject::Marketplace(name) => (None, Some(name.to_string())),
    }
}
