import { getConnInfo } from '@hono/node-server/conninfo';
import type { Context } from 'hono';
import type { AppEnv } from './context.js';

/**
 * The address that a request comes from. Behind proxies of ours it is the one that the outermost of them saw;
 * whatever a client writes into the header itself stands further left.
 */
export function clientAddress(c: Context<AppEnv>, trustedProxies: number): string {
  const direct = getConnInfo(c).remote.address ?? 'unknown';
  if (trustedProxies === 0) return direct;
  const told = (c.req.header('x-forwarded-for') ?? '').split(',').map((address) => address.trim());
  return told.at(-trustedProxies) || direct;
}
