import { markWords, parseMarkedTranscript } from '../../../workflows/contract/marked-transcript.js';
import type {
  FindSpansInput,
  FindSpansResult,
  OpenedBase,
  PersonalizedOptions,
  SpanRequest,
  SpansDocument,
} from '../../../workflows/contract/personalized.js';
import type { ArtifactStore } from '../../artifacts.js';
import type { GenerationCache } from '../../cached.js';
import { invalidInput } from '../../failures.js';
import { withHeartbeat } from '../../heartbeat.js';
import { takesWordsLength } from '../../media/personalize/span-timeline.js';
import { openMono } from '../mono-sound.js';
import { spanBySilence } from '../spans/spoken-segments.js';
import { findTranscriptSpans } from '../spans/transcript-spans.js';
import type { VoiceProvider } from '../voice.js';

export interface FindSpansDeps {
  artifacts: Pick<ArtifactStore, 'readJson' | 'fetch' | 'publishJson'>;
  cache: GenerationCache;
  /** Speaks the transcript that is aligned with the recording. */
  reference: Pick<VoiceProvider, 'speak' | 'resolveVoice' | 'version'>;
}

const version = 2;
/** Above it the text is hardly what is said; see `alignTranscript`. */
const doubtfulDistance = 0.8;

/**
 * Where the words of a base are replaced: at explicit times, where a transcript's brackets are spoken, or where
 * silence says that somebody begins or has ended.
 * @throws ApplicationFailure `transcript_invalid`, `span_not_found`, and as the alignment
 */
export function createFindSpans(deps: FindSpansDeps) {
  return async function findSpans(input: FindSpansInput): Promise<FindSpansResult> {
    return withHeartbeat('preparation', 1, async ({ signal }) => {
      const { transcript, markers, spans, text, language, namePosition, silence } = input.options;
      const grows = takesWordsLength(input.options);
      const asked = { transcript, markers, spans, text, language, namePosition, silence, grows };
      const { value, cached } = await deps.cache.through<Omit<FindSpansResult, 'cached'>>(
        {
          activity: 'findSpans',
          version,
          inputs: { opened: input.opened, ...asked, reference: deps.reference.version },
        },
        async () => {
          const document = await find(deps, input, signal);
          const id = await deps.artifacts.publishJson(document);
          const { message } = document;
          return { value: { spans: id, spanCount: document.spans.length, message }, artifacts: [id] };
        },
        signal,
      );
      return { ...value, cached };
    });
  };
}

async function find(deps: FindSpansDeps, input: FindSpansInput, signal: AbortSignal): Promise<SpansDocument> {
  const { options } = input;
  if (options.spans !== null) return { spans: inOrder(options.spans), message: null };
  const { sound, soundStartSeconds } = await deps.artifacts.readJson<OpenedBase>(input.opened);
  const wav = await deps.artifacts.fetch(sound);
  const found =
    options.transcript === null
      ? await findBySilence(wav, options)
      : await findByTranscript(deps, { wav, transcript: options.transcript, options }, signal);
  // Found in the sound, and meant in the base.
  const spans = found.spans.map((span) => ({
    ...span,
    startSeconds: span.startSeconds + soundStartSeconds,
    endSeconds: span.endSeconds + soundStartSeconds,
  }));
  return { ...found, spans: inOrder(spans) };
}

async function findByTranscript(
  deps: FindSpansDeps,
  { wav, transcript, options }: { wav: string; transcript: string; options: PersonalizedOptions },
  signal: AbortSignal,
): Promise<SpansDocument> {
  const marked = markedTranscript(transcript, options);
  const recording = { wav, language: options.language };
  const { spans, distance } = await findTranscriptSpans(deps.reference, marked, recording, signal);
  const doubt = 'the transcript hardly matches what is heard; check a preview';
  return {
    spans: spans.map(({ replacement, ...times }) => ({ ...times, text: replacement ?? options.text })),
    message: distance > doubtfulDistance ? doubt : null,
  };
}

async function findBySilence(wav: string, options: PersonalizedOptions): Promise<SpansDocument> {
  const sound = await openMono({ wav });
  const where = { position: options.namePosition, takesWordsLength: takesWordsLength(options) };
  const segment = await spanBySilence(sound, where, options.silence).finally(() => sound.close());
  if (segment === undefined) {
    throw invalidInput({
      code: 'span_not_found',
      detail: 'No silence sets off the words to replace; give a transcript or placeholders.',
    });
  }
  return { spans: [{ ...segment, text: options.text }], message: null };
}

function markedTranscript(transcript: string, { markers }: Pick<PersonalizedOptions, 'markers'>) {
  const marked = markers === null ? parseMarkedTranscript(transcript) : markWords(transcript, markers);
  if ('parts' in marked) return marked;
  throw invalidInput({
    code: 'transcript_invalid',
    detail: `The transcript cannot be used: ${marked.problem} (character ${marked.position}).`,
  });
}

function inOrder(spans: readonly SpanRequest[]): SpanRequest[] {
  return spans.toSorted((a, b) => a.startSeconds - b.startSeconds);
}
