// Gets a fresh clone to where everything else can run. Node built-ins only: it runs before node_modules exists.
// Usage: node cli/setup.mjs start|demo|test|bench|build
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  fail(`Node ${process.versions.node} is too old: install Node 20.19 or newer`);
}

const installed = changedAt('node_modules/.package-lock.json');
if (installed === undefined || installed < (changedAt('package-lock.json') ?? 0)) {
  console.log('setup: installing npm packages (about a minute, once)');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const done = spawnSync(npm, ['ci', '--no-audit', '--no-fund', '--no-update-notifier'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (done.status !== 0) fail('npm ci failed for the reason above: put it right and run the command again');
}

// The rest is TypeScript, now that it can be run.
const rest = spawnSync(
  process.execPath,
  ['--import', 'tsx', join('cli', 'setup', 'main.ts'), ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
);
process.exit(rest.status ?? 1);

/** @param {string} path relative to the root */
function changedAt(path) {
  return statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs;
}

/**
 * @param {string} sentence what is wrong and what to do
 * @returns {never}
 */
function fail(sentence) {
  console.error(`setup: ${sentence}`);
  process.exit(1);
}
