// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { PlugdExportedPlugin } from "./PlugdExportedPlugin";
import type { Problem } from "./Problem";

/** Result of `plugd/export`. */
export type PlugdExportResponse = {
  /** Its size. */
  bytes: number;
  /** The archive. */
  path: AbsolutePathBuf;
  /** What is in it, sorted by id. */
  plugins: Array<PlugdExportedPlugin>;
  /** What is switched on and not in it, with the reason. */
  problems: Array<Problem>;
  /** Its SHA-256, 64 hexadecimal digits. The same home makes the same archive. */
  sha256: string;
};
