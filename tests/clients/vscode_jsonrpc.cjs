// The package vscode-jsonrpc as it comes, against the binary in PLUGD_BINARY; takes every step and
// prints a line for each. NODE_PATH names the directory of the package.

const { spawn } = require('node:child_process');
const rpc = require('vscode-jsonrpc/node');

function check(step, fine, why) {
  console.log(fine ? `step ${step} ok` : `step ${step} failed: ${JSON.stringify(why)}`);
  if (!fine) process.exit(1);
}

async function main() {
  const daemon = spawn(process.env.PLUGD_BINARY, ['app-server'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise((resolve) => daemon.on('exit', resolve));
  const connection = rpc.createMessageConnection(
    new rpc.StreamMessageReader(daemon.stdout),
    new rpc.StreamMessageWriter(daemon.stdin),
  );
  connection.listen();
  const hello = await connection.sendRequest('initialize', {
    clientInfo: { name: 'vscode-jsonrpc' },
  });
  check('initialize', hello.serverInfo.name === 'plugd', hello);
  await connection.sendNotification('initialized');

  const listing = await connection.sendRequest('plugin/list', {});
  check('list', listing.marketplaces[0].name === 'demo', listing);
  const plugin = { marketplacePath: listing.marketplaces[0].path, pluginName: 'hello' };
  const reading = await connection.sendRequest('plugin/read', plugin);
  check('read', reading.plugin.description === 'Says hello', reading);

  const now = async () => {
    const { marketplaces } = await connection.sendRequest('plugin/list', {});
    return marketplaces[0].plugins.find((one) => one.name === 'hello').installedVersion;
  };

  // Something holds the installation up, so only a cancelled one is answered soon.
  // The package sends `$/cancelRequest` by itself when the source of the token says so.
  const source = new rpc.CancellationTokenSource();
  const asked = connection.sendRequest('plugin/install', plugin, source.token);
  source.cancel();
  const late = new Promise((resolve) => { setTimeout(resolve, 3000, 'no answer in time').unref(); });
  const answer = await Promise.race([asked.catch((error) => error.code), late]);
  check('cancel', answer === -32800 && (await now()) === null, answer);

  // It knows progress by token, too.
  const kinds = [];
  const told = new Promise((resolve) => {
    connection.onProgress(new rpc.ProgressType(), 'installing', (value) => {
      kinds.push(value.kind);
      if (value.kind === 'end') resolve();
    });
  });
  const token = { ...plugin, workDoneToken: 'installing' };
  const installed = await connection.sendRequest('plugin/install', token);
  await told;
  check('progress', kinds[0] === 'begin' && kinds.includes('report'), kinds);
  check('install', [installed.installedVersion, await now()].join() === '1.0.0,1.0.0', installed);
  await connection.sendRequest('plugin/uninstall', { pluginId: 'hello@demo' });
  check('uninstall', (await now()) === null, await now());

  await connection.sendRequest('shutdown');
  await connection.sendNotification('exit');
  check('close', (await ended) === 0, 'the exit code');
  connection.dispose();
}

main().catch((error) => check('error', false, String(error)));
