//! `plugd/link` and `plugd/unlink`.

use std::sync::Arc;

use plugd_model::PluginId;
use plugd_plugins::call::Call;
use plugd_plugins::{LinkChange, LinkReason, LinkRequest, Linked, Unlink};
use plugd_protocol as wire;

use super::shared;
use crate::context::Context;
use crate::error_map;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn link(
    context: Arc<Context>,
    call: Call,
    params: wire::PlugdLinkParams,
) -> Result<Reply, WireError> {
    let wire::PlugdLinkParams {
        path,
        plugin_id,
        dry_run,
    } = params;
    let request = LinkRequest {
        path: shared::abs_path("path", &path)?,
        id: plugin_id.map(parse).transpose()?,
        dry_run: dry_run == Some(true),
    };
    let Linked {
        dry_run,
        id,
        path,
        changes,
        problems,
    } = plugd_plugins::link(&call, &context.parts, request).await?;
    Reply::of(&wire::PlugdLinkResponse {
        dry_run,
        plugin_id: id.to_string(),
        path: shared::path(&path),
        changes: changes.into_iter().map(change).collect(),
        problems: problems.into_iter().map(shared::problem).collect(),
    })
}

pub(crate) async fn unlink(
    context: Arc<Context>,
    call: Call,
    params: wire::PlugdUnlinkParams,
) -> Result<Reply, WireError> {
    let wire::PlugdUnlinkParams {
        plugin_id,
        path,
        dry_run,
    } = params;
    let what = match (plugin_id, path) {
        (Some(id), None) => Unlink::Plugin(parse(id)?),
        (None, Some(path)) => Unlink::Directory(shared::abs_path("path", &path)?),
        _ => {
            let text = "expected exactly one of `pluginId` and `path`";
            return Err(error_map::invalid_params(text, None));
        }
    };
    let dry_run = dry_run == Some(true);
    // Nothing is wrong with what is no longer linked.
    let Linked {
        dry_run,
        id,
        path,
        changes,
        problems: _,
    } = plugd_plugins::unlink(&call, &context.parts, what, dry_run).await?;
    Reply::of(&wire::PlugdUnlinkResponse {
        dry_run,
        plugin_id: id.to_string(),
        path: shared::path(&path),
        changes: changes.into_iter().map(change).collect(),
    })
}

fn parse(id: String) -> Result<PluginId, WireError> {
    PluginId::parse(&id).map_err(|_| plugd_plugins::Error::BadPluginId { id }.into())
}

fn change(change: LinkChange) -> wire::PlugdLinkChange {
    let LinkChange {
        id,
        from,
        to,
        reason,
    } = change;
    wire::PlugdLinkChange {
        plugin_id: id.to_string(),
        changed: from != to,
        from: from.as_ref().map(shared::path),
        to: to.as_ref().map(shared::path),
        reason: match reason {
            LinkReason::Asked => wire::PlugdLinkReason::Requested,
            LinkReason::Unchanged => wire::PlugdLinkReason::Unchanged,
            LinkReason::Moved => wire::PlugdLinkReason::Moved,
        },
    }
}
