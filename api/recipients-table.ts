import { readFile } from 'node:fs/promises';
import type { AssetRow } from '../db/assets.js';
import type { RouteDeps } from './context.js';
import { ProblemError } from './errors.js';
import { readAsset } from './read-asset.js';
import { readRecipients, type RecipientTable } from './recipients/read-recipients.js';
import { RecipientsRefusedError } from './recipients/recipient-rows.js';

/** @throws ProblemError `invalid_recipients` naming every row that is wrong */
export async function readTable(
  { storage }: Pick<RouteDeps, 'storage'>,
  list: AssetRow,
  nameColumn: string,
): Promise<RecipientTable> {
  return namingRows(async () => readRecipients(await readAsset(storage, list), nameColumn));
}

/** The same of a file that has just come. @throws ProblemError `invalid_recipients` */
export async function readTableFile(path: string, nameColumn: string): Promise<RecipientTable> {
  return namingRows(async () => readRecipients(await readFile(path), nameColumn));
}

async function namingRows(read: () => Promise<RecipientTable>): Promise<RecipientTable> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof RecipientsRefusedError)) throw error;
    throw new ProblemError('invalid_recipients', {
      errors: error.problems.map(({ row, column, message }) => ({
        path: ['recipients', row === null ? null : `row ${row}`, column]
          .filter((part) => part !== null)
          .join('.'),
        message,
      })),
      cause: error,
    });
  }
}
