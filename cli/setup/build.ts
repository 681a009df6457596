import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runToEnd } from '../stack/run-to-end.js';
import { isCurrent, markCurrent } from './build-stamp.js';
import { say, SetupError } from './say.js';

interface BuildStep {
  name: string;
  announcement: string;
  /** Folders and files, relative to the root, that the result depends on. */
  inputs: readonly string[];
  /** Files without which the step is done again, whatever its inputs. */
  outputs: readonly string[];
  args: readonly string[];
}

const sources = [
  'api',
  'workflows',
  'activities',
  'storage',
  'workers',
  'db',
  'cli',
  'config.ts',
  'logger.ts',
];
const shared = ['package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];

const steps: readonly BuildStep[] = [
  {
    name: 'typescript',
    announcement: 'compiling TypeScript',
    inputs: [...sources, ...shared],
    outputs: ['dist/api/server.js', 'dist/workers/main.js', 'dist/cli/main.js'],
    args: ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'],
  },
  {
    name: 'workflow-bundle',
    announcement: 'bundling the workflows',
    inputs: ['workflows', 'package-lock.json'],
    outputs: ['dist/workflow-bundle.js'],
    args: ['dist/workers/build-bundle.js'],
  },
];

/** Everything that is made from the sources; what is current is left alone. Run in the project's root. */
export async function buildAll(): Promise<void> {
  for (const step of steps) {
    const [program = ''] = step.args;
    const hasOutputs = step.outputs.every((path) => existsSync(path));
    if (hasOutputs && (await isCurrent(step.name, step.inputs))) continue;
    say(step.announcement);
    await runToEnd(process.execPath, step.args, { timeoutMs: 10 * 60_000 }).catch((error: unknown) => {
      throw new SetupError(
        `${step.announcement} failed: ${error instanceof Error ? error.message : String(error)}`,
      );
    });
    const missing = step.outputs.find((path) => !existsSync(path));
    if (missing !== undefined) throw new SetupError(`${join(program)} did not make ${missing}`);
    await markCurrent(step.name, step.inputs);
  }
}
