import { expect, it } from 'vitest';
import { mergeProgress } from '../../api/live-progress.js';
import type { PendingItem } from '../../api/pending-items.js';
import type { JobProgress, StepState, StepStatus } from '../../workflows/contract/jobs.js';

function step(stepName: string, status: StepStatus, progress: number): StepState {
  return {
    stepName,
    status,
    progress,
    message: null,
    attempt: 1,
    startedAt: null,
    completedAt: null,
    errorMessage: null,
    cached: false,
  };
}

const beat = (stepName: string, item: number, fraction: number, attempt = 1): PendingItem => ({
  attempt,
  heartbeat: { step: stepName, item, fraction, message: undefined },
  lastFailure: undefined,
});

/** Writing is done, of eight segments four are drawn, and so are no pictures of four. */
const progress: JobProgress = {
  status: 'in_progress',
  overallProgress: 30,
  steps: [
    step('scripts', 'completed', 100),
    step('images', 'in_progress', 0),
    step('segments', 'in_progress', 50),
  ],
  weights: [1, 1, 2],
  parallelItems: { scripts: 1, images: 4, segments: 8 },
};

it('adds each running item by its share of the step, and each step by its weight', () => {
  const pending = [beat('segments', 5, 0.5), beat('segments', 6, 0.25), beat('images', 1, 1)];
  const view = mergeProgress({ progress, pending }, 0);
  expect(view.steps.map((s) => s.progress)).toEqual([100, 25, 59.4]);
  // (1 × 100 + 1 × 25 + 2 × 59.375) / 4, from the rounded steps.
  expect(view.overallProgress).toBe(61);
});

it('counts an item once, however many of its attempts are reported', () => {
  const pending = [beat('segments', 5, 0.2), beat('segments', 5, 0.4)];
  expect(mergeProgress({ progress, pending }, 0).steps[2]?.progress).toBe(55);
});

it('never goes below what was shown, nor to the end before the end', () => {
  expect(mergeProgress({ progress, pending: [] }, 77.7).overallProgress).toBe(77.7);
  const full = { ...progress, steps: progress.steps.map((s) => ({ ...s, progress: 100 })) };
  expect(mergeProgress({ progress: full, pending: [] }, 0).overallProgress).toBe(99.9);
  expect(mergeProgress({ progress: { ...full, status: 'completed' }, pending: [] }, 0).overallProgress).toBe(
    100,
  );
});

it('leaves steps alone that do not run, and heartbeats of steps that there are not', () => {
  const pending = [beat('scripts', 1, 0.5), beat('nothing', 1, 0.5)];
  const view = mergeProgress({ progress, pending }, 0);
  expect(view.steps).toEqual(progress.steps);
});

it('takes an activity without a heartbeat for the only step that runs', () => {
  const one = {
    ...progress,
    steps: [step('scripts', 'in_progress', 0), step('images', 'pending', 0)],
    weights: [1, 1],
  };
  const pending: PendingItem[] = [{ attempt: 3, heartbeat: undefined, lastFailure: 'The paint was dry.' }];
  const [scripts] = mergeProgress({ progress: one, pending }, 0).steps;
  expect(scripts).toMatchObject({ attempt: 3, message: 'attempt 3, because: The paint was dry.' });
  const two = mergeProgress({ progress, pending }, 0).steps;
  expect(two.map((s) => s.attempt)).toEqual([1, 1, 1]);
});
