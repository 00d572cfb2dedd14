//! `plugin/skill/read`.

use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_plugins::{Error, SkillHolder, SkillText, read_skill};
use plugd_protocol as wire;

use super::shared;
use crate::context::Context;
use crate::error_map;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    _call: Call,
    params: wire::PluginSkillReadParams,
) -> Result<Reply, WireError> {
    let skill = params.skill_name.clone();
    if skill.trim().is_empty() {
        return Err(WireError::invalid_params("skillName", "it is blank"));
    }
    let holder = holder(params)?;
    let text = read_skill(
        &context.blocking,
        &context.lookup,
        &context.copies,
        holder,
        skill,
    );
    let SkillText { path, contents } = text.await?;
    Reply::of(&wire::PluginSkillReadResponse {
        contents: Some(contents),
        path: Some(shared::path(&path)),
    })
}

/// The one plugin that is named. A remote one is refused in the order and words of the reference.
fn holder(params: wire::PluginSkillReadParams) -> Result<SkillHolder, WireError> {
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
        ((Some(_), Some(id)), (None, None), None) => {
            let is_legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'~');
            if id.is_empty() || !id.bytes().all(is_legal) {
                let reason = "only ASCII letters, digits, `_`, `-`, and `~` are allowed";
                return Err(Error::BadValue {
                    field: "invalid remote plugin id",
                    reason: reason.to_owned(),
                }
                .into());
            }
            Err(Error::LoginRequired {
                action: "read remote plugin skill details",
            }
            .into())
        }
        ((None, None), (Some(manifest), Some(plugin)), None) => Ok(SkillHolder::Offered {
            manifest: shared::abs_path("marketplacePath", &manifest)?,
            plugin,
        }),
        ((None, None), (None, None), Some(id)) => Ok(SkillHolder::Installed(id)),
        _ => {
            let text = "name one plugin: by remoteMarketplaceName and remotePluginId, by \
                        marketplacePath and pluginName, or by pluginId";
            Err(error_map::invalid_params(text, None))
        }
    }
}
