import { getConnInfo } from '@hono/node-server/conninfo';
import type { Context } from 'hono';
import { toGroups } from '../workflows/contract/network-address.js';
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

/**
 * What of an address stands for one client: all of an IPv4 address, but the first 64 bits of an IPv6 one, because each
 * client has all addresses behind them. Sockets and proxies write addresses with and without brackets, port and zone,
 * and IPv4 within IPv6. What is no address stays as it is.
 */
export function networkOf(address: string): string {
  const bare = withoutPort(address).replace(/%.*$/, '').toLowerCase();
  const groups = toGroups(bare);
  if (groups === undefined) return bare;
  const [high = 0, low = 0] = groups.slice(6);
  const isMapped = groups.slice(0, 6).every((group, index) => group === (index < 5 ? 0 : 0xffff));
  if (isMapped) return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

function withoutPort(address: string): string {
  const [, within] = /^\[([^\]]*)\](?::\d+)?$/.exec(address) ?? /^([\d.]+):\d+$/.exec(address) ?? [];
  return within ?? address;
}
