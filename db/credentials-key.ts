import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createSecretBox, type SecretBox } from './secret-box.js';

export interface CredentialsKeySettings {
  /** 32 bytes, the same for the API and the workers of all hosts. */
  key: Uint8Array | undefined;
  /** Where one host keeps a key of its own; undefined where there may be several. */
  file: string | undefined;
}

/** Secrets cannot be kept here: several hosts need one key, and nobody has set it. */
export class NoCredentialsKey extends Error {
  constructor() {
    super('CREDENTIALS_KEY is not set, and every host would make a key of its own');
    this.name = 'NoCredentialsKey';
  }
}

/** Opens the box when a secret is first kept or read, so that nobody else needs a key. */
export type OpenSecretBox = () => Promise<SecretBox>;

/**
 * The box of this installation: with the key that is set, else with one in a file that its owner alone can read, made
 * when it is first needed.
 * @throws NoCredentialsKey; Error for a file that others can read or that is no key
 */
export function createSecretBoxOpener({ key, file }: CredentialsKeySettings): OpenSecretBox {
  let box: Promise<SecretBox> | undefined;
  return () => {
    box ??= (async () => {
      if (key !== undefined) return createSecretBox(key);
      if (file === undefined) throw new NoCredentialsKey();
      return createSecretBox(await keyOfFile(file));
    })().catch((error: unknown) => {
      // Somebody may put it right.
      box = undefined;
      throw error;
    });
    return box;
  };
}

async function keyOfFile(file: string): Promise<Buffer> {
  await makeKeyFile(file);
  const { mode } = await stat(file);
  if ((mode & 0o077) !== 0) throw new Error(`others can read ${file}: its mode has to be 0600`);
  const key = Buffer.from((await readFile(file, 'utf8')).trim(), 'base64');
  if (key.length !== 32) throw new Error(`${file} is no key of 32 bytes in base64`);
  return key;
}

/** The API and the workers may come at once: a link is made by one of them, and only of a whole file. */
async function makeKeyFile(file: string): Promise<void> {
  const there = await stat(file).then(
    () => true,
    () => false,
  );
  if (there) return;
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
  await writeFile(draft, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600, flag: 'wx' });
  try {
    await link(draft, file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await unlink(draft);
  }
}
