//! `config/batchWrite`.

use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_protocol::ConfigBatchWriteParams;

use super::config_value_write;
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: ConfigBatchWriteParams,
) -> Result<Reply, WireError> {
    let ConfigBatchWriteParams {
        edits,
        file_path,
        expected_version,
        // Configuration is read anew for each request, so there is nothing to reload.
        reload_user_config: _,
    } = params;
    config_value_write::write(&context, &call, edits, file_path, expected_version).await
}
