import type { RecipientRow } from '../../../db/recipients.js';

type Reported = Pick<RecipientRow, 'row_number' | 'name' | 'file_name' | 'status' | 'error' | 'message'>;

/**
 * What a spreadsheet, or an importer that trims, would take for the beginning of a formula, in either width. Source:
 * OWASP, "CSV Injection".
 */
const formulaStart = /^[\t\r\n]|^\s*[=+\-@|%＝＋－＠]/u;

/**
 * What became of each recipient, as UTF-8 CSV with a byte order mark, so that spreadsheets read every script. A cell
 * that would be a formula is marked as text.
 */
export function reportCsv(recipients: readonly Reported[]): string {
  const rows = recipients.map((recipient) => [
    String(recipient.row_number),
    recipient.name,
    recipient.file_name ?? '',
    recipient.status === 'completed' ? 'delivered' : recipient.status,
    recipient.error === null
      ? (recipient.message ?? '')
      : `${recipient.error.code}: ${recipient.error.detail}`,
  ]);
  const lines = [['row', 'name', 'file', 'status', 'error'], ...rows].map((row) => row.map(cell).join(','));
  return `\ufeff${lines.join('\r\n')}\r\n`;
}

/** Quoted as in RFC 4180. */
function cell(text: string): string {
  const safe = formulaStart.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
