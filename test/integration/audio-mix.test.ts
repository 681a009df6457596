import { readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ArtifactStore } from '../../activities/artifacts.js';
import { planAudio } from '../../activities/media/audio/plan-audio.js';
import { createLoudnessMeter } from '../../activities/media/audio/loudness.js';
import { createMixAudio } from '../../activities/media/audio/mix-audio.js';
import { layOutScenes } from '../../activities/media/captions/timeline.js';
import type { AudioPlan } from '../../activities/media/composition.js';
import { probe, runFfmpeg } from '../../activities/media/ffmpeg/run.js';
import { encodeWav } from '../../activities/tts/wav.js';
import type { MusicChoice } from '../../workflows/contract/options.js';
import { createFolderStore, createMemoryCache } from '../support/folder-store.js';
import { runActivity } from '../support/quiet-environment.js';

const tools = { ffmpegPath: 'ffmpeg', ffprobePath: 'ffprobe' };
let dir: string;
let artifacts: ArtifactStore;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'callsheet-mix-'));
  artifacts = await createFolderStore(join(dir, 'artifacts'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** Something like speech: syllables of a buzzing voice that begin and end abruptly, at full level. */
function talk(seconds: number, seed: number): Int16Array {
  return Int16Array.from({ length: seconds * 48_000 }, (_, n) => {
    const t = n / 48_000;
    const syllable = Math.sin(Math.PI * 3.5 * t + seed) ** 2;
    const pitch = 2 * Math.PI * (120 + 25 * Math.sin(2 * t + seed)) * t;
    let voice = 0;
    for (let k = 1; k < 9; k += 1) voice += Math.cos(k * pitch) / k;
    return Math.round(9_000 * (0.3 + syllable) * (voice / 2));
  });
}

/** @param lengths of the scenes' voices in seconds; each is another voice, in whatever order they come. */
async function makePlan(lengths: number[], music: MusicChoice | null): Promise<AudioPlan> {
  const voices = [];
  for (const [index, length] of lengths.entries()) {
    const pcm = talk(length, index + length);
    const audio = await artifacts.publishBytes(encodeWav(pcm, 48_000), 'wav');
    voices.push({ audio, samples: pcm.length, words: [], phonemes: [] });
  }
  const timeline = layOutScenes({ voiceSamples: voices.map((v) => v.samples), transition: 'fade', fps: 30 });
  return planAudio({ ...timeline, voices, fps: 30, music });
}

async function mix(plan: AudioPlan, cache = createMemoryCache()) {
  const scratchDir = join(dir, 'scratch');
  const mixAudio = createMixAudio({ artifacts, cache, scratchDir, tools });
  const composition = await artifacts.publishJson({ audio: plan });
  const result = await runActivity(mixAudio, { jobId: 'j', userId: 'u', composition });
  const path = await artifacts.fetch(result.audio);
  const pcmPath = join(dir, 'listen.f32');
  const raw = ['-f', 'f32le', '-ac', '2', '-ar', '48000', '-y', pcmPath];
  await runFfmpeg(tools, { args: ['-i', path, ...raw], timeoutMs: 60_000 });
  const bytes = new Uint8Array(await readFile(pcmPath));
  expect(readdirSync(join(scratchDir, String(process.pid)))).toEqual([]);
  return { path, pcm: new Float32Array(bytes.buffer) };
}

const left = (pcm: Float32Array, from: number, to: number) =>
  Float32Array.from({ length: to - from }, (_, n) => pcm[2 * (from + n)] ?? 0);
const rmsDb = (pcm: Float32Array) =>
  10 * Math.log10(pcm.reduce((sum, sample) => sum + sample * sample, 0) / pcm.length + 1e-12);
const steepest = (pcm: Float32Array) =>
  pcm.reduce((most, sample, n) => (n === 0 ? 0 : Math.max(most, Math.abs(sample - (pcm[n - 1] ?? 0)))), 0);

/** What ffmpeg's own meter says of a file. */
async function ebur128(path: string) {
  const { stderrTail } = await runFfmpeg(tools, {
    args: ['-loglevel', 'info', '-i', path, '-af', 'ebur128=peak=true:framelog=verbose', '-f', 'null', '-'],
    timeoutMs: 60_000,
  });
  const number = (pattern: RegExp) =>
    Number(pattern.exec(stderrTail.slice(stderrTail.lastIndexOf('Summary')))?.[1]);
  return { lufs: number(/I:\s+(-?[\d.]+) LUFS/), peak: number(/Peak:\s+(-?[\d.]+) dBFS/) };
}

describe('mixAudio', () => {
  it('puts every voice on its sample, silence between, at -14 LUFS', async () => {
    const plan = await makePlan([3, 2.5, 4], null);
    const { path, pcm } = await mix(plan);
    const { lufs, peak } = await ebur128(path);
    expect(Math.abs(lufs + 14)).toBeLessThanOrEqual(1);
    expect(peak).toBeLessThanOrEqual(-1);
    const { streams } = await probe(tools, path);
    expect(streams).toHaveLength(1);
    expect(streams[0]).toMatchObject({ codec: 'aac', profile: 'LC', sampleRate: 48_000, channels: 2 });
    expect(streams[0]?.durationSeconds).toBeCloseTo(plan.samples / 48_000, 4);
    let quietFrom = 0;
    for (const clip of plan.clips) {
      // A window begins a little later than the voice before it, whose end the encoder smears.
      const gap = left(pcm, quietFrom + (quietFrom > 0 ? 2_400 : 0), clip.startSample - 2_400);
      expect(rmsDb(gap)).toBeLessThan(-60);
      const around = left(pcm, clip.startSample - 2_400, clip.startSample + 4_800);
      const onset = around.findIndex((sample) => Math.abs(sample) > 0.03) - 2_400;
      expect(Math.abs(onset)).toBeLessThanOrEqual(480);
      const inside = left(pcm, clip.startSample + 4_800, clip.startSample + clip.samples - 4_800);
      // Cut off bare, this voice would jump by three times its own steepest slope.
      const joins = [clip.startSample, clip.startSample + clip.samples];
      for (const join of joins) {
        expect(steepest(left(pcm, join - 480, join + 480))).toBeLessThanOrEqual(1.5 * steepest(inside));
      }
      quietFrom = clip.startSample + clip.samples;
    }
  });

  it('ducks music below speech and fades it at both ends', async () => {
    const plan = await makePlan([4, 4], { builtin: 'calm', volumeDb: 0 });
    const spread = plan.clips.map((clip, n) => ({ ...clip, startSample: clip.startSample + n * 4 * 48_000 }));
    const loud = { ...plan, samples: plan.samples + 6 * 48_000, clips: spread };
    const { path, pcm } = await mix(loud);
    const { lufs, peak } = await ebur128(path);
    expect(Math.abs(lufs + 14)).toBeLessThanOrEqual(1);
    expect(peak).toBeLessThanOrEqual(-1);
    // The same sound without the music tells what of the mix is music.
    const { pcm: dry } = await mix({ ...loud, music: null });
    const [first, second] = loud.clips;
    if (!first || !second) throw new Error('two clips were planned');
    const pauseStart = first.startSample + first.samples;
    const speechLevel =
      rmsDb(left(pcm, first.startSample, pauseStart)) - rmsDb(left(dry, first.startSample, pauseStart));
    const gain = 10 ** (speechLevel / 20);
    const music = (from: number, to: number) =>
      rmsDb(left(pcm, from, to).map((sample, n) => sample - gain * (dry[2 * (from + n)] ?? 0)));
    const under = music(first.startSample + 48_000, pauseStart - 24_000);
    const inPause = music(pauseStart + 72_000, second.startSample - 4_800);
    expect(inPause - under).toBeGreaterThanOrEqual(6);
    expect(inPause).toBeGreaterThan(-50);
    expect(rmsDb(left(pcm, loud.samples - 2_400, loud.samples))).toBeLessThan(inPause - 20);
  });

  it.each([
    ['no music', null],
    ['music', { builtin: 'calm', volumeDb: 0 } as const],
  ])('encodes little anew when a scene is edited, with %s', async (_, music) => {
    const cache = createMemoryCache();
    const encoded = () => cache.made.filter((activity) => activity === 'encode_sound').length;
    const lengths = [3, 2.4, 2.2, 3.1, 2.6, 2.9];
    await mix(await makePlan(lengths, music), cache);
    const before = encoded();
    const edited = await makePlan(lengths.with(2, 3.7), music);
    const { path, pcm } = await mix(edited, cache);
    // Music goes on where it was: with it all that comes after the edited scene sounds different.
    if (music) expect(encoded() - before).toBe(4);
    else expect(encoded() - before).toBeLessThanOrEqual(3);
    const { lufs, peak } = await ebur128(path);
    expect(Math.abs(lufs + 14)).toBeLessThanOrEqual(1);
    expect(peak).toBeLessThanOrEqual(-1);
    // What was put together sounds as if it had been made in one piece.
    const { pcm: atOnce } = await mix(edited);
    const difference = pcm.map((sample, n) => sample - (atOnce[n] ?? 0));
    expect(pcm.length).toBe(atOnce.length);
    expect(rmsDb(difference)).toBeLessThan(-50);
    for (let from = 0; from + 2_048 <= difference.length; from += 2_048) {
      expect(rmsDb(difference.subarray(from, from + 2_048))).toBeLessThan(-40);
    }
  });

  it('gives every voice the same level, whoever speaks', async () => {
    const plan = await makePlan([3, 3], null);
    const [first, second] = plan.clips;
    if (!first || !second) throw new Error('two clips were planned');
    const quiet = talk(3, 4).map((sample) => Math.round(sample / 8));
    const artifact = await artifacts.publishBytes(encodeWav(quiet, 48_000), 'wav');
    const { pcm } = await mix({ ...plan, clips: [first, { ...second, artifact }] });
    const level = ({ startSample, samples }: typeof first) =>
      rmsDb(left(pcm, startSample, startSample + samples));
    expect(Math.abs(level(first) - level(second))).toBeLessThan(1);
  });

  it('makes a silent track for a video without any sound', async () => {
    const plan: AudioPlan = { ...(await makePlan([1], null)), clips: [] };
    const { pcm, path } = await mix(plan);
    expect(rmsDb(left(pcm, 0, plan.samples))).toBeLessThan(-100);
    expect((await probe(tools, path)).streams[0]?.durationSeconds).toBeCloseTo(plan.samples / 48_000, 4);
  });

  it('refuses music that is a playlist, and a voice that is no WAV', async () => {
    const plan = await makePlan([1], null);
    const playlist = await artifacts.publishBytes(Buffer.from('#EXTM3U\n#EXTINF:9,\n/etc/hostname\n'), 'mp3');
    const music = { artifact: playlist, gainDb: 0, duck: true };
    await expect(mix({ ...plan, music })).rejects.toMatchObject({
      type: 'unsupported_media',
      nonRetryable: true,
    });
    const broken = plan.clips.map((clip) => ({ ...clip, artifact: playlist }));
    await expect(mix({ ...plan, clips: broken })).rejects.toMatchObject({ type: 'voice_unreadable' });
  });

  it('measures as ITU-R BS.1770 does', async () => {
    const sine = (hertz: number, level: number, phase = 0) =>
      Float32Array.from(
        { length: 2 * 48_000 * 5 },
        (_, n) => level * Math.sin((2 * Math.PI * hertz * (n >> 1)) / 48_000 + phase),
      );
    const meter = createLoudnessMeter(2);
    // EBU Tech 3341, case 1: a stereo sine of 1 kHz at -23 dBFS is -23 LUFS.
    meter.add(sine(1000, 10 ** (-23 / 20)));
    expect(meter.result().integratedLufs).toBeCloseTo(-23, 1);
    // Case 15: the samples of this sine never reach its peak.
    const between = createLoudnessMeter(2);
    between.add(sine(12_000, 0.5, Math.PI / 4));
    expect(between.result().truePeakDbtp).toBeGreaterThan(-6.4);
    expect(between.result().truePeakDbtp).toBeLessThan(-5.8);
    const path = join(dir, 'sweep.wav');
    await writeFile(path, encodeWav(talk(6, 1), 48_000));
    const mono = createLoudnessMeter(1);
    mono.add(Float32Array.from(talk(6, 1), (sample) => sample / 32_768));
    expect(mono.result().integratedLufs - 3.01).toBeCloseTo((await ebur128(path)).lufs, 0);
  });
});
