import { Context } from '@temporalio/activity';
import { z } from 'zod';
import type { Pulse } from '../heartbeat.js';
import type { LipSyncHooks } from './lip-sync.js';

const kept = z.object({ order: z.string().min(1).max(200) });

/**
 * Keeps the reference of an order at an outside system in the heartbeat, where the attempt after this one finds it: the
 * order is then waited for instead of being placed again.
 */
export function orderReference({
  keepOrder,
}: Pick<Pulse, 'keepOrder'>): Pick<LipSyncHooks, 'resumeFrom' | 'keepReference'> {
  const before = kept.safeParse(Context.current().info.heartbeatDetails);
  return { resumeFrom: before.success ? before.data.order : undefined, keepReference: keepOrder };
}
