// Generated from the protocol of plugd. Changes are overwritten.
import type { ScheduledTaskSchedule } from "./ScheduledTaskSchedule";

/** A prompt that a plugin wants to run on a schedule. */
export type ScheduledTaskSummary = {
  /** What it is told apart by. */
  key: string;
  /** Its name for people. */
  name: string;
  /** The prompt. */
  prompt: string;
  /** When it runs. */
  schedule: ScheduledTaskSchedule;
};
