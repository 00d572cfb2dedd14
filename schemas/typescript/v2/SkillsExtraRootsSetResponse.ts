// Generated from the protocol of plugd. Changes are overwritten.

/** Result of `skills/extraRoots/set`: nothing. */
export type SkillsExtraRootsSetResponse = Record<string, never>;
