//! `plugd/status`.

use std::sync::Arc;

use plugd_model::PluginId;
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
        &context.curated,
        &context.remote_sync,
    )
    .await?;
    Reply::of(&response(status))
}

fn response(status: Status) -> wire::PlugdStatusResponse {
    let Status {
        home,
        refresh_state,
        refresh,
        stale,
        curated_state,
        curated,
        curated_off,
        remote_state,
        remote,
        remote_off,
        not_fetched,
        problems,
    } = status;
    wire::PlugdStatusResponse {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        home: shared::path(&home),
        layers: vec![
            remote_layer(&remote, remote_off),
            catalog_clone(&curated, curated_off, not_fetched),
            installed_copy(&refresh, &stale),
        ],
        tasks: vec![
            task(wire::PlugdTaskKind::Refresh, refresh_state, refresh),
            task(wire::PlugdTaskKind::CuratedSync, curated_state, curated),
            task(wire::PlugdTaskKind::RemoteSync, remote_state, remote),
        ],
        problems: problems.into_iter().map(shared::problem).collect(),
    }
}

/// The account: what it has, and which copies could not follow it.
fn remote_layer(remote: &TaskReport, off: Option<String>) -> wire::PlugdLayer {
    let failure = remote.problem.as_ref().map(|one| one.message.clone());
    let behind = |one: &&PluginResult| {
        matches!(one.outcome, PluginOutcome::HeldBack | PluginOutcome::Failed)
    };
    let stale: Vec<_> = match off {
        // What an account of the time before had explains nothing any more.
        Some(_) => Vec::new(),
        None => remote.plugins.iter().filter(behind).collect(),
    };
    let first = stale.iter().find_map(|one| one.problem.as_ref());
    let state = if off.is_some() {
        wire::PlugdLayerState::Off
    } else if remote.finished_at.is_none() || failure.is_some() {
        wire::PlugdLayerState::Unknown
    } else if stale.is_empty() {
        wire::PlugdLayerState::Fresh
    } else {
        wire::PlugdLayerState::Stale
    };
    wire::PlugdLayer {
        kind: wire::PlugdLayerKind::Remote,
        state,
        checked_at: seconds(remote.finished_at),
        stale: stale.iter().map(|one| one.id.to_string()).collect(),
        message: off
            .or(failure)
            .or_else(|| first.map(|problem| problem.message.clone())),
    }
}

/// The checkouts: the curated one, which is looked at in the background, and the configured ones, of
/// which nobody knows more than whether they are there until they are upgraded.
fn catalog_clone(
    curated: &TaskReport,
    off: Option<String>,
    not_fetched: Vec<String>,
) -> wire::PlugdLayer {
    let failure = curated.problem.as_ref().map(|one| one.message.clone());
    let state = if !not_fetched.is_empty() {
        wire::PlugdLayerState::Stale
    } else if off.is_some() {
        wire::PlugdLayerState::Off
    } else if curated.finished_at.is_none() || failure.is_some() {
        wire::PlugdLayerState::Unknown
    } else {
        wire::PlugdLayerState::Fresh
    };
    wire::PlugdLayer {
        kind: wire::PlugdLayerKind::CatalogClone,
        state,
        checked_at: seconds(curated.finished_at),
        stale: not_fetched,
        // A failure of the time before it was switched off explains nothing any more.
        message: off.or(failure),
    }
}

fn installed_copy(refresh: &TaskReport, stale: &[PluginId]) -> wire::PlugdLayer {
    wire::PlugdLayer {
        kind: wire::PlugdLayerKind::InstalledCopy,
        state: match (refresh.finished_at, stale) {
            (None, _) => wire::PlugdLayerState::Unknown,
            (Some(_), []) => wire::PlugdLayerState::Fresh,
            (Some(_), _) => wire::PlugdLayerState::Stale,
        },
        checked_at: seconds(refresh.finished_at),
        stale: stale.iter().map(ToString::to_string).collect(),
        message: None,
    }
}

fn seconds(at: Option<u64>) -> Option<i64> {
    at.and_then(|at| i64::try_from(at).ok())
}

fn task(kind: wire::PlugdTaskKind, state: TaskState, report: TaskReport) -> wire::PlugdTask {
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
    wire::PlugdTask {
        kind,
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
        copy: _,
    } = result;
    wire::PlugdPluginOutcome {
        plugin_id: id.to_string(),
        outcome: match outcome {
            PluginOutcome::Installed => wire::PluginOutcomeKind::Installed,
            PluginOutcome::Updated => wire::PluginOutcomeKind::Updated,
            PluginOutcome::Removed => wire::PluginOutcomeKind::Removed,
            PluginOutcome::Unchanged => wire::PluginOutcomeKind::Unchanged,
            PluginOutcome::HeldBack => wire::PluginOutcomeKind::HeldBack,
            PluginOutcome::Failed => wire::PluginOutcomeKind::Failed,
        },
        from,
        to,
        problem: problem.map(shared::problem),
    }
}

#[cfg(test)]
mod tests {
    use plugd_model::{AbsPath, Problem, ProblemKind};
    use plugd_plugins::{Status, TaskReport, TaskState};
    use pretty_assertions::assert_eq;
    use serde_json::{Value, json};

    use super::{catalog_clone, response};

    fn looked(at: Option<u64>, failure: Option<&str>) -> TaskReport {
        TaskReport {
            started_at: at,
            finished_at: at,
            plugins: Vec::new(),
            problem: failure.map(|text| Problem::error(ProblemKind::Unavailable, text)),
        }
    }

    #[track_caller]
    fn check(report: &TaskReport, off: Option<&str>, missing: &[&str], expected: Value) {
        let missing = missing.iter().map(|&name| name.to_owned()).collect();
        let layer = catalog_clone(report, off.map(str::to_owned), missing);
        let layer = serde_json::to_value(layer).unwrap();
        let found = ["state", "checkedAt", "stale", "message"].map(|name| layer[name].clone());
        assert_eq!(Value::from(found.to_vec()), expected);
    }

    #[test]
    fn the_layer_of_checkouts() {
        let (never, good) = (looked(None, None), looked(Some(7), None));
        let bad = looked(Some(7), Some("no network"));
        check(&never, None, &[], json!(["unknown", null, [], null]));
        check(&good, None, &[], json!(["fresh", 7, [], null]));
        check(&bad, None, &[], json!(["unknown", 7, [], "no network"]));
        check(&bad, Some("off"), &[], json!(["off", 7, [], "off"]));
        check(&good, None, &["m"], json!(["stale", 7, ["m"], null]));
        check(
            &never,
            Some("off"),
            &["m"],
            json!(["stale", null, ["m"], "off"]),
        );
    }

    #[test]
    fn both_kinds_of_work_are_told() {
        let status = Status {
            home: AbsPath::new("/ch").unwrap(),
            refresh_state: TaskState::Idle,
            refresh: looked(Some(1), None),
            stale: Vec::new(),
            curated_state: TaskState::Running,
            curated: looked(Some(2), Some("no network")),
            curated_off: None,
            remote_state: TaskState::Idle,
            remote: looked(Some(3), None),
            remote_off: None,
            not_fetched: Vec::new(),
            problems: Vec::new(),
        };
        let told = serde_json::to_value(response(status)).unwrap();
        let task = |index: usize| {
            let task = &told["tasks"][index];
            let names = ["kind", "state", "finishedAt", "outcome", "message"];
            Value::from(names.map(|name| task[name].clone()).to_vec())
        };
        assert_eq!(task(0), json!(["refresh", "idle", 1, "ok", null]));
        let expected = json!(["curatedSync", "running", 2, "failed", "no network"]);
        assert_eq!(task(1), expected);
        assert_eq!(task(2), json!(["remoteSync", "idle", 3, "ok", null]));
        let kinds: Vec<_> = told["layers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|layer| &layer["kind"])
            .collect();
        assert_eq!(kinds, ["remote", "catalogClone", "installedCopy"]);
    }
}
