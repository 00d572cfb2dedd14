//! The method table: one entry per method that is built, and no other.
//!
//! An entry reads `Marker = "wire/name" (Lane, Origin): Params => Result;` below the sentences that
//! describe it. What is not here is answered as an unknown method.

use crate::method::methods;
use crate::{
    ConfigBatchWriteParams, ConfigReadParams, ConfigReadResponse, ConfigRequirementsReadResponse,
    ConfigValueWriteParams, ConfigWriteResponse, DiscoverResponse, HooksListParams,
    HooksListResponse, InitializeParams, InitializeResponse, MarketplaceAddParams,
    MarketplaceAddResponse, MarketplaceRemoveParams, MarketplaceRemoveResponse,
    MarketplaceUpgradeParams, MarketplaceUpgradeResponse, MethodSpec, NoParams, PlugdApproveParams,
    PlugdApproveResponse, PlugdComponentsParams, PlugdComponentsResponse, PlugdExportParams,
    PlugdExportResponse, PlugdGcParams, PlugdGcResponse, PlugdImportParams, PlugdImportResponse,
    PlugdInspectParams, PlugdInspectResponse, PlugdInstructionsParams, PlugdInstructionsResponse,
    PlugdLinkParams, PlugdLinkResponse, PlugdLockParams, PlugdLockResponse, PlugdMentionsParams,
    PlugdMentionsResponse, PlugdOutdatedParams, PlugdPinParams, PlugdReleaseParams,
    PlugdReleaseResponse, PlugdRollbackParams, PlugdStatusParams, PlugdStatusResponse,
    PlugdSyncParams, PlugdSyncResponse, PlugdUnlinkParams, PlugdUnlinkResponse, PlugdUpdateParams,
    PlugdVerifyParams, PlugdVerifyResponse, PlugdVersionsChanged, PlugdVersionsParams,
    PlugdVersionsResponse, PluginInstallParams, PluginInstallResponse, PluginInstalledParams,
    PluginInstalledResponse, PluginListParams, PluginListResponse, PluginReadParams,
    PluginReadResponse, PluginReconcileParams, PluginReconcileResponse, PluginSearchParams,
    PluginSearchResponse, PluginShareCheckoutParams, PluginShareCheckoutResponse,
    PluginShareDeleteParams, PluginShareDeleteResponse, PluginShareListParams,
    PluginShareListResponse, PluginShareSaveParams, PluginShareSaveResponse,
    PluginShareUpdateTargetsParams, PluginShareUpdateTargetsResponse, PluginSkillReadParams,
    PluginSkillReadResponse, PluginUninstallParams, PluginUninstallResponse, ShutdownResponse,
    SkillsConfigWriteParams, SkillsConfigWriteResponse, SkillsExtraRootsSetParams,
    SkillsExtraRootsSetResponse, SkillsListParams, SkillsListResponse,
};

methods! {
    /// Opens the connection and says what this server can do. It comes first and once.
    Initialize = "initialize" (Handshake, Reference): InitializeParams => InitializeResponse;

    /// Announces the end of the connection. Nothing is lost without it: end of input is enough.
    Shutdown = "shutdown" (Handshake, Own): NoParams => ShutdownResponse;

    /// Lists every marketplace with its plugins, and what could not be read and why.
    /// Local plugins never wait for the network; with a login the remote catalog is waited for, up to
    /// 5 seconds unless more is asked for. It starts the background refresh.
    PluginList = "plugin/list" (Read, Reference): PluginListParams => PluginListResponse;

    /// Lists what is installed, also when its marketplace is gone.
    PluginInstalled = "plugin/installed" (Read, Reference):
        PluginInstalledParams => PluginInstalledResponse;

    /// Searches names, display names and keywords of everything that is listed.
    PluginSearch = "plugin/search" (Read, Reference): PluginSearchParams => PluginSearchResponse;

    /// Describes one plugin with its skills, hooks, apps and MCP servers.
    PluginRead = "plugin/read" (Read, Reference): PluginReadParams => PluginReadResponse;

    /// Answers the text of one skill of a plugin.
    PluginSkillRead = "plugin/skill/read" (Read, Reference):
        PluginSkillReadParams => PluginSkillReadResponse;

    /// Installs a plugin, or brings an installed one to what its marketplace offers, and enables it.
    PluginInstall = "plugin/install" (Plugin, Reference):
        PluginInstallParams => PluginInstallResponse;

    /// Removes an installed plugin and its configuration; succeeds when there is nothing to remove.
    PluginUninstall = "plugin/uninstall" (Plugin, Reference):
        PluginUninstallParams => PluginUninstallResponse;

    /// Brings the installed plugins of the remote catalog to what the account has, and tells what is
    /// different since the last time.
    PluginReconcile = "plugin/reconcile" (Plugin, Reference):
        PluginReconcileParams => PluginReconcileResponse;

    /// Shares a plugin of this machine with other accounts, or brings a share to a new version. What
    /// looks like a secret stays here and is named in the answer.
    PluginShareSave = "plugin/share/save" (Plugin, Reference):
        PluginShareSaveParams => PluginShareSaveResponse;

    /// Says who sees a share from now on.
    PluginShareUpdateTargets = "plugin/share/updateTargets" (Plugin, Reference):
        PluginShareUpdateTargetsParams => PluginShareUpdateTargetsResponse;

    /// Lists what this account shares.
    PluginShareList = "plugin/share/list" (Read, Reference):
        PluginShareListParams => PluginShareListResponse;

    /// Makes a working copy of a share in the user's home directory and lists it in the marketplace
    /// there. A working copy that is there is left as it is.
    PluginShareCheckout = "plugin/share/checkout" (Plugin, Reference):
        PluginShareCheckoutParams => PluginShareCheckoutResponse;

    /// Withdraws a share. Its directory on this machine stays.
    PluginShareDelete = "plugin/share/delete" (Plugin, Reference):
        PluginShareDeleteParams => PluginShareDeleteResponse;

    /// Adds a marketplace to the user's configuration; one from git is fetched first.
    MarketplaceAdd = "marketplace/add" (Marketplace, Reference):
        MarketplaceAddParams => MarketplaceAddResponse;

    /// Removes a marketplace from the user's configuration. Its installed plugins stay, and are named
    /// in the answer, unless they are to go too.
    MarketplaceRemove = "marketplace/remove" (Marketplace, Reference):
        MarketplaceRemoveParams => MarketplaceRemoveResponse;

    /// Brings git marketplaces to what their repositories hold, and their installed plugins along.
    MarketplaceUpgrade = "marketplace/upgrade" (Marketplaces, Reference):
        MarketplaceUpgradeParams => MarketplaceUpgradeResponse;

    /// Lists the skills as seen from some directories: those of repositories, of the user, of installed
    /// and enabled plugins, and of the system. From then on `skills/changed` is sent.
    SkillsList = "skills/list" (Read, Reference): SkillsListParams => SkillsListResponse;

    /// Switches a skill off or on again in the user's configuration.
    SkillsConfigWrite = "skills/config/write" (Config, Reference):
        SkillsConfigWriteParams => SkillsConfigWriteResponse;

    /// Adds directories of skills for the life of this process, instead of those added before.
    SkillsExtraRootsSet = "skills/extraRoots/set" (Config, Reference):
        SkillsExtraRootsSetParams => SkillsExtraRootsSetResponse;

    /// Lists the hooks of installed and enabled plugins as seen from some directories, and whether they
    /// are enabled and trusted.
    HooksList = "hooks/list" (Read, Reference): HooksListParams => HooksListResponse;

    /// Answers the effective configuration and which layer each value comes from.
    ConfigRead = "config/read" (Read, Reference): ConfigReadParams => ConfigReadResponse;

    /// Changes one key of the user's configuration and no other byte of the file.
    ConfigValueWrite = "config/value/write" (Config, Reference):
        ConfigValueWriteParams => ConfigWriteResponse;

    /// Changes several keys of the user's configuration together: all of them or none.
    ConfigBatchWrite = "config/batchWrite" (Config, Reference):
        ConfigBatchWriteParams => ConfigWriteResponse;

    /// Answers what the organisation requires.
    ConfigRequirementsRead = "configRequirements/read" (Read, Reference):
        NoParams => ConfigRequirementsReadResponse;

    /// Says what of a plugin would run or be read by a model: as it is offered, as it is installed, and
    /// what an installation would change. Nothing is installed or started. A plugin that lies in a
    /// repository or registry is fetched for the look and not kept.
    PlugdInspect = "plugd/inspect" (Read, Own): PlugdInspectParams => PlugdInspectResponse;

    /// Answers what a host has to load for a directory: skills, MCP servers ready to be started, hooks
    /// and apps, each with the plugin it comes from. With a lease none of it changes until it is
    /// released.
    PlugdComponents = "plugd/components" (Read, Own):
        PlugdComponentsParams => PlugdComponentsResponse;

    /// Ends a lease. What was kept for it alone is removed.
    PlugdRelease = "plugd/release" (Plugin, Own): PlugdReleaseParams => PlugdReleaseResponse;

    /// Removes what nobody needs any more, or tells with numbers what that would be.
    PlugdGc = "plugd/gc" (Marketplaces, Own): PlugdGcParams => PlugdGcResponse;

    /// Compares installed copies with what was recorded when they were installed, and names every file
    /// that differs.
    PlugdVerify = "plugd/verify" (Read, Own): PlugdVerifyParams => PlugdVerifyResponse;

    /// Lists the versions of plugins that are on this machine: what is installed and what is kept of
    /// before, where each came from, and what a rollback would bring back.
    PlugdVersions = "plugd/versions" (Read, Own): PlugdVersionsParams => PlugdVersionsResponse;

    /// Asks the sources of installed plugins whether they have something else. Nothing is fetched.
    PlugdOutdated = "plugd/outdated" (Read, Own): PlugdOutdatedParams => PlugdVersionsChanged;

    /// Brings installed plugins to what their sources have, and says what would run that did not
    /// before. It can be asked to wait for a yes to that.
    PlugdUpdate = "plugd/update" (Plugin, Own): PlugdUpdateParams => PlugdVersionsChanged;

    /// Holds a plugin at what is installed, or lets it go again. What moves copies by itself leaves a
    /// pinned one alone.
    PlugdPin = "plugd/pin" (Plugin, Own): PlugdPinParams => PlugdVersionsChanged;

    /// Says yes to a content that was shown, by its digest, or takes that back, and lists what is
    /// approved and what waits. Nothing is fetched for a yes, and nothing is installed.
    PlugdApprove = "plugd/approve" (Plugin, Own): PlugdApproveParams => PlugdApproveResponse;

    /// Brings a kept version of a plugin back and pins it. Nothing is fetched and configuration is not
    /// touched.
    PlugdRollback = "plugd/rollback" (Plugin, Own): PlugdRollbackParams => PlugdVersionsChanged;

    /// Writes into a project's lock what is installed, exactly: versions, sources, commits, digests.
    PlugdLock = "plugd/lock" (Marketplaces, Own): PlugdLockParams => PlugdLockResponse;

    /// Makes the home match a project's lock, and pins what it names; all of it or nothing.
    PlugdSync = "plugd/sync" (Marketplaces, Own): PlugdSyncParams => PlugdSyncResponse;

    /// Writes one archive with everything that is needed to install plugins on a machine without a
    /// network, verified by digest.
    PlugdExport = "plugd/export" (Read, Own): PlugdExportParams => PlugdExportResponse;

    /// Installs and pins what an archive holds; all of it or nothing. Nothing is fetched.
    PlugdImport = "plugd/import" (Marketplaces, Own): PlugdImportParams => PlugdImportResponse;

    /// Puts a plugin's working tree in the place of its installed copy, for this server only: it is used
    /// where it lies, nothing is copied, written there or configured.
    PlugdLink = "plugd/link" (Plugin, Own): PlugdLinkParams => PlugdLinkResponse;

    /// Ends a link; what is installed counts again.
    PlugdUnlink = "plugd/unlink" (Plugin, Own): PlugdUnlinkParams => PlugdUnlinkResponse;

    /// Finds the plugins that a text or an input mentions, and answers what to tell a model about each.
    PlugdMentions = "plugd/mentions" (Read, Own): PlugdMentionsParams => PlugdMentionsResponse;

    /// Answers the text that tells a model which plugins and skills there are, within a budget.
    PlugdInstructions = "plugd/instructions" (Read, Own):
        PlugdInstructionsParams => PlugdInstructionsResponse;

    /// Says which layer is stale and how the background work of late went.
    PlugdStatus = "plugd/status" (Read, Own): PlugdStatusParams => PlugdStatusResponse;

    /// Answers this protocol as an OpenRPC document.
    RpcDiscover = "rpc.discover" (Read, Own): NoParams => DiscoverResponse;
}

/// The entry of a method; none for a method that is not built.
#[must_use]
pub fn find(name: &str) -> Option<&'static MethodSpec> {
    METHODS.iter().find(|method| method.name == name)
}

#[cfg(test)]
#[path = "methods_tests.rs"]
mod tests;
