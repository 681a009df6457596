import { setTimeout as sleep } from 'node:timers/promises';
import type { Db } from '../db/database.js';
import { findJob, raiseProgress, type JobRow } from '../db/jobs.js';
import type { Logger } from '../logger.js';
import type { JobStatus } from '../workflows/contract/jobs.js';
import { jobBody, type Job } from './job-resource.js';
import type { JobsClient } from './jobs-client.js';
import { isTerminal, mergeProgress, type ProgressView } from './live-progress.js';

/** One reading of the row serves everybody who asks within this time, so an end is seen this soon. */
const freshMs = 100;

/** The engine is asked no more often than this about one job. */
const askEveryMs = 300;

/** What was seen within this time answers at once, while the engine is asked for the next reader. */
const recentMs = 1_000;

/** Nobody waits longer for the engine: what was seen last, or the row, answers meanwhile. */
const patienceMs = 40;

/** A job comes to a gate once: whoever reads that it waits there should also read at which step. */
const gatePatienceMs = 500;

/** How long a silent engine is left alone for one job. */
const silentMs = 2_000;

/** How often a running job's progress is written down. */
const keepMs = 2_000;

/** Jobs of which this process remembers what it saw. */
const maxSeen = 10_000;

/** What this process saw of a running job. */
interface Seen {
  highest: number;
  keptAt: number;
  silentUntil: number;
  /** The last answer, when it came, and whether it came with the present reading. */
  seenAt: number;
  /** The row's status at the last question: when it changes, an answer from before says too little. */
  askedStatus: JobStatus | undefined;
  view: ProgressView | undefined;
  isFresh: boolean;
  asking: Promise<void> | undefined;
}

interface Reading {
  until: number;
  job: Promise<Job | undefined>;
}

/** Jobs as they are now: the row, and for a running one what the engine says. */
export interface JobViews {
  /** Undefined when the user has no such job. */
  get(userId: string, id: string): Promise<Job | undefined>;
  /** Forgets what was read, after a change. */
  forget(userId: string, id: string): void;
}

export function createJobViews(deps: { db: Db; jobs: JobsClient; logger: Logger }): JobViews {
  const { db, jobs, logger } = deps;
  const readings = new Map<string, Reading>();
  const seenJobs = new Map<string, Seen>();

  function seenOf(id: string): Seen {
    const known = seenJobs.get(id);
    if (known !== undefined) return known;
    const [oldest] = seenJobs.keys();
    if (seenJobs.size >= maxSeen && oldest !== undefined) seenJobs.delete(oldest);
    const seen: Seen = {
      highest: 0,
      keptAt: 0,
      silentUntil: 0,
      seenAt: 0,
      askedStatus: undefined,
      view: undefined,
      isFresh: false,
      asking: undefined,
    };
    seenJobs.set(id, seen);
    return seen;
  }

  /** Asks the engine, and notes what it says. */
  async function ask(id: string, seen: Seen): Promise<void> {
    try {
      const live = await jobs.progress(id);
      if (live === undefined) return;
      seen.view = mergeProgress(live, seen.highest);
      seen.isFresh = true;
      seen.seenAt = Date.now();
      if (!isTerminal(seen.view.status)) seen.highest = Math.max(seen.highest, seen.view.overallProgress);
    } catch (error) {
      seen.silentUntil = Date.now() + silentMs;
      logger.warn({ jobId: id, stage: 'view', action: 'query workflow', success: false, err: error });
    }
  }

  /** The question that is open for the job, or a new one; one at a time while the row says the same. */
  function question(row: JobRow, seen: Seen): Promise<void> {
    if (seen.asking !== undefined && seen.askedStatus === row.status) return seen.asking;
    const asking = ask(row.id, seen).finally(() => {
      if (seen.asking === asking) seen.asking = undefined;
    });
    seen.asking = asking;
    seen.askedStatus = row.status;
    return asking;
  }

  /** The row of a job that is not running, with no less than was shown of it: heartbeats are ahead of the workflow. */
  async function settled(row: JobRow): Promise<JobRow> {
    const highest = seenJobs.get(row.id)?.highest ?? 0;
    seenJobs.delete(row.id);
    if (row.status === 'completed' || highest <= row.overall_progress) return row;
    await raiseProgress(db, row.id, highest);
    return { ...row, overall_progress: highest };
  }

  async function of(row: JobRow): Promise<Job> {
    if (isTerminal(row.status) || row.submitted_at === null) return jobBody(await settled(row));
    const seen = seenOf(row.id);
    seen.highest = Math.max(seen.highest, row.overall_progress);
    seen.isFresh = false;
    const now = Date.now();
    const age = row.status === seen.askedStatus ? now - seen.seenAt : Infinity;
    if (now >= seen.silentUntil && age >= askEveryMs) {
      const answered = question(row, seen);
      const patience = row.status === 'awaiting_approval' ? gatePatienceMs : patienceMs;
      if (age >= recentMs) await Promise.race([answered, sleep(patience, undefined, { ref: false })]);
    }
    if (seen.highest > row.overall_progress && Date.now() - seen.keptAt > keepMs) {
      seen.keptAt = Date.now();
      await raiseProgress(db, row.id, seen.highest);
    }
    return jobBody(row, lastSeen(row, seen));
  }

  async function read(userId: string, id: string): Promise<Job | undefined> {
    const row = await findJob(db, userId, id);
    return row === undefined ? undefined : of(row);
  }

  function get(userId: string, id: string): Promise<Job | undefined> {
    const key = `${userId} ${id}`;
    const known = readings.get(key);
    if (known !== undefined && Date.now() < known.until) return known.job;
    const reading: Reading = { until: Infinity, job: read(userId, id) };
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
    forget(userId, id) {
      readings.delete(`${userId} ${id}`);
    },
  };
}

/**
 * An older answer is right about its steps, and that the job has begun; and a workflow that is over is so for its
 * user when the row has its result.
 */
function lastSeen(row: JobRow, { view, isFresh, highest }: Readonly<Seen>): ProgressView {
  const begun = row.status === 'queued' && view !== undefined ? 'in_progress' : row.status;
  const status = view !== undefined && isFresh && !isTerminal(view.status) ? view.status : begun;
  const steps = view?.steps ?? row.steps;
  return { status, overallProgress: Math.round(highest * 10) / 10, steps };
}
