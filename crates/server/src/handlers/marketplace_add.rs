//! `marketplace/add`.

use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_plugins::{AddRequest, Added};
use plugd_protocol::{MarketplaceAddParams, MarketplaceAddResponse};

use super::shared;
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: MarketplaceAddParams,
) -> Result<Reply, WireError> {
    let MarketplaceAddParams {
        source,
        ref_name,
        sparse_paths,
    } = params;
    let request = AddRequest {
        source,
        ref_name,
        sparse_paths: sparse_paths.unwrap_or_default(),
        cwd: context.environment.cwd.clone(),
    };
    let Added {
        name,
        root,
        already_added,
        commit,
        problems,
    } = plugd_plugins::add_marketplace(
        &call,
        &context.blocking,
        &context.lookup,
        &context.copies,
        &context.fetcher,
        &context.events,
        request,
    )
    .await?;
    Reply::of(&MarketplaceAddResponse {
        marketplace_name: name.to_string(),
        installed_root: shared::path(&root),
        already_added,
        commit,
        problems: problems.into_iter().map(shared::problem).collect(),
    })
}
