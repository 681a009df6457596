import {
  ActivityCancellationType,
  proxyActivities,
  type ActivityFunctionWithOptions,
  type ActivityOptions,
} from '@temporalio/workflow';
import type {
  DeliveryActivities,
  LipsyncActivities,
  LlmActivities,
  MediaActivities,
  OrchestrationActivities,
  TtsActivities,
} from './activity-interfaces.js';
import { taskQueue } from './contract/jobs.js';

/**
 * One proxy per queue and retry profile. Every activity has a schedule-to-close bound: without one a payload
 * that the server refuses would be tried for ever. The bounds include the wait for a free worker, so they are
 * hours where one attempt is minutes.
 */
const common = {
  // The job is not over before its programs are: a cancelled render must have cleaned up first.
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  // A cancel travels with the answer to a heartbeat, and a killed worker is noticed by their absence.
  heartbeatTimeout: '10 s',
} satisfies ActivityOptions;

/** What of the orchestration pool reads or writes files besides its records. */
type WithFiles = 'editScript' | 'recordVideo';

/**
 * Our own records. A job must reach its last word however long the database is away, so attempts are not
 * counted and only a week ends them. No heartbeats: these are short statements.
 */
export const orchestration = proxyActivities<Omit<OrchestrationActivities, WithFiles>>({
  taskQueue: taskQueue('orchestration'),
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  startToCloseTimeout: '30 s',
  scheduleToCloseTimeout: '7 days',
  retry: { initialInterval: '500 ms', backoffCoefficient: 2, maximumInterval: '1 minute' },
});

/**
 * Records that need files as well. A storage that stays away is the end of a render, and so it is of these: after
 * about five minutes the job says so instead of waiting for a week.
 */
export const orchestrationWithFiles = proxyActivities<
  Pick<OrchestrationActivities, WithFiles | 'markStarted'>
>({
  taskQueue: taskQueue('orchestration'),
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  startToCloseTimeout: '30 s',
  scheduleToCloseTimeout: '24 hours',
  retry: {
    initialInterval: '500 ms',
    backoffCoefficient: 2,
    maximumInterval: '1 minute',
    maximumAttempts: 12,
  },
});

/**
 * Language models answer 429 and 5xx for minutes and then recover. The provider's own delay, where it names
 * one, replaces the back-off (`nextRetryDelay` of the failure). Ten attempts are about eight minutes; on the last three
 * of them another writer stands in for a model that stays away.
 */
export const llm = proxyActivities<LlmActivities>({
  ...common,
  taskQueue: taskQueue('llm'),
  startToCloseTimeout: '5 minutes',
  scheduleToCloseTimeout: '12 hours',
  retry: {
    initialInterval: '2 s',
    backoffCoefficient: 2,
    maximumInterval: '2 minutes',
    maximumAttempts: 10,
  },
});

/** Speech fails as language models do, but a local voice is back at once, hence the shorter first pause. */
const speech = {
  ...common,
  taskQueue: taskQueue('tts'),
  startToCloseTimeout: '5 minutes',
  scheduleToCloseTimeout: '12 hours',
  retry: {
    initialInterval: '1 s',
    backoffCoefficient: 2,
    maximumInterval: '2 minutes',
    maximumAttempts: 10,
  },
} satisfies ActivityOptions;
export const tts = proxyActivities<Omit<TtsActivities, 'findSpans'>>(speech);

/** An alignment listens to all of a base, which takes minutes where others work, too. */
export const alignment = proxyActivities<Pick<TtsActivities, 'findSpans'>>({
  ...speech,
  startToCloseTimeout: '1 hour',
});

/**
 * Local work on files: what failed for its input fails again, so few attempts, enough to outlive a storage
 * outage or a full disk of a minute and a worker or two that are killed.
 */
export const media = proxyActivities<MediaActivities>({
  ...common,
  taskQueue: taskQueue('media'),
  startToCloseTimeout: '1 hour',
  scheduleToCloseTimeout: '24 hours',
  retry: {
    initialInterval: '1 s',
    backoffCoefficient: 2,
    maximumInterval: '30 s',
    maximumAttempts: 7,
  },
});

/**
 * A GPU, or a hosted service that is waited for: an attempt that died is taken up where it was, so that
 * several cost little, and a service may take its hour.
 */
export const lipsync = proxyActivities<LipsyncActivities>({
  ...common,
  taskQueue: taskQueue('lipsync'),
  startToCloseTimeout: '2 hours',
  scheduleToCloseTimeout: '48 hours',
  retry: {
    initialInterval: '2 s',
    backoffCoefficient: 2,
    maximumInterval: '1 minute',
    maximumAttempts: 6,
  },
});

/**
 * Receivers may be away for hours: after a day's attempts, ever further apart, the message is given up. No
 * heartbeats: an attempt is bounded by its own 15 s.
 */
export const delivery = proxyActivities<DeliveryActivities>({
  taskQueue: taskQueue('delivery'),
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  startToCloseTimeout: '30 s',
  scheduleToCloseTimeout: '24 hours',
  retry: { initialInterval: '5 s', backoffCoefficient: 3, maximumInterval: '1 hour' },
});

/**
 * Calls an activity with the line that operators read beside it in the Web UI: what it is about, of which its type
 * says nothing. The engine keeps the line in clear, so it holds no user's words.
 */
export function summarized<I, R>(
  summary: string,
  activity: ActivityFunctionWithOptions<(input: I) => Promise<R>>,
  input: I,
): Promise<R> {
  return activity.executeWithOptions({ summary }, [input]);
}
