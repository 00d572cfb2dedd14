// Generated from the protocol of plugd. Changes are overwritten.
import type { CancelByIdParams } from "./plugd/CancelByIdParams";
import type { CancelByRequestIdParams } from "./plugd/CancelByRequestIdParams";
import type { NoParams } from "./plugd/NoParams";
import type { SetTraceParams } from "./plugd/SetTraceParams";

/** A notification from a client. */
export type ClientNotification =
  /** The client has seen the result of `initialize`. Nothing waits for it. */
  | {
    method: "initialized";
    params?: NoParams | null;
  }
  /** The client wants the process to end; what was accepted is finished first. */
  | {
    method: "exit";
    params?: NoParams | null;
  }
  /** The client no longer wants an answer, in the way of language servers. */
  | {
    method: "$/cancelRequest";
    params: CancelByIdParams;
  }
  /** The client no longer wants an answer, in the way of agent clients. */
  | {
    method: "$/cancel_request";
    params: CancelByRequestIdParams;
  }
  /** The client no longer wants an answer, in the way of context servers. */
  | {
    method: "notifications/cancelled";
    params: CancelByRequestIdParams;
  }
  /** Accepted because language clients send it; it changes nothing. */
  | {
    method: "$/setTrace";
    params: SetTraceParams;
  };
