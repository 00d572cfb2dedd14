// Generated from the protocol of plugd. Changes are overwritten.

/** What kind of program a file is. */
export type PlugdExecutableKind =
  /** A script. */
  | "script"
  /** A program or library for Linux and its relatives. */
  | "elf"
  /** A program or library for macOS. */
  | "machO"
  /** A program or library for Windows. */
  | "pe"
  /** It is marked as executable or named by a command, and its content tells nothing. */
  | "unknown";
