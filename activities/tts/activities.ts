import type { ScriptDocument } from '../../workflows/contract/documents.js';
import type { SpeakSceneInput, SpeakSceneResult } from '../../workflows/contract/explainer.js';
import { invalidInput } from '../failures.js';
import { withHeartbeat } from '../heartbeat.js';
import { speakNarration, type TtsDeps } from './narration.js';
import { createFindSpans, type FindSpansDeps } from './recipients/find-spans.js';
import { createSpeakBatch, type SpeakBatchDeps } from './recipients/speak-batch.js';
import { createSpeakRecipient } from './recipients/speak-recipient.js';
import { voiceRate } from './voice.js';

/** Twenty minutes of speech; a scene is meant to be half a minute. */
const maxNarrationCharacters = 20_000;

/** Activities of the tts pool. */
export function createTtsActivities(deps: TtsDeps & SpeakBatchDeps & Pick<FindSpansDeps, 'artifacts'>) {
  return {
    findSpans: createFindSpans({ ...deps, reference: deps.voices.espeak }),
    speakBatch: createSpeakBatch(deps),
    speakRecipient: createSpeakRecipient(deps),

    /** Speaks one scene's narration; a sentence that was spoken before, in any video, is not spoken again. */
    async speakScene(input: SpeakSceneInput): Promise<SpeakSceneResult> {
      return withHeartbeat('voices', input.sceneNumber - 1, async (pulse) => {
        const script = await deps.artifacts.readJson<ScriptDocument>(input.script);
        const scene = script.scenes.find(({ number }) => number === input.sceneNumber);
        if (scene === undefined) {
          throw invalidInput({
            code: 'scene_missing',
            detail: `The script has no scene ${input.sceneNumber.toString()}.`,
          });
        }
        if (scene.narration.length > maxNarrationCharacters) {
          throw invalidInput({
            code: 'narration_too_long',
            detail: `The narration of scene ${input.sceneNumber.toString()} is longer than ${maxNarrationCharacters.toLocaleString('en')} characters.`,
          });
        }
        const spoken = await speakNarration(
          deps,
          { text: scene.narration, language: input.language, voice: input.voice },
          pulse.signal,
          (fraction) => {
            pulse.report(fraction);
          },
        );
        return {
          voice: spoken.value.voice,
          durationSeconds: spoken.value.samples / voiceRate,
          cached: spoken.cached,
        };
      });
    },
  };
}

export type TtsActivities = ReturnType<typeof createTtsActivities>;
