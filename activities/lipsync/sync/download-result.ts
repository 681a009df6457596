import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { transientFailure } from '../../failures.js';
import { badLipSyncResult } from '../lip-sync-failures.js';
import { withTimeLimit } from '../../time-limit.js';

export interface ResultDownload {
  url: string;
  /** Of the API; only where that is plain HTTP may the result be, too. */
  baseUrl: string;
  path: string;
  maxBytes: number;
  timeoutMs: number;
}

/**
 * Fetches a finished video to a file: no key is sent along, no redirect followed, and no more than `maxBytes` are read.
 * @throws ApplicationFailure `lip_sync_bad_result`, `lip_sync_unavailable`; the signal's reason on abort.
 */
export async function downloadResult(
  { url, baseUrl, path, maxBytes, timeoutMs }: ResultDownload,
  signal: AbortSignal,
): Promise<void> {
  const address = URL.canParse(url) ? new URL(url) : undefined;
  const isPlain = address?.protocol === 'http:' && new URL(baseUrl).protocol === 'http:';
  if (!address || (address.protocol !== 'https:' && !isPlain))
    throw badLipSyncResult('Sync named no usable address of its result.');
  const file = createWriteStream(path);
  try {
    const response = await fetch(address, {
      redirect: 'error',
      signal: withTimeLimit(signal, timeoutMs),
    });
    if (!response.ok) throw unavailable();
    const body: AsyncIterable<Uint8Array> | null = response.body;
    let bytes = 0;
    for await (const chunk of body ?? []) {
      bytes += chunk.length;
      if (bytes > maxBytes) throw badLipSyncResult('The lip-synced video is larger than it can be.');
      if (!file.write(chunk)) await once(file, 'drain');
    }
    file.end();
    await finished(file);
  } catch (error) {
    file.destroy();
    signal.throwIfAborted();
    if (error instanceof Error && error.name === 'ApplicationFailure') throw error;
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') {
      throw transientFailure({
        code: 'disk_full',
        detail: 'The disk of the lip-sync worker is full.',
        cause: error,
      });
    }
    throw unavailable();
  }
}

function unavailable() {
  return transientFailure({
    code: 'lip_sync_unavailable',
    detail: 'The lip-synced video could not be fetched from Sync.',
  });
}
