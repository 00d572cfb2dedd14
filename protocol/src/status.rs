//! `plugd/status`: how fresh everything is, and how the background work of late went.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AbsolutePathBuf, Problem};

/// Params of `plugd/status`: none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlugdStatusParams {}

/// Result of `plugd/status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdStatusResponse {
    /// The version of the program.
    pub version: String,
    /// The home directory that everything is about.
    pub home: AbsolutePathBuf,
    /// Each layer between the catalog and the installed copies, the farthest first.
    pub layers: Vec<PlugdLayer>,
    /// Every kind of background work that this process knows, with its last run.
    pub tasks: Vec<PlugdTask>,
    /// What is wrong with the home directory and its configuration as a whole.
    pub problems: Vec<Problem>,
}

/// A layer that can be older than the one before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdLayer {
    /// Which layer.
    pub kind: PlugdLayerKind,
    /// How fresh it is.
    pub state: PlugdLayerState,
    /// When it was last compared with the layer before it, in seconds since 1970; null for never.
    pub checked_at: Option<i64>,
    /// The plugins and marketplaces of this layer that are known to be stale.
    pub stale: Vec<String>,
    /// Why the last look failed, or why the layer is off; null when there is nothing to say.
    pub message: Option<String>,
}

/// The layers, the farthest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlugdLayerKind {
    /// What is remembered of the remote catalog.
    Remote,
    /// The checkouts of marketplaces: the curated snapshot, and the configured git marketplaces.
    CatalogClone,
    /// The installed plugins.
    InstalledCopy,
}

/// How fresh a layer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlugdLayerState {
    /// At the last look it held what the layer before it holds.
    Fresh,
    /// It is known to be older than the layer before it.
    Stale,
    /// Nobody has looked, or the last look failed.
    Unknown,
    /// It is switched off, or not part of this build.
    Off,
}

/// A kind of background work with its last run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdTask {
    /// Which kind.
    pub kind: PlugdTaskKind,
    /// Whether it runs now.
    pub state: PlugdTaskState,
    /// When the last run began, in seconds since 1970; null for never.
    pub started_at: Option<i64>,
    /// When the last finished run ended, in seconds since 1970; null for never.
    pub finished_at: Option<i64>,
    /// How the last finished run went; null when there was none.
    pub outcome: Option<PlugdTaskOutcome>,
    /// A text for people about the last finished run.
    pub message: Option<String>,
    /// Why the last finished run failed.
    pub problem: Option<Problem>,
    /// What the last finished run did with each plugin.
    pub plugins: Vec<PlugdPluginOutcome>,
}

/// The kinds of background work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlugdTaskKind {
    /// Brings installed copies to what their sources hold, and repairs missing ones.
    Refresh,
    /// Brings the curated marketplace to what its repository holds.
    CuratedSync,
    /// Brings installed copies to what the account of the remote catalog has.
    RemoteSync,
    /// Cleans up what an interrupted process left.
    Recovery,
}

/// Whether background work runs now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlugdTaskState {
    /// It does not.
    Idle,
    /// It does.
    Running,
}

/// How background work went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlugdTaskOutcome {
    /// It reached its end; single plugins may have failed.
    Ok,
    /// It did not.
    Failed,
}

/// What background work did with a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdPluginOutcome {
    /// `name@marketplace`.
    pub plugin_id: String,
    /// What was done.
    pub outcome: PluginOutcomeKind,
    /// The version before; null when nothing was installed.
    pub from: Option<String>,
    /// The version after, or the one that is held back; null when there is none.
    pub to: Option<String>,
    /// Why it failed or was held back.
    pub problem: Option<Problem>,
}

/// What was done with a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PlugdPluginOutcomeKind")]
pub enum PluginOutcomeKind {
    /// It was missing and is there.
    Installed,
    /// It was different from its source and is not any more.
    Updated,
    /// It was there and is not any more, because its source does not have it.
    Removed,
    /// There was nothing to do.
    Unchanged,
    /// It is different from its source, and something keeps it where it is.
    HeldBack,
    /// It could not be done; the copy before is untouched.
    Failed,
}
