import type { VoiceDocument } from '../../../workflows/contract/documents.js';
import type {
  PreparedBase,
  PreparedSpan,
  RecipientOptions,
} from '../../../workflows/contract/personalized.js';
import type { ArtifactStore } from '../../artifacts.js';
import { resample, toFloat } from '../../tts/pcm.js';
import { voiceRate } from '../../tts/voice.js';
import { readVoiceWav } from '../audio/voice-wav.js';
import type { FfmpegTools } from '../ffmpeg/run.js';
import { fitWords } from './fit-words.js';
import { replaceWords } from './replace-words.js';
import { layOutSpans, type SpanTimeline } from './span-timeline.js';
import type { SoundEdit } from './splice-sound.js';
import { stretchSpeech } from './stretch-speech.js';
import type { WavWindow } from './wav-window.js';

export interface RecipientSoundDeps {
  artifacts: Pick<ArtifactStore, 'readJson' | 'readBytes'>;
  tools: FfmpegTools;
}

export interface RecipientSound {
  prepared: PreparedBase;
  options: RecipientOptions;
  /** One a span. */
  voices: readonly VoiceDocument[];
  sound: WavWindow;
  signal: AbortSignal;
}

/** The span's times for these voices; the same wherever it is asked for. */
export function timelineOf(
  prepared: PreparedBase,
  options: RecipientOptions,
  voices: readonly VoiceDocument[],
): SpanTimeline[] {
  return layOutSpans(
    prepared,
    options,
    voices.map(({ samples }) => samples / voiceRate),
  );
}

/**
 * What of the base's sound changes for one recipient.
 * @throws ApplicationFailure `words_too_long`
 */
export function soundEdits(deps: RecipientSoundDeps, recipient: RecipientSound): Promise<SoundEdit[]> {
  const { prepared, options, voices } = recipient;
  const timeline = timelineOf(prepared, options, voices);
  return Promise.all(
    prepared.spans.map(async (span, index) => {
      const [voice, lengths] = [voices[index], timeline[index]];
      if (voice === undefined || lengths === undefined) throw new Error('a span has no voice');
      return editSpan(deps, recipient, { span, voice, lengths });
    }),
  );
}

interface SpanWords {
  span: PreparedSpan;
  voice: VoiceDocument;
  lengths: SpanTimeline;
}

/** The words of a span as they are said: mono, 48 kHz, full scale = 1. */
export interface SaidWords {
  spoken: Float32Array;
  /** How much faster than naturally. */
  tempo: number;
  /** Samples of the base behind the span that they take, too. */
  overlap: number;
}

/**
 * Says a span's words in the time that there is for them.
 * @throws ApplicationFailure `words_too_long`
 */
export async function sayWords(
  { artifacts, tools }: RecipientSoundDeps,
  { prepared, options, signal }: Pick<RecipientSound, 'prepared' | 'options' | 'signal'>,
  { span, voice, lengths }: SpanWords,
): Promise<SaidWords> {
  const { sampleRate } = prepared;
  const { startSample: start, endSample: end } = span;
  const natural = toFloat(readVoiceWav(await artifacts.readBytes(voice.audio)));
  if (lengths.samples !== end - start) return { spoken: natural, tempo: 1, overlap: 0 };
  const { tempo, overlap } = fitWords({
    words: Math.round((natural.length * sampleRate) / voiceRate),
    span: end - start,
    pause: span.surroundings.pauseSamples,
    gap: Math.round(options.gapSeconds * sampleRate),
    naturalSpeed: options.naturalSpeed,
    sampleRate,
  });
  return { spoken: await stretchSpeech(tools, natural, { rate: voiceRate, tempo, signal }), tempo, overlap };
}

async function editSpan(deps: RecipientSoundDeps, recipient: RecipientSound, words: SpanWords) {
  const { prepared, sound } = recipient;
  const { span, lengths } = words;
  const { spoken, overlap } = await sayWords(deps, recipient, words);
  // A span that takes its words' length is rounded by a part of a frame.
  const samples = lengths.samples + overlap;
  return replaceWords({
    ...{ sound, surroundings: span.surroundings, start: span.startSample, end: span.endSample + overlap },
    words: resample(spoken, voiceRate, prepared.sampleRate).subarray(0, samples),
    samples,
  });
}
