//! `plugd/status`.

use std::sync::Arc;

use plugd_plugins::call::Call;
use plugd_plugins::{PluginOutcome, PluginResult, Status, TaskReport, TaskState};
use plugd_protocol as wire;

use super::shared;
use crate::context::Context;
use crate::reply::Reply;
use crate::wire_error::WireError;

pub(crate) async fn handle(
    context: Arc<Context>,
    _call: Call,
    _params: wire::PlugdStatusParams,
) -> Result<Reply, WireError> {
    let status = plugd_plugins::status(
        &context.blocking,
        &context.lookup,
        &context.copies,
        &context.refresher,
    )
    .await?;
    let Status {
        home,
        refresh_state,
        refresh,
        stale,
        problems,
    } = status;
    let checked_at = refresh.finished_at.and_then(|at| i64::try_from(at).ok());
    let installed = wire::PlugdLayer {
        kind: wire::PlugdLayerKind::InstalledCopy,
        state: match (checked_at, stale.is_empty()) {
            (None, _) => wire::PlugdLayerState::Unknown,
            (Some(_), true) => wire::PlugdLayerState::Fresh,
            (Some(_), false) => wire::PlugdLayerState::Stale,
        },
        checked_at,
        stale: stale.iter().map(ToString::to_string).collect(),
        message: None,
    };
    Reply::of(&wire::PlugdStatusResponse {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        home: shared::path(&home),
        layers: vec![
            not_built(wire::PlugdLayerKind::Remote),
            not_built(wire::PlugdLayerKind::CatalogClone),
            installed,
        ],
        tasks: vec![task(refresh_state, refresh)],
        problems: problems.into_iter().map(shared::problem).collect(),
    })
}

/// A layer that this version does not keep fresh.
fn not_built(kind: wire::PlugdLayerKind) -> wire::PlugdLayer {
    wire::PlugdLayer {
        kind,
        state: wire::PlugdLayerState::Off,
        checked_at: None,
        stale: Vec::new(),
        message: Some("this version does not keep it fresh".to_owned()),
    }
}

fn task(state: TaskState, report: TaskReport) -> wire::PlugdTask {
    let outcome = report.succeeded().map(|succeeded| {
        if succeeded {
            wire::PlugdTaskOutcome::Ok
        } else {
            wire::PlugdTaskOutcome::Failed
        }
    });
    let TaskReport {
        started_at,
        finished_at,
        plugins,
        problem,
    } = report;
    let seconds = |at: Option<u64>| at.and_then(|at| i64::try_from(at).ok());
    wire::PlugdTask {
        kind: wire::PlugdTaskKind::Refresh,
        state: match state {
            TaskState::Idle => wire::PlugdTaskState::Idle,
            TaskState::Running => wire::PlugdTaskState::Running,
        },
        started_at: seconds(started_at),
        finished_at: seconds(finished_at),
        outcome,
        message: problem.as_ref().map(|problem| problem.message.clone()),
        problem: problem.map(shared::problem),
        plugins: plugins.into_iter().map(result).collect(),
    }
}

fn result(result: PluginResult) -> wire::PlugdPluginOutcome {
    let PluginResult {
        id,
        outcome,
        from,
        to,
        problem,
    } = result;
    wire::PlugdPluginOutcome {
        plugin_id: id.to_string(),
        outcome: match outcome {
            PluginOutcome::Installed => wire::PluginOutcomeKind::Installed,
            PluginOutcome::Updated => wire::PluginOutcomeKind::Updated,
            PluginOutcome::Unchanged => wire::PluginOutcomeKind::Unchanged,
            PluginOutcome::HeldBack => wire::PluginOutcomeKind::HeldBack,
            PluginOutcome::Failed => wire::PluginOutcomeKind::Failed,
        },
        from,
        to,
        problem: problem.map(shared::problem),
    }
}
