//! `rpc.discover`.

use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_protocol::NoParams;

use crate::context::Context;
use crate::error_map;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    _context: Arc<Context>,
    _call: Call,
    _params: NoParams,
) -> Result<Reply, WireError> {
    let document = plugd_protocol::embedded::openrpc_document();
    let document = document.map_err(|error| error_map::internal(error.to_string()))?;
    Reply::of(&document)
}
