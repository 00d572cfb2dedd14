// Generated from the protocol of plugd. Changes are overwritten.

/** Params of `skills/changed`: nothing. A client lists the skills again when it wants to know. */
export type SkillsChangedNotification = Record<string, never>;
