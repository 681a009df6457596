import { jobStatuses, terminalStatuses } from '../workflows/contract/jobs.js';

/** Of jobs that something still happens to. */
export const liveStatuses = jobStatuses.filter((status) => !terminalStatuses.includes(status));
