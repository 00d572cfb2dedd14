//! Searching.

use tokio::time::Instant;

use crate::json::{Notes, Object, Source};
use crate::pages::{Entry as _, next_token, shown};
use crate::service::{Answer, Ask, unless};
use crate::{Call, CatalogError, Item, SearchPage, SearchQuery, Service};

/// How many results a page has when nobody says.
const RESULTS: u32 = 16;

impl Service {
    /// One page of what fits some words. Words that are blank fit nothing, and nobody is asked.
    ///
    /// # Errors
    /// The service cannot be asked, refuses, or answers something else than a list.
    pub async fn search(
        &self,
        query: &SearchQuery,
        deadline: Option<Instant>,
        cancelled: impl Future<Output = ()>,
    ) -> Result<SearchPage, CatalogError> {
        let term = query.term.trim();
        if term.is_empty() {
            return Ok(SearchPage::default());
        }
        let mut ask = Ask::get(Call::Search, "/ps/plugins/search").query("q", term);
        if let Some(scope) = query.scope {
            ask = ask.query("scope", scope.word());
        }
        let limit = query.limit.unwrap_or(RESULTS).max(1);
        ask = ask.query("limit", limit.to_string());
        if let Some(token) = &query.token {
            ask = ask.query("pageToken", token);
        }
        let answer = unless(cancelled, self.ask(ask, deadline)).await?;
        answer.must_be_whole()?;
        let page = answer.object()?;
        let mut notes = Notes::default();
        let items = items(&answer, &page, &mut notes)?;
        let next = next_token(&page).map_err(|problem| answer.bad(shown(&problem)))?;
        Ok(SearchPage {
            items,
            problems: notes.0,
            // A page that leads to itself is the last one.
            next: next.filter(|next| !next.is_empty() && query.token.as_ref() != Some(next)),
        })
    }
}

/// The items of a list that can be read.
fn items(answer: &Answer, page: &Object<'_>, notes: &mut Notes) -> Result<Vec<Item>, CatalogError> {
    let list = page.needed("plugins", page.elements("plugins"));
    let list = list.map_err(|problem| answer.bad(shown(&problem)))?;
    let mut items = Vec::with_capacity(list.len().min(1000));
    for (path, raw) in list {
        match Item::read(raw, &path, Source(None), notes) {
            Ok(item) => items.push(item),
            Err(problem) => notes.push(problem),
        }
    }
    Ok(items)
}
