import { ensureWorkflowBundle } from './bundle.js';

/** Build step: `node dist/workers/build-bundle.js` after `tsc`. */
await ensureWorkflowBundle();
