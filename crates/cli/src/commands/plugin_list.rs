//! `plugd plugin list`: what the marketplaces offer, what of it is installed, and what is installed
//! although nobody offers it any more.

use std::collections::BTreeSet;

use plugd_model::{AbsPath, Problem, RemoteMarketplace};
use plugd_plugins::{
    ListRequest, ListedMarketplace, Listing, LoadError, MarketplaceKind, Roots, Summary,
};
use serde::Serialize;

use crate::args::ListArgs;
use crate::escape;
use crate::failure::Failure;
use crate::known::{self, KnownMarketplace};
use crate::page::{CONFIGURATION_BROKEN, Form, Page};
use crate::problems::{self, LoadErrorShape, ProblemShape};
use crate::session::Session;
use crate::shapes::{self, MarketplaceSourceShape, SourceShape, TargetShape};
use crate::style::{Paint, Style};
use crate::suggest;
use crate::table::Table;

/// Everything that the page is made of.
struct Seen {
    listing: Listing,
    known: Vec<KnownMarketplace>,
    /// Whether something of the configuration cannot be used.
    is_broken: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    installed: Vec<Item>,
    available: Vec<Item>,
    load_errors: Vec<LoadErrorShape>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    #[serde(flatten)]
    target: TargetShape,
    version: Option<String>,
    installed: bool,
    enabled: bool,
    source: SourceShape,
    #[serde(skip_serializing_if = "Option::is_none")]
    marketplace_source: Option<MarketplaceSourceShape>,
    install_policy: &'static str,
    auth_policy: &'static str,
    source_version: Option<String>,
    update_available: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    linked: Option<LinkedShape>,
    problems: Vec<ProblemShape>,
}

/// The working tree that stands in for a plugin.
#[derive(Serialize)]
struct LinkedShape {
    path: String,
}

pub(super) async fn run(session: &Session, args: &ListArgs, form: Form) -> Result<Page, Failure> {
    if args.remote {
        return Ok(page(&remote(session).await?, args, form));
    }
    let mut listing = list(session, Some(vec![MarketplaceKind::Local])).await?;
    let installed = plugd_plugins::installed(
        &session.call,
        &session.blocking,
        &session.lookup,
        &session.copies,
        &session.refresher,
        Roots::default(),
        BTreeSet::new(),
    )
    .await?;
    // What nobody offers comes from there alone.
    listing.marketplaces.retain(|group| group.path.is_some());
    listing.marketplaces.extend(orphans(installed));
    let is_broken = add_missing(&mut listing.load_errors, session.config_errors().await?);
    let known = session.marketplaces().await?;
    let is_off = session.plugins_are_off().await?;
    let seen = Seen {
        listing,
        known,
        is_broken,
    };
    let page = page(&seen, args, form);
    Ok(match unknown(&seen, args).filter(|_| !is_off) {
        Some(name) => page.warned(
            &format!("there is no marketplace `{name}`"),
            suggest::among(name, names(&seen).map(str::to_owned)).as_deref(),
            form,
        ),
        None => page,
    })
}

/// The marketplace that was asked for, when nobody knows one of that name.
fn unknown<'a>(seen: &Seen, args: &'a ListArgs) -> Option<&'a str> {
    let wanted = args.marketplace.as_deref()?;
    (!names(seen).any(|name| name == wanted)).then_some(wanted)
}

fn names(seen: &Seen) -> impl Iterator<Item = &str> {
    let listed = seen
        .listing
        .marketplaces
        .iter()
        .map(|one| one.name.as_str());
    listed.chain(seen.known.iter().map(|one| one.name.as_str()))
}

async fn list(session: &Session, kinds: Option<Vec<MarketplaceKind>>) -> Result<Listing, Failure> {
    let request = ListRequest {
        kinds,
        ..ListRequest::default()
    };
    let listing = plugd_plugins::list(
        &session.call,
        &session.blocking,
        &session.lookup,
        &session.copies,
        &session.refresher,
        request,
    );
    Ok(listing.await?)
}

/// What the remote catalog has for the account: everybody's part, and the account's own.
async fn remote(session: &Session) -> Result<Seen, Failure> {
    let login = plugd_plugins::login_status(&session.blocking, &session.lookup).await?;
    let mut kinds = vec![MarketplaceKind::CreatedByMe];
    if login.is_workspace {
        let shared = [
            MarketplaceKind::WorkspaceDirectory,
            MarketplaceKind::SharedWithMe,
        ];
        kinds.extend(shared);
    }
    // By name, so that a missing login is said.
    let own = list(session, Some(kinds)).await?;
    let mut listing = list(session, None).await?;
    listing.marketplaces.extend(own.marketplaces);
    listing.marketplaces.retain(is_remote);
    for row in own.load_errors {
        if !listing.load_errors.contains(&row) {
            listing.load_errors.push(row);
        }
    }
    let is_broken = add_missing(&mut listing.load_errors, session.config_errors().await?);
    Ok(Seen {
        listing,
        known: Vec::new(),
        is_broken,
    })
}

/// Whether the remote catalog fills the group.
fn is_remote(group: &ListedMarketplace) -> bool {
    group.path.is_none() && RemoteMarketplace::CACHE_NAMES.contains(&group.name.as_str())
}

/// With plugins switched off a listing has no rows, and what is wrong with the configuration is still
/// to be told. Whether anything is, because it may be why something is not there.
fn add_missing(rows: &mut Vec<LoadError>, configuration: Vec<Problem>) -> bool {
    let is_broken = !configuration.is_empty();
    for problem in configuration {
        let is_there = rows.iter().any(|row| row.problem == problem);
        if let (false, Some(path)) = (is_there, problem.path.clone()) {
            rows.push(LoadError {
                marketplace_path: path,
                problem,
            });
        }
    }
    is_broken
}

/// The groups of installed plugins that no manifest offers: those of the remote catalog, and those
/// whose marketplace is gone.
fn orphans(installed: Listing) -> impl Iterator<Item = ListedMarketplace> {
    let groups = installed.marketplaces.into_iter();
    groups.filter(|group| group.path.is_none())
}

fn page(seen: &Seen, args: &ListArgs, form: Form) -> Page {
    let page = match form {
        Form::Json => Page::json(&shape(seen, args)),
        Form::Text { out, err } => Page {
            warnings: warnings(&seen.listing.load_errors, err),
            ..Page::text(text(seen, args, out))
        },
    };
    match incomplete(seen, args) {
        Some(reason) => page.because(&reason),
        None => page,
    }
}

fn is_wanted(args: &ListArgs, name: &str) -> bool {
    args.marketplace.as_deref().is_none_or(|only| only == name)
}

fn wanted<'a>(seen: &'a Seen, args: &ListArgs) -> impl Iterator<Item = &'a ListedMarketplace> {
    let listed = seen.listing.marketplaces.iter();
    listed.filter(|marketplace| is_wanted(args, &marketplace.name))
}

/// As in the reference, a configured marketplace that cannot be used and a configuration that cannot
/// be read make the command fail, and any other bad file does not.
fn incomplete(seen: &Seen, args: &ListArgs) -> Option<String> {
    let configured = seen.known.iter().filter(|marketplace| {
        marketplace.configured.is_some() && is_wanted(args, &marketplace.name)
    });
    let configuration = seen.is_broken.then(|| CONFIGURATION_BROKEN.to_owned());
    let reasons = [known::unusable(configured), configuration];
    let reasons: Vec<String> = reasons.into_iter().flatten().collect();
    (!reasons.is_empty()).then(|| reasons.join("; "))
}

fn warnings(rows: &[LoadError], style: Style) -> String {
    rows.iter()
        .map(|row| problems::load_error(row, style))
        .collect()
}

fn shape(seen: &Seen, args: &ListArgs) -> Shape {
    let mut shape = Shape {
        installed: Vec::new(),
        available: Vec::new(),
        load_errors: seen
            .listing
            .load_errors
            .iter()
            .map(problems::load_error_shape)
            .collect(),
    };
    for marketplace in wanted(seen, args) {
        for summary in &marketplace.plugins {
            let item = || item(summary, marketplace.path.as_ref(), &seen.known);
            if summary.installed || summary.linked.is_some() {
                shape.installed.push(item());
            } else if args.available {
                shape.available.push(item());
            }
        }
    }
    shape
}

fn item(summary: &Summary, manifest: Option<&AbsPath>, known: &[KnownMarketplace]) -> Item {
    let Summary {
        id,
        local_version,
        installed,
        enabled,
        source,
        install_policy,
        auth_policy,
        // Texts and pictures are what `plugin read` is for.
        interface: _,
        keywords: _,
        installed_version,
        update_available,
        share: _,
        remote: _,
        linked,
        problems: own,
    } = summary;
    let marketplace_source = known
        .iter()
        .find(|one| one.path.is_some() && one.path.as_ref() == manifest)
        .and_then(|one| one.configured.as_ref());
    let active = installed_version
        .as_ref()
        .map(|version| version.to_string());
    Item {
        target: shapes::target(id),
        version: active.or_else(|| local_version.clone()),
        installed: *installed,
        enabled: *enabled,
        source: shapes::source(source),
        marketplace_source: marketplace_source.map(shapes::configured),
        install_policy: shapes::install_policy(*install_policy),
        auth_policy: shapes::auth_policy(*auth_policy),
        source_version: local_version.clone(),
        update_available: *update_available,
        linked: linked.as_ref().map(|path| LinkedShape {
            path: path.to_text(),
        }),
        problems: problems::shapes(own),
    }
}

fn text(seen: &Seen, args: &ListArgs, style: Style) -> String {
    let blocks: Vec<String> = wanted(seen, args)
        .map(|marketplace| block(marketplace, seen, style))
        .collect();
    match &args.marketplace {
        _ if !blocks.is_empty() => blocks.join("\n"),
        Some(name) => format!(
            "No plugins found in marketplace `{}`.\n",
            escape::line(name)
        ),
        None => "No marketplace plugins found.\n".to_owned(),
    }
}

fn block(marketplace: &ListedMarketplace, seen: &Seen, style: Style) -> String {
    let name = escape::line(&marketplace.name);
    let mut offering = seen
        .listing
        .marketplaces
        .iter()
        .filter(|one| one.path.is_some());
    let place = match &marketplace.path {
        Some(path) => escape::line(&path.to_text()),
        None if is_remote(marketplace) => "(the remote catalog)".to_owned(),
        None if marketplace.plugins.iter().all(|one| one.linked.is_some()) => {
            "(linked; `plugd unlink` ends that)".to_owned()
        }
        None if offering.any(|one| one.name == marketplace.name) => {
            "(not offered any more; these plugins stay active until they are removed)".to_owned()
        }
        None => {
            let mut broken = seen.known.iter().filter(|one| one.is_broken());
            let why = match broken.any(|one| one.name == marketplace.name) {
                true => "cannot be used now",
                false => "gone",
            };
            format!("({why}; its plugins stay active until they are removed)")
        }
    };
    // The reference's table; a last column appears when there is something to put into it.
    let any = marketplace.plugins.iter().any(|one| one.update_available);
    let heading = ["PLUGIN", "STATUS", "VERSION", "SOURCE", "UPDATE"];
    let mut table = Table::new(&heading[..if any { 5 } else { 4 }]);
    for summary in &marketplace.plugins {
        let (status, paint) = status(summary);
        let version = summary.installed_version.as_ref();
        let source = match &summary.linked {
            Some(path) => path.to_text(),
            None => shapes::source_text(&summary.source),
        };
        table.row(&[
            (&summary.id.to_string(), Paint::Text),
            (status, paint),
            (version.map_or("", |version| version.as_str()), Paint::Text),
            (&source, Paint::Weak),
            (&update(summary), Paint::Warning),
        ]);
    }
    let title = style.paint(Paint::Heading, &format!("Marketplace `{name}`"));
    let place = style.paint(Paint::Weak, &place);
    format!("{title}\n{place}\n\n{}", table.render(style))
}

/// What a plugin would be brought to.
fn update(summary: &Summary) -> String {
    let installed = summary.installed_version.as_ref();
    let installed = installed.map(|version| version.as_str());
    match &summary.local_version {
        _ if !summary.update_available => String::new(),
        Some(version) if Some(version.as_str()) != installed => version.clone(),
        // The same version with another content, or one that only fetching tells.
        _ => "available".to_owned(),
    }
}

/// The status in the reference's words, which has none for what is linked.
pub(super) fn status(summary: &Summary) -> (&'static str, Paint) {
    match (summary.installed, summary.enabled) {
        (_, true) if summary.linked.is_some() => ("linked, enabled", Paint::Good),
        (_, false) if summary.linked.is_some() => ("linked, disabled", Paint::Warning),
        (true, true) => ("installed, enabled", Paint::Good),
        (true, false) => ("installed, disabled", Paint::Warning),
        (false, _) => ("not installed", Paint::Weak),
    }
}

#[cfg(test)]
#[path = "plugin_list_tests.rs"]
mod tests;
