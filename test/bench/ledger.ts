import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../cli/stack/free-port.js';
import { startPostgres } from '../../cli/stack/postgres.js';
import { createSupervisor } from '../../cli/stack/process-supervisor.js';
import { migrateUp, openDatabase } from '../../db/database.js';
import { readBalance } from '../../db/ledger.js';
import { runRandomLedger, type RandomLedgerOutcome } from '../support/random-ledger.js';
import { median } from './statistics.js';

export interface LedgerFigures extends RandomLedgerOutcome {
  seconds: number;
  balanceReadMs: number;
}

const lanes = 8;

/** Random operations on a database of its own; see `runRandomLedger` for what is checked afterwards. */
export async function benchLedger(operations: number): Promise<LedgerFigures> {
  const dir = await mkdtemp(join(tmpdir(), 'callsheet-ledger-'));
  const supervisor = createSupervisor();
  const { url } = await startPostgres({ dir, port: await freePort(), volatile: true, supervisor });
  const db = openDatabase({ url, schema: 'bench', poolSize: lanes + 2 }, () => undefined);
  try {
    await migrateUp(db, 'bench');
    const startedAt = performance.now();
    const outcome = await runRandomLedger(db, { operations, batch: 200, lanes, seed: 1 });
    const seconds = (performance.now() - startedAt) / 1000;

    const { id } = await db.selectFrom('users').select('id').limit(1).executeTakeFirstOrThrow();
    const reads: number[] = [];
    for (let count = 0; count < 200; count += 1) {
      const from = performance.now();
      await readBalance(db, id);
      reads.push(performance.now() - from);
    }
    return { ...outcome, seconds, balanceReadMs: median(reads) };
  } finally {
    await db.destroy();
    await supervisor.stopAll();
    await rm(dir, { recursive: true, force: true });
  }
}

export function ledgerTable(figures: LedgerFigures): string {
  const { operations, transactions, seconds, refused, faults, balanceReadMs } = figures;
  return [
    `operations ${operations} in ${transactions} transactions, ${seconds.toFixed(0)} s, ` +
      `${(operations / seconds).toFixed(0)} a second`,
    `refused: ${refused.insufficient} for too few credits, ${refused.released} captures after a release`,
    `a balance is read in ${balanceReadMs.toFixed(2)} ms`,
    faults.length === 0 ? 'the books are in order' : `BROKEN: ${JSON.stringify(faults)}`,
  ].join('\n');
}
