//! `plugin/skill/read`.

use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_plugins::{SkillHolder, SkillText, read_remote_skill, read_skill};
use plugd_protocol as wire;

use super::shared;
use crate::context::Context;
use crate::error_map;
use crate::reply::Reply;
use crate::wire_error::WireError;

/// The one plugin that is named.
enum Holder {
    /// One of this machine.
    Local(SkillHolder),
    /// One of the remote catalog.
    Remote {
        /// The marketplace.
        marketplace: String,
        /// The id that the service has for it.
        id: String,
    },
}

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: wire::PluginSkillReadParams,
) -> Result<Reply, WireError> {
    let skill = params.skill_name.clone();
    let SkillText { path, contents } = match holder(params)? {
        Holder::Remote { marketplace, id } => {
            let text = read_remote_skill(
                &call,
                &context.blocking,
                &context.lookup,
                &context.copies,
                marketplace,
                id,
                skill,
            );
            text.await?
        }
        Holder::Local(_) if skill.trim().is_empty() => {
            return Err(WireError::invalid_params("skillName", "it is blank"));
        }
        Holder::Local(holder) => {
            let text = read_skill(
                &context.blocking,
                &context.lookup,
                &context.copies,
                holder,
                skill,
            );
            text.await?
        }
    };
    Reply::of(&wire::PluginSkillReadResponse {
        contents,
        path: path.as_ref().map(shared::path),
    })
}

fn holder(params: wire::PluginSkillReadParams) -> Result<Holder, WireError> {
    let wire::PluginSkillReadParams {
        remote_marketplace_name,
        remote_plugin_id,
        marketplace_path,
        plugin_name,
        plugin_id,
        skill_name: _,
    } = params;
    match (
        (remote_marketplace_name, remote_plugin_id),
        (marketplace_path, plugin_name),
        plugin_id,
    ) {
        ((Some(marketplace), Some(id)), (None, None), None) => {
            Ok(Holder::Remote { marketplace, id })
        }
        ((None, None), (Some(manifest), Some(plugin)), None) => {
            Ok(Holder::Local(SkillHolder::Offered {
                manifest: shared::abs_path("marketplacePath", &manifest)?,
                plugin,
            }))
        }
        ((None, None), (None, None), Some(id)) => Ok(Holder::Local(SkillHolder::Installed(id))),
        _ => {
            let text = "name one plugin: by remoteMarketplaceName and remotePluginId, by \
                        marketplacePath and pluginName, or by pluginId";
            Err(error_map::invalid_params(text, None))
        }
    }
}
