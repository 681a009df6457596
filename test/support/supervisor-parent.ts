/**
 * A process that supervises a few children and then waits to be killed; prints their ids, one line of JSON.
 * Argument: folder for logs.
 */
import { join } from 'node:path';
import { createSupervisor } from '../../cli/stack/process-supervisor.js';

const folder = process.argv[2] ?? '.';
const supervisor = createSupervisor();
const plain = await supervisor.start({
  name: 'sleeper',
  command: '/bin/sleep',
  args: ['600'],
  logFile: join(folder, 'sleeper.log'),
});
// Asks politely in vain: it ignores TERM and has a child of its own in its group.
const stubborn = await supervisor.start({
  name: 'stubborn',
  command: '/bin/sh',
  args: ['-c', "trap '' TERM; sleep 21 & echo $!; wait; sleep 22"],
  logFile: join(folder, 'stubborn.log'),
  stopTimeoutMs: 300,
});
process.stdout.write(`${JSON.stringify([plain.pid, stubborn.pid])}\n`);
process.on('SIGTERM', () => {
  void supervisor.stopAll().then(() => process.exit(0));
});
// What an unforeseen error does.
process.on('SIGUSR2', () => {
  throw new Error('crashed on purpose');
});
setInterval(() => undefined, 1_000);
