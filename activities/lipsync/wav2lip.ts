import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ApplicationFailure } from '@temporalio/common';
import { invalidInput, transientFailure } from '../failures.js';
import { ProgramError, runProgram } from '../media/ffmpeg/program.js';
import type { FfmpegTools } from '../media/ffmpeg/run.js';
import { readResult, writeClipFiles } from './clip-files.js';
import { badLipSyncResult, noFace } from './lip-sync-failures.js';
import type { LipSyncProvider } from './lip-sync.js';

export interface Wav2LipOptions {
  /** The operator's checkout of Wav2Lip, which has `inference.py`. */
  repo: string;
  checkpoint: string;
  /** Of the checkpoint, hex; a checkpoint is a pickle, and unpickling runs what is in it. */
  checkpointSha256: string;
  /** Program that runs `inference.py`: a path or a name on the search path. */
  python: string;
  /** What the program gets as its environment, e.g. `CUDA_VISIBLE_DEVICES`. */
  env?: Record<string, string> | undefined;
  tools: FfmpegTools;
  /** Longest run of one span. */
  timeoutMs?: number;
}

/** Wav2Lip's own default: some chin, which its detector cuts off. */
const defaultPads = [0, 10, 0, 0] as const;

/**
 * Runs Wav2Lip on the span. It writes into its checkout while it works, so that one run at a time per checkout is
 * all that it can do: give the `lipsync` pool one worker a GPU.
 *
 * `moveMouth` fails with `lip_sync_no_face`, `lip_sync_checkpoint_wrong` (non-retryable), `lip_sync_unavailable`,
 * `lip_sync_timeout`, `lip_sync_failed`, `lip_sync_bad_result`, `disk_full`.
 */
export function createWav2Lip(options: Wav2LipOptions): LipSyncProvider {
  let checked: Promise<void> | undefined;
  const { tools } = options;
  return {
    name: 'wav2lip',
    version: 1,
    async moveMouth({ clip, pcm, outPath, scratchDir, pads = defaultPads }, { signal }) {
      checked ??= checkCheckpoint(options);
      await checked.catch((error: unknown) => {
        // Somebody may be putting it right.
        checked = undefined;
        throw error;
      });
      const { video, audio } = await writeClipFiles(tools, clip, pcm, scratchDir, signal);
      const made = join(scratchDir, 'wav2lip.mp4');
      await infer(options, ['--face', video, '--audio', audio, '--outfile', made], pads, signal);
      await access(made).catch((error: unknown) => {
        throw badLipSyncResult('Wav2Lip ended well and wrote no video.', error);
      });
      await readResult(tools, made, clip, outPath, signal);
      return { clip: { ...clip, path: outPath }, changedFrames: Math.max(0, clip.frames - 2) };
    },
  };
}

async function checkCheckpoint({ checkpoint, checkpointSha256 }: Wav2LipOptions): Promise<void> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(checkpoint), hash).catch((error: unknown) => {
    throw unavailable('The Wav2Lip checkpoint cannot be read: check WAV2LIP_CHECKPOINT.', error);
  });
  if (hash.digest('hex') === checkpointSha256.toLowerCase()) return;
  throw invalidInput({
    code: 'lip_sync_checkpoint_wrong',
    detail: 'The Wav2Lip checkpoint is not the one whose hash stands in WAV2LIP_CHECKPOINT_SHA256.',
  });
}

async function infer(
  { repo, checkpoint, python, env, timeoutMs = 900_000 }: Wav2LipOptions,
  files: string[],
  pads: readonly number[],
  signal: AbortSignal,
): Promise<void> {
  const args = [
    ...['inference.py', '--checkpoint_path', checkpoint, ...files],
    ...['--pads', ...pads.map((pad) => String(Math.trunc(pad)))],
  ];
  try {
    await runProgram({ path: python, args, cwd: repo, timeoutMs, signal, env });
  } catch (error) {
    signal.throwIfAborted();
    throw knownFailure(error);
  }
}

/** The runner speaks of ffmpeg; and Wav2Lip says what is wrong in its traceback only. */
function knownFailure(error: unknown): unknown {
  if (!(error instanceof ApplicationFailure)) return error;
  const tail = error.cause instanceof ProgramError ? error.cause.stderrTail : '';
  if (/face not detected/i.test(tail)) return noFace();
  switch (error.type) {
    case 'ffmpeg_missing':
      return unavailable('Wav2Lip cannot be started: check WAV2LIP_PYTHON and WAV2LIP_REPO.', error.cause);
    case 'ffmpeg_timeout':
      return transientFailure({ code: 'lip_sync_timeout', detail: 'Wav2Lip did not finish in time.' });
    case 'ffmpeg_failed':
      return transientFailure({
        code: 'lip_sync_failed',
        detail: 'Wav2Lip failed on this span.',
        cause: error.cause,
      });
    default:
      return error;
  }
}

function unavailable(detail: string, cause: unknown) {
  return transientFailure({ code: 'lip_sync_unavailable', detail, cause });
}
