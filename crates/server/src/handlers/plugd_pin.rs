//! `plugd/pin`.

use std::sync::Arc;

use plugd_plugins::PinTo;
use plugd_plugins::call::Call;
use plugd_protocol as wire;

use super::versions_shared;
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: wire::PlugdPinParams,
) -> Result<Reply, WireError> {
    let wire::PlugdPinParams {
        plugin_id,
        version,
        commit,
        digest,
        none,
        dry_run,
    } = params;
    let id = versions_shared::plugin_id(plugin_id)?;
    let named = [
        version.map(|version| ("version", PinTo::Version(version))),
        commit.map(|commit| ("commit", PinTo::Commit(commit))),
        digest.map(|digest| ("digest", PinTo::Digest(digest))),
        (none == Some(true)).then_some(("none", PinTo::None)),
    ];
    let to = versions_shared::only_one(named)?.unwrap_or(PinTo::Installed);
    let dry_run = dry_run == Some(true);
    let done = plugd_plugins::pin(&call, &context.parts, id, to, dry_run).await?;
    Reply::of(&versions_shared::changed(done))
}
