import type { JobType } from '../workflows/contract/jobs.js';

const maxCharacters = 200;

/** One line that tells a job from others: its title, its prompt, its stage, or else its type. */
export function jobTitle(job: { type: JobType; parameters: Record<string, unknown> }): string {
  const { title, prompt, stage } = job.parameters;
  const named = [title, prompt, stage].find((value) => typeof value === 'string' && value.trim() !== '');
  if (typeof named !== 'string') return job.type;
  return [...named.trim().replace(/\s+/g, ' ')].slice(0, maxCharacters).join('');
}
