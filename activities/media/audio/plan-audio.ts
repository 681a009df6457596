import type { VoiceDocument } from '../../../workflows/contract/documents.js';
import type { MusicChoice } from '../../../workflows/contract/options.js';
import { frameSamples } from '../aac/adts.js';
import { samplesPerFrame } from '../captions/timeline.js';
import type { AudioPlan, SceneTiming } from '../composition.js';

export interface PlanAudioInput {
  scenes: readonly SceneTiming[];
  voices: readonly VoiceDocument[];
  totalFrames: number;
  fps: number;
  music: MusicChoice | null;
}

/** 10 ms: too short to be heard as a fade, long enough that no voice begins or ends with a click. */
const fadeSamples = 480;

/**
 * What sounds when, exactly as long as the picture: each voice on its scene's place, music below all of it. A
 * voice is moved by 11 ms at most, to where a frame of AAC begins: it is then encoded alike wherever it stands.
 */
export function planAudio({ scenes, voices, totalFrames, fps, music }: PlanAudioInput): AudioPlan {
  return {
    samples: totalFrames * samplesPerFrame(fps),
    clips: scenes.flatMap((scene, index) => {
      const voice = voices[index];
      if (voice === undefined || scene.voiceSamples === 0) return [];
      const { voiceStartSample, voiceSamples: samples } = scene;
      const startSample = Math.round(voiceStartSample / frameSamples) * frameSamples;
      return [{ artifact: voice.audio, startSample, samples, gainDb: 0, fadeSamples }];
    }),
    music: music === null ? null : planMusic(music),
    loudnessLufs: -14,
    truePeakDbtp: -1,
  };
}

function planMusic(music: MusicChoice): NonNullable<AudioPlan['music']> {
  const { volumeDb: gainDb } = music;
  return 'builtin' in music
    ? { builtin: music.builtin, gainDb, duck: true }
    : { artifact: music.artifact, gainDb, duck: true };
}
