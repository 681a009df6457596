import { Readable } from 'node:stream';
import { setImmediate as othersTurn } from 'node:timers/promises';
import { CsvError, parse } from 'csv-parse';
import { maxColumns, maxRecipients, refuseFile, type TableRow } from './recipient-rows.js';

const delimiters = [',', ';', '\t', '|'] as const;

/** Characters of one row; a file that is one endless line is refused at it. */
const maxRowLength = 200_000;

/** Bytes that are read at a time: some milliseconds, after which other requests have their turn. */
const pieceBytes = 128 * 1024;

/**
 * Reads CSV: comma, semicolon, tab or bar, quoted as in RFC 4180, UTF-8 or UTF-16 with or without its mark.
 * @throws RecipientsRefusedError
 */
export async function readCsvRows(bytes: Uint8Array): Promise<TableRow[]> {
  const text = decodeText(bytes);
  const rows: TableRow[] = [];
  const parser = Readable.from(inPieces(Buffer.from(text, 'utf8'))).pipe(
    parse({
      delimiter: detectDelimiter(text),
      relax_column_count: true,
      // A quote inside an unquoted cell, as in `5" nails`, is a character like any other.
      relax_quotes: true,
      skip_empty_lines: false,
      max_record_size: maxRowLength,
      to: maxRecipients + 2,
    }),
  );
  try {
    for await (const cells of parser as AsyncIterable<string[]>) {
      const number = rows.length + 1;
      if (cells.length > maxColumns) throw refuseFile(`row ${number} has more than ${maxColumns} columns`);
      rows.push({ number, cells });
    }
    return rows;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const what = error.code === 'CSV_QUOTE_NOT_CLOSED' ? 'a quote is not closed' : 'a row is far too long';
    throw refuseFile(`the CSV cannot be read: ${what}`);
  }
}

async function* inPieces(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let from = 0; from < bytes.length; from += pieceBytes) {
    yield bytes.subarray(from, from + pieceBytes);
    await othersTurn();
  }
}

/** UTF-16 shows by its mark or by every other byte being zero; all else must be UTF-8. */
function decodeText(bytes: Uint8Array): string {
  const encoding = encodingOf(bytes);
  let text: string;
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw refuseFile('the text is neither UTF-8 nor UTF-16; save the table as "CSV UTF-8"');
  }
  if (text.includes('\0')) throw refuseFile('the text contains NUL characters');
  return text;
}

function encodingOf(bytes: Uint8Array): 'utf-8' | 'utf-16le' | 'utf-16be' {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  const sample = bytes.subarray(0, 2_000);
  const zeros = [0, 0];
  sample.forEach((byte, index) => {
    if (byte === 0) zeros[index % 2] = (zeros[index % 2] ?? 0) + 1;
  });
  const [even = 0, odd = 0] = zeros;
  const enough = sample.length / 8;
  if (odd > enough && even === 0) return 'utf-16le';
  if (even > enough && odd === 0) return 'utf-16be';
  return 'utf-8';
}

/** The one that stands in the header outside of quotes most often; a single column needs none. */
function detectDelimiter(text: string): string {
  const counts = new Map<string, number>(delimiters.map((delimiter) => [delimiter, 0]));
  let isQuoted = false;
  for (const character of text.slice(0, maxRowLength)) {
    if (character === '"') isQuoted = !isQuoted;
    else if (!isQuoted && (character === '\n' || character === '\r')) break;
    else if (!isQuoted && counts.has(character)) counts.set(character, (counts.get(character) ?? 0) + 1);
  }
  const [best] = [...counts].toSorted(([, a], [, b]) => b - a);
  return best !== undefined && best[1] > 0 ? best[0] : ',';
}
