import { stageNames } from '../workflows/contract/explainer.js';
import type { JobType, StepState } from '../workflows/contract/jobs.js';
import { pendingStep, planOf } from '../workflows/step-plan.js';

/** The steps of a queued job, all pending; once it has begun the workflow itself tells. */
export function plannedSteps(type: JobType, input: object): StepState[] {
  const stage = 'stage' in input ? stageNames.find((name) => name === input.stage) : undefined;
  return planOf(type, stage === undefined ? {} : { stage }).map(pendingStep);
}
