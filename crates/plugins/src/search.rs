//! `plugin/search`: plugins by what people type.
//!
//! Ranks, best first: display name equal, name equal, prefix of either, part of either, keyword
//! equal, part of a keyword or of all of these together. Descriptions are not searched.

use crate::call::Call;
use crate::differing::Differing;
use crate::listing::{ListedMarketplace, LoadError, Summary};
use crate::login_refresh::refresh_login;
use crate::lookup::Resolved;
use crate::remote_listing::Local;
use crate::remote_search::{self, RemoteSearch};
use crate::survey::Survey;
use crate::{Blocking, Copies, Error, Lookup, Roots};

/// How many results of this disk a page has when the client does not say.
const LOCAL_PAGE: usize = 100;

/// What to look for.
#[derive(Debug, Clone)]
pub struct SearchRequest {
    /// The words, as typed.
    pub term: String,
    /// Where to look.
    pub roots: Roots,
    /// Which part of the world.
    pub scope: Option<SearchScope>,
    /// How many results a page has; `None` leaves it to each part.
    pub limit: Option<usize>,
    /// Where the page before ended.
    pub from: SearchCursor,
}

/// Where a page begins. What lies here comes first, and then what the remote catalog finds; where
/// both are on one page, the best comes first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SearchCursor {
    /// Behind so many results of this disk.
    Here(usize),
    /// In the remote catalog, at a page that it named, or at the first.
    Remote(Option<String>),
}

/// Parts of the world that a search can be restricted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchScope {
    /// Marketplaces of the reference's maker.
    Global,
    /// The account's workspace; always remote.
    Workspace,
    /// All others.
    Personal,
}

/// One page of results.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SearchPage {
    /// The hits, best first.
    pub hits: Vec<Hit>,
    /// Where the next page begins; absent on the last one.
    pub next: Option<SearchCursor>,
    /// What could not be searched.
    pub load_errors: Vec<LoadError>,
}

/// One result.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// The plugin.
    pub plugin: Summary,
    /// Its marketplace.
    pub marketplace: String,
    /// The marketplace's manifest.
    pub path: Option<plugd_model::AbsPath>,
}

/// What is found here, and what is to be asked.
struct Here {
    page: SearchPage,
    local: Local,
    remote: Option<RemoteSearch>,
    /// Nothing but a login that may be refreshed keeps the service from being asked.
    may_refresh: bool,
}

/// Searches the plugins that a listing of the same roots shows, and the remote catalog.
///
/// A service that does not answer costs its own results only; without anything else to show it is an
/// error.
///
/// # Errors
/// The store cannot be read, or a page of the remote catalog cannot be had.
pub async fn search(
    call: &Call,
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    request: SearchRequest,
) -> Result<SearchPage, Error> {
    let term = normalise(&request.term);
    let see = || {
        let (lookup, copies, request) = (lookup.clone(), copies.clone(), request.clone());
        blocking.list(move || look(&lookup, &copies, &request))
    };
    let mut here = see().await?;
    if here.may_refresh {
        refresh_login(call, blocking, lookup).await;
        here = see().await?;
    }
    let Here {
        mut page,
        local,
        remote,
        ..
    } = here;
    if let Some(wanted) = remote {
        remote_search::add(call, lookup, &local, &wanted, &mut page).await?;
        if !wanted.is_asked_for() {
            best_first(&term, &mut page.hits);
        }
    }
    Ok(page)
}

fn look(lookup: &Lookup, copies: &Copies, request: &SearchRequest) -> Result<Here, Error> {
    let mut here = Here {
        page: SearchPage::default(),
        local: Local::default(),
        remote: None,
        may_refresh: false,
    };
    let term = normalise(&request.term);
    let resolved = lookup.resolve(&request.roots);
    if request.term.trim().is_empty() || resolved.is_off() {
        return Ok(here);
    }
    let unknown = Differing::default();
    let survey = Survey::new(lookup, copies.store()?, &resolved, &unknown)?;
    if let (SearchCursor::Here(skip), false) = (&request.from, term.is_empty()) {
        let listing = survey.listing(|_| true);
        here.page.load_errors.extend(listing.load_errors);
        let hits = ranked(&term, listing.marketplaces, request.scope);
        let limit = request.limit.unwrap_or(LOCAL_PAGE);
        let end = skip.saturating_add(limit);
        here.page.next = (end < hits.len()).then_some(SearchCursor::Here(end));
        here.page.hits = hits.into_iter().skip(*skip).take(limit).collect();
    }
    if here.page.next.is_none() {
        here.may_refresh = may_refresh(lookup, &resolved, request, here.page.hits.len());
        here.remote = RemoteSearch::of(lookup, &resolved, request, here.page.hits.len());
    }
    here.local = survey.into_local();
    if here.remote.as_ref().is_some_and(RemoteSearch::is_expired) {
        if let Some(wanted) = here.remote.take() {
            wanted.add_known(lookup, &here.local, &term, &mut here.page);
        }
        best_first(&term, &mut here.page.hits);
    }
    Ok(here)
}

/// Puts what was found here and there into one order. What the service finds by means of its own comes
/// behind all others; what is equal keeps its order.
fn best_first(term: &str, hits: &mut [Hit]) {
    hits.sort_by_cached_key(|hit| rank(term, &hit.plugin).unwrap_or(u8::MAX));
}

/// Whether refreshing the login would let this search ask the service, after so many results of this
/// disk.
fn may_refresh(
    lookup: &Lookup,
    resolved: &Resolved,
    request: &SearchRequest,
    shown: usize,
) -> bool {
    let Some(config) = resolved.scopes.first().map(|scope| &scope.config) else {
        return false;
    };
    let is_remote = match request.scope {
        None | Some(SearchScope::Workspace) => true,
        Some(SearchScope::Global | SearchScope::Personal) => config.features().remote_plugin,
    };
    let has_room = request.limit.is_none_or(|limit| limit > shown);
    let remote = lookup.remote();
    is_remote
        && has_room
        && remote
            .seen_as(config, &resolved.login)
            .is_some_and(|(access, expired, _)| {
                expired && remote.may_refresh(config, &access.account)
            })
}

/// What matches, the best first.
fn ranked(term: &str, listed: Vec<ListedMarketplace>, scope: Option<SearchScope>) -> Vec<Hit> {
    let mut ranked: Vec<(u8, Hit)> = Vec::new();
    for marketplace in listed {
        if !in_scope(&marketplace.name, scope) {
            continue;
        }
        for listed in marketplace.plugins {
            let Some(rank) = rank(term, &listed) else {
                continue;
            };
            let mut plugin = listed.into_summary();
            // The reference answers false here whatever is configured; clients of a search result ask
            // for the plugin before they act on this.
            plugin.enabled = false;
            let hit = Hit {
                plugin,
                marketplace: marketplace.name.clone(),
                path: marketplace.path.clone(),
            };
            ranked.push((rank, hit));
        }
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, hit)| hit).collect()
}

fn in_scope(marketplace: &str, scope: Option<SearchScope>) -> bool {
    let official = marketplace.starts_with("openai-");
    match scope {
        None => true,
        Some(SearchScope::Global) => official,
        Some(SearchScope::Personal) => !official,
        Some(SearchScope::Workspace) => false,
    }
}

/// Lower case, and every run of other characters one space.
fn normalise(text: &str) -> String {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect::<Vec<_>>()
        .join(" ")
}

/// How well a plugin answers a normalised term, 0 being the best; `None` when it does not.
pub(crate) fn rank(term: &str, plugin: &Summary) -> Option<u8> {
    let name = normalise(plugin.id.plugin.as_str());
    let shown = plugin
        .interface
        .as_ref()
        .and_then(|shown| shown.interface.display_name.as_deref())
        .map(normalise)
        .unwrap_or_default();
    let keywords: Vec<String> = plugin.keywords.iter().map(|word| normalise(word)).collect();
    let all = format!("{name} {shown} {}", keywords.join(" "));
    if shown == term {
        Some(0)
    } else if name == term {
        Some(1)
    } else if shown.starts_with(term) || name.starts_with(term) {
        Some(2)
    } else if shown.contains(term) || name.contains(term) {
        Some(3)
    } else if keywords.iter().any(|word| word == term) {
        Some(4)
    } else if all.contains(term) {
        Some(5)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{SearchScope, in_scope, normalise};

    #[test]
    fn words_are_what_is_left_of_punctuation() {
        for (text, expected) in [
            ("  Hello--World ", "hello world"),
            ("A.b_C", "a b c"),
            ("...", ""),
            ("ÄÖ 9", "äö 9"),
        ] {
            assert_eq!(normalise(text), expected, "{text:?}");
        }
    }

    #[test]
    fn scopes_split_by_the_maker_of_the_marketplace() {
        let of = |scope| ["openai-curated", "demo"].map(|name| in_scope(name, scope));
        assert_eq!(of(None), [true, true]);
        assert_eq!(of(Some(SearchScope::Global)), [true, false]);
        assert_eq!(of(Some(SearchScope::Personal)), [false, true]);
        assert_eq!(of(Some(SearchScope::Workspace)), [false, false]);
    }
}
