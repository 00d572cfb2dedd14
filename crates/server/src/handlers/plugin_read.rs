//! `plugin/read`.

use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_plugins::{App, HookDeclaration, HookEvent, Reading, Skill, SkillInterface};
use plugd_protocol as wire;

use super::shared;
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    _call: Call,
    params: wire::PluginReadParams,
) -> Result<Reply, WireError> {
    let wire::PluginReadParams {
        marketplace_path,
        remote_marketplace_name,
        plugin_name,
    } = params;
    let manifest = match (marketplace_path, remote_marketplace_name) {
        (Some(path), None) => shared::abs_path("marketplacePath", &path)?,
        (None, Some(_)) => {
            return Err(plugd_plugins::Error::LoginRequired {
                action: "read remote plugin details",
            }
            .into());
        }
        _ => {
            return Err(plugd_plugins::Error::OneSelector {
                method: "plugin/read",
            }
            .into());
        }
    };
    let reading = plugd_plugins::read(
        &context.blocking,
        &context.lookup,
        &context.copies,
        &context.refresher,
        manifest,
        plugin_name,
    )
    .await?;
    Reply::of(&wire::PluginReadResponse {
        plugin: detail(reading),
    })
}

fn detail(reading: Reading) -> wire::PluginDetail {
    let Reading {
        marketplace,
        path,
        mut summary,
        description,
        skills,
        onboarding_skill,
        hooks,
        apps,
        mcp_servers,
        problems,
    } = reading;
    // The reading has looked further than the listing; its problems include the summary's.
    summary.problems = problems;
    wire::PluginDetail {
        marketplace_name: marketplace,
        marketplace_path: Some(shared::path(&path)),
        summary: shared::summary(summary),
        share_url: None,
        description,
        skills: skills.into_iter().map(skill).collect(),
        onboarding_skill: onboarding_skill.map(skill),
        hooks: hooks.into_iter().map(hook).collect(),
        apps: apps.into_iter().map(app).collect(),
        app_templates: Vec::new(),
        mcp_servers,
        scheduled_tasks: None,
    }
}

fn skill((skill, enabled): (Skill, bool)) -> wire::SkillSummary {
    let Skill {
        name,
        bare_name: _,
        description,
        short_description,
        interface,
        dependencies: _,
        path,
        allow_implicit: _,
        visible: _,
    } = skill;
    wire::SkillSummary {
        name,
        description,
        short_description,
        interface: interface.map(skill_interface),
        path: Some(shared::path(&path)),
        enabled,
    }
}

pub(super) fn skill_interface(interface: SkillInterface) -> wire::SkillInterface {
    let SkillInterface {
        display_name,
        short_description,
        icon_small,
        icon_large,
        brand_color,
        default_prompt,
    } = interface;
    wire::SkillInterface {
        display_name,
        short_description,
        icon_small: icon_small.as_ref().map(shared::path),
        icon_large: icon_large.as_ref().map(shared::path),
        icon_small_url: None,
        icon_large_url: None,
        brand_color,
        default_prompt,
    }
}

fn hook(hook: HookDeclaration) -> wire::PluginHookSummary {
    let HookDeclaration {
        key,
        event,
        matcher: _,
        has_bad_matcher: _,
        file: _,
        handler: _,
    } = hook;
    wire::PluginHookSummary {
        key,
        event_name: event_name(event),
    }
}

pub(super) fn event_name(event: HookEvent) -> wire::HookEventName {
    match event {
        HookEvent::PreModelRequest => wire::HookEventName::PreModelRequest,
        HookEvent::PostModelRequest => wire::HookEventName::PostModelRequest,
        HookEvent::PreToolUse => wire::HookEventName::PreToolUse,
        HookEvent::PermissionRequest => wire::HookEventName::PermissionRequest,
        HookEvent::PostToolUse => wire::HookEventName::PostToolUse,
        HookEvent::PreCompact => wire::HookEventName::PreCompact,
        HookEvent::PostCompact => wire::HookEventName::PostCompact,
        HookEvent::SessionStart => wire::HookEventName::SessionStart,
        HookEvent::SessionEnd => wire::HookEventName::SessionEnd,
        HookEvent::UserPromptSubmit => wire::HookEventName::UserPromptSubmit,
        HookEvent::SubagentStart => wire::HookEventName::SubagentStart,
        HookEvent::SubagentStop => wire::HookEventName::SubagentStop,
        HookEvent::Stop => wire::HookEventName::Stop,
        HookEvent::Interrupt => wire::HookEventName::Interrupt,
    }
}

fn app(app: App) -> wire::AppSummary {
    let App {
        id,
        label: _,
        category,
    } = app;
    wire::AppSummary {
        name: id.clone(),
        id,
        description: None,
        install_url: None,
        category,
    }
}
