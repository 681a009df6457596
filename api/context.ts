import type { OpenSecretBox } from '../db/credentials-key.js';
import type { Db } from '../db/database.js';
import type { Logger } from '../logger.js';
import type { Storage } from '../storage/storage.js';
import type { AssetKind } from '../workflows/contract/assets.js';
import type { AuthenticatedUser } from './auth/sessions.js';
import type { JobViews } from './job-views.js';
import type { JobsClient } from './jobs-client.js';
import type { Metrics } from './metrics.js';
import type { IdempotencyClaim } from './middleware/idempotency.js';
import type { OfferedProviders } from './offered-providers.js';

/** What users may bring, and where it lies until it was looked at. */
export interface IntakeSettings {
  /** A folder of this host; files of dead processes in it are removed. */
  dir: string;
  ffprobePath: string;
  maxBytes: Record<AssetKind, number>;
  maxSeconds: number;
}

/** What the whole API works with; made once by the entry, or by a test. */
export interface AppDeps {
  db: Db;
  storage: Storage;
  jobs: JobsClient;
  logger: Logger;
  /** Credits that a new account begins with. */
  signupCredits: number;
  /** How many proxies of ours stand in front; each adds to X-Forwarded-For. Default 0. */
  trustedProxies?: number;
  /** Callbacks may go to plain http and to addresses that are not public. Default false. */
  allowPrivateCallbacks?: boolean;
  intake: IntakeSettings;
  /** Voices and lip-sync that can be asked for here. */
  offered: OfferedProviders;
  /** Keeps the keys that users bring. */
  openSecretBox: OpenSecretBox;
  /** Aborts when the process drains, so that event streams end. */
  draining: AbortSignal;
}

/** {@link AppDeps} and what the app makes of them. */
export interface RouteDeps extends AppDeps {
  views: JobViews;
  metrics: Metrics;
}

export interface AppEnv {
  Variables: {
    requestId: string;
    logger: Logger;
    /** Set behind the authentication. */
    user: AuthenticatedUser;
    /** Of the login that is used. Set behind `requireSession`. */
    familyId: string;
    idempotency: IdempotencyClaim | undefined;
  };
}
