import { z } from '@hono/zod-openapi';

const longest = 255;
/** Control characters, formats that turn the direction of text around, separators of paths. */
const forbidden = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069/\\]/u;

/** A file's name as its user sees it. It is only ever shown: no path, key or argument is made of it. */
export const fileNameSchema = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(longest, `must be at most ${longest} characters long`)
  .refine((name) => !forbidden.test(name), 'must be a plain name, without folders or control characters')
  .refine((name) => !/^[-.]/.test(name), 'must not begin with a dot or a hyphen');
