// The conversation with one daemon, without a word about the editor: this file also runs on plain
// Node, and other programs in TypeScript may take it as it is.
//
// The types are the generated ones of `schemas/typescript`, so a call that does not fit the protocol
// does not compile.

import { spawn, type ChildProcess } from "node:child_process";
import {
  CancellationToken,
  ConnectionError,
  createMessageConnection,
  type Disposable,
  ErrorCodes,
  type MessageConnection,
  ProgressType,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
} from "vscode-jsonrpc/node";

import type { InitializeParams } from "../../../schemas/typescript/InitializeParams";
import type { InitializeResponse } from "../../../schemas/typescript/InitializeResponse";
import type { ErrorData } from "../../../schemas/typescript/plugd/ErrorData";
import type { PlugdChangedParams } from "../../../schemas/typescript/plugd/PlugdChangedParams";
import type { WorkDoneProgress } from "../../../schemas/typescript/plugd/WorkDoneProgress";
import type { PluginDetail } from "../../../schemas/typescript/v2/PluginDetail";
import type { PluginInstallParams } from "../../../schemas/typescript/v2/PluginInstallParams";
import type { PluginInstallResponse } from "../../../schemas/typescript/v2/PluginInstallResponse";
import type { PluginListParams } from "../../../schemas/typescript/v2/PluginListParams";
import type { PluginListResponse } from "../../../schemas/typescript/v2/PluginListResponse";
import type { PluginMarketplaceEntry } from "../../../schemas/typescript/v2/PluginMarketplaceEntry";
import type { PluginReadParams } from "../../../schemas/typescript/v2/PluginReadParams";
import type { PluginReadResponse } from "../../../schemas/typescript/v2/PluginReadResponse";
import type { PluginSummary } from "../../../schemas/typescript/v2/PluginSummary";
import type { PluginUninstallParams } from "../../../schemas/typescript/v2/PluginUninstallParams";
import type { PluginUninstallResponse } from "../../../schemas/typescript/v2/PluginUninstallResponse";

/** The methods that this client calls. One line more makes another one known. */
interface Methods {
  initialize: { params: InitializeParams; result: InitializeResponse };
  "plugin/list": { params: PluginListParams; result: PluginListResponse };
  "plugin/read": { params: PluginReadParams; result: PluginReadResponse };
  "plugin/install": {
    params: PluginInstallParams & { workDoneToken?: string };
    result: PluginInstallResponse;
  };
  "plugin/uninstall": { params: PluginUninstallParams; result: PluginUninstallResponse };
}

/** How a request names a plugin: by the file of its marketplace, or by a remote one's name. */
export type PluginReference = Pick<
  PluginReadParams,
  "marketplacePath" | "remoteMarketplaceName" | "pluginName"
>;

/** Progress as the daemon tells it. */
export type Progress = WorkDoneProgress;

export type { PluginDetail, PluginListResponse, PluginMarketplaceEntry, PluginSummary };

/** What a refused request says; `kind` is what a program decides by. */
export class PlugdError extends Error {
  readonly code: number;
  readonly data: Partial<ErrorData>;

  constructor(error: ResponseError<Partial<ErrorData>>) {
    super(error.message);
    this.code = error.code;
    this.data = error.data ?? {};
  }

  /** Whether the request was taken back, which nobody needs to be told. */
  get cancelled(): boolean {
    return this.data.kind === "cancelled";
  }

  /** The message, and what a person can do. */
  get text(): string {
    return this.data.hint ? `${this.message} (${this.data.hint})` : this.message;
  }
}

/** The conversation is over before the answer came. */
export class EndedError extends Error {}

/** How long the daemon may take to answer the handshake. */
const HANDSHAKE_MS = 30_000;

/** The library's errors that are about a connection which is no more, and no answers. */
const BROKEN: readonly number[] = [
  ErrorCodes.MessageWriteError,
  ErrorCodes.PendingResponseRejected,
  ErrorCodes.ConnectionInactive,
];

/** How requests name a plugin of a listing. */
export function reference(
  marketplace: PluginMarketplaceEntry,
  plugin: PluginSummary,
): PluginReference {
  return marketplace.path === null
    ? { remoteMarketplaceName: marketplace.name, pluginName: plugin.remotePluginId ?? plugin.name }
    : { marketplacePath: marketplace.path, pluginName: plugin.name };
}

/** A running daemon. When it ends, for whatever reason, every call that is open fails. */
export class PlugdClient {
  readonly #process: ChildProcess;
  readonly #connection: MessageConnection;
  readonly #ended: Promise<number | null>;
  /** Why the conversation ended, where more is known than that it did. */
  #fault: string | undefined;
  #tokens = 0;

  private constructor(process: ChildProcess, connection: MessageConnection) {
    this.#process = process;
    this.#connection = connection;
    this.#ended = new Promise((resolve) => process.once("exit", resolve));
    connection.onClose(() => void this.#finish());
    // A broken frame: what follows cannot be trusted, and the answers would never come.
    connection.onError(([error]) => this.#giveUp(error.message));
  }

  /** Fails what is open, after the answers that came before the end; one is handed out per turn. */
  async #finish(): Promise<void> {
    for (let turn = 0; turn < 1000 && this.#connection.hasPendingResponse(); turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#connection.dispose();
  }

  #giveUp(fault: string): void {
    this.#fault ??= fault;
    this.#process.kill("SIGKILL");
  }

  /**
   * Starts the daemon and shakes hands. Fails when the program is not there, ends, or is no daemon;
   * no process is left then.
   */
  static async start(
    program: string,
    client: { name: string; version: string },
    handshake = HANDSHAKE_MS,
  ): Promise<PlugdClient> {
    const child = spawn(program, ["app-server"], { stdio: ["pipe", "pipe", "inherit"] });
    await new Promise<void>((resolve, reject) => {
      child.once("spawn", resolve);
      child.once("error", reject);
    });
    const connection = createMessageConnection(
      new StreamMessageReader(child.stdout),
      new StreamMessageWriter(child.stdin),
    );
    const started = new PlugdClient(child, connection);
    connection.listen();
    const late = setTimeout(() => started.#giveUp("it does not answer the handshake"), handshake);
    try {
      await started.call("initialize", {
        clientInfo: client,
        capabilities: { plugd: { notifications: true } },
      });
      await connection.sendNotification("initialized");
      return started;
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    } finally {
      clearTimeout(late);
    }
  }

  /** Sends a request. Every refusal is a `PlugdError`, and the end of the daemon an `EndedError`. */
  async call<M extends keyof Methods>(
    method: M,
    params: Methods[M]["params"],
    token: CancellationToken = CancellationToken.None,
  ): Promise<Methods[M]["result"]> {
    try {
      return await this.#connection.sendRequest<Methods[M]["result"]>(method, params, token);
    } catch (error) {
      throw this.#explain(error);
    }
  }

  #explain(error: unknown): unknown {
    const broken = error instanceof ResponseError && BROKEN.includes(error.code);
    if (broken || error instanceof ConnectionError) {
      return new EndedError(`the daemon has ended${this.#fault ? `: ${this.#fault}` : ""}`);
    }
    return error instanceof ResponseError ? new PlugdError(error) : error;
  }

  list(directories: string[] = []): Promise<PluginListResponse> {
    return this.call("plugin/list", { cwds: directories });
  }

  async read(plugin: PluginReference): Promise<PluginDetail> {
    return (await this.call("plugin/read", plugin)).plugin;
  }

  /** Installs or updates a plugin; a cancelled token takes it back. */
  async install(
    plugin: PluginReference,
    onProgress: (value: Progress) => void,
    token?: CancellationToken,
  ): Promise<PluginInstallResponse> {
    this.#tokens += 1;
    const workDoneToken = `vscode-${this.#tokens}`;
    const listening = this.#connection.onProgress(
      new ProgressType<Progress>(),
      workDoneToken,
      onProgress,
    );
    try {
      return await this.call("plugin/install", { ...plugin, workDoneToken }, token);
    } finally {
      listening.dispose();
    }
  }

  async uninstall(id: string): Promise<void> {
    await this.call("plugin/uninstall", { pluginId: id });
  }

  /** Calls back when something changed, also by another program. */
  onChanged(changed: (what: PlugdChangedParams) => void): Disposable {
    return this.#connection.onNotification("plugd/changed", changed);
  }

  /** Calls back when the daemon is gone, whoever ended it. */
  onEnd(ended: (code: number | null) => void): void {
    void this.#ended.then(ended);
  }

  /** Ends the conversation: what was asked is finished first. Answers the exit code. */
  async stop(): Promise<number | null> {
    this.#connection.end();
    this.#process.stdin?.end();
    const code = await this.#ended;
    await this.#finish();
    return code;
  }
}
