//! Params of the notifications.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AbsolutePathBuf, PlugdTaskKind, Problem, ProgressToken, RequestId};

/// Params of `configWarning`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigWarningNotification {
    /// What is wrong, in one line.
    pub summary: String,
    /// More about it.
    pub details: Option<String>,
    /// The file; omitted when it is no file's fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<AbsolutePathBuf>,
    /// The place in the file; omitted when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<TextRange>,
}

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TextRange {
    /// Where it begins.
    pub start: TextPosition,
    /// Where it ends.
    pub end: TextPosition,
}

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TextPosition {
    /// The line, counted from 1.
    pub line: u32,
    /// The column in characters, counted from 1.
    pub column: u32,
}

/// Params of `plugd/changed`. A client that reads anew what is named here is up to date; several
/// changes may be told as one, and one may be told twice. When nothing is named, anything may have
/// changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PlugdChangedParams")]
pub struct ChangedParams {
    /// Grows with every notification of the process.
    pub id: u64,
    /// What caused it.
    pub reason: ChangeReason,
    /// Names of the marketplaces that changed.
    pub marketplaces: Vec<String>,
    /// Ids of the plugins that changed, as `name@marketplace`.
    pub plugins: Vec<String>,
    /// Key paths of the configuration that changed.
    pub config_keys: Vec<String>,
    /// Of `marketplaces` those whose history was replaced: what they offer now does not descend from
    /// what they offered before.
    pub rewritten_marketplaces: Vec<String>,
}

/// What caused a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PlugdChangeReason")]
pub enum ChangeReason {
    /// A request of this connection.
    Request,
    /// The background refresh.
    Refresh,
    /// The synchronisation with a remote marketplace.
    Sync,
    /// Another program changed files.
    Watcher,
}

/// Params of `plugd/task`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PlugdTaskParams")]
pub struct TaskParams {
    /// The same in all notifications about one run.
    pub id: u64,
    /// Which kind of work.
    pub kind: PlugdTaskKind,
    /// How far it is.
    pub state: TaskEventState,
    /// A text for people.
    pub message: Option<String>,
    /// Why it failed.
    pub problem: Option<Problem>,
}

/// How far background work is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PlugdTaskEventState")]
pub enum TaskEventState {
    /// It began.
    Started,
    /// It reached its end.
    Done,
    /// It did not reach its end.
    Failed,
}

/// Params of `$/progress`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProgressParams {
    /// The `workDoneToken` of the request.
    pub token: ProgressToken,
    /// How far it is.
    pub value: WorkDoneProgress,
}

/// How far a request is, in the way of language servers. `stage`, `done` and `total` are ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    tag = "kind",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum WorkDoneProgress {
    /// The first one.
    Begin {
        /// What is being done.
        title: String,
        /// Whether the request can be cancelled.
        cancellable: bool,
    },
    /// Any number in between.
    Report {
        /// The step that is being done, as one stable word.
        stage: String,
        /// A text for people; omitted when there is nothing to say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// How much of the step is done.
        done: u64,
        /// How much there is to do; null when unknown.
        total: Option<u64>,
        /// `done` of `total` in percent; omitted when unknown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        percentage: Option<u32>,
    },
    /// The last one.
    End {
        /// A text for people; omitted when there is nothing to say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
    },
}

/// Params of `notifications/progress`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProgressNotificationParams {
    /// The `_meta.progressToken` of the request.
    pub progress_token: ProgressToken,
    /// How much is done; it never goes down.
    pub progress: u64,
    /// How much there is to do; omitted when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// The step that is being done; omitted when there is nothing to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Params of `$/cancelRequest`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CancelByIdParams {
    /// The id of the request.
    pub id: RequestId,
}

/// Params of `$/cancel_request` and `notifications/cancelled`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CancelByRequestIdParams {
    /// The id of the request.
    pub request_id: RequestId,
    /// Why; only for the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Params of `$/setTrace`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SetTraceParams {
    /// `off`, `messages` or `verbose`.
    pub value: String,
}
