import { writeFile } from 'node:fs/promises';
import { inject } from 'vitest';
import { probe } from '../../activities/media/ffmpeg/run.js';
import type { StreamProbe } from '../../activities/media/ffmpeg/media-probe.js';
import { runProgram } from '../support/run-program.js';

export interface VideoFacts {
  video: StreamProbe;
  audio: StreamProbe;
  durationSeconds: number;
  /** What a decoder that stops at the first error complained of; empty for a sound file. */
  decodingErrors: string;
  /** The index stands before the media, so that a browser starts at once. */
  isFaststart: boolean;
  integratedLufs: number;
}

/** Writes an MP4 to `path`, decodes all of it and measures it. */
export async function lookAtVideo(bytes: Buffer, path: string): Promise<VideoFacts> {
  await writeFile(path, bytes);
  const { streams, durationSeconds } = await probe(
    { ffmpegPath: inject('ffmpegPath'), ffprobePath: inject('ffprobePath') },
    path,
  );
  const video = streams.find((stream) => stream.kind === 'video');
  const audio = streams.find((stream) => stream.kind === 'audio');
  if (video === undefined || audio === undefined || streams.length !== 2) throw new Error('not two streams');
  const { stderr } = await runProgram(inject('ffmpegPath'), [
    ...['-nostdin', '-v', 'error', '-xerror', '-err_detect', 'explode', '-i', path, '-f', 'null', '-'],
  ]);
  const measured = await runProgram(inject('ffmpegPath'), [
    ...[
      '-nostdin',
      '-hide_banner',
      '-i',
      path,
      '-map',
      '0:a',
      '-af',
      'ebur128=framelog=verbose',
      '-f',
      'null',
      '-',
    ],
  ]);
  const loudness = /I:\s+(-?[\d.]+) LUFS/.exec(measured.stderr.slice(measured.stderr.lastIndexOf('Summary')));
  const index = bytes.indexOf('moov');
  return {
    video,
    audio,
    durationSeconds: durationSeconds ?? 0,
    decodingErrors: stderr,
    isFaststart: index > 0 && index < bytes.indexOf('mdat'),
    integratedLufs: Number(loudness?.[1] ?? NaN),
  };
}
