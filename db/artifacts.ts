import type { Db } from './database.js';

export interface ArtifactRow {
  id: string;
  sha256: string;
  bytes: number;
  contentType: string;
}

/** Makes a stored file known; the same content may be published by many at once. */
export async function recordArtifact(db: Db, artifact: ArtifactRow): Promise<void> {
  await db
    .insertInto('artifacts')
    .values({
      id: artifact.id,
      sha256: artifact.sha256,
      bytes: artifact.bytes,
      content_type: artifact.contentType,
    })
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute();
}
