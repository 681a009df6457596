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
import { fitWords, pauseAfter } from './fit-words.js';
import { contextOf, replaceWords } from './replace-words.js';
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

async function editSpan(
  { artifacts, tools }: RecipientSoundDeps,
  { prepared, options, sound, signal }: RecipientSound,
  { span, voice, lengths }: { span: PreparedSpan; voice: VoiceDocument; lengths: SpanTimeline },
): Promise<SoundEdit> {
  const { sampleRate, channels } = prepared;
  const { startSample: start, endSample } = span;
  const { from, to } = contextOf({ start, end: endSample, sampleRate });
  const context = await sound.read(from, Math.min(to, sound.samples) - from);
  const natural = toFloat(readVoiceWav(await artifacts.readBytes(voice.audio)));
  const place = { context, contextStart: from, channels, sampleRate, start };

  if (lengths.samples !== endSample - start) {
    // The span takes the words' length, but for the part of a frame that it is rounded by.
    const words = resample(natural, voiceRate, sampleRate).subarray(0, lengths.samples);
    return replaceWords({ ...place, end: endSample, words, samples: lengths.samples });
  }
  const fitted = fitWords({
    words: Math.round((natural.length * sampleRate) / voiceRate),
    span: endSample - start,
    pause: pauseAfter(firstChannel(context, channels), endSample - from, sampleRate),
    gap: Math.round(options.gapSeconds * sampleRate),
    naturalSpeed: options.naturalSpeed,
    sampleRate,
  });
  const spoken = await stretchSpeech(tools, natural, { rate: voiceRate, tempo: fitted.tempo, signal });
  const samples = endSample - start + fitted.overlap;
  const words = resample(spoken, voiceRate, sampleRate).subarray(0, samples);
  return replaceWords({ ...place, end: endSample + fitted.overlap, words, samples });
}

function firstChannel(interleaved: Float32Array, channels: number): Float32Array {
  return Float32Array.from(
    { length: interleaved.length / channels },
    (_, n) => interleaved[n * channels] ?? 0,
  );
}
