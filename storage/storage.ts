import type { Readable } from 'node:stream';

/** Facts about a stored object. */
export interface StoredObject {
  bytes: number;
  contentType: string;
}

/** Inclusive byte range, as in HTTP. */
export interface ByteRange {
  start: number;
  end: number;
}

/**
 * Where files live. Keys are `/`-separated ASCII names that we generate. A put is atomic: readers see the old
 * object or the new one, never a part.
 */
export interface Storage {
  putFile(key: string, path: string, contentType: string): Promise<void>;
  putBytes(key: string, bytes: Uint8Array, contentType: string): Promise<void>;
  /** Undefined when there is no such object. */
  head(key: string): Promise<StoredObject | undefined>;
  /** @throws ObjectMissingError */
  read(key: string, range?: ByteRange): Promise<Readable>;
  delete(key: string): Promise<void>;
  /** Path of the object on this host, for an adapter that has one, so that nothing is copied. */
  localPath(key: string): string | undefined;
  /** Rejects when the store cannot be reached or written. */
  check(): Promise<void>;
}

export class ObjectMissingError extends Error {
  constructor(readonly key: string) {
    super(`no object ${key} in storage`);
    this.name = 'ObjectMissingError';
  }
}
