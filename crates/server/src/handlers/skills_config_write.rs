//! `skills/config/write`.

use std::sync::Arc;

use plugd_plugins::SkillChoice;
use plugd_plugins::call::Call;
use plugd_protocol as wire;

use super::shared;
use crate::context::Context;
use crate::error_map;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: wire::SkillsConfigWriteParams,
) -> Result<Reply, WireError> {
    let wire::SkillsConfigWriteParams {
        path,
        name,
        enabled,
    } = params;
    let name = name.filter(|name| !name.trim().is_empty());
    let choice = match (path, name) {
        (Some(path), None) => SkillChoice::Path(shared::abs_path("path", &path)?),
        (None, Some(name)) => SkillChoice::Name(name),
        _ => {
            let text = "skills/config/write requires exactly one of path or name";
            return Err(error_map::invalid_params(text, None));
        }
    };
    let effective_enabled = plugd_plugins::switch_skill(
        &call,
        &context.blocking,
        &context.lookup,
        &context.copies,
        &context.events,
        choice,
        enabled,
    )
    .await?;
    Reply::of(&wire::SkillsConfigWriteResponse { effective_enabled })
}
