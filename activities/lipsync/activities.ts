import type { LipsyncActivities } from '../../workflows/activity-interfaces.js';
import { createMoveMouth, type LipsyncDeps } from './move-mouth.js';
import { createSyncLips } from './sync-lips.js';

/** Activities of the lipsync pool. */
export function createLipsyncActivities(deps: LipsyncDeps): LipsyncActivities {
  return { moveMouth: createMoveMouth(deps), syncLips: createSyncLips(deps) };
}
