import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, stat } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { runToEnd } from './run-to-end.js';

export interface Identity {
  uid: number;
  gid: number;
}

const userName = 'postgres';

/**
 * Who the server runs as. PostgreSQL refuses to run as root, so root lends it the user `postgres`, which is made when
 * absent; anybody else runs it as themselves (undefined).
 */
export async function serverIdentity(): Promise<Identity | undefined> {
  if (userInfo().uid !== 0) return undefined;
  const known = await lookUp();
  if (known !== undefined) return known;
  try {
    await runToEnd('groupadd', ['--system', '--force', userName]);
    await runToEnd('useradd', ['--system', '--gid', userName, '--no-create-home', userName]);
  } catch (error) {
    const advice = 'run it as another user or give DATABASE_URL';
    throw new Error(`PostgreSQL cannot run as root and no user for it could be made: ${advice}`, {
      cause: error,
    });
  }
  const made = await lookUp();
  if (made === undefined) throw new Error(`the user ${userName} was made but cannot be found`);
  return made;
}

async function lookUp(): Promise<Identity | undefined> {
  const accounts = await readFile('/etc/passwd', 'utf8');
  const line = accounts.split('\n').find((account) => account.startsWith(`${userName}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

/**
 * `wanted`, or a folder of our own outside when `identity` may not pass through the folders above it, as in a clone under
 * /root (mode 0700). The name outside is made from the wanted path, so that the next start finds it again.
 */
export async function reachableFolder(wanted: string, identity: Identity | undefined): Promise<string> {
  const path = resolve(wanted);
  if (identity === undefined || (await canPass(path, identity))) return path;
  const name = createHash('sha256').update(path).digest('hex').slice(0, 16);
  for (const base of ['/var/lib', tmpdir()]) {
    const outside = join(base, 'callsheet', name);
    if (!(await canPass(outside, identity))) continue;
    try {
      await mkdir(outside, { recursive: true });
      await chmod(join(base, 'callsheet'), 0o711);
      await chmod(outside, 0o711);
      return outside;
    } catch {
      // Not ours to write in; the next one then.
    }
  }
  throw new Error(
    `the user ${userName} cannot reach ${path}: set DATA_DIR to a folder that every user may enter`,
  );
}

/** Whether `identity` may enter `path` and every folder above it; what does not exist yet will be made so. */
export async function canPass(path: string, identity: Identity): Promise<boolean> {
  for (let folder = resolve(path); ; folder = dirname(folder)) {
    const found = await stat(folder).catch(() => undefined);
    if (found !== undefined) {
      const shift = found.uid === identity.uid ? 6 : found.gid === identity.gid ? 3 : 0;
      if (((found.mode >> shift) & 1) === 0) return false;
    }
    if (folder === dirname(folder)) return true;
  }
}
