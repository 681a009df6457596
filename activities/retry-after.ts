/** No server's wish keeps a job waiting for longer than this. */
const longestDelaySeconds = 600;

/** The header `Retry-After` in seconds from now, given as seconds or as a date (RFC 9110, 10.2.3). */
export function retryAfterSeconds(header: string | null | undefined): number | undefined {
  if (header === null || header === undefined) return undefined;
  if (/^\d{1,6}$/.test(header)) return Math.min(longestDelaySeconds, Number(header));
  const at = Date.parse(header);
  if (Number.isNaN(at)) return undefined;
  return Math.min(longestDelaySeconds, Math.max(0, Math.ceil((at - Date.now()) / 1000)));
}
