//! The configuration itself: merged, by layers, and what the organisation requires.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::AbsolutePathBuf;

/// The merged configuration, with the keys of the file. Keys that this server does not know pass
/// through; its own settings stand below `plugd`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Config(pub Map<String, Value>);

/// A layer of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigLayer {
    /// Which one.
    pub name: ConfigLayerSource,
    /// A digest of its content.
    pub version: String,
    /// Its content.
    pub config: Value,
    /// Why it does not count, such as a project that is not trusted; omitted when it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_reason: Option<String>,
}

/// Which layer a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigLayerMetadata {
    /// Which one.
    pub name: ConfigLayerSource,
    /// A digest of its content.
    pub version: String,
}

/// Where a layer comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum ConfigLayerSource {
    /// Defaults that came with the program.
    PackagedDefaults {
        /// The file.
        file: AbsolutePathBuf,
    },
    /// Device management. This server never answers it.
    Mdm {
        /// The preference domain.
        domain: String,
        /// The key in it.
        key: String,
    },
    /// The file of the machine.
    System {
        /// The file, which need not exist.
        file: AbsolutePathBuf,
    },
    /// A layer that an organisation delivers. This server never answers it.
    EnterpriseManaged {
        /// The id.
        id: String,
        /// The name for people.
        name: String,
    },
    /// The user's file.
    User {
        /// The file, which need not exist.
        file: AbsolutePathBuf,
        /// The profile, where the layer is one.
        profile: Option<String>,
    },
    /// The folder of a project.
    Project {
        /// The folder.
        dot_codex_folder: AbsolutePathBuf,
    },
    /// The command line.
    SessionFlags,
    /// The managed file that wins over everything else.
    LegacyManagedConfigTomlFromFile {
        /// The file.
        file: AbsolutePathBuf,
    },
    /// The same from device management. This server never answers it.
    LegacyManagedConfigTomlFromMdm,
}

/// Result of `configRequirements/read`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigRequirementsReadResponse {
    /// What is required; null when there are no requirements.
    pub requirements: Option<ConfigRequirements>,
    /// Concerns models, about which this server knows nothing: null.
    pub supports_independent_speed_modes: Option<bool>,
}

/// What the organisation requires. Members about things that this server has no part in, such as
/// models, sandboxes and approvals, are null unless they are passed on from the requirements file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConfigRequirements {
    /// Features that are switched on or off for everybody; null when none is.
    pub feature_requirements: Option<BTreeMap<String, bool>>,
    /// Which marketplaces are allowed; null when all are. Not in the reference.
    pub marketplaces: Option<MarketplaceRequirements>,
    /// The other members, by their names.
    #[serde(flatten)]
    pub others: Map<String, Value>,
}

impl ConfigRequirements {
    /// Requirements with every member that a client of the reference expects, and null in those
    /// that this server has no part in.
    #[must_use]
    pub fn new(
        feature_requirements: Option<BTreeMap<String, bool>>,
        marketplaces: Option<MarketplaceRequirements>,
    ) -> Self {
        let others = OTHER_REQUIREMENTS.iter();
        Self {
            feature_requirements,
            marketplaces,
            others: others
                .map(|name| ((*name).to_owned(), Value::Null))
                .collect(),
        }
    }
}

/// What the reference answers about things that this server has no part in.
const OTHER_REQUIREMENTS: &[&str] = &[
    "additionalDeveloperInstructions",
    "allowAppshots",
    "allowBrowserAndComputerUse",
    "allowLoginShell",
    "allowManagedHooksOnly",
    "allowRemoteControl",
    "allowedApprovalPolicies",
    "allowedApprovalsReviewers",
    "allowedLoginMethods",
    "allowedPermissionProfiles",
    "allowedSandboxModes",
    "allowedWebSearchModes",
    "allowedWindowsSandboxImplementations",
    "application",
    "autoReview",
    "browserUse",
    "chatgptBaseUrl",
    "checkForUpdateOnStartup",
    "cliAuthCredentialsStore",
    "computerUse",
    "defaultPermissions",
    "enforceResidency",
    "feedback",
    "hooks",
    "inAppBrowser",
    "logDir",
    "modelCatalogJson",
    "modelProvider",
    "modelProviders",
    "models",
    "network",
    "otel",
    "sqliteHome",
];

/// Which marketplaces are allowed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MarketplaceRequirements {
    /// Whether only the sources below are allowed.
    pub restrict_to_allowed_sources: bool,
    /// The sources that are allowed, by the name of the rule.
    pub allowed_sources: BTreeMap<String, AllowedMarketplaceSource>,
}

/// A rule that allows sources of marketplaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum AllowedMarketplaceSource {
    /// One git repository.
    Git {
        /// Its URL.
        url: String,
        /// The only branch or tag; null for any.
        ref_name: Option<String>,
    },
    /// All git repositories of some hosts.
    HostPattern {
        /// A regular expression for the host's name in lower case.
        host_pattern: String,
    },
    /// One directory.
    Local {
        /// The directory.
        path: AbsolutePathBuf,
    },
}
