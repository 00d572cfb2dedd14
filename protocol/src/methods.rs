//! The method table: one entry per method that is built, and no other.
//!
//! An entry reads `Marker = "wire/name" (Lane, Origin): Params => Result;` below the sentences that
//! describe it. What is not here is answered as an unknown method.

use crate::method::methods;
use crate::{
    ConfigBatchWriteParams, ConfigReadParams, ConfigReadResponse, ConfigRequirementsReadResponse,
    ConfigValueWriteParams, ConfigWriteResponse, DiscoverResponse, InitializeParams,
    InitializeResponse, MarketplaceAddParams, MarketplaceAddResponse, MarketplaceRemoveParams,
    MarketplaceRemoveResponse, MarketplaceUpgradeParams, MarketplaceUpgradeResponse, MethodSpec,
    NoParams, PlugdStatusParams, PlugdStatusResponse, PluginInstallParams, PluginInstallResponse,
    PluginInstalledParams, PluginInstalledResponse, PluginListParams, PluginListResponse,
    PluginReadParams, PluginReadResponse, PluginSearchParams, PluginSearchResponse,
    PluginUninstallParams, PluginUninstallResponse, ShutdownResponse,
};

methods! {
    /// Opens the connection and says what this server can do. It comes first and once.
    Initialize = "initialize" (Handshake, Reference): InitializeParams => InitializeResponse;

    /// Announces the end of the connection. Nothing is lost without it: end of input is enough.
    Shutdown = "shutdown" (Handshake, Own): NoParams => ShutdownResponse;

    /// Lists every marketplace with its plugins, and what could not be read and why.
    /// It never waits for the network unless it is asked to, and starts the background refresh.
    PluginList = "plugin/list" (Read, Reference): PluginListParams => PluginListResponse;

    /// Lists what is installed, also when its marketplace is gone.
    PluginInstalled = "plugin/installed" (Read, Reference):
        PluginInstalledParams => PluginInstalledResponse;

    /// Searches names, display names and keywords of everything that is listed.
    PluginSearch = "plugin/search" (Read, Reference): PluginSearchParams => PluginSearchResponse;

    /// Describes one plugin with its skills, hooks, apps and MCP servers.
    PluginRead = "plugin/read" (Read, Reference): PluginReadParams => PluginReadResponse;

    /// Installs a plugin, or brings an installed one to what its marketplace offers, and enables it.
    PluginInstall = "plugin/install" (Plugin, Reference):
        PluginInstallParams => PluginInstallResponse;

    /// Removes an installed plugin and its configuration; succeeds when there is nothing to remove.
    PluginUninstall = "plugin/uninstall" (Plugin, Reference):
        PluginUninstallParams => PluginUninstallResponse;

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
