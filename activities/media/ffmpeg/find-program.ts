import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { promisify } from 'node:util';
import { transientFailure } from '../../failures.js';

// The environment belongs to config.ts, so the search path is asked of `which`, which has it.

const run = promisify(execFile);

/** The search path of what we start. */
export const standardPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const found = new Map<string, Promise<string | undefined>>();

function onPath(name: string): Promise<string | undefined> {
  let lookup = found.get(name);
  if (!lookup) {
    lookup = run('which', [name]).then(
      ({ stdout }) => stdout.trim() || undefined,
      () => undefined,
    );
    found.set(name, lookup);
  }
  return lookup;
}

/** Absolute path of a program. @throws ApplicationFailure `ffmpeg_missing` */
export async function findProgram(path: string): Promise<string> {
  if (isAbsolute(path)) {
    await access(path, constants.X_OK).catch((error: unknown) => {
      throw missing(path, error);
    });
    return path;
  }
  const absolute = await onPath(path);
  if (absolute !== undefined) return absolute;
  // Asked again next time: somebody may be installing it.
  found.delete(path);
  throw missing(path, undefined);
}

/** How far a program stands behind whoever started it. */
export const niceness = 15;

let prefix: Promise<string[]> | undefined;

/** `setpriv --pdeathsig KILL` ends the program with the thread that started it, `nice` lets others go first. */
export function launchPrefix(): Promise<string[]> {
  prefix ??= (async () => {
    const [setpriv, nice] = await Promise.all([onPath('setpriv'), onPath('nice')]);
    const dying = setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'KILL'];
    // Small userlands have a setpriv that does not know the option.
    const works = await run(setpriv ?? 'true', [...dying.slice(1), 'true']).then(
      () => true,
      () => false,
    );
    return [...(works ? dying : []), ...(nice === undefined ? [] : [nice, '-n', String(niceness)])];
  })();
  return prefix;
}

/** Prefix that bounds a program's address space, and the time of processors that it may use, where the host can. */
export async function resourceBounds(most: {
  memoryBytes: number | undefined;
  cpuSeconds: number | undefined;
}): Promise<string[]> {
  const bounds = [
    ...(most.memoryBytes === undefined ? [] : [`--as=${most.memoryBytes}`]),
    ...(most.cpuSeconds === undefined ? [] : [`--cpu=${most.cpuSeconds}`]),
  ];
  const prlimit = bounds.length === 0 ? undefined : await onPath('prlimit');
  return prlimit === undefined ? [] : [prlimit, ...bounds, '--'];
}

/** @returns ApplicationFailure `ffmpeg_missing` */
export function missing(program: string, cause: unknown) {
  return transientFailure({
    code: 'ffmpeg_missing',
    detail: `${program} cannot be started: install ffmpeg (Debian: apt-get install ffmpeg) or set FFMPEG_PATH and FFPROBE_PATH.`,
    cause,
  });
}
