import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ffmpegArguments, untrustedInput } from '../../activities/media/ffmpeg/command.js';
import { segmentList } from '../../activities/media/ffmpeg/join-command.js';
import { runProgram } from '../../activities/media/ffmpeg/program.js';
import { probe, runFfmpeg } from '../../activities/media/ffmpeg/run.js';
import { segmentArguments } from '../../activities/media/ffmpeg/segment-command.js';

const tools = { ffmpegPath: 'ffmpeg', ffprobePath: 'ffprobe' };
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'callsheet-ffmpeg-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A zombie is dead; that its parent, here the system's first process, has not asked for it is no concern. */
const isAlive = async (pid: number) => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name stands in parentheses and may hold anything. Source: proc(5).
  const state = stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
  return state !== '' && state !== 'Z' && state !== 'X';
};

describe('argument tokens', () => {
  it('keep names and options whole', () => {
    const options = ['-metadata', "title=a b ',drawtext=%{} $(x)"];
    const command = { inputs: [{ source: 'file:/a b.mp4', options: ['-f', 'mp4'] }], filterGraph: '[0]null' };
    expect(ffmpegArguments({ ...command, outputs: [{ target: 'file:/o.mp4', options }] })).toEqual([
      ...['-f', 'mp4', '-i', 'file:/a b.mp4', '-filter_complex', '[0]null'],
      ...['-metadata', "title=a b ',drawtext=%{} $(x)", 'file:/o.mp4'],
    ]);
  });

  it('of a segment', () => {
    const colour = '-color_range tv -colorspace bt709 -color_trc bt709 -color_primaries bt709';
    expect(segmentArguments({ width: 1280, height: 720, fps: 30 }, '/t.mp4').join(' ')).toBe(
      `-f rawvideo -pixel_format yuv420p -video_size 1280x720 -framerate 30 ${colour} -i pipe:0 ` +
        '-c:v libx264 -crf 22.5 -preset ultrafast -profile:v high -threads 1 -x264-params ' +
        'mbtree=1:rc-lookahead=9:bframes=7:b-adapt=0:direct=temporal:no-psy=1:chroma-qp-offset=-3:cabac=1:' +
        '8x8dct=1:deblock=0,0:keyint=250:scenecut=0:open-gop=0:stitchable=1:chromaloc=1:force-cfr=1 ' +
        `-pix_fmt yuv420p ${colour} -fps_mode passthrough -video_track_timescale 15360 ` +
        '-map_metadata -1 -fflags +bitexact -f mp4 file:/t.mp4',
    );
  });

  it('quote the names of a list', () => {
    expect(segmentList([{ path: "/it's.mp4", seconds: 1.5 }])).toBe(
      "ffconcat version 1.0\nfile 'file:/it'\\''s.mp4'\nduration 1.500000\n",
    );
  });
});

describe('the runner', () => {
  it('says what to do when ffmpeg is missing', async () => {
    for (const ffmpegPath of ['no-such-ffmpeg', '/no/such/ffmpeg']) {
      const run = runFfmpeg({ ...tools, ffmpegPath }, { args: [], timeoutMs: 1000 });
      await expect(run).rejects.toThrow(/install ffmpeg .* or set FFMPEG_PATH/);
    }
  });

  it('gives the end of what ffmpeg said as the cause', async () => {
    const run = runFfmpeg(tools, { args: ['-i', 'file:/no/such', '-f', 'null', '-'], timeoutMs: 5000 });
    await expect(run).rejects.toMatchObject({
      type: 'ffmpeg_failed',
      cause: { message: expect.stringContaining('No such file') },
    });
  });

  it('knows a full disk', async () => {
    const script = join(folder, 'full');
    await writeFile(
      script,
      '#!/bin/sh\necho "av_interleaved_write_frame(): No space left on device" >&2\nexit 1\n',
    );
    await chmod(script, 0o755);
    const run = runFfmpeg({ ...tools, ffmpegPath: script }, { args: [], timeoutMs: 5000 });
    await expect(run).rejects.toMatchObject({ type: 'disk_full', nonRetryable: false });
  });

  it('ends a program and its children that ignore TERM', async () => {
    const script = join(folder, 'stubborn');
    const pids = join(folder, 'pids');
    const lines = [
      '#!/bin/bash',
      "trap '' TERM",
      '(sleep 60) &',
      `echo $$ $! > '${pids}'`,
      'while :; do sleep 1; done',
    ];
    await writeFile(script, lines.join('\n'));
    await chmod(script, 0o755);
    const cancel = new AbortController();
    const run = runFfmpeg(
      { ...tools, ffmpegPath: script },
      { args: [], timeoutMs: 60_000, signal: cancel.signal },
    ).catch((error: unknown) => error);
    let alive: number[] = [];
    for (let tries = 0; tries < 100 && alive.length < 2; tries++) {
      await sleep(50);
      alive = (await readFile(pids, 'utf8').catch(() => '')).trim().split(' ').map(Number).filter(Boolean);
    }
    expect(alive).toHaveLength(2);
    const started = Date.now();
    cancel.abort(new Error('called off'));
    await expect(run).resolves.toMatchObject({ message: 'called off' });
    expect(Date.now() - started).toBeLessThan(10_000);
    // KILL cannot be refused, but takes its turn on a busy machine.
    const areAlive = async () => (await Promise.all(alive.map(isAlive))).includes(true);
    for (let tries = 0; tries < 40 && (await areAlive()); tries++) await sleep(50);
    expect(await areAlive()).toBe(false);
  }, 15_000);

  it('bounds a run by the clock', async () => {
    const args = ['-re', '-f', 'lavfi', '-i', 'anullsrc', '-t', '30', '-f', 'null', '-'];
    await expect(runFfmpeg(tools, { args, timeoutMs: 300 })).rejects.toMatchObject({
      type: 'ffmpeg_timeout',
    });
  });

  it('bounds a run by its work, however long others keep it waiting', async () => {
    const busy = { path: '/bin/sh', args: ['-c', 'while :; do :; done'], timeoutMs: 60_000 };
    await expect(runProgram({ ...busy, maxCpuSeconds: 1 })).rejects.toMatchObject({
      type: 'ffmpeg_failed',
      cause: { killSignal: 'SIGKILL' },
    });
    const waiting = { path: '/bin/sh', args: ['-c', 'sleep 1.5'], timeoutMs: 60_000 };
    await expect(runProgram({ ...waiting, maxCpuSeconds: 1 })).resolves.toMatchObject({ stderrTail: '' });
  });

  it('refuses playlists and truncated files', async () => {
    const playlist = join(folder, 'playlist.mp4');
    await writeFile(playlist, `#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n`);
    await expect(probe(tools, playlist)).rejects.toMatchObject({ type: 'ffmpeg_failed' });
    const list = join(folder, 'list.mp4');
    await writeFile(list, `ffconcat version 1.0\nfile '/etc/hostname'\n`);
    await expect(probe(tools, list)).rejects.toMatchObject({ type: 'ffmpeg_failed' });
    const whole = join(folder, 'whole.mp4');
    const args = ['-f', 'lavfi', '-i', 'testsrc2=d=1:s=320x180', '-pix_fmt', 'yuv420p', whole];
    await runFfmpeg(tools, { args, timeoutMs: 20_000 });
    expect((await probe(tools, whole)).streams).toMatchObject([
      { kind: 'video', codec: 'h264', packets: 25 },
    ]);
    const cut = join(folder, 'cut.mp4');
    const bytes = await readFile(whole);
    await writeFile(cut, bytes.subarray(0, bytes.length / 2));
    await expect(probe(tools, cut)).rejects.toMatchObject({ type: 'ffmpeg_failed' });
    expect(untrustedInput).toContain('-protocol_whitelist');
  });
});
