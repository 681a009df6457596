import { Readable } from 'node:stream';
import type { Context } from 'hono';
import { ObjectMissingError, type Storage, type StoredObject } from '../storage/storage.js';
import { allowsRange, matchesTag, parseRange } from './byte-ranges.js';
import { contentDisposition } from './content-disposition.js';
import type { AppEnv } from './context.js';
import { ProblemError } from './errors.js';

export interface ServedObject {
  key: string;
  contentType: string;
  /** Identifies the bytes; without quotes. */
  tag: string;
  fileName: string;
  download: boolean;
  /** What is known of it already; it is not looked at again. */
  stored?: StoredObject | undefined;
}

/**
 * Answers with a stored object: GET and HEAD, one byte range, conditional requests.
 *
 * @throws ProblemError not_found, range_not_satisfiable, storage_unavailable
 */
export async function serveObject(
  c: Context<AppEnv>,
  storage: Storage,
  object: ServedObject,
): Promise<Response> {
  const etag = `"${object.tag}"`;
  const stored = object.stored ?? (await headObject(storage, object.key));
  if (stored === undefined) throw new ProblemError('not_found');
  const headers: Record<string, string> = {
    etag,
    'cache-control': 'private, no-cache',
    'accept-ranges': 'bytes',
    vary: 'authorization',
  };
  if (matchesTag(c.req.header('if-none-match'), etag)) return c.body(null, 304, headers);
  headers['content-type'] = object.contentType;
  headers['content-disposition'] = contentDisposition(
    object.download ? 'attachment' : 'inline',
    object.fileName,
  );

  const asked = allowsRange(c.req.header('if-range'), etag) ? c.req.header('range') : undefined;
  const request = parseRange(asked, stored.bytes);
  if (request.kind === 'unsatisfiable') {
    throw new ProblemError('range_not_satisfiable', {
      headers: { 'content-range': `bytes */${stored.bytes}`, etag },
    });
  }
  const range = request.kind === 'part' ? request.range : undefined;
  const length = range === undefined ? stored.bytes : range.end - range.start + 1;
  headers['content-length'] = String(length);
  if (range !== undefined) {
    headers['content-range'] = `bytes ${range.start}-${range.end}/${stored.bytes}`;
  }
  const status = range === undefined ? 200 : 206;
  // A stream that nobody reads would keep its file open.
  if (c.req.method === 'HEAD' || length === 0) return c.body(null, status, headers);
  const body = await openObject(storage, object.key, range);
  return c.body(Readable.toWeb(body) as ReadableStream<Uint8Array>, status, headers);
}

async function headObject(storage: Storage, key: string): Promise<StoredObject | undefined> {
  try {
    return await storage.head(key);
  } catch (cause) {
    throw new ProblemError('storage_unavailable', { cause });
  }
}

async function openObject(
  ...[storage, ...read]: [Storage, ...Parameters<Storage['read']>]
): Promise<Readable> {
  try {
    return await storage.read(...read);
  } catch (cause) {
    if (cause instanceof ObjectMissingError) throw new ProblemError('not_found', { cause });
    throw new ProblemError('storage_unavailable', { cause });
  }
}

/** Where an artifact lies in storage. */
export const storageKey = (artifactId: string): string => `artifacts/${artifactId}`;

/** The sha256 that an artifact's id carries. */
export const hashOf = (artifactId: string): string => artifactId.replace(/\..*$/, '');
