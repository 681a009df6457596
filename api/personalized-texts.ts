import { ProblemError, type FieldError } from './errors.js';
import type { PersonalizedFields } from './personalized-request.js';
import { columnsOf } from './personalized-request.js';
import { sameHeader } from './recipients/read-recipients.js';
import type { Recipient } from './recipients/read-recipients.js';
import { refuseField } from './validation.js';

/** Errors that are named one by one. */
const mostErrors = 100;
/** UTF-16 units of a text with a recipient's own words in it; a span is a few seconds. */
const maxSpoken = 1_000;

/**
 * Every text of a batch must name columns that there are, and leave every recipient something to be said.
 * @param replacements what a transcript's brackets say
 * @throws ProblemError `validation_failed`, `invalid_recipients`
 */
export function checkTexts(
  body: Pick<PersonalizedFields, 'text' | 'placeholders' | 'ttsProvider'>,
  replacements: readonly string[],
  columns: readonly string[],
  recipients: readonly Recipient[],
): void {
  // The name's column is `name` in a text, whatever its header is.
  const texts = [
    { path: 'body.text', text: body.text },
    ...(body.placeholders ?? []).flatMap(({ text }, index) =>
      text === undefined ? [] : [{ path: `body.placeholders.${index}.text`, text }],
    ),
    ...replacements.map((text) => ({ path: 'body.transcript', text })),
  ];
  for (const { path, text } of texts) {
    const missing = columnsOf([text]).find((name) => !columns.some((column) => sameHeader(column, name)));
    if (missing !== undefined) throw refuseField(path, `there is no column "${missing}"`);
  }
  if (body.ttsProvider === 'none') return;
  const errors = recipients.flatMap((recipient) =>
    textErrors(
      recipient,
      texts.map(({ text }) => text),
    ),
  );
  if (errors.length === 0) return;
  throw new ProblemError('invalid_recipients', { errors: errors.slice(0, mostErrors) });
}

function textErrors({ row, fields }: Recipient, texts: readonly string[]): FieldError[] {
  const columns = Object.entries(fields);
  return texts.flatMap((text) => {
    const said = text.replace(/\{([^{}]+)\}/g, (_, name: string) => {
      return columns.find(([column]) => sameHeader(column, name))?.[1] ?? '';
    });
    const path = `recipients.row ${row}`;
    if (!/[\p{L}\p{N}]/u.test(said)) return [{ path, message: `leaves nothing to say of "${text}"` }];
    if (said.length > maxSpoken) return [{ path, message: `makes "${text.slice(0, 60)}" too long` }];
    return [];
  });
}
