import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '../../logger.js';
import { ensureWorkflowBundle } from '../../workers/bundle.js';
import { installRuntime } from '../../workers/runtime.js';
import { readHistory } from './history-json.js';

/** Histories of every workflow as they ended with earlier code; `record.ts` writes them. */
const folder = fileURLToPath(new URL('./histories/', import.meta.url));
const names = readdirSync(folder).map((name) => name.replace('.json', ''));

let workflowBundle: { codePath: string };

beforeAll(async () => {
  installRuntime(createLogger({ level: 'silent', name: 'replay' }));
  workflowBundle = { codePath: await ensureWorkflowBundle() };
});

const read = (name: string): string => readFileSync(`${folder}${name}.json`, 'utf8');

describe('replay', () => {
  it('covers every workflow, finished, failed, cancelled and retried', () => {
    const workflows = ['explainer', 'stage', 'webhook', 'personalized', 'recipient', 'conversion', 'lipsync'];
    for (const workflow of workflows) {
      for (const end of ['finished', 'failed', 'cancelled', 'retried']) {
        expect(names.some((name) => name.startsWith(workflow) && name.endsWith(end))).toBe(true);
      }
    }
  });

  it.each(names)('%s', async (name) => {
    await Worker.runReplayHistory({ workflowBundle }, readHistory(read(name)));
  });

  it('fails for a history that this code would not have made', async () => {
    const mutated = read('explainer-finished').replaceAll('"timeCaptions"', '"drawThumbnail"');
    expect(mutated).not.toBe(read('explainer-finished'));
    await expect(Worker.runReplayHistory({ workflowBundle }, readHistory(mutated))).rejects.toBeInstanceOf(
      DeterminismViolationError,
    );
  });
});
