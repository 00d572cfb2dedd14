//! `plugd/gc`.

use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_plugins::{
    Collected, GcChange, GcKind, GcReason, GcReport, GcTotal, GcTree, Mirror, Unneeded,
};
use plugd_protocol as wire;

use super::shared;
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: wire::PlugdGcParams,
) -> Result<Reply, WireError> {
    let wire::PlugdGcParams { dry_run } = params;
    let collected = plugd_plugins::gc(
        &call,
        &context.blocking,
        &context.lookup,
        &context.copies,
        dry_run == Some(true),
    )
    .await?;
    gc_reply(collected)
}

/// The answer that a client gets, also for the command line, which has asked the use case itself.
///
/// # Errors
/// The answer cannot be JSON, which is a fault of ours.
pub fn gc_reply(collected: Collected) -> Result<Reply, WireError> {
    Reply::of(&response(collected))
}

fn response(collected: Collected) -> wire::PlugdGcResponse {
    let (size, totals) = (collected.size(), collected.totals());
    let Collected {
        dry_run,
        changes,
        store,
        mirrors,
        problems,
    } = collected;
    let GcReport {
        trees,
        staging,
        trash,
        dead_leases,
        leases: _,
        records: _,
        half_written: _,
        freed: _,
        problems: _,
    } = store;
    wire::PlugdGcResponse {
        dry_run,
        trees: trees.into_iter().map(tree).collect(),
        staging_bytes: staging.bytes,
        trash_bytes: trash.bytes,
        dead_leases: u64::try_from(dead_leases).unwrap_or(u64::MAX),
        mirrors: mirrors.into_iter().map(mirror).collect(),
        changes: changes.into_iter().map(change).collect(),
        totals: totals.into_iter().map(total).collect(),
        freed_bytes: size.bytes,
        freed_files: size.files,
        problems: problems.into_iter().map(shared::problem).collect(),
    }
}

fn tree(tree: GcTree) -> wire::PlugdGcTree {
    let GcTree {
        digest,
        root,
        size,
        why,
    } = tree;
    wire::PlugdGcTree {
        tree_digest: digest.to_string(),
        path: shared::path(&root),
        bytes: size.bytes,
        reason: match why {
            Unneeded::Unnamed => wire::PlugdGcReason::Unnamed,
            Unneeded::TooMany => wire::PlugdGcReason::TooMany,
            Unneeded::CopyOfInstalled => wire::PlugdGcReason::CopyOfInstalled,
        },
    }
}

fn mirror(mirror: Mirror) -> wire::PlugdGcMirror {
    let Mirror { path, size } = mirror;
    wire::PlugdGcMirror {
        path: shared::path(&path),
        bytes: size.bytes,
    }
}

fn change(change: GcChange) -> wire::PlugdGcChange {
    let GcChange {
        kind: what,
        path,
        plugin,
        marketplace,
        digest,
        entries,
        size,
        reason: why,
    } = change;
    wire::PlugdGcChange {
        kind: kind(what),
        path: shared::path(&path),
        plugin_id: plugin.map(|id| id.to_string()),
        marketplace_name: marketplace.map(|name| name.to_string()),
        tree_digest: digest.map(|digest| digest.to_string()),
        entries,
        files: size.files,
        bytes: size.bytes,
        changed: true,
        reason: reason(why),
    }
}

fn total(total: GcTotal) -> wire::PlugdGcTotal {
    let GcTotal {
        kind: what,
        entries,
        size,
    } = total;
    wire::PlugdGcTotal {
        kind: kind(what),
        entries,
        files: size.files,
        bytes: size.bytes,
    }
}

fn kind(kind: GcKind) -> wire::PlugdGcKind {
    match kind {
        GcKind::Tree => wire::PlugdGcKind::Tree,
        GcKind::Staging => wire::PlugdGcKind::Staging,
        GcKind::Trash => wire::PlugdGcKind::Trash,
        GcKind::Lease => wire::PlugdGcKind::Lease,
        GcKind::Record => wire::PlugdGcKind::Record,
        GcKind::HalfWritten => wire::PlugdGcKind::HalfWritten,
        GcKind::Mirror => wire::PlugdGcKind::Mirror,
        GcKind::Checkout => wire::PlugdGcKind::Checkout,
        GcKind::Catalog => wire::PlugdGcKind::Catalog,
    }
}

fn reason(reason: GcReason) -> wire::PlugdGcReason {
    match reason {
        GcReason::Unnamed => wire::PlugdGcReason::Unnamed,
        GcReason::TooMany => wire::PlugdGcReason::TooMany,
        GcReason::CopyOfInstalled => wire::PlugdGcReason::CopyOfInstalled,
        GcReason::Dead => wire::PlugdGcReason::Dead,
        GcReason::NotInstalled => wire::PlugdGcReason::NotInstalled,
        GcReason::NotNamed => wire::PlugdGcReason::NotNamed,
        GcReason::NotConfigured => wire::PlugdGcReason::NotConfigured,
        GcReason::Unused => wire::PlugdGcReason::Unused,
    }
}
