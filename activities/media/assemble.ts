import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AssembleInput, AssembleResult } from '../../workflows/contract/explainer.js';
import type { ArtifactStore } from '../artifacts.js';
import type { GenerationCache } from '../cached.js';
import { invalidInput } from '../failures.js';
import { withHeartbeat } from '../heartbeat.js';
import { withScratch } from '../scratch.js';
import { checkVideo } from './check-video.js';
import type { Composition } from './composition.js';
import { joinArguments, segmentList } from './ffmpeg/join-command.js';
import { runFfmpeg, type FfmpegTools } from './ffmpeg/run.js';
import { unitFrames } from './render-units.js';
import { unifySegments } from './unify-segments.js';

export interface AssembleDeps {
  artifacts: Pick<ArtifactStore, 'fetch' | 'publishFile' | 'readJson'>;
  cache: GenerationCache;
  scratchDir: string;
  tools: FfmpegTools;
}

const version = 1;

/** The sound's step has the first item of the bar, joining the second. */
const progressItem = 1;

/**
 * Joins segments and sound into one MP4 that starts at once in a browser, without encoding anything again. It
 * is published after a check of frame count, every time stamp and both durations.
 * @throws ApplicationFailure `segments_missing`, `video_broken`
 */
export function createAssemble(deps: AssembleDeps) {
  return async function assemble(input: AssembleInput): Promise<AssembleResult> {
    return withHeartbeat('assembly', progressItem, async ({ signal, report }) => {
      const { units, audio } = input;
      const composition = await deps.artifacts.readJson<Composition>(input.composition);
      const { width, height, fps } = composition;
      const framesOf = unitFrames(composition).flat();
      if (framesOf.length !== units.length) {
        throw invalidInput({
          code: 'segments_missing',
          detail: `The video is joined from ${framesOf.length} pieces, but ${units.length} were given.`,
        });
      }
      const frames = framesOf.reduce((sum, count) => sum + count, 0);
      const { value, cached } = await deps.cache.through<Omit<AssembleResult, 'cached'>>(
        { activity: 'assemble', version, inputs: { units, audio, fps } },
        () =>
          withScratch(deps.scratchDir, async (dir) => {
            const fetched = await Promise.all(units.map((id) => deps.artifacts.fetch(id)));
            const sound = await deps.artifacts.fetch(audio);
            const paths = await unifySegments(deps.tools, fetched, { width, height, fps }, dir, signal);
            const list = join(dir, 'segments.ffconcat');
            await writeFile(
              list,
              segmentList(paths.map((path, i) => ({ path, seconds: (framesOf[i] ?? 0) / fps }))),
            );
            const target = join(dir, 'video.mp4');
            await runFfmpeg(deps.tools, {
              args: joinArguments({ list, sound, target, fps }),
              timeoutMs: 600_000,
              signal,
              onProgress: (progress) => {
                report((progress.frames / frames) * 0.9);
              },
            });
            await checkVideo(deps.tools, target, { width, height, fps, frames }, signal);
            const { size } = await stat(target);
            signal.throwIfAborted();
            const video = await deps.artifacts.publishFile(target, 'mp4');
            const durationSeconds = frames / fps;
            return { value: { video, durationSeconds, width, height, bytes: size }, artifacts: [video] };
          }),
        signal,
      );
      return { ...value, cached };
    });
  };
}
