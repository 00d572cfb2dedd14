// Generated from the protocol of plugd. Changes are overwritten.
import type { ConfigBatchWriteParams } from "./v2/ConfigBatchWriteParams";
import type { ConfigReadParams } from "./v2/ConfigReadParams";
import type { ConfigValueWriteParams } from "./v2/ConfigValueWriteParams";
import type { InitializeParams } from "./InitializeParams";
import type { MarketplaceAddParams } from "./v2/MarketplaceAddParams";
import type { MarketplaceRemoveParams } from "./v2/MarketplaceRemoveParams";
import type { MarketplaceUpgradeParams } from "./v2/MarketplaceUpgradeParams";
import type { NoParams } from "./plugd/NoParams";
import type { PlugdStatusParams } from "./plugd/PlugdStatusParams";
import type { PluginInstallParams } from "./v2/PluginInstallParams";
import type { PluginInstalledParams } from "./v2/PluginInstalledParams";
import type { PluginListParams } from "./v2/PluginListParams";
import type { PluginReadParams } from "./v2/PluginReadParams";
import type { PluginSearchParams } from "./v2/PluginSearchParams";
import type { PluginUninstallParams } from "./v2/PluginUninstallParams";
import type { RequestId } from "./RequestId";

/** A request from a client. */
export type ClientRequest =
  /** Opens the connection and says what this server can do. It comes first and once. */
  | {
    id: RequestId;
    method: "initialize";
    params?: InitializeParams | null;
  }
  /** Announces the end of the connection. Nothing is lost without it: end of input is enough. */
  | {
    id: RequestId;
    method: "shutdown";
    params?: NoParams | null;
  }
  /**
   * Lists every marketplace with its plugins, and what could not be read and why. It never
   * waits for the network unless it is asked to, and starts the background refresh.
   */
  | {
    id: RequestId;
    method: "plugin/list";
    params?: PluginListParams | null;
  }
  /** Lists what is installed, also when its marketplace is gone. */
  | {
    id: RequestId;
    method: "plugin/installed";
    params?: PluginInstalledParams | null;
  }
  /** Searches names, display names and keywords of everything that is listed. */
  | {
    id: RequestId;
    method: "plugin/search";
    params: PluginSearchParams;
  }
  /** Describes one plugin with its skills, hooks, apps and MCP servers. */
  | {
    id: RequestId;
    method: "plugin/read";
    params: PluginReadParams;
  }
  /**
   * Installs a plugin, or brings an installed one to what its marketplace offers, and enables
   * it.
   */
  | {
    id: RequestId;
    method: "plugin/install";
    params: PluginInstallParams;
  }
  /**
   * Removes an installed plugin and its configuration; succeeds when there is nothing to
   * remove.
   */
  | {
    id: RequestId;
    method: "plugin/uninstall";
    params: PluginUninstallParams;
  }
  /** Adds a marketplace to the user's configuration; one from git is fetched first. */
  | {
    id: RequestId;
    method: "marketplace/add";
    params: MarketplaceAddParams;
  }
  /**
   * Removes a marketplace from the user's configuration. Its installed plugins stay, and are
   * named in the answer, unless they are to go too.
   */
  | {
    id: RequestId;
    method: "marketplace/remove";
    params: MarketplaceRemoveParams;
  }
  /** Brings git marketplaces to what their repositories hold, and their installed plugins along. */
  | {
    id: RequestId;
    method: "marketplace/upgrade";
    params?: MarketplaceUpgradeParams | null;
  }
  /** Answers the effective configuration and which layer each value comes from. */
  | {
    id: RequestId;
    method: "config/read";
    params?: ConfigReadParams | null;
  }
  /** Changes one key of the user's configuration and no other byte of the file. */
  | {
    id: RequestId;
    method: "config/value/write";
    params: ConfigValueWriteParams;
  }
  /** Changes several keys of the user's configuration together: all of them or none. */
  | {
    id: RequestId;
    method: "config/batchWrite";
    params: ConfigBatchWriteParams;
  }
  /** Answers what the organisation requires. */
  | {
    id: RequestId;
    method: "configRequirements/read";
    params?: NoParams | null;
  }
  /** Says which layer is stale and how the background work of late went. */
  | {
    id: RequestId;
    method: "plugd/status";
    params?: PlugdStatusParams | null;
  }
  /** Answers this protocol as an OpenRPC document. */
  | {
    id: RequestId;
    method: "rpc.discover";
    params?: NoParams | null;
  };
