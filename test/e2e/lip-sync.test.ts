import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { RawClip } from '../../activities/lipsync/lip-sync.js';
import { retimedOrder } from '../../activities/lipsync/retime-clip.js';
import { mouthTrack } from '../../activities/lipsync/viseme/coarticulation.js';
import { probe } from '../../activities/media/ffmpeg/run.js';
import { secondsOf } from '../../activities/media/personalize/frame-rates.js';
import { alignTranscript } from '../../activities/tts/align/align-transcript.js';
import { createEspeakVoice } from '../../activities/tts/espeak.js';
import { openMono } from '../../activities/tts/mono-sound.js';
import type { PreparedBase, PreparedSpan } from '../../workflows/contract/personalized.js';
import { correlation, frameOf, measureMouth, mouthBox } from '../support/mouth-opening.js';
import { ffmpeg } from '../support/raw-clips.js';
import { makeTalkingBase, type TalkingBase } from '../support/talking-base.js';
import { filmPortrait } from '../support/talking-portrait.js';
import { decodeFrames, frameHashes, lumaChanges } from '../support/video-frames.js';
import { startE2eStack, type E2eStack } from './e2e-stack.js';
import { expectInvariants } from './invariants.js';
import { bringAsset, newestBase, recipientsOf, runBatch, saveFile } from './personalized-jobs.js';
import type { Json } from './rest-client.js';

const size = { width: 640, height: 360 };
const voice = createEspeakVoice();
const never = new AbortController().signal;
const sentence = 'Hello friend, and welcome to our city.';

let stack: E2eStack;
/** The portrait with a voice, and what a lip-sync job made of it. */
let still: TalkingBase;
let talking: string;
let lipsyncJob: Json;

beforeAll(async () => {
  stack = await startE2eStack();
  still = await filmPortrait(stack.dataDir, { voice, text: sentence });
  const sound = await soundOf(still.path, join(stack.dataDir, 'sound.wav'));
  const [videoAssetId, audioAssetId] = [
    await bringAsset(stack, 'video', still.path),
    await bringAsset(stack, 'audio', sound),
  ];
  const job = await stack.client.accepted('/lipsync', { videoAssetId, audioAssetId, provider: 'viseme' });
  lipsyncJob = await stack.client.completed(job.id);
  talking = join(stack.dataDir, 'talking.mp4');
  await writeFile(talking, (await stack.client.call(`/jobs/${job.id}/download`)).bytes);
});
afterAll(async () => {
  voice.close();
  await stack.stop();
});

describe('a video and other sound', () => {
  it('become a video that says the sound, and whose mouth goes with it', async () => {
    expect(lipsyncJob).toMatchObject({ type: 'lipsync', result: { width: 640, height: 360 } });
    expect(lipsyncJob.credits).toEqual({ quoted: 1, charged: 1 });
    const [before, after] = [await probed(still.path), await probed(talking)];
    expect(after.video.packets).toBe(before.video.packets);
    expect(Math.abs(after.durationSeconds - before.durationSeconds)).toBeLessThan(0.05);

    const { words } = await alignedWords(talking, sentence);
    for (const [index, timing] of still.spoken.words.entries()) {
      expect(Math.abs((words[index]?.startSeconds ?? 0) - timing.startSeconds - 0.6)).toBeLessThan(0.15);
    }
    const frames = after.video.packets;
    const { gaps } = await measureMouth(
      await decodeFrames(talking, join(stack.dataDir, 'talking.yuv'), size),
    );
    const loudness = await loudnessOf(talking, frames);
    const spokenFrames = loudness.flatMap((level, n) => (n > 4 && n < frames - 4 ? [{ level, n }] : []));
    const quiet = spokenFrames.filter(({ n }) => n < 12).map(({ n }) => gaps[n] ?? 99);
    const r = correlation(
      spokenFrames.map(({ level }) => level),
      spokenFrames.map(({ n }) => gaps[n] ?? 0),
    );
    console.info(`opening against loudness: r = ${r.toFixed(2)}, widest ${Math.max(...gaps).toFixed(1)} mm`);
    expect(r).toBeGreaterThan(0.6);
    expect(Math.max(...quiet)).toBeLessThan(2);
    expect(Math.max(...gaps)).toBeGreaterThan(5);
  });
});

describe('diamond', () => {
  const names = { longer: 'Bartholomew', shorter: 'Bob' };
  let job: Json;
  let prepared: PreparedBase;
  let ownBase: string;
  const files = new Map<string, string>();

  beforeAll(async () => {
    job = await runBatch(stack, talking, `name\n${Object.values(names).join('\n')}\n`, {
      insertMode: 'diamond',
      transcript: 'Hello [friend], and welcome to our city.',
    });
    expect(job).toMatchObject({ status: 'completed', result: { delivered: 2, failed: 0 } });
    for (const { name, file } of await recipientsOf(stack, job.id))
      files.set(name, await saveFile(stack, file));
    ({ prepared, ownBase } = await newestBase(stack));
  });

  it.each(Object.entries(names))(
    'a %s name changes the pictures of its span, and no others',
    async (change, name) => {
      const path = files.get(name) ?? '';
      const [span] = prepared.spans;
      if (span === undefined) throw new Error('there is no span');
      const [before, after] = [await frameHashes(ownBase), await frameHashes(path)];
      const growth = after.length - before.length;
      expect(Math.sign(growth)).toBe(change === 'longer' ? 1 : -1);
      expect(after.slice(0, span.startFrame)).toEqual(before.slice(0, span.startFrame));
      expect(after.slice(span.endFrame + growth)).toEqual(before.slice(span.endFrame));

      const { original, made } = await spanClips(path, { span, growth, name });
      const { track, gaps } = await measureMouth(made);
      const { gaps: ownGaps } = await measureMouth(original);
      const { inside: mouth, outside: rest } = await lumaChanges(
        original,
        made,
        track.map((points) => points && mouthBox(points)),
      );
      console.info(
        `${name}: mean change of luma ${mean(mouth).toFixed(2)} at the mouth, ${mean(rest).toFixed(2)} elsewhere`,
      );
      // Elsewhere there is but the encoder's loss.
      expect(Math.max(...rest)).toBeLessThan(1.5);
      expect(Math.max(...mouth)).toBeGreaterThan(3 * Math.max(...rest));
      // At its ends the mouth is the original's.
      for (const n of [0, made.frames - 1]) {
        expect(mouth[n]).toBeLessThan(2);
        expect(Math.abs((gaps[n] ?? 0) - (ownGaps[n] ?? 0))).toBeLessThan(1.5);
      }

      const wanted = await wantedGaps(name, made, span);
      const inner = wanted.map((_value, n) => n).slice(3, -3);
      const at = (values: readonly number[]) => inner.map((n) => values[n] ?? 0);
      const [mine, others] = [correlation(at(wanted), at(gaps)), correlation(at(wanted), at(ownGaps))];
      console.info(
        `${name}: opening against phonemes r = ${mine.toFixed(2)}, the base's ${others.toFixed(2)}`,
      );
      expect(mine).toBeGreaterThan(0.7);
      expect(mine).toBeGreaterThan(others);
    },
  );

  it('keeps sound and picture together, and says the name', async () => {
    for (const [name, path] of files) {
      const { video, audio } = await probed(path);
      expect(Math.abs((video.durationSeconds ?? 0) - (audio.durationSeconds ?? 0))).toBeLessThan(0.05);
      const { words } = await alignedWords(path, sentence.replace('friend', name));
      const start = still.timeOf('friend').startSeconds;
      expect(Math.abs((words[1]?.startSeconds ?? 0) - start)).toBeLessThan(0.15);
    }
    await expectInvariants(stack);
  });

  /** The mouth's opening that the phonemes ask for, a value a frame of the span. */
  async function wantedGaps(name: string, clip: RawClip, span: PreparedSpan): Promise<number[]> {
    const { phonemes } = await voice.speak({ text: name, language: 'en', voiceId: null, speed: 1 }, never);
    const lead = span.startSample / prepared.sampleRate - secondsOf(span.startFrame, prepared.frameRate);
    const times = Array.from(
      { length: clip.frames },
      (_value, n) => secondsOf(n + 0.5, clip.frameRate) - lead,
    );
    return mouthTrack(phonemes, times).map(({ gap }) => gap);
  }

  async function spanClips(
    path: string,
    { span, growth, name }: { span: PreparedSpan; growth: number; name: string },
  ): Promise<{ original: RawClip; made: RawClip }> {
    const own = span.endFrame - span.startFrame;
    const from = span.startFrame;
    const fileFor = (ending: string) => join(stack.dataDir, `${name}${ending}`);
    const made = await decodeFrames(path, fileFor('.yuv'), size, { from, frames: own + growth });
    const raw = await decodeFrames(ownBase, fileFor('-base.yuv'), size, { from, frames: own });
    const bytes = await readFile(raw.path);
    const held = (await retimedOrder(raw, made.frames)).map((frame) => frameOf(bytes, raw, frame));
    const original = { ...raw, path: fileFor('-held.yuv'), frames: made.frames };
    await writeFile(original.path, Buffer.concat(held));
    return { original, made };
  }
});

describe('platinum', () => {
  it('changes several spans, each with a column of its own', async () => {
    const job = await runBatch(stack, talking, 'name,place\nBarbara,Papua\n', {
      insertMode: 'platinum',
      transcript: 'Hello [friend], and welcome to our [city|{place}].',
    });
    expect(job).toMatchObject({ status: 'completed', result: { delivered: 1, failed: 0 } });
    const { prepared, ownBase } = await newestBase(stack);
    expect(prepared.spans).toHaveLength(2);
    const [first, second] = prepared.spans;
    if (first === undefined || second === undefined) throw new Error('two spans were expected');
    const before = await frameHashes(ownBase);
    const [barbara] = await recipientsOf(stack, job.id);
    const path = await saveFile(stack, barbara.file);
    const after = await frameHashes(path);
    expect(after.slice(0, first.startFrame)).toEqual(before.slice(0, first.startFrame));
    // The stretch between the spans stands where the first one's growth puts it.
    const between = before.slice(first.endFrame, second.startFrame);
    const at = after.indexOf(between[0] ?? '', first.startFrame);
    expect(between.length).toBeGreaterThan(5);
    expect(after.slice(at, at + between.length)).toEqual(between);
    const rest = before.slice(second.endFrame);
    expect(after.slice(-rest.length)).toEqual(rest);
    const changed = after.slice(at + between.length, -rest.length);
    expect(changed.filter((hash) => before.includes(hash))).toEqual([]);
    const { video, audio } = await probed(path);
    expect(Math.abs((video.durationSeconds ?? 0) - (audio.durationSeconds ?? 0))).toBeLessThan(0.05);
    const { words } = await alignedWords(path, 'Hello Barbara, and welcome to our Papua.');
    expect(Math.abs((words[1]?.startSeconds ?? 0) - still.timeOf('friend').startSeconds)).toBeLessThan(0.15);
    const place = still.timeOf('city').startSeconds + secondsOf(at - first.endFrame, prepared.frameRate);
    expect(Math.abs((words.at(-1)?.startSeconds ?? 0) - place)).toBeLessThan(0.15);
    await expectInvariants(stack);
  });
});

describe('a base without a face', () => {
  const faceless = { insertMode: 'diamond', transcript: 'Hello [friend], and welcome to our city.' };
  let base: string;
  beforeAll(async () => {
    base = (await makeTalkingBase(stack.dataDir, { voice, text: sentence, name: 'pattern.mp4' })).path;
  });

  it('fails its recipients, who cost nothing', async () => {
    const job = await runBatch(stack, base, 'name\nAda\n', faceless);
    expect([job.status, job.error.code]).toEqual(['failed', 'no_recipient_delivered']);
    expect(job.credits).toEqual({ quoted: 1, charged: 0 });
    const [ada] = await recipientsOf(stack, job.id);
    expect(ada).toMatchObject({ status: 'failed', file: null, error: { code: 'lip_sync_no_face' } });
    await expectInvariants(stack);
  });

  it('is personalized without the mouth where the request allows it', async () => {
    const job = await runBatch(stack, base, 'name\nAda\n', { ...faceless, lipSyncFallback: 'true' });
    expect(job).toMatchObject({ status: 'completed', result: { delivered: 1, failed: 0 } });
    const [ada] = await recipientsOf(stack, job.id);
    expect(ada).toMatchObject({ status: 'completed', message: expect.stringContaining('no face') });
    const path = await saveFile(stack, ada.file);
    const { words } = await alignedWords(path, sentence.replace('friend', 'Ada'));
    expect(Math.abs((words[1]?.startSeconds ?? 0) - still.timeOf('friend').startSeconds)).toBeLessThan(0.15);
    const { video, audio } = await probed(path);
    expect(Math.abs((video.durationSeconds ?? 0) - (audio.durationSeconds ?? 0))).toBeLessThan(0.05);
  });
});

async function probed(path: string) {
  const tools = { ffmpegPath: inject('ffmpegPath'), ffprobePath: inject('ffprobePath') };
  const { streams, durationSeconds } = await probe(tools, path);
  const [video, audio] = ['video', 'audio'].map((kind) => streams.find((stream) => stream.kind === kind));
  if (video === undefined || audio === undefined) throw new Error('picture and sound were expected');
  return { video, audio, durationSeconds: durationSeconds ?? 0 };
}

async function soundOf(path: string, wav = `${path}.wav`): Promise<string> {
  await ffmpeg('-i', path, '-vn', '-c:a', 'pcm_s16le', '-f', 'wav', wav);
  return wav;
}

async function alignedWords(path: string, text: string) {
  return alignTranscript(voice, { text, language: 'en', wav: await soundOf(path) }, never);
}

/** Decibels of the sound while each frame is shown. */
async function loudnessOf(path: string, frames: number): Promise<number[]> {
  const sound = await openMono({ wav: await soundOf(path) });
  const samples = await sound.read(0, sound.samples).finally(() => sound.close());
  const { rate } = sound;
  return Array.from({ length: frames }, (_value, n) => {
    const part = samples.subarray(Math.round((n * rate) / 25), Math.round(((n + 1) * rate) / 25));
    const power = part.reduce((sum, value) => sum + value * value, 0) / Math.max(1, part.length);
    return Math.max(-50, 10 * Math.log10(power + 1e-9));
  });
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
