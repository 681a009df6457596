import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ffmpegArguments, fileName, ownInput, strictUntrustedInput } from '../media/ffmpeg/command.js';
import { probe, runFfmpeg, type FfmpegTools } from '../media/ffmpeg/run.js';
import { encodeWav } from '../tts/wav.js';
import { badLipSyncResult } from './lip-sync-failures.js';
import { clipFrameBytes, frameSeconds, type RawClip } from './lip-sync.js';

/** Of the speech, Hz. */
const pcmRate = 48_000;
const timeoutMs = 120_000;
/** A model may end its video a frame or two early, and pad it by some. */
const missingFrames = 2;
const surplusFrames = 5;
/** Frames at either end that go over from the original to the result. */
const easeFrames = 3;

/** Where a raw clip's frames are read from, for ffmpeg. */
function rawInput(clip: RawClip) {
  const { width, height, frameRate } = clip;
  const rate = `${frameRate.numerator}/${frameRate.denominator}`;
  return {
    source: fileName(clip.path),
    options: [
      ...ownInput,
      ...['-f', 'rawvideo', '-pixel_format', 'yuv420p', '-video_size', `${width}x${height}`],
      ...['-framerate', rate],
    ],
  };
}

const bt709 = [
  '-color_range',
  'tv',
  '-colorspace',
  'bt709',
  '-color_trc',
  'bt709',
  '-color_primaries',
  'bt709',
];

/**
 * Writes a span as files that other programs read: an H.264 video that is hardly distinguishable from the frames, and
 * its speech as a WAV of the very same length.
 * @throws as runFfmpeg
 */
export async function writeClipFiles(
  tools: FfmpegTools,
  clip: RawClip,
  pcm: Int16Array,
  folder: string,
  signal: AbortSignal,
): Promise<{ video: string; audio: string }> {
  const video = join(folder, 'face.mp4');
  const audio = join(folder, 'speech.wav');
  const options = [
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '14', '-pix_fmt', 'yuv420p', ...bt709],
    ...['-movflags', '+faststart', '-map_metadata', '-1', '-f', 'mp4'],
  ];
  await runFfmpeg(tools, {
    args: ffmpegArguments({ inputs: [rawInput(clip)], outputs: [{ target: fileName(video), options }] }),
    timeoutMs,
    signal,
  });
  const samples = new Int16Array(Math.round(clip.frames * frameSeconds(clip) * pcmRate));
  samples.set(pcm.subarray(0, samples.length));
  await writeFile(audio, encodeWav(samples, pcmRate));
  return { video, audio };
}

/**
 * Decodes the video that a provider made into frames in the clip's own form, as many as came in: two frames too few are made
 * up by the last one, surplus ones are dropped. Its first and last frames go over from the original, so that
 * nothing jumps where the span meets the rest.
 * @throws ApplicationFailure `lip_sync_bad_result` when the file is no whole video of about the clip's length.
 */
export async function readResult(
  tools: FfmpegTools,
  file: string,
  clip: RawClip,
  outPath: string,
  signal: AbortSignal,
): Promise<void> {
  const made = await probe(tools, file, { signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw badLipSyncResult('The lip-synced video cannot be read.', error);
  });
  const video = made.streams.find(({ kind }) => kind === 'video');
  const expected = clip.frames * frameSeconds(clip);
  const seconds = video?.durationSeconds ?? made.durationSeconds ?? 0;
  const off = (seconds - expected) / frameSeconds(clip);
  if (!video || off < -missingFrames - 0.5 || off > surplusFrames + 0.5) {
    throw badLipSyncResult(
      `The lip-synced video lasts ${seconds.toFixed(2)} s where ${expected.toFixed(2)} s were given.`,
    );
  }
  const { numerator, denominator } = clip.frameRate;
  const filterGraph = [
    `[0:v:0]fps=${numerator}/${denominator}`,
    `scale=${clip.width}:${clip.height}:flags=bicubic`,
    `tpad=stop_mode=clone:stop=${missingFrames + 1}[v]`,
  ].join(',');
  const options = [
    ...['-map', '[v]', '-frames:v', String(clip.frames), '-pix_fmt', 'yuv420p', '-f', 'rawvideo'],
  ];
  try {
    await runFfmpeg(tools, {
      args: ffmpegArguments({
        inputs: [{ source: fileName(file), options: [...strictUntrustedInput] }],
        filterGraph,
        outputs: [{ target: fileName(outPath), options }],
      }),
      timeoutMs,
      signal,
    });
  } catch (error) {
    signal.throwIfAborted();
    throw badLipSyncResult('The lip-synced video is damaged.', error);
  }
  await easeEnds(clip, outPath);
}

/** Mixes the outermost frames with the original's: the first and the last are the original. */
async function easeEnds(clip: RawClip, outPath: string): Promise<void> {
  const bytes = clipFrameBytes(clip);
  const original = await open(clip.path, 'r');
  const made = await open(outPath, 'r+');
  try {
    if ((await made.stat()).size !== bytes * clip.frames)
      throw badLipSyncResult('The lip-synced video has another number of frames.');
    const from = Buffer.alloc(bytes);
    const to = Buffer.alloc(bytes);
    for (let n = 0; n < clip.frames; n++) {
      const share = Math.min(n, clip.frames - 1 - n) / easeFrames;
      if (share >= 1) continue;
      await original.read(from, 0, bytes, n * bytes);
      await made.read(to, 0, bytes, n * bytes);
      for (let k = 0; k < bytes; k++) {
        const value = from[k] ?? 0;
        to[k] = Math.round(value + ((to[k] ?? 0) - value) * share);
      }
      await made.write(to, 0, bytes, n * bytes);
    }
  } finally {
    await original.close();
    await made.close();
  }
}
