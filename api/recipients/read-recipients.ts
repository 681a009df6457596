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
  const rows = isArchive ? await readXlsxRows(bytes) : readCsvRows(bytes);
  const [header, ...body] = rows;
  if (header === undefined) throw refuseFile('the file has no rows');
  const columns = readHeader(header);
  const nameIndex = columns.findIndex((column) => sameHeader(column, nameColumn));
  if (nameIndex < 0) {
    const there = columns.filter((column) => column !== '').join(', ');
    throw refuseFile(`there is no column "${nameColumn}"; the header has: ${there.slice(0, 500)}`);
  }
  const filled = body.filter(({ cells }) => cells.some((cell) => cell.trim() !== ''));
  if (filled.length === 0) throw refuseFile('there are no rows below the header');
  if (filled.length > maxRecipients) throw refuseFile(`there are more than ${maxRecipients} recipients`);

  const problems: RecipientProblem[] = [];
  const recipients = filled.map((row) => readRow(row, columns, nameIndex, problems));
  if (problems.length > mostProblems) {
    const rest = problems.length - mostProblems;
    const more = { row: null, column: null, message: `and ${rest} more problems` };
    throw new RecipientsRefusedError([...problems.slice(0, mostProblems), more]);
  }
  if (problems.length > 0) throw new RecipientsRefusedError(problems);
  const named = columns.filter((column) => column !== '');
  const hasName = named.some((column) => sameHeader(column, 'name'));
  return { columns: hasName ? named : [...named, 'name'], recipients };
}

/** Headers are the same whatever their case and the spaces around them. */
export function sameHeader(a: string, b: string): boolean {
  return a.normalize('NFC').trim().toLowerCase() === b.normalize('NFC').trim().toLowerCase();
}

function readHeader({ number, cells }: TableRow): string[] {
  const columns = cells.map((cell) => cell.normalize('NFC').trim());
  columns.forEach((column, index) => {
    const refuse = (message: string) =>
      new RecipientsRefusedError([{ row: number, column: column.slice(0, 100), message }]);
    if (forbiddenHeaders.has(column.toLowerCase())) throw refuse('a column must not have this name');
    if (column.length > 100 || hasControls(column)) throw refuse('a header must be a short line of text');
    const isTwice = columns.findIndex((other) => sameHeader(other, column)) !== index;
    if (column !== '' && isTwice) throw refuse('two columns have this name');
  });
  return columns;
}

function readRow(
  { number, cells }: TableRow,
  columns: readonly string[],
  nameIndex: number,
  problems: RecipientProblem[],
): Recipient {
  const refuse = (column: string | null, message: string) => {
    problems.push({ row: number, column, message });
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
  // Texts say `{name}`, whatever the column is called.
  if (!columns.some((column) => sameHeader(column, 'name'))) fields['name'] = name;
  return { row: number, name, fields };
}

function hasControls(text: string): boolean {
  return /\p{Cc}|\u2028|\u2029/u.test(text);
}
