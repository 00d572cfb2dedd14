//! `plugd marketplace upgrade`. The JSON is the result of `marketplace/upgrade`.

use plugd_model::AbsPath;
use plugd_plugins::{
    Error, History, MarketplaceUpgrade, Moved, PluginOutcome, PluginResult, Upgraded,
};

use crate::args::UpgradeArgs;
use crate::escape;
use crate::failure::{self, Failure};
use crate::page::{Form, Page};
use crate::problems;
use crate::session::Session;
use crate::style::{Paint, Style};
use crate::wording;

/// How many digits of a commit people read.
const SHOWN_DIGITS: usize = 8;

pub(super) async fn run(
    session: &Session,
    args: &UpgradeArgs,
    form: Form,
) -> Result<Page, Failure> {
    let upgraded = plugd_plugins::upgrade_marketplaces(
        &session.call,
        &session.blocking,
        &session.lookup,
        &session.copies,
        &session.fetcher,
        &session.events,
        args.name.clone(),
    )
    .await?;
    page(upgraded, args.name.as_deref(), form)
}

fn page(upgraded: Upgraded, asked: Option<&str>, form: Form) -> Result<Page, Failure> {
    let failures = failures(&upgraded);
    let page = match form {
        Form::Json => Page::answer(&plugd_server::upgrade_reply(upgraded)?.into_json()),
        Form::Text { err, .. } => Page {
            warnings: warnings(&upgraded, err),
            ..Page::text(text(&upgraded, asked))
        },
    };
    Ok(match failures {
        0 => page,
        count => page.because(&format!("{count} upgrade failure(s) occurred")),
    })
}

fn failures(upgraded: &Upgraded) -> usize {
    let marketplaces = upgraded.marketplaces.iter();
    let plugins = upgraded.plugins.iter();
    marketplaces.filter(|row| row.outcome.is_err()).count()
        + plugins
            .filter(|row| row.outcome == PluginOutcome::Failed)
            .count()
}

/// The reference's lines come first; what moved from where follows.
fn text(upgraded: &Upgraded, asked: Option<&str>) -> String {
    let rows = &upgraded.marketplaces;
    let roots: Vec<&AbsPath> = rows.iter().filter_map(root_of_moved).collect();
    let mut text = String::new();
    if rows.is_empty() {
        text.push_str("No configured Git marketplaces to upgrade.\n");
    } else if !roots.is_empty() {
        text.push_str(&format!("Upgraded {} marketplace(s).\n", roots.len()));
        for root in &roots {
            let root = escape::line(&root.to_text());
            text.push_str(&format!("Installed marketplace root: {root}\n"));
        }
    } else if asked.is_none() && rows.iter().all(|row| row.outcome.is_ok()) {
        // The reference's words, as long as there is only what it has.
        let git = match rows.iter().any(is_packed) {
            true => "",
            false => "Git ",
        };
        text.push_str(&format!(
            "All configured {git}marketplaces are already up to date.\n"
        ));
        return text;
    }
    text.extend(rows.iter().filter_map(marketplace));
    text.extend(upgraded.plugins.iter().filter_map(plugin));
    text
}

/// Whether it is one archive, which is at a digest and at no commit.
fn is_packed(row: &MarketplaceUpgrade) -> bool {
    let moved = row.outcome.as_ref().ok();
    moved.is_some_and(|moved| moved.to.starts_with("sha256:"))
}

fn root_of_moved(row: &MarketplaceUpgrade) -> Option<&AbsPath> {
    let moved = row.outcome.as_ref().ok()?;
    moved.changed.then_some(&moved.root)
}

fn marketplace(row: &MarketplaceUpgrade) -> Option<String> {
    let moved = row.outcome.as_ref().ok()?;
    let name = escape::line(&row.name);
    Some(match (&row.from, moved.changed) {
        (_, false) => format!("Marketplace `{name}` is already up to date.\n"),
        (Some(from), true) if *from != moved.to => format!(
            "Marketplace `{name}` moved from {} to {}.\n",
            short(from),
            short(&moved.to)
        ),
        (_, true) => format!("Marketplace `{name}` is at {}.\n", short(&moved.to)),
    })
}

fn plugin(row: &PluginResult) -> Option<String> {
    let (id, to) = (&row.id, version(row.to.as_deref()));
    match (row.outcome, &row.from) {
        (PluginOutcome::Installed, _) => Some(format!("Plugin `{id}` is installed at {to}.\n")),
        // The same version with other content.
        (PluginOutcome::Updated, from) if *from == row.to => {
            Some(format!("Plugin `{id}` is renewed at {to}.\n"))
        }
        (PluginOutcome::Updated, from) => {
            let from = version(from.as_deref());
            Some(format!("Plugin `{id}` moved from {from} to {to}.\n"))
        }
        (PluginOutcome::Removed, _) => Some(format!("Plugin `{id}` is removed.\n")),
        (PluginOutcome::Unchanged | PluginOutcome::HeldBack | PluginOutcome::Failed, _) => None,
    }
}

fn warnings(upgraded: &Upgraded, style: Style) -> String {
    let mut text = String::new();
    for MarketplaceUpgrade {
        name,
        from,
        outcome,
    } in &upgraded.marketplaces
    {
        match outcome {
            Ok(moved) => text.push_str(&careful(name, from.as_deref(), moved, style)),
            Err(error) => text.push_str(&failed(name, error, style)),
        }
    }
    let plugins = upgraded.plugins.iter();
    for problem in plugins.filter_map(|row| row.problem.as_ref()) {
        text.push_str(&problems::warning(problem, style));
    }
    text
}

/// What to look at although everything went well.
fn careful(name: &str, from: Option<&str>, moved: &Moved, style: Style) -> String {
    let mut text = String::new();
    if moved.history == Some(History::Rewritten) {
        text.push_str(&format!(
            "{} the history of marketplace `{}` was replaced: {} does not descend from {}\n",
            style.paint(Paint::Warning, "warning:"),
            escape::line(name),
            short(&moved.to),
            version(from.map(short)),
        ));
    }
    for problem in &moved.problems {
        text.push_str(&problems::warning(problem, style));
    }
    text
}

fn failed(name: &str, error: &Error, style: Style) -> String {
    let message = wording::message(error);
    let reason = format!("failed to upgrade marketplace `{name}`: {message}");
    let mut text = failure::error_line(&reason, style);
    if let Some(hint) = wording::hint(error) {
        text.push_str(&failure::hint_line(&hint, style));
    }
    text
}

/// The beginning of a commit or digest, with the word in front of a digest.
fn short(commit: &str) -> &str {
    let word = commit.find(':').map_or(0, |colon| colon + 1);
    commit.get(..word + SHOWN_DIGITS).unwrap_or(commit)
}

fn version(text: Option<&str>) -> String {
    text.map_or_else(|| "an unknown version".to_owned(), escape::line)
}

#[cfg(test)]
#[path = "marketplace_upgrade_tests.rs"]
mod tests;
