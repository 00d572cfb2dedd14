// Drives the compiled extension of examples/vscode: its client by itself, and the extension with a
// stand-in for the editor. COMPILED is the directory of its modules.

const childProcess = require('node:child_process');
const fs = require('node:fs');
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
let documents;
let program = binary;
let changed = () => {};
const disposable = { dispose() {} };
const editor = {
  version: '1.90.0',
  EventEmitter: class {
    #listener = () => {};
    event = (listener) => { this.#listener = listener; return disposable; };
    fire(what) { this.#listener(what); }
  },
  ThemeIcon: class { constructor(id) { this.id = id; } },
  Uri: { from: (parts) => parts },
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
    getConfiguration: () => ({ get: () => program }),
    registerTextDocumentContentProvider(_, provider) {
      documents = provider;
      return disposable;
    },
    openTextDocument: async (uri) => {
      shown.documents.push(`${uri.path}\n${documents.provideTextDocumentContent(uri)}`);
    },
  },
};
// The daemon that was started last.
let daemon;
const { spawn } = childProcess;
childProcess.spawn = (...how) => {
  daemon = spawn(...how);
  return daemon;
};
const load = Module._load;
Module._load = (name, ...rest) => (name === 'vscode' ? editor : load(name, ...rest));

// What comes first: the promise, or the end of so much time.
function within(milliseconds, promise) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, milliseconds, `nothing within ${milliseconds} ms`);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const me = { name: 'node', version: '1.0.0' };

async function byClient() {
  const { CancellationTokenSource } = Module.createRequire(`${compiled}/`)('vscode-jsonrpc/node');
  const { PlugdClient, PlugdError, reference } = require(path.join(compiled, 'client.js'));
  const client = await PlugdClient.start(binary, me);
  check('initialize', true);
  const [marketplace] = (await client.list()).marketplaces;
  const plugin = marketplace.plugins.find((one) => one.name === 'hello');
  check('list', plugin && !plugin.installed, marketplace);
  const named = reference(marketplace, plugin);
  const detail = await client.read(named);
  check('read', detail.description === 'Says hello', detail);

  const installed = async () => {
    const [{ plugins }] = (await client.list()).marketplaces;
    return plugins.find((one) => one.name === 'hello').installedVersion;
  };

  // Something holds the installation up, so only a cancelled one is answered soon.
  const source = new CancellationTokenSource();
  const asked = client.install(named, () => {}, source.token);
  source.cancel();
  const answer = await within(3000, asked.catch((error) => error));
  check('cancel', answer.cancelled && answer.code === -32800 && !(await installed()), answer);

  const kinds = [];
  const done = await client.install(named, (value) => kinds.push(value.kind));
  check('progress', kinds[0] === 'begin' && kinds.includes('report'), kinds);
  check('install', [done.installedVersion, await installed()].join() === '1.0.0,1.0.0', done);
  await client.uninstall('hello@demo');
  check('uninstall', (await installed()) === null, await installed());
  const refused = await client.uninstall('no id').catch((error) => error);
  check('refusal', refused instanceof PlugdError && refused.data.kind === 'invalidInput', refused);
  check('close', (await client.stop()) === 0, 'the exit code');
  const missing = await PlugdClient.start(`${binary}-missing`, me).catch((error) => error);
  check('missing', missing.code === 'ENOENT', missing);
}

// Nothing waits for ever: not for a daemon that cannot start, nor for one that is killed, nor for a
// program that is none.
async function whenItEnds() {
  const { EndedError, PlugdClient, reference } = require(path.join(compiled, 'client.js'));
  const home = process.env.CODEX_HOME;
  process.env.CODEX_HOME = '/nowhere/home';
  const refused = await within(20000, PlugdClient.start(binary, me).catch((error) => error));
  process.env.CODEX_HOME = home;
  check('no-home', refused instanceof EndedError, String(refused));

  const client = await PlugdClient.start(binary, me);
  const { marketplaces: [marketplace] } = await client.list();
  const plugin = marketplace.plugins.find((one) => one.name === 'hello');
  const ended = new Promise((resolve) => client.onEnd(resolve));
  // Killed in the middle, by the first word about how far it is.
  const told = (value) => { if (value.kind === 'begin') daemon.kill('SIGKILL'); };
  const killed = await within(20000, client.install(reference(marketplace, plugin), told)
    .catch((error) => error));
  check('killed', killed instanceof EndedError, String(killed));
  await within(20000, ended);
  const after = await within(20000, client.list().catch((error) => error));
  check('after', after instanceof EndedError, String(after));
  check('stop', (await within(20000, client.stop())) === null, 'the exit code');

  const shim = (text) => {
    fs.writeFileSync('shim', `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    return within(20000, PlugdClient.start(path.resolve('shim'), me, 500).catch((error) => error));
  };
  const mute = await shim('exec sleep 600');
  check('mute', mute instanceof EndedError && mute.message.includes('handshake'), String(mute));
  const noise = await shim('echo using plugd; exec "$PLUGD_BINARY" "$@"');
  check('noise', noise instanceof EndedError, String(noise));
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
  program = `${binary}-missing`;
  const nothing = await tree.getChildren();
  check('unstarted', nothing.length === 0 && shown.errors.length === 1, shown);
  program = binary;
  shown.errors = [];

  const told = new Promise((resolve) => { changed = resolve; });
  const state = async () => tree.getTreeItem(await row()).contextValue;
  check('tree', (await state()) === 'plugin.available', shown);
  await commands.get('plugd.read')(await row());
  check('document', shown.documents[0]?.startsWith('/hello@demo.md\n# hello@demo\n\nSays hello'), shown);
  await commands.get('plugd.install')(await row());
  check('notification', shown.progress.some((one) => one.message === 'activating'), shown);
  await told;
  check('installed', (await state()) === 'plugin.installed', shown);
  await commands.get('plugd.uninstall')(await row());
  check('uninstalled', (await state()) === 'plugin.available', shown);
  check('silence', shown.errors.length === 0, shown.errors);

  // The tree asks another daemon when this one is no more.
  const ended = new Promise((resolve) => { changed = resolve; });
  daemon.kill('SIGKILL');
  await within(20000, ended);
  check('again', (await state()) === 'plugin.available' && shown.errors.length === 0, shown);
  fs.appendFileSync(
    path.join(process.env.CODEX_HOME, 'config.toml'),
    '\n[marketplaces.gone]\nsource_type = "local"\nsource = "/nowhere/gone"\n',
  );
  const problem = (await tree.getChildren()).find((one) => one.kind === 'problem');
  const complaint = problem && tree.getTreeItem(problem);
  check('complaint', complaint?.label.includes('/nowhere/gone'), complaint);
  for (const one of context.subscriptions) one.dispose();
}

byClient().then(whenItEnds).then(byExtension).catch((error) => check('error', false, String(error.stack)));
