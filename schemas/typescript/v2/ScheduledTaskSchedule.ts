// Generated from the protocol of plugd. Changes are overwritten.
import type { ScheduledTaskWeekday } from "./ScheduledTaskWeekday";

/** When a scheduled task runs. */
export type ScheduledTaskSchedule =
  /** Every so many hours. */
  | {
    /** On which days; null for all. */
    days: Array<ScheduledTaskWeekday> | null;
    /** How many. */
    intervalHours: number;
    type: "hourly";
  }
  /** Once a day. */
  | {
    /** At what time, such as `09:30`. */
    time: string;
    type: "daily";
  }
  /** Once a day from Monday to Friday. */
  | {
    /** At what time, such as `09:30`. */
    time: string;
    type: "weekdays";
  }
  /** Once on each of some days. */
  | {
    /** On which days. */
    days: Array<ScheduledTaskWeekday>;
    /** At what time, such as `09:30`. */
    time: string;
    type: "weekly";
  };
