import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ArtifactStore } from '../../activities/artifacts.js';
import { soundArguments } from '../../activities/media/personalize/base-commands.js';
import { createMoveMouth } from '../../activities/lipsync/move-mouth.js';
import { createNoLipSync } from '../../activities/lipsync/none.js';
import { createOpenBase } from '../../activities/media/personalize/open-base.js';
import { createPrepareBase } from '../../activities/media/personalize/prepare-base.js';
import { createRenderRecipient } from '../../activities/media/personalize/render-recipient.js';
import { openWav, type WavWindow } from '../../activities/media/personalize/wav-window.js';
import { createEspeakVoice } from '../../activities/tts/espeak.js';
import type { InsertMode, PersonalizedOptions, PreparedBase } from '../../workflows/contract/personalized.js';
import { createFolderStore, createMemoryCache } from '../support/folder-store.js';
import { runActivity } from '../support/quiet-environment.js';
import { makeTalkingBase, publishVoice, type TalkingBase } from '../support/talking-base.js';

const run = promisify(execFile);
const tools = { ffmpegPath: 'ffmpeg', ffprobePath: 'ffprobe' };
const ids = { jobId: 'job', userId: 'user' };
const voice = createEspeakVoice();

let dir: string;
const opened: WavWindow[] = [];

async function openSound(path: string): Promise<WavWindow> {
  const sound = await openWav(path);
  opened.push(sound);
  return sound;
}

let artifacts: ArtifactStore;
let base: TalkingBase;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'personalize-'));
  artifacts = await createFolderStore(join(dir, 'artifacts'));
  base = await makeTalkingBase(dir, {
    voice,
    text: 'Hello friend, and welcome to our wonderful city. We are very glad to see you here today.',
  });
});

afterAll(async () => {
  for (const sound of opened) await sound.close();
  voice.close();
  await rm(dir, { recursive: true, force: true });
});

const optionsFor = (
  insertMode: InsertMode,
  more: Partial<PersonalizedOptions> = {},
): PersonalizedOptions => ({
  insertMode,
  ...{ namePosition: 'start', text: '{name}', language: 'en', transcript: null, spans: null, markers: null },
  voice: { provider: 'espeak', voiceId: null, modelId: null, speed: 1, credentialId: null, sample: null },
  batch: { enabled: false, splitSilenceDb: -40, splitSilenceSeconds: 0.18, gapHint: null },
  lipSync: { provider: 'none', fallback: false },
  ...{ naturalSpeed: true, gapSeconds: 0.12, silence: { db: -30, seconds: 0.3 }, convert: false },
  ...more,
});

async function prepare(options: PersonalizedOptions, source = base.path) {
  const deps = { artifacts, cache: createMemoryCache(), scratchDir: join(dir, 'scratch'), tools };
  const id = await artifacts.publishFile(source, source.slice(source.lastIndexOf('.') + 1));
  const { opened, message } = await runActivity(createOpenBase(deps), {
    ...ids,
    base: id,
    options,
  });
  const spans = await artifacts.publishJson({ spans: options.spans, message: null });
  const { prepared } = await runActivity(createPrepareBase(deps), {
    ...ids,
    opened,
    spans,
    options,
  });
  const document = await artifacts.readJson<PreparedBase>(prepared);
  const render = async (text: string, clips: (string | null)[] = []) => {
    const voices = await Promise.all(document.spans.map(() => publishVoice(artifacts, voice, text)));
    const result = await runActivity(createRenderRecipient(deps), {
      ...{ ...ids, position: 0, prepared, voices, clips, options },
    });
    return { ...result, path: await artifacts.fetch(result.file) };
  };
  return { prepared, document, message, render };
}

describe('gold', () => {
  test('the pictures are copied, the words change, and nothing else does', async () => {
    const span = { ...base.timeOf('friend'), text: '{name}' };
    const { document, render } = await prepare(optionsFor('gold', { spans: [span] }));
    const { path, durationSeconds } = await render('Ada');
    expect(await hashes(path, 'v')).toEqual(await hashes(base.path, 'v'));
    expect(durationSeconds).toBeCloseTo(document.samples / document.sampleRate, 3);

    const [before, after] = [await decoded(base.path), await decoded(path)];
    expect(after.samples).toBe(before.samples);
    const margin = 0.15;
    const changed = [span.startSeconds - margin, span.endSeconds + margin].map((s) => Math.round(s * 48_000));
    const [from = 0, to = 0] = changed;
    expect(await differenceDb(before, after, 0, from)).toBeLessThan(-60);
    expect(await differenceDb(before, after, to, before.samples - to)).toBeLessThan(-60);
    expect(await differenceDb(before, after, from, to - from)).toBeGreaterThan(-40);

    // As loud as the words that stood there.
    const level = async (sound: typeof before) => loudestDb(await sound.read(from, to - from));
    expect(Math.abs((await level(after)) - (await level(before)))).toBeLessThan(6);
  });

  test('spans that touch are replaced side by side', async () => {
    const [first, second] = [base.timeOf('Hello'), base.timeOf('friend')];
    const { document, render } = await prepare(
      optionsFor('gold', {
        spans: [
          { startSeconds: first.startSeconds, endSeconds: second.startSeconds, text: '{name}' },
          { ...second, text: '{name}' },
        ],
      }),
    );
    const [left, right] = document.spans;
    expect(left?.surroundings).toMatchObject({ crossfadeAfter: 0, pauseSamples: 0 });
    expect(right?.surroundings.crossfadeBefore).toBe(0);
    const { path } = await render('Al');
    const [before, after] = [await decoded(base.path), await decoded(path)];
    expect(after.samples).toBe(before.samples);
    for (const { startSample, endSample } of document.spans) {
      expect(await differenceDb(before, after, startSample, endSample - startSample)).toBeGreaterThan(-40);
    }
    const from = (right?.endSample ?? 0) + 7_200;
    expect(await differenceDb(before, after, from, before.samples - from)).toBeLessThan(-60);
  });
});

describe('diamond', () => {
  test.each([
    ['longer', 'Bartholomew Alexander'],
    ['shorter', 'Al'],
  ])('%s words take their own time, and sound and picture stay together after them', async (change, text) => {
    const span = { ...base.timeOf('friend'), text: '{name}' };
    const options = optionsFor('diamond', { spans: [span] });
    const { prepared, document, render } = await prepare(options);
    const voices = [await publishVoice(artifacts, voice, text)];
    const deps = {
      ...{ artifacts, cache: createMemoryCache(), scratchDir: join(dir, 'scratch'), tools },
      providers: { none: createNoLipSync() },
    };
    const moved = await runActivity(createMoveMouth(deps), {
      ...{ ...ids, position: 0, prepared, spanIndex: 0, voices, options },
    });
    const { path } = await render(text, [moved.clip]);
    const [place] = document.spans;
    if (place === undefined || document.video === null) throw new Error('nothing was prepared');
    const ownBase = await artifacts.fetch(document.video);

    const [before, after] = [await frameHashes(ownBase), await frameHashes(path)];
    const growth = after.length - before.length;
    expect(Math.sign(growth)).toBe(change === 'longer' ? 1 : -1);
    expect(after.slice(0, place.startFrame)).toEqual(before.slice(0, place.startFrame));
    expect(after.slice(place.endFrame + growth)).toEqual(before.slice(place.endFrame));
    await expectSteadyTimes(path);

    const [base48, mine] = [await decoded(ownBase), await decoded(path)];
    const shift = mine.samples - base48.samples;
    expect(Math.abs(shift / 48_000 - growth / 30)).toBeLessThan(1 / 60);
    const far = place.endSample + 24_000;
    // The frames are the base's own; a decoder's rounding is not the same twice.
    expect(await differenceDb(base48, mine, far, 48_000, shift)).toBeLessThan(-60);
  });
});

async function expectSteadyTimes(path: string): Promise<void> {
  const entries = ['-select_streams', 'v', '-show_entries', 'packet=pts_time', '-of', 'csv=p=0'];
  const { stdout } = await run('ffprobe', ['-v', 'error', ...entries, path], { maxBuffer: 1 << 26 });
  const times = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Number.parseFloat(line))
    .sort((a, b) => a - b);
  times.forEach((time, index) => {
    expect(time).toBeCloseTo(index / 30, 3);
  });
}

/** Of the decoded pictures. */
async function frameHashes(path: string): Promise<string[]> {
  const { stdout } = await run(
    'ffmpeg',
    ['-v', 'error', '-xerror', '-i', path, '-map', '0:v', '-f', 'framemd5', '-'],
    { maxBuffer: 1 << 26 },
  );
  return stdout
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.slice(line.lastIndexOf(',') + 1).trim());
}

describe('silver', () => {
  test('an MP3 of the whole sound', async () => {
    const span = { ...base.timeOf('friend'), text: '{name}' };
    const { document, render } = await prepare(optionsFor('silver', { spans: [span] }));
    expect(document.video).toBeNull();
    const { path, durationSeconds } = await render('Maximilian');
    const { stdout } = await run('ffprobe', [
      ...['-v', 'error', '-show_entries', 'stream=codec_name:format=duration', '-of', 'json', path],
    ]);
    const { streams, format } = JSON.parse(stdout);
    expect(streams).toEqual([{ codec_name: 'mp3' }]);
    expect(Number(format.duration)).toBeCloseTo(durationSeconds, 0);
    // The sound alone takes the words' length: nothing has to stay in time with pictures.
    expect(durationSeconds).toBeGreaterThan(document.samples / document.sampleRate);
  });
});

async function decoded(path: string) {
  const wav = join(dir, `${Math.random().toString(36).slice(2)}.wav`);
  await run('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...soundArguments(path, wav)]);
  return openSound(wav);
}

type Sound = Awaited<ReturnType<typeof decoded>>;

async function differenceDb(
  one: Sound,
  other: Sound,
  from: number,
  samples: number,
  shift = 0,
): Promise<number> {
  const [a, b] = [await one.read(from, samples), await other.read(from + shift, samples)];
  const power = a.reduce((sum, value, index) => sum + (value - (b[index] ?? 0)) ** 2, 0) / a.length;
  return 10 * Math.log10(power);
}

/** Level of the loudest 50 ms. */
function loudestDb(pcm: Float32Array): number {
  let most = 0;
  for (let at = 0; at + 4_800 <= pcm.length; at += 480) {
    const power = pcm.subarray(at, at + 4_800).reduce((sum, value) => sum + value * value, 0) / 4_800;
    most = Math.max(most, power);
  }
  return 10 * Math.log10(most);
}

async function hashes(path: string, kind: string): Promise<string> {
  const { stdout } = await run(
    'ffmpeg',
    ['-v', 'error', '-i', path, '-map', `0:${kind}`, '-c', 'copy', '-f', 'framemd5', '-'],
    { maxBuffer: 1 << 26 },
  );
  return stdout.replace(/^#.*\n/gm, '');
}
