import type { Db } from '../../db/database.js';
import type { ArtifactStore } from '../artifacts.js';

/** What the activities that keep the jobs' records need. */
export interface OrchestrationDeps {
  db: Db;
  artifacts: Pick<ArtifactStore, 'readJson' | 'publishJson'>;
}
