import { randomUUID } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { z } from 'zod';

/** Of Node's own fetch; source: undici's documentation of its diagnostics channels. */
const channel = 'undici:request:headers';

const announcement = z.object({
  request: z.object({ headers: z.union([z.string(), z.array(z.unknown())]) }),
  response: z.object({ headers: z.array(z.instanceof(Uint8Array)) }),
});

/**
 * Runs `work`, which makes one request through a package that keeps the headers of its answers to itself.
 * @param work sends the given headers along, by which its request is known.
 * @returns what it gives, and a reader of its answer's headers (names in lower case).
 */
export async function withResponseHeaders<T>(
  work: (headers: Record<string, string>, header: (name: string) => string | undefined) => Promise<T>,
): Promise<T> {
  const id = randomUUID();
  const heard = new Map<string, string>();
  const listen = (message: unknown): void => {
    const parsed = announcement.safeParse(message);
    if (!parsed.success) return;
    const { request, response } = parsed.data;
    if (!String(request.headers).includes(id)) return;
    const texts = response.headers.map((part) => Buffer.from(part).toString('latin1'));
    for (let n = 0; n + 1 < texts.length; n += 2)
      heard.set((texts[n] ?? '').toLowerCase(), texts[n + 1] ?? '');
  };
  subscribe(channel, listen);
  try {
    return await work({ 'x-request-id': id }, (name) => heard.get(name));
  } finally {
    unsubscribe(channel, listen);
  }
}
