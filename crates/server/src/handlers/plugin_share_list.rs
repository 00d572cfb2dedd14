//! `plugin/share/list`.

use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_plugins::{ShareRow, Shares};
use plugd_protocol::{PluginShareListItem, PluginShareListParams, PluginShareListResponse};

use super::shared;
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: PluginShareListParams,
) -> Result<Reply, WireError> {
    let PluginShareListParams {} = params;
    let Shares { rows, problems } =
        plugd_plugins::shares(&call, &context.blocking, &context.lookup, &context.copies).await?;
    Reply::of(&PluginShareListResponse {
        data: rows.into_iter().map(row).collect(),
        problems: problems.into_iter().map(shared::problem).collect(),
    })
}

fn row(row: ShareRow) -> PluginShareListItem {
    let ShareRow { summary, path } = row;
    PluginShareListItem {
        plugin: shared::summary(summary),
        local_plugin_path: path.as_ref().map(shared::path),
    }
}
