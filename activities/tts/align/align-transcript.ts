import type { WordTiming } from '../../../workflows/contract/documents.js';
import { espeakVoices } from '../../../workflows/contract/voices.js';
import { invalidInput } from '../../failures.js';
import { splitUtterances } from '../utterances.js';
import type { RecordedSound } from '../mono-sound.js';
import { type VoiceProvider, voiceRate } from '../voice.js';
import { withAligner } from './aligner.js';

export type AlignmentRequest = RecordedSound & {
  /** What is said, plain text. */
  text: string;
  /** BCP 47. */
  language: string;
};

export interface Alignment {
  /** One timing for each visible word of the text, in order, in seconds of the recording. */
  words: WordTiming[];
  /** About 0.55–0.7 where the text is what is said; see {@link alignWords}. */
  distance: number;
}

interface Speech {
  pcm: Int16Array;
  words: WordTiming[];
}

/** Timbres that the text is spoken with; the median of what they say is more robust than any of them. */
const timbres = ['max', 'f2', 'm3'];
/** English is spoken in two ways at least, and we are not told in which. */
const accents: Record<string, string> = { 'en-us': 'en-gb', 'en-gb': 'en-us' };
/** The synthesizer is asked again when its pace differs by more. */
const paceTolerance = 1.12;
const slowest = 0.55;
/** Nobody speaks so many times faster or slower than the synthesizer. */
const likelyPace = 3;
const fastest = 2;

/**
 * Forced alignment without any outside help: the text is spoken by a voice that knows its word times, at the
 * pace of the recording, and both are warped onto one another. The work is done in a thread of its own.
 *
 * @throws ApplicationFailure `transcript_mismatch` when the text is far too long or too short for what is heard;
 *   when the voice does not speak the language.
 * @throws RangeError for a text without a word; the signal's reason on abort.
 */
export async function alignTranscript(
  voice: Pick<VoiceProvider, 'speak' | 'resolveVoice'>,
  { text, language, ...recorded }: AlignmentRequest,
  signal: AbortSignal,
): Promise<Alignment> {
  const resolved = voice.resolveVoice({ text, language, voiceId: null });
  const voiceIds = referenceVoices(resolved);
  const trial = await speakAll(voice, text, language, resolved, 1, signal);
  if (trial.words.length === 0) throw new RangeError('a text without a word has no place in a recording');
  return withAligner(signal, async (aligner) => {
    const { soundingSeconds } = await aligner.hear(recorded);
    const measured = spokenSeconds(trial) / Math.max(0.1, soundingSeconds);
    if (Math.max(measured, 1 / measured) > likelyPace) {
      throw invalidInput({
        code: 'transcript_mismatch',
        detail: `The transcript takes about ${spokenSeconds(trial).toFixed(0)} s to say, and ${soundingSeconds.toFixed(0)} s of the recording are speech.`,
      });
    }
    const pace = Math.min(fastest, Math.max(slowest, measured));
    const asked = Math.max(pace, 1 / pace) > paceTolerance ? pace : 1;
    for (const voiceId of voiceIds) {
      const known = voiceId === resolved && asked === 1;
      // One at a time, because what a voice says for minutes is large.
      await aligner.addVoice(known ? trial : await speakAll(voice, text, language, voiceId, asked, signal));
    }
    const aligned = await aligner.align();
    const words = trial.words.map((word, n) => ({
      ...word,
      startSeconds: aligned.words[n]?.startSeconds ?? 0,
      endSeconds: aligned.words[n]?.endSeconds ?? 0,
    }));
    return { words, distance: aligned.distance };
  });
}

function referenceVoices(resolved: string): string[] {
  const [base = resolved] = resolved.split('+');
  const accent = accents[base];
  const all = [
    ...timbres.map((timbre) => `${base}+${timbre}`),
    ...(accent === undefined
      ? ['Annie', 'm7'].map((timbre) => `${base}+${timbre}`)
      : ['max', 'f2'].map((timbre) => `${accent}+${timbre}`)),
  ];
  return all.filter((voiceId) => espeakVoices.includes(voiceId));
}

/** Sentence after sentence, so that no text is too long for the voice. */
async function speakAll(
  voice: Pick<VoiceProvider, 'speak'>,
  text: string,
  language: string,
  voiceId: string,
  speed: number,
  signal: AbortSignal,
): Promise<Speech> {
  const parts: Int16Array[] = [];
  const words: WordTiming[] = [];
  let samples = 0;
  for (const { start, end, pauseSeconds } of splitUtterances(text, language)) {
    const spoken = await voice.speak({ text: text.slice(start, end), language, voiceId, speed }, signal);
    const at = samples / voiceRate;
    for (const word of spoken.words) {
      words.push({
        ...word,
        startSeconds: word.startSeconds + at,
        endSeconds: word.endSeconds + at,
        charStart: word.charStart + start,
        charEnd: word.charEnd + start,
      });
    }
    const pause = new Int16Array(Math.round(pauseSeconds * voiceRate));
    parts.push(spoken.pcm, pause);
    samples += spoken.pcm.length + pause.length;
  }
  const pcm = new Int16Array(samples);
  let at = 0;
  for (const part of parts) {
    pcm.set(part, at);
    at += part.length;
  }
  return { pcm, words };
}

const spokenSeconds = ({ words }: Speech) =>
  words.reduce((sum, { startSeconds, endSeconds }) => sum + endSeconds - startSeconds, 0);
