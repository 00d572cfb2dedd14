//! `rpc.discover`.

use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_protocol::NoParams;

use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    _context: Arc<Context>,
    _call: Call,
    _params: NoParams,
) -> Result<Reply, WireError> {
    Reply::of(&plugd_protocol::generate::openrpc_document())
}
