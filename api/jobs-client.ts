import {
  Connection,
  WorkflowClient,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import {
  approvalUpdate,
  progressQuery,
  workflowId,
  type ApprovalDecision,
  type JobProgress,
} from '../workflows/contract/jobs.js';
import { startJob, type JobStart } from '../workflows/start-job.js';
import { readPendingItem, type PendingItem } from './pending-items.js';
import { readBacklogs, type QueueBacklog } from './queue-backlogs.js';
import { withinMs } from './within-ms.js';

export interface TemporalOptions {
  address: string;
  namespace: string;
  tls: boolean;
  apiKey: string | undefined;
}

/** What the workflow says of itself, and what its running activities say. */
export interface LiveProgress {
  progress: JobProgress;
  pending: PendingItem[];
}

/** The API's only user of Temporal. No call takes longer than a few seconds, whatever Temporal does. */
export interface JobsClient {
  /** @throws EngineUnavailableError when Temporal does not take it now; then the sweeper starts the job. */
  start(job: JobStart): Promise<'started' | 'already_started'>;
  /** Undefined when there is no such workflow. @throws EngineUnavailableError */
  progress(jobId: string): Promise<LiveProgress | undefined>;
  /** @throws EngineUnavailableError */
  cancel(jobId: string): Promise<'requested' | 'not_found'>;
  /** `refused`: the workflow is not at a gate. @throws EngineUnavailableError */
  approve(jobId: string, decision: ApprovalDecision): Promise<'accepted' | 'refused'>;
  /** How much waits in each pool's task queue. @throws EngineUnavailableError */
  backlogs(): Promise<QueueBacklog[]>;
  /** @throws EngineUnavailableError */
  check(): Promise<void>;
  close(): Promise<void>;
}

export class EngineUnavailableError extends Error {
  constructor(cause: unknown) {
    super('Temporal did not answer', { cause });
    this.name = 'EngineUnavailableError';
  }
}

const readDeadlineMs = 2_000;
const cancelDeadlineMs = 3_000;
const approveDeadlineMs = 5_000;

/** After a call that Temporal did not answer, others are spared the same wait for so long. */
const pauseMs = 1_000;

/** Connects with the first call and again whenever it has to. */
export function createJobsClient(options: TemporalOptions): JobsClient {
  const connection = Connection.lazy({
    address: options.address,
    tls: options.tls,
    ...(options.apiKey === undefined ? {} : { apiKey: options.apiKey }),
    // Without the client's own retries: they outlast our deadlines, and one that is due after `close` would
    // end the process. What failed is answered from the row, started by the sweeper, or asked again by the user.
    interceptors: [],
    // One that waits for longer than our deadlines would keep a server that is back unseen.
    channelArgs: { 'grpc.initial_reconnect_backoff_ms': 200, 'grpc.max_reconnect_backoff_ms': 2_000 },
  });
  const client = new WorkflowClient({ connection, namespace: options.namespace });
  // Nobody waits longer, also where a deadline is not observed.
  const bounded = <T>(deadlineMs: number, work: () => Promise<T>): Promise<T> =>
    withinMs(deadlineMs, () => client.withDeadline(Date.now() + deadlineMs, work));

  let pausedUntil = 0;
  function assertNotPaused(): void {
    if (Date.now() < pausedUntil) throw new EngineUnavailableError(new Error('it did not answer just now'));
  }
  function unavailable(cause: unknown): EngineUnavailableError {
    pausedUntil = Date.now() + pauseMs;
    return new EngineUnavailableError(cause);
  }

  return {
    async start(job) {
      assertNotPaused();
      try {
        return await startJob(client, job);
      } catch (error) {
        throw unavailable(error);
      }
    },
    async progress(jobId) {
      assertNotPaused();
      const handle = client.getHandle(workflowId(jobId));
      try {
        return await bounded(readDeadlineMs, async () => {
          const [progress, description] = await Promise.all([
            handle.query<JobProgress>(progressQuery),
            handle.describe(),
          ]);
          return { progress, pending: (description.raw.pendingActivities ?? []).map(readPendingItem) };
        });
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return undefined;
        // A query also fails when no worker is there to answer, which says nothing of other calls.
        throw new EngineUnavailableError(error);
      }
    },
    async cancel(jobId) {
      assertNotPaused();
      try {
        await bounded(cancelDeadlineMs, () => client.getHandle(workflowId(jobId)).cancel());
        return 'requested';
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return 'not_found';
        throw unavailable(error);
      }
    },
    async approve(jobId, decision) {
      assertNotPaused();
      try {
        await bounded(approveDeadlineMs, () =>
          client.getHandle(workflowId(jobId)).executeUpdate<unknown, [ApprovalDecision]>(approvalUpdate, {
            args: [decision],
          }),
        );
        return 'accepted';
      } catch (error) {
        if (error instanceof WorkflowNotFoundError || error instanceof WorkflowUpdateFailedError) {
          return 'refused';
        }
        throw unavailable(error);
      }
    },
    async backlogs() {
      assertNotPaused();
      try {
        return await bounded(readDeadlineMs, () =>
          readBacklogs(connection.workflowService, options.namespace),
        );
      } catch (error) {
        throw unavailable(error);
      }
    },
    async check() {
      try {
        const request: temporal.api.workflowservice.v1.IDescribeNamespaceRequest = {
          namespace: options.namespace,
        };
        await bounded(readDeadlineMs, () => connection.workflowService.describeNamespace(request));
      } catch (error) {
        throw new EngineUnavailableError(error);
      }
    },
    close: () => connection.close(),
  };
}
