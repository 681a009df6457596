import { z } from '@hono/zod-openapi';
import { ProblemError, type FieldError } from './errors.js';

/** Every refused path of a zod error, with `place` (`body`, `query` …) in front. */
export function fieldErrors(error: z.core.$ZodError, place: string): FieldError[] {
  return error.issues.flatMap((issue) => issueErrors(issue, [place]));
}

function issueErrors(issue: z.core.$ZodIssue, parents: string[]): FieldError[] {
  const path = [...parents, ...issue.path.map(String)];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key].join('.'), message: 'there is no such field' }));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // The alternative that came closest is the one that was meant.
    const closest = issue.errors.toSorted((a, b) => a.length - b.length)[0] ?? [];
    return closest.flatMap((inner) => issueErrors(inner, path));
  }
  const missing = issue.code === 'invalid_type' && issue.message.endsWith('received undefined');
  return [{ path: path.join('.'), message: missing ? 'is required' : issue.message }];
}

/** A refusal of one field, for what a schema cannot know. */
export function refuseField(path: string, message: string): ProblemError {
  return new ProblemError('validation_failed', { errors: [{ path, message }] });
}

/** Text that can be kept as JSON in the database: no NUL and no half of a surrogate pair. */
const storable = /^[^\0\p{Cs}]*$/u;

/** Free text of a user's: up to `max` UTF-16 units after trimming. */
export function storableText(max: number) {
  return textUpTo(max).refine(isStorable, unstorable);
}

/** The same, but it must not be empty. */
export function userText(max: number) {
  return textUpTo(max).min(1, 'must not be empty').refine(isStorable, unstorable);
}

function textUpTo(max: number) {
  return z.string().trim().max(max, `must be at most ${max} characters long`);
}

const isStorable = (text: string): boolean => storable.test(text);
const unstorable = 'must not contain NUL or broken Unicode';

/** A BCP 47 language tag in its canonical form, e.g. `pt-BR`. */
export const languageTag = z
  .string()
  .max(35)
  .transform((tag, context) => {
    try {
      const [canonical] = Intl.getCanonicalLocales(tag);
      if (canonical !== undefined) return canonical;
    } catch {
      // Falls through to the issue below.
    }
    context.addIssue({ code: 'custom', message: 'must be a BCP 47 language tag such as en or pt-BR' });
    return z.NEVER;
  })
  .openapi({ type: 'string', pattern: '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$', example: 'en' });

/** Path parameter `{id}`. */
export const idParam = z.object({ id: z.uuid() });

/** Documents the header; the idempotency middleware reads it. */
export const idempotencyHeader = z.object({
  'idempotency-key': z.string().optional().openapi({
    pattern: '^[\\x21-\\x7e]{1,255}$',
    description: 'The same key and body within 24 h gets the first answer and starts nothing again.',
  }),
});

/** `?download=1` asks for a file to be saved rather than shown. */
export const downloadQuery = z.object({ download: z.enum(['0', '1']).optional() });
