//! `plugd/versions`.

use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_plugins::{PluginVersions, VersionRow, Versions};
use plugd_protocol as wire;

use super::{shared, versions_shared};
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: wire::PlugdVersionsParams,
) -> Result<Reply, WireError> {
    let wire::PlugdVersionsParams { plugin_id } = params;
    let only = plugin_id.map(versions_shared::plugin_id).transpose()?;
    let found = plugd_plugins::versions(&call, &context.blocking, &context.copies, only).await?;
    let Versions { plugins, problems } = found;
    Reply::of(&wire::PlugdVersionsResponse {
        plugins: plugins.into_iter().map(plugin).collect(),
        problems: problems.into_iter().map(shared::problem).collect(),
    })
}

fn plugin(plugin: PluginVersions) -> wire::PlugdPluginVersions {
    let PluginVersions {
        id,
        pin,
        semantic,
        versions,
        problems,
    } = plugin;
    wire::PlugdPluginVersions {
        plugin_id: id.to_string(),
        pin: pin.map(versions_shared::pin),
        ordered_by: match semantic {
            true => wire::PlugdVersionOrder::Semver,
            false => wire::PlugdVersionOrder::Time,
        },
        versions: versions.into_iter().map(version).collect(),
        problems: problems.into_iter().map(shared::problem).collect(),
    }
}

fn version(row: VersionRow) -> wire::PlugdVersion {
    let VersionRow {
        version,
        installed,
        root,
        tree_digest,
        origin,
        replaced_at,
        pinned,
        predecessor,
    } = row;
    let origin = origin.as_ref();
    let (binding, bound_to) = origin.map(versions_shared::origin).unzip();
    wire::PlugdVersion {
        version: version.to_string(),
        state: match installed {
            true => wire::PlugdVersionState::Installed,
            false => wire::PlugdVersionState::Kept,
        },
        path: shared::path(&root),
        origin: binding,
        bound_to,
        commit: origin.and_then(|origin| origin.commit.clone()),
        source_digest: origin
            .and_then(|origin| origin.source_digest)
            .map(|digest| digest.to_string()),
        tree_digest: tree_digest.map(|digest| digest.to_string()),
        installed_at: origin.and_then(|origin| seconds(origin.installed_at)),
        by: origin.map(|origin| versions_shared::by(origin.by)),
        replaced_at: replaced_at.and_then(seconds),
        replaced: origin.and_then(|origin| versions_shared::replaced(&origin.before)),
        pinned,
        predecessor,
    }
}

fn seconds(time: u64) -> Option<i64> {
    i64::try_from(time).ok()
}
