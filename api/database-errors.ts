/** What `pg` throws, as far as it concerns us. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

export function isUniqueViolation(error: unknown, constraint: string): boolean {
  return (
    codeOf(error) === '23505' &&
    error instanceof Error &&
    'constraint' in error &&
    error.constraint === constraint
  );
}

/** Network codes, and PostgreSQL's classes 08 (connection), 53 (resources) and 57P (shutting down). */
const awayCodes = /^(ECONNREFUSED|ECONNRESET|ENOTFOUND|ETIMEDOUT|EPIPE|08\w{3}|53\w{3}|57P\w{2})$/;
const awayMessages = /^(Connection terminated|timeout exceeded when trying to connect)/;

/** True when the database could not be reached, so that the same request may do better later. */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return awayCodes.test(codeOf(error) ?? '') || awayMessages.test(error.message);
}
