//! `plugd/approve`, and what errors and inspections say of trust.

use std::sync::Arc;

use plugd_model::{PluginId, ProblemKind};
use plugd_plugins::call::Call;
use plugd_plugins::{
    Approval, ApprovalChange, ApproveAction, ApproveRequest, ApproveTarget, Approving, Digest,
    HeldCopy, InspectDepth, InspectTarget, Inspected, PluginResult, RemoteTarget, TrustFacts,
    TrustHold, TrustSeen,
};
use plugd_protocol as wire;
use plugd_protocol::{ErrorData, ErrorKind};

use super::{shared, versions_shared};
use crate::context::Context;
use crate::error_map;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: wire::PlugdApproveParams,
) -> Result<Reply, WireError> {
    let wire::PlugdApproveParams {
        plugin_id,
        marketplace_path,
        plugin_name,
        digest,
        any_age,
        revoke,
        by,
        dry_run,
    } = params;
    let digest = digest.map(parsed).transpose()?;
    let dry_run = dry_run == Some(true);
    let any_age = any_age == Some(true);
    let action = match (revoke == Some(true), digest) {
        (true, digest) => Some(ApproveAction::Revoke(digest)),
        (false, Some(digest)) => Some(ApproveAction::Give {
            digest,
            any_age,
            by,
        }),
        (false, None) => None,
    };
    let parts = &context.parts;
    let done = match (target(plugin_id, marketplace_path, plugin_name)?, action) {
        (None, None) => plugd_plugins::approvals(parts).await?,
        (None, Some(_)) => return Err(unnamed()),
        (Some(target), Some(action)) => {
            let request = ApproveRequest {
                target,
                action,
                dry_run,
            };
            plugd_plugins::approve(&call, parts, request).await?
        }
        (Some(target), None) => {
            let inspected = look(&context, &call, target).await?;
            plugd_plugins::approve_shown(parts, inspected, dry_run).await?
        }
    };
    Reply::of(&response(done, waiting(&context)))
}

/// A digest in full: the beginning of one would approve whatever has it.
fn parsed(text: String) -> Result<Digest, plugd_plugins::Error> {
    Digest::parse(&text).map_err(|error| plugd_plugins::Error::BadValue {
        field: "digest",
        reason: error.to_string(),
    })
}

fn unnamed() -> WireError {
    let text = "expected `pluginId`, or `marketplacePath` with `pluginName`";
    error_map::invalid_params(text, None)
}

fn target(
    plugin_id: Option<String>,
    marketplace_path: Option<wire::AbsolutePathBuf>,
    plugin_name: Option<String>,
) -> Result<Option<ApproveTarget>, WireError> {
    match (plugin_id, marketplace_path, plugin_name) {
        (None, None, None) => Ok(None),
        (Some(id), None, None) => Ok(Some(ApproveTarget::Id(versions_shared::plugin_id(id)?))),
        (None, Some(manifest), Some(plugin)) => {
            let manifest = shared::abs_path("marketplacePath", &manifest)?;
            Ok(Some(ApproveTarget::Named { manifest, plugin }))
        }
        _ => Err(unnamed()),
    }
}

/// What would come.
async fn look(
    context: &Context,
    call: &Call,
    target: ApproveTarget,
) -> Result<Inspected, plugd_plugins::Error> {
    let depth = InspectDepth::ForApproval;
    let remote = |id: &PluginId| RemoteTarget::of(id);
    let target = match target {
        ApproveTarget::Named { manifest, plugin } => InspectTarget::Named { manifest, plugin },
        ApproveTarget::Id(id) => match remote(&id) {
            Some(target) => {
                return plugd_plugins::inspect_remote(call, &context.parts, target, depth).await;
            }
            None => InspectTarget::Id(id),
        },
    };
    let Context {
        blocking,
        lookup,
        copies,
        fetcher,
        ..
    } = context;
    plugd_plugins::inspect(call, blocking, lookup, copies, fetcher, (target, depth)).await
}

/// What background work left where it is.
fn waiting(context: &Context) -> Vec<wire::PlugdWaiting> {
    let reports = [
        context.refresher.report().1,
        context.curated.report().1,
        context.remote_sync.report().1,
    ];
    let plugins = reports.into_iter().flat_map(|report| report.plugins);
    plugins.filter_map(waits).collect()
}

fn waits(result: PluginResult) -> Option<wire::PlugdWaiting> {
    let PluginResult {
        id,
        outcome: _,
        from,
        to,
        problem,
        copy: _,
    } = result;
    let kinds = [ProblemKind::ApprovalNeeded, ProblemKind::CommitTooYoung];
    let problem = problem.filter(|problem| kinds.contains(&problem.kind))?;
    Some(wire::PlugdWaiting {
        plugin_id: id.to_string(),
        to: to.filter(|to| Some(to) != from.as_ref()),
        from,
        problem: shared::problem(problem),
    })
}

fn response(done: Approving, waiting: Vec<wire::PlugdWaiting>) -> wire::PlugdApproveResponse {
    let Approving {
        dry_run,
        changes,
        approvals,
        problems,
    } = done;
    wire::PlugdApproveResponse {
        dry_run,
        changes: changes.into_iter().map(change).collect(),
        approvals: approvals
            .into_iter()
            .map(|(id, one)| approval(&id, one))
            .collect(),
        waiting,
        problems: problems.into_iter().map(shared::problem).collect(),
    }
}

fn change(change: ApprovalChange) -> wire::PlugdApprovalChange {
    let ApprovalChange {
        id,
        from,
        to,
        changed,
        would_run,
        unseen,
    } = change;
    wire::PlugdApprovalChange {
        plugin_id: id.to_string(),
        reason: match (changed, to) {
            (false, _) => wire::PlugdApprovalReason::Unchanged,
            (true, Some(_)) => wire::PlugdApprovalReason::Approved,
            (true, None) => wire::PlugdApprovalReason::Revoked,
        },
        from: from.map(|digest| digest.to_string()),
        to: to.map(|digest| digest.to_string()),
        changed,
        would_run: would_run.as_deref().map(versions_shared::grew),
        unseen,
    }
}

fn approval(id: &PluginId, approval: Approval) -> wire::PlugdApproval {
    let Approval {
        digest,
        source,
        any_age,
        approved_at,
        by,
    } = approval;
    wire::PlugdApproval {
        plugin_id: id.to_string(),
        digest: digest.to_string(),
        source,
        any_age,
        approved_at,
        by,
    }
}

/// What an inspection says.
pub(super) fn trust(seen: TrustSeen) -> wire::PlugdTrust {
    let TrustSeen {
        digest,
        trusted,
        approved,
        refusal,
    } = seen;
    let refusal = refusal.as_deref();
    wire::PlugdTrust {
        allowed: refusal.is_none(),
        trusted,
        approved,
        digest: digest.to_string(),
        reason: refusal.map(|one| one.verdict.reason.word().to_owned()),
        would_run: refusal.map_or_else(Vec::new, |one| versions_shared::grew(&one.growth.grew)),
        unseen: refusal.map_or_else(Vec::new, |one| one.growth.unread.clone()),
        not_before: refusal.and_then(|one| one.verdict.not_before),
        hint: refusal.map(plugd_plugins::TrustRefusal::hint),
    }
}

/// What of an installed plugin a host is not given.
pub(super) fn held_back(id: &PluginId, held: HeldCopy) -> wire::PlugdHeldBack {
    let executables = held.holds(TrustHold::Executables);
    let HeldCopy {
        reason,
        digest,
        holds: _,
        mcp_servers,
        hooks,
        apps,
    } = held;
    let named = digest.map_or_else(String::new, |digest| format!(" --digest {digest}"));
    wire::PlugdHeldBack {
        reason: reason.word().to_owned(),
        digest: digest.map(|digest| digest.to_string()),
        mcp_servers,
        hooks,
        apps,
        executables,
        hint: format!(
            "plugd/inspect shows what would run; plugd/approve with this digest, or `plugd plugin \
             approve {id}{named}`, lets it"
        ),
    }
}

/// The `data` of a refusal.
pub(crate) fn error_data(kind: ErrorKind, facts: TrustFacts) -> ErrorData {
    let TrustFacts {
        reason,
        digest,
        would_run,
        unseen,
        not_before,
    } = facts;
    ErrorData {
        reason: reason.map(|reason| reason.word().to_owned()),
        digest: digest.map(|digest| digest.to_string()),
        would_run: Some(versions_shared::grew(&would_run)),
        unseen: Some(unseen).filter(|unseen| !unseen.is_empty()),
        not_before,
        ..ErrorData::new(kind)
    }
}
