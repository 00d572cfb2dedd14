// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";

/**
 * How a plugin wants to be shown. Paths are those of the plugin's own files, URLs those of the
 * remote catalog.
 */
export type PluginInterface = {
  /** A colour such as `#3b82f6`. */
  brandColor: string | null;
  /** What it says it can do. */
  capabilities: Array<string>;
  /** The shelf it stands on; the marketplace's word wins over the manifest's. */
  category: string | null;
  /** The file of the icon beside the input field. */
  composerIcon: AbsolutePathBuf | null;
  /** The URL of that icon. */
  composerIconUrl: string | null;
  /** Prompts to begin with: at most 3, each of at most 512 characters. */
  defaultPrompt: Array<string> | null;
  /** Who made it. */
  developerName: string | null;
  /** The name for people. */
  displayName: string | null;
  /** The file of the logo. */
  logo: AbsolutePathBuf | null;
  /** The file of the logo on a dark ground. */
  logoDark: AbsolutePathBuf | null;
  /** The URL of the logo. */
  logoUrl: string | null;
  /** The URL of the logo on a dark ground. */
  logoUrlDark: string | null;
  /** Some paragraphs. */
  longDescription: string | null;
  /** Its privacy policy. */
  privacyPolicyUrl: string | null;
  /** The URLs of the screenshots. */
  screenshotUrls: Array<string>;
  /** The files of the screenshots. */
  screenshots: Array<AbsolutePathBuf>;
  /** One line. */
  shortDescription: string | null;
  /** Its terms of service. */
  termsOfServiceUrl: string | null;
  /** Its website. */
  websiteUrl: string | null;
};
