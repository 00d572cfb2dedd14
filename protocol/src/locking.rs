//! `plugd/lock` and `plugd/sync`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AbsolutePathBuf, Problem};

/// Params of `plugd/lock`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdLockParams {
    /// The directory whose project is meant. The nearest `.agents/plugins/plugins.lock` up to the
    /// project's root is its lock; without any, one is made at the root.
    pub cwd: AbsolutePathBuf,
    /// Another file to write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<AbsolutePathBuf>,
    /// The plugins whose blocks change, as `name@marketplace`; the others stay as they are. Without
    /// them the lock becomes everything that is installed and switched on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin_ids: Option<Vec<String>>,
    /// Only tell what would change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
}

/// Result of `plugd/lock`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdLockResponse {
    /// The lock.
    pub path: AbsolutePathBuf,
    /// Whether nothing was written because that was asked for.
    pub dry_run: bool,
    /// Every block of the lock, and those that have gone from it: marketplaces, then plugins, each
    /// sorted by name.
    pub changes: Vec<PlugdLockChange>,
    /// What is installed and not in the lock, with the reason, and what holds on this machine only.
    pub problems: Vec<Problem>,
}

/// A block of a lock: of a marketplace or of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdLockChange {
    /// `name@marketplace`, when it is that of a plugin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin_id: Option<String>,
    /// The name, when it is that of a marketplace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marketplace_name: Option<String>,
    /// What it said: the version of a plugin, the address of a marketplace. Null when it is new.
    pub from: Option<String>,
    /// What it says; null when it has gone.
    pub to: Option<String>,
    /// Whether it is another one than before.
    pub changed: bool,
    /// Why.
    pub reason: PlugdLockReason,
}

/// Why a block of a lock is as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlugdLockReason {
    /// It is new.
    Added,
    /// It names another version.
    Moved,
    /// The version is the same, and source or content are not.
    Replaced,
    /// Nothing of that is installed or switched on.
    Removed,
    /// It says what it said.
    Unchanged,
}

/// Params of `plugd/sync`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdSyncParams {
    /// The directory whose project is meant, as in `plugd/lock`.
    pub cwd: AbsolutePathBuf,
    /// Another file to follow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<AbsolutePathBuf>,
    /// Change nothing, and fail when something would have to change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frozen: Option<bool>,
    /// Ask no other machine; what would have to be fetched is named by the error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offline: Option<bool>,
    /// Follow this lock also where another lock or the user has pinned something else, or a plugin is
    /// installed from another marketplace of the same name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switch: Option<bool>,
    /// Only tell what would change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
}

/// Result of `plugd/sync`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdSyncResponse {
    /// The lock.
    pub path: AbsolutePathBuf,
    /// Whether nothing was done because that was asked for.
    pub dry_run: bool,
    /// Every marketplace and every plugin of the lock, each sorted by name.
    pub changes: Vec<PlugdSyncChange>,
    /// What is not as it should be and did no harm.
    pub problems: Vec<Problem>,
}

/// What happened to a marketplace or a plugin of a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdSyncChange {
    /// `name@marketplace`, when it is a plugin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin_id: Option<String>,
    /// The name, when it is a marketplace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marketplace_name: Option<String>,
    /// What was there: the version of a plugin, the address of a marketplace; null when nothing was.
    pub from: Option<String>,
    /// What the lock names.
    pub to: String,
    /// Whether something had to happen.
    pub changed: bool,
    /// What.
    pub reason: PlugdSyncReason,
}

/// What had to happen so that a home matches a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlugdSyncReason {
    /// Nothing.
    Unchanged,
    /// The marketplace was added.
    Added,
    /// The plugin was installed.
    Installed,
    /// Another version took its place.
    Moved,
    /// The version was the same, and source or content were not.
    Replaced,
    /// It is held where it is from now on.
    Pinned,
    /// It was switched on.
    SwitchedOn,
}
