//! A plugin from the inside, as lines: what it says of itself, and what it would run.

use plugd_rust_client::protocol::{
    MarketplaceLoadErrorInfo, PlugdInspectResponse, PlugdInspectedHandler, PlugdInspectedTransport,
    PlugdInspection, PluginDetail, Problem, Severity,
};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Line;

use crate::state::{Answer, Configured, Detail, Pane, Place, State};
use crate::text::wrapped;

/// Lines of one width.
struct Page {
    width: usize,
    lines: Vec<Line<'static>>,
}

impl Page {
    fn text(&mut self, text: &str) {
        self.styled(text, "", Style::new());
    }

    fn item(&mut self, text: &str) {
        self.styled(text, "  ", Style::new());
    }

    fn head(&mut self, text: &str) {
        if !self.lines.is_empty() {
            self.lines.push(Line::default());
        }
        self.styled(text, "", Style::new().add_modifier(Modifier::BOLD));
    }

    fn warn(&mut self, text: &str) {
        self.styled(&format!("! {text}"), "", Style::new().fg(Color::Yellow));
    }

    fn styled(&mut self, text: &str, indent: &str, style: Style) {
        self.lines.extend(wrapped(text, indent, style, self.width));
    }

    fn problem(&mut self, severity: Severity, message: &str) {
        match severity {
            Severity::Warning => self.warn(message),
            Severity::Error => {
                let style = Style::new().fg(Color::Red);
                self.styled(&format!("! {message}"), "", style);
            }
        }
    }

    fn problems(&mut self, problems: &[Problem]) {
        for problem in problems {
            self.problem(problem.severity, &problem.message);
        }
    }
}

/// The lines of the detail pane at this width.
#[must_use]
pub fn lines(state: &State, width: u16) -> Vec<Line<'static>> {
    let mut page = Page {
        width: usize::from(width),
        lines: Vec::new(),
    };
    match &state.detail {
        _ if state.pane == Pane::Marketplaces => marketplace(&mut page, state),
        Some(detail) => plugin(&mut page, detail),
        None => {}
    }
    page.lines
}

fn marketplace(page: &mut Page, state: &State) {
    let Some(listing) = &state.listing else {
        return;
    };
    let errors = &listing.marketplace_load_errors;
    let one = match state.place() {
        Place::All => {
            page.head("All marketplaces");
            page.text("a adds one: a directory, a git address or owner/repo");
            complaints(page, errors);
            return;
        }
        Place::Unlisted(configured) => return unlisted(page, configured, errors),
        Place::Listed(one) => one,
    };
    let shown = one.interface.as_ref();
    let shown = shown.and_then(|interface| interface.display_name.as_deref());
    page.head(shown.unwrap_or(&one.name));
    page.text(&one.name);
    let installed = one.plugins.iter().filter(|plugin| plugin.installed).count();
    page.text(&format!(
        "{} plugins, {installed} installed",
        one.plugins.len()
    ));
    page.text("U upgrades it · x removes it");
    let own = errors
        .iter()
        .filter(|error| Some(&error.marketplace_path) == one.path.as_ref());
    complaints(page, own);
}

/// One that is configured and that the listing does not have.
fn unlisted(page: &mut Page, configured: &Configured, errors: &[MarketplaceLoadErrorInfo]) {
    page.head(&configured.name);
    page.text(&configured.source);
    page.text("U upgrades it · x removes it");
    let before = page.lines.len();
    complaints(
        page,
        errors.iter().filter(|error| configured.concerns(error)),
    );
    if page.lines.len() == before {
        page.warn("it offers no plugins");
    }
}

fn complaints<'a>(page: &mut Page, errors: impl IntoIterator<Item = &'a MarketplaceLoadErrorInfo>) {
    for error in errors {
        let path = error.path.as_ref().unwrap_or(&error.marketplace_path);
        let line = error.line.map_or(String::new(), |line| format!(":{line}"));
        page.problem(error.severity, &error.message);
        page.item(&format!("{path}{line}"));
    }
}

fn plugin(page: &mut Page, detail: &Detail) {
    match &detail.read {
        Answer::Unasked => return,
        Answer::Asked => {
            page.head(&detail.target.id);
            page.text("reading …");
        }
        Answer::Failed(message) => {
            page.head(&detail.target.id);
            page.problem(Severity::Error, message);
        }
        Answer::Here(read) => inside(page, &read.plugin),
    }
    match &detail.inspect {
        Answer::Unasked => {
            page.head("What it would run");
            page.text("Enter shows it");
        }
        Answer::Asked => {
            page.head("What it would run");
            page.text("looking …");
        }
        Answer::Failed(message) => {
            page.head("What it would run");
            page.problem(Severity::Error, message);
        }
        Answer::Here(inspected) => would_run(page, inspected),
    }
}

fn inside(page: &mut Page, plugin: &PluginDetail) {
    let summary = &plugin.summary;
    let shown = summary.interface.as_ref();
    let name = shown.and_then(|shown| shown.display_name.as_deref());
    page.head(name.unwrap_or(&summary.name));
    page.text(&summary.id);
    let offered = summary.local_version.as_ref().or(summary.version.as_ref());
    let offered = offered.map_or("no version", |version| version);
    page.text(&match &summary.installed_version {
        Some(installed) if summary.update_available => {
            format!("{installed} installed, {offered} offered")
        }
        Some(installed) => format!("{installed} installed"),
        None => format!("{offered}, not installed"),
    });
    if let Some(shown) = shown {
        let by = [shown.developer_name.as_deref(), shown.category.as_deref()];
        let by: Vec<&str> = by.into_iter().flatten().collect();
        page.text(&by.join(" · "));
        let texts = [&shown.short_description, &shown.long_description];
        for text in texts.into_iter().flatten() {
            page.lines.push(Line::default());
            page.text(text);
        }
    }
    if let Some(description) = &plugin.description {
        page.lines.push(Line::default());
        page.text(description);
    }
    if !plugin.skills.is_empty() {
        page.head("Skills");
        for skill in &plugin.skills {
            page.item(&format!("{}: {}", skill.name, skill.description));
        }
    }
    for (title, names) in [
        ("MCP servers", plugin.mcp_servers.clone()),
        (
            "Apps",
            plugin.apps.iter().map(|app| app.name.clone()).collect(),
        ),
    ] {
        if !names.is_empty() {
            page.head(title);
            page.item(&names.join(", "));
        }
    }
    page.problems(&summary.problems);
}

fn would_run(page: &mut Page, inspected: &PlugdInspectResponse) {
    let (title, one) = match (&inspected.offered, &inspected.installed) {
        (Some(offered), _) => ("What it would run", offered),
        (None, Some(installed)) => ("What the installed copy runs", installed),
        (None, None) => {
            page.problems(&inspected.problems);
            return;
        }
    };
    page.head(title);
    let before = page.lines.len();
    programs(page, one);
    if page.lines.len() == before {
        page.item("nothing");
    }
    for hidden in &one.hidden_characters {
        page.warn(&format!(
            "hidden character {} ({:?}) in {}:{}:{}",
            hidden.code_point, hidden.class, hidden.path, hidden.line, hidden.column
        ));
    }
    for oddity in &one.oddities {
        page.warn(&format!("{}: {:?}", oddity.path, oddity.kind));
    }
    page.problems(&one.cut);
    page.problems(&one.problems);
    page.problems(&inspected.problems);
    page.head("Content");
    let licence = one.licence.as_deref().unwrap_or("no licence named");
    page.item(&format!(
        "{} files, {} bytes, {licence}",
        one.files, one.bytes
    ));
}

fn programs(page: &mut Page, one: &PlugdInspection) {
    for server in &one.mcp_servers {
        let how = match &server.transport {
            PlugdInspectedTransport::Stdio { command, args, .. } => {
                let words: Vec<&str> = std::iter::once(command)
                    .chain(args)
                    .map(String::as_str)
                    .collect();
                words.join(" ")
            }
            PlugdInspectedTransport::Http {
                url,
                headers_helper: Some(command),
                ..
            } => format!("{url} (headers by {command})"),
            PlugdInspectedTransport::Http { url, .. } => url.clone(),
        };
        page.item(&format!("MCP server {}: {how}", server.name));
    }
    for hook in &one.hooks {
        let how = match &hook.handler {
            PlugdInspectedHandler::Command { command, .. } => command.clone(),
            PlugdInspectedHandler::McpTool { server, tool } => format!("{tool} of {server}"),
            PlugdInspectedHandler::Prompt => "asks a model".to_owned(),
            PlugdInspectedHandler::Agent => "starts an agent".to_owned(),
        };
        page.item(&format!("hook {:?}: {how}", hook.event_name));
    }
    for file in &one.executables {
        let how = file.interpreter.as_deref().unwrap_or("a program");
        page.item(&format!("{} ({how})", file.path));
    }
    if !one.environment.is_empty() {
        let names: Vec<&str> = one
            .environment
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        page.item(&format!("reads {}", names.join(", ")));
    }
}
