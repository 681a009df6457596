import type { JobType, StepState } from '../workflows/contract.js';

/** What the workflows plan, for a job that has not begun; from then on the workflow itself tells. */
const explainerSteps = [
  'content',
  'scripts',
  'images',
  'voices',
  'captions',
  'segments',
  'assembly',
  'thumbnail',
  'record',
];

/** The steps of a queued job, all pending. */
export function plannedSteps(type: JobType, input: object): StepState[] {
  return stepNames(type, input).map((stepName) => ({
    stepName,
    status: 'pending',
    progress: 0,
    message: null,
    attempt: 1,
    startedAt: null,
    completedAt: null,
    errorMessage: null,
    cached: false,
  }));
}

function stepNames(type: JobType, input: object): string[] {
  if (type === 'explainer') return explainerSteps;
  if (type !== 'stage' || !('stage' in input) || typeof input.stage !== 'string') return [];
  return input.stage === 'assembly' ? ['segments', 'assembly'] : [input.stage];
}
