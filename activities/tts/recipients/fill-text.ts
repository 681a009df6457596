import { invalidInput } from '../../failures.js';

const columnPattern = /\{([^{}]+)\}/g;

/**
 * Puts a recipient's own words into a text: `Hello {name}` becomes `Hello Ada`. Columns are named in any case.
 * @throws ApplicationFailure `unknown_column`; `nothing_to_say` where nothing is left that can be said
 */
export function fillText(text: string, fields: Record<string, string>): string {
  const values = new Map(Object.entries(fields).map(([column, value]) => [key(column), value]));
  const filled = text
    .replace(columnPattern, (_, column: string) => {
      const value = values.get(key(column));
      if (value !== undefined) return value;
      const detail = `There is no column "${column.slice(0, 60)}" to put into the text.`;
      throw invalidInput({ code: 'unknown_column', detail });
    })
    .replace(/\s+/g, ' ')
    .trim();
  if (/[\p{L}\p{N}]/u.test(filled)) return filled;
  throw invalidInput({ code: 'nothing_to_say', detail: 'Nothing is left of the text that can be said.' });
}

const key = (column: string): string => column.normalize('NFC').trim().toLowerCase();
