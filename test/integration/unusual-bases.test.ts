import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { ArtifactStore } from '../../activities/artifacts.js';
import { createMoveMouth } from '../../activities/lipsync/move-mouth.js';
import { createNoLipSync } from '../../activities/lipsync/none.js';
import { probe } from '../../activities/media/ffmpeg/run.js';
import { createOpenBase } from '../../activities/media/personalize/open-base.js';
import { createPrepareBase } from '../../activities/media/personalize/prepare-base.js';
import { createRenderRecipient } from '../../activities/media/personalize/render-recipient.js';
import { createEspeakVoice } from '../../activities/tts/espeak.js';
import { createFindSpans } from '../../activities/tts/recipients/find-spans.js';
import type {
  InsertMode,
  PersonalizedOptions,
  PreparedBase,
  SpanRequest,
  SpansDocument,
} from '../../workflows/contract/personalized.js';
import { createFolderStore, createMemoryCache } from '../support/folder-store.js';
import { runActivity } from '../support/quiet-environment.js';
import { ffmpeg } from '../support/raw-clips.js';
import { makeTalkingBase, publishVoice, type TalkingBase } from '../support/talking-base.js';
import { frameHashes } from '../support/video-frames.js';

const run = promisify(execFile);
const tools = { ffmpegPath: 'ffmpeg', ffprobePath: 'ffprobe' };
const ids = { jobId: 'job', userId: 'user' };
const voice = createEspeakVoice();

// Each encodes several times, and programs of ours stand back where others work.
vi.setConfig({ testTimeout: 120_000 });

let dir: string;
let artifacts: ArtifactStore;
let talking: TalkingBase;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'unusual-bases-'));
  artifacts = await createFolderStore(join(dir, 'artifacts'));
  talking = await makeTalkingBase(dir, {
    voice,
    text: 'Hello friend, and welcome to our wonderful city. We are very glad to see you here today.',
    picture: ['-f', 'lavfi', '-i', 'testsrc2=s=160x120:r=30'],
  });
});
afterAll(async () => {
  voice.close();
  await rm(dir, { recursive: true, force: true });
});

const optionsFor = (
  insertMode: InsertMode,
  spans: SpanRequest[] | null,
  more: Partial<PersonalizedOptions> = {},
): PersonalizedOptions => ({
  ...{ insertMode, spans, convert: false, namePosition: 'start', text: '{name}', language: 'en' },
  ...{ transcript: null, markers: null, naturalSpeed: true, gapSeconds: 0.12 },
  voice: { provider: 'espeak', voiceId: null, modelId: null, speed: 1, credentialId: null, sample: null },
  batch: { enabled: false, splitSilenceDb: -40, splitSilenceSeconds: 0.18, gapHint: null },
  lipSync: { provider: 'none', fallback: false },
  silence: { db: -30, seconds: 0.05 },
  ...more,
});

const deps = () => ({ artifacts, cache: createMemoryCache(), scratchDir: join(dir, 'scratch'), tools });

async function prepare(source: string, options: PersonalizedOptions) {
  const base = await artifacts.publishFile(source, source.slice(source.lastIndexOf('.') + 1));
  const { opened } = await runActivity(createOpenBase(deps()), { ...ids, base, options });
  const { spans } = await runActivity(createFindSpans({ ...deps(), reference: voice }), {
    ...{ ...ids, opened, options },
  });
  const { prepared } = await runActivity(createPrepareBase(deps()), { ...ids, opened, spans, options });
  const document = await artifacts.readJson<PreparedBase>(prepared);
  return { prepared, document, spans: (await artifacts.readJson<SpansDocument>(spans)).spans };
}

/** The file of a recipient of the only span. */
async function recipient(source: string, options: PersonalizedOptions, text: string) {
  const { prepared, document } = await prepare(source, options);
  const voices = [await publishVoice(artifacts, voice, text)];
  const request = { ...ids, position: 0, prepared, voices, options };
  const clips: (string | null)[] = [];
  if (document.pictureForm !== null) {
    const moveMouth = createMoveMouth({ ...deps(), providers: { none: createNoLipSync() } });
    clips.push((await runActivity(moveMouth, { ...request, spanIndex: 0 })).clip);
  }
  const { file } = await runActivity(createRenderRecipient(deps()), { ...request, clips });
  return { document, path: await artifacts.fetch(file) };
}

/** Mean of the luma of each frame. */
async function brightness(path: string): Promise<number[]> {
  const raw = join(dir, 'brightness.gray');
  await ffmpeg(
    '-i',
    path,
    '-vf',
    'scale=1:1:flags=area,format=gray',
    '-fps_mode',
    'passthrough',
    '-f',
    'rawvideo',
    raw,
  );
  return [...(await readFile(raw))];
}

describe('a base of variable rate', () => {
  test('is changed where its words are, by the pictures that it has then', async () => {
    // Its pictures grow brighter by 40 a second: few of them in four seconds, many in the last.
    const path = join(dir, 'variable.mp4');
    const time = "color=black:s=64x48:r=30:d=5.4,geq=lum='16+40*T':cb=128:cr=128";
    await ffmpeg(
      ...['-f', 'lavfi', '-i', time, '-f', 'lavfi', '-i', 'anoisesrc=a=0.1:d=5.4'],
      ...['-vf', "select='gte(t,4)+not(mod(n,3))'", '-fps_mode', 'vfr', '-c:v', 'libx264', '-crf', '10'],
      ...['-pix_fmt', 'yuv420p', '-c:a', 'aac', '-shortest', path],
    );
    const span = { startSeconds: 4.5, endSeconds: 5, text: '{name}' };
    const { document } = await prepare(path, optionsFor('diamond', [span]));
    const { numerator, denominator } = document.frameRate;
    const rate = numerator / denominator;
    expect(Math.abs(document.frames - 5.4 * rate)).toBeLessThan(2);
    const [place] = document.spans;
    if (place === undefined || document.video === null) throw new Error('nothing was prepared');
    expect([place.startFrame, place.endFrame]).toEqual([
      Math.floor(span.startSeconds * rate),
      Math.floor(span.endSeconds * rate) + 1,
    ]);
    const luma = await brightness(await artifacts.fetch(document.video));
    expect(luma).toHaveLength(document.frames);
    for (const frame of [0, place.startFrame, place.endFrame - 1]) {
      // A luma of 16 is black, and grey counts from there.
      const shown = ((luma[frame] ?? 0) * 219) / 255 / 40;
      expect(Math.abs(shown - frame / rate)).toBeLessThan(0.15);
    }
  });
});

describe('a base whose sound begins after its picture', () => {
  const delay = 0.7;
  let late: string;
  beforeAll(async () => {
    late = join(dir, 'late.mp4');
    await ffmpeg(
      ...['-i', talking.path, '-itsoffset', String(delay), '-i', talking.path],
      ...['-map', '0:v', '-map', '1:a', '-c', 'copy', late],
    );
  });
  const laterBy = (seconds: number) => {
    const { startSeconds, endSeconds } = talking.timeOf('friend');
    return { startSeconds: startSeconds + seconds, endSeconds: endSeconds + seconds, text: '{name}' };
  };

  test('is edited where the words are heard, and no other sound changes', async () => {
    const { path } = await recipient(late, optionsFor('gold', [laterBy(delay)]), 'Ada');
    const starts = async (file: string) => {
      const { streams } = await probe(tools, file);
      return ['video', 'audio'].map((kind) => streams.find((stream) => stream.kind === kind)?.startSeconds);
    };
    // The encoder's delay is heard first.
    expect(await starts(late)).toEqual([0, 0.678]);
    expect(await starts(path)).toEqual([0, 0.678]);
    const [before, after] = [await soundFrames(late), await soundFrames(path)];
    expect(after).toHaveLength(before.length);
    const changed = before.flatMap((frame, n) => (frame === after[n] ? [] : [n]));
    const { startSeconds, endSeconds } = talking.timeOf('friend');
    // Those of the word, and a few around.
    const frameAt = (seconds: number) => Math.floor((seconds * 48_000) / 1024);
    expect(changed.length).toBeGreaterThan(5);
    expect(Math.min(...changed)).toBeGreaterThan(frameAt(startSeconds) - 20);
    expect(Math.max(...changed)).toBeLessThan(frameAt(endSeconds) + 22);
  });

  test('has its spans found on the clock of the base', async () => {
    const { spans, document } = await prepare(late, optionsFor('diamond', null));
    const [first] = talking.spoken.words;
    expect(Math.abs((spans[0]?.startSeconds ?? 0) - (first?.startSeconds ?? 0) - 0.6 - delay)).toBeLessThan(
      0.1,
    );
    const [place] = document.spans;
    if (place === undefined) throw new Error('there is no span');
    expect(place.startSample / 48_000 + document.soundStartSeconds).toBeCloseTo(
      spans[0]?.startSeconds ?? 0,
      3,
    );
    expect(place.startFrame).toBe(Math.floor((spans[0]?.startSeconds ?? 0) * 30));
  });

  test('keeps its pictures together with the words that follow a changed span', async () => {
    const options = optionsFor('diamond', [laterBy(delay)]);
    const { path, document } = await recipient(late, options, 'Bartholomew');
    const { streams } = await probe(tools, path);
    const ends = streams.map(
      ({ startSeconds, durationSeconds }) => (startSeconds ?? 0) + (durationSeconds ?? 0),
    );
    const own = (await probe(tools, await artifacts.fetch(document.video ?? ''))).streams.map(
      ({ startSeconds, durationSeconds }) => (startSeconds ?? 0) + (durationSeconds ?? 0),
    );
    const growth = ends.map((end, n) => end - (own[n] ?? 0));
    expect(Math.min(...growth)).toBeGreaterThan(0.1);
    expect(Math.abs((growth[0] ?? 0) - (growth[1] ?? 0))).toBeLessThan(1 / 30);
  });

  test('and one whose picture begins after its sound', async () => {
    const path = join(dir, 'late-picture.mp4');
    await ffmpeg(
      ...['-itsoffset', String(delay), '-i', talking.path, '-i', talking.path],
      ...['-map', '0:v', '-map', '1:a', '-c', 'copy', path],
    );
    const span = laterBy(0);
    const gold = await prepare(path, optionsFor('gold', [span]));
    expect(gold.document).toMatchObject({ soundStartSeconds: 0 });
    expect(gold.document.pictureStartSeconds).toBeCloseTo(delay, 2);
    // Encoded pictures begin with the file.
    const { document } = await prepare(path, optionsFor('diamond', [span]));
    expect(document).toMatchObject({ soundStartSeconds: 0, pictureStartSeconds: 0 });
    expect(document.spans[0]).toMatchObject({
      startSample: Math.round(span.startSeconds * 48_000),
      startFrame: Math.floor(span.startSeconds * 30),
    });
    expect(document.frames).toBe(gold.document.frames + Math.round(delay * 30));
  });
});

describe('words behind the last ones', () => {
  const atEnd = optionsFor('diamond', null, { namePosition: 'end' });

  test('are put in there, and what follows is left as it is', async () => {
    const { path, document } = await recipient(talking.path, atEnd, 'Bartholomew Alexander');
    const [place] = document.spans;
    if (place === undefined) throw new Error('there is no span');
    const lastWord = talking.spoken.words.at(-1);
    const seconds = place.startSample / 48_000;
    expect(Math.abs(seconds - (lastWord?.endSeconds ?? 0) - 0.6)).toBeLessThan(0.25);
    expect(place.endSample - place.startSample).toBe(4_800);

    const own = await artifacts.fetch(document.video ?? '');
    const [before, after] = [await frameHashes(own), await frameHashes(path)];
    const rest = document.frames - place.endFrame;
    expect(rest).toBeGreaterThan(10);
    expect(after.length - before.length).toBeGreaterThan(15);
    expect(after.slice(-rest)).toEqual(before.slice(-rest));
    expect(after.slice(0, place.startFrame)).toEqual(before.slice(0, place.startFrame));
    const [sound, said] = [await soundFrames(own), await soundFrames(path)];
    // But for a few that are encoded along.
    const tail = Math.floor((document.samples - place.endSample) / 1024) - 20;
    expect(tail).toBeGreaterThan(5);
    expect(said.slice(-tail)).toEqual(sound.slice(-tail));
    expect(said.length - sound.length).toBeGreaterThan(20);
  });

  test('have their place also where the recording ends with its last word', async () => {
    const path = join(dir, 'to-the-end.mp4');
    // Whole frames of AAC, without silence behind.
    const square = 'aevalsrc=0.3*(2*gte(sin(2*PI*200*t)\\,0)-1):s=48000,atrim=end_sample=96256';
    await ffmpeg(
      ...['-f', 'lavfi', '-i', 'testsrc2=s=160x120:r=30:d=2', '-f', 'lavfi', '-i', square],
      ...['-pix_fmt', 'yuv420p', '-c:v', 'libx264', '-c:a', 'aac', path],
    );
    await expect(prepare(path, optionsFor('gold', null, { namePosition: 'end' }))).rejects.toMatchObject({
      type: 'span_not_found',
      nonRetryable: true,
    });
    const { path: made, document } = await recipient(path, atEnd, 'Ada');
    const [place] = document.spans;
    expect([place?.startSample, place?.endSample]).toEqual([document.samples, document.samples]);
    expect([place?.startFrame, place?.endFrame]).toEqual([59, 60]);
    const { streams } = await probe(tools, made);
    const [picture = 0, sound = 0] = streams.map(({ durationSeconds }) => durationSeconds ?? 0);
    expect(picture).toBeGreaterThan(2.3);
    expect(Math.abs(picture - sound)).toBeLessThan(0.05);
    await ffmpeg('-xerror', '-i', made, '-f', 'null', '-');
  });
});

test('a span that is too long to be decoded is refused before anything is encoded', async () => {
  const long = [{ startSeconds: 0, endSeconds: 31, text: '{name}' }];
  await expect(prepare(talking.path, optionsFor('platinum', long))).rejects.toMatchObject({
    ...{ type: 'span_too_long', nonRetryable: true },
  });
});

describe('a base of odd size', () => {
  test.each<[string, InsertMode, string[], string]>([
    ['changes its pictures', 'diamond', ['-c:v', 'libx264', '-pix_fmt', 'yuv444p', '-c:a', 'aac'], 'mp4'],
    ['is converted', 'gold', ['-c:v', 'libvpx', '-c:a', 'libvorbis'], 'webm'],
  ])('%s with one column and row less', async (_what, insertMode, encoding, extension) => {
    const path = join(dir, `odd.${extension}`);
    await ffmpeg('-i', talking.path, '-t', '2', '-vf', 'scale=161:121', ...encoding, path);
    const span = { startSeconds: 0.8, endSeconds: 1.4, text: '{name}' };
    const made = await recipient(path, optionsFor(insertMode, [span], { convert: true }), 'Ada');
    expect(made.document).toMatchObject({ width: 160, height: 120 });
    const { streams } = await probe(tools, made.path);
    expect(streams.find(({ kind }) => kind === 'video')).toMatchObject({ width: 160, height: 120 });
    await ffmpeg('-xerror', '-i', made.path, '-f', 'null', '-');
  });
});

/** Hash of each AAC frame as it lies in the file. */
async function soundFrames(path: string): Promise<string[]> {
  const { stdout } = await run(
    'ffmpeg',
    ['-v', 'error', '-i', path, '-map', '0:a', '-c', 'copy', '-f', 'framemd5', '-'],
    { maxBuffer: 1 << 26 },
  );
  return stdout
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.slice(line.lastIndexOf(',') + 1).trim());
}
