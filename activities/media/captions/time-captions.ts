import type { ArtifactId, ScriptDocument, VoiceDocument } from '../../../workflows/contract/documents.js';
import type { TimeCaptionsInput, TimeCaptionsResult } from '../../../workflows/contract/explainer.js';
import type { ArtifactStore } from '../../artifacts.js';
import type { GenerationCache } from '../../cached.js';
import { invalidInput } from '../../failures.js';
import { withHeartbeat } from '../../heartbeat.js';
import type { CaptionDocument } from '../composition.js';
import { frameSize } from '../frame-size.js';
import { writeAss } from './ass.js';
import { captionLayout } from './caption-layout.js';
import { cuesOfScenes } from './scene-cues.js';
import { writeSrt } from './srt.js';
import { layOutScenes } from './timeline.js';
import { writeVtt } from './vtt.js';

export interface TimeCaptionsDeps {
  artifacts: Pick<ArtifactStore, 'readJson' | 'publishJson' | 'publishBytes'>;
  cache: GenerationCache;
}

/** Raised when timeline, line breaks or the look of captions change. */
const version = 2;

/** All videos are made at this rate. */
export const framesPerSecond = 30;

type CaptionArtifacts = Omit<TimeCaptionsResult, 'cached'>;

/**
 * The captions step: lays the scenes out in time by their voices, breaks the narration into cues and writes
 * VTT, SRT and ASS.
 * @throws ApplicationFailure `voices_missing` unless there is one voice for each scene.
 */
export function createTimeCaptions({ artifacts, cache }: TimeCaptionsDeps) {
  return async function timeCaptions(input: TimeCaptionsInput): Promise<TimeCaptionsResult> {
    return withHeartbeat('captions', 0, async ({ signal }) => {
      const script = await artifacts.readJson<ScriptDocument>(input.script);
      const narrations = script.scenes.map((scene) => scene.narration);
      if (narrations.length === 0 || narrations.length !== input.voices.length) {
        throw invalidInput({
          code: 'voices_missing',
          detail: `The script has ${narrations.length} scenes, but ${input.voices.length} voices were given.`,
        });
      }
      const { aspectRatio, resolution, transition, captions } = input.options;
      const { language } = script;
      const inputs = {
        ...{ narrations, voices: input.voices, language },
        ...{ aspectRatio, resolution, transition, style: captions.style },
      };
      const { value, cached } = await cache.through<CaptionArtifacts>(
        { activity: 'time_captions', version, inputs },
        async () => {
          const value = await makeCaptions(inputs);
          return { value, artifacts: [value.captions, value.vtt, value.srt, value.ass] };
        },
        signal,
      );
      return { ...value, cached };
    });
  };

  async function makeCaptions(inputs: {
    narrations: string[];
    voices: ArtifactId[];
    language: string;
    aspectRatio: TimeCaptionsInput['options']['aspectRatio'];
    resolution: TimeCaptionsInput['options']['resolution'];
    transition: TimeCaptionsInput['options']['transition'];
    style: TimeCaptionsInput['options']['captions']['style'];
  }): Promise<CaptionArtifacts> {
    const voices = await Promise.all(inputs.voices.map((id) => artifacts.readJson<VoiceDocument>(id)));
    const fps = framesPerSecond;
    const { scenes, totalFrames } = layOutScenes({
      voiceSamples: voices.map((voice) => voice.samples),
      transition: inputs.transition,
      fps,
    });
    const { width, height } = frameSize(inputs.aspectRatio, inputs.resolution);
    const layout = captionLayout(width, height);
    const { lineLetters } = layout;
    const cues = cuesOfScenes({ scenes, narrations: inputs.narrations, voices, fps, lineLetters });
    const publish = (text: string, extension: string) =>
      artifacts.publishBytes(Buffer.from(text, 'utf8'), extension);
    const [vtt, srt, ass] = await Promise.all([
      publish(writeVtt(cues, inputs.language), 'vtt'),
      publish(writeSrt(cues), 'srt'),
      publish(writeAss({ style: inputs.style, layout, cues }), 'ass'),
    ]);
    const document: CaptionDocument = { fps, totalFrames, scenes, cues, vtt, srt, ass };
    return { captions: await artifacts.publishJson(document), vtt, srt, ass };
  }
}
