import type { JobProgressView } from '../db/job-document.js';
import { terminalStatuses, type JobStatus, type StepState } from '../workflows/contract/jobs.js';
import type { LiveProgress } from './jobs-client.js';
import type { PendingItem } from './pending-items.js';

export type ProgressView = JobProgressView;

/**
 * Adds what the heartbeats of the running activities say to what the workflow knows. Each of a step's `n`
 * parallel items is worth `1/n` of it, each step its weight of the whole.
 *
 * @param floor what was shown before: the whole never goes down.
 */
export function mergeProgress({ progress, pending }: LiveProgress, floor: number): ProgressView {
  const running = progress.steps.filter((step) => step.status === 'in_progress');
  const only = running.length === 1 ? running[0]?.stepName : undefined;
  const steps = progress.steps.map((step) => {
    if (step.status !== 'in_progress') return step;
    const items = pending.filter((item) => (item.heartbeat?.step ?? only) === step.stepName);
    return withItems(step, items, progress.parallelItems[step.stepName] ?? 1);
  });
  const whole = progress.weights.reduce((sum, weight) => sum + weight, 0);
  const done = steps.reduce((sum, step, index) => sum + (progress.weights[index] ?? 0) * step.progress, 0);
  const seen = whole > 0 ? done / whole : 0;
  const highest = Math.max(floor, progress.overallProgress, seen);
  // The last tenth belongs to the end itself.
  const limit = progress.status === 'completed' ? 100 : 99.9;
  return { status: progress.status, overallProgress: round(Math.min(limit, highest)), steps };
}

function withItems(step: StepState, items: PendingItem[], total: number): StepState {
  const fractions = new Map<number, number>();
  for (const { heartbeat } of items) {
    if (heartbeat === undefined) continue;
    fractions.set(heartbeat.item, Math.max(fractions.get(heartbeat.item) ?? 0, heartbeat.fraction));
  }
  const moving = [...fractions.values()].reduce((sum, fraction) => sum + fraction, 0);
  const worst = items.reduce<PendingItem | undefined>(
    (found, item) => (item.attempt > (found?.attempt ?? 1) ? item : found),
    undefined,
  );
  const said = items.find((item) => item.heartbeat?.message !== undefined)?.heartbeat?.message;
  return {
    ...step,
    progress: round(Math.min(100, step.progress + (100 * moving) / Math.max(1, total))),
    attempt: Math.max(step.attempt, worst?.attempt ?? 1),
    message: worst?.lastFailure !== undefined ? retryMessage(worst) : (said ?? step.message),
  };
}

function retryMessage({ attempt, lastFailure }: PendingItem): string {
  return `attempt ${attempt}, because: ${lastFailure ?? 'an attempt failed'}`;
}

/** True when nothing more will happen. */
export function isTerminal(status: JobStatus): boolean {
  return terminalStatuses.includes(status);
}

function round(percent: number): number {
  return Math.round(percent * 10) / 10;
}
