//! The remote catalog's part of a search.

use plugd_catalog::{Access, InstalledSet, Item, SearchQuery};
use plugd_model::{Problem, ProblemKind, RemoteScope, error_chain};

use crate::call::Call;
use crate::listing::LoadError;
use crate::lookup::Resolved;
use crate::remote_error::RemoteError;
use crate::remote_groups::one_row;
use crate::remote_listing::{Local, deadline};
use crate::search::{Hit, SearchCursor, SearchPage, SearchRequest, SearchScope, rank};
use crate::{Error, Lookup};

/// What the service is to be asked.
pub(crate) struct RemoteSearch {
    access: Access,
    /// `None` when this page has no room left: the service comes with the next one.
    query: Option<SearchQuery>,
    /// Whether the client asked for a page of the service's.
    is_asked_for: bool,
    /// The login is not accepted any more, so nobody is asked.
    expired: bool,
    /// What is wrong with the login.
    problems: Vec<Problem>,
    scope: Option<RemoteScope>,
    left: Option<usize>,
}

impl RemoteSearch {
    /// What to ask after so many results of this disk. `None` without a login that the service knows.
    pub(crate) fn of(
        lookup: &Lookup,
        resolved: &Resolved,
        request: &SearchRequest,
        shown: usize,
    ) -> Option<Self> {
        let config = &resolved.scopes.first()?.config;
        let (access, expired, problems) = lookup.remote().seen_as(config, &resolved.login)?;
        let scope = match (request.scope, config.features().remote_plugin) {
            (None, true) => None,
            (Some(SearchScope::Global), true) => Some(RemoteScope::Global),
            (Some(SearchScope::Personal), true) => Some(RemoteScope::User),
            (None | Some(SearchScope::Workspace), _) => Some(RemoteScope::Workspace),
            (Some(SearchScope::Global | SearchScope::Personal), false) => return None,
        };
        let left = request.limit.map(|limit| limit.saturating_sub(shown));
        let (token, is_asked_for) = match &request.from {
            SearchCursor::Here(_) => (None, false),
            SearchCursor::Remote(token) => (token.clone(), true),
        };
        let query = SearchQuery {
            term: request.term.clone(),
            scope,
            limit: left.map(|left| u32::try_from(left).unwrap_or(u32::MAX)),
            token,
        };
        Some(Self {
            access,
            query: (left != Some(0)).then_some(query),
            is_asked_for,
            expired,
            problems,
            scope,
            left,
        })
    }

    /// Whether the client asked for a page of the service's.
    pub(crate) fn is_asked_for(&self) -> bool {
        self.is_asked_for
    }

    /// Whether only what is known can be searched.
    pub(crate) fn is_expired(&self) -> bool {
        self.expired
    }

    /// Adds what is found in the directories that are kept on disk, and tells that nobody was asked.
    /// Reads files.
    pub(crate) fn add_known(
        self,
        lookup: &Lookup,
        local: &Local,
        term: &str,
        page: &mut SearchPage,
    ) {
        let remote = lookup.remote();
        for problem in self.problems {
            page.load_errors.push(LoadError {
                marketplace_path: lookup.layout().auth(),
                problem,
            });
        }
        let installed = remote.installed_of(&self.access).unwrap_or_default();
        let scopes = [
            RemoteScope::Global,
            RemoteScope::User,
            RemoteScope::Workspace,
        ];
        let wanted = scopes
            .into_iter()
            .filter(|scope| self.scope.is_none_or(|wanted| wanted == *scope));
        let mut hits = Vec::new();
        for scope in wanted {
            let Some(cached) = remote.cached(&self.access, scope) else {
                continue;
            };
            let found = cached.directory.items.iter();
            let found = found.map(|item| hit(item, &installed, local));
            hits.extend(found.filter(|hit| rank(term, &hit.plugin).is_some()));
        }
        hits.sort_by_cached_key(|hit| rank(term, &hit.plugin));
        hits.truncate(self.left.unwrap_or(usize::MAX));
        page.hits.extend(hits);
    }
}

/// Adds what the service finds.
pub(crate) async fn add(
    call: &Call,
    lookup: &Lookup,
    local: &Local,
    wanted: &RemoteSearch,
    page: &mut SearchPage,
) -> Result<(), Error> {
    let remote = lookup.remote();
    let Some(query) = &wanted.query else {
        page.next = Some(SearchCursor::Remote(None));
        return Ok(());
    };
    let service = remote.service(&wanted.access);
    let deadline = Some(deadline(remote));
    let found = service
        .search(query, deadline, call.cancel.cancelled())
        .await;
    let found = match found {
        Ok(found) => found,
        Err(error) if wanted.is_asked_for || error.is_cancelled() => {
            return Err(RemoteError::asked("search remote plugins", error));
        }
        Err(error) => {
            remote.heard(&error);
            let text = format!(
                "the remote catalog was not searched: {}",
                error_chain(&error)
            );
            tell(
                lookup,
                page,
                Problem::error(ProblemKind::RemoteUnavailable, text),
            );
            return Ok(());
        }
    };
    let installed = remote.installed_of(&wanted.access).unwrap_or_default();
    let found_ones = found.items.iter();
    page.hits
        .extend(found_ones.map(|item| hit(item, &installed, local)));
    for problem in found.problems {
        tell(lookup, page, problem);
    }
    page.next = found.next.map(|token| SearchCursor::Remote(Some(token)));
    Ok(())
}

fn hit(item: &Item, installed: &InstalledSet, local: &Local) -> Hit {
    let of_account = installed.items.iter().find(|one| one.item.id == item.id);
    let mut plugin = one_row(item, of_account, local);
    // As for the results of this disk.
    plugin.enabled = false;
    Hit {
        marketplace: item.marketplace().name().to_owned(),
        path: None,
        plugin,
    }
}

fn tell(lookup: &Lookup, page: &mut SearchPage, problem: Problem) {
    page.load_errors.push(LoadError {
        marketplace_path: lookup.layout().catalog_cache(),
        problem,
    });
}
