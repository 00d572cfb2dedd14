//! `plugd/instructions`.

use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_plugins::{DEFAULT_BUDGET, InstructionBlock, InstructionKind, Instructions, LeftOut};
use plugd_protocol as wire;

use super::shared;
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: wire::PlugdInstructionsParams,
) -> Result<Reply, WireError> {
    let wire::PlugdInstructionsParams { cwd, budget } = params;
    let budget = budget.unwrap_or(DEFAULT_BUDGET);
    let made = plugd_plugins::instructions(
        &call,
        &context.blocking,
        &context.lookup,
        &context.copies,
        &context.extra_skill_roots,
        shared::cwd(cwd)?,
        budget,
    )
    .await?;
    Reply::of(&response(made, budget))
}

fn response(made: Instructions, budget: u32) -> wire::PlugdInstructionsResponse {
    let Instructions {
        text,
        characters,
        parts,
        left_out,
        problems,
    } = made;
    wire::PlugdInstructionsResponse {
        text,
        characters: u64::try_from(characters).unwrap_or(u64::MAX),
        budget,
        parts: parts.into_iter().map(block).collect(),
        left_out: left_out.into_iter().map(missing).collect(),
        problems: problems.into_iter().map(shared::problem).collect(),
    }
}

fn block(block: InstructionBlock) -> wire::PlugdInstructionsPart {
    let InstructionBlock { kind, text } = block;
    wire::PlugdInstructionsPart {
        kind: match kind {
            InstructionKind::Plugins => wire::PlugdInstructionsPartKind::Plugins,
            InstructionKind::Skills => wire::PlugdInstructionsPartKind::Skills,
        },
        text,
    }
}

fn missing(left: LeftOut) -> wire::PlugdLeftOut {
    let LeftOut {
        of,
        name,
        is_description,
    } = left;
    wire::PlugdLeftOut {
        kind: match (of, is_description) {
            (_, true) => wire::PlugdLeftOutKind::Description,
            (InstructionKind::Plugins, false) => wire::PlugdLeftOutKind::Plugin,
            (InstructionKind::Skills, false) => wire::PlugdLeftOutKind::Skill,
        },
        name,
    }
}
