//! `plugin/search`.

use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_plugins::{Hit, Roots, SearchCursor, SearchPage, SearchRequest, SearchScope};
use plugd_protocol::{
    PluginSearchParams, PluginSearchResponse, PluginSearchResult, PluginSearchScope,
};

use super::shared;
use crate::context::Context;
use crate::error_map;
use crate::reply::Reply;
use crate::wire_error::WireError;

/// How many it may ask for. Like the reference, a number outside is brought inside and not refused:
/// a client that asks for too much gets a cursor to go on with.
const MAX_LIMIT: u32 = 1_000;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: PluginSearchParams,
) -> Result<Reply, WireError> {
    let PluginSearchParams {
        search_term,
        scope,
        cwds,
        cursor,
        limit,
    } = params;
    let request = SearchRequest {
        term: search_term,
        roots: Roots {
            cwds: shared::cwds(cwds)?,
            manifests: Vec::new(),
        },
        scope: scope.map(|scope| match scope {
            PluginSearchScope::Global => SearchScope::Global,
            PluginSearchScope::Workspace => SearchScope::Workspace,
            PluginSearchScope::Personal => SearchScope::Personal,
        }),
        limit: limit.map(|limit| usize::try_from(limit.clamp(1, MAX_LIMIT)).unwrap_or(1)),
        from: from(cursor.as_deref())?,
    };
    let page = plugd_plugins::search(
        &call,
        &context.blocking,
        &context.lookup,
        &context.copies,
        request,
    )
    .await?;
    context.plugin_watch.request();
    let SearchPage {
        hits,
        next,
        load_errors,
    } = page;
    Reply::of(&PluginSearchResponse {
        data: hits.into_iter().map(hit).collect(),
        next_cursor: next.map(cursor_text),
        marketplace_load_errors: load_errors.into_iter().map(shared::load_error).collect(),
    })
}

/// What stands in front of a page of the remote catalog; results of this disk are a bare number.
const REMOTE: &str = "remote:";

fn from(cursor: Option<&str>) -> Result<SearchCursor, WireError> {
    let Some(text) = cursor else {
        return Ok(SearchCursor::Here(0));
    };
    if let Some(token) = text.strip_prefix(REMOTE) {
        let token = Some(token.to_owned()).filter(|token| !token.is_empty());
        return Ok(SearchCursor::Remote(token));
    }
    text.parse().map(SearchCursor::Here).map_err(|_| {
        let reason = "invalid cursor: use `nextCursor` of the page before";
        error_map::invalid_params(reason, Some("cursor".to_owned()))
    })
}

fn cursor_text(cursor: SearchCursor) -> String {
    match cursor {
        SearchCursor::Here(skip) => skip.to_string(),
        SearchCursor::Remote(token) => format!("{REMOTE}{}", token.unwrap_or_default()),
    }
}

fn hit(hit: Hit) -> PluginSearchResult {
    let Hit {
        plugin,
        marketplace,
        path,
    } = hit;
    PluginSearchResult {
        plugin: shared::summary(plugin),
        marketplace_name: marketplace,
        marketplace_path: path.as_ref().map(shared::path),
    }
}
