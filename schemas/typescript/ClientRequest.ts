// Generated from the protocol of plugd. Changes are overwritten.
import type { ConfigBatchWriteParams } from "./v2/ConfigBatchWriteParams";
import type { ConfigReadParams } from "./v2/ConfigReadParams";
import type { ConfigValueWriteParams } from "./v2/ConfigValueWriteParams";
import type { HooksListParams } from "./v2/HooksListParams";
import type { InitializeParams } from "./InitializeParams";
import type { MarketplaceAddParams } from "./v2/MarketplaceAddParams";
import type { MarketplaceRemoveParams } from "./v2/MarketplaceRemoveParams";
import type { MarketplaceUpgradeParams } from "./v2/MarketplaceUpgradeParams";
import type { NoParams } from "./plugd/NoParams";
import type { PlugdApproveParams } from "./plugd/PlugdApproveParams";
import type { PlugdComponentsParams } from "./plugd/PlugdComponentsParams";
import type { PlugdExportParams } from "./plugd/PlugdExportParams";
import type { PlugdGcParams } from "./plugd/PlugdGcParams";
import type { PlugdImportParams } from "./plugd/PlugdImportParams";
import type { PlugdInspectParams } from "./plugd/PlugdInspectParams";
import type { PlugdInstructionsParams } from "./plugd/PlugdInstructionsParams";
import type { PlugdLinkParams } from "./plugd/PlugdLinkParams";
import type { PlugdLockParams } from "./plugd/PlugdLockParams";
import type { PlugdMentionsParams } from "./plugd/PlugdMentionsParams";
import type { PlugdOutdatedParams } from "./plugd/PlugdOutdatedParams";
import type { PlugdPinParams } from "./plugd/PlugdPinParams";
import type { PlugdReleaseParams } from "./plugd/PlugdReleaseParams";
import type { PlugdRollbackParams } from "./plugd/PlugdRollbackParams";
import type { PlugdStatusParams } from "./plugd/PlugdStatusParams";
import type { PlugdSyncParams } from "./plugd/PlugdSyncParams";
import type { PlugdUnlinkParams } from "./plugd/PlugdUnlinkParams";
import type { PlugdUpdateParams } from "./plugd/PlugdUpdateParams";
import type { PlugdVerifyParams } from "./plugd/PlugdVerifyParams";
import type { PlugdVersionsParams } from "./plugd/PlugdVersionsParams";
import type { PluginInstallParams } from "./v2/PluginInstallParams";
import type { PluginInstalledParams } from "./v2/PluginInstalledParams";
import type { PluginListParams } from "./v2/PluginListParams";
import type { PluginReadParams } from "./v2/PluginReadParams";
import type { PluginReconcileParams } from "./v2/PluginReconcileParams";
import type { PluginSearchParams } from "./v2/PluginSearchParams";
import type { PluginShareCheckoutParams } from "./v2/PluginShareCheckoutParams";
import type { PluginShareDeleteParams } from "./v2/PluginShareDeleteParams";
import type { PluginShareListParams } from "./v2/PluginShareListParams";
import type { PluginShareSaveParams } from "./v2/PluginShareSaveParams";
import type { PluginShareUpdateTargetsParams } from "./v2/PluginShareUpdateTargetsParams";
import type { PluginSkillReadParams } from "./v2/PluginSkillReadParams";
import type { PluginUninstallParams } from "./v2/PluginUninstallParams";
import type { RequestId } from "./RequestId";
import type { SkillsConfigWriteParams } from "./v2/SkillsConfigWriteParams";
import type { SkillsExtraRootsSetParams } from "./v2/SkillsExtraRootsSetParams";
import type { SkillsListParams } from "./v2/SkillsListParams";

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
   * Lists every marketplace with its plugins, and what could not be read and why. Local plugins
   * never wait for the network; with a login the remote catalog is waited for, up to 5 seconds
   * unless more is asked for. It starts the background refresh.
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
  /** Answers the text of one skill of a plugin. */
  | {
    id: RequestId;
    method: "plugin/skill/read";
    params: PluginSkillReadParams;
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
  /**
   * Brings the installed plugins of the remote catalog to what the account has, and tells what
   * is different since the last time.
   */
  | {
    id: RequestId;
    method: "plugin/reconcile";
    params?: PluginReconcileParams | null;
  }
  /**
   * Shares a plugin of this machine with other accounts, or brings a share to a new version.
   * What looks like a secret stays here and is named in the answer.
   */
  | {
    id: RequestId;
    method: "plugin/share/save";
    params: PluginShareSaveParams;
  }
  /** Says who sees a share from now on. */
  | {
    id: RequestId;
    method: "plugin/share/updateTargets";
    params: PluginShareUpdateTargetsParams;
  }
  /** Lists what this account shares. */
  | {
    id: RequestId;
    method: "plugin/share/list";
    params?: PluginShareListParams | null;
  }
  /**
   * Makes a working copy of a share in the user's home directory and lists it in the
   * marketplace there. A working copy that is there is left as it is.
   */
  | {
    id: RequestId;
    method: "plugin/share/checkout";
    params: PluginShareCheckoutParams;
  }
  /** Withdraws a share. Its directory on this machine stays. */
  | {
    id: RequestId;
    method: "plugin/share/delete";
    params: PluginShareDeleteParams;
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
  /**
   * Lists the skills as seen from some directories: those of repositories, of the user, of
   * installed and enabled plugins, and of the system. From then on `skills/changed` is sent.
   */
  | {
    id: RequestId;
    method: "skills/list";
    params?: SkillsListParams | null;
  }
  /** Switches a skill off or on again in the user's configuration. */
  | {
    id: RequestId;
    method: "skills/config/write";
    params: SkillsConfigWriteParams;
  }
  /** Adds directories of skills for the life of this process, instead of those added before. */
  | {
    id: RequestId;
    method: "skills/extraRoots/set";
    params: SkillsExtraRootsSetParams;
  }
  /**
   * Lists the hooks of installed and enabled plugins as seen from some directories, and whether
   * they are enabled and trusted.
   */
  | {
    id: RequestId;
    method: "hooks/list";
    params?: HooksListParams | null;
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
  /**
   * Says what of a plugin would run or be read by a model: as it is offered, as it is
   * installed, and what an installation would change. Nothing is installed or started. A plugin
   * that lies in a repository or registry is fetched for the look and not kept.
   */
  | {
    id: RequestId;
    method: "plugd/inspect";
    params?: PlugdInspectParams | null;
  }
  /**
   * Answers what a host has to load for a directory: skills, MCP servers ready to be started,
   * hooks and apps, each with the plugin it comes from. With a lease none of it changes until
   * it is released.
   */
  | {
    id: RequestId;
    method: "plugd/components";
    params?: PlugdComponentsParams | null;
  }
  /** Ends a lease. What was kept for it alone is removed. */
  | {
    id: RequestId;
    method: "plugd/release";
    params: PlugdReleaseParams;
  }
  /** Removes what nobody needs any more, or tells with numbers what that would be. */
  | {
    id: RequestId;
    method: "plugd/gc";
    params?: PlugdGcParams | null;
  }
  /**
   * Compares installed copies with what was recorded when they were installed, and names every
   * file that differs.
   */
  | {
    id: RequestId;
    method: "plugd/verify";
    params?: PlugdVerifyParams | null;
  }
  /**
   * Lists the versions of plugins that are on this machine: what is installed and what is kept
   * of before, where each came from, and what a rollback would bring back.
   */
  | {
    id: RequestId;
    method: "plugd/versions";
    params?: PlugdVersionsParams | null;
  }
  /** Asks the sources of installed plugins whether they have something else. Nothing is fetched. */
  | {
    id: RequestId;
    method: "plugd/outdated";
    params?: PlugdOutdatedParams | null;
  }
  /**
   * Brings installed plugins to what their sources have, and says what would run that did not
   * before. It can be asked to wait for a yes to that.
   */
  | {
    id: RequestId;
    method: "plugd/update";
    params?: PlugdUpdateParams | null;
  }
  /**
   * Holds a plugin at what is installed, or lets it go again. What moves copies by itself
   * leaves a pinned one alone.
   */
  | {
    id: RequestId;
    method: "plugd/pin";
    params: PlugdPinParams;
  }
  /**
   * Says yes to a content that was shown, by its digest, or takes that back, and lists what is
   * approved and what waits. Nothing is fetched for a yes, and nothing is installed.
   */
  | {
    id: RequestId;
    method: "plugd/approve";
    params?: PlugdApproveParams | null;
  }
  /**
   * Brings a kept version of a plugin back and pins it. Nothing is fetched and configuration is
   * not touched.
   */
  | {
    id: RequestId;
    method: "plugd/rollback";
    params: PlugdRollbackParams;
  }
  /**
   * Writes into a project's lock what is installed, exactly: versions, sources, commits,
   * digests.
   */
  | {
    id: RequestId;
    method: "plugd/lock";
    params: PlugdLockParams;
  }
  /** Makes the home match a project's lock, and pins what it names; all of it or nothing. */
  | {
    id: RequestId;
    method: "plugd/sync";
    params: PlugdSyncParams;
  }
  /**
   * Writes one archive with everything that is needed to install plugins on a machine without a
   * network, verified by digest.
   */
  | {
    id: RequestId;
    method: "plugd/export";
    params: PlugdExportParams;
  }
  /** Installs and pins what an archive holds; all of it or nothing. Nothing is fetched. */
  | {
    id: RequestId;
    method: "plugd/import";
    params: PlugdImportParams;
  }
  /**
   * Puts a plugin's working tree in the place of its installed copy, for this server only: it
   * is used where it lies, nothing is copied, written there or configured.
   */
  | {
    id: RequestId;
    method: "plugd/link";
    params: PlugdLinkParams;
  }
  /** Ends a link; what is installed counts again. */
  | {
    id: RequestId;
    method: "plugd/unlink";
    params?: PlugdUnlinkParams | null;
  }
  /**
   * Finds the plugins that a text or an input mentions, and answers what to tell a model about
   * each.
   */
  | {
    id: RequestId;
    method: "plugd/mentions";
    params?: PlugdMentionsParams | null;
  }
  /** Answers the text that tells a model which plugins and skills there are, within a budget. */
  | {
    id: RequestId;
    method: "plugd/instructions";
    params?: PlugdInstructionsParams | null;
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
