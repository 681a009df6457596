import { alignTranscript } from '../../activities/tts/align/align-transcript.js';
import { createEspeakVoice, type EspeakVoice } from '../../activities/tts/espeak.js';
import { resample, toFloat } from '../../activities/tts/pcm.js';
import { voiceRate } from '../../activities/tts/voice.js';
import { borderErrors, recordedRate, recordedSpeech, withBackground } from '../support/recorded-speech.js';
import { percentile } from './statistics.js';

export interface AlignmentFigures {
  name: string;
  borders: number;
  medianMs: number;
  p95Ms: number;
  worstMs: number;
  /** CPU of this process for a second of sound. */
  cpuShare: number;
}

interface Sample {
  text: string;
  samples: Float32Array;
  borders: readonly (readonly [number, number])[];
}

const never = new AbortController().signal;

/** Errors of word borders found by forced alignment, in recordings of people and in other voices. */
export async function benchAlignment(): Promise<AlignmentFigures[]> {
  const voice = createEspeakVoice();
  try {
    const real = await recordedSpeech();
    const sets: [string, Sample[]][] = [
      ['recorded speech', real],
      ['with white noise, 15 dB below', real.map(behind('noise', 15))],
      ['with music, 15 dB below', real.map(behind('music', 15))],
      ['other synthesized voices, 0.75–1.35 × pace', await otherVoices(voice, real)],
      ['one speaker for 72 s', [joined(real.slice(1), 72)]],
    ];
    const figures: AlignmentFigures[] = [];
    for (const [name, samples] of sets) figures.push(await measure(voice, name, samples));
    return figures;
  } finally {
    voice.close();
  }
}

const behind = (kind: 'noise' | 'music', snrDb: number) => (sample: Sample) => ({
  ...sample,
  samples: withBackground(sample.samples, kind, snrDb),
});

async function otherVoices(voice: EspeakVoice, texts: readonly Sample[]): Promise<Sample[]> {
  const voices = [
    ['en-us+Andrea', 0.75],
    ['en-gb-scotland+m7', 1],
    ['en-gb+f4', 1.35],
  ] as const;
  const samples: Sample[] = [];
  for (const { text } of texts) {
    for (const [voiceId, speed] of voices) {
      const spoken = await voice.speak({ text, language: 'en', voiceId, speed }, never);
      samples.push({
        text,
        samples: resample(toFloat(spoken.pcm), voiceRate, recordedRate),
        borders: spoken.words.map(({ startSeconds, endSeconds }) => [startSeconds, endSeconds]),
      });
    }
  }
  return samples;
}

/** The recordings one after the other until `seconds` are reached. */
function joined(parts: readonly Sample[], seconds: number): Sample {
  const samples: number[] = [];
  const borders: [number, number][] = [];
  const texts: string[] = [];
  for (let n = 0; samples.length < seconds * recordedRate; n += 1) {
    const part = parts[n % parts.length];
    if (part === undefined) break;
    const at = samples.length / recordedRate;
    for (const [start, end] of part.borders) borders.push([start + at, end + at]);
    for (const sample of part.samples) samples.push(sample);
    texts.push(part.text);
  }
  return { text: texts.join('. '), samples: Float32Array.from(samples), borders };
}

async function measure(
  voice: EspeakVoice,
  name: string,
  samples: readonly Sample[],
): Promise<AlignmentFigures> {
  const errors: number[] = [];
  let seconds = 0;
  const before = process.cpuUsage();
  for (const { text, samples: sound, borders } of samples) {
    const request = { text, language: 'en', samples: sound, rate: recordedRate };
    errors.push(...borderErrors((await alignTranscript(voice, request, never)).words, borders));
    seconds += sound.length / recordedRate;
  }
  const { user, system } = process.cpuUsage(before);
  return {
    name,
    borders: errors.length,
    medianMs: 1000 * percentile(errors, 0.5),
    p95Ms: 1000 * percentile(errors, 0.95),
    worstMs: 1000 * percentile(errors, 1),
    cpuShare: (user + system) / 1e6 / seconds,
  };
}

export function alignmentTable(figures: readonly AlignmentFigures[]): string {
  const rows = figures.map(({ name, borders, medianMs, p95Ms, worstMs, cpuShare }) =>
    [
      name.padEnd(46),
      `${borders.toFixed(0)} borders`.padStart(12),
      `median ${medianMs.toFixed(0)} ms`.padStart(15),
      `p95 ${p95Ms.toFixed(0)} ms`.padStart(12),
      `worst ${worstMs.toFixed(0)} ms`.padStart(14),
      `cpu ${cpuShare.toFixed(2)} s/s`.padStart(15),
    ].join(''),
  );
  return [...rows, 'goal on recorded speech: median ≤ 60 ms, worst ≤ 150 ms'].join('\n');
}
