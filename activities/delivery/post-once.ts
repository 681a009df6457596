import { lookup } from 'node:dns/promises';
import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import { isPublicAddress } from '../../workflows/contract/network-address.js';
import { withTimeLimit } from '../time-limit.js';

/** The host leads to an address that callbacks may not go to. */
export class AddressRefusedError extends Error {
  override readonly name = 'AddressRefusedError';
}

export interface PostOnceRequest {
  url: URL;
  headers: Record<string, string>;
  body: string;
  /** Also addresses that are not public. */
  allowPrivate: boolean;
  /** For all of it: the name, the connection, the request and the head of the answer. */
  timeoutMs: number;
  signal?: AbortSignal;
  /** All addresses of a name; the system's resolver unless a test has one of its own. */
  resolve?: (hostname: string) => Promise<{ address: string }[]>;
}

export interface PostOnceAnswer {
  status: number;
  retryAfter: string | undefined;
}

/**
 * One POST to a place that a user named. The name is resolved once, every address that it has must be public,
 * and the connection goes to the first of those, so that a name that changes its mind meanwhile leads nowhere
 * else. Redirects are answers like others, the body of the answer is not read, no proxy is used.
 *
 * @throws AddressRefusedError before any connection; any other error when there is no answer in time.
 */
export async function postOnce(request: PostOnceRequest): Promise<PostOnceAnswer> {
  const signal = withTimeLimit(request.signal, request.timeoutMs);
  const hostname = request.url.hostname.replace(/^\[|\]$/g, '');
  const address = await orAborted(findAddress(hostname, request), signal);
  return send(request, { hostname, address, signal });
}

async function findAddress(
  hostname: string,
  { allowPrivate, resolve = resolveBySystem }: PostOnceRequest,
): Promise<string> {
  const found = await resolve(hostname);
  // One private address among public ones is how a name is made to lead inside every other time.
  if (!allowPrivate && !found.every(({ address }) => isPublicAddress(address))) {
    throw new AddressRefusedError('the host does not lead to the public Internet');
  }
  const [first] = found;
  if (first === undefined) throw new Error('the host has no address');
  return first.address;
}

function resolveBySystem(hostname: string): Promise<{ address: string }[]> {
  return lookup(hostname, { all: true, verbatim: false });
}

function send(
  { url, headers, body }: PostOnceRequest,
  to: { hostname: string; address: string; signal: AbortSignal },
): Promise<PostOnceAnswer> {
  return new Promise((settle, reject) => {
    const { request } = url.protocol === 'https:' ? https : http;
    const sent = request({
      method: 'POST',
      host: to.address,
      // The certificate is that of the name, not of the address.
      ...(isIP(to.hostname) === 0 ? { servername: to.hostname } : {}),
      port: url.port === '' ? undefined : Number(url.port),
      path: `${url.pathname}${url.search}`,
      headers: { ...headers, host: url.host, 'content-length': Buffer.byteLength(body), connection: 'close' },
      agent: false,
      signal: to.signal,
    });
    sent.once('response', (answer) => {
      settle({ status: answer.statusCode ?? 0, retryAfter: answer.headers['retry-after'] });
      answer.destroy();
    });
    // Also after the answer, where it settles nothing.
    sent.on('error', reject);
    sent.end(body);
  });
}

/** A resolver cannot be interrupted, but it need not be waited for. */
async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_settle, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  return Promise.race([work, aborted]);
}
