/** One row of a table as it was written: `number` counts from 1 as a spreadsheet does, the header's row included. */
export interface TableRow {
  number: number;
  cells: string[];
}

/** What is wrong in a recipients' file; `row` is null for what concerns all of it. */
export interface RecipientProblem {
  row: number | null;
  column: string | null;
  message: string;
}

/** The file cannot be used; nothing of it is. */
export class RecipientsRefusedError extends Error {
  constructor(readonly problems: readonly RecipientProblem[]) {
    super(problems[0]?.message ?? 'the recipients cannot be read');
    this.name = 'RecipientsRefusedError';
  }
}

/** Refuses the file as a whole. */
export function refuseFile(message: string): RecipientsRefusedError {
  return new RecipientsRefusedError([{ row: null, column: null, message }]);
}

/** What helps where a workbook is too much. */
export const asCsv = 'save the sheet as "CSV UTF-8"';

/** The most that a job takes; one more row is looked for, so that it can be said. */
export const maxRecipients = 10_000;
export const maxColumns = 100;
/** UTF-16 units of one cell. */
export const maxCellLength = 2_000;
