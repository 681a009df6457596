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
import { spanBySilence } from '../spans/spoken-segments.js';
import { findTranscriptSpans } from '../spans/transcript-spans.js';
import type { VoiceProvider } from '../voice.js';
import { monoOfWav } from './mono-of-wav.js';

export interface FindSpansDeps {
  artifacts: Pick<ArtifactStore, 'readJson' | 'readBytes' | 'publishJson'>;
  cache: GenerationCache;
  /** Speaks the transcript that is aligned with the recording. */
  reference: Pick<VoiceProvider, 'speak' | 'resolveVoice' | 'version'>;
}

const version = 1;
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
      const asked = { transcript, markers, spans, text, language, namePosition, silence };
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
  const opened = await deps.artifacts.readJson<OpenedBase>(input.opened);
  const { samples, rate } = monoOfWav(await deps.artifacts.readBytes(opened.sound));
  if (options.transcript !== null) {
    const marked = markedTranscript(options.transcript, options);
    const recording = { samples, rate, language: options.language };
    const found = await findTranscriptSpans(deps.reference, marked, recording, signal);
    const spans = found.spans.map(({ startSeconds, endSeconds, replacement }) => ({
      ...{ startSeconds, endSeconds },
      text: replacement ?? options.text,
    }));
    const doubt = 'the transcript hardly matches what is heard; check a preview';
    return { spans: inOrder(spans), message: found.distance > doubtfulDistance ? doubt : null };
  }
  const segment = spanBySilence(samples, rate, options.namePosition, options.silence);
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
