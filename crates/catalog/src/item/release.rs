//! The format of an item's release.

use plugd_model::{Problem, ProblemKind};

use crate::item::interface;
use crate::json::{Notes, Object};
use crate::{
    AppTemplate, Release, ReleaseSkill, Schedule, ScheduledTask, Secret, TemplateReason, Weekday,
};

/// Reads a release. What can only be shown is noted where it is broken; what an installation builds
/// on spoils the item.
pub(crate) fn read(object: &Object<'_>, notes: &mut Notes) -> Result<Release, Problem> {
    let display_name = shown(object, "display_name", notes);
    let description = shown(object, "description", notes);
    let interface = notes.keep(object.object("interface"));
    Ok(Release {
        version: object.trimmed("version")?,
        bundle_url: object.text("bundle_download_url")?.map(Secret::new),
        digest: digest(object)?,
        app_ids: notes.keep(object.texts("app_ids")).unwrap_or_default(),
        app_manifest: object.get("app_manifest").map(|raw| raw.get().to_owned()),
        app_templates: templates(object, notes),
        keywords: notes.keep(object.texts("keywords")).unwrap_or_default(),
        interface: interface::read(interface.as_ref(), display_name.as_deref(), notes),
        display_name,
        description,
        skills: object.readable("skills", notes, skill).unwrap_or_default(),
        onboarding_skill_name: notes.keep(object.text("onboarding_skill_name")),
        mcp_servers: servers(object, notes),
        scheduled_tasks: object.readable("scheduled_tasks", notes, |task, _| scheduled_task(task)),
    })
}

/// A text that every release has, blank or not.
fn shown(object: &Object<'_>, key: &str, notes: &mut Notes) -> Option<String> {
    let text = object.needed(key, object.text(key)).map(Some);
    let text = notes.keep(text)?;
    let trimmed = text.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

/// What the bundle must hash to. No service is known to say so; a broken digest is no reason to go
/// without one.
fn digest(object: &Object<'_>) -> Result<Option<String>, Problem> {
    if let Some(digest) = object.trimmed("bundle_digest")? {
        return Ok(Some(digest));
    }
    let hex = object.trimmed("bundle_sha256")?;
    Ok(hex.map(|hex| match hex.contains(':') {
        true => hex,
        false => format!("sha256:{hex}"),
    }))
}

fn skill(object: &Object<'_>, notes: &mut Notes) -> Result<ReleaseSkill, Problem> {
    let name = object.needed("name", object.text("name"))?;
    let description = object.needed("description", object.text("description"))?;
    let interface = notes.keep(object.object("interface"));
    Ok(ReleaseSkill {
        name,
        description,
        interface: interface.map(|interface| interface::of_skill(&interface, notes)),
    })
}

fn servers(object: &Object<'_>, notes: &mut Notes) -> Vec<String> {
    let keys = object.readable("mcp_servers", notes, |server, _| {
        server.needed("key", server.text("key"))
    });
    let mut keys = keys.unwrap_or_default();
    keys.sort();
    keys.dedup();
    keys
}

fn templates(object: &Object<'_>, notes: &mut Notes) -> Vec<AppTemplate> {
    let key = match object.has("app_templates") {
        true => "app_templates",
        // What older services call it.
        false => "unavailable_app_templates",
    };
    object.readable(key, notes, template).unwrap_or_default()
}

fn template(object: &Object<'_>, notes: &mut Notes) -> Result<AppTemplate, Problem> {
    let template_id = object.needed("template_id", object.text("template_id"))?;
    let name = object.needed("name", object.text("name"))?;
    let mut text = |key| notes.keep(object.text(key));
    Ok(AppTemplate {
        template_id,
        name,
        description: text("description"),
        category: text("category"),
        canonical_connector_id: text("canonical_connector_id"),
        logo_url: text("logo_url"),
        logo_url_dark: text("logo_url_dark"),
        materialized_app_ids: notes
            .keep(object.texts("materialized_app_ids"))
            .unwrap_or_default(),
        reason: notes.keep(object.word("reason", TemplateReason::of_word)),
    })
}

fn scheduled_task(object: &Object<'_>) -> Result<ScheduledTask, Problem> {
    let text = |key| object.needed(key, object.text(key));
    let schedule = object.needed("schedule", object.object("schedule"))?;
    Ok(ScheduledTask {
        key: text("key")?,
        name: text("name")?,
        prompt: text("prompt")?,
        schedule: read_schedule(&schedule)?,
    })
}

fn read_schedule(object: &Object<'_>) -> Result<Schedule, Problem> {
    let time = || object.needed("time", object.text("time"));
    let kind = object.needed("type", object.text("type"))?;
    match kind.as_str() {
        "hourly" => {
            let interval = object.number("intervalHours");
            Ok(Schedule::Hourly {
                interval_hours: object.needed("intervalHours", interval)?,
                days: days(object)?,
            })
        }
        "daily" => Ok(Schedule::Daily { time: time()? }),
        "weekdays" => Ok(Schedule::Weekdays { time: time()? }),
        "weekly" => Ok(Schedule::Weekly {
            days: object.needed("days", days(object))?,
            time: time()?,
        }),
        _ => {
            let message = "`type` is no known kind of schedule".to_owned();
            Err(object.fault(ProblemKind::BadValue, message, "type"))
        }
    }
}

fn days(object: &Object<'_>) -> Result<Option<Vec<Weekday>>, Problem> {
    let Some(words) = object.texts("days")? else {
        return Ok(None);
    };
    let days: Option<Vec<_>> = words.iter().map(|word| Weekday::of_word(word)).collect();
    days.map(Some).ok_or_else(|| {
        let message = "`days` has something other than `MO` to `SU`".to_owned();
        object.fault(ProblemKind::BadValue, message, "days")
    })
}

#[cfg(test)]
#[path = "release_tests.rs"]
mod tests;
