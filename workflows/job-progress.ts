import type { FromCache, JobProgress, JobStatus, StepState } from './contract/jobs.js';
import { pendingStep, type PlannedStep } from './step-plan.js';

interface Items {
  total: number;
  done: number;
  cached: number;
}

/**
 * The step list of one job: what the progress query answers and what the finished job keeps. Pure; the clock
 * comes in, so that a replay tells the same times.
 */
export class ProgressTracker {
  readonly #steps: StepState[];
  readonly #weights: number[];
  readonly #items = new Map<string, Items>();
  readonly #now: () => string;
  #overall = 0;
  status: JobStatus = 'in_progress';

  /** @param now the time as ISO 8601 UTC. */
  constructor(plan: readonly PlannedStep[], now: () => string) {
    this.#now = now;
    this.#weights = plan.map((step) => step.weight);
    this.#steps = plan.map(pendingStep);
  }

  /**
   * Goes on from what an earlier run of the same job had reached.
   * @param done items that were done of each step that is under way.
   */
  resume(before: JobProgress, done: Record<string, number>): void {
    before.steps.forEach((step) => Object.assign(this.#step(step.stepName), step));
    this.#overall = before.overallProgress;
    this.status = before.status;
    for (const [name, total] of Object.entries(before.parallelItems)) {
      this.#items.set(name, { total, done: done[name] ?? 0, cached: 0 });
    }
  }

  start(name: string): void {
    const step = this.#step(name);
    step.status = 'in_progress';
    step.startedAt = this.#now();
    this.#items.set(name, { total: 1, done: 0, cached: 0 });
  }

  /** Says of how many activities a step consists, once that is known; before, it counts as one. */
  expect(name: string, total: number): void {
    const items = this.#itemsOf(name);
    items.total = Math.max(total, items.done, 1);
  }

  itemDone(name: string, { cached, attempt = 1 }: FromCache): void {
    const items = this.#itemsOf(name);
    items.done += 1;
    items.total = Math.max(items.total, items.done);
    if (cached) items.cached += 1;
    const step = this.#step(name);
    step.attempt = Math.max(step.attempt, attempt);
    step.progress = Math.max(step.progress, (100 * items.done) / items.total);
    if (items.total > 1) step.message = `${items.done} of ${items.total}`;
    this.#raise();
  }

  /** A word for the user on this step; null leaves what stands there. */
  tell(name: string, message: string | null): void {
    if (message !== null) this.#step(name).message = message;
  }

  complete(name: string): void {
    const step = this.#step(name);
    const items = this.#itemsOf(name);
    step.status = 'completed';
    step.progress = 100;
    step.completedAt = this.#now();
    step.cached = items.done > 0 && items.cached === items.done;
    this.#raise();
  }

  skip(name: string, message: string): void {
    const step = this.#step(name);
    step.status = 'skipped';
    step.progress = 100;
    step.message = message;
    this.#raise();
  }

  fail(name: string, errorMessage: string, attempt: number): void {
    const step = this.#step(name);
    step.attempt = Math.max(step.attempt, attempt);
    step.status = 'failed';
    step.errorMessage = errorMessage;
    step.completedAt = this.#now();
  }

  /** Everything that is not over will not happen any more. */
  cancelRest(): void {
    for (const step of this.#steps) {
      if (step.status === 'in_progress') step.completedAt = this.#now();
      if (step.status === 'in_progress' || step.status === 'pending') step.status = 'cancelled';
    }
  }

  snapshot(): JobProgress {
    return {
      status: this.status,
      overallProgress: this.#overall,
      steps: this.#steps.map((step) => ({ ...step })),
      weights: [...this.#weights],
      parallelItems: Object.fromEntries([...this.#items].map(([name, items]) => [name, items.total])),
    };
  }

  #raise(): void {
    const whole = this.#weights.reduce((sum, weight) => sum + weight, 0);
    const done = this.#steps.reduce(
      (sum, step, index) => sum + ((this.#weights[index] ?? 0) * step.progress) / 100,
      0,
    );
    const percent = Math.round((1000 * done) / whole) / 10;
    this.#overall = Math.min(100, Math.max(this.#overall, percent));
  }

  #step(name: string): StepState {
    const step = this.#steps.find((candidate) => candidate.stepName === name);
    if (step === undefined) throw new Error(`no step named ${name} is planned`);
    return step;
  }

  #itemsOf(name: string): Items {
    const items = this.#items.get(name);
    if (items === undefined) throw new Error(`step ${name} has not started`);
    return items;
  }
}
