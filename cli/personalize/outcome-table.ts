import type { Recipient } from '../client/api-client.js';

/** Up to so many recipients are all told of; of more, those with something to tell. */
export const fewRecipients = 20;
const mostLines = 50;
const widestName = 30;

/**
 * What became of the recipients, a line each: row, name, status, and the file or the reason. A name is cut where it
 * would push the rest off the screen.
 */
export function outcomeTable(recipients: readonly Recipient[]): string {
  const rows = recipients
    .slice(0, mostLines)
    .map((recipient) => [
      String(recipient.row),
      cut(printable(recipient.name), widestName),
      recipient.status === 'completed' ? 'delivered' : recipient.status,
      reason(recipient),
    ]);
  const table = [['row', 'name', 'status', ''], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((row) => lengthOf(row[column] ?? ''))));
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - lengthOf(cell))))
      .join('  ')
      .trimEnd(),
  );
  const left = recipients.length - rows.length;
  return [...lines, ...(left > 0 ? [`and ${left} more`] : [])].join('\n');
}

function reason({ status, file, error, message }: Recipient): string {
  if (status === 'completed') return [file?.name, message].filter((part) => part != null).join(', ');
  return error === null ? '' : printable(`${error.code}: ${error.detail}`);
}

/** Without what a terminal would obey. */
const printable = (text: string): string => text.replace(/\p{C}+/gu, ' ');

const lengthOf = (text: string): number => Array.from(text).length;

function cut(text: string, most: number): string {
  const characters = Array.from(text);
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join('')}…`;
}
