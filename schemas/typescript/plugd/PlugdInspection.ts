// Generated from the protocol of plugd. Changes are overwritten.
import type { AbsolutePathBuf } from "../AbsolutePathBuf";
import type { PlugdEnvironmentName } from "./PlugdEnvironmentName";
import type { PlugdExecutable } from "./PlugdExecutable";
import type { PlugdHiddenCharacter } from "./PlugdHiddenCharacter";
import type { PlugdInspectedApp } from "./PlugdInspectedApp";
import type { PlugdInspectedHook } from "./PlugdInspectedHook";
import type { PlugdInspectedMcpServer } from "./PlugdInspectedMcpServer";
import type { PlugdModelText } from "./PlugdModelText";
import type { PlugdOddity } from "./PlugdOddity";
import type { Problem } from "./Problem";

/** What a plugin brings. */
export type PlugdInspection = {
  /** Its apps. */
  apps: Array<PlugdInspectedApp>;
  /** The size of all files. */
  bytes: number;
  /** What a limit kept out of this answer: with a row here it is not the whole truth. */
  cut: Array<Problem>;
  /** How many directories it has, itself not counted. */
  directories: number;
  /** Environment variables that it looks at, by name, as far as they can be found. */
  environment: Array<PlugdEnvironmentName>;
  /** Files that can run, and those that a command of the plugin names. */
  executables: Array<PlugdExecutable>;
  /** How many files it has. */
  files: number;
  /** Invisible and misleading characters in those texts. */
  hiddenCharacters: Array<PlugdHiddenCharacter>;
  /** Its hooks, by event. */
  hooks: Array<PlugdInspectedHook>;
  /** The licence that it names. */
  licence: string | null;
  /** Files that hold a licence, relative to it. */
  licenceFiles: Array<string>;
  /** Its MCP servers, by name. */
  mcpServers: Array<PlugdInspectedMcpServer>;
  /** Entries that are no plain files and directories, or that not every system can hold. */
  oddities: Array<PlugdOddity>;
  /** What is wrong with its components. */
  problems: Array<Problem>;
  /** Where it lies; null when it was fetched for this answer only. */
  root: AbsolutePathBuf | null;
  /** Texts that a model reads, by path. */
  texts: Array<PlugdModelText>;
  /** The digest of its content, `sha256:` and 64 hexadecimal digits. */
  treeDigest: string | null;
  /** Its version. */
  version: string | null;
};
