import { transientFailure } from '../failures.js';
import { probePackets, type FfmpegTools } from './ffmpeg/run.js';

export interface ExpectedVideo {
  width: number;
  height: number;
  fps: number;
  frames: number;
}

/**
 * Looks at a finished video: streams and formats, one picture on every frame of a constant rate, and sound and
 * picture ending within one frame of each other.
 * @throws ApplicationFailure `video_broken` with what is wrong.
 */
export async function checkVideo(
  tools: FfmpegTools,
  path: string,
  { width, height, fps, frames }: ExpectedVideo,
  signal?: AbortSignal,
): Promise<void> {
  const { streams, packetTimes } = await probePackets(tools, path, signal ? { signal } : {});
  const video = streams.find((stream) => stream.kind === 'video');
  const audio = streams.find((stream) => stream.kind === 'audio');
  if (streams.length !== 2 || !video || !audio) throw broken('it does not have one picture and one sound');
  if (video.codec !== 'h264' || video.width !== width || video.height !== height) throw broken('its picture');
  if (video.pixelFormat !== 'yuv420p' || audio.codec !== 'aac' || audio.sampleRate !== 48_000) {
    throw broken('its formats');
  }
  if (video.frameRate !== fps || video.averageFrameRate !== fps)
    throw broken('its frame rate is not constant');
  const times = packetTimes[streams.indexOf(video)] ?? [];
  if (times.length !== frames) throw broken(`it has ${times.length} of ${frames} frames`);
  const wrong = times.sort((a, b) => a - b).findIndex((time, index) => Math.abs(time - index / fps) > 1e-4);
  if (wrong >= 0) throw broken(`frame ${wrong} is at the wrong time`);
  const soundEnd = (audio.startSeconds ?? 0) + (audio.durationSeconds ?? 0);
  if (Math.abs(soundEnd - frames / fps) > 1 / fps) throw broken('sound and picture end apart');
}

function broken(what: string) {
  return transientFailure({ code: 'video_broken', detail: `The joined video was not published: ${what}.` });
}
