import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface SystemProcess {
  pid: number;
  parent: number;
  args: string[];
}

/** Of the runs that tell which ffmpeg and which encoder this is. */
const looks = new Set(['-version', 'color=c=gray:s=64x64:r=30:d=0.1']);

/**
 * Every living ffmpeg that reads or writes below `folder`, or has one of `parents` as its parent (proc(5)). What a worker
 * rehearses at its start is no render.
 */
export function findFfmpegs(folder: string, parents: readonly number[]): SystemProcess[] {
  return readdirSync('/proc').flatMap((name) => {
    const found = /^\d+$/.test(name) ? describe(Number(name)) : undefined;
    if (found === undefined || !/ffmpeg$/.test(found.args[0] ?? '')) return [];
    if (found.args.some((arg) => arg.includes('rehearsal') || looks.has(arg))) return [];
    const isOurs = parents.includes(found.parent) || found.args.some((arg) => arg.includes(folder));
    return isOurs ? [found] : [];
  });
}

/** Undefined when it is gone, or only its corpse is left. */
function describe(pid: number): SystemProcess | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (state === 'Z' || state === 'X') return undefined;
    const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean);
    return { pid, parent: Number(parent), args };
  } catch {
    return undefined;
  }
}

/** Tries until `find` gives something. */
export async function eventually<T>(
  what: string,
  find: () => T | undefined | Promise<T | undefined>,
  timeoutMs = 60_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const found = await find();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${timeoutMs / 1000} s`);
    await sleep(25);
  }
}
