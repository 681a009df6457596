import { copyFile, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { clipFrameBytes, type LipSyncHooks, type LipSyncRequest } from '../../activities/lipsync/lip-sync.js';
import { createNoLipSync } from '../../activities/lipsync/none.js';
import { createSyncLips } from '../../activities/lipsync/sync-lips.js';
import { createSyncLipSync, idempotencyKey, type SyncOptions } from '../../activities/lipsync/sync/sync.js';
import { createWav2Lip, type Wav2LipOptions } from '../../activities/lipsync/wav2lip.js';
import { createFolderStore, createMemoryCache } from '../support/folder-store.js';
import { createQuietEnvironment, runActivity } from '../support/quiet-environment.js';
import { ffmpeg, patternClip } from '../support/raw-clips.js';
import { createTestFolder } from '../support/services.js';
import { startSync, syncKey, type SyncDouble, type SyncTurn } from '../support/wire/sync.js';

const tools = { ffmpegPath: 'ffmpeg', ffprobePath: 'ffprobe' };
const never = new AbortController().signal;

let folder: Awaited<ReturnType<typeof createTestFolder>>;
let request: LipSyncRequest;
let double: SyncDouble;
beforeAll(async () => {
  folder = await createTestFolder('lip-sync-outside');
  const clip = await patternClip(folder.path);
  request = {
    id: 'job-1:lip_sync:7/greeting 0',
    clip,
    pcm: Int16Array.from({ length: 24_000 }, (_value, n) => 8_000 * Math.sin(n / 30)),
    speech: { phonemes: [], words: [], language: 'en' },
    outPath: join(folder.path, 'out.yuv'),
    scratchDir: folder.path,
  };
  double = await startSync(negated);
});
afterEach(async () => {
  for (const list of [double.calls, double.orders, double.looks, double.files]) list.length = 0;
  double.generations.clear();
  await rm(request.outPath, { force: true });
});
afterAll(async () => {
  await double.close();
  await folder.remove();
});

/** What the double makes of a video: every pixel inverted, so that it is known again. */
async function negated(video: Buffer): Promise<Buffer> {
  const [from, to] = [join(folder.path, 'double-in.mp4'), join(folder.path, 'double-out.mp4')];
  await writeFile(from, video);
  await ffmpeg('-i', from, '-vf', 'negate', '-c:v', 'libx264', '-crf', '12', '-pix_fmt', 'yuv420p', to);
  return await readFile(to);
}

/** Mean difference of the luma of one frame between the output and the original, as it is or inverted. */
async function lumaDifference(frame: number, inverted: boolean): Promise<number> {
  const bytes = clipFrameBytes(request.clip);
  const size = request.clip.width * request.clip.height;
  const at = (file: Buffer) => file.subarray(frame * bytes, frame * bytes + size);
  const original = at(await readFile(request.clip.path));
  const made = at(await readFile(request.outPath));
  let sum = 0;
  // Limited range is inverted about its middle: 16 ↔ 235.
  for (const [n, value] of original.entries())
    sum += Math.abs((made[n] ?? 0) - (inverted ? 251 - value : value));
  return sum / size;
}

async function expectInvertedFrames() {
  expect((await stat(request.outPath)).size).toBe(clipFrameBytes(request.clip) * request.clip.frames);
  expect(await lumaDifference(5, true)).toBeLessThan(6);
  // The outermost frames are the original's, so that nothing jumps.
  expect(await lumaDifference(0, false)).toBe(0);
  expect(await lumaDifference(request.clip.frames - 1, false)).toBe(0);
}

describe('sync', () => {
  const sync = (options: Partial<SyncOptions> = {}) =>
    createSyncLipSync({
      ...{ apiKey: syncKey, baseUrl: double.baseUrl, tools, pollMs: 20, answerTimeoutMs: 1_500 },
      ...options,
    });

  async function failure(hooks: Partial<LipSyncHooks> = {}, options: Partial<SyncOptions> = {}) {
    const error: unknown = await sync(options)
      .moveMouth(request, { signal: never, ...hooks })
      .catch((reason: unknown) => reason);
    if (!(error instanceof ApplicationFailure)) throw new Error(`no failure: ${inspect(error)}`);
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(syncKey);
    return error;
  }

  it('sends the span once, waits for it and brings its frames back', async () => {
    const references: string[] = [];
    const result = await sync().moveMouth(request, {
      signal: never,
      keepReference: (reference) => references.push(reference),
    });
    expect(result.clip).toEqual({ ...request.clip, path: request.outPath });
    await expectInvertedFrames();
    expect(references).toEqual(['gen-1']);
    const [order, ...looks] = double.calls;
    expect(order).toMatchObject({ method: 'POST', model: 'lipsync-2', problems: [] });
    expect(order?.idempotencyKey).toBe(idempotencyKey(request.id));
    // The WAV is exactly as long as the twelve frames.
    expect(order?.audio?.length).toBe(44 + 2 * 0.48 * 48_000);
    expect(looks.map(({ path }) => path)).toEqual(Array(3).fill('/v2/generate/gen-1'));
  });

  it('goes on with the order of an attempt before it', async () => {
    const references: string[] = [];
    const abort = new AbortController();
    double.looks.push({ status: 'PROCESSING' }, { stall: true });
    const first = sync().moveMouth(request, {
      signal: abort.signal,
      keepReference: (reference) => {
        references.push(reference);
        setTimeout(() => {
          abort.abort(new Error('killed'));
        }, 100);
      },
    });
    await expect(first).rejects.toThrow('killed');
    double.calls.length = 0;
    await sync().moveMouth(request, { signal: never, resumeFrom: references[0] });
    await expectInvertedFrames();
    expect(double.calls.map(({ method }) => method)).not.toContain('POST');
    expect(double.generations.size).toBe(1);
  });

  it('goes on with it after every interruption, however many attempts there were', async () => {
    const [clip, store] = [
      join(folder.path, 'talk.mp4'),
      await createFolderStore(join(folder.path, 'store')),
    ];
    const sources = [
      '-f',
      'lavfi',
      '-i',
      'testsrc2=s=160x120:r=25:d=0.48',
      '-f',
      'lavfi',
      '-i',
      'sine=d=0.48',
    ];
    await ffmpeg(...sources, '-pix_fmt', 'yuv420p', clip);
    const video = await store.publishFile(clip, 'mp4');
    const syncLips = createSyncLips({
      ...{ artifacts: store, cache: createMemoryCache(), scratchDir: join(folder.path, 'scratch'), tools },
      providers: { sync: sync({ answerTimeoutMs: 20_000 }) },
    });
    const job = { jobId: 'job-2', userId: 'user', video, audio: video, provider: 'sync' as const };
    let details: unknown;
    const begin = () => {
      const environment = createQuietEnvironment({ heartbeatDetails: details });
      environment.on('heartbeat', (beat) => {
        details = beat;
      });
      return { environment, ended: runActivity(syncLips, job, environment) };
    };
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      double.looks.push({ stall: true });
      const { environment, ended } = begin();
      await vi.waitFor(() => expect(double.looks).toHaveLength(0), { timeout: 20_000 });
      environment.cancel();
      await expect(ended).rejects.toThrow();
    }
    expect(await begin().ended).toMatchObject({ width: 160, height: 120 });
    expect(double.calls.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /v2/generate',
      ...Array(5).fill('GET /v2/generate/gen-1'),
    ]);
  });

  it('orders again under the same key when the answer was lost', async () => {
    double.orders.push({ loseAnswer: true });
    expect(await failure()).toMatchObject({ type: 'lip_sync_unavailable', nonRetryable: false });
    await sync().moveMouth(request, { signal: never });
    await expectInvertedFrames();
    expect(double.generations.size).toBe(1);
  });

  it('waits for the generation that an unknown outcome names, and for its answer when it names none', async () => {
    await sync().moveMouth(request, { signal: never });
    double.calls.length = 0;
    const unknown = { refuse: 409, errorCode: 'IDEMPOTENCY_OUTCOME_UNKNOWN' };
    double.orders.push({ ...unknown, generationId: 'gen-1' });
    const references: string[] = [];
    await sync().moveMouth(request, { signal: never, keepReference: (id) => references.push(id) });
    expect(references).toEqual(['gen-1']);
    expect(double.calls.filter(({ method }) => method === 'POST')).toHaveLength(1);
    double.orders.push(unknown);
    expect(await failure()).toMatchObject({
      type: 'lip_sync_outcome_unknown',
      nonRetryable: false,
      nextRetryDelay: 30_000,
    });
    const keys = double.calls.map((call) => call.idempotencyKey).filter((key) => key !== undefined);
    expect(new Set(keys).size).toBe(1);
  });

  it.each<[string, SyncTurn, object]>([
    ['429', { refuse: 429, errorCode: 'rate_limit_exceeded', retryAfter: '7' }, { nextRetryDelay: 7_000 }],
    ['429, full', { refuse: 429, errorCode: 'concurrency_limit_reached' }, { nextRetryDelay: 60_000 }],
    ['429, endless', { refuse: 429, retryAfter: '999999' }, { nextRetryDelay: 600_000 }],
    ['503', { refuse: 503 }, { type: 'lip_sync_unavailable' }],
    ['a stall', { stall: true }, { type: 'lip_sync_unavailable' }],
    ['a cut', { cut: true }, { type: 'lip_sync_unavailable' }],
    ['no JSON', { body: '<html>' }, { type: 'lip_sync_unavailable' }],
    ['a strange id', { body: '{"id":"../x","status":"PENDING"}' }, { type: 'lip_sync_unavailable' }],
    ['an endless answer', { body: ' '.repeat(400_000) }, { type: 'lip_sync_unavailable' }],
  ])('may be tried again after %s', async (_name, turn, expected) => {
    double.orders.push(turn);
    expect(await failure()).toMatchObject({ nonRetryable: false, ...expected });
    double.looks.push(turn);
    expect(await failure()).toMatchObject({ nonRetryable: false, ...expected });
  });

  it.each<[string, SyncTurn, string]>([
    ['401', { refuse: 401, message: `bad key ${syncKey}` }, 'lip_sync_key_refused'],
    ['402', { refuse: 402 }, 'lip_sync_quota'],
    ['422', { refuse: 422 }, 'lip_sync_request_refused'],
  ])('ends with %s', async (_name, turn, type) => {
    double.orders.push(turn);
    expect(await failure()).toMatchObject({ type, nonRetryable: true });
    expect(double.calls).toHaveLength(1);
  });

  it.each<[string, string | undefined, string]>([
    ['FAILED', 'generation_unhandled', 'lip_sync_failed'],
    ['FAILED', 'no_face_detected', 'lip_sync_no_face'],
    ['REJECTED', undefined, 'lip_sync_rejected'],
    ['CANCELED', undefined, 'lip_sync_cancelled'],
  ])('ends when a generation is %s (%s)', async (status, errorCode, type) => {
    double.looks.push({ status: 'PENDING' }, { status, ...(errorCode === undefined ? {} : { errorCode }) });
    expect(await failure()).toMatchObject({ type, nonRetryable: true });
  });

  it('gives up after its time, and leaves the order to a successor', async () => {
    double.looks.push(...Array<SyncTurn>(50).fill({ status: 'PROCESSING' }));
    expect(await failure({}, { timeoutMs: 100 })).toMatchObject({ type: 'lip_sync_timeout' });
  });

  it.each(['cut', 'missing', 'redirect', 'endless'] as const)(
    'keeps nothing of a %s download',
    async (manner) => {
      double.files.push(manner);
      const error = await failure({}, { maxResultBytes: 1_000_000 });
      expect(error.nonRetryable).toBe(false);
      expect(error.type).toBe(manner === 'endless' ? 'lip_sync_bad_result' : 'lip_sync_unavailable');
      await expect(stat(request.outPath)).rejects.toThrow();
    },
  );

  it.each(['file:///etc/passwd', 'ftp://127.0.0.1/x', 'nonsense', null])('opens no %s', async (outputUrl) => {
    double.looks.push({ status: 'COMPLETED', outputUrl });
    expect(await failure()).toMatchObject({ type: 'lip_sync_bad_result' });
  });

  it('takes no video of another length, and nothing that is no video', async () => {
    await sync().moveMouth(request, { signal: never });
    const generation = double.generations.get('gen-1');
    if (!generation) throw new Error('no generation');
    const long = join(folder.path, 'long.mp4');
    await ffmpeg(
      '-f',
      'lavfi',
      '-i',
      'testsrc2=size=160x120:rate=25:duration=2',
      '-pix_fmt',
      'yuv420p',
      long,
    );
    for (const result of [
      await readFile(long),
      Buffer.from('no video'),
      generation.result.subarray(0, 3_000),
    ]) {
      generation.result = result;
      expect(await failure({ resumeFrom: 'gen-1' })).toMatchObject({ type: 'lip_sync_bad_result' });
    }
  });
});

/** Stands in for Wav2Lip's program. */
const inference = fileURLToPath(new URL('../support/wav2lip-inference.py', import.meta.url));

describe('wav2lip', () => {
  let repo: string;
  let options: Wav2LipOptions;
  beforeAll(async () => {
    repo = join(folder.path, 'Wav2Lip');
    await mkdir(repo);
    await copyFile(inference, join(repo, 'inference.py'));
    const checkpoint = join(folder.path, 'weights with space.pth');
    await writeFile(checkpoint, 'weights');
    const checkpointSha256 = createHash('sha256').update('weights').digest('hex');
    options = { repo, checkpoint, checkpointSha256, python: 'python3', tools };
  });

  async function moved(mode: string, changes: Partial<Wav2LipOptions> = {}, signal = never) {
    await writeFile(join(repo, 'mode'), mode);
    await rm(join(folder.path, 'wav2lip.mp4'), { force: true });
    const pads = [1, 20, 3, 4] as const;
    return await createWav2Lip({ ...options, ...changes }).moveMouth({ ...request, pads }, { signal });
  }

  it('runs the checkout on the span and brings its frames back', async () => {
    expect((await moved('work')).clip.frames).toBe(request.clip.frames);
    await expectInvertedFrames();
  });

  it.each([
    ['face', {}, 'lip_sync_no_face', true],
    ['fail', {}, 'lip_sync_failed', false],
    ['nothing', {}, 'lip_sync_bad_result', false],
    ['hang', { timeoutMs: 800 }, 'lip_sync_timeout', false],
    ['work', { python: 'python-that-is-not-there' }, 'lip_sync_unavailable', false],
    ['work', { checkpointSha256: '00' }, 'lip_sync_checkpoint_wrong', true],
    ['work', { checkpoint: '/nowhere.pth' }, 'lip_sync_unavailable', false],
  ])('says what went wrong: %s %o', async (mode, changes, type, nonRetryable) => {
    await expect(moved(mode, changes)).rejects.toMatchObject({ type, nonRetryable });
  });

  it('ends with its job', async () => {
    const abort = new AbortController();
    const work = moved('hang', {}, abort.signal);
    const pidFile = join(repo, 'pid');
    await rm(pidFile, { force: true });
    const written = async () => Number(await readFile(pidFile, 'utf8').catch(() => '0'));
    await expect.poll(written, { timeout: 20_000 }).toBeGreaterThan(0);
    const pid = await written();
    abort.abort(new Error('cancelled'));
    await expect(work).rejects.toThrow('cancelled');
    expect(() => process.kill(pid, 0)).toThrow();
  });
});

describe('none', () => {
  it('hands the frames on as they are', async () => {
    const result = await createNoLipSync().moveMouth(request, { signal: never });
    expect(result.changedFrames).toBe(0);
    expect(await readFile(request.outPath)).toEqual(await readFile(request.clip.path));
  });
});
