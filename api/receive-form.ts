import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Busboy, type BusboyFileStream } from '@fastify/busboy';
import type { Context } from 'hono';
import type { AppEnv } from './context.js';
import { ProblemError } from './errors.js';
import { receiveFile, silenceGuard, tooLarge, type ReceivedFile } from './receive-file.js';
import { refuseField } from './validation.js';

/** Most that a multipart body has around its files. */
const overheadBytes = 256 * 1024;

export interface FormLimits {
  /** Name of the part that holds the file. */
  fileField: string;
  /** Names of the other parts. */
  fields: readonly string[];
  /** Largest file as far as the fields that came before it tell. */
  maxBytes: (fields: Record<string, string>) => number;
}

/** A file that a form may have. */
export interface FilePart {
  /** Where it goes. */
  path: string;
  /** Largest it may be, as far as the fields that came before it tell. */
  maxBytes: (fields: Record<string, string>) => number;
}

export interface PartsLimits {
  /** By the names of their parts. */
  files: Record<string, FilePart>;
  /** Names of the other parts. */
  fields: readonly string[];
  /** Bytes of one field. */
  fieldBytes: number;
}

export type NamedFile = ReceivedFile & { fileName: string };

export interface ReceivedForm {
  fields: Record<string, string>;
  /** Undefined when there was none. */
  file: NamedFile | undefined;
}

/**
 * A multipart body of one file and a few short fields.
 * @throws as {@link receiveParts}
 */
export async function receiveForm(
  c: Context<AppEnv>,
  path: string,
  { fileField, fields, maxBytes }: FormLimits,
): Promise<ReceivedForm> {
  const parts = { files: { [fileField]: { path, maxBytes } }, fields, fieldBytes: 1024 };
  const received = await receiveParts(c, parts);
  return { fields: received.fields, file: received.files[fileField] };
}

/**
 * A multipart body of files and fields; each file goes straight to its path, the fields are given as they came. Nothing
 * of a file is buffered but a chunk or two, so that any size takes the same memory.
 *
 * @throws ProblemError `unsupported_media_type`, `malformed_request`, `validation_failed`, `media_too_large`,
 *   `storage_unavailable`
 */
export async function receiveParts(
  c: Context<AppEnv>,
  limits: PartsLimits,
): Promise<{ fields: Record<string, string>; files: Record<string, NamedFile | undefined> }> {
  const contentType = c.req.header('content-type') ?? '';
  if (!/^multipart\/form-data\s*;/i.test(contentType)) {
    throw new ProblemError('unsupported_media_type', { detail: 'The body must be multipart/form-data.' });
  }
  const most = Object.values(limits.files).reduce((sum, part) => sum + part.maxBytes({}), 0);
  const overhead = overheadBytes + limits.fields.length * limits.fieldBytes;
  if (Number(c.req.header('content-length')) > most + overhead) throw tooLarge(most);
  const { body } = c.req.raw;
  if (body === null) throw new ProblemError('malformed_request');

  const fields: Record<string, string> = {};
  const parser = createParser(contentType, limits);
  const stop = new AbortController();
  let problem: ProblemError | undefined;
  const refuse = (found: ProblemError) => {
    problem ??= found;
    stop.abort(problem);
  };
  const arriving: BusboyFileStream[] = [];
  const writing = new Map<string, Promise<NamedFile>>();
  parser.on('file', (name: string, stream: BusboyFileStream, fileName: string) => {
    const part = Object.hasOwn(limits.files, name) ? limits.files[name] : undefined;
    if (part === undefined || writing.has(name)) {
      stream.on('error', () => undefined);
      stream.resume();
      const message = part === undefined ? 'there is no such field' : 'may be given once';
      refuse(refuseField(`body.${name}`, message));
      return;
    }
    arriving.push(stream);
    const file = receiveFile(stream, part.path, () => part.maxBytes(fields)).then((received) => ({
      ...received,
      fileName,
    }));
    writing.set(name, file);
    file.catch((error: unknown) => {
      if (error instanceof ProblemError) refuse(error);
      else stop.abort(error);
    });
  });
  parser.on('field', (name: string, value: string, isNameCut: boolean, isValueCut: boolean) => {
    if (isNameCut || !limits.fields.includes(name))
      refuse(refuseField(`body.${name}`, 'there is no such field'));
    else if (isValueCut || name in fields) refuse(refuseField(`body.${name}`, 'is too long or given twice'));
    else fields[name] = value;
  });
  try {
    const source = Readable.fromWeb(body);
    await pipeline(source, silenceGuard(), bound(most + overhead, most), parser, { signal: stop.signal });
    const files: Record<string, NamedFile | undefined> = {};
    for (const [name, file] of writing) files[name] = await file;
    return { fields, files };
  } catch (error) {
    parser.destroy();
    // The parser leaves them open, and who writes them would wait for ever.
    for (const stream of arriving) stream.destroy();
    await Promise.allSettled(writing.values());
    if (problem !== undefined) throw problem;
    if (error instanceof ProblemError) throw error;
    throw new ProblemError('malformed_request', { cause: error });
  }
}

function createParser(contentType: string, { files, fields, fieldBytes }: PartsLimits) {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      // Names are looked at as they were given.
      preservePath: true,
      limits: {
        parts: Object.keys(files).length + fields.length + 2,
        fields: fields.length + 1,
        fieldNameSize: 100,
        fieldSize: fieldBytes,
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
