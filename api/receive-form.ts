import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Busboy, type BusboyFileStream } from '@fastify/busboy';
import type { Context } from 'hono';
import type { AppEnv } from './context.js';
import { ProblemError } from './errors.js';
import { receiveFile, silenceGuard, tooLarge, type ReceivedFile } from './receive-file.js';
import { refuseField } from './validation.js';

/** Most that a multipart body has around its one file. */
const overheadBytes = 256 * 1024;

export interface FormLimits {
  /** Name of the part that holds the file. */
  fileField: string;
  /** Names of the other parts. */
  fields: readonly string[];
  /** Largest file as far as the fields that came before it tell. */
  maxBytes: (fields: Record<string, string>) => number;
}

export interface ReceivedForm {
  fields: Record<string, string>;
  /** Undefined when there was none. */
  file: (ReceivedFile & { fileName: string }) | undefined;
}

/**
 * A multipart body of one file and a few short fields; the file goes straight to `path`, the fields are given as they
 * came. Nothing is buffered but a chunk or two, so that any size takes the same memory.
 *
 * @throws ProblemError `unsupported_media_type`, `malformed_request`, `validation_failed`, `media_too_large`,
 *   `storage_unavailable`
 */
export async function receiveForm(
  c: Context<AppEnv>,
  path: string,
  { fileField, fields: names, maxBytes }: FormLimits,
): Promise<ReceivedForm> {
  const contentType = c.req.header('content-type') ?? '';
  if (!/^multipart\/form-data\s*;/i.test(contentType)) {
    throw new ProblemError('unsupported_media_type', { detail: 'The body must be multipart/form-data.' });
  }
  const most = maxBytes({});
  if (Number(c.req.header('content-length')) > most + overheadBytes) throw tooLarge(most);
  const { body } = c.req.raw;
  if (body === null) throw new ProblemError('malformed_request');

  const fields: Record<string, string> = {};
  const parser = createParser(contentType);
  const stop = new AbortController();
  let problem: ProblemError | undefined;
  const refuse = (found: ProblemError) => {
    problem ??= found;
    stop.abort(problem);
  };
  let arriving: BusboyFileStream | undefined;
  let writing: Promise<ReceivedFile> | undefined;
  let fileName = '';
  parser.on('file', (name: string, stream: BusboyFileStream, givenName: string) => {
    if (name !== fileField || writing !== undefined) {
      stream.resume();
      const message = name === fileField ? 'may be given once' : 'there is no such field';
      refuse(refuseField(`body.${name}`, message));
      return;
    }
    fileName = givenName;
    arriving = stream;
    writing = receiveFile(stream, path, () => maxBytes(fields));
    writing.catch((error: unknown) => {
      if (error instanceof ProblemError) refuse(error);
      else stop.abort(error);
    });
  });
  parser.on('field', (name: string, value: string, isNameCut: boolean, isValueCut: boolean) => {
    if (isNameCut || !names.includes(name)) refuse(refuseField(`body.${name}`, 'there is no such field'));
    else if (isValueCut || name in fields) refuse(refuseField(`body.${name}`, 'is too long or given twice'));
    else fields[name] = value;
  });
  try {
    const source = Readable.fromWeb(body as NodeStream);
    await pipeline(source, silenceGuard(), bound(most + overheadBytes, most), parser, {
      signal: stop.signal,
    });
    const file = await writing;
    return { fields, file: file && { ...file, fileName } };
  } catch (error) {
    parser.destroy();
    // The parser leaves it open, and who writes it would wait for ever.
    arriving?.destroy();
    await writing?.catch(() => undefined);
    if (problem !== undefined) throw problem;
    if (error instanceof ProblemError) throw error;
    throw new ProblemError('malformed_request', { cause: error });
  }
}

/** The same stream by Node's own name for it. */
type NodeStream = Parameters<typeof Readable.fromWeb>[0];

function createParser(contentType: string) {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      // Names are looked at as they were given.
      preservePath: true,
      limits: {
        parts: 10,
        fields: 8,
        fieldNameSize: 100,
        fieldSize: 1024,
        headerPairs: 20,
        headerSize: 16 * 1024,
      },
    });
  } catch (cause) {
    throw new ProblemError('malformed_request', { cause });
  }
}

/** Passes bytes on up to a limit, whatever Content-Length said. */
function bound(maxBytes: number, shown: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) done(tooLarge(shown));
      else done(null, chunk);
    },
  });
}
