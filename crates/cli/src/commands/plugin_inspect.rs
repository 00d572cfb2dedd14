//! `plugd plugin inspect`: what of a plugin would run, or would be read by a model. The JSON is the
//! result of `plugd/inspect`.

use plugd_model::{PluginId, RemoteMarketplace};
use plugd_plugins::{
    Category, Difference, Executable, ExecutableKind, HookDeclaration, HookHandler, InspectDepth,
    InspectTarget, Inspected, InspectedServer, InspectedSide, Inspection, McpTransport,
    RemoteTarget, TrustSeen,
};
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

use crate::args::PluginArgs;
use crate::blame;
use crate::escape;
use crate::failure::Failure;
use crate::page::{Form, Page};
use crate::problems;
use crate::selector;
use crate::session::Session;
use crate::style::{Paint, Style};

pub(super) async fn run(session: &Session, args: &PluginArgs, form: Form) -> Result<Page, Failure> {
    // No plugin's name holds what separates directories.
    if args.plugin.contains('/') || args.plugin.starts_with('.') {
        let path = session.cwd().join(&args.plugin);
        return answer(session, InspectTarget::Directory(path), form).await;
    }
    if let Some(id) = selector::remote_id(args) {
        return remote(session, RemoteTarget::Id(id.to_string()), form).await;
    }
    let id = selector::plugin_id(args)?;
    if let Some(target) = RemoteTarget::of(&id) {
        return remote(session, target, form).await;
    }
    match answer(session, InspectTarget::Id(id.clone()), form).await {
        Err(failure) => Err(blame::explain(session, &id, failure).await),
        page => page,
    }
}

async fn answer(session: &Session, target: InspectTarget, form: Form) -> Result<Page, Failure> {
    let Form::Text { out, err } = form else {
        return result(session, &target).await;
    };
    let inspected = plugd_plugins::inspect(
        &session.call,
        &session.blocking,
        &session.lookup,
        &session.copies,
        &session.fetcher,
        (target, InspectDepth::AsAsked),
    )
    .await?;
    Ok(page(&inspected, out, err))
}

/// A plugin of the remote catalog.
async fn remote(session: &Session, target: RemoteTarget, form: Form) -> Result<Page, Failure> {
    let Form::Text { out, err } = form else {
        let params = match &target {
            RemoteTarget::Named(id) => json!({"pluginId": id.to_string()}),
            RemoteTarget::Id(id) => {
                let marketplace = RemoteMarketplace::CuratedRemote.name();
                json!({"remoteMarketplaceName": marketplace, "pluginName": id})
            }
        };
        return asked(session, &params).await;
    };
    let inspected =
        plugd_plugins::inspect_remote(&session.call, &session.parts, target, InspectDepth::AsAsked)
            .await?;
    Ok(page(&inspected, out, err))
}

fn page(inspected: &Inspected, out: Style, err: Style) -> Page {
    Page {
        warnings: warnings(inspected, err),
        ..Page::text(text(inspected, out))
    }
}

/// The answer that a client gets.
async fn result(session: &Session, target: &InspectTarget) -> Result<Page, Failure> {
    let params = match target {
        InspectTarget::Id(id) => json!({"pluginId": id.to_string()}),
        InspectTarget::Directory(path) => json!({"path": path.to_text()}),
        InspectTarget::Named { manifest, plugin } => {
            json!({"marketplacePath": manifest.to_text(), "pluginName": plugin})
        }
    };
    asked(session, &params).await
}

async fn asked(session: &Session, params: &Value) -> Result<Page, Failure> {
    let params = to_raw_value(params).map_err(Failure::Params)?;
    let methods = plugd_server::dispatcher(session.setup.clone()).map_err(Failure::Methods)?;
    let call = session.call.clone();
    let reply = methods.call("plugd/inspect", Some(params), call).await?;
    Ok(Page::answer(&reply.into_json()))
}

fn warnings(inspected: &Inspected, style: Style) -> String {
    let side = inspected.offered.as_ref().or(inspected.installed.as_ref());
    let of_side = side.into_iter().flat_map(|side| {
        let cut = side.inspection.cut.iter();
        side.problems.iter().chain(cut)
    });
    let all = inspected.problems.iter().chain(of_side);
    all.map(|problem| problems::warning(problem, style))
        .collect()
}

/// What is offered, and what that would change; what is installed, when nothing is offered.
fn text(inspected: &Inspected, style: Style) -> String {
    let Inspected {
        id,
        linked,
        offered,
        installed,
        difference,
        trust,
        problems: _,
    } = inspected;
    let mut text = String::new();
    let (label, side) = match (offered, installed) {
        (Some(side), _) if linked.is_some() => ("Linked", side),
        (Some(side), _) => ("Offered", side),
        (None, Some(side)) => ("Installed", side),
        (None, None) => return text,
    };
    text.push_str(&head(id.as_ref(), side, style));
    let mut fact = |label: &str, value: String| {
        if !value.is_empty() {
            text.push_str(&format!("{label}: {}\n", escape::line(&value)));
        }
    };
    fact(label, version_and_root(side));
    if offered.is_some() && id.is_some() {
        fact(
            "Installed",
            installed
                .as_ref()
                .map_or_else(|| "no".to_owned(), version_and_root),
        );
    }
    let Inspection {
        files,
        bytes,
        licence,
        licence_files,
        ..
    } = &side.inspection;
    fact("Size", format!("{bytes} bytes in {files} files"));
    let files = licence_files.iter().map(|file| &file.path);
    let named = licence.iter().chain(files);
    fact("Licence", named.cloned().collect::<Vec<_>>().join(", "));
    if let Some(seen) = trust {
        fact("Trust", trusted(seen));
        fact("Digest", seen.digest.to_string());
    }
    inside(&mut text, &side.inspection, style);
    if let Some(difference) = difference {
        changes(&mut text, difference, style);
    }
    text
}

/// Whether it may come, and why.
fn trusted(seen: &TrustSeen) -> String {
    match &seen.refusal {
        Some(refusal) => format!("{}; {}", refusal, refusal.hint()),
        None if seen.approved => "approved".to_owned(),
        None if seen.trusted => "comes from a trusted place".to_owned(),
        None => "[trust] asks for nothing of this".to_owned(),
    }
}

fn head(id: Option<&PluginId>, side: &InspectedSide, style: Style) -> String {
    let title = id.map_or_else(|| side.name.clone(), PluginId::to_string);
    let mut text = style.paint(Paint::Heading, &escape::line(&title));
    text.push('\n');
    for line in side.display_name.iter().chain(&side.description) {
        text.push_str(&escape::paragraph(line, ""));
    }
    text.push('\n');
    text
}

fn version_and_root(side: &InspectedSide) -> String {
    let version = side.version.as_deref().unwrap_or("no usable version");
    match &side.root {
        Some(root) => format!("{version} ({root})"),
        None => version.to_owned(),
    }
}

/// Everything that would run or be read, kind by kind.
fn inside(text: &mut String, inspection: &Inspection, style: Style) {
    let servers = inspection.mcp_servers.iter().map(server);
    section(text, "MCP servers", servers, style);
    section(text, "Hooks", inspection.hooks.iter().map(hook), style);
    let apps = inspection.apps.iter();
    let apps = apps.map(|app| format!("{} ({})", app.label, app.id));
    section(text, "Apps", apps, style);
    let executables = inspection.executables.iter().map(executable);
    section(text, "Files that can run", executables, style);
    let variables = inspection.environment.iter().map(|(name, readers)| {
        let readers: Vec<_> = readers.collect();
        format!("{name} ({})", readers.join(", "))
    });
    section(text, "Environment variables", variables, style);
    let texts = inspection.texts.iter();
    let texts = texts.map(|text| format!("{}: {} bytes", text.path, text.bytes));
    section(text, "Texts that a model reads", texts, style);
    let hidden = inspection.hidden.iter().map(|hidden| {
        let place = hidden.found.place;
        let code = u32::from(hidden.found.character);
        let class = hidden.found.class.word();
        format!(
            "{}:{}:{}: U+{code:04X} {class}",
            hidden.path, place.line, place.column
        )
    });
    section(text, "Hidden characters", hidden, style);
    let oddities = inspection.oddities.iter();
    let oddities = oddities.map(|odd| format!("{}: {}", odd.path, odd.kind.word()));
    section(text, "Oddities", oddities, style);
}

fn server(inspected: &InspectedServer) -> String {
    let server = &inspected.definition;
    let never = inspected.obstacle.as_ref();
    let never = never.map(|why| format!(" (never works: {why})"));
    let off = if server.enabled {
        ""
    } else {
        " (switched off)"
    };
    let what = match &server.transport {
        McpTransport::Stdio {
            command,
            args,
            env,
            env_vars: _,
            cwd,
        } => {
            let set = env.iter().map(|(name, value)| format!("{name}={value}"));
            let words = set.chain([command.clone()]).chain(args.iter().cloned());
            let line = words.collect::<Vec<_>>().join(" ");
            match cwd {
                Some(cwd) => format!("{line} (in {cwd})"),
                None => line,
            }
        }
        McpTransport::Http {
            url,
            headers_helper,
            ..
        } => match headers_helper {
            Some(command) => format!("{url} (headers by {command})"),
            None => url.clone(),
        },
    };
    let never = never.unwrap_or_default();
    format!("{}{off}: {what}{never}", server.name)
}

fn hook(hook: &HookDeclaration) -> String {
    let what = match &hook.handler {
        HookHandler::Command { command, .. } => command.clone(),
        HookHandler::McpTool { server, tool, .. } => format!("tool {tool} of {server}"),
        HookHandler::Prompt => "asks a model".to_owned(),
        HookHandler::Agent => "starts an agent".to_owned(),
    };
    let occasion = hook
        .matcher
        .as_ref()
        .map(|matcher| format!(" for {matcher}"));
    let never = hook.obstacle().map(|why| format!(" (never runs: {why})"));
    format!(
        "{}{}: {what}{}",
        hook.event.name(),
        occasion.unwrap_or_default(),
        never.unwrap_or_default()
    )
}

fn executable(executable: &Executable) -> String {
    let kind = match &executable.kind {
        ExecutableKind::Script { interpreter } => format!("script for {interpreter}"),
        other => other.word().to_owned(),
    };
    format!("{}: {kind}, {} bytes", executable.path, executable.bytes)
}

/// What an installation would change, one line each.
fn changes(text: &mut String, difference: &Difference, style: Style) {
    let lines = difference.changes.iter().flat_map(|(category, changes)| {
        let what = word(category);
        let line = |sign: &str, name: &str| format!("{sign} {what} {name}");
        let added = changes.added.iter().map(move |(name, _)| line("+", name));
        let removed = changes.removed.iter().map(move |(name, _)| line("-", name));
        let changed = changes.changed.iter().map(move |one| line("~", &one.name));
        added.chain(removed).chain(changed).collect::<Vec<_>>()
    });
    if difference.is_empty() {
        text.push_str("\nNothing differs from what is installed.\n");
    } else {
        section(text, "An installation would change", lines, style);
    }
}

/// What a category is called in a line about one of its items.
fn word(category: Category) -> &'static str {
    match category {
        Category::McpServer => "MCP server",
        Category::Hook => "hook",
        Category::App => "app",
        Category::Executable => "file that can run",
        Category::Environment => "environment variable",
        Category::Text => "text",
        Category::Hidden => "hidden characters",
        Category::Licence => "licence",
        Category::Oddity => "oddity",
        Category::OtherFile => "file",
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
