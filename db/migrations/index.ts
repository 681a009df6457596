import type { Migration } from 'kysely';
import * as foundation from './2026-11-21T0200-foundation.js';
import * as loginTriesAndLiveJobs from './2026-11-21T0330-login-tries-and-live-jobs.js';
import * as creditLedger from './2026-11-21T1100-credit-ledger.js';
import * as activities from './2026-11-21T1105-activities.js';
import * as apiKeysAndAvatars from './2026-11-21T1105-api-keys-and-avatars.js';
import * as webhooks from './2026-11-21T1100-webhooks.js';
import * as projectsAndAssets from './2026-11-21T1110-projects-and-assets.js';
import * as recipients from './2026-11-21T1130-recipients.js';
import * as providerCredentials from './2026-11-21T1140-provider-credentials.js';
import * as auditByTarget from './2026-11-28T2150-audit-by-target.js';
import * as reviewAnswered from './2026-11-29T0215-review-answered.js';

/** Frozen once released; named by time, so that their order is their name. */
export const migrations: Record<string, Migration> = {
  '2026-11-21T0200-foundation': foundation,
  '2026-11-21T0330-login-tries-and-live-jobs': loginTriesAndLiveJobs,
  '2026-11-21T1100-credit-ledger': creditLedger,
  '2026-11-21T1105-activities': activities,
  '2026-11-21T1105-api-keys-and-avatars': apiKeysAndAvatars,
  '2026-11-21T1100-webhooks': webhooks,
  '2026-11-21T1110-projects-and-assets': projectsAndAssets,
  '2026-11-21T1130-recipients': recipients,
  '2026-11-21T1140-provider-credentials': providerCredentials,
  '2026-11-28T2150-audit-by-target': auditByTarget,
  '2026-11-29T0215-review-answered': reviewAnswered,
};
