//! `plugin/read`.

use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_plugins::{
    AppTemplate, HookDeclaration, HookEvent, ReadSkill, ReadSkillInterface, Reading, Schedule,
    ScheduledTask, SkillInterface, TemplateReason, Weekday,
};
use plugd_protocol as wire;

use super::{remote_row, shared};
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: wire::PluginReadParams,
) -> Result<Reply, WireError> {
    let wire::PluginReadParams {
        marketplace_path,
        remote_marketplace_name,
        plugin_name,
    } = params;
    let reading = match (marketplace_path, remote_marketplace_name) {
        (Some(path), None) => {
            let manifest = shared::abs_path("marketplacePath", &path)?;
            let read = plugd_plugins::read(
                &call,
                &context.blocking,
                &context.lookup,
                &context.copies,
                &context.refresher,
                manifest,
                plugin_name,
            );
            read.await?
        }
        (None, Some(marketplace)) => {
            // Where no file offers a linked plugin, this is how its row is named, too.
            let linked = plugd_plugins::read_linked(
                &call,
                &context.blocking,
                &context.lookup,
                &context.copies,
                &marketplace,
                &plugin_name,
            );
            if let Some(reading) = linked.await? {
                return reply(reading);
            }
            let read = plugd_plugins::read_remote(
                &call,
                &context.blocking,
                &context.lookup,
                &context.copies,
                marketplace,
                plugin_name,
            );
            read.await?
        }
        _ => {
            return Err(plugd_plugins::Error::OneSelector {
                method: "plugin/read",
            }
            .into());
        }
    };
    reply(reading)
}

fn reply(reading: Reading) -> Result<Reply, WireError> {
    Reply::of(&wire::PluginReadResponse {
        plugin: detail(reading),
    })
}

fn detail(reading: Reading) -> wire::PluginDetail {
    let Reading {
        marketplace,
        path,
        mut summary,
        share_url,
        description,
        skills,
        onboarding_skill,
        hooks,
        apps,
        app_templates,
        mcp_servers,
        scheduled_tasks,
        problems,
    } = reading;
    // The reading has looked further than the listing; its problems include the summary's.
    summary.problems = problems;
    wire::PluginDetail {
        marketplace_name: marketplace,
        marketplace_path: path.as_ref().map(shared::path),
        summary: shared::summary(summary),
        share_url,
        description,
        skills: skills.into_iter().map(skill).collect(),
        onboarding_skill: onboarding_skill.map(skill),
        hooks: hooks.into_iter().map(hook).collect(),
        apps: apps.into_iter().map(remote_row::app).collect(),
        app_templates: app_templates.into_iter().map(app_template).collect(),
        mcp_servers,
        scheduled_tasks: scheduled_tasks.map(|tasks| tasks.into_iter().map(task).collect()),
    }
}

fn skill(skill: ReadSkill) -> wire::SkillSummary {
    let ReadSkill {
        name,
        description,
        short_description,
        interface,
        path,
        enabled,
    } = skill;
    wire::SkillSummary {
        name,
        description,
        short_description,
        interface: interface.map(read_interface),
        path: path.as_ref().map(shared::path),
        enabled,
    }
}

fn read_interface(interface: ReadSkillInterface) -> wire::SkillInterface {
    let ReadSkillInterface {
        display_name,
        short_description,
        icon_small,
        icon_large,
        icon_small_url,
        icon_large_url,
        brand_color,
        default_prompt,
    } = interface;
    wire::SkillInterface {
        display_name,
        short_description,
        icon_small: icon_small.as_ref().map(shared::path),
        icon_large: icon_large.as_ref().map(shared::path),
        icon_small_url,
        icon_large_url,
        brand_color,
        default_prompt,
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

fn app_template(template: AppTemplate) -> wire::AppTemplateSummary {
    let AppTemplate {
        template_id,
        name,
        description,
        category,
        canonical_connector_id,
        logo_url,
        logo_url_dark,
        materialized_app_ids,
        reason,
    } = template;
    wire::AppTemplateSummary {
        template_id,
        name,
        description,
        category,
        canonical_connector_id,
        logo_url,
        logo_url_dark,
        materialized_app_ids,
        reason: reason.map(|reason| match reason {
            TemplateReason::NotConfiguredForWorkspace => {
                wire::AppTemplateUnavailableReason::NotConfiguredForWorkspace
            }
            TemplateReason::NoActiveWorkspace => {
                wire::AppTemplateUnavailableReason::NoActiveWorkspace
            }
        }),
    }
}

fn task(task: ScheduledTask) -> wire::ScheduledTaskSummary {
    let ScheduledTask {
        key,
        name,
        prompt,
        schedule,
    } = task;
    let days = |days: Vec<Weekday>| days.into_iter().map(weekday).collect();
    wire::ScheduledTaskSummary {
        key,
        name,
        prompt,
        schedule: match schedule {
            Schedule::Hourly {
                interval_hours,
                days: on,
            } => wire::ScheduledTaskSchedule::Hourly {
                interval_hours,
                days: on.map(days),
            },
            Schedule::Daily { time } => wire::ScheduledTaskSchedule::Daily { time },
            Schedule::Weekdays { time } => wire::ScheduledTaskSchedule::Weekdays { time },
            Schedule::Weekly { days: on, time } => wire::ScheduledTaskSchedule::Weekly {
                days: days(on),
                time,
            },
        },
    }
}

fn weekday(day: Weekday) -> wire::ScheduledTaskWeekday {
    match day {
        Weekday::Monday => wire::ScheduledTaskWeekday::Monday,
        Weekday::Tuesday => wire::ScheduledTaskWeekday::Tuesday,
        Weekday::Wednesday => wire::ScheduledTaskWeekday::Wednesday,
        Weekday::Thursday => wire::ScheduledTaskWeekday::Thursday,
        Weekday::Friday => wire::ScheduledTaskWeekday::Friday,
        Weekday::Saturday => wire::ScheduledTaskWeekday::Saturday,
        Weekday::Sunday => wire::ScheduledTaskWeekday::Sunday,
    }
}
