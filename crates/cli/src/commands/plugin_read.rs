//! `plugd plugin read`: one plugin from the inside. The JSON is the result of `plugin/read`.

use plugd_model::{AbsPath, PluginId, RemotePluginId, Source};
use plugd_plugins::{ListRequest, Listing, MarketplaceKind, Reading, RemoteTarget, Summary};
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

use super::plugin_list::status;
use crate::args::PluginArgs;
use crate::blame;
use crate::escape;
use crate::failure::Failure;
use crate::page::{Form, Page};
use crate::problems;
use crate::selector;
use crate::session::Session;
use crate::shapes;
use crate::style::{Paint, Style};

/// The marketplace that is named for an id alone; where the plugin stands is what the service says.
const CURATED: &str = "openai-curated-remote";

pub(super) async fn run(session: &Session, args: &PluginArgs, form: Form) -> Result<Page, Failure> {
    if let Some(id) = selector::remote_id(args) {
        return remote(session, CURATED, &id, form).await;
    }
    let id = selector::plugin_id(args)?;
    if RemoteTarget::of(&id).is_some() {
        let found = plugd_plugins::find_remote(&session.call, &session.parts, &id).await?;
        return remote(session, id.marketplace.as_str(), &found, form).await;
    }
    match answer(session, &id, form).await {
        Err(failure) => Err(blame::explain(session, &id, failure).await),
        page => page,
    }
}

async fn answer(session: &Session, id: &PluginId, form: Form) -> Result<Page, Failure> {
    let manifest = match manifest_of(session, id).await {
        Ok(manifest) => manifest,
        Err(failure) => return linked(session, id, form).await?.ok_or(failure),
    };
    let Form::Text { out, err } = form else {
        let params = json!({
            "marketplacePath": manifest.to_text(),
            "pluginName": id.plugin.as_str(),
        });
        return result(session, &params).await;
    };
    let reading = plugd_plugins::read(
        &session.call,
        &session.blocking,
        &session.lookup,
        &session.copies,
        &session.refresher,
        manifest,
        id.plugin.to_string(),
    )
    .await?;
    Ok(page(&reading, out, err))
}

/// A working tree that stands in for a plugin which no marketplace offers.
async fn linked(session: &Session, id: &PluginId, form: Form) -> Result<Option<Page>, Failure> {
    let (marketplace, plugin) = (id.marketplace.as_str(), id.plugin.as_str());
    let read = plugd_plugins::read_linked(
        &session.call,
        &session.blocking,
        &session.lookup,
        &session.copies,
        marketplace,
        plugin,
    );
    let Some(reading) = read.await? else {
        return Ok(None);
    };
    if let Form::Text { out, err } = form {
        return Ok(Some(page(&reading, out, err)));
    }
    let params = json!({"remoteMarketplaceName": marketplace, "pluginName": plugin});
    result(session, &params).await.map(Some)
}

/// A plugin of the remote catalog.
async fn remote(
    session: &Session,
    marketplace: &str,
    id: &RemotePluginId,
    form: Form,
) -> Result<Page, Failure> {
    let Form::Text { out, err } = form else {
        let params = json!({"remoteMarketplaceName": marketplace, "pluginName": id.as_str()});
        return result(session, &params).await;
    };
    let reading = plugd_plugins::read_remote(
        &session.call,
        &session.blocking,
        &session.lookup,
        &session.copies,
        marketplace.to_owned(),
        id.to_string(),
    )
    .await?;
    Ok(page(&reading, out, err))
}

fn page(reading: &Reading, out: Style, err: Style) -> Page {
    Page {
        warnings: warnings(reading, err),
        ..Page::text(text(reading, out))
    }
}

/// The answer that a client gets.
async fn result(session: &Session, params: &Value) -> Result<Page, Failure> {
    let params = to_raw_value(params).map_err(Failure::Params)?;
    let methods = plugd_server::dispatcher(session.setup.clone()).map_err(Failure::Methods)?;
    let call = session.call.clone();
    let reply = methods.call("plugin/read", Some(params), call).await?;
    Ok(Page::answer(&reply.into_json()))
}

/// The manifest that offers a plugin: the one under which a listing shows it, so that both speak of
/// the same plugin. One that is not shown is looked for in any marketplace of that name, also while
/// plugins are switched off, whose refusal then says more than that it is missing.
async fn manifest_of(session: &Session, id: &PluginId) -> Result<AbsPath, Failure> {
    let listing = plugd_plugins::list(
        &session.call,
        &session.blocking,
        &session.lookup,
        &session.copies,
        &session.refresher,
        ListRequest {
            kinds: Some(vec![MarketplaceKind::Local]),
            ..ListRequest::default()
        },
    )
    .await?;
    if let Some(path) = shown_under(&listing, id) {
        return Ok(path);
    }
    let name = id.marketplace.as_str();
    session.manifest_of(name).await?.ok_or_else(|| {
        let error = plugd_plugins::Error::NotConfigured {
            name: name.to_owned(),
            other_case: None,
        };
        error.into()
    })
}

fn shown_under(listing: &Listing, id: &PluginId) -> Option<AbsPath> {
    let mut listed = listing.marketplaces.iter();
    let marketplace = listed.find(|one| one.plugins.iter().any(|plugin| plugin.id == *id))?;
    marketplace.path.clone()
}

fn warnings(reading: &Reading, style: Style) -> String {
    let problems = reading.problems.iter();
    problems
        .map(|problem| problems::warning(problem, style))
        .collect()
}

fn text(reading: &Reading, style: Style) -> String {
    let Reading {
        marketplace,
        path,
        summary,
        share_url,
        description,
        skills,
        onboarding_skill: _,
        hooks,
        apps,
        app_templates: _,
        mcp_servers,
        scheduled_tasks: _,
        problems: _,
    } = reading;
    let mut text = head(summary, style);
    let interface = summary.interface.as_ref().map(|shown| &shown.interface);
    let said = interface.and_then(|interface| interface.short_description.as_ref());
    // Many authors write one sentence for both.
    if let Some(description) = description.as_ref().filter(|text| Some(*text) != said) {
        text.push('\n');
        text.push_str(&escape::paragraph(description, ""));
    }
    text.push('\n');
    let source = shapes::source_text(&summary.source);
    for (label, value) in [
        (
            "Marketplace",
            match path {
                Some(path) => format!("{marketplace} ({path})"),
                None => marketplace.clone(),
            },
        ),
        ("Source", source),
        ("Version", version(summary)),
        (
            "Install policy",
            shapes::install_policy(summary.install_policy).to_owned(),
        ),
        (
            "Auth policy",
            shapes::auth_policy(summary.auth_policy).to_owned(),
        ),
        ("Keywords", summary.keywords.join(", ")),
        ("Share URL", share_url.clone().unwrap_or_default()),
    ] {
        if !value.is_empty() {
            text.push_str(&format!("{label}: {}\n", escape::line(&value)));
        }
    }
    let skills = skills.iter().map(|skill| {
        let short = skill
            .short_description
            .as_ref()
            .unwrap_or(&skill.description);
        let off = if skill.enabled { "" } else { " (switched off)" };
        format!("{}{off}: {short}", skill.name)
    });
    section(&mut text, "Skills", skills, style);
    let hooks = hooks.iter().map(|hook| match &hook.matcher {
        Some(matcher) => format!("{} for {matcher}", hook.event.name()),
        None => hook.event.name().to_owned(),
    });
    section(&mut text, "Hooks", hooks, style);
    section(&mut text, "MCP servers", mcp_servers.iter().cloned(), style);
    let apps = apps.iter().map(|app| format!("{} ({})", app.name, app.id));
    section(&mut text, "Apps", apps, style);
    text
}

/// The id, what it is called, and its status.
fn head(summary: &Summary, style: Style) -> String {
    let (status, paint) = status(summary);
    let interface = summary.interface.as_ref().map(|shown| &shown.interface);
    let title = style.paint(Paint::Heading, &summary.id.to_string());
    let mut text = format!("{title}: {}\n", style.paint(paint, status));
    let lines = [
        interface.and_then(|interface| interface.display_name.as_ref()),
        interface.and_then(|interface| interface.short_description.as_ref()),
    ];
    for line in lines.into_iter().flatten() {
        text.push_str(&escape::line(line));
        text.push('\n');
    }
    text
}

/// What is installed, and what the source has when that is something else.
fn version(summary: &Summary) -> String {
    let installed = summary
        .installed_version
        .as_ref()
        .map(|version| version.as_str());
    let remote = summary.remote.as_ref();
    // For what is fetched, the declared version is that of the installed copy.
    let of_source = match &summary.source {
        Source::Local { .. } => summary.local_version.as_deref(),
        Source::Git { .. } | Source::Npm { .. } | Source::Oci { .. } | Source::Archive { .. } => {
            None
        }
        Source::Remote => remote.and_then(|remote| remote.version.as_deref()),
    };
    let update = if summary.update_available {
        "; the source has other content"
    } else {
        ""
    };
    match (installed, of_source) {
        (Some(installed), Some(source)) if installed != source => {
            format!("{installed} installed, {source} in the source")
        }
        (Some(installed), _) => format!("{installed}{update}"),
        (None, source) => source.unwrap_or_default().to_owned(),
    }
}

fn section(text: &mut String, title: &str, items: impl Iterator<Item = String>, style: Style) {
    let mut items = items.peekable();
    if items.peek().is_none() {
        return;
    }
    text.push_str(&format!("\n{}\n", style.paint(Paint::Heading, title)));
    for item in items {
        text.push_str(&format!("  {}\n", escape::line(&item)));
    }
}

#[cfg(test)]
#[path = "plugin_read_tests.rs"]
mod tests;
