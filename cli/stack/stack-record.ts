import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { processStart } from './process-start.js';

const record = z.object({
  /** The process that owns the stack. */
  pid: z.number().int().positive(),
  /** Distinguishes it from a later process with the same id; undefined where the system does not tell. */
  startedAtTick: z.string().optional(),
  /** Absent while the stack is starting. */
  addresses: z
    .object({
      api: z.string(),
      webUi: z.string().optional(),
      temporal: z.string(),
      /** A secret when the database is ours: the file is for its owner only. */
      databaseUrl: z.string(),
    })
    .optional(),
});
export type StackRecord = z.infer<typeof record>;
export type StackAddresses = NonNullable<StackRecord['addresses']>;

const pathIn = (dataDir: string) => join(dataDir, 'stack.json');

/** The stack that runs on this data folder, or undefined when there is none or its owner is dead. */
export function findRunningStack(dataDir: string): StackRecord | undefined {
  let text: string;
  try {
    text = readFileSync(pathIn(dataDir), 'utf8');
  } catch {
    return undefined;
  }
  const parsed = record.safeParse(jsonOr(text));
  if (!parsed.success) return undefined;
  const found = processStart(parsed.data.pid);
  const isSame = found !== undefined && found.tick === parsed.data.startedAtTick;
  return isSame ? parsed.data : undefined;
}

/**
 * Makes this process the owner of the data folder.
 * @throws Error when another stack owns it.
 */
export function claimStack(dataDir: string): { publish(addresses: StackAddresses): void; release(): void } {
  mkdirSync(dataDir, { recursive: true });
  const mine: StackRecord = { pid: process.pid, ...tickOf(process.pid) };
  if (!createOwned(dataDir, mine)) {
    const other = findRunningStack(dataDir);
    if (other !== undefined) throw new Error(alreadyRunning(other));
    // Left by a process that was killed.
    rmSync(pathIn(dataDir), { force: true });
    if (!createOwned(dataDir, mine)) throw new Error('another stack is starting on this data folder');
  }
  return {
    publish(addresses) {
      const draft = `${pathIn(dataDir)}.new`;
      writeFileSync(draft, JSON.stringify({ ...mine, addresses }), { mode: 0o600 });
      renameSync(draft, pathIn(dataDir));
    },
    release() {
      rmSync(pathIn(dataDir), { force: true });
    },
  };
}

function alreadyRunning(other: StackRecord): string {
  const where = other.addresses === undefined ? 'and is starting' : `at ${other.addresses.api}`;
  return (
    `a stack runs already (process ${String(other.pid)}) ${where}: use it, end it with ` +
    '"npm run callsheet -- stop", or give this one its own DATA_DIR, PORT and TEMPORAL_UI_PORT'
  );
}

function createOwned(dataDir: string, content: StackRecord): boolean {
  let file: number;
  try {
    file = openSync(pathIn(dataDir), 'wx', 0o600);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
  writeFileSync(file, JSON.stringify(content));
  closeSync(file);
  return true;
}

function tickOf(pid: number): { startedAtTick?: string } {
  const tick = processStart(pid)?.tick;
  return tick === undefined ? {} : { startedAtTick: tick };
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
