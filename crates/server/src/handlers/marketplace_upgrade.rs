//! `marketplace/upgrade`.

use std::sync::Arc;

use plugd_model::{Problem, ProblemKind};
use plugd_plugins::call::Call;
use plugd_plugins::{History, MarketplaceUpgrade, Moved, PluginOutcome, PluginResult, Upgraded};
use plugd_protocol as wire;

use super::shared;
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    call: Call,
    params: wire::MarketplaceUpgradeParams,
) -> Result<Reply, WireError> {
    let wire::MarketplaceUpgradeParams { marketplace_name } = params;
    let upgraded = plugd_plugins::upgrade_marketplaces(
        &call,
        &context.blocking,
        &context.lookup,
        &context.copies,
        &context.fetcher,
        &context.events,
        marketplace_name,
    )
    .await?;
    Reply::of(&response(upgraded, &call.id))
}

/// The answer that a client gets, for the command line, which has asked the use case itself.
///
/// # Errors
/// The answer cannot be JSON, which is a fault of ours.
pub fn upgrade_reply(upgraded: Upgraded) -> Result<Reply, WireError> {
    Reply::of(&response(upgraded, "-"))
}

/// The answer of the wire. What failed is logged here, since the request as a whole has not.
fn response(upgraded: Upgraded, id: &str) -> wire::MarketplaceUpgradeResponse {
    let Upgraded {
        marketplaces,
        plugins,
    } = upgraded;
    let mut response = wire::MarketplaceUpgradeResponse {
        selected_marketplaces: Vec::new(),
        upgraded_roots: Vec::new(),
        errors: Vec::new(),
        changes: Vec::new(),
    };
    for row in marketplaces {
        marketplace(&mut response, row, id);
    }
    for result in plugins {
        response.errors.extend(failure(&result));
        response.changes.extend(plugin(result));
    }
    response
}

fn marketplace(response: &mut wire::MarketplaceUpgradeResponse, row: MarketplaceUpgrade, id: &str) {
    let MarketplaceUpgrade {
        name,
        from,
        outcome,
    } = row;
    response.selected_marketplaces.push(name.clone());
    let stays = wire::MarketplaceUpgradeChange {
        marketplace_name: Some(name.clone()),
        plugin_id: None,
        to: from.clone(),
        from,
        changed: false,
        history: None,
        reason: None,
        problems: Vec::new(),
    };
    let change = match outcome {
        Ok(Moved {
            root,
            to,
            changed,
            history: found,
            problems,
        }) => {
            if changed {
                response.upgraded_roots.push(shared::path(&root));
            }
            wire::MarketplaceUpgradeChange {
                to: Some(to),
                changed,
                history: found.map(history),
                problems: problems.into_iter().map(shared::problem).collect(),
                ..stays
            }
        }
        Err(error) => {
            let error = WireError::from(error);
            error.log(id, "marketplace/upgrade");
            let reason = Some(error.message.clone());
            response.errors.push(wire::MarketplaceUpgradeErrorInfo {
                marketplace_name: name,
                message: error.message,
                data: *error.data,
            });
            wire::MarketplaceUpgradeChange { reason, ..stays }
        }
    };
    response.changes.push(change);
}

/// The row of a plugin; one that stayed because it is what its source has gets none.
fn plugin(result: PluginResult) -> Option<wire::MarketplaceUpgradeChange> {
    let PluginResult {
        id,
        outcome,
        from,
        to,
        problem,
        copy: _,
    } = result;
    if outcome == PluginOutcome::Unchanged {
        return None;
    }
    let changed = outcome.is_change();
    Some(wire::MarketplaceUpgradeChange {
        marketplace_name: None,
        plugin_id: Some(id.to_string()),
        from,
        to,
        changed,
        history: None,
        reason: problem.as_ref().map(|problem| problem.message.clone()),
        problems: problem.into_iter().map(shared::problem).collect(),
    })
}

/// What a client of the reference reads of a plugin that did not follow: there it is an error of its
/// marketplace, and no row of plugins is known.
fn failure(result: &PluginResult) -> Option<wire::MarketplaceUpgradeErrorInfo> {
    if result.outcome != PluginOutcome::Failed {
        return None;
    }
    let id = &result.id;
    let reason = match &result.problem {
        Some(problem) => problem.message.as_str(),
        None => "for no known reason",
    };
    let told = result.problem.clone().map(shared::problem);
    let data = wire::ErrorData {
        plugin: Some(id.to_string()),
        marketplace: Some(id.marketplace.to_string()),
        ..wire::ErrorData::new(kind(result.problem.as_ref()))
    };
    let data = match told {
        Some(told) => wire::ErrorData {
            path: told.path,
            field: told.field,
            line: told.line,
            column: told.column,
            ..data
        },
        None => data,
    };
    Some(wire::MarketplaceUpgradeErrorInfo {
        marketplace_name: id.marketplace.to_string(),
        message: format!("failed to upgrade plugin `{id}`: {reason}"),
        data,
    })
}

/// The kind of error that a request for this plugin alone would have been.
fn kind(problem: Option<&Problem>) -> wire::ErrorKind {
    let Some(problem) = problem else {
        return wire::ErrorKind::Internal;
    };
    match problem.kind {
        ProblemKind::Unavailable | ProblemKind::RemoteUnavailable | ProblemKind::RemoteStale => {
            wire::ErrorKind::Unavailable
        }
        ProblemKind::Missing | ProblemKind::Orphan => wire::ErrorKind::NotFound,
        ProblemKind::Policy
        | ProblemKind::Product
        | ProblemKind::ReservedName
        | ProblemKind::LoginExpired => wire::ErrorKind::NotAllowed,
        ProblemKind::ApprovalNeeded => wire::ErrorKind::ApprovalNeeded,
        ProblemKind::CommitTooYoung => wire::ErrorKind::CommitTooYoung,
        ProblemKind::Conflict | ProblemKind::HeldBack | ProblemKind::Drift => {
            wire::ErrorKind::Conflict
        }
        ProblemKind::Unreadable
        | ProblemKind::NotAFile
        | ProblemKind::TooLarge
        | ProblemKind::Syntax
        | ProblemKind::WrongType
        | ProblemKind::MissingField
        | ProblemKind::BadValue
        | ProblemKind::UnknownField
        | ProblemKind::BadName
        | ProblemKind::BadPath
        | ProblemKind::BadSource
        | ProblemKind::UnsupportedSource
        | ProblemKind::Duplicate
        | ProblemKind::UnsupportedSchema
        | ProblemKind::BadVersion
        | ProblemKind::NameMismatch
        | ProblemKind::LeftOut
        | ProblemKind::Config
        | ProblemKind::Deprecated
        | ProblemKind::Unwatched => wire::ErrorKind::InvalidInput,
    }
}

fn history(history: History) -> wire::MarketplaceHistory {
    match history {
        History::Forward => wire::MarketplaceHistory::Forward,
        History::Rewritten => wire::MarketplaceHistory::Rewritten,
        History::Unknown => wire::MarketplaceHistory::Unknown,
    }
}

#[cfg(test)]
#[path = "marketplace_upgrade_tests.rs"]
mod tests;
