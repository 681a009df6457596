import type { ArtifactId } from '../workflows/contract/documents.js';

/** What the publisher of a file may say of it, to spare reading or copying it once more. */
export interface FileFacts {
  /** In hex, where it was taken while the file was written. */
  sha256?: string;
  /** Nobody needs the file any more: it may be moved instead of copied. */
  isSpare?: boolean;
}

/**
 * Files that steps hand to one another, named by their content. Inputs come from storage through a bounded
 * cache on this host; outputs go to storage and into the `artifacts` table.
 */
export interface ArtifactStore {
  /** Path of a readable local copy; valid while the calling activity runs. */
  fetch(id: ArtifactId): Promise<string>;
  /** Publishes a finished file. `extension` without dot names the content type. */
  publishFile(path: string, extension: string, facts?: FileFacts): Promise<ArtifactId>;
  publishBytes(bytes: Uint8Array, extension: string): Promise<ArtifactId>;
  publishJson(value: unknown): Promise<ArtifactId>;
  readBytes(id: ArtifactId): Promise<Buffer>;
  /** Parses a JSON artifact that another activity of ours published. */
  readJson<T>(id: ArtifactId): Promise<T>;
}
