import { ESLint } from 'eslint';
import { beforeAll, expect, test } from 'vitest';

const eslint = new ESLint();

/** Rules that complain about `code` if it stood in `file`, which has to exist, as types are looked up for it. */
async function complaints(file: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath: file });
  return (result?.messages ?? []).map(({ ruleId, message }) => ruleId ?? message);
}

// The first look at the types takes most of the time.
beforeAll(async () => {
  await complaints('config.ts', '');
});

const paths = 'import-x/no-restricted-paths';
const imports = 'no-restricted-imports';

test.each<[what: string, file: string, code: string, rule: string]>([
  [
    'a Node module in a workflow',
    'workflows/explainer.ts',
    `import { readFile } from 'node:fs/promises';\nexport const read = readFile;\n`,
    imports,
  ],
  [
    'an activity called by a workflow',
    'workflows/explainer.ts',
    `import { canonicalHash } from '../activities/canonical-hash.js';\nexport const hash = canonicalHash;\n`,
    '@typescript-eslint/no-restricted-imports',
  ],
  [
    'an activity without a summary',
    'workflows/webhook.ts',
    `import { delivery } from './activity-proxies.js';\nexport const run = () => delivery.deliverWebhook({ jobId: '', userId: '' });\n`,
    'no-restricted-syntax',
  ],
  [
    'a time limit that can be collected',
    'activities/cached.ts',
    `export const limit = (signal: AbortSignal) => AbortSignal.any([signal, AbortSignal.timeout(9)]);\n`,
    'no-restricted-syntax',
  ],
  [
    'the database in a workflow',
    'workflows/explainer.ts',
    `import { openDatabase } from '../db/database.js';\nexport const open = openDatabase;\n`,
    paths,
  ],
  [
    'a workflow in the API',
    'api/app.ts',
    `import { explainer } from '../workflows/explainer.js';\nexport const run = explainer;\n`,
    imports,
  ],
  [
    'an activity in the API',
    'api/app.ts',
    `import { canonicalHash } from '../activities/canonical-hash.js';\nexport const hash = canonicalHash;\n`,
    paths,
  ],
  [
    'the API in an activity',
    'activities/cached.ts',
    `import { createApp } from '../api/app.js';\nexport const app = createApp;\n`,
    paths,
  ],
  [
    'storage in the database layer',
    'db/users.ts',
    `import { createStorage } from '../storage/create-storage.js';\nexport const storage = createStorage;\n`,
    paths,
  ],
  [
    'the API in a worker',
    'workers/pools.ts',
    `import { createApp } from '../api/app.js';\nexport const app = createApp;\n`,
    paths,
  ],
  [
    'the environment outside config.ts',
    'api/app.ts',
    `export const key = process.env['KEY'];\n`,
    'no-restricted-properties',
  ],
  ['the console', 'api/app.ts', `console.log('here');\n`, 'no-console'],
  [
    'a promise that nobody waits for',
    'api/app.ts',
    `export function go(): void {\n  Promise.resolve();\n}\n`,
    '@typescript-eslint/no-floating-promises',
  ],
  ...[
    'lucia',
    'fluent-ffmpeg',
    '@google/generative-ai',
    'elevenlabs',
    '@echogarden/espeak-ng-emscripten',
  ].map((name): [string, string, string, string] => [
    `${name} outside its one file`,
    'activities/cached.ts',
    `import * as everything from '${name}';\nexport const all = everything;\n`,
    imports,
  ]),
])('%s is refused', async (_what, file, code, rule) => {
  expect(await complaints(file, code)).toContain(rule);
});

test.each<[what: string, file: string, code: string]>([
  [
    'the types of activities in a workflow',
    'workflows/explainer.ts',
    `import type { GenerationCache } from '../activities/cached.js';\nexport type Cache = GenerationCache;\n`,
  ],
  [
    'the contract in the API',
    'api/app.ts',
    `import { taskQueue } from '../workflows/contract/jobs.js';\nexport const queue = taskQueue('media');\n`,
  ],
  ['the environment in config.ts', 'config.ts', `export const key = process.env['KEY'];\n`],
])('%s passes', async (_what, file, code) => {
  expect(await complaints(file, code)).toEqual([]);
});
