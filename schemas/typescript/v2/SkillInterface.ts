// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";

/** How a skill wants to be shown. */
export type SkillInterface = {
  /** A colour such as `#3b82f6`. */
  brandColor: string | null;
  /** A prompt to begin with. */
  defaultPrompt: string | null;
  /** The name for people. */
  displayName: string | null;
  /** The file of the large icon. */
  iconLarge: AbsolutePathBuf | null;
  /** The URL of the large icon. */
  iconLargeUrl: string | null;
  /** The file of the small icon. */
  iconSmall: AbsolutePathBuf | null;
  /** The URL of the small icon. */
  iconSmallUrl: string | null;
  /** One line. */
  shortDescription: string | null;
};
