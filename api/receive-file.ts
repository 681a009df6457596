import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { temporaryPrefix } from '../storage/local-temporary.js';
import { ProblemError } from './errors.js';

/** A file on this host, of which nothing is known but its bytes. */
export interface ReceivedFile {
  path: string;
  bytes: number;
  /** Hex. */
  sha256: string;
}

/** A client that sends nothing for so long has gone away. */
const silenceMs = 60_000;

/** Gives `work` a path for one file, and removes what is there afterwards, whatever happens. */
export async function withIntakeFile<T>(dir: string, work: (path: string) => Promise<T>): Promise<T> {
  const path = join(dir, `${temporaryPrefix()}${randomUUID()}`);
  try {
    return await work(path);
  } finally {
    await rm(path, { force: true });
  }
}

/**
 * Writes a stream to a file and hashes it on the way, as fast as the disk takes it; memory is that of a few chunks
 * however large the file is.
 *
 * @param maxBytes asked at each chunk, as the limit may become known on the way.
 * @throws ProblemError `media_too_large`, `storage_unavailable`; what the source fails with.
 */
export async function receiveFile(
  source: Readable,
  path: string,
  maxBytes: () => number,
): Promise<ReceivedFile> {
  const hash = createHash('sha256');
  let bytes = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes()) {
        done(tooLarge(maxBytes()));
        return;
      }
      hash.update(chunk);
      done(null, chunk);
    },
  });
  await pipeline(source, silenceGuard(), count, createWriteStream(path, { flags: 'wx', mode: 0o600 })).catch(
    rethrowForHost,
  );
  return { path, bytes, sha256: hash.digest('hex') };
}

export function tooLarge(maxBytes: number): ProblemError {
  return new ProblemError('media_too_large', {
    detail: `The file is larger than the ${maxBytes} bytes that are taken of its kind.`,
  });
}

/** A disk that is full is not the client's fault. */
function rethrowForHost(error: unknown): never {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EIO' || code === 'EROFS') {
    throw new ProblemError('storage_unavailable', { cause: error });
  }
  throw error;
}

/** A stage of a pipeline that fails it when nothing has come for too long. */
export function silenceGuard(): Transform {
  const guard = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      timer.refresh();
      done(null, chunk);
    },
    destroy(error, done) {
      clearTimeout(timer);
      done(error);
    },
  });
  const timer = setTimeout(() => {
    guard.destroy(new ProblemError('malformed_request', { detail: 'The body stopped coming.' }));
  }, silenceMs);
  timer.unref();
  return guard;
}
