//! `skills/extraRoots/set`.

use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_protocol as wire;

use super::shared;
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    _call: Call,
    params: wire::SkillsExtraRootsSetParams,
) -> Result<Reply, WireError> {
    let wire::SkillsExtraRootsSetParams { extra_roots } = params;
    let roots: Result<Vec<_>, _> = extra_roots
        .iter()
        .enumerate()
        .map(|(index, path)| shared::abs_path(&format!("extraRoots[{index}]"), path))
        .collect();
    if context.extra_skill_roots.set(roots?) {
        context.events.skills_changed();
    }
    Reply::of(&wire::SkillsExtraRootsSetResponse {})
}
