//! Params and results of `plugin/share/*`: how this account offers its own plugins to others, and
//! takes a working copy of one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    AbsolutePathBuf, PluginShareDiscoverability, PluginSharePrincipal, PluginSharePrincipalType,
    PluginSummary, Problem,
};

/// Params of `plugin/share/save`: a new share, or a new version of one that this account made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginShareSaveParams {
    /// The directory of the plugin. Everything in it is sent, except what the answer names in
    /// `leftOut`.
    pub plugin_path: AbsolutePathBuf,
    /// The share to bring a new version to. Absent makes a new one. Who can see an existing share
    /// is changed by `plugin/share/updateTargets` alone, so the two members below must then be
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_plugin_id: Option<String>,
    /// Who can find the new share: `UNLISTED` or `PRIVATE`. Absent leaves it to the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discoverability: Option<PluginShareDiscoverability>,
    /// Who may use or change the new share: people and groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_targets: Option<Vec<PluginShareTarget>>,
}

/// Result of `plugin/share/save`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginShareSaveResponse {
    /// The id that the remote catalog knows the share by.
    pub remote_plugin_id: String,
    /// A link to it; empty when the service gives none.
    pub share_url: String,
    /// Whether this account may offer it to the whole workspace.
    pub can_publish_to_workspace: Option<bool>,
    /// What was not sent, in the order of the paths. Not in the reference, which sends everything.
    pub left_out: Vec<PluginShareLeftOut>,
    /// What went wrong beside the share itself, which stands. Not in the reference.
    pub problems: Vec<Problem>,
}

/// A file or directory that stays on this machine when its plugin is shared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginShareLeftOut {
    /// Its path below the plugin's directory, with `/` between the names. A directory stands for
    /// all that is in it.
    pub path: String,
    /// Why it stays.
    pub reason: PluginShareLeftOutReason,
}

/// Why something is not shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PluginShareLeftOutReason {
    /// The data of a version control system.
    VersionControl,
    /// What the file manager of a system left behind.
    SystemFile,
    /// What an editor or a merge left behind.
    EditorFile,
    /// Its name says that it holds a password, a key or a token.
    Secret,
    /// A link to something that is left out itself.
    LinkToLeftOut,
    /// A link that leads out of the plugin.
    LinkOutside,
    /// A link to nothing, or to a directory that it stands in.
    BrokenLink,
    /// A name that not every system can hold.
    BadName,
}

/// Somebody who is to be given something with a share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginShareTarget {
    /// What kind of somebody. The whole workspace is reached by `discoverability` instead.
    pub principal_type: PluginSharePrincipalType,
    /// The id.
    pub principal_id: String,
    /// What the principal may do.
    pub role: PluginShareTargetRole,
}

/// What can be given to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PluginShareTargetRole {
    /// To install it.
    Reader,
    /// To change it too.
    Editor,
}

/// Params of `plugin/share/updateTargets`: who can see a share from now on, and no one else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginShareUpdateTargetsParams {
    /// The share.
    pub remote_plugin_id: String,
    /// Who can find it.
    pub discoverability: PluginShareDiscoverability,
    /// Who may use or change it: people and groups. Whoever is not named loses it.
    pub share_targets: Vec<PluginShareTarget>,
}

/// Result of `plugin/share/updateTargets`: what the service made of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginShareUpdateTargetsResponse {
    /// Who may do what now.
    pub principals: Vec<PluginSharePrincipal>,
    /// Who can find it now.
    pub discoverability: PluginShareDiscoverability,
}

/// Params of `plugin/share/list`: nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PluginShareListParams {}

/// Result of `plugin/share/list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginShareListResponse {
    /// What this account shares, in the order of the service.
    pub data: Vec<PluginShareListItem>,
    /// What could not be read and is therefore missing or incomplete in `data`. Not in the
    /// reference, where one bad item spoils the whole list.
    pub problems: Vec<Problem>,
}

/// A plugin that this account shares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginShareListItem {
    /// The row that a listing shows.
    pub plugin: PluginSummary,
    /// The directory on this machine that it was shared from or checked out to; null when it is
    /// not known here.
    pub local_plugin_path: Option<AbsolutePathBuf>,
}

/// Params of `plugin/share/checkout`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginShareCheckoutParams {
    /// The share to make a working copy of. It must be shared with this account, not published to
    /// everybody.
    pub remote_plugin_id: String,
}

/// Result of `plugin/share/checkout`. The working copy is on disk when this is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginShareCheckoutResponse {
    /// The share.
    pub remote_plugin_id: String,
    /// `name@marketplace` of the working copy.
    pub plugin_id: String,
    /// Its name.
    pub plugin_name: String,
    /// Its directory.
    pub plugin_path: AbsolutePathBuf,
    /// The marketplace of the home directory that it was put into.
    pub marketplace_name: String,
    /// The file of that marketplace.
    pub marketplace_path: AbsolutePathBuf,
    /// The version that the service offers. An older working copy is left as it is.
    pub remote_version: Option<String>,
    /// Whether the working copy is new; false when there was one, which is then untouched. Not in
    /// the reference.
    pub changed: bool,
    /// What went wrong beside the working copy itself, which stands. Not in the reference.
    pub problems: Vec<Problem>,
}

/// Params of `plugin/share/delete`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginShareDeleteParams {
    /// The share to withdraw. Its directory on this machine stays.
    pub remote_plugin_id: String,
}

/// Result of `plugin/share/delete`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginShareDeleteResponse {
    /// What went wrong beside the share itself, which is gone. Not in the reference.
    pub problems: Vec<Problem>,
}
