import { setImmediate as othersTurn } from 'node:timers/promises';
import { readCsvRows } from './csv-rows.js';
import {
  maxCellLength,
  maxRecipients,
  RecipientsRefusedError,
  refuseFile,
  type RecipientProblem,
  type TableRow,
} from './recipient-rows.js';
import { readXlsxRows } from './xlsx-rows.js';

/** One person to greet. */
export interface Recipient {
  /** The row in the file, as a spreadsheet counts. */
  row: number;
  name: string;
  /** Every column by its header as it is written in the file; the name is there as `name` in any case. */
  fields: Record<string, string>;
}

export interface RecipientTable {
  /** Headers as they are written. */
  columns: string[];
  recipients: Recipient[];
}

/** Rows that are looked at before other requests have their turn. */
const rowsAtOnce = 200;
/** Problems that are named one by one; of more, their number is. */
const mostProblems = 100;
/** UTF-16 units of a name; what is longer is not one. */
const maxNameLength = 200;
/** Members that objects have of their own. */
const forbiddenHeaders = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Reads the recipients from a CSV or XLSX file, whichever its first bytes say.
 *
 * @param nameColumn header of the column with the names, in any case.
 * @throws RecipientsRefusedError naming every row that is wrong.
 */
export async function readRecipients(bytes: Uint8Array, nameColumn = 'name'): Promise<RecipientTable> {
  if (bytes.length === 0) throw refuseFile('the file is empty');
  const isArchive = bytes[0] === 0x50 && bytes[1] === 0x4b;
  const rows = await (isArchive ? readXlsxRows(bytes) : readCsvRows(bytes));
  const [header, ...body] = rows;
  if (header === undefined) throw refuseFile('the file has no rows');
  const columns = readHeader(header);
  const keys = columns.map(headerKey);
  const nameIndex = keys.indexOf(headerKey(nameColumn));
  if (nameIndex < 0) {
    const there = columns.filter((column) => column !== '').join(', ');
    throw refuseFile(`there is no column "${nameColumn}"; the header has: ${there.slice(0, 500)}`);
  }
  const filled = body.filter(({ cells }) => cells.some((cell) => cell.trim() !== ''));
  if (filled.length === 0) throw refuseFile('there are no rows below the header');
  if (filled.length > maxRecipients) throw refuseFile(`there are more than ${maxRecipients} recipients`);

  const problems: RecipientProblem[] = [];
  let problemCount = 0;
  const refuse = (problem: RecipientProblem) => {
    problemCount += 1;
    if (problems.length < mostProblems) problems.push(problem);
  };
  const hasName = keys.includes('name');
  const recipients: Recipient[] = [];
  for (const row of filled) {
    // Texts say `{name}`, whatever the column is called.
    const recipient = readRow(row, columns, nameIndex, refuse);
    if (!hasName) recipient.fields['name'] = recipient.name;
    recipients.push(recipient);
    if (recipients.length % rowsAtOnce === 0) await othersTurn();
  }
  if (problemCount > mostProblems) {
    const message = `and ${problemCount - mostProblems} more problems`;
    throw new RecipientsRefusedError([...problems, { row: null, column: null, message }]);
  }
  if (problemCount > 0) throw new RecipientsRefusedError(problems);
  const named = columns.filter((column) => column !== '');
  return { columns: hasName ? named : [...named, 'name'], recipients };
}

/** Headers are the same whatever their case and the spaces around them. */
export function headerKey(header: string): string {
  return header.normalize('NFC').trim().toLowerCase();
}

function readHeader({ number, cells }: TableRow): string[] {
  const columns = cells.map((cell) => cell.normalize('NFC').trim());
  const keys = new Set<string>();
  for (const column of columns) {
    const refuse = (message: string) =>
      new RecipientsRefusedError([{ row: number, column: column.slice(0, 100), message }]);
    if (forbiddenHeaders.has(column.toLowerCase())) throw refuse('a column must not have this name');
    if (column.length > 100 || hasControls(column)) throw refuse('a header must be a short line of text');
    const key = headerKey(column);
    if (column !== '' && keys.has(key)) throw refuse('two columns have this name');
    keys.add(key);
  }
  return columns;
}

function readRow(
  { number, cells }: TableRow,
  columns: readonly string[],
  nameIndex: number,
  refuseCell: (problem: RecipientProblem) => void,
): Recipient {
  const refuse = (column: string | null, message: string) => {
    refuseCell({ row: number, column, message });
  };
  const excess = cells.slice(columns.length).some((cell) => cell.trim() !== '');
  if (excess) refuse(null, 'has more cells than the header has columns');
  const fields: Record<string, string> = {};
  columns.forEach((column, index) => {
    const cell = (cells[index] ?? '').normalize('NFC').trim();
    if (cell.length > maxCellLength) refuse(column, `is longer than ${maxCellLength} characters`);
    if (hasControls(cell)) refuse(column, 'has line breaks or control characters');
    if (/\p{Cs}/u.test(cell)) refuse(column, 'has broken Unicode');
    if (column !== '') fields[column] = cell;
  });
  const nameColumn = columns[nameIndex] ?? '';
  const name = fields[nameColumn] ?? '';
  if (name === '') refuse(nameColumn, 'is empty');
  else if (name.length > maxNameLength) refuse(nameColumn, `is longer than ${maxNameLength} characters`);
  else if (!/[\p{L}\p{N}]/u.test(name)) refuse(nameColumn, 'has nothing that can be said');
  return { row: number, name, fields };
}

function hasControls(text: string): boolean {
  return /\p{Cc}|\u2028|\u2029/u.test(text);
}
