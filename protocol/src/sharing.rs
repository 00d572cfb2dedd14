//! How a plugin is shared through the remote catalog, as listings and sharing methods show it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a plugin is shared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginShareContext {
    /// The id that the remote catalog knows it by.
    pub remote_plugin_id: String,
    /// The version that is shared.
    pub remote_version: Option<String>,
    /// Who can find it.
    pub discoverability: Option<PluginShareDiscoverability>,
    /// A link to it.
    pub share_url: Option<String>,
    /// The account that shared it.
    pub creator_account_user_id: Option<String>,
    /// The person who shared it.
    pub creator_name: Option<String>,
    /// Who may read, edit or own it.
    pub share_principals: Option<Vec<PluginSharePrincipal>>,
    /// Whether this account may offer it to the whole workspace.
    pub can_publish_to_workspace: Option<bool>,
}

/// Who can find a shared plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PluginShareDiscoverability {
    /// Everybody in the workspace.
    Listed,
    /// Whoever has the link.
    Unlisted,
    /// Whoever is named.
    Private,
}

/// Somebody who may do something with a shared plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginSharePrincipal {
    /// What kind of somebody.
    pub principal_type: PluginSharePrincipalType,
    /// The id.
    pub principal_id: String,
    /// What the principal may do.
    pub role: PluginSharePrincipalRole,
    /// The name for people.
    pub name: String,
}

/// What kind of somebody a principal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PluginSharePrincipalType {
    /// One person.
    User,
    /// A group.
    Group,
    /// The whole workspace.
    Workspace,
}

/// What a principal may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PluginSharePrincipalRole {
    /// Install it.
    Reader,
    /// Change it too.
    Editor,
    /// Give it away too.
    Owner,
}
