//! Lists: directories, the installed set, and the featured plugins.

use plugd_model::RemoteScope;
use tokio::time::Instant;

use crate::json;
use crate::pages::{Entry, Listed, Next, Pages};
use crate::service::{Ask, later, unless};
use crate::{
    Call, CatalogError, Collection, Directory, Fetched, InstalledSet, Service, Urls, Validators,
};

/// How many items a page may have, as the reference asks.
const PAGE: &str = "200";

/// Most featured plugins, and the longest of their names in bytes.
const MAX_FEATURED: usize = 1000;
const MAX_FEATURED_NAME: usize = 500;

impl Service {
    /// A collection, read to its end. With `known` the service may say that nothing has changed since.
    ///
    /// Validators come with a collection of one page only: the mark of a first page says nothing
    /// about the others.
    ///
    /// # Errors
    /// The service cannot be asked, refuses, or answers something else than a list. What was read
    /// before a page failed is given up, so that the last good list can be shown instead.
    pub async fn directory(
        &self,
        collection: Collection,
        known: Option<&Validators>,
        deadline: Option<Instant>,
        cancelled: impl Future<Output = ()>,
    ) -> Result<Fetched<Directory>, CatalogError> {
        let first = || match collection {
            Collection::Scope(scope) => page("/ps/plugins/list", Some(scope)),
            Collection::Vertical => {
                page("/ps/plugins/list", Some(RemoteScope::Global)).query("collection", "vertical")
            }
            Collection::SharedWithMe => page("/ps/plugins/workspace/shared", None),
            Collection::Created => page("/ps/plugins/workspace/created", None),
        };
        let scope = match collection {
            Collection::Scope(scope) => Some(scope),
            Collection::Vertical => Some(RemoteScope::Global),
            Collection::SharedWithMe | Collection::Created => None,
        };
        let work = self.pages(first, scope, known, deadline);
        Ok(unless(cancelled, work).await?.map(Directory::from))
    }

    /// What the account has installed, in one scope or in all.
    ///
    /// # Errors
    /// As [`Service::directory`].
    pub async fn installed(
        &self,
        scope: Option<RemoteScope>,
        urls: Urls,
        known: Option<&Validators>,
        deadline: Option<Instant>,
        cancelled: impl Future<Output = ()>,
    ) -> Result<Fetched<InstalledSet>, CatalogError> {
        let first = || {
            let mut ask = Ask::get(Call::Installed, "/ps/plugins/installed");
            if let Some(scope) = scope {
                ask = ask.query("scope", scope.word());
            }
            ask = ask.query("limit", PAGE);
            with_urls(ask, urls)
        };
        let work = self.pages(first, scope, known, deadline);
        Ok(unless(cancelled, work).await?.map(InstalledSet::from))
    }

    /// The keys of the plugins that the service wants to be shown first, as it wrote them.
    ///
    /// # Errors
    /// The service cannot be asked, refuses, or answers something else than a list.
    pub async fn featured(
        &self,
        known: Option<&Validators>,
        deadline: Option<Instant>,
        cancelled: impl Future<Output = ()>,
    ) -> Result<Fetched<Vec<String>>, CatalogError> {
        let ask = Ask::get(Call::Featured, "/plugins/featured")
            .query("platform", "codex")
            .without_sku()
            .limit(self.catalog.patience.featured)
            .unless_known(known);
        let answer = unless(cancelled, self.ask(ask, deadline)).await?;
        if answer.is_unchanged() {
            return Ok(Fetched::Unchanged);
        }
        answer.must_be_whole()?;
        let raw = json::check(&answer.body).map_err(|reason| answer.bad(reason))?;
        let elements: Vec<&serde_json::value::RawValue> =
            serde_json::from_str(raw.get()).map_err(|_| answer.bad("it is not a list"))?;
        let featured = elements
            .into_iter()
            .filter_map(|element| serde_json::from_str::<String>(element.get()).ok())
            .filter(|name| name.len() <= MAX_FEATURED_NAME)
            .take(MAX_FEATURED)
            .collect();
        Ok(Fetched::New(featured, answer.validators))
    }

    /// All pages of a list, of one scope or of any.
    async fn pages<'a, T: Entry>(
        &self,
        first: impl Fn() -> Ask<'a>,
        scope: Option<RemoteScope>,
        known: Option<&'a Validators>,
        deadline: Option<Instant>,
    ) -> Result<Fetched<Listed<T>>, CatalogError> {
        let end = later(self.catalog.patience.pages);
        let deadline = Some(deadline.map_or(end, |deadline| deadline.min(end)));
        let answer = self.ask(first().unless_known(known), deadline).await?;
        if answer.is_unchanged() {
            return Ok(Fetched::Unchanged);
        }
        let mut pages = Pages::of(scope);
        let take = |pages: &mut Pages<T>, answer: &super::Answer| {
            answer.must_be_whole()?;
            let next = pages.take(&answer.body);
            next.map_err(|reason| answer.bad(reason))
        };
        let mut next = take(&mut pages, &answer)?;
        let mut validators = answer.validators;
        while let Next::Page(token) = next {
            validators = None;
            let answer = self.ask(first().query("pageToken", token), deadline);
            next = take(&mut pages, &answer.await?)?;
        }
        Ok(Fetched::New(pages.listed(), validators))
    }
}

impl<T> Fetched<T> {
    /// The same with another answer.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Fetched<U> {
        match self {
            Self::New(answer, validators) => Fetched::New(change(answer), validators),
            Self::Unchanged => Fetched::Unchanged,
        }
    }
}

/// A page of a directory.
fn page<'a>(path: &str, scope: Option<RemoteScope>) -> Ask<'a> {
    let mut ask = Ask::get(Call::Directory, path);
    if let Some(scope) = scope {
        ask = ask.query("scope", scope.word());
    }
    ask.query("limit", PAGE)
}

/// Asks for addresses of bundles, where they are wanted.
pub(super) fn with_urls(ask: Ask<'_>, urls: Urls) -> Ask<'_> {
    match urls {
        Urls::With => ask.query("includeDownloadUrls", "true"),
        Urls::Without => ask,
    }
}
