// The editor's side: a tree of marketplaces and plugins, and a command for each thing to do with
// one. Everything about the daemon is in client.ts.

import * as vscode from "vscode";

import {
  PlugdClient,
  PlugdError,
  type PluginDetail,
  type PluginMarketplaceEntry,
  type PluginSummary,
  reference,
} from "./client";

/** A row of the tree. */
type Row =
  | { kind: "marketplace"; marketplace: PluginMarketplaceEntry }
  | { kind: "plugin"; marketplace: PluginMarketplaceEntry; plugin: PluginSummary };

type PluginRow = Extract<Row, { kind: "plugin" }>;

/** One daemon for the window, started when it is first needed and again after it ended. */
class Daemon implements vscode.Disposable {
  #client: Promise<PlugdClient> | undefined;

  constructor(private readonly changed: () => void) {}

  client(): Promise<PlugdClient> {
    this.#client ??= this.#start();
    return this.#client;
  }

  async #start(): Promise<PlugdClient> {
    const program = vscode.workspace.getConfiguration("plugd").get<string>("path", "plugd");
    try {
      const client = await PlugdClient.start(program, { name: "vscode", version: vscode.version });
      client.onChanged(this.changed);
      client.onEnd(() => (this.#client = undefined));
      return client;
    } catch (error) {
      this.#client = undefined;
      throw error;
    }
  }

  dispose(): void {
    void this.#client?.then((client) => client.stop());
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
    if (row?.kind === "plugin") return [];
    if (row) {
      const { marketplace } = row;
      return marketplace.plugins.map((plugin) => ({ kind: "plugin", marketplace, plugin }));
    }
    const folders = vscode.workspace.workspaceFolders ?? [];
    const listing = await attempt(async () => {
      const client = await this.daemon.client();
      return client.list(folders.map((folder) => folder.uri.fsPath));
    });
    return (listing?.marketplaces ?? []).map((marketplace) => ({ kind: "marketplace", marketplace }));
  }

  getTreeItem(row: Row): vscode.TreeItem {
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

async function read(client: PlugdClient, row: PluginRow): Promise<void> {
  const detail = await client.read(reference(row.marketplace, row.plugin));
  const content = describe(detail);
  const document = await vscode.workspace.openTextDocument({ language: "markdown", content });
  await vscode.window.showTextDocument(document, { preview: true });
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
  const register = (name: string, action: (client: PlugdClient, row: PluginRow) => Thenable<void>) =>
    vscode.commands.registerCommand(name, (row: PluginRow) =>
      attempt(async () => action(await tree.daemon.client(), row)),
    );
  context.subscriptions.push(
    tree.daemon,
    vscode.window.registerTreeDataProvider("plugd.plugins", tree),
    vscode.commands.registerCommand("plugd.refresh", () => tree.refresh()),
    register("plugd.read", read),
    register("plugd.install", install),
    register("plugd.uninstall", uninstall),
  );
}
