import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import { z } from 'zod';

/** One activity that has not ended, as the engine describes it. */
export interface PendingItem {
  attempt: number;
  /** What its last heartbeat said, of this attempt or the one before. */
  heartbeat: { step: string; item: number; fraction: number; message: string | undefined } | undefined;
  /** A sentence for the user about the attempt that failed. */
  lastFailure: string | undefined;
}

type PendingActivity = temporal.api.workflow.v1.IPendingActivityInfo;
type Failure = temporal.api.failure.v1.IFailure;

const heartbeatShape = z.object({
  step: z.string(),
  item: z.number(),
  fraction: z.number().min(0).max(1),
  message: z.string().optional(),
});
const jobErrorShape = z.object({ code: z.string(), detail: z.string() });

export function readPendingItem(activity: PendingActivity): PendingItem {
  const beat = heartbeatShape.safeParse(firstValue(activity.heartbeatDetails?.payloads));
  return {
    attempt: activity.attempt ?? 1,
    heartbeat: beat.success ? { ...beat.data, message: beat.data.message } : undefined,
    lastFailure: activity.lastFailure == null ? undefined : describeFailure(activity.lastFailure),
  };
}

/** Only our own typed failures were written for users; any other might tell of paths or SQL. */
function describeFailure(failure: Failure): string {
  const error = jobErrorShape.safeParse(firstValue(failure.applicationFailureInfo?.details?.payloads));
  if (error.success) return error.data.detail;
  if (failure.timeoutFailureInfo != null) return 'the work took too long or its worker was lost';
  return 'an attempt failed';
}

function firstValue(payloads: Payload[] | null | undefined): unknown {
  const [payload] = payloads ?? [];
  if (payload === undefined) return undefined;
  try {
    return defaultPayloadConverter.fromPayload(payload);
  } catch {
    return undefined;
  }
}
