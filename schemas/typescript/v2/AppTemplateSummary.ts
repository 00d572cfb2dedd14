// Generated from the protocol of plugd. Changes are overwritten.
import type { AppTemplateUnavailableReason } from "./AppTemplateUnavailableReason";

/** An app that a workspace can set up from a template. */
export type AppTemplateSummary = {
  /** The connector it stands for. */
  canonicalConnectorId: string | null;
  /** The shelf it stands on. */
  category: string | null;
  /** What it is. */
  description: string | null;
  /** The URL of its logo. */
  logoUrl: string | null;
  /** The URL of its logo on a dark ground. */
  logoUrlDark: string | null;
  /** The apps that were made from it. */
  materializedAppIds: Array<string>;
  /** Its name for people. */
  name: string;
  /** Why there is none. */
  reason: AppTemplateUnavailableReason | null;
  /** Its id. */
  templateId: string;
};
