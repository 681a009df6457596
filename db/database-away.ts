/** Network codes, and PostgreSQL's classes 08 (connection), 53 (resources) and 57P (shutting down). */
const awayCodes =
  /^(ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EPIPE|08\w{3}|53\w{3}|57P\w{2})$/;
const awayMessages = /^(Connection terminated|timeout exceeded when trying to connect)/;

/** True for what `pg` throws when the database could not be reached, so that the same may do better later. */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return awayCodes.test(code) || awayMessages.test(error.message);
}
