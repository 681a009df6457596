import { ffmpegArguments, fileName, ownInput, type CommandInput } from '../ffmpeg/command.js';
import { runFfmpeg, type FfmpegTools } from '../ffmpeg/run.js';
import { measureLoudness } from './loudness.js';

export interface MixInput {
  /** Length of the result in samples at 48 kHz. */
  samples: number;
  /** Raw mono 32-bit floats; null for a video without a voice. */
  speech: string | null;
  music: { path: string; loudnessLufs: number; gainDb: number; duck: boolean } | null;
  /** Raw stereo 32-bit floats are written here. */
  target: string;
  signal: AbortSignal;
}

/** Speech is brought to this level first, so that the ducking hears every voice alike. */
const speechLufs = -18;
/** How far below the speech the music plays while nobody speaks; the compressor takes it lower still. */
const musicBelowSpeechDb = 9;

const rawFloats = (channels: 1 | 2) => ['-f', 'f32le', '-ar', '48000', '-ac', String(channels)];

/** Mixes the voices' track with looped music, ducked by the voices themselves and faded in and out. */
export async function mixTracks(tools: FfmpegTools, input: MixInput): Promise<void> {
  const { samples, speech, music } = input;
  const speechGain =
    speech === null
      ? 0
      : gainTo(speechLufs, (await measureLoudness(speech, 1, { samplePeak: true })).integratedLufs);
  const inputs: CommandInput[] = [];
  const chains: string[] = [];
  const exact = `apad=whole_len=${samples},atrim=end_sample=${samples},asetpts=N/SR/TB`;
  if (speech !== null) {
    inputs.push({ source: fileName(speech), options: [...ownInput, ...rawFloats(1)] });
    const centre = `volume=${speechGain}dB,pan=stereo|c0=c0|c1=c0`;
    chains.push(`[0:a]${centre}${music?.duck === true ? ',asplit[voice][key]' : '[voice]'}`);
  }
  if (music !== null) {
    const gain = gainTo(speechLufs - musicBelowSpeechDb, music.loudnessLufs) + music.gainDb;
    const looped = [...ownInput, '-stream_loop', '-1'];
    inputs.push({ source: fileName(music.path), options: looped });
    const fadeOut = Math.min(96_000, Math.floor(samples / 4));
    const fades = `afade=t=in:ns=${Math.min(24_000, fadeOut)},afade=t=out:ss=${samples - fadeOut}:ns=${fadeOut}`;
    const bed =
      `[${inputs.length - 1}:a]atrim=end_sample=${samples},asetpts=N/SR/TB,` +
      `aformat=sample_fmts=fltp,volume=${gain}dB,${fades}`;
    chains.push(`${bed}[bed]`);
    if (speech !== null && music.duck) chains.push(`[bed][key]${ducking}[ducked]`);
  }
  if (inputs.length === 0) {
    inputs.push({ source: 'anullsrc=r=48000:cl=stereo', options: ['-f', 'lavfi'] });
    chains.push(`[0:a]${exact}[out]`);
  } else if (speech !== null && music !== null) {
    const below = music.duck ? '[ducked]' : '[bed]';
    chains.push(`[voice]${below}amix=inputs=2:duration=first:normalize=0,${exact}[out]`);
  } else {
    chains.push(`[${speech === null ? 'bed' : 'voice'}]${exact}[out]`);
  }
  await runFfmpeg(tools, {
    args: ffmpegArguments({
      inputs,
      filterGraph: chains.join(';'),
      outputs: [{ target: fileName(input.target), options: ['-map', '[out]', ...rawFloats(2)] }],
    }),
    timeoutMs: 120_000 + samples / 48,
    signal: input.signal,
  });
}

/** Gives way within a syllable and comes back in the pause after a sentence, not between words. */
const ducking = 'sidechaincompress=threshold=0.02:ratio=6:attack=15:release=450:knee=4:detection=rms';

/** Decibels from one level to another; silence is left alone. */
function gainTo(targetLufs: number, measuredLufs: number): number {
  return Number.isFinite(measuredLufs) ? Math.min(40, targetLufs - measuredLufs) : 0;
}
