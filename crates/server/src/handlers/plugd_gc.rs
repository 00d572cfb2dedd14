//! `plugd/gc`.

use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_plugins::{Collected, GcReport, GcTree, Mirror, Unneeded};
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
    let freed_bytes = collected.freed();
    let Collected {
        dry_run,
        store,
        mirrors,
    } = collected;
    let GcReport {
        trees,
        staging,
        trash,
        dead_leases,
        freed: _,
        problems,
    } = store;
    wire::PlugdGcResponse {
        dry_run,
        trees: trees.into_iter().map(tree).collect(),
        staging_bytes: staging,
        trash_bytes: trash,
        dead_leases: u64::try_from(dead_leases).unwrap_or(u64::MAX),
        mirrors: mirrors.into_iter().map(mirror).collect(),
        freed_bytes,
        problems: problems.into_iter().map(shared::problem).collect(),
    }
}

fn tree(tree: GcTree) -> wire::PlugdGcTree {
    let GcTree {
        digest,
        root,
        bytes,
        why,
    } = tree;
    wire::PlugdGcTree {
        tree_digest: digest.to_string(),
        path: shared::path(&root),
        bytes,
        reason: match why {
            Unneeded::Unnamed => wire::PlugdGcReason::Unnamed,
            Unneeded::TooMany => wire::PlugdGcReason::TooMany,
            Unneeded::CopyOfInstalled => wire::PlugdGcReason::CopyOfInstalled,
        },
    }
}

fn mirror(mirror: Mirror) -> wire::PlugdGcMirror {
    let Mirror { path, bytes } = mirror;
    wire::PlugdGcMirror {
        path: shared::path(&path),
        bytes,
    }
}
