//! `plugd/release`.

use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_protocol::{PlugdReleaseParams, PlugdReleaseResponse};

use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: PlugdReleaseParams,
) -> Result<Reply, WireError> {
    let PlugdReleaseParams { lease_id } = params;
    let released =
        plugd_plugins::release(&call, &context.blocking, &context.leases, lease_id).await?;
    Reply::of(&PlugdReleaseResponse { released })
}
