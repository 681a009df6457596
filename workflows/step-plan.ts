import type { StageName } from './contract/explainer.js';
import type { JobType, StepState } from './contract/jobs.js';

/** A step as it is planned. `weight`: how much of the whole job it is worth, in any unit. */
export interface PlannedStep {
  name: string;
  weight: number;
}

/** Weights are shares of the wall time of a ten-scene video without a cache. */
export const explainerPlan: readonly PlannedStep[] = [
  { name: 'content', weight: 3 },
  { name: 'scripts', weight: 4 },
  { name: 'images', weight: 14 },
  { name: 'voices', weight: 12 },
  { name: 'captions', weight: 3 },
  { name: 'segments', weight: 52 },
  { name: 'assembly', weight: 7 },
  { name: 'thumbnail', weight: 3 },
  { name: 'record', weight: 2 },
];

export function stagePlan(name: StageName): readonly PlannedStep[] {
  if (name !== 'assembly') return [{ name, weight: 1 }];
  return [
    { name: 'segments', weight: 9 },
    { name: 'assembly', weight: 1 },
  ];
}

/** Shares of the wall time of a hundred recipients. */
export const personalizedPlan: readonly PlannedStep[] = [
  { name: 'preparation', weight: 10 },
  { name: 'voices', weight: 5 },
  { name: 'recipients', weight: 80 },
  { name: 'packaging', weight: 5 },
];

export const conversionPlan: readonly PlannedStep[] = [{ name: 'conversion', weight: 1 }];
export const lipsyncPlan: readonly PlannedStep[] = [{ name: 'lip_sync', weight: 1 }];

/** The plan of a job from its type and workflow input, for whoever shows it before it has begun. */
export function planOf(type: JobType, input: { stage?: StageName }): readonly PlannedStep[] {
  if (type === 'explainer') return explainerPlan;
  if (type === 'personalized') return personalizedPlan;
  if (type === 'conversion') return conversionPlan;
  if (type === 'lipsync') return lipsyncPlan;
  return type === 'stage' && input.stage !== undefined ? stagePlan(input.stage) : [];
}

/** A step that has not begun. */
export function pendingStep({ name }: PlannedStep): StepState {
  return {
    stepName: name,
    status: 'pending',
    progress: 0,
    message: null,
    attempt: 1,
    startedAt: null,
    completedAt: null,
    errorMessage: null,
    cached: false,
  };
}
