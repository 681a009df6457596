import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Busboy, type BusboyFileStream } from '@fastify/busboy';
import type { Context } from 'hono';
import type { AppEnv } from './context.js';
import { ProblemError, type FieldError } from './errors.js';

/** Most that a multipart body has around its one file. */
const overheadBytes = 16 * 1024;
const uploadMs = 60_000;

/** Uploads held in memory by this process at a time. */
const maxUploads = 16;
let uploads = 0;

/**
 * The one file of a multipart body that has nothing but that, read as it comes and no further than `maxBytes`.
 *
 * @throws ProblemError `body_too_large`, `too_many_uploads`, `unsupported_media_type`, `malformed_request`,
 *   `validation_failed`
 */
export async function readUpload(
  c: Context<AppEnv>,
  { field, maxBytes }: { field: string; maxBytes: number },
): Promise<Buffer> {
  const contentType = c.req.header('content-type') ?? '';
  if (!/^multipart\/form-data\s*;/i.test(contentType)) {
    throw new ProblemError('unsupported_media_type', { detail: 'The body must be multipart/form-data.' });
  }
  if (Number(c.req.header('content-length')) > maxBytes + overheadBytes)
    throw new ProblemError('body_too_large');
  const { body } = c.req.raw;
  if (body === null) throw new ProblemError('malformed_request');
  if (uploads >= maxUploads) throw new ProblemError('too_many_uploads', { headers: { 'retry-after': '1' } });
  uploads += 1;
  try {
    return await parse(Readable.fromWeb(body), contentType, { field, maxBytes });
  } finally {
    uploads -= 1;
  }
}

async function parse(
  body: Readable,
  contentType: string,
  { field, maxBytes }: { field: string; maxBytes: number },
): Promise<Buffer> {
  const errors: FieldError[] = [];
  const refuse = (name: string, message: string) => errors.push({ path: `body.${name}`, message });
  const chunks: Buffer[] = [];
  let files = 0;
  const parser = createParser(contentType);
  parser.on('file', (name: string, stream: BusboyFileStream) => {
    files += 1;
    const isWanted = name === field && files === 1;
    if (!isWanted) refuse(name, name === field ? 'may be given once' : 'there is no such field');
    // A body that breaks off fails this stream as well as the parser, which is where it is answered.
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => {
      if (isWanted) chunks.push(chunk);
    });
  });
  parser.on('field', (name: string) => {
    refuse(name, name === field ? 'must be a file' : 'there is no such field');
  });
  try {
    await pipeline(body, bounded(maxBytes + overheadBytes), parser, {
      signal: AbortSignal.timeout(uploadMs),
    });
  } catch (error) {
    if (error instanceof ProblemError) throw error;
    throw new ProblemError('malformed_request', { cause: error });
  }
  if (errors.length > 0) throw new ProblemError('validation_failed', { errors });
  if (files === 0)
    throw new ProblemError('validation_failed', {
      errors: [{ path: `body.${field}`, message: 'is required' }],
    });
  return Buffer.concat(chunks);
}

function createParser(contentType: string) {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      limits: { parts: 10, fieldNameSize: 100, fieldSize: 1024, headerPairs: 20, headerSize: 8 * 1024 },
    });
  } catch (cause) {
    throw new ProblemError('malformed_request', { cause });
  }
}

/** Passes bytes on up to a limit, whatever Content-Length said. */
function bounded(maxBytes: number) {
  return async function* limit(source: AsyncIterable<Buffer>) {
    let bytes = 0;
    for await (const chunk of source) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) throw new ProblemError('body_too_large');
      yield chunk;
    }
  };
}
