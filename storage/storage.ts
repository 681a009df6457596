import type { Readable } from 'node:stream';

/** Facts about a stored object. */
export interface StoredObject {
  bytes: number;
  contentType: string;
}

export interface ListedObject {
  key: string;
  modifiedAt: Date;
}

export interface PresignedUpload {
  bytes: number;
  expiresSeconds: number;
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
  /** The same for a file that nobody needs any more: it may be moved instead of copied. */
  takeFile(key: string, path: string, contentType: string): Promise<void>;
  putBytes(key: string, bytes: Uint8Array, contentType: string): Promise<void>;
  /** Undefined when there is no such object. */
  head(key: string): Promise<StoredObject | undefined>;
  /** @throws ObjectMissingError */
  read(key: string, range?: ByteRange): Promise<Readable>;
  delete(key: string): Promise<void>;
  /**
   * An address that takes one object of exactly so many bytes until it expires, for clients that send past us.
   * Undefined where the adapter has no server of its own.
   */
  presignPut(key: string, upload: PresignedUpload): Promise<string | undefined>;
  /** Objects below `prefix` (a key without its last segment, ending in `/`), in no order, a page at a time. */
  list(prefix: string): AsyncIterable<ListedObject[]>;
  /** Removes what puts left that began before then and never came to their end. Answers how much that was. */
  removeUnfinished(before: Date): Promise<number>;
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
