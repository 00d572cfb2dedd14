// Generated from the protocol of plugd. Changes are overwritten.
import type { PlugdInspectionCategory } from "./PlugdInspectionCategory";

/** One change. */
export type PlugdInspectionChange = {
  /** What kind of thing. */
  category: PlugdInspectionCategory;
  /** What it is now, in short; null when it is new. */
  from: string | null;
  /** What it is called. */
  name: string;
  /** What it would be, in short; null when it goes. */
  to: string | null;
};
