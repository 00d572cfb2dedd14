// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { OverriddenMetadata } from "./OverriddenMetadata";
import type { WriteStatus } from "./WriteStatus";

/** Result of a configuration write. It is on disk when this is sent. */
export type ConfigWriteResponse = {
  /** The file that was written. */
  filePath: AbsolutePathBuf;
  /** What is in effect instead, when a higher layer overrides what was written. */
  overriddenMetadata: OverriddenMetadata | null;
  /** Whether what was written is in effect. */
  status: WriteStatus;
  /** The version that the file has now. */
  version: string;
};
