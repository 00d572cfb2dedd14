//! `plugd/approve`, and what `plugd/inspect` and `plugd/components` say of trust.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AbsolutePathBuf, PlugdInspectionChange, Problem};

/// Params of `plugd/approve`: `pluginId`, or `marketplacePath` with `pluginName`. Without a plugin the
/// answer only lists.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdApproveParams {
    /// `name@marketplace` of the plugin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin_id: Option<String>,
    /// The manifest that offers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marketplace_path: Option<AbsolutePathBuf>,
    /// Its name there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plugin_name: Option<String>,
    /// The digest of the content that was shown, in full. Without it a dry run tells what would come
    /// and its digest; anything else is refused, because a yes is to what was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Whether it may come however young its commit is. What an organisation asks for stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub any_age: Option<bool>,
    /// Whether to take approvals back: that of `digest`, else all of the plugin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoke: Option<bool>,
    /// Who says yes, for the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Whether to only tell what would change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
}

/// Result of `plugd/approve`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdApproveResponse {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// What changed, or would; empty for a list.
    pub changes: Vec<PlugdApprovalChange>,
    /// Everything that is approved from now on, by plugin; in a dry run, what is.
    pub approvals: Vec<PlugdApproval>,
    /// What background work left where it is, because nobody has approved it.
    pub waiting: Vec<PlugdWaiting>,
    /// What of the record could not be understood.
    pub problems: Vec<Problem>,
}

/// A yes that is given or taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdApprovalChange {
    /// `name@marketplace`.
    pub plugin_id: String,
    /// The digest that was approved before; null when it was not.
    pub from: Option<String>,
    /// The digest that is approved from now on; null when it is not any more.
    pub to: Option<String>,
    /// Whether that changed something, or would.
    pub changed: bool,
    /// Why.
    pub reason: PlugdApprovalReason,
    /// What of the content would run that does not run now. Omitted where a digest was named, since
    /// nothing was looked at then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub would_run: Option<Vec<PlugdInspectionChange>>,
    /// The files, relative to the plugin, that declare what runs and could not be read or understood,
    /// where that was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unseen: Option<Vec<String>>,
}

/// Why an approval is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PlugdApprovalReason {
    /// It was asked for.
    Approved,
    /// It was taken back.
    Revoked,
    /// It was so before.
    Unchanged,
}

/// A yes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdApproval {
    /// `name@marketplace`.
    pub plugin_id: String,
    /// The content.
    pub digest: String,
    /// Where it has to come from: `manifest:PATH`, `git:URL`, `git:URL#REF`, `curated` or `remote`.
    pub source: String,
    /// Whether it may come however young its commit is.
    pub any_age: bool,
    /// When it was given, in seconds since the epoch.
    pub approved_at: u64,
    /// Who gave it.
    pub by: Option<String>,
}

/// What background work left where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdWaiting {
    /// `name@marketplace`.
    pub plugin_id: String,
    /// The installed version; null when there is no copy.
    pub from: Option<String>,
    /// The version that was offered, where that is known.
    pub to: Option<String>,
    /// Why it waits; its kind is `approvalNeeded` or `commitTooYoung`.
    pub problem: Problem,
}

/// Whether what is offered may come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdTrust {
    /// Whether it may come now.
    pub allowed: bool,
    /// Whether the place it comes from is trusted.
    pub trusted: bool,
    /// Whether exactly this content is approved.
    pub approved: bool,
    /// The digest to approve: that of the copy which an installation makes.
    pub digest: String,
    /// Why it may not come: `untrustedMarketplace`, `wouldRun`, `commitTooYoung` or
    /// `commitAgeUnknown`; null when it may.
    pub reason: Option<String>,
    /// What of it would run that does not run now; empty when it may come.
    pub would_run: Vec<PlugdInspectionChange>,
    /// The files, relative to the plugin, that declare what runs and could not be read or understood:
    /// nobody can say what they would run. Empty when it may come.
    #[serde(default)]
    pub unseen: Vec<String>,
    /// When its age is no reason any more, in seconds since the epoch.
    pub not_before: Option<u64>,
    /// What a person can do about it.
    pub hint: Option<String>,
}

/// What of an installed plugin a host is not given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlugdHeldBack {
    /// Why: `untrustedMarketplace` or `wouldRun`.
    pub reason: String,
    /// The digest to approve.
    pub digest: Option<String>,
    /// The names of its MCP servers that are left out.
    pub mcp_servers: Vec<String>,
    /// The keys of its hooks that are left out.
    pub hooks: Vec<String>,
    /// The ids of its apps that are left out.
    pub apps: Vec<String>,
    /// Whether its programs and scripts are not to be run. Hooks and servers of a plugin run them, so
    /// these are left out too.
    pub executables: bool,
    /// What a person can do about it.
    pub hint: String,
}
