import {
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  ChildWorkflowCancellationType,
  continueAsNew,
  executeChild,
  ParentClosePolicy,
  workflowInfo,
} from '@temporalio/workflow';
import { alignment, media, orchestration, summarized, tts } from './activity-proxies.js';
import { taskQueue } from './contract/jobs.js';
import {
  type BatchCarriedOver,
  type PersonalizedBatchInput,
  type PersonalizedBatchResult,
  type PersonalizedOptions,
  type RecipientOptions,
  type RecipientOutcome,
  type SpeakBatchResult,
} from './contract/personalized.js';
import { isEngineFailure } from './job-failure.js';
import { counted, runJob, type JobRun } from './job-run.js';
import { inWindow } from './parallel.js';
import { personalizedVideo, recipientOf } from './personalized-video.js';
import { personalizedPlan } from './step-plan.js';

/** Recipients that are worked on at once; the pools' own limits are narrower. */
const recipientsAtOnce = 20;

/**
 * A run hands over to a new one after so many events, unless the engine wishes it earlier. Those in flight still add
 * some, and a history may have 10,000.
 */
const mostEvents = 5_000;

/** Recipients whose words are asked for in one request. */
const namesInOneRequest = 25;

/**
 * One base video and many recipients. The base is made ready once; each recipient is a workflow of its own, so many at a
 * time; those that fail fail alone. All that were delivered end up in one archive with a report.
 */
export async function personalized(input: PersonalizedBatchInput): Promise<PersonalizedBatchResult | null> {
  const { options, carried, takenOver = 0 } = input;
  const earlier = carried && {
    progress: carried.progress,
    done: { recipients: carried.delivered + carried.failed },
  };
  return runJob(
    input,
    personalizedPlan,
    async (run) => {
      if (input.recipientCount > 0) {
        const batch = carried ?? (await prepare(run, input));
        await run.within('recipients', () => eachRecipient(run, input, batch));
        run.progress.complete('recipients');
      } else skipToPackaging(run);
      const packed = await run.step('packaging', () =>
        counted(
          run.progress,
          'packaging',
          summarized(`${input.recipientCount + takenOver} recipients`, media.packageBatch, {
            ...run.ref,
            insertMode: options.insertMode,
          }),
        ),
      );
      return {
        result: { delivered: packed.delivered, failed: packed.failed, bytes: packed.bytes },
        artifacts: [
          { kind: 'archive', name: 'videos.zip', artifact: packed.archive },
          { kind: 'report', name: 'report.csv', artifact: packed.report },
        ],
      };
    },
    earlier,
  );
}

function skipToPackaging({ progress }: JobRun): void {
  for (const step of ['preparation', 'voices', 'recipients']) progress.skip(step, 'done by an earlier job');
}

async function prepare(
  run: JobRun,
  input: PersonalizedBatchInput,
): Promise<Omit<BatchCarriedOver, 'progress'>> {
  const { ref, progress } = run;
  const { options, base, recipientCount } = input;
  const { prepared, spanCount } = await run.step('preparation', async () => {
    progress.expect('preparation', 3);
    const { opened, message } = await counted(
      progress,
      'preparation',
      summarized(`for ${recipientCount} recipients`, media.openBase, { ...ref, base, options }),
    );
    const finding = summarized('what is replaced', alignment.findSpans, { ...ref, opened, options });
    const found = await counted(progress, 'preparation', finding);
    const made = await counted(
      progress,
      'preparation',
      summarized(`spans: ${found.spanCount}`, media.prepareBase, {
        ...ref,
        opened,
        spans: found.spans,
        options,
      }),
    );
    progress.tell('preparation', [message, found.message].filter((part) => part !== null).join('; ') || null);
    return { prepared: made.prepared, spanCount: found.spanCount };
  });

  if (options.batch.enabled) {
    await run.step('voices', async () => {
      const starts = Array.from(
        { length: Math.ceil(recipientCount / namesInOneRequest) },
        (_, index) => index * namesInOneRequest,
      );
      progress.expect('voices', starts.length);
      await inWindow(starts, (from) => {
        const to = Math.min(recipientCount, from + namesInOneRequest);
        const several = { ...recipientOptions(options), batch: options.batch };
        const words = { ...ref, prepared, options: several, from, to };
        const spoken = summarized(`recipients ${from + 1} to ${to}`, tts.speakBatch, words);
        return counted(progress, 'voices', orSingly(spoken, to - from));
      });
    });
  } else progress.skip('voices', 'each with its recipient');

  progress.start('recipients');
  progress.expect('recipients', recipientCount);
  return { prepared, spanCount, next: 0, delivered: 0, failed: 0 };
}

/** Does not return when this run's history is long: the rest is then a new run's. */
async function eachRecipient(
  run: JobRun,
  input: PersonalizedBatchInput,
  batch: Omit<BatchCarriedOver, 'progress'>,
): Promise<void> {
  const { prepared, spanCount } = batch;
  let { next, delivered, failed } = batch;
  const isLong = () => {
    const { historyLength, continueAsNewSuggested } = workflowInfo();
    return continueAsNewSuggested || historyLength >= (input.eventsInOneRun ?? mostEvents);
  };
  const runner = async () => {
    while (next < input.recipientCount && !isLong()) {
      const position = next;
      next += 1;
      const outcome = await oneRecipient(input, { position, prepared, spanCount });
      if (outcome === 'delivered') delivered += 1;
      else failed += 1;
      run.progress.itemDone('recipients', { cached: false });
      const ended = `${delivered + failed} of ${input.recipientCount}`;
      run.progress.tell('recipients', failed === 0 ? ended : `${ended}, ${failed} failed`);
    }
  };
  // Whatever ends one of them, the others' recipients are seen to their end.
  const ended = await Promise.allSettled(Array.from({ length: recipientsAtOnce }, runner));
  for (const end of ended) {
    if (end.status !== 'rejected') continue;
    const reason: unknown = end.reason;
    throw reason;
  }
  if (next < input.recipientCount) {
    // A new run would not know that it is to end.
    if (CancellationScope.current().consideredCancelled) throw new CancelledFailure('the job was cancelled');
    const carried = { prepared, spanCount, next, delivered, failed, progress: run.progress.snapshot() };
    await continueAsNew<typeof personalized>({ ...input, carried });
  }
  if (delivered + (input.takenOver ?? 0) === 0) throw nothingDelivered(failed);
}

async function oneRecipient(
  { jobId, userId, options }: PersonalizedBatchInput,
  of: { position: number; prepared: string; spanCount: number },
): Promise<RecipientOutcome> {
  const { position } = of;
  try {
    return await executeChild(personalizedVideo, {
      workflowId: `${jobId}-${position}`,
      taskQueue: taskQueue('orchestration'),
      args: [{ jobId, userId, ...of, options: recipientOptions(options) }],
      cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      staticSummary: recipientOf(position),
    });
  } catch (error) {
    if (!isEngineFailure(error) || CancellationScope.current().consideredCancelled) throw error;
    // An operator ended it, or it ran out of time: the batch goes on without it.
    const detail = 'The work on this recipient was ended from outside.';
    return summarized(`${recipientOf(position)}, interrupted`, orchestration.endRecipient, {
      ...{ jobId, userId, position },
      outcome: {
        status: 'failed',
        error: { code: 'interrupted', detail, step: null, retryable: true },
      },
    });
  }
}

/** Words that could not be said in one request with others are said with their recipient, who then fails alone. */
async function orSingly(spoken: Promise<SpeakBatchResult>, recipients: number): Promise<SpeakBatchResult> {
  try {
    return await spoken;
  } catch (error) {
    if (!isEngineFailure(error) || CancellationScope.current().consideredCancelled) throw error;
    return { spoken: 0, singly: recipients, cached: false };
  }
}

function recipientOptions(options: PersonalizedOptions): RecipientOptions {
  const { insertMode, language, voice, lipSync, naturalSpeed, gapSeconds } = options;
  return { insertMode, language, voice, lipSync, naturalSpeed, gapSeconds };
}

function nothingDelivered(failed: number): ApplicationFailure {
  const detail = `None of the ${failed} recipients could be delivered; each says why.`;
  return ApplicationFailure.create({
    type: 'no_recipient_delivered',
    message: detail,
    nonRetryable: true,
    details: [{ code: 'no_recipient_delivered', detail, step: null, retryable: true }],
  });
}
