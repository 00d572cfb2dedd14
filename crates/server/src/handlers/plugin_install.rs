//! `plugin/install`.

use std::sync::Arc;

use plugd_model::git_url::without_credentials;
use plugd_plugins::call::Call;
use plugd_plugins::{Binding, Installation, Target};
use plugd_protocol as wire;

use super::shared;
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: wire::PluginInstallParams,
) -> Result<Reply, WireError> {
    let wire::PluginInstallParams {
        marketplace_path,
        remote_marketplace_name,
        plugin_name,
        // A client's own name for the attempt; the request id serves the log.
        install_attempt_id: _,
    } = params;
    let target = match (marketplace_path, remote_marketplace_name) {
        (Some(path), None) => Target::Named {
            manifest: shared::abs_path("marketplacePath", &path)?,
            plugin: plugin_name,
        },
        (None, Some(_)) => {
            return Err(plugd_plugins::Error::LoginRequired {
                action: "read remote plugin details before install",
            }
            .into());
        }
        _ => {
            return Err(plugd_plugins::Error::OneSelector {
                method: "plugin/install",
            }
            .into());
        }
    };
    let Installation {
        id: _,
        version,
        root: _,
        auth_policy,
        changed,
        rebound,
        problems,
    } = plugd_plugins::install(
        &call,
        &context.blocking,
        &context.lookup,
        &context.copies,
        &context.fetcher,
        &context.events,
        target,
    )
    .await?;
    Reply::of(&wire::PluginInstallResponse {
        auth_policy: shared::auth_policy(auth_policy),
        apps_needing_auth: Vec::new(),
        installed_version: version.to_string(),
        changed,
        rebound: rebound.map(|rebound| wire::PluginRebinding {
            from: binding(rebound.from, rebound.from_source),
            to: binding(rebound.to, Some(rebound.to_source)),
        }),
        problems: problems.into_iter().map(shared::problem).collect(),
    })
}

fn binding(binding: Binding, source: Option<plugd_model::Source>) -> wire::PluginBinding {
    let (path, url, ref_name) = match binding {
        Binding::Manifest(path) => (Some(shared::path(&path)), None, None),
        Binding::Git { url, ref_name } => (None, Some(without_credentials(&url)), ref_name),
        Binding::Curated => (None, None, None),
    };
    wire::PluginBinding {
        marketplace_path: path,
        marketplace_url: url,
        marketplace_ref: ref_name,
        source: source.map(shared::source),
    }
}
