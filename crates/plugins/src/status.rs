//! `plugd/status`: how the background work of late went, also after a restart.
//!
//! The last report is kept in a file of the state directory. It is written when a run says something
//! else than the one before, not after every run, so listing does not wear the disk.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use std::time::Duration;

use plugd_config::{MarketplaceKind, Snapshot};
use plugd_disk::{Disk, DiskError};
use plugd_model::{AbsPath, Layout, Place, PluginId, Problem, ProblemKind, Severity, error_chain};
use serde_json::{Map, Value, json};

use crate::differing::CopyMark;
use crate::{Blocking, Copies, CuratedSync, Error, Lookup, Refresher, RemoteSync};

/// The newest format that this program reads and writes.
const FORMAT: u64 = 1;
/// More than any report needs; a larger file is not one of ours.
const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// How long to wait for another process that writes its report.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whether background work is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskState {
    /// Nothing is going on.
    Idle,
    /// It is.
    Running,
}

/// What became of one plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PluginOutcome {
    /// It was missing and has been brought.
    Installed,
    /// It was replaced by what its source has.
    Updated,
    /// Its source does not have it any more, and it was removed.
    Removed,
    /// It is what its source has.
    Unchanged,
    /// Its source has something else, and something keeps the copy where it is.
    HeldBack,
    /// It could not be brought.
    Failed,
}

impl PluginOutcome {
    /// Whether another copy is there than before.
    #[must_use]
    pub fn is_new_copy(self) -> bool {
        matches!(self, Self::Installed | Self::Updated)
    }

    /// Whether the store has changed.
    #[must_use]
    pub fn is_change(self) -> bool {
        self.is_new_copy() || self == Self::Removed
    }
}

/// Whether a problem keeps a copy where it is, and is no failure.
pub(crate) fn is_held(kind: ProblemKind) -> bool {
    matches!(
        kind,
        ProblemKind::HeldBack | ProblemKind::ApprovalNeeded | ProblemKind::CommitTooYoung
    )
}

/// The result of a run for one plugin.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginResult {
    /// The plugin.
    pub id: PluginId,
    /// What became of it.
    pub outcome: PluginOutcome,
    /// The version before, when there was one.
    pub from: Option<String>,
    /// The version after, or the one that is held back.
    pub to: Option<String>,
    /// Why it was held back or failed.
    pub problem: Option<Problem>,
    /// The copy that was compared with its source; absent where nothing is recorded of it.
    pub copy: Option<Box<CopyMark>>,
}

impl PluginResult {
    /// One of a plugin that stays as it is because something went wrong.
    pub(crate) fn failed(id: PluginId, from: Option<String>, problem: Problem) -> Self {
        Self {
            id,
            outcome: PluginOutcome::Failed,
            from,
            to: None,
            problem: Some(problem),
            copy: None,
        }
    }
}

/// The last run of one kind of background work.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TaskReport {
    /// When it began, in seconds since the epoch.
    pub started_at: Option<u64>,
    /// When it ended.
    pub finished_at: Option<u64>,
    /// What it came to; empty before the first run.
    pub plugins: Vec<PluginResult>,
    /// Why the run as a whole failed.
    pub problem: Option<Problem>,
}

/// Kinds of background work that leave a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reported {
    Refresh,
    CuratedSync,
    RemoteSync,
}

impl Reported {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Refresh, Self::CuratedSync, Self::RemoteSync];

    /// Its member of the file.
    fn key(self) -> &'static str {
        match self {
            Self::Refresh => "refresh",
            Self::CuratedSync => "curatedSync",
            Self::RemoteSync => "remoteSync",
        }
    }
}

/// The answer.
#[derive(Debug, Clone)]
pub struct Status {
    /// The home directory.
    pub home: AbsPath,
    /// Whether a refresh is running.
    pub refresh_state: TaskState,
    /// The last refresh.
    pub refresh: TaskReport,
    /// Installed plugins whose source has something else.
    pub stale: Vec<PluginId>,
    /// Whether the curated snapshot is being synchronised.
    pub curated_state: TaskState,
    /// The last synchronisation.
    pub curated: TaskReport,
    /// Why the curated snapshot is not synchronised, when something keeps it from that.
    pub curated_off: Option<String>,
    /// Whether the copies are being brought to what the account has.
    pub remote_state: TaskState,
    /// The last time that they were.
    pub remote: TaskReport,
    /// Why they do not follow an account, when something keeps them from that.
    pub remote_off: Option<String>,
    /// Configured git marketplaces without a checkout that can be used.
    pub not_fetched: Vec<String>,
    /// What is wrong with configuration and store as a whole.
    pub problems: Vec<Problem>,
}

impl TaskReport {
    /// The plugins of which something was told.
    pub(crate) fn with_problems(&self) -> BTreeSet<PluginId> {
        let told = self.plugins.iter().filter(|one| one.problem.is_some());
        told.map(|one| one.id.clone()).collect()
    }

    /// Whether the run ended without any failure; absent before the first run.
    #[must_use]
    pub fn succeeded(&self) -> Option<bool> {
        self.finished_at?;
        let failed = |result: &PluginResult| result.outcome == PluginOutcome::Failed;
        Some(self.problem.is_none() && !self.plugins.iter().any(failed))
    }

    /// Why the run failed, as a whole or for one plugin.
    pub(crate) fn failure(&self) -> Option<Problem> {
        self.problem.clone().or_else(|| {
            let failed = |result: &&PluginResult| result.outcome == PluginOutcome::Failed;
            self.plugins.iter().find(failed)?.problem.clone()
        })
    }

    /// Whether it says the same as another one, times aside.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        self.plugins == other.plugins && self.problem == other.problem
    }
}

/// Tells how background work went and what is stale.
///
/// # Errors
/// Only a bug ends here; what cannot be read is among the problems.
pub async fn status(
    blocking: &Blocking,
    lookup: &Lookup,
    copies: &Copies,
    refresher: &Refresher,
    curated: &CuratedSync,
    remote_sync: &RemoteSync,
) -> Result<Status, Error> {
    let (lookup, copies) = (lookup.clone(), copies.clone());
    let (refresher, curated) = (refresher.clone(), curated.clone());
    let remote_sync = remote_sync.clone();
    blocking
        .read(move || {
            let (refresh_state, refresh) = refresher.report();
            let (curated_state, curated_report) = curated.report();
            let (remote_state, remote) = remote_sync.report();
            let config = lookup.config(None);
            let mut problems = config.problems().to_vec();
            match copies.store() {
                Ok(_) => problems.extend(copies.recovery_problems()),
                Err(error) => {
                    problems.push(Problem::error(ProblemKind::Unreadable, error_chain(&error)));
                }
            }
            // What was installed or removed since is for the next run to tell.
            let is_configured =
                |id: &PluginId| config.plugins().iter().any(|setting| setting.id == *id);
            let stale = |result: &&PluginResult| {
                if !result.is_stale() {
                    return false;
                }
                let store = copies.store().ok();
                match store.and_then(|store| store.get(&result.id).ok()) {
                    Some(Some(copy)) => result.speaks_of(Some(&copy)),
                    Some(None) => result.speaks_of(None) && is_configured(&result.id),
                    // Nobody can tell, so what is known stands.
                    None => true,
                }
            };
            Ok(Status {
                home: lookup.layout().home().clone(),
                refresh_state,
                stale: refresh
                    .plugins
                    .iter()
                    .filter(stale)
                    .map(|result| result.id.clone())
                    .collect(),
                refresh,
                curated_state,
                curated: curated_report,
                curated_off: curated.off(&config),
                remote_state,
                remote,
                remote_off: remote_sync.off(&config),
                not_fetched: not_fetched(&lookup, &config),
                problems,
            })
        })
        .await
}

/// The configured marketplaces from other machines of which there is nothing to read.
fn not_fetched(lookup: &Lookup, config: &Snapshot) -> Vec<String> {
    let rows = config.marketplaces().iter();
    let unusable = |root: AbsPath| lookup.loader().find_marketplace(&root).found.is_none();
    rows.filter(|row| !matches!(row.kind, MarketplaceKind::Local { .. }))
        .filter(|row| row.kind.root(&row.key, lookup.layout()).is_ok_and(unusable))
        .map(|row| row.key.clone())
        .collect()
}

/// Reads the report of an earlier process. A file that cannot be read is as good as none: it holds
/// nothing that the next run does not find out again.
pub(crate) fn load(disk: &Disk, file: &AbsPath, task: Reported) -> TaskReport {
    let parsed = disk
        .read(file, MAX_BYTES)
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    parsed
        .filter(|value| value["version"] == json!(FORMAT))
        .map(|value| report_of(&value["tasks"][task.key()]))
        .unwrap_or_default()
}

/// Writes the report, keeping members of the file that this program does not know. A file of a newer
/// format is left alone.
pub(crate) fn save(
    disk: &Disk,
    layout: &Layout,
    task: Reported,
    report: &TaskReport,
) -> Result<(), DiskError> {
    let file = &layout.status();
    // Two kinds of work may end at the same time, in one process or in two.
    let _lock = disk.lock(&layout.lock("store"), PATIENCE)?;
    let old = disk
        .read(file, MAX_BYTES)
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Map<String, Value>>(&bytes).ok());
    let mut root = old.unwrap_or_default();
    let format = root.get("version").and_then(Value::as_u64);
    if format.is_some_and(|found| found > FORMAT) {
        return Ok(());
    }
    root.insert("version".to_owned(), json!(FORMAT));
    let mut tasks = match root.remove("tasks") {
        Some(Value::Object(tasks)) => tasks,
        _ => Map::new(),
    };
    tasks.insert(task.key().to_owned(), json_of(report));
    root.insert("tasks".to_owned(), Value::Object(tasks));
    let mut text = Value::Object(root).to_string();
    text.push('\n');
    disk.replace(file, text.as_bytes(), 0o600)
}

fn json_of(report: &TaskReport) -> Value {
    let plugins: Vec<Value> = report
        .plugins
        .iter()
        .map(|result| {
            json!({
                "pluginId": result.id.to_string(),
                "outcome": word(result.outcome),
                "from": result.from,
                "to": result.to,
                "copy": result.copy.as_deref().copied().map(CopyMark::to_json),
                "problem": result.problem.as_ref().map(json_of_problem),
            })
        })
        .collect();
    json!({
        "startedAt": report.started_at,
        "finishedAt": report.finished_at,
        "plugins": plugins,
        "problem": report.problem.as_ref().map(json_of_problem),
    })
}

fn report_of(value: &Value) -> TaskReport {
    let rows = value["plugins"].as_array();
    TaskReport {
        started_at: value["startedAt"].as_u64(),
        finished_at: value["finishedAt"].as_u64(),
        plugins: rows.into_iter().flatten().filter_map(result_of).collect(),
        problem: problem_of(&value["problem"]),
    }
}

fn result_of(value: &Value) -> Option<PluginResult> {
    let text = |key: &str| value[key].as_str().map(str::to_owned);
    Some(PluginResult {
        id: PluginId::parse(value["pluginId"].as_str()?).ok()?,
        outcome: outcome_of(value["outcome"].as_str()?)?,
        from: text("from"),
        to: text("to"),
        problem: problem_of(&value["problem"]),
        copy: CopyMark::of_json(&value["copy"]).map(Box::new),
    })
}

fn json_of_problem(problem: &Problem) -> Value {
    json!({
        "kind": problem.kind.word(),
        "severity": match problem.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        "message": problem.message,
        "path": problem.path.as_ref().map(AbsPath::to_text),
        "field": problem.field,
        "line": problem.place.map(|place| place.line),
        "column": problem.place.map(|place| place.column),
    })
}

fn problem_of(value: &Value) -> Option<Problem> {
    let word = value["kind"].as_str()?;
    let kind = *ProblemKind::ALL.iter().find(|kind| kind.word() == word)?;
    let number = |key: &str| {
        value[key]
            .as_u64()
            .and_then(|number| u32::try_from(number).ok())
    };
    let message = value["message"].as_str()?;
    let problem = match value["severity"].as_str() {
        Some("warning") => Problem::warning(kind, message),
        _ => Problem::error(kind, message),
    };
    Some(Problem {
        path: value["path"]
            .as_str()
            .and_then(|path| AbsPath::new(path).ok()),
        field: value["field"].as_str().map(str::to_owned),
        place: number("line")
            .zip(number("column"))
            .map(|(line, column)| Place { line, column }),
        ..problem
    })
}

const WORDS: [(PluginOutcome, &str); 6] = [
    (PluginOutcome::Installed, "installed"),
    (PluginOutcome::Updated, "updated"),
    (PluginOutcome::Removed, "removed"),
    (PluginOutcome::Unchanged, "unchanged"),
    (PluginOutcome::HeldBack, "heldBack"),
    (PluginOutcome::Failed, "failed"),
];

fn word(outcome: PluginOutcome) -> &'static str {
    let row = WORDS.iter().find(|(one, _)| *one == outcome);
    row.map_or("failed", |(_, word)| word)
}

fn outcome_of(word: &str) -> Option<PluginOutcome> {
    let row = WORDS.iter().find(|(_, one)| *one == word);
    row.map(|(outcome, _)| *outcome)
}

/// One result for each plugin over several passes of one run: the most telling outcome, from what
/// was there first to what is there at last.
pub(crate) fn merge(results: impl IntoIterator<Item = PluginResult>) -> Vec<PluginResult> {
    let mut by_id: BTreeMap<PluginId, PluginResult> = BTreeMap::new();
    for result in results {
        match by_id.entry(result.id.clone()) {
            Entry::Vacant(place) => {
                place.insert(result);
            }
            Entry::Occupied(mut place) => {
                let earlier = place.get_mut();
                if weight(result.outcome) > weight(earlier.outcome) {
                    let from = earlier.from.take();
                    *earlier = PluginResult { from, ..result };
                } else if result.to.is_some() {
                    earlier.to = result.to;
                }
            }
        }
    }
    by_id.into_values().collect()
}

fn weight(outcome: PluginOutcome) -> u8 {
    match outcome {
        PluginOutcome::Unchanged => 0,
        PluginOutcome::Updated => 1,
        PluginOutcome::Installed | PluginOutcome::Removed => 2,
        PluginOutcome::HeldBack => 3,
        PluginOutcome::Failed => 4,
    }
}
