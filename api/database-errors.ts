export { isDatabaseAway } from '../db/database-away.js';

/** What `pg` throws, as far as it concerns us. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

export const isUniqueViolation = (error: unknown, constraint: string): boolean =>
  isViolation(error, '23505', constraint);

export const isForeignKeyViolation = (error: unknown, constraint: string): boolean =>
  isViolation(error, '23503', constraint);

function isViolation(error: unknown, code: string, constraint: string): boolean {
  return (
    codeOf(error) === code &&
    error instanceof Error &&
    'constraint' in error &&
    error.constraint === constraint
  );
}
