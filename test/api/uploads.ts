import { execFile } from 'node:child_process';
import { mkdir, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import type { Answer, Json, TestApi } from './support.js';

const run = promisify(execFile);

/** Sends a file as a form, as a browser does. */
export async function upload(
  api: TestApi,
  token: string,
  bytes: Uint8Array,
  fields: { kind?: string; projectId?: string; fileName?: string; type?: string },
): Promise<Answer> {
  const { fileName = 'file', type = 'application/octet-stream', ...others } = fields;
  const form = new FormData();
  for (const [name, value] of Object.entries(others)) form.append(name, value);
  form.append('file', new Blob([new Uint8Array(bytes)], { type }), fileName);
  return send(api, token, form);
}

export async function send(
  api: TestApi,
  token: string,
  body: RequestInit['body'],
  headers: Record<string, string> = {},
) {
  const response = await fetch(`${api.url}/api/v1/assets`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, ...headers },
    body: body ?? null,
    ...({ duplex: 'half' } as object),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: JSON.parse(text) };
}

/** Makes a file with ffmpeg, once for each name. */
export async function makeMedia(folder: string, name: string, args: string[]): Promise<Buffer> {
  await mkdir(folder, { recursive: true });
  const path = join(folder, name);
  await run(inject('ffmpegPath'), ['-v', 'error', '-y', '-bitexact', ...args, path]);
  return readFile(path);
}

export const testPicture = ['-f', 'lavfi', '-i', 'testsrc2=s=320x240:r=10:d=2'];
export const testTone = ['-f', 'lavfi', '-i', 'sine=f=440:d=2'];

/** What an upload could leave behind: files that wait, objects, rows. */
export async function leftovers(api: TestApi): Promise<Json> {
  const count = async (table: 'assets' | 'artifacts') =>
    (await api.db.selectFrom(table).select('id').execute()).length;
  const objects: string[] = [];
  for (const prefix of ['artifacts/', 'uploads/']) {
    for await (const page of api.storage.list(prefix)) objects.push(...page.map(({ key }) => key));
  }
  return {
    intake: await readdir(api.intakeDir),
    objects: objects.sort(),
    assets: await count('assets'),
    artifacts: await count('artifacts'),
  };
}
