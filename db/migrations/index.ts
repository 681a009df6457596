import type { Migration } from 'kysely';
import * as foundation from './2026-11-21T0200-foundation.js';
import * as loginTriesAndLiveJobs from './2026-11-21T0330-login-tries-and-live-jobs.js';
import * as webhooks from './2026-11-21T1100-webhooks.js';

/** Frozen once released; named by time, so that their order is their name. */
export const migrations: Record<string, Migration> = {
  '2026-11-21T0200-foundation': foundation,
  '2026-11-21T0330-login-tries-and-live-jobs': loginTriesAndLiveJobs,
  '2026-11-21T1100-webhooks': webhooks,
};
