//! One plugin in a listing.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{AbsolutePathBuf, PlugdLinked, PluginShareContext, Problem};

/// A plugin as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginSummary {
    /// `name@marketplace`.
    pub id: String,
    /// The id that the remote catalog knows it by.
    pub remote_plugin_id: Option<String>,
    /// The version that the remote catalog offers.
    pub version: Option<String>,
    /// The version that the local source declares, which need not be the installed one.
    pub local_version: Option<String>,
    /// The version that is installed. Not in the reference.
    pub installed_version: Option<String>,
    /// The name of its entry in the marketplace.
    pub name: String,
    /// How it is shared, where it is.
    pub share_context: Option<PluginShareContext>,
    /// Where its content comes from.
    pub source: PluginSource,
    /// Whether a copy is installed.
    pub installed: bool,
    /// When a remote plugin was installed, in seconds since 1970.
    pub installed_at: Option<i64>,
    /// Whether the configuration enables it. In the results of `plugin/search` always false, as
    /// in the reference.
    pub enabled: bool,
    /// Whether its source is known to hold something else than what is installed, under a new
    /// version or under the same. Not in the reference.
    pub update_available: bool,
    /// Whether it may be installed.
    pub install_policy: PluginInstallPolicy,
    /// Who decided on the install policy of a remote plugin.
    pub install_policy_source: Option<PluginInstallPolicySource>,
    /// Whether the remote catalog asks for a page before the installation.
    pub must_show_installation_interstitial: Option<bool>,
    /// When its apps ask for their login.
    pub auth_policy: PluginAuthPolicy,
    /// Whether it may be installed and used at all.
    pub availability: PluginAvailability,
    /// Why the remote catalog withholds it.
    pub disabled_reason: Option<PluginDisabledReason>,
    /// The plans that may install it, in the remote catalog's words.
    pub eligible_plan_types: Option<Vec<String>>,
    /// How it wants to be shown.
    pub interface: Option<PluginInterface>,
    /// Words to find it by.
    pub keywords: Vec<String>,
    /// The working tree that stands in for it, whose details these are. Not in the reference.
    pub linked: Option<PlugdLinked>,
    /// What is wrong with it. In `plugin/read` also what is wrong with its components. Not in the
    /// reference.
    pub problems: Vec<Problem>,
}

/// Where the content of a plugin comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum PluginSource {
    /// A directory of this machine.
    Local {
        /// The directory.
        path: AbsolutePathBuf,
    },
    /// A git repository.
    Git {
        /// Its URL.
        url: String,
        /// The directory inside it; null for its root.
        path: Option<String>,
        /// The branch or tag; null for the default one.
        ref_name: Option<String>,
        /// The commit, where one is named.
        sha: Option<String>,
    },
    /// A package of an npm registry.
    Npm {
        /// Its name.
        package: String,
        /// The version or range.
        version: Option<String>,
        /// The registry's URL; null for the default one.
        registry: Option<String>,
    },
    /// Elsewhere, and not by git or npm: the remote catalog, which alone knows where from, or the
    /// place that one of the members names.
    Remote {
        /// An artifact of an OCI registry.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        oci: Option<OciSource>,
        /// An archive behind an address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        archive: Option<ArchiveSource>,
    },
}

/// An artifact of an OCI registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OciSource {
    /// Host and repository: `oci://host/repository`.
    pub url: String,
    /// The tag; null where the digest alone counts, or `latest`.
    pub tag: Option<String>,
    /// The digest, where one is named: `sha256:…`.
    pub digest: Option<String>,
}

/// An archive behind an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ArchiveSource {
    /// The address.
    pub url: String,
    /// What the archive must hash to: `sha256:…`.
    pub digest: String,
}

/// How a plugin wants to be shown. Paths are those of the plugin's own files, URLs those of the
/// remote catalog.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PluginInterface {
    /// The name for people.
    pub display_name: Option<String>,
    /// One line.
    pub short_description: Option<String>,
    /// Some paragraphs.
    pub long_description: Option<String>,
    /// Who made it.
    pub developer_name: Option<String>,
    /// The shelf it stands on; the marketplace's word wins over the manifest's.
    pub category: Option<String>,
    /// What it says it can do.
    pub capabilities: Vec<String>,
    /// Its website.
    pub website_url: Option<String>,
    /// Its privacy policy.
    pub privacy_policy_url: Option<String>,
    /// Its terms of service.
    pub terms_of_service_url: Option<String>,
    /// Prompts to begin with: at most 3, each of at most 512 characters.
    pub default_prompt: Option<Vec<String>>,
    /// A colour such as `#3b82f6`.
    pub brand_color: Option<String>,
    /// The file of the icon beside the input field.
    pub composer_icon: Option<AbsolutePathBuf>,
    /// The URL of that icon.
    pub composer_icon_url: Option<String>,
    /// The file of the logo.
    pub logo: Option<AbsolutePathBuf>,
    /// The file of the logo on a dark ground.
    pub logo_dark: Option<AbsolutePathBuf>,
    /// The URL of the logo.
    pub logo_url: Option<String>,
    /// The URL of the logo on a dark ground.
    pub logo_url_dark: Option<String>,
    /// The files of the screenshots.
    pub screenshots: Vec<AbsolutePathBuf>,
    /// The URLs of the screenshots.
    pub screenshot_urls: Vec<String>,
}

/// Whether a plugin may be installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PluginInstallPolicy {
    /// Shown, and refused on install.
    NotAvailable,
    /// May be installed.
    Available,
    /// May be installed, and its marketplace recommends to have it.
    InstalledByDefault,
}

/// Who decided on the install policy of a remote plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PluginInstallPolicySource {
    /// A setting of the workspace.
    WorkspaceSetting,
    /// The app that it belongs to.
    ImplicitCanonicalApp,
}

/// When the apps of a plugin ask for their login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PluginAuthPolicy {
    /// Right after the installation.
    OnInstall,
    /// At the first use.
    OnUse,
}

/// Whether a plugin may be installed and used at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PluginAvailability {
    /// It may.
    Available,
    /// An administrator forbids it.
    DisabledByAdmin,
}

/// Why the remote catalog withholds a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PluginDisabledReason {
    /// An administrator forbids it.
    DisabledByAdmin,
    /// The plan does not include it.
    PlanNotEligible,
    /// An app that it needs is not there.
    RequiredAppUnavailable,
    /// The catalog gives a reason that is not known here.
    Unknown,
}
