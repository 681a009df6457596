import { Worker } from 'node:worker_threads';
import { createGate } from '../gate.js';
import { asCsv, maxColumns, refuseFile, type TableRow } from './recipient-rows.js';

/** For the thread that reads, so that a hostile file costs this much at most. */
const memory = { maxOldGenerationSizeMb: 80, maxYoungGenerationSizeMb: 8 };
/** A client hears within five seconds. */
const timeoutMs = 4_000;

/** Each takes its memory. */
const reading = createGate(2);

/** What the thread sends back. */
export type SheetAnswer = { rows: string[][] } | { refusal: string };

/**
 * Reads the first sheet of a workbook, in a thread with bounded memory and time.
 * @throws RecipientsRefusedError
 */
export async function readXlsxRows(bytes: Uint8Array): Promise<TableRow[]> {
  const cells = await reading(() => readInThread(bytes));
  if (cells.some((row) => row.length > maxColumns)) {
    throw refuseFile(`the sheet has more than ${maxColumns} columns`);
  }
  return cells.map((row, index) => ({ number: index + 1, cells: row }));
}

function readInThread(bytes: Uint8Array): Promise<string[][]> {
  const entry = import.meta.url.endsWith('.ts') ? './xlsx-thread-from-source.mjs' : './xlsx-thread.js';
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL(entry, import.meta.url), {
      workerData: bytes,
      resourceLimits: memory,
      stderr: true,
    });
    const timer = setTimeout(() => {
      reject(refuseFile(`the workbook takes too long to read; ${asCsv}`));
      void thread.terminate();
    }, timeoutMs);
    thread.once('message', (answer: SheetAnswer) => {
      if ('rows' in answer) resolve(answer.rows);
      else reject(refuseFile(answer.refusal));
      void thread.terminate();
    });
    // Out of memory, most of all: a sheet that says it has a billion rows.
    thread.once('error', () => {
      reject(refuseFile('the workbook cannot be read'));
    });
    thread.once('exit', () => {
      clearTimeout(timer);
      reject(refuseFile('the workbook cannot be read'));
    });
  });
}
