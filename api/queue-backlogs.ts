import type { WorkflowService } from '@temporalio/client';
import proto from '@temporalio/proto';
import { pools, taskQueue, type Pool } from '../workflows/contract/jobs.js';

/** What waits for the workers of one pool. */
export interface QueueBacklog {
  pool: Pool;
  /** Tasks that no worker has taken yet, as the engine estimates them; activities and workflow tasks together. */
  backlog: number;
  /** How long the first of them has waited, in seconds. */
  backlogAgeSeconds: number;
  /** Worker processes that asked for work within the last minutes. */
  workers: number;
}

const { TASK_QUEUE_TYPE_ACTIVITY, TASK_QUEUE_TYPE_WORKFLOW } = proto.temporal.api.enums.v1.TaskQueueType;

/** Every pool's backlog, in the order of {@link pools}. Rejects as the engine's calls do. */
export function readBacklogs(service: WorkflowService, namespace: string): Promise<QueueBacklog[]> {
  return Promise.all(
    pools.map(async (pool): Promise<QueueBacklog> => {
      const parts = await Promise.all(
        [TASK_QUEUE_TYPE_ACTIVITY, TASK_QUEUE_TYPE_WORKFLOW].map((taskQueueType) =>
          service.describeTaskQueue({
            namespace,
            taskQueue: { name: taskQueue(pool) },
            taskQueueType,
            reportStats: true,
          }),
        ),
      );
      const backlogs = parts.map(({ stats }) => Number(stats?.approximateBacklogCount ?? 0));
      const ages = parts.map(({ stats }) => Number(stats?.approximateBacklogAge?.seconds ?? 0));
      const workers = parts.flatMap(({ pollers }) => pollers).map(({ identity }) => identity);
      return {
        pool,
        backlog: backlogs.reduce((sum, count) => sum + count, 0),
        backlogAgeSeconds: Math.max(...ages),
        workers: new Set(workers).size,
      };
    }),
  );
}
