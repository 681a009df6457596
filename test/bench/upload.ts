import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { sendLargeVideo } from '../support/large-upload.js';
import { residentBytes } from './process-memory.js';
import { withBenchStack } from './stack.js';

export interface UploadFigures {
  gigabytes: number;
  seconds: number;
  residentBefore: number;
  /** The most that the API's process had while it took the file, in bytes. */
  residentPeak: number;
}

const run = promisify(execFile);

/** One video through the form of a running stack, made as it is sent. */
export async function benchUpload(gigabytes: number): Promise<UploadFigures> {
  const bytes = gigabytes * 1e9;
  const disk = await statfs(tmpdir());
  if (disk.bavail * disk.bsize < 3 * bytes) throw new Error('there is too little room on the disk for this');
  const folder = await mkdtemp(join(tmpdir(), 'callsheet-upload-'));
  try {
    const path = join(folder, 'v.mp4');
    const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=320x240:d=2', '-c:v', 'libx264'];
    await run('ffmpeg', ['-v', 'error', '-y', ...picture, path]);
    const mp4 = await readFile(path);
    return await withBenchStack(async ({ api }) => {
      const token = await register(api);
      // The first one loads and compiles what the others use.
      await sendLargeVideo(api, token, { mp4, bytes: 1e8 });
      const resident = () => residentBytes('api/server') ?? NaN;
      const residentBefore = resident();
      let residentPeak = residentBefore;
      const timer = setInterval(() => (residentPeak = Math.max(residentPeak, resident())), 20);
      const from = performance.now();
      const { status, body } = await sendLargeVideo(api, token, { mp4, bytes });
      clearInterval(timer);
      if (status !== 201) throw new Error(`the upload was answered with ${String(status)}: ${body}`);
      return { gigabytes, seconds: (performance.now() - from) / 1000, residentBefore, residentPeak };
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function register(api: string): Promise<string> {
  const answer = await fetch(`${api}/api/v1/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: `bench-${randomUUID()}@example.org`, password: randomUUID() }),
  });
  return z.object({ accessToken: z.string() }).parse(await answer.json()).accessToken;
}

const aimBytes = 50e6;

/** Whether the API's memory stayed as flat as it should. */
export const isFlat = ({ residentBefore, residentPeak }: UploadFigures): boolean =>
  residentPeak - residentBefore <= aimBytes;

export function uploadTable({ gigabytes, seconds, residentBefore, residentPeak }: UploadFigures): string {
  const MB = (bytes: number) => (bytes / 1e6).toFixed(0);
  return [
    [
      'uploaded',
      `${String(gigabytes)} GB in ${seconds.toFixed(1)} s, ${((gigabytes * 1000) / seconds).toFixed(0)} MB/s`,
    ],
    ['memory of the API before and at most, MB', `${MB(residentBefore)}  ${MB(residentPeak)}`],
    ['growth', `${MB(residentPeak - residentBefore)} MB   goal ≤ ${MB(aimBytes)}`],
  ]
    .map(([name = '', value = '']) => `${name.padEnd(46)}${value}`)
    .join('\n');
}
