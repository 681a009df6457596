/** No server's wish keeps a job waiting for longer than this. */
const longestDelaySeconds = 600;

/** `retryDelay` ("22s") of a google.rpc.RetryInfo among an error's details, in seconds. */
export function retryDelaySeconds(details: unknown): number | undefined {
  if (!Array.isArray(details)) return undefined;
  for (const detail of details as unknown[]) {
    if (typeof detail !== 'object' || detail === null || !('retryDelay' in detail)) continue;
    const match =
      typeof detail.retryDelay === 'string' ? /^(\d{1,6}(?:\.\d{1,9})?)s$/.exec(detail.retryDelay) : null;
    if (match !== null) return Math.min(longestDelaySeconds, Number(match[1]));
  }
  return undefined;
}
