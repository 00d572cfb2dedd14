//! `plugin/install`.

use std::sync::Arc;

use plugd_model::git_url::without_secrets;
use plugd_plugins::call::Call;
use plugd_plugins::{
    Binding, Error, Installation, RemoteApp, RemoteInstallation, RemoteTarget, Target, Wish,
    install_remote,
};
use plugd_protocol as wire;

use super::versions_shared::only_one;
use super::{remote_row, shared};
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
        version,
        ref_name,
        sha,
        // A client's own name for the attempt; the request id serves the log.
        install_attempt_id: _,
    } = params;
    let wish = wish(version, ref_name, sha)?;
    let target = match (marketplace_path, remote_marketplace_name) {
        (Some(path), None) => Target::Named {
            manifest: shared::abs_path("marketplacePath", &path)?,
            plugin: plugin_name,
        },
        // Any name will do: the service's own scope says where the plugin stands.
        (None, marketplace @ Some(_)) => {
            wish.refuse_of_account()?;
            let target = RemoteTarget::Id(plugin_name);
            let done = install_remote(&call, &context.parts, target, marketplace).await;
            // Nobody but the service can say what became of one that was cancelled too late.
            if done.as_ref().map_or_else(Error::is_in_doubt, |_| true) {
                context.remote_sync.request();
            }
            let RemoteInstallation {
                installation,
                apps_needing_auth,
            } = done?;
            return answer(installation, apps_needing_auth);
        }
        _ => {
            return Err(Error::OneSelector {
                method: "plugin/install",
            }
            .into());
        }
    };
    let installation = plugd_plugins::install(
        &call,
        &context.blocking,
        &context.lookup,
        &context.copies,
        &context.fetcher,
        &context.events,
        (target, wish),
    )
    .await?;
    answer(installation, Vec::new())
}

/// Which version a request names.
fn wish(
    version: Option<String>,
    ref_name: Option<String>,
    sha: Option<String>,
) -> Result<Wish, Error> {
    let named = [
        version.map(|version| ("version", Wish::Version(version))),
        ref_name.map(|name| ("ref", Wish::Ref(name))),
        sha.map(|sha| ("sha", Wish::Sha(sha))),
    ];
    only_one(named).map(|wish| wish.unwrap_or(Wish::Offered))
}

fn answer(installation: Installation, apps: Vec<RemoteApp>) -> Result<Reply, WireError> {
    let Installation {
        id: _,
        version,
        root: _,
        auth_policy,
        changed,
        rebound,
        problems,
    } = installation;
    Reply::of(&wire::PluginInstallResponse {
        auth_policy: shared::auth_policy(auth_policy),
        apps_needing_auth: apps.into_iter().map(remote_row::app).collect(),
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
        Binding::Git { url, ref_name } => (None, Some(without_secrets(&url)), ref_name),
        Binding::Packed(origin) => (None, Some(origin.to_string()), None),
        // The source beside it says that it is the remote catalog.
        Binding::Curated | Binding::Remote { .. } => (None, None, None),
    };
    wire::PluginBinding {
        marketplace_path: path,
        marketplace_url: url,
        marketplace_ref: ref_name,
        source: source.map(shared::source),
    }
}
