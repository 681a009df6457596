import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { z } from 'zod';
import { storageKey } from '../../api/serve-object.js';
import type { PreparedBase } from '../../workflows/contract/personalized.js';
import type { E2eStack } from './e2e-stack.js';
import type { Json } from './rest-client.js';

/** A batch to its end, however it ends. */
export async function runBatch(
  stack: E2eStack,
  base: string,
  table: string,
  fields: Record<string, string>,
): Promise<Json> {
  return stack.client.ended(await acceptBatch(stack, base, table, fields));
}

/** Starts a batch; its job's id. */
export async function acceptBatch(
  stack: E2eStack,
  base: string,
  table: string,
  fields: Record<string, string>,
): Promise<string> {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  body.append('baseVideo', await blobOf(base), 'base.mp4');
  body.append('recipients', new Blob([table]), 'people.csv');
  return (await stack.client.accepted('/personalized-videos', body)).id;
}

/** A file as an asset; its id. */
export async function bringAsset(stack: E2eStack, kind: string, path: string): Promise<string> {
  const body = new FormData();
  body.append('kind', kind);
  body.append('file', await blobOf(path), path.slice(path.lastIndexOf('/') + 1));
  const { status, json } = await stack.client.call('/assets', { method: 'POST', body });
  if (status > 201) throw new Error(`the asset was refused: ${JSON.stringify(json)}`);
  return json.id;
}

const blobOf = async (path: string) => new Blob([new Uint8Array(await readFile(path))]);

export async function recipientsOf(stack: E2eStack, jobId: string): Promise<Json[]> {
  return (await stack.client.call(`/jobs/${jobId}/recipients`)).json.items;
}

/** A recipient's file, as it was delivered. */
export async function saveFile(stack: E2eStack, file: Json): Promise<string> {
  const path = join(stack.dataDir, `${file.url.replaceAll('/', '-').slice(1)}-${file.name}`);
  await writeFile(path, (await stack.client.call(String(file.url).replace('/api/v1', ''))).bytes);
  return path;
}

/** What the newest batch was spliced into, and its pictures as a file. */
export async function newestBase(stack: E2eStack): Promise<{ prepared: PreparedBase; ownBase: string }> {
  const { value } = await stack.db
    .selectFrom('generation_cache')
    .select('value')
    .where('activity', '=', 'prepareBase')
    .orderBy('created_at', 'desc')
    .limit(1)
    .executeTakeFirstOrThrow();
  const { prepared: id } = z.object({ prepared: z.string() }).parse(value);
  const prepared: PreparedBase = JSON.parse((await stored(stack, id)).toString('utf8'));
  const ownBase = join(stack.dataDir, `${id}.mp4`);
  await writeFile(ownBase, await stored(stack, prepared.video ?? ''));
  return { prepared, ownBase };
}

async function stored(stack: E2eStack, artifact: string): Promise<Buffer> {
  return buffer(await stack.storage.read(storageKey(artifact)));
}
