import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import type { WordTiming } from '../../workflows/contract/documents.js';
import { ffmpegArguments, fileName, untrustedInput } from '../media/ffmpeg/command.js';
import { runFfmpeg, type FfmpegTools } from '../media/ffmpeg/run.js';
import { withScratch } from '../scratch.js';
import { alignTranscript } from './align/align-transcript.js';
import { levelled, soundingRange, toFloat, toInt16, withFades } from './pcm.js';
import { voiceBadAnswer, type VoiceService } from './voice-failures.js';
import { type SpokenText, type VoiceProvider, voiceRate } from './voice.js';

/** What every voice from outside is finished with. */
export interface OutsideSpeechDeps {
  tools: FfmpegTools;
  scratchDir: string;
  /** Speaks the text that words are found with where a voice does not tell their times. */
  reference: Pick<VoiceProvider, 'speak' | 'resolveVoice'>;
}

export interface OutsideSpeech {
  /** What was said, and in which language (BCP 47). */
  text: string;
  language: string;
  /** Times in the file as it came; undefined: to be found by alignment. */
  words: WordTiming[] | undefined;
  /** Applied to the sound; 1 leaves its pace. */
  tempo?: number;
}

/** More is no answer to a name, or to a batch of them. */
const longestSeconds = 900;
const timeoutMs = 120_000;
/** −40 dB of the peak: below it is what codecs and recordings leave in a pause. */
const silenceThreshold = 0.01;
const marginSeconds = 0.01;
const levelDbfs = -20;
const peakDbfs = -1.5;
const fadeSeconds = 0.003;

/** {@link finishSpeechFile} for a file that is in memory. */
export function finishSpeech(
  deps: OutsideSpeechDeps,
  service: VoiceService,
  { bytes, extension }: { bytes: Uint8Array; extension: 'mp3' | 'wav' },
  speech: OutsideSpeech,
  signal: AbortSignal,
): Promise<SpokenText> {
  return withScratch(deps.scratchDir, async (dir) => {
    const path = join(dir, `speech.${extension}`);
    await writeFile(path, bytes);
    return finishSpeechFile(deps, service, path, speech, signal);
  });
}

/**
 * A file from outside as speech of ours: looked at as any file of a stranger's, mono at 48 kHz, without silence around
 * it, at the level of the built-in voice, each word with its time. Where the words cannot be found they are left out;
 * phonemes are not known of any voice from outside, so that mouths go by the sound.
 *
 * @throws ApplicationFailure `voice_bad_answer` for what is no sound
 */
export async function finishSpeechFile(
  deps: OutsideSpeechDeps,
  service: VoiceService,
  path: string,
  { text, language, words, tempo = 1 }: OutsideSpeech,
  signal: AbortSignal,
): Promise<SpokenText> {
  const raw = toFloat(await decode(deps.tools, service, path, tempo, signal));
  const range = soundingRange(raw, silenceThreshold);
  if (range === undefined) throw voiceBadAnswer(service);
  const margin = Math.round(marginSeconds * voiceRate);
  const start = Math.max(0, range.start - margin);
  const end = Math.min(raw.length, range.end + margin);
  const even = levelled(raw.slice(start, end), voiceRate, { levelDbfs, peakDbfs });
  const samples = withFades(even, fadeSeconds * voiceRate);
  const seconds = samples.length / voiceRate;
  const known =
    words === undefined
      ? moved(await alignedWords(deps.reference, { text, language, samples }, signal), 1, 0, seconds)
      : moved(words, tempo, start / voiceRate, seconds);
  return { pcm: toInt16(samples), words: known, phonemes: [] };
}

async function decode(
  tools: FfmpegTools,
  service: VoiceService,
  path: string,
  tempo: number,
  signal: AbortSignal,
): Promise<Int16Array> {
  const filter = tempo === 1 ? [] : ['-af', `atempo=${tempo.toFixed(4)}`];
  const args = ffmpegArguments({
    inputs: [{ source: fileName(path), options: untrustedInput }],
    outputs: [
      {
        target: 'pipe:1',
        options: [
          ...['-map', '0:a:0', '-t', String(longestSeconds), ...filter],
          ...['-ac', '1', '-ar', String(voiceRate), '-c:a', 'pcm_s16le', '-f', 's16le'],
        ],
      },
    ],
  });
  try {
    const maxBytes = (longestSeconds + 1) * voiceRate * 2;
    const { stdout } = await runFfmpeg(tools, { args, timeoutMs, signal, collectOutput: { maxBytes } });
    const bytes = new Uint8Array(stdout);
    return new Int16Array(bytes.buffer, 0, bytes.byteLength >> 1);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ApplicationFailure && error.type === 'ffmpeg_failed') {
      throw voiceBadAnswer(service, error.cause);
    }
    throw error;
  }
}

/** Without words rather than without speech: a language that is not spoken here can still be heard. */
async function alignedWords(
  reference: OutsideSpeechDeps['reference'],
  { text, language, samples }: { text: string; language: string; samples: Float32Array },
  signal: AbortSignal,
): Promise<WordTiming[]> {
  try {
    const request = { text, language, samples, rate: voiceRate };
    return (await alignTranscript(reference, request, signal)).words;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof RangeError) return [];
    if (error instanceof ApplicationFailure && error.nonRetryable === true) return [];
    throw error;
  }
}

/** Words with the sound: faster by `tempo`, then cut at `startSeconds`. */
function moved(words: WordTiming[], tempo: number, startSeconds: number, totalSeconds: number): WordTiming[] {
  const at = (seconds: number) => Math.min(totalSeconds, Math.max(0, seconds / tempo - startSeconds));
  return words.map((word) => ({
    ...word,
    startSeconds: at(word.startSeconds),
    endSeconds: at(word.endSeconds),
  }));
}
