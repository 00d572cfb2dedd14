// Generated from the protocol of plugd. Changes are overwritten.

/** Who speaks. */
export type ClientInfo = {
  /** The program's name, without control characters. */
  name: string;
  /** The program's name for people. */
  title?: string | null;
  /** The program's version; language clients may leave it out. */
  version?: string | null;
};
