// The editor's side: a tree of marketplaces and plugins, and a command for each thing to do with
// one. Everything about the daemon is in client.ts.

import * as vscode from "vscode";

import {
  PlugdClient,
  PlugdError,
  type PluginDetail,
  type PluginListResponse,
  type PluginMarketplaceEntry,
  type PluginSummary,
  reference,
} from "./client";

/** A row of the tree. */
type Row =
  | { kind: "problem"; problem: Problem }
  | { kind: "marketplace"; marketplace: PluginMarketplaceEntry }
  | { kind: "plugin"; marketplace: PluginMarketplaceEntry; plugin: PluginSummary };

type PluginRow = Extract<Row, { kind: "plugin" }>;

type Problem = PluginListResponse["marketplaceLoadErrors"][number];

/** One daemon for the window, started when it is first needed and again after it ended. */
class Daemon implements vscode.Disposable {
  #client: Promise<PlugdClient> | undefined;
  #listed = false;

  constructor(private readonly changed: () => void) {}

  client(): Promise<PlugdClient> {
    this.#client ??= this.#start();
    return this.#client;
  }

  async list(directories: string[]): Promise<PluginListResponse> {
    const listing = await (await this.client()).list(directories);
    this.#listed = true;
    return listing;
  }

  async #start(): Promise<PlugdClient> {
    const program = vscode.workspace.getConfiguration("plugd").get<string>("path", "plugd");
    this.#listed = false;
    try {
      const client = await PlugdClient.start(program, { name: "vscode", version: vscode.version });
      client.onChanged(this.changed);
      client.onEnd(() => this.#ended());
      return client;
    } catch (error) {
      this.#client = undefined;
      throw error;
    }
  }

  /** What is shown is read anew from another daemon, unless this one could not even list. */
  #ended(): void {
    if (!this.#client) return;
    this.#client = undefined;
    if (this.#listed) this.changed();
  }

  dispose(): void {
    const client = this.#client;
    this.#client = undefined;
    // One that did not start has nothing to stop, and said so already.
    void client?.then((started) => started.stop(), () => undefined);
  }
}

/** Marketplaces, and their plugins below them. */
class PluginTree implements vscode.TreeDataProvider<Row> {
  readonly #changes = new vscode.EventEmitter<void>();
  readonly onDidChangeTreeData = this.#changes.event;
  readonly daemon = new Daemon(() => this.refresh());

  refresh(): void {
    this.#changes.fire();
  }

  async getChildren(row?: Row): Promise<Row[]> {
    if (row && row.kind !== "marketplace") return [];
    if (row) {
      const { marketplace } = row;
      return marketplace.plugins.map((plugin) => ({ kind: "plugin", marketplace, plugin }));
    }
    const folders = vscode.workspace.workspaceFolders ?? [];
    const directories = folders.map((folder) => folder.uri.fsPath);
    const listing = await attempt(() => this.daemon.list(directories));
    if (!listing) return [];
    const problems = listing.marketplaceLoadErrors;
    return [
      ...listing.marketplaces.map((marketplace): Row => ({ kind: "marketplace", marketplace })),
      ...problems.map((problem): Row => ({ kind: "problem", problem })),
    ];
  }

  getTreeItem(row: Row): vscode.TreeItem {
    if (row.kind === "problem") {
      const { path, marketplacePath, line, message, severity } = row.problem;
      const place = `${path ?? marketplacePath}${line === undefined ? "" : `:${line}`}`;
      return Object.assign(new vscode.TreeItem(message), {
        contextValue: "problem",
        description: place,
        iconPath: new vscode.ThemeIcon(severity),
        tooltip: `${place}: ${message}`,
      });
    }
    if (row.kind === "marketplace") {
      const { marketplace } = row;
      const label = marketplace.interface?.displayName ?? marketplace.name;
      const open = vscode.TreeItemCollapsibleState.Expanded;
      return Object.assign(new vscode.TreeItem(label, open), { contextValue: "marketplace" });
    }
    const { plugin } = row;
    const item = new vscode.TreeItem(plugin.interface?.displayName ?? plugin.name);
    const state = plugin.updateAvailable ? "outdated" : plugin.installed ? "installed" : "available";
    item.id = plugin.id;
    item.contextValue = `plugin.${state}`;
    item.description = plugin.installedVersion ?? undefined;
    item.tooltip = plugin.problems.map((problem) => problem.message).join("\n") || plugin.id;
    item.command = { command: "plugd.read", title: "Read", arguments: [row] };
    return item;
  }
}

/** Runs something and shows why it failed; nothing is shown for what the user took back. */
async function attempt<T>(action: () => Promise<T>): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof PlugdError && error.cancelled)) {
      const text = error instanceof PlugdError ? error.text : String(error);
      void vscode.window.showErrorMessage(`plugd: ${text}`);
    }
    return undefined;
  }
}

function describe(detail: PluginDetail): string {
  const lines = [`# ${detail.summary.id}`, "", detail.description ?? ""];
  for (const skill of detail.skills) lines.push(`- skill \`${skill.name}\`: ${skill.description}`);
  for (const hook of detail.hooks) lines.push(`- hook on ${hook.eventName}`);
  for (const server of detail.mcpServers) lines.push(`- MCP server \`${server}\``);
  for (const problem of detail.summary.problems) lines.push(`- problem: ${problem.message}`);
  return lines.join("\n");
}

/** Descriptions as documents that nobody can change; each plugin has one, which is opened again. */
class Descriptions implements vscode.TextDocumentContentProvider {
  static readonly scheme = "plugd";
  readonly #changes = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.#changes.event;
  readonly #texts = new Map<string, string>();

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.#texts.get(uri.path) ?? "";
  }

  async read(client: PlugdClient, row: PluginRow): Promise<void> {
    const detail = await client.read(reference(row.marketplace, row.plugin));
    // The ending makes the editor show it as Markdown.
    const uri = vscode.Uri.from({ scheme: Descriptions.scheme, path: `/${row.plugin.id}.md` });
    this.#texts.set(uri.path, describe(detail));
    this.#changes.fire(uri);
    const document = await vscode.workspace.openTextDocument(uri);
    await vscode.window.showTextDocument(document, { preview: true });
  }
}

function install(client: PlugdClient, row: PluginRow): Thenable<void> {
  const title = `Installing ${row.plugin.id}`;
  const location = vscode.ProgressLocation.Notification;
  return vscode.window.withProgress({ location, title, cancellable: true }, async (bar, token) => {
    let before = 0;
    const named = reference(row.marketplace, row.plugin);
    await client.install(named, (value) => {
      if (value.kind !== "report") return;
      const now = value.percentage ?? before;
      bar.report({ message: value.stage, increment: Math.max(0, now - before) });
      before = now;
    }, token);
  });
}

async function uninstall(client: PlugdClient, row: PluginRow): Promise<void> {
  const answer = await vscode.window.showWarningMessage(
    `Uninstall ${row.plugin.id}?`,
    { modal: true },
    "Uninstall",
  );
  if (answer === "Uninstall") await client.uninstall(row.plugin.id);
}

export function activate(context: vscode.ExtensionContext): void {
  const tree = new PluginTree();
  const descriptions = new Descriptions();
  const register = (name: string, action: (client: PlugdClient, row: PluginRow) => Thenable<void>) =>
    vscode.commands.registerCommand(name, (row: PluginRow) =>
      attempt(async () => action(await tree.daemon.client(), row)),
    );
  context.subscriptions.push(
    tree.daemon,
    vscode.window.registerTreeDataProvider("plugd.plugins", tree),
    vscode.commands.registerCommand("plugd.refresh", () => tree.refresh()),
    vscode.workspace.registerTextDocumentContentProvider(Descriptions.scheme, descriptions),
    register("plugd.read", (client, row) => descriptions.read(client, row)),
    register("plugd.install", install),
    register("plugd.uninstall", uninstall),
  );
}
