//! Params and results of the plugin methods.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    AbsolutePathBuf, AppSummary, PlugdLinked, PluginAuthPolicy, PluginDetail, PluginSource,
    PluginSummary, Problem, Severity,
};

/// Params of `plugin/list`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginListParams {
    /// Directories whose repositories may hold marketplaces. Without them there are those of the
    /// home directory, of the configuration and the curated one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwds: Option<Vec<AbsolutePathBuf>>,
    /// Which kinds of marketplaces to answer. Absent means the local ones and the default remote
    /// catalog; an empty list means none. Naming one that needs a login is refused without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marketplace_kinds: Option<Vec<PluginListMarketplaceKind>>,
    /// Whether to fetch the remote catalog anew before answering, however fresh what is remembered
    /// of it is, as newer clients ask for it. When that fails, what is remembered is answered with a
    /// row in `marketplaceLoadErrors`. It also asks for a look at the curated repository in the
    /// background, however short the last is ago.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub force_refetch: Option<bool>,
    /// Whether to bring the curated plugins to the state of the account before answering, as older
    /// clients ask for it: what is installed, enabled, disabled and removed there is so here too.
    /// When that fails, `remoteSyncError` says why and nothing is lost. It also does what
    /// `forceRefetch` does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub force_remote_sync: Option<bool>,
}

/// The kinds of marketplaces that a listing can be narrowed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PluginListMarketplaceKind {
    /// Those of this machine.
    Local,
    /// The public collection of the remote catalog that is shown where the default one is off.
    Vertical,
    /// What the workspace offers its members.
    WorkspaceDirectory,
    /// What others shared with this account.
    SharedWithMe,
    /// What this account made.
    CreatedByMeRemote,
}

/// Result of `plugin/list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginListResponse {
    /// The marketplaces with their plugins.
    pub marketplaces: Vec<PluginMarketplaceEntry>,
    /// What could not be read, hidden or used, and why. Nothing is left out without a row here.
    pub marketplace_load_errors: Vec<MarketplaceLoadErrorInfo>,
    /// Plugins that the remote catalog recommends, whether they are listed or not.
    pub featured_plugin_ids: Vec<String>,
    /// Why `forceRemoteSync` failed; the rest of the answer is then what was known before. Null when
    /// it was not asked for. Older clients read it.
    pub remote_sync_error: Option<String>,
}

/// A marketplace with its plugins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginMarketplaceEntry {
    /// Its name, the second half of its plugins' ids.
    pub name: String,
    /// Its file; null for a remote one, and for one that is gone while its plugins are installed.
    pub path: Option<AbsolutePathBuf>,
    /// How it wants to be shown.
    pub interface: Option<MarketplaceInterface>,
    /// Its plugins, in its own order.
    pub plugins: Vec<PluginSummary>,
}

/// How a marketplace wants to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MarketplaceInterface {
    /// The name for people.
    pub display_name: Option<String>,
}

/// Something about a marketplace that could not be read or used: a problem, with the members
/// `marketplacePath` and `message` that clients of the reference know. The others are ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MarketplaceLoadErrorInfo {
    /// The file of the marketplace; without one the configuration file or the directory of the
    /// request that named it.
    pub marketplace_path: AbsolutePathBuf,
    /// A text for people.
    pub message: String,
    /// A stable word to tell problems apart by. New words may come; treat an unknown one by its
    /// severity.
    pub kind: String,
    /// How bad it is.
    pub severity: Severity,
    /// The file or directory it was found in; omitted when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<AbsolutePathBuf>,
    /// The member it speaks of, such as `plugins[3].policy`; omitted when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The line, counted from 1; omitted when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The column in characters, counted from 1; omitted when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
}

impl MarketplaceLoadErrorInfo {
    /// The row for a problem of a marketplace.
    #[must_use]
    pub fn new(marketplace_path: AbsolutePathBuf, problem: Problem) -> Self {
        let Problem {
            kind,
            severity,
            message,
            path,
            field,
            line,
            column,
        } = problem;
        Self {
            marketplace_path,
            message,
            kind,
            severity,
            path,
            field,
            line,
            column,
        }
    }
}

/// Params of `plugin/installed`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginInstalledParams {
    /// Directories whose repositories may hold marketplaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwds: Option<Vec<AbsolutePathBuf>>,
    /// Names of plugins to answer too when they are offered and not installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install_suggestion_plugin_names: Option<Vec<String>>,
}

/// Result of `plugin/installed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginInstalledResponse {
    /// The marketplaces with what is installed from them, without those that have nothing. Plugins
    /// whose marketplace or entry is gone come last.
    pub marketplaces: Vec<PluginMarketplaceEntry>,
    /// As in `plugin/list`.
    pub marketplace_load_errors: Vec<MarketplaceLoadErrorInfo>,
}

/// Params of `plugin/search`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginSearchParams {
    /// What to look for. Case and punctuation do not count; a blank term finds nothing.
    pub search_term: String,
    /// Which part of the world to search; absent means all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<PluginSearchScope>,
    /// Directories whose repositories may hold marketplaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cwds: Option<Vec<AbsolutePathBuf>>,
    /// The `nextCursor` of the answer before this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// At most so many results. 0 counts as 1, and more than 1,000 as 1,000. When absent, 100 from
    /// this machine and as many from the remote catalog as it likes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Which part of the world to search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PluginSearchScope {
    /// The curated marketplaces.
    Global,
    /// What the workspace offers its members.
    Workspace,
    /// All other marketplaces.
    Personal,
}

/// Result of `plugin/search`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginSearchResponse {
    /// What was found, the best first.
    pub data: Vec<PluginSearchResult>,
    /// What to send as `cursor` for more; null when this was all.
    pub next_cursor: Option<String>,
    /// As in `plugin/list`: what could not be searched. Not in the reference.
    pub marketplace_load_errors: Vec<MarketplaceLoadErrorInfo>,
}

/// A plugin that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginSearchResult {
    /// The row that a listing shows.
    pub plugin: PluginSummary,
    /// The marketplace it is offered by.
    pub marketplace_name: String,
    /// The file of that marketplace; null for a remote one.
    pub marketplace_path: Option<AbsolutePathBuf>,
}

/// Params of `plugin/read`: a plugin's name and exactly one of the two marketplaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginReadParams {
    /// The file of a local marketplace, as a listing shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marketplace_path: Option<AbsolutePathBuf>,
    /// The name of a remote marketplace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_marketplace_name: Option<String>,
    /// The plugin's name, or its remote id with a remote marketplace.
    pub plugin_name: String,
}

/// Result of `plugin/read`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginReadResponse {
    /// The plugin.
    pub plugin: PluginDetail,
}

/// Params of `plugin/install`: a plugin's name and exactly one of the two marketplaces.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginInstallParams {
    /// The file of a local marketplace, as a listing shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marketplace_path: Option<AbsolutePathBuf>,
    /// The name of a remote marketplace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote_marketplace_name: Option<String>,
    /// The plugin's name, or its remote id with a remote marketplace.
    pub plugin_name: String,
    /// The version to bring: what the source offers, a release of a registry, or one that is kept.
    /// What came is pinned. At most one of `version`, `ref` and `sha`; none of them for a plugin of
    /// the remote catalog. Not in the reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The branch or tag to bring, of a source that is a git repository. The commit that it means is
    /// pinned. Not in the reference.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub ref_name: Option<String>,
    /// The commit to bring and pin, of a source that is a git repository. Not in the reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha: Option<String>,
    /// An id that a client made up to recognise this attempt by. Accepted and not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install_attempt_id: Option<String>,
}

/// Result of `plugin/install`. It is on disk when this is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginInstallResponse {
    /// When its apps ask for their login.
    pub auth_policy: PluginAuthPolicy,
    /// Apps that are not connected yet.
    pub apps_needing_auth: Vec<AppSummary>,
    /// The version that is installed now. Not in the reference.
    pub installed_version: String,
    /// Whether anything on disk is different from before. Not in the reference.
    pub changed: bool,
    /// Set when the plugin was bound to another source before and is bound to this one from now
    /// on, so that updates come from here. Not in the reference.
    pub rebound: Option<PluginRebinding>,
    /// What was left out or ignored on the way. Not in the reference.
    pub problems: Vec<Problem>,
}

/// A change of the source that an installed plugin is bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginRebinding {
    /// What it was bound to.
    pub from: PluginBinding,
    /// What it is bound to now.
    pub to: PluginBinding,
}

/// The source that an installed plugin is bound to. Updates come from there and nowhere else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginBinding {
    /// The file of the marketplace, where that is a local one.
    pub marketplace_path: Option<AbsolutePathBuf>,
    /// The repository of the marketplace, where that comes from git, or its artifact or archive.
    pub marketplace_url: Option<String>,
    /// The branch or tag of that repository.
    pub marketplace_ref: Option<String>,
    /// The source that the entry named; null when it was not recorded.
    pub source: Option<PluginSource>,
}

/// Params of `plugin/uninstall`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginUninstallParams {
    /// `name@marketplace`, or the remote id of a plugin from the remote catalog.
    pub plugin_id: String,
}

/// Result of `plugin/uninstall`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginUninstallResponse {
    /// Whether there was anything to remove. Not in the reference.
    pub changed: bool,
    /// The working tree that stands in for the plugin. It stays as it is, and linked. Not in
    /// the reference.
    pub linked: Option<PlugdLinked>,
}
