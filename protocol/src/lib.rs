//! The wire: types of every message, the method table, and the schemas made from both.
//!
//! One entry in [`methods`] adds a method; dispatch, `capabilities.plugd.methods`, `rpc.discover`
//! and every generated file follow from it. Doc comments here become the descriptions in the
//! schemas, so they are written for the reader of a frontend.
//!
//! Names, spellings and nullability of what the reference knows are the reference's. A member of
//! ours stands beside them and says so in its description. In an answer every member is present,
//! with null where there is nothing to say, unless its description says that it is omitted. In
//! params null means absent and unknown members are ignored.
//!
//! This crate does no I/O, knows no numeric error code, and names no other crate of ours.

mod approvals;
mod archives;
#[cfg(test)]
mod checks;
#[cfg(test)]
mod component_tests;
mod components;
mod config;
mod configuration;
pub mod embedded;
mod error;
mod events;
pub mod generate;
mod guidance;
mod handshake;
mod hooks;
mod ids;
mod inspect;
#[cfg(test)]
mod inspect_tests;
mod links;
#[cfg(test)]
mod listing_tests;
mod lock_format;
mod locking;
mod marketplace;
mod mcp;
mod method;
pub mod methods;
pub mod notifications;
mod object;
#[cfg(test)]
mod params_tests;
mod plugin;
mod plugin_detail;
mod plugin_reconcile;
mod plugin_share;
mod plugin_summary;
mod problem;
#[cfg(test)]
mod readme_tests;
#[cfg(test)]
mod results_tests;
#[cfg(test)]
mod share_tests;
mod sharing;
mod skills;
mod status;
mod upkeep;
mod versions;

pub use approvals::{
    PlugdApproval, PlugdApprovalChange, PlugdApprovalReason, PlugdApproveParams,
    PlugdApproveResponse, PlugdHeldBack, PlugdTrust, PlugdWaiting,
};
pub use archives::{
    PlugdExportParams, PlugdExportResponse, PlugdExportedPlugin, PlugdImportParams,
    PlugdImportResponse,
};
pub use components::{
    PlugdApp, PlugdComponentPlugin, PlugdComponentsParams, PlugdComponentsResponse, PlugdHook,
    PlugdHookHandler, PlugdReleaseParams, PlugdReleaseResponse, PlugdShadowed, PlugdShadowedKind,
    PlugdSkill, PlugdSkillRoot,
};
pub use config::{
    ConfigBatchWriteParams, ConfigEdit, ConfigReadParams, ConfigReadResponse,
    ConfigValueWriteParams, ConfigWriteResponse, MergeStrategy, OverriddenMetadata, WriteStatus,
};
pub use configuration::{
    AllowedMarketplaceSource, Config, ConfigLayer, ConfigLayerMetadata, ConfigLayerSource,
    ConfigRequirements, ConfigRequirementsReadResponse, MarketplaceRequirements,
};
pub use error::{ConfigWriteErrorCode, ErrorData, ErrorKind, ErrorObject};
pub use events::{
    CancelByIdParams, CancelByRequestIdParams, ChangeReason, ChangedParams,
    ConfigWarningNotification, ProgressNotificationParams, ProgressParams, SetTraceParams,
    TaskEventState, TaskParams, TextPosition, TextRange, WorkDoneProgress,
};
pub use guidance::{
    PlugdInstructionsParams, PlugdInstructionsPart, PlugdInstructionsPartKind,
    PlugdInstructionsResponse, PlugdLeftOut, PlugdLeftOutKind, PlugdMention, PlugdMentionItem,
    PlugdMentionPart, PlugdMentionPartKind, PlugdMentionsParams, PlugdMentionsResponse,
    PlugdUnknownMention, PlugdUnknownMentionReason,
};
pub use handshake::{
    ClientInfo, DiscoverResponse, InitializationOptions, InitializeCapabilities, InitializeParams,
    InitializeResponse, NoParams, PlugdClientCapabilities, PlugdServerCapabilities,
    ServerCapabilities, ServerInfo, ShutdownResponse,
};
pub use hooks::{
    HookErrorInfo, HookMetadata, HookMetadataHandler, HookSource, HookTrustStatus, HooksListEntry,
    HooksListParams, HooksListResponse,
};
pub use ids::{AbsolutePathBuf, ProgressToken, RequestId};
pub use inspect::{
    PlugdBeforeAfter, PlugdEnvironmentName, PlugdExecutable, PlugdExecutableKind,
    PlugdHiddenCharacter, PlugdHiddenClass, PlugdInspectParams, PlugdInspectResponse,
    PlugdInspectedApp, PlugdInspectedHandler, PlugdInspectedHook, PlugdInspectedMcpServer,
    PlugdInspectedTransport, PlugdInspection, PlugdInspectionCategory, PlugdInspectionChange,
    PlugdInspectionDifference, PlugdModelText, PlugdModelTextKind, PlugdOddity, PlugdOddityKind,
};
pub use links::{
    PlugdLinkChange, PlugdLinkParams, PlugdLinkReason, PlugdLinkResponse, PlugdLinked,
    PlugdUnlinkParams, PlugdUnlinkResponse,
};
pub use lock_format::{PluginsLock, PluginsLockMarketplace, PluginsLockPlugin, PluginsLockSource};
pub use locking::{
    PlugdLockChange, PlugdLockParams, PlugdLockReason, PlugdLockResponse, PlugdSyncChange,
    PlugdSyncParams, PlugdSyncReason, PlugdSyncResponse,
};
pub use marketplace::{
    MarketplaceAddParams, MarketplaceAddResponse, MarketplaceHistory, MarketplaceRemoveParams,
    MarketplaceRemoveResponse, MarketplaceUpgradeChange, MarketplaceUpgradeErrorInfo,
    MarketplaceUpgradeParams, MarketplaceUpgradeResponse,
};
pub use mcp::{
    PlugdMcpHttpProtocol, PlugdMcpOauth, PlugdMcpServer, PlugdMcpTransport, PlugdNeededEnv,
    PlugdNeededEnvPurpose, PlugdToolApproval,
};
pub use method::{
    Direction, Lane, Method, MethodSpec, Notification, NotificationSpec, Origin, TypeSpec,
};
pub use methods::METHODS;
pub use notifications::NOTIFICATIONS;
pub use plugin::{
    MarketplaceInterface, MarketplaceLoadErrorInfo, PluginBinding, PluginInstallParams,
    PluginInstallResponse, PluginInstalledParams, PluginInstalledResponse,
    PluginListMarketplaceKind, PluginListParams, PluginListResponse, PluginMarketplaceEntry,
    PluginReadParams, PluginReadResponse, PluginRebinding, PluginSearchParams,
    PluginSearchResponse, PluginSearchResult, PluginSearchScope, PluginUninstallParams,
    PluginUninstallResponse,
};
pub use plugin_detail::{
    AppSummary, AppTemplateSummary, AppTemplateUnavailableReason, HookEventName, PluginDetail,
    PluginHookSummary, ScheduledTaskSchedule, ScheduledTaskSummary, ScheduledTaskWeekday,
    SkillInterface, SkillSummary,
};
pub use plugin_reconcile::{
    PluginReconcileChangedPlugin, PluginReconcileParams, PluginReconcileResponse,
};
pub use plugin_share::{
    PluginShareCheckoutParams, PluginShareCheckoutResponse, PluginShareDeleteParams,
    PluginShareDeleteResponse, PluginShareLeftOut, PluginShareLeftOutReason, PluginShareListItem,
    PluginShareListParams, PluginShareListResponse, PluginShareSaveParams, PluginShareSaveResponse,
    PluginShareTarget, PluginShareTargetRole, PluginShareUpdateTargetsParams,
    PluginShareUpdateTargetsResponse,
};
pub use plugin_summary::{
    ArchiveSource, OciSource, PluginAuthPolicy, PluginAvailability, PluginDisabledReason,
    PluginInstallPolicy, PluginInstallPolicySource, PluginInterface, PluginSource, PluginSummary,
};
pub use problem::{Problem, Severity};
pub use sharing::{
    PluginShareContext, PluginShareDiscoverability, PluginSharePrincipal, PluginSharePrincipalRole,
    PluginSharePrincipalType,
};
pub use skills::{
    PluginSkillReadParams, PluginSkillReadResponse, SkillDependencies, SkillErrorInfo,
    SkillMetadata, SkillScope, SkillToolDependency, SkillsChangedNotification,
    SkillsConfigWriteParams, SkillsConfigWriteResponse, SkillsExtraRootsSetParams,
    SkillsExtraRootsSetResponse, SkillsListEntry, SkillsListParams, SkillsListResponse,
};
pub use status::{
    PlugdLayer, PlugdLayerKind, PlugdLayerState, PlugdPluginOutcome, PlugdStatusParams,
    PlugdStatusResponse, PlugdTask, PlugdTaskKind, PlugdTaskOutcome, PlugdTaskState,
    PluginOutcomeKind,
};
pub use upkeep::{
    PlugdGcChange, PlugdGcKind, PlugdGcMirror, PlugdGcParams, PlugdGcReason, PlugdGcResponse,
    PlugdGcTotal, PlugdGcTree, PlugdValidateResponse, PlugdValidatedKind, PlugdValidatedSubject,
    PlugdVerifiedPlugin, PlugdVerifyParams, PlugdVerifyResponse,
};
pub use versions::{
    PlugdBoundTo, PlugdConfirm, PlugdInstalledBy, PlugdOutdatedParams, PlugdPin, PlugdPinParams,
    PlugdPluginVersions, PlugdReplaced, PlugdRollbackParams, PlugdUpdateParams, PlugdVersion,
    PlugdVersionChange, PlugdVersionOrder, PlugdVersionReason, PlugdVersionState,
    PlugdVersionsChanged, PlugdVersionsParams, PlugdVersionsResponse,
};

/// The version of everything in the protocol that is not the reference's. It is raised when a
/// client written for the number before could break.
pub const PROTOCOL_VERSION: u32 = 1;
