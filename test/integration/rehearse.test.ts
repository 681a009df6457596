import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { rehearseMedia } from '../../activities/media/rehearse.js';
import { writeFontconfig } from '../../activities/media/fonts.js';
import { createSlidesProvider } from '../../activities/media/pictures/slides.js';
import { createFontSet } from '../../activities/media/text/font-set.js';
import { createLogger } from '../../logger.js';
import { warmUp } from '../../workers/warm-up.js';

let folder: string;
let scratchDir: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'callsheet-rehearse-'));
  scratchDir = join(folder, 'scratch');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const rehearse = async (ffmpegPath: string, signal = new AbortController().signal) =>
  rehearseMedia(
    {
      tools: { ffmpegPath, ffprobePath: 'ffprobe' },
      scratchDir,
      fontconfigFile: await writeFontconfig(join(folder, 'fonts')),
      slides: createSlidesProvider(createFontSet()),
    },
    signal,
  );
/** Names below the process's own scratch folder. */
const left = () => readdir(join(scratchDir, String(process.pid))).catch(() => []);

it('a rehearsal runs every program once and leaves nothing behind', async () => {
  await rehearse('ffmpeg');
  expect(await left()).toEqual([]);
});

it('ends with its worker', async () => {
  const stopping = new AbortController();
  stopping.abort(new Error('the workers stop'));
  await expect(rehearse('ffmpeg', stopping.signal)).rejects.toThrow('the workers stop');
  expect(await left()).toEqual([]);
});

it('a rehearsal that fails is told of, and stops neither the others nor the worker', async () => {
  const lines: string[] = [];
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const logger = createLogger({ level: 'info', name: 'worker' }, sink);
  let others = 0;
  const counted = () => Promise.resolve(++others);
  await warmUp([() => rehearse('/no/such/ffmpeg'), counted], logger, new AbortController().signal);
  expect(others).toBe(1);
  expect(lines.join('')).toContain('cannot be started');
});
