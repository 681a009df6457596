import { espeakVoiceFor, espeakVoices } from '../../workflows/contract/voices.js';
import { invalidInput, transientFailure } from '../failures.js';
import { createEspeakProcess } from './espeak-process.js';
import type { EspeakEvent } from './espeak-protocol.js';
import { espeakText } from './espeak-text.js';
import { phonemeTimings, wordTimings } from './espeak-words.js';
import { levelled, resample, soundingRange, toFloat, toInt16, withFades } from './pcm.js';
import { scriptLanguage } from './script-language.js';
import { softened } from './tone.js';
import { type SpokenText, type VoiceProvider, voiceRate } from './voice.js';

/** Slower than espeak's own 175, which hurries for a listener who also reads. */
const wordsPerMinute = 160;
const pitch = 48;
/** A little livelier than the voice's own melody. */
const pitchRange = 60;
const levelDbfs = -20;
const peakDbfs = -1.5;
/** −46 dB of the peak: what is below is the synthesizer's silence. */
const silenceThreshold = 0.005;
const leadSeconds = 0.004;
const tailSeconds = 0.03;
const fadeSeconds = 0.003;

/** A text that espeak has no sound for, such as a lone dash, is half a second of silence. */
const silentSeconds = 0.5;

export interface EspeakVoice extends VoiceProvider {
  /** Process id of the running program, if there is one. */
  pid(): number | undefined;
  close(): void;
}

/** Speech by espeak-ng in a program of its own, with the synthesizer's exact word and phoneme times. */
export function createEspeakVoice({ timeoutMs = 30_000 }: { timeoutMs?: number } = {}): EspeakVoice {
  const program = createEspeakProcess({ timeoutMs });
  const known = new Set<string>(espeakVoices);

  function resolveVoice({ text, language, voiceId }: Parameters<VoiceProvider['resolveVoice']>[0]): string {
    const voice = voiceId ?? espeakVoiceFor(scriptLanguage(text, language));
    if (voice !== undefined && known.has(voice)) return voice;
    throw invalidInput({
      code: voiceId === null ? 'language_unsupported' : 'voice_unknown',
      detail:
        voiceId === null
          ? `espeak has no voice for the language "${language.slice(0, 40)}"; name a voiceId.`
          : `espeak has no voice "${voiceId.slice(0, 60)}".`,
    });
  }

  return {
    name: 'espeak',
    version: 2,
    resolveVoice,
    pid: () => program.pid(),
    close() {
      program.close();
    },
    async speak(request, signal) {
      const prepared = espeakText(request.text, request.language);
      const answer = await program.ask(
        {
          text: prepared.spoken,
          voice: programVoice(resolveVoice(request)),
          wordsPerMinute: Math.round(Math.min(450, Math.max(80, wordsPerMinute * request.speed))),
          pitch,
          pitchRange,
        },
        signal,
      );
      if ('error' in answer) {
        throw transientFailure({ code: 'voice_unavailable', detail: `espeak: ${answer.error}` });
      }
      const { samples, events } = trimmed(decodePcm(answer.pcm), answer.rate, answer.events);
      const totalSeconds = samples.length / voiceRate;
      const phonemes = phonemeTimings(events, totalSeconds);
      const words = wordTimings(request.text, prepared, events, phonemes, totalSeconds);
      return { pcm: toInt16(samples), words, phonemes } satisfies SpokenText;
    },
  };
}

/** British English is plain `en` to the program. */
function programVoice(voice: string): string {
  return voice.replace(/^en-gb(?=$|\+)/, 'en');
}

function decodePcm(base64: string): Float32Array {
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
  return toFloat(new Int16Array(bytes.buffer, 0, bytes.byteLength >> 1));
}

/** Without the silence around it, at 48 kHz, at an even level; the events move with their sounds. */
function trimmed(raw: Float32Array, rate: number, events: EspeakEvent[]) {
  const range = soundingRange(raw, silenceThreshold);
  if (range === undefined) return { samples: new Float32Array(silentSeconds * voiceRate), events: [] };
  const start = Math.max(0, range.start - Math.round(leadSeconds * rate));
  const end = Math.min(raw.length, range.end + Math.round(tailSeconds * rate));
  const clear = resample(softened(raw.subarray(start, end), rate), rate, voiceRate);
  const samples = withFades(levelled(clear, voiceRate, { levelDbfs, peakDbfs }), fadeSeconds * voiceRate);
  const offsetMs = (start / rate) * 1000;
  return {
    samples,
    events: events.map((event) => ({ ...event, timeMs: Math.max(0, event.timeMs - offsetMs) })),
  };
}
