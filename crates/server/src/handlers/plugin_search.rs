//! `plugin/search`.

use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_plugins::{Hit, Roots, SearchPage, SearchRequest, SearchScope};
use plugd_protocol::{
    PluginSearchParams, PluginSearchResponse, PluginSearchResult, PluginSearchScope,
};

use super::shared;
use crate::context::Context;
use crate::error_map;
use crate::reply::Reply;
use crate::wire_error::WireError;

/// How many results a page has when the client does not say.
const DEFAULT_LIMIT: u32 = 100;
/// How many it may ask for. Like the reference, a number outside is brought inside and not refused:
/// a client that asks for too much gets a cursor to go on with.
const MAX_LIMIT: u32 = 1_000;

pub(crate) async fn handle(
    context: Arc<Context>,
    _call: Call,
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
        limit: usize::try_from(limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT)).unwrap_or(1),
        skip: match cursor {
            None => 0,
            Some(text) => text.parse().map_err(|_| {
                let reason = "invalid cursor: use `nextCursor` of the page before";
                error_map::invalid_params(reason, Some("cursor".to_owned()))
            })?,
        },
    };
    let page =
        plugd_plugins::search(&context.blocking, &context.lookup, &context.copies, request).await?;
    let SearchPage {
        hits,
        next,
        load_errors,
    } = page;
    Reply::of(&PluginSearchResponse {
        data: hits.into_iter().map(hit).collect(),
        next_cursor: next.map(|skip| skip.to_string()),
        marketplace_load_errors: load_errors.into_iter().map(shared::load_error).collect(),
    })
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
