// Generated from the protocol of plugd. Changes are overwritten.

/** How far a request is, in the way of language servers. `stage`, `done` and `total` are ours. */
export type WorkDoneProgress =
  /** The first one. */
  | {
    /** Whether the request can be cancelled. */
    cancellable: boolean;
    kind: "begin";
    /** What is being done. */
    title: string;
  }
  /** Any number in between. */
  | {
    /** How much of the step is done. */
    done: number;
    kind: "report";
    /** A text for people; omitted when there is nothing to say. */
    message?: string;
    /** `done` of `total` in percent; omitted when unknown. */
    percentage?: number;
    /** The step that is being done, as one stable word. */
    stage: string;
    /** How much there is to do; null when unknown. */
    total: number | null;
  }
  /** The last one. */
  | {
    kind: "end";
    /** A text for people; omitted when there is nothing to say. */
    message?: string;
  };
