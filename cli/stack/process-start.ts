import { readFileSync } from 'node:fs';

/**
 * A living process and when it started, in clock ticks since boot (proc(5), field 22), which tells it from a later one with
 * the same id; `tick` is absent where the system does not say. Undefined when there is none, or only its corpse.
 */
export function processStart(pid: number): { tick?: string; name?: string } | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return undefined;
  }
  let line: string;
  try {
    line = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  } catch {
    return {};
  }
  // The name may hold spaces and brackets; what follows its last bracket does not.
  const end = line.lastIndexOf(')');
  const name = line.slice(line.indexOf('(') + 1, end);
  const [state = '', ...rest] = line.slice(end + 2).split(' ');
  if (state === 'Z' || state === 'X') return undefined;
  const tick = rest[18];
  return tick === undefined ? { name } : { tick, name };
}
