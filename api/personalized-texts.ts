import { setImmediate as othersTurn } from 'node:timers/promises';
import { ProblemError, type FieldError } from './errors.js';
import type { PersonalizedFields } from './personalized-request.js';
import { headerKey } from './recipients/read-recipients.js';
import type { Recipient } from './recipients/read-recipients.js';
import { refuseField } from './validation.js';

/** Errors that are named one by one. */
const mostErrors = 100;
/** UTF-16 units of a text with a recipient's own words in it; a span is a few seconds. */
const maxSpoken = 1_000;
/** Columns that one text may name, each as often as it is named. */
const mostReferences = 20;
/** Recipients that are looked at before other requests have their turn. */
const recipientsAtOnce = 200;

/** A text whose columns have been found. */
interface ResolvedText {
  text: string;
  /** What of it is said to everyone. */
  literal: string;
  /** Members of a recipient's fields that stand in it. */
  columns: string[];
}

/**
 * Every text of a batch must name columns that there are, and leave every recipient something to be said.
 * @param replacements what a transcript's brackets say
 * @throws ProblemError `validation_failed`, `invalid_recipients`
 */
export async function checkTexts(
  body: Pick<PersonalizedFields, 'text' | 'placeholders' | 'ttsProvider'>,
  replacements: readonly string[],
  columns: readonly string[],
  recipients: readonly Recipient[],
): Promise<void> {
  const byKey = new Map(columns.map((column) => [headerKey(column), column]));
  const texts = [
    { path: 'body.text', text: body.text },
    ...(body.placeholders ?? []).flatMap(({ text }, index) =>
      text === undefined ? [] : [{ path: `body.placeholders.${index}.text`, text }],
    ),
    ...replacements.map((text) => ({ path: 'body.transcript', text })),
  ].map(({ path, text }) => resolveText(path, text, byKey));
  if (body.ttsProvider === 'none') return;
  const errors: FieldError[] = [];
  for (const [index, recipient] of recipients.entries()) {
    errors.push(...textErrors(recipient, texts));
    if (errors.length >= mostErrors) break;
    if (index % recipientsAtOnce === 0) await othersTurn();
  }
  if (errors.length === 0) return;
  throw new ProblemError('invalid_recipients', { errors: errors.slice(0, mostErrors) });
}

const columnPattern = /\{([^{}]+)\}/g;

function resolveText(path: string, text: string, byKey: ReadonlyMap<string, string>): ResolvedText {
  const names = [...text.matchAll(columnPattern)].map((match) => match[1] ?? '');
  if (names.length > mostReferences) throw refuseField(path, `names more than ${mostReferences} columns`);
  const columns = names.map((name) => {
    const column = byKey.get(headerKey(name));
    if (column === undefined) throw refuseField(path, `there is no column "${name}"`);
    return column;
  });
  return { text, literal: text.replaceAll(columnPattern, ''), columns };
}

function textErrors({ row, fields }: Recipient, texts: readonly ResolvedText[]): FieldError[] {
  const path = `recipients.row ${row}`;
  return texts.flatMap(({ text, literal, columns }) => {
    const values = columns.map((column) => fields[column] ?? '');
    const length = values.reduce((sum, value) => sum + value.length, literal.length);
    if (length > maxSpoken) return [{ path, message: `makes "${text.slice(0, 60)}" too long` }];
    if (![literal, ...values].some(canBeSaid))
      return [{ path, message: `leaves nothing to say of "${text}"` }];
    return [];
  });
}

function canBeSaid(text: string): boolean {
  return /[\p{L}\p{N}]/u.test(text);
}
