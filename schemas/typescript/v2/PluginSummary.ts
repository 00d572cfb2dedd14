// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdLinked } from "../plugd/PlugdLinked";
import type { PluginAuthPolicy } from "./PluginAuthPolicy";
import type { PluginAvailability } from "./PluginAvailability";
import type { PluginDisabledReason } from "./PluginDisabledReason";
import type { PluginInstallPolicy } from "./PluginInstallPolicy";
import type { PluginInstallPolicySource } from "./PluginInstallPolicySource";
import type { PluginInterface } from "./PluginInterface";
import type { PluginShareContext } from "./PluginShareContext";
import type { PluginSource } from "./PluginSource";
import type { Problem } from "../plugd/Problem";

/** A plugin as a listing shows it. */
export type PluginSummary = {
  /** When its apps ask for their login. */
  authPolicy: PluginAuthPolicy;
  /** Whether it may be installed and used at all. */
  availability: PluginAvailability;
  /** Why the remote catalog withholds it. */
  disabledReason: PluginDisabledReason | null;
  /** The plans that may install it, in the remote catalog's words. */
  eligiblePlanTypes: Array<string> | null;
  /**
   * Whether the configuration enables it. In the results of `plugin/search` always false, as in
   * the reference.
   */
  enabled: boolean;
  /** `name@marketplace`. */
  id: string;
  /** Whether it may be installed. */
  installPolicy: PluginInstallPolicy;
  /** Who decided on the install policy of a remote plugin. */
  installPolicySource: PluginInstallPolicySource | null;
  /** Whether a copy is installed. */
  installed: boolean;
  /** When a remote plugin was installed, in seconds since 1970. */
  installedAt: number | null;
  /** The version that is installed. Not in the reference. */
  installedVersion: string | null;
  /** How it wants to be shown. */
  interface: PluginInterface | null;
  /** Words to find it by. */
  keywords: Array<string>;
  /** The working tree that stands in for it, whose details these are. Not in the reference. */
  linked: PlugdLinked | null;
  /** The version that the local source declares, which need not be the installed one. */
  localVersion: string | null;
  /** Whether the remote catalog asks for a page before the installation. */
  mustShowInstallationInterstitial: boolean | null;
  /** The name of its entry in the marketplace. */
  name: string;
  /**
   * What is wrong with it. In `plugin/read` also what is wrong with its components. Not in the
   * reference.
   */
  problems: Array<Problem>;
  /** The id that the remote catalog knows it by. */
  remotePluginId: string | null;
  /** How it is shared, where it is. */
  shareContext: PluginShareContext | null;
  /** Where its content comes from. */
  source: PluginSource;
  /**
   * Whether its source is known to hold something else than what is installed, under a new
   * version or under the same. Not in the reference.
   */
  updateAvailable: boolean;
  /** The version that the remote catalog offers. */
  version: string | null;
};
