import { parentPort, workerData } from 'node:worker_threads';
import { readSheet } from 'read-excel-file/node';
import { maxRecipients } from './recipient-rows.js';
import type { SheetAnswer } from './xlsx-rows.js';

/** Reads one workbook and ends. Cells come back as the text that stands in them. */
async function answer(): Promise<SheetAnswer> {
  if (!(workerData instanceof Uint8Array)) return { refusal: 'there is no workbook' };
  try {
    // Numbers stay as they are written: a postcode is no quantity.
    const sheet = await readSheet(Buffer.from(workerData), { parseNumber: (text) => text });
    const rows = sheet.slice(0, maxRecipients + 2).map((row) => row.map(cellText));
    return { rows };
  } catch {
    return { refusal: 'the workbook cannot be read' };
  }
}

function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return '';
  if (cell instanceof Date) return cell.toISOString().slice(0, 10);
  if (typeof cell === 'string') return cell;
  return typeof cell === 'boolean' || typeof cell === 'number' ? String(cell) : '';
}

parentPort?.postMessage(await answer());
