//! `plugd/verify`.

use std::sync::Arc;

use plugd_model::PluginId;
use plugd_plugins::call::Call;
use plugd_plugins::{Verified, VerifiedCopy, VerifyReport};
use plugd_protocol as wire;

use super::shared;
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: wire::PlugdVerifyParams,
) -> Result<Reply, WireError> {
    let wire::PlugdVerifyParams { plugin_id } = params;
    let only = match plugin_id {
        None => None,
        Some(id) => match PluginId::parse(&id) {
            Ok(id) => Some(id),
            Err(_) => return Err(plugd_plugins::Error::BadPluginId { id }.into()),
        },
    };
    let verified = plugd_plugins::verify(&call, &context.blocking, &context.copies, only).await?;
    verify_reply(verified)
}

/// The answer that a client gets, also for the command line, which has asked the use case itself.
///
/// # Errors
/// The answer cannot be JSON, which is a fault of ours.
pub fn verify_reply(verified: Verified) -> Result<Reply, WireError> {
    let matches = verified.matches();
    let Verified { plugins, problems } = verified;
    Reply::of(&wire::PlugdVerifyResponse {
        matches,
        plugins: plugins.into_iter().map(plugin).collect(),
        problems: problems.into_iter().map(shared::problem).collect(),
    })
}

fn plugin(copy: VerifiedCopy) -> wire::PlugdVerifiedPlugin {
    let VerifiedCopy {
        id,
        version,
        root,
        compared,
        problems,
    } = copy;
    let mut problems: Vec<_> = problems.into_iter().map(shared::problem).collect();
    let empty = wire::PlugdVerifiedPlugin {
        plugin_id: id.to_string(),
        version: version.to_string(),
        path: shared::path(&root),
        matches: false,
        recorded_digest: None,
        found_digest: None,
        names_files: false,
        changed: Vec::new(),
        missing: Vec::new(),
        added: Vec::new(),
        problems: Vec::new(),
    };
    let report = match compared {
        Ok(report) => report,
        Err(problem) => {
            problems.push(shared::problem(problem));
            return wire::PlugdVerifiedPlugin { problems, ..empty };
        }
    };
    let VerifyReport {
        recorded,
        found,
        matches,
        compared_with,
        changed,
        missing,
        added,
        left_out,
    } = report;
    problems.extend(left_out.into_iter().map(shared::problem));
    wire::PlugdVerifiedPlugin {
        matches,
        names_files: recorded == Some(found) || compared_with.is_some(),
        recorded_digest: recorded.map(|digest| digest.to_string()),
        found_digest: Some(found.to_string()),
        changed,
        missing,
        added,
        problems,
        ..empty
    }
}
