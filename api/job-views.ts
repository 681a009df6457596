import type { Db } from '../db/database.js';
import { findJob, raiseProgress, type JobRow } from '../db/jobs.js';
import type { Logger } from '../logger.js';
import { jobBody, type Job } from './job-resource.js';
import type { JobsClient } from './jobs-client.js';
import { isTerminal, mergeProgress } from './live-progress.js';

/** One reading serves everybody who asks within this time. */
const freshMs = 300;

/** How long a silent engine is left alone for one job; meanwhile its row answers. */
const silentMs = 2_000;

/** How often a running job's progress is written down. */
const keepMs = 2_000;

interface Seen {
  highest: number;
  keptAt: number;
  silentUntil: number;
}

interface Reading {
  until: number;
  job: Promise<Job | undefined>;
}

/** Jobs as they are now: the row, and for a running one what the engine says. */
export interface JobViews {
  /** Undefined when the user has no such job. */
  get(userId: string, id: string): Promise<Job | undefined>;
  /** The same, given the row. */
  of(row: JobRow): Promise<Job>;
  /** Forgets what was read, after a change. */
  forget(userId: string, id: string): void;
}

export function createJobViews(deps: { db: Db; jobs: JobsClient; logger: Logger }): JobViews {
  const { db, jobs, logger } = deps;
  const readings = new Map<string, Reading>();
  const seenJobs = new Map<string, Seen>();

  async function of(row: JobRow): Promise<Job> {
    if (isTerminal(row.status) || row.submitted_at === null) {
      seenJobs.delete(row.id);
      return jobBody(row);
    }
    const seen = seenJobs.get(row.id) ?? { highest: 0, keptAt: 0, silentUntil: 0 };
    seenJobs.set(row.id, seen);
    seen.highest = Math.max(seen.highest, row.overall_progress);
    if (Date.now() < seen.silentUntil) return rowAtLeast(row, seen.highest);
    let live;
    try {
      live = await jobs.progress(row.id);
    } catch (error) {
      seen.silentUntil = Date.now() + silentMs;
      logger.warn({ jobId: row.id, stage: 'view', action: 'query workflow', success: false, err: error });
    }
    if (live === undefined) return rowAtLeast(row, seen.highest);
    const view = mergeProgress(live, seen.highest);
    // The workflow is over before its row says so: the row has the result and comes in a moment.
    if (isTerminal(view.status)) return rowAtLeast(row, seen.highest, view.steps);
    seen.highest = Math.max(seen.highest, view.overallProgress);
    if (Date.now() - seen.keptAt > keepMs && view.overallProgress > row.overall_progress) {
      seen.keptAt = Date.now();
      await raiseProgress(db, row.id, view.overallProgress);
    }
    return jobBody(row, view);
  }

  function get(userId: string, id: string): Promise<Job | undefined> {
    const key = `${userId} ${id}`;
    const now = Date.now();
    const known = readings.get(key);
    if (known !== undefined && now < known.until) return known.job;
    const reading: Reading = {
      until: Infinity,
      job: findJob(db, userId, id).then((row) => (row === undefined ? undefined : of(row))),
    };
    readings.set(key, reading);
    const settle = (keepForMs: number) => {
      reading.until = Date.now() + keepForMs;
      setTimeout(() => {
        if (readings.get(key) === reading) readings.delete(key);
      }, keepForMs).unref();
    };
    reading.job.then(
      () => {
        settle(freshMs);
      },
      () => {
        settle(0);
      },
    );
    return reading.job;
  }

  return {
    get,
    of,
    forget(userId, id) {
      readings.delete(`${userId} ${id}`);
    },
  };
}

function rowAtLeast(row: JobRow, overallProgress: number, steps = row.steps): Job {
  return jobBody(row, { status: row.status, overallProgress: Math.round(overallProgress * 10) / 10, steps });
}
