//! `plugd/update`.

use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_plugins::{Confirm, Digest, UpdateRequest};
use plugd_protocol as wire;

use super::versions_shared;
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: wire::PlugdUpdateParams,
) -> Result<Reply, WireError> {
    let wire::PlugdUpdateParams {
        plugin_id,
        confirm,
        confirmed,
        dry_run,
    } = params;
    let confirmed = confirmed.unwrap_or_default();
    let request = UpdateRequest {
        only: plugin_id.map(versions_shared::plugin_id).transpose()?,
        dry_run: dry_run == Some(true),
        confirm: match confirm {
            None => Confirm::Nothing,
            Some(wire::PlugdConfirm::Capabilities) => Confirm::Capabilities,
        },
        confirmed: confirmed
            .iter()
            .map(|text| digest(text))
            .collect::<Result<_, _>>()?,
    };
    let done = plugd_plugins::update(&call, &context.parts, request).await?;
    Reply::of(&versions_shared::changed(done))
}

/// A digest in full: the beginning of one would agree to whatever has it.
fn digest(text: &str) -> Result<Digest, plugd_plugins::Error> {
    Digest::parse(text).map_err(|error| plugd_plugins::Error::BadValue {
        field: "confirmed",
        reason: error.to_string(),
    })
}
