import { readdirSync, readFileSync } from 'node:fs';

/**
 * Watches this process's descendants through /proc and keeps the largest resident size that any one of them
 * reached (VmHWM, bytes), by program name.
 */
export function watchDescendants(intervalMs = 200): { stop(): Map<string, number> } {
  const peaks = new Map<string, number>();
  const look = () => {
    for (const pid of descendants(process.pid)) {
      const peak = peakOf(pid);
      if (peak !== undefined) peaks.set(peak.name, Math.max(peaks.get(peak.name) ?? 0, peak.bytes));
    }
  };
  const timer = setInterval(look, intervalMs);
  return {
    stop() {
      clearInterval(timer);
      look();
      return peaks;
    },
  };
}

/** Bytes that the first of this process's descendants has in memory whose program's path holds `script`. */
export function residentBytes(script: string): number | undefined {
  for (const pid of descendants(process.pid)) {
    const args = readProc(`/proc/${String(pid)}/cmdline`)?.split('\0') ?? [];
    if (!args.some((arg) => arg.includes(script))) continue;
    const kilobytes = Number(/^VmRSS:\s+(\d+) kB/m.exec(readProc(`/proc/${String(pid)}/status`) ?? '')?.[1]);
    if (Number.isFinite(kilobytes)) return kilobytes * 1024;
  }
  return undefined;
}

function descendants(root: number): number[] {
  const parentOf = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const stat = readProc(`/proc/${name}/stat`);
    // The name in parentheses may hold spaces; the parent is the second field after it.
    const parent = Number(stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    parentOf.set(pid, parent);
  }
  const isMine = (pid: number): boolean => {
    for (let at = parentOf.get(pid); at !== undefined && at > 0; at = parentOf.get(at)) {
      if (at === root) return true;
    }
    return false;
  };
  return [...parentOf.keys()].filter(isMine);
}

function peakOf(pid: number): { name: string; bytes: number } | undefined {
  const status = readProc(`/proc/${String(pid)}/status`);
  const kilobytes = Number(/^VmHWM:\s+(\d+) kB/m.exec(status ?? '')?.[1]);
  if (!Number.isFinite(kilobytes)) return undefined;
  const args = readProc(`/proc/${String(pid)}/cmdline`)?.split('\0') ?? [];
  const script = args.find((arg) => /\/(api|workers|activities)\/.*\.[jt]s$/.test(arg));
  const name = script?.replace(/^.*\/(?=(?:api|workers|activities)\/)/, '') ?? baseName(args[0]);
  return { name, bytes: kilobytes * 1024 };
}

const baseName = (path: string | undefined): string => path?.split('/').pop() ?? 'unknown';

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It has ended meanwhile.
    return undefined;
  }
}
