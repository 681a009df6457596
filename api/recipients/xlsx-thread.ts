import { parentPort, workerData } from 'node:worker_threads';
import { readSheet } from 'read-excel-file/node';
import { maxCellLength, maxColumns, maxRecipients, RecipientsRefusedError } from './recipient-rows.js';
import { unpackWorkbook } from './unpack-workbook.js';
import type { SheetAnswer } from './xlsx-rows.js';

/** UTF-16 units of all cells: as much as the largest CSV has. Any number of cells can share one text. */
const maxTextLength = 20 * 1024 ** 2;

/** Reads one workbook and ends. Cells come back as the text that stands in them. */
async function answer(): Promise<SheetAnswer> {
  if (!(workerData instanceof Uint8Array)) return { refusal: 'there is no workbook' };
  try {
    const workbook = await unpackWorkbook(workerData);
    // Numbers stay as they are written: a postcode is no quantity.
    const sheet = await readSheet(workbook, { parseNumber: (text) => text });
    // One more of each than is taken, so that it can be said.
    const rows = sheet
      .slice(0, maxRecipients + 2)
      .map((row) => row.slice(0, maxColumns + 1).map((cell) => cellText(cell).slice(0, maxCellLength + 1)));
    const length = rows.flat().reduce((sum, cell) => sum + cell.length, 0);
    return length > maxTextLength
      ? { refusal: 'the sheet has far more text than a table of recipients needs' }
      : { rows };
  } catch (error) {
    return {
      refusal: error instanceof RecipientsRefusedError ? error.message : 'the workbook cannot be read',
    };
  }
}

function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return '';
  if (cell instanceof Date) return cell.toISOString().slice(0, 10);
  if (typeof cell === 'string') return cell;
  return typeof cell === 'boolean' || typeof cell === 'number' ? String(cell) : '';
}

parentPort?.postMessage(await answer());
