import { stageNames, type StageName } from './explainer.js';
import type { JobType } from './jobs.js';

/**
 * What things cost, in credits: a price is paid for each thing that is delivered, whether it came from the cache
 * or not, and nothing for what fails or is cancelled. An edited scene delivers the whole video anew.
 */
const prices: Record<Exclude<JobType, 'stage'>, number> = {
  explainer: 1,
  dialogue: 1,
  /** A recipient. */
  personalized: 1,
  lipsync: 1,
  conversion: 0,
  publication: 0,
};

/** The stages before the last are drafts; the last delivers a video. */
const stagePrices: Record<StageName, number> = {
  content: 0,
  scripts: 0,
  images: 0,
  voices: 0,
  captions: 0,
  assembly: 1,
};

/** The one item of a job that delivers one thing; a batch names its recipients instead. */
export const wholeJob = 'result';

/** Credits for one item of such a job, where `parameters` are those that the job shows. */
export function priceOf(type: JobType, parameters: Readonly<Record<string, unknown>>): number {
  if (type !== 'stage') return prices[type];
  const stage = stageNames.find((name) => name === parameters['stage']);
  if (stage === undefined) throw new Error('a stage job without a known stage has no price');
  return stagePrices[stage];
}
