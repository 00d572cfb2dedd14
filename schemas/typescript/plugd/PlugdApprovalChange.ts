// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdApprovalReason } from "./PlugdApprovalReason";
import type { PlugdInspectionChange } from "./PlugdInspectionChange";

/** A yes that is given or taken back. */
export type PlugdApprovalChange = {
  /** Whether that changed something, or would. */
  changed: boolean;
  /** The digest that was approved before; null when it was not. */
  from: string | null;
  /** `name@marketplace`. */
  pluginId: string;
  /** Why. */
  reason: PlugdApprovalReason;
  /** The digest that is approved from now on; null when it is not any more. */
  to: string | null;
  /**
   * The files, relative to the plugin, that declare what runs and could not be read or
   * understood, where that was looked at.
   */
  unseen?: Array<string>;
  /**
   * What of the content would run that does not run now. Omitted where a digest was named,
   * since nothing was looked at then.
   */
  wouldRun?: Array<PlugdInspectionChange>;
};
