import { sql } from 'kysely';
import type { Db } from './database.js';

export interface ArtifactRow {
  id: string;
  sha256: string;
  bytes: number;
  contentType: string;
}

/**
 * Makes a stored file known, or known anew; the same content may be published by many at once. It waits for a
 * collector that is removing just this file. Whoever put the file then has to see that it is still there.
 */
export async function recordArtifact(db: Db, artifact: ArtifactRow): Promise<void> {
  await db
    .insertInto('artifacts')
    .values({
      id: artifact.id,
      sha256: artifact.sha256,
      bytes: artifact.bytes,
      content_type: artifact.contentType,
    })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ published_at: sql<Date>`now()` }))
    .execute();
}

/** Keeps collectors from a file that is about to be published again, if it is known. */
export async function reserveArtifact(db: Db, id: string): Promise<void> {
  await db
    .updateTable('artifacts')
    .set({ published_at: sql<Date>`now()` })
    .where('id', '=', id)
    .execute();
}
