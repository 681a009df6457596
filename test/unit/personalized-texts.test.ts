import { expect, test } from 'vitest';
import { ProblemError, type FieldError } from '../../api/errors.js';
import { checkTexts } from '../../api/personalized-texts.js';
import type { Recipient } from '../../api/recipients/read-recipients.js';
import { measured } from '../support/measured.js';

const columns = ['Name', 'Citt\u00e0', 'Note'];
const ada: Recipient = { row: 2, name: 'Ada', fields: { Name: 'Ada', Città: 'Roma', Note: '!?' } };

async function errorsOf(
  body: { text?: string; placeholders?: string[]; ttsProvider?: 'espeak' | 'none' },
  replacements: string[] = [],
  recipients = [ada],
): Promise<readonly FieldError[]> {
  const { text = '{name}', placeholders = [], ttsProvider = 'espeak' } = body;
  const spans = placeholders.map((said, index) => ({
    startSeconds: index,
    endSeconds: index + 1,
    text: said,
  }));
  const checked = checkTexts({ text, placeholders: spans, ttsProvider }, replacements, columns, recipients);
  const error: unknown = await checked.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error === undefined) return [];
  if (!(error instanceof ProblemError)) throw new Error('it failed', { cause: error });
  return error.errors ?? [];
}

test('columns are named in any case, spacing and Unicode form', async () => {
  expect(await errorsOf({ text: 'Ciao { NAME }, {Citta\u0300}!' }, ['{note} {name}'])).toEqual([]);
});

test.each([
  ['the text', { text: '{nobody}' }, [], 'body.text'],
  ['a placeholder', { placeholders: ['{name}', '{nobody}'] }, [], 'body.placeholders.1.text'],
  ['a bracket, though nothing is spoken', { ttsProvider: 'none' as const }, ['{nobody}'], 'body.transcript'],
])('a column that is not there is named: in %s', async (_, body, replacements, path) => {
  expect(await errorsOf(body, replacements)).toEqual([{ path, message: 'there is no column "nobody"' }]);
});

test('a text names so many columns at most', async () => {
  expect(await errorsOf({ text: '{name}'.repeat(20) })).toEqual([]);
  expect(await errorsOf({ text: '{name}'.repeat(21) })).toEqual([
    { path: 'body.text', message: 'names more than 20 columns' },
  ]);
});

test('every row that leaves nothing to say, or far too much, is named', async () => {
  const recipients = [
    ada,
    { row: 3, name: 'Bo', fields: { ...ada.fields, Note: 'a'.repeat(60) } },
    { row: 7, name: 'Cy', fields: { ...ada.fields, Note: '…' } },
  ];
  const text = '{note}'.repeat(17);
  expect(await errorsOf({ text }, [], recipients)).toEqual([
    { path: 'recipients.row 2', message: `leaves nothing to say of "${text}"` },
    { path: 'recipients.row 3', message: `makes "${text.slice(0, 60)}" too long` },
    { path: 'recipients.row 7', message: `leaves nothing to say of "${text}"` },
  ]);
  expect(await errorsOf({ text: 'Dear {note}' }, [], recipients)).toEqual([]);
});

test('ten thousand recipients with all the texts and columns that can be keep nobody waiting', async () => {
  const headers = Array.from({ length: 100 }, (_, index) => `Spalte ${index} \u00fc`);
  const fields = Object.fromEntries(headers.map((header) => [header, '\u2026'.repeat(20)]));
  const recipients = Array.from({ length: 10_000 }, (_, index) => ({ row: index + 2, name: '…', fields }));
  const references = headers.slice(-20).map((header) => `{${header.toUpperCase().normalize('NFD')}}`);
  const text = `${references.join('')}x`;
  const placeholders = Array.from({ length: 20 }, (_, index) => ({
    ...{ startSeconds: index, endSeconds: index + 1 },
    text,
  }));
  const { ms, longestWaitMs } = await measured(() =>
    checkTexts({ text, placeholders, ttsProvider: 'espeak' }, [], headers, recipients),
  );
  expect(longestWaitMs).toBeLessThan(500);
  expect(ms).toBeLessThan(10_000);
});
