import { createHash } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { invalidInput, transientFailure } from '../../failures.js';
import type { FfmpegTools } from '../../media/ffmpeg/run.js';
import { readResult, writeClipFiles } from '../clip-files.js';
import { badLipSyncResult } from '../lip-sync-failures.js';
import type { LipSyncHooks, LipSyncProvider, LipSyncRequest } from '../lip-sync.js';
import { downloadResult } from './download-result.js';
import { callSync, generationFailure, type Generation } from './sync-wire.js';

export interface SyncOptions {
  apiKey: string;
  /** Without path, e.g. `https://api.sync.so`. */
  baseUrl: string;
  model?: string;
  tools: FfmpegTools;
  /** Between two looks at a generation. */
  pollMs?: number;
  /** Longest wait for one answer, and for the download. */
  answerTimeoutMs?: number;
  /** Longest wait for a generation; a later attempt goes on waiting for the same one. */
  timeoutMs?: number;
  /** Largest result that is fetched. */
  maxResultBytes?: number;
}

/** What the API takes directly; larger files would have to lie at a public address. */
const mostUploadBytes = 20 * 1024 * 1024;

/**
 * Lip-sync by Sync's hosted service. An order has one key, made of the request's id, for all attempts; once it is
 * placed its generation's id is kept by `keepReference`, and an attempt that is given it only waits and fetches.
 *
 * `moveMouth` fails with `lip_sync_key_refused`, `lip_sync_quota`, `lip_sync_request_refused`, `lip_sync_failed`,
 * `lip_sync_rejected`, `lip_sync_cancelled`, `lip_sync_no_face`, `lip_sync_clip_too_large` (final),
 * `lip_sync_rate_limited`, `lip_sync_unavailable`, `lip_sync_outcome_unknown`, `lip_sync_timeout`,
 * `lip_sync_bad_result` (may be tried again).
 */
export function createSyncLipSync(options: SyncOptions): LipSyncProvider {
  const { tools, baseUrl, maxResultBytes = 256 * 1024 * 1024, answerTimeoutMs = 60_000 } = options;
  const wire = { baseUrl, apiKey: options.apiKey, answerTimeoutMs };

  async function order(request: LipSyncRequest, { signal, keepReference }: LipSyncHooks): Promise<string> {
    const { clip, pcm, scratchDir } = request;
    const files = await writeClipFiles(tools, clip, pcm, scratchDir, signal);
    const body = new FormData();
    body.set('model', options.model ?? 'lipsync-2');
    body.set('video', await blobOf(files.video, 'video/mp4'), 'video.mp4');
    body.set('audio', await blobOf(files.audio, 'audio/wav'), 'audio.wav');
    const init = { method: 'POST' as const, body, idempotencyKey: idempotencyKey(request.id) };
    const { id } = await callSync(wire, '/v2/generate', init, signal);
    keepReference?.(id);
    return id;
  }

  async function awaited(id: string, { signal, report }: LipSyncHooks): Promise<Generation> {
    const { pollMs = 2_000, timeoutMs = 900_000 } = options;
    const end = Date.now() + timeoutMs;
    for (let looks = 1; ; looks++) {
      const generation = await callSync(wire, `/v2/generate/${id}`, { method: 'GET' }, signal);
      switch (generation.status) {
        case 'COMPLETED':
          return generation;
        case 'FAILED':
        case 'REJECTED':
        case 'CANCELED':
          throw generationFailure(generation);
        default:
          // Nobody says how far it is; it comes closer all the same.
          report?.(0.9 * (1 - 1 / (1 + looks / 10)));
      }
      if (Date.now() + pollMs > end) {
        throw transientFailure({ code: 'lip_sync_timeout', detail: 'Sync has not finished in time.' });
      }
      await sleep(pollMs, undefined, { signal }).catch((error: unknown) => {
        signal.throwIfAborted();
        throw error;
      });
    }
  }

  return {
    name: 'sync',
    version: 1,
    async moveMouth(request, hooks) {
      const { clip, outPath, scratchDir } = request;
      const id = hooks.resumeFrom ?? (await order(request, hooks));
      const { outputUrl } = await awaited(id, hooks);
      if (typeof outputUrl !== 'string') throw badLipSyncResult('Sync finished without a video.');
      const path = join(scratchDir, 'sync.mp4');
      const download = {
        url: outputUrl,
        baseUrl,
        path,
        maxBytes: maxResultBytes,
        timeoutMs: answerTimeoutMs,
      };
      await downloadResult(download, hooks.signal);
      await readResult(tools, path, clip, outPath, hooks.signal);
      hooks.report?.(1);
      return { clip: { ...clip, path: outPath }, changedFrames: Math.max(0, clip.frames - 2) };
    },
  };
}

/** 1–128 of a small alphabet, the same for the same business id, different for different ones. */
export const idempotencyKey = (id: string): string =>
  `callsheet-${createHash('sha256').update(id).digest('hex')}`;

async function blobOf(path: string, type: string): Promise<Blob> {
  const { size } = await stat(path);
  if (size > mostUploadBytes) {
    throw invalidInput({
      code: 'lip_sync_clip_too_large',
      detail: 'The part of the video that is to be lip-synced is too large for Sync; shorten the span.',
    });
  }
  return await openAsBlob(path, { type });
}
