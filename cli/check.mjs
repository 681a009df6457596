// Types, lint and format side by side, each one's words when it ends: alone each of them leaves cores idle.
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';

const checks = ['typecheck', 'lint', 'format:check'];

/** @param {string} name a script of package.json */
async function run(name) {
  const startedAt = Date.now();
  const child = spawn('npm', ['run', '--silent', name], { stdio: ['ignore', 'pipe', 'pipe'] });
  /** @type {Buffer[]} */
  const words = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (more) => words.push(more));
  const code = await new Promise((resolve) => child.once('close', resolve).once('error', resolve));
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(0);
  process.stdout.write(Buffer.concat(words));
  console.log(`check: ${name} ${code === 0 ? 'passed' : 'failed'} after ${seconds} s`);
  return code === 0;
}

console.log(`check: ${checks.join(', ')}`);
const results = availableParallelism() > 1 ? await Promise.all(checks.map(run)) : [];
for (const name of checks.slice(results.length)) results.push(await run(name));
process.exit(results.every(Boolean) ? 0 : 1);
