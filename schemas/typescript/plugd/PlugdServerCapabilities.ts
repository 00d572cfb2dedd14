// Generated from the protocol of plugd. Changes are overwritten.

/** What is built, and no more. */
export type PlugdServerCapabilities = {
  /** The methods that this server answers. */
  methods: Array<string>;
  /** The notifications that this server may send. */
  notifications: Array<string>;
  /** The version of what is not the reference's. A higher one may break a client of a lower one. */
  version: number;
};
