// Generated from the protocol of plugd. Changes are overwritten.

export type { AbsolutePathBuf } from "./AbsolutePathBuf";
export type { ClientInfo } from "./ClientInfo";
export type { ClientNotification } from "./ClientNotification";
export type { ClientRequest } from "./ClientRequest";
export type { InitializeCapabilities } from "./InitializeCapabilities";
export type { InitializeParams } from "./InitializeParams";
export type { InitializeResponse } from "./InitializeResponse";
export type { JSONRPCErrorError } from "./JSONRPCErrorError";
export type { RequestId } from "./RequestId";
export type { ServerNotification } from "./ServerNotification";
export type { JsonValue } from "./serde_json/JsonValue";
export * as plugd from "./plugd";
export * as v2 from "./v2";
