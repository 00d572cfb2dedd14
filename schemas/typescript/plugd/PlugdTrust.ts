// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdInspectionChange } from "./PlugdInspectionChange";

/** Whether what is offered may come. */
export type PlugdTrust = {
  /** Whether it may come now. */
  allowed: boolean;
  /** Whether exactly this content is approved. */
  approved: boolean;
  /** The digest to approve: that of the copy which an installation makes. */
  digest: string;
  /** What a person can do about it. */
  hint: string | null;
  /** When its age is no reason any more, in seconds since the epoch. */
  notBefore: number | null;
  /**
   * Why it may not come: `untrustedMarketplace`, `wouldRun`, `commitTooYoung` or
   * `commitAgeUnknown`; null when it may.
   */
  reason: string | null;
  /** Whether the place it comes from is trusted. */
  trusted: boolean;
  /**
   * The files, relative to the plugin, that declare what runs and could not be read or
   * understood: nobody can say what they would run. Empty when it may come.
   */
  unseen: Array<string>;
  /** What of it would run that does not run now; empty when it may come. */
  wouldRun: Array<PlugdInspectionChange>;
};
