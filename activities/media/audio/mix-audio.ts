import { join } from 'node:path';
import type { MixAudioInput, MixAudioResult } from '../../../workflows/contract/explainer.js';
import type { ArtifactStore } from '../../artifacts.js';
import type { GenerationCache } from '../../cached.js';
import { withHeartbeat, type Pulse } from '../../heartbeat.js';
import { withScratch } from '../../scratch.js';
import type { AudioPlan, Composition } from '../composition.js';
import type { FfmpegTools } from '../ffmpeg/run.js';
import { writeM4a } from '../aac/m4a.js';
import { headroomDb, master } from './master.js';
import { mixTracks } from './mix-tracks.js';
import { prepareMusic } from './music.js';
import { writeSpeechTrack } from './speech-track.js';

export interface MixAudioDeps {
  artifacts: Pick<ArtifactStore, 'fetch' | 'publishBytes' | 'publishFile' | 'readBytes' | 'readJson'>;
  cache: GenerationCache;
  scratchDir: string;
  tools: FfmpegTools;
}

/** Raised when the same plan sounds different. */
const version = 3;

/**
 * The sound of a video: voices on their samples, music looped and ducked below them, mastered to the plan's
 * loudness and true peak, as AAC-LC 48 kHz stereo in MP4, as long as the picture to the sample.
 */
export function createMixAudio(deps: MixAudioDeps) {
  return async function mixAudio(input: MixAudioInput): Promise<MixAudioResult> {
    return withHeartbeat('assembly', 0, async (pulse) => {
      const { audio: plan } = await deps.artifacts.readJson<Composition>(input.composition);
      const { value, cached } = await deps.cache.through<{ audio: string }>(
        { activity: 'mix_audio', version, inputs: plan },
        async () => {
          const audio = await renderAudio(deps, plan, pulse);
          return { value: { audio }, artifacts: [audio] };
        },
        pulse.signal,
      );
      return { ...value, cached };
    });
  };
}

/** Makes the track of a plan and publishes it; `pulse` hears of progress and stops the work. */
export async function renderAudio(deps: MixAudioDeps, plan: AudioPlan, pulse: Pulse): Promise<string> {
  const { signal } = pulse;
  return withScratch(deps.scratchDir, async (dir) => {
    const speech = plan.clips.length === 0 ? null : join(dir, 'speech.f32');
    if (speech !== null) {
      const fetch = (clip: { artifact: string }) => deps.artifacts.fetch(clip.artifact);
      const level = { loudnessLufs: plan.loudnessLufs, ceilingDb: plan.truePeakDbtp - headroomDb };
      await writeSpeechTrack(speech, plan.samples, plan.clips, level, fetch, signal);
    }
    pulse.report(0.2);
    const music = plan.music === null ? null : await prepareMusic(deps, plan.music, signal);
    pulse.report(0.4);
    const mix = join(dir, 'mix.f32');
    const levels = await mixTracks({
      samples: plan.samples,
      speech,
      loudnessLufs: plan.loudnessLufs,
      music:
        music === null || plan.music === null
          ? null
          : { ...music, path: await deps.artifacts.fetch(music.artifact), ...plan.music },
      target: mix,
      signal,
    });
    pulse.report(0.6);
    const stream = await master(deps, { source: mix, levels, dir, plan, signal });
    pulse.report(0.95);
    signal.throwIfAborted();
    return deps.artifacts.publishBytes(writeM4a(stream, plan.samples), 'm4a');
  });
}
