//! `skills/list`.

use std::sync::Arc;

use plugd_model::Severity;
use plugd_plugins::call::Call;
use plugd_plugins::{ListedSkill, Skill, SkillRow, SkillScope, SkillsSeen, ToolDependency};
use plugd_protocol as wire;

use super::{plugin_read, shared};
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    _call: Call,
    params: wire::SkillsListParams,
) -> Result<Reply, WireError> {
    // Nothing is remembered between listings, so each is a forced one.
    let wire::SkillsListParams {
        cwds,
        force_reload: _,
    } = params;
    let (named, paths) = shared::loose_cwds(&context, cwds)?;
    let seen = plugd_plugins::skills(
        &context.blocking,
        &context.lookup,
        &context.copies,
        &context.extra_skill_roots,
        &context.skill_watch,
        paths,
    )
    .await?;
    let data = named.into_iter().zip(seen);
    Reply::of(&wire::SkillsListResponse {
        data: data.map(|(cwd, seen)| entry(cwd, seen)).collect(),
    })
}

fn entry(cwd: String, seen: SkillsSeen) -> wire::SkillsListEntry {
    let SkillsSeen { skills, problems } = seen;
    let broken = problems.iter().filter_map(|problem| {
        let path = problem.path.as_ref()?;
        (problem.severity == Severity::Error).then(|| wire::SkillErrorInfo {
            path: shared::path(path),
            message: problem.message.clone(),
        })
    });
    wire::SkillsListEntry {
        cwd,
        skills: skills.into_iter().map(row).collect(),
        errors: broken.collect(),
        problems: problems.into_iter().map(shared::problem).collect(),
    }
}

fn row(row: SkillRow) -> wire::SkillMetadata {
    let SkillRow { listed, enabled } = row;
    let ListedSkill {
        skill,
        scope,
        plugin,
        products: _,
    } = listed;
    let Skill {
        name,
        bare_name: _,
        description,
        short_description,
        interface,
        dependencies: needs,
        path,
        allow_implicit: _,
        visible: _,
    } = skill;
    wire::SkillMetadata {
        name,
        description,
        short_description,
        interface: interface.map(plugin_read::skill_interface),
        dependencies: dependencies(needs),
        path: shared::path(&path),
        scope: match scope {
            SkillScope::Repo => wire::SkillScope::Repo,
            SkillScope::User => wire::SkillScope::User,
            SkillScope::System => wire::SkillScope::System,
            SkillScope::Admin => wire::SkillScope::Admin,
        },
        enabled,
        plugin_id: plugin.map(|id| id.to_string()),
    }
}

pub(super) fn dependencies(needs: Vec<ToolDependency>) -> Option<wire::SkillDependencies> {
    let tools: Vec<_> = needs.into_iter().map(tool).collect();
    (!tools.is_empty()).then_some(wire::SkillDependencies { tools })
}

fn tool(tool: ToolDependency) -> wire::SkillToolDependency {
    let ToolDependency {
        kind,
        value,
        description,
        command,
        url,
        transport,
    } = tool;
    wire::SkillToolDependency {
        kind,
        value,
        description,
        transport,
        command,
        url,
    }
}
