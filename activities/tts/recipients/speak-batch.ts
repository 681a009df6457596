import type { RecipientRow } from '../../../db/recipients.js';
import type {
  PreparedBase,
  SpeakBatchInput,
  SpeakBatchResult,
} from '../../../workflows/contract/personalized.js';
import type { CacheName } from '../../cached.js';
import { withHeartbeat } from '../../heartbeat.js';
import { fillText } from './fill-text.js';
import { nameVoiceOf } from './name-voices.js';
import { nameAudio, publishSpeech, type RecipientSpeechDeps } from './speak-recipient.js';
import { splitTakes } from './split-takes.js';

export interface SpeakBatchDeps extends RecipientSpeechDeps {
  /** Whether the cache has this. */
  isCached(name: CacheName): Promise<boolean>;
  /** Positions `from` up to but without `to`, in order. */
  listRecipients(jobId: string, range: { from: number; to: number }): Promise<RecipientRow[]>;
}

/** Between the texts of one request, so that the voice pauses. */
const defaultGap = ' … ';

/**
 * Says the words of some recipients in one request and splits the sound at its silences. Where the split does not give
 * one take a text, nothing is kept: each recipient's own request then says its words singly.
 */
export function createSpeakBatch(deps: SpeakBatchDeps) {
  return async function speakBatch(input: SpeakBatchInput): Promise<SpeakBatchResult> {
    const item = Math.floor(input.from / Math.max(1, input.to - input.from));
    return withHeartbeat('voices', item, async ({ signal }) => {
      const { jobId, userId, from, to, options } = input;
      const { voice: choice, language, batch } = options;
      if (choice.provider === 'none') return { spoken: 0, singly: 0, cached: true };
      const { spans } = await deps.artifacts.readJson<PreparedBase>(input.prepared);
      const recipients = await deps.listRecipients(jobId, { from, to });
      const texts = distinctTexts(recipients, spans);
      const [first] = texts;
      if (first === undefined) return { spoken: 0, singly: 0, cached: true };

      const provider = nameVoiceOf(deps.nameVoices, choice.provider);
      const ready = await provider.ready({ userId, choice, language, text: first }, signal);
      const { speed, modelId } = choice;
      const name = (text: string) =>
        nameAudio(provider, { voiceId: ready.voiceId, modelId, text, language, speed });
      // What is there already is not paid for again.
      const missing = [];
      for (const text of texts) if (!(await deps.isCached(name(text)))) missing.push(text);
      if (missing.length < 2) return { spoken: 0, singly: missing.length, cached: missing.length === 0 };

      const gap = batch.gapHint === null ? defaultGap : ` ${batch.gapHint.trim()} `;
      const whole = missing.join(gap);
      const spoken = await ready.speak({ text: whole, language, speed }, signal);
      const takes = splitTakes(spoken, {
        ...{ texts: missing, gap },
        silenceDb: batch.splitSilenceDb,
        silenceSeconds: batch.splitSilenceSeconds,
      });
      if (takes === undefined) return { spoken: 0, singly: missing.length, cached: false };
      for (const [index, text] of missing.entries()) {
        const take = takes[index];
        if (take !== undefined) await deps.cache.through(name(text), () => publishSpeech(deps, take), signal);
      }
      return { spoken: missing.length, singly: 0, cached: false };
    });
  };
}

/** A recipient without words for a span says so when its own turn comes. */
function distinctTexts(recipients: readonly RecipientRow[], spans: PreparedBase['spans']): string[] {
  const texts = recipients.flatMap(({ fields }) =>
    spans.flatMap(({ text }) => {
      try {
        return [fillText(text, fields)];
      } catch {
        return [];
      }
    }),
  );
  return [...new Set(texts)];
}
