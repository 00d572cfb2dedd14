// Drives the compiled extension of examples/vscode: its client by itself, and the extension with a
// stand-in for the editor. COMPILED is the directory of its modules.

const Module = require('node:module');
const path = require('node:path');

const binary = process.env.PLUGD_BINARY;
const compiled = process.env.COMPILED;

function check(step, fine, why) {
  console.log(fine ? `step ${step} ok` : `step ${step} failed: ${JSON.stringify(why)}`);
  if (!fine) process.exit(1);
}

// What the extension uses of the editor.
const shown = { documents: [], errors: [], progress: [] };
const commands = new Map();
let tree;
let changed = () => {};
const disposable = { dispose() {} };
const editor = {
  version: '1.90.0',
  EventEmitter: class {
    #listener = () => {};
    event = (listener) => { this.#listener = listener; return disposable; };
    fire() { this.#listener(); }
  },
  TreeItem: class { constructor(label) { this.label = label; } },
  TreeItemCollapsibleState: { Expanded: 2 },
  ProgressLocation: { Notification: 15 },
  commands: {
    registerCommand(name, action) { commands.set(name, action); return disposable; },
  },
  window: {
    registerTreeDataProvider(_, provider) {
      tree = provider;
      tree.onDidChangeTreeData(() => changed());
      return disposable;
    },
    showErrorMessage: async (text) => { shown.errors.push(text); },
    showWarningMessage: async (_text, _options, ...answers) => answers[0],
    showTextDocument: async () => {},
    withProgress: (_, task) => task(
      { report: (value) => shown.progress.push(value) },
      { isCancellationRequested: false, onCancellationRequested: () => disposable },
    ),
  },
  workspace: {
    workspaceFolders: undefined,
    getConfiguration: () => ({ get: () => binary }),
    openTextDocument: async (document) => { shown.documents.push(document.content); },
  },
};
const load = Module._load;
Module._load = (name, ...rest) => (name === 'vscode' ? editor : load(name, ...rest));

async function byClient() {
  const { CancellationTokenSource } = Module.createRequire(`${compiled}/`)('vscode-jsonrpc/node');
  const { PlugdClient, PlugdError, reference } = require(path.join(compiled, 'client.js'));
  const client = await PlugdClient.start(binary, { name: 'node', version: '1.0.0' });
  check('initialize', true);
  const [marketplace] = (await client.list()).marketplaces;
  const plugin = marketplace.plugins.find((one) => one.name === 'hello');
  check('list', plugin && !plugin.installed, marketplace);
  const named = reference(marketplace, plugin);
  const detail = await client.read(named);
  check('read', detail.description === 'Says hello', detail);

  const source = new CancellationTokenSource();
  const asked = client.install(named, () => {}, source.token);
  source.cancel();
  const answer = await asked.then((done) => done.installedVersion, (error) => error.cancelled);
  check('cancel', answer === true || answer === '1.0.0', answer);

  const kinds = [];
  const installed = await client.install(named, (value) => kinds.push(value.kind));
  check('progress', kinds[0] === 'begin' && kinds.includes('report'), kinds);
  check('install', installed.installedVersion === '1.0.0', installed);
  await client.uninstall('hello@demo');
  check('uninstall', true);
  const refused = await client.uninstall('no id').catch((error) => error);
  check('refusal', refused instanceof PlugdError && refused.data.kind === 'invalidInput', refused);
  check('close', (await client.stop()) === 0, 'the exit code');
  const missing = await PlugdClient.start(`${binary}-missing`, { name: 'node', version: '1' })
    .catch((error) => error);
  check('missing', missing.code === 'ENOENT', missing);
}

async function row() {
  const [marketplace] = await tree.getChildren();
  const plugins = await tree.getChildren(marketplace);
  return plugins.find((one) => one.plugin.name === 'hello');
}

async function byExtension() {
  const { activate } = require(path.join(compiled, 'extension.js'));
  const context = { subscriptions: [] };
  activate(context);
  const told = new Promise((resolve) => { changed = resolve; });
  const state = async () => tree.getTreeItem(await row()).contextValue;
  check('tree', (await state()) === 'plugin.available', shown);
  await commands.get('plugd.read')(await row());
  check('document', shown.documents[0]?.startsWith('# hello@demo\n\nSays hello'), shown);
  await commands.get('plugd.install')(await row());
  check('notification', shown.progress.some((one) => one.message === 'copying'), shown);
  await told;
  check('installed', (await state()) === 'plugin.installed', shown);
  await commands.get('plugd.uninstall')(await row());
  check('uninstalled', (await state()) === 'plugin.available', shown);
  check('silence', shown.errors.length === 0, shown.errors);
  for (const one of context.subscriptions) one.dispose();
}

byClient().then(byExtension).catch((error) => check('error', false, String(error.stack)));
