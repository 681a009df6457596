import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { checkLedger } from '../../db/ledger-check.js';
import { terminalStatuses } from '../../workflows/contract/jobs.js';
import type { E2eStack } from './e2e-stack.js';
import { eventually } from './system-processes.js';

/**
 * What must hold after whatever went wrong, once the jobs named in `waiting` are all that is not over: every other job has
 * ended in its row and in the engine, no program of theirs runs, nothing half-made lies about, the books are in order,
 * and every artifact that a row promises is in storage, whole.
 */
export async function expectInvariants(stack: E2eStack, waiting: readonly string[] = []): Promise<void> {
  const jobs = await stack.db.selectFrom('jobs').select(['id', 'status', 'submitted_at']).execute();
  const open = jobs.filter((job) => !terminalStatuses.includes(job.status));
  expect(open.map((job) => job.id).sort()).toEqual([...waiting].sort());
  for (const { id, submitted_at: submittedAt } of jobs) {
    // One that was cancelled before the engine heard of it has no workflow.
    if (submittedAt === null) continue;
    const isOpen = waiting.includes(id);
    // The workflow ends a moment after it has written its last word.
    await eventually(`workflow of job ${id} to be over`, async () => {
      const isRunning = (await stack.workflowStatus(id)) === 'RUNNING';
      return isRunning === isOpen ? true : undefined;
    });
  }

  const left = () => ({
    ffmpegs: stack.ffmpegs().map((one) => one.args.join(' ')),
    scratch: stack.scratchFiles(),
    drafts: drafts(stack.dataDir),
  });
  const nothing = { ffmpegs: [], scratch: [], drafts: [] };
  await eventually('everything to be cleaned up', () => (isEmpty(left()) ? true : undefined), 10_000).catch(
    () => undefined,
  );
  expect(left()).toEqual(nothing);

  const orphans = await stack.db
    .selectFrom('job_artifacts')
    .leftJoin('artifacts', 'artifacts.id', 'job_artifacts.artifact_id')
    .where('artifacts.id', 'is', null)
    .select('job_artifacts.artifact_id')
    .execute();
  expect(orphans).toEqual([]);
  await expectBooks(stack);
  await expectStored(stack);
}

/**
 * The ledger is in order, a job is charged exactly what its captures say, which is what it delivered, and nothing is set
 * aside for a job that is over.
 */
async function expectBooks({ db }: E2eStack): Promise<void> {
  expect(await checkLedger(db)).toEqual([]);
  const jobs = await db
    .selectFrom('jobs')
    .select(['id', 'type', 'status', 'credits_quoted as quoted', 'credits_charged as charged'])
    .select((eb) => [
      eb
        .selectFrom('credit_transactions as capture')
        .select(({ fn }) => fn.coalesce(fn.sum<string>('capture.amount'), sql<string>`0`).as('sum'))
        .where('capture.kind', '=', 'capture')
        .whereRef('capture.job_id', '=', 'jobs.id')
        .as('captured'),
      eb
        .selectFrom('credit_open_holds as hold')
        .select(({ fn }) => fn.countAll<string>().as('count'))
        .whereRef('hold.job_id', '=', 'jobs.id')
        .as('open'),
      // Those behind the job's own were delivered, and paid for, by the job that it retries.
      eb
        .selectFrom('job_recipients as recipient')
        .select(({ fn }) => fn.countAll<string>().as('count'))
        .whereRef('recipient.job_id', '=', 'jobs.id')
        .where('recipient.status', '=', 'completed')
        .whereRef('recipient.position', '<', sql<number>`(jobs.workflow_input ->> 'recipientCount')::int`)
        .as('delivered'),
    ])
    .execute();
  const wrong = jobs.filter(({ type, status, quoted, charged, captured, open, delivered }) => {
    const isOver = terminalStatuses.includes(status);
    if (Number(captured) !== charged || (isOver && Number(open) > 0)) return true;
    // A batch is charged by its recipients, any other job whole or not at all.
    if (type === 'personalized') return charged !== Number(delivered);
    if (!isOver) return false;
    return charged !== (status === 'completed' ? quoted : 0);
  });
  expect(wrong).toEqual([]);
}

async function expectStored({ db, storage }: E2eStack): Promise<void> {
  const rows = await db.selectFrom('artifacts').select(['id', 'sha256', 'bytes']).execute();
  const broken: string[] = [];
  for (const { id, sha256, bytes } of rows) {
    const hash = createHash('sha256');
    let length = 0;
    try {
      for await (const chunk of (await storage.read(`artifacts/${id}`)) as AsyncIterable<Buffer>) {
        hash.update(chunk);
        length += chunk.length;
      }
    } catch (error) {
      broken.push(`${id}: ${String(error)}`);
      continue;
    }
    if (length !== Number(bytes) || hash.digest('hex') !== sha256) broken.push(`${id}: other bytes`);
  }
  expect(broken).toEqual([]);
}

/** Files that are written but not published. */
function drafts(dataDir: string): string[] {
  const temporary = listed(join(dataDir, 'storage', 'temporary'));
  const partial = listed(join(dataDir, 'artifact-cache')).filter((name) => name.startsWith('.part-'));
  return [...temporary, ...partial];
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isEmpty(left: Record<string, string[]>): boolean {
  return Object.values(left).every((list) => list.length === 0);
}
