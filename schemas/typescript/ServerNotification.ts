// Generated from the protocol of plugd. Changes are overwritten.
import type { ConfigWarningNotification } from "./v2/ConfigWarningNotification";
import type { PlugdChangedParams } from "./plugd/PlugdChangedParams";
import type { PlugdTaskParams } from "./plugd/PlugdTaskParams";
import type { ProgressNotificationParams } from "./plugd/ProgressNotificationParams";
import type { ProgressParams } from "./plugd/ProgressParams";
import type { SkillsChangedNotification } from "./v2/SkillsChangedNotification";

/** A notification from the server. */
export type ServerNotification =
  /** A configuration file is broken or unusual. Sent after the result of `initialize`. */
  | {
    method: "configWarning";
    params: ConfigWarningNotification;
  }
  /**
   * Skills may be others than before. Sent to a client that has listed skills, or that asked
   * for notifications of this server; more than once where that is simpler.
   */
  | {
    method: "skills/changed";
    params?: SkillsChangedNotification | null;
  }
  /** Marketplaces, plugins or configuration changed. Sent only to a client that asked for it. */
  | {
    method: "plugd/changed";
    params: PlugdChangedParams;
  }
  /** Background work started or ended. Sent only to a client that asked for it. */
  | {
    method: "plugd/task";
    params: PlugdTaskParams;
  }
  /** Progress of a request that carried a `workDoneToken`. */
  | {
    method: "$/progress";
    params: ProgressParams;
  }
  /** Progress of a request that carried a `_meta.progressToken`. */
  | {
    method: "notifications/progress";
    params: ProgressNotificationParams;
  };
