//! `marketplace/upgrade`.

use std::sync::Arc;

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
    response
        .changes
        .extend(plugins.into_iter().filter_map(plugin));
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
