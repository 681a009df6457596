import { z } from '@hono/zod-openapi';
import type { Position } from '../db/pages.js';
import { refuseField } from './validation.js';

export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z.string().min(1).max(200).optional(),
};

/** A date that does not exist, as the year 0 does not, would be the database's error rather than the client's. */
const position = z.tuple([z.iso.datetime({ precision: 6 }).refine((at) => !at.startsWith('0000')), z.uuid()]);

export function encodeCursor({ at, id }: Position): string {
  return Buffer.from(JSON.stringify([at, id])).toString('base64url');
}

/** @throws ProblemError for a cursor that we did not make. */
export function decodeCursor(cursor: string | undefined): Position | undefined {
  if (cursor === undefined) return undefined;
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    throw refuseField('query.cursor', 'is not a cursor of this list');
  }
  const parsed = position.safeParse(content);
  if (!parsed.success) throw refuseField('query.cursor', 'is not a cursor of this list');
  return { at: parsed.data[0], id: parsed.data[1] };
}

/** Cuts the extra row off that was fetched to see whether there is more. */
export function page<Row extends { cursorAt: string; id: string }, Item>(
  rows: Row[],
  limit: number,
  toItem: (row: Row) => Item,
): { items: Item[]; nextCursor: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(toItem),
    nextCursor: rows.length > limit && last ? encodeCursor({ at: last.cursorAt, id: last.id }) : null,
  };
}
