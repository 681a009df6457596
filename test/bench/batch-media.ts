/**
 * What one recipient costs in CPU seconds beside copying and beside encoding the whole base, 60 s at 1080p, the
 * words and the moving of mouths apart. Run: `npm run bench -- batch-media [recipients]`. Linux only.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createMoveMouth } from '../../activities/lipsync/move-mouth.js';
import { createNoLipSync } from '../../activities/lipsync/none.js';
import { createOpenBase } from '../../activities/media/personalize/open-base.js';
import { createPrepareBase } from '../../activities/media/personalize/prepare-base.js';
import { createRenderRecipient } from '../../activities/media/personalize/render-recipient.js';
import { createEspeakVoice } from '../../activities/tts/espeak.js';
import type { InsertMode, PersonalizedOptions } from '../../workflows/contract/personalized.js';
import { createFolderStore, createMemoryCache } from '../support/folder-store.js';
import { runActivity } from '../support/quiet-environment.js';
import { makeTalkingBase, publishVoice, type TalkingBase } from '../support/talking-base.js';
import { median } from './statistics.js';

export interface BatchMediaBench {
  recipients: number;
  baseSeconds: number;
  /** CPU seconds of one. */
  remux: number[];
  encode: number;
  gold: { preparation: number; each: number[] };
  diamond: { preparation: number; spanSeconds: number; each: number[] };
  ownPeakBytes: number;
}

const run = promisify(execFile);
const tools = { ffmpegPath: 'ffmpeg', ffprobePath: 'ffprobe' };
const ids = { jobId: 'bench', userId: 'bench' };
const sentence =
  'The sea rises and falls twice a day on nearly every coast of the world, and nobody has to wind it up. ';
const text = `Hello friend, it is good to see you here. ${sentence.repeat(10)}`;

/** @param recipients of the gold batch; a fifth as many are made in diamond */
export async function benchBatchMedia(recipients: number): Promise<BatchMediaBench> {
  const dir = await mkdtemp(join(tmpdir(), 'callsheet-batch-'));
  const voice = createEspeakVoice();
  try {
    const base = await makeTalkingBase(dir, {
      ...{ voice, text, picture: ['-f', 'lavfi', '-i', 'testsrc2=s=1920x1080:r=30,noise=alls=6:allf=t'] },
      // As a camera's own encoder sets its key frames.
      encoding: ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '23', '-pix_fmt', 'yuv420p', '-g', '60'],
    });
    const artifacts = await createFolderStore(join(dir, 'artifacts'));
    const id = await artifacts.publishFile(base.path, 'mp4');
    const names = Array.from(
      { length: recipients },
      (_, index) => `${firstNames[index % firstNames.length]}`,
    );
    const voices = [];
    for (const name of names) voices.push(await publishVoice(artifacts, voice, name));
    const deps = { artifacts, cache: createMemoryCache(), scratchDir: join(dir, 'scratch'), tools };

    const prepare = async (options: PersonalizedOptions): Promise<string> => {
      const { opened } = await runActivity(createOpenBase(deps), { ...ids, base: id, options });
      const spans = await artifacts.publishJson({ spans: options.spans, message: null });
      return (await runActivity(createPrepareBase(deps), { ...ids, opened, spans, options })).prepared;
    };
    // Every recipient is made anew, also those of one name.
    const fresh = () => ({ ...deps, cache: createMemoryCache(), providers: { none: createNoLipSync() } });
    const gold = await measured(() => prepare(optionsFor('gold', base, 'friend')));
    const each: number[] = [];
    for (const [position, words] of voices.entries()) {
      const input = { ...ids, position, prepared: gold.value, voices: [words], clips: [] };
      const options = optionsFor('gold', base, 'friend');
      each.push(
        (await measured(() => runActivity(createRenderRecipient(fresh()), { ...input, options }))).cpuSeconds,
      );
    }
    const diamondOptions = optionsFor('diamond', base, 'friend', 0.8);
    const diamond = await measured(() => prepare(diamondOptions));
    const diamonds: number[] = [];
    for (const [position, words] of voices.slice(0, Math.ceil(recipients / 5)).entries()) {
      const input = { ...ids, position, prepared: diamond.value, voices: [words], options: diamondOptions };
      const { cpuSeconds } = await measured(async () => {
        const { clip } = await runActivity(createMoveMouth(fresh()), { ...input, spanIndex: 0 });
        return runActivity(createRenderRecipient(fresh()), { ...input, clips: [clip] });
      });
      diamonds.push(cpuSeconds);
    }

    const plain = ['-v', 'error', '-nostdin', '-y', '-i', base.path];
    const target = join(dir, 'plain.mp4');
    const remux: number[] = [];
    for (let count = 0; count < 10; count += 1) {
      const copy = await measured(() => run('ffmpeg', [...plain, '-c', 'copy', target]));
      remux.push(copy.cpuSeconds);
    }
    const encoding = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '23', '-c:a', 'aac', '-b:a', '160k'];
    const encode = await measured(() => run('ffmpeg', [...plain, ...encoding, target]));
    return {
      ...{ recipients, baseSeconds: base.spoken.pcm.length / 24_000, remux, encode: encode.cpuSeconds },
      gold: { preparation: gold.cpuSeconds, each },
      diamond: { preparation: diamond.cpuSeconds, spanSeconds: 0.8, each: diamonds },
      ownPeakBytes: process.resourceUsage().maxRSS * 1024,
    };
  } finally {
    voice.close();
    await rm(dir, { recursive: true, force: true });
  }
}

const firstNames = ['Ada', 'Bea', 'Clara', 'Dora', 'Eva', 'Frank', 'Grace', 'Hanna', 'Ivo', 'Jo'];

function optionsFor(
  insertMode: InsertMode,
  base: TalkingBase,
  word: string,
  seconds?: number,
): PersonalizedOptions {
  const { startSeconds, endSeconds } = base.timeOf(word);
  const span = { startSeconds, endSeconds: seconds === undefined ? endSeconds : startSeconds + seconds };
  return {
    ...{ insertMode, namePosition: 'start', text: '{name}', language: 'en', transcript: null, markers: null },
    spans: [{ ...span, text: '{name}' }],
    voice: { provider: 'espeak', voiceId: null, modelId: null, speed: 1, credentialId: null, sample: null },
    batch: { enabled: false, splitSilenceDb: -40, splitSilenceSeconds: 0.18, gapHint: null },
    lipSync: { provider: 'none', fallback: false },
    ...{ naturalSpeed: true, gapSeconds: 0.12, silence: { db: -30, seconds: 0.3 }, convert: false },
  };
}

async function measured<T>(work: () => Promise<T>): Promise<{ value: T; cpuSeconds: number }> {
  const [own, programs] = [process.cpuUsage(), await programSeconds()];
  const value = await work();
  const { user, system } = process.cpuUsage(own);
  return { value, cpuSeconds: (user + system) / 1e6 + (await programSeconds()) - programs };
}

/** CPU seconds of the programs that this process has waited for, and of theirs. Source of the fields: proc(5). */
async function programSeconds(): Promise<number> {
  const fields = (await readFile('/proc/self/stat', 'utf8')).split(') ')[1]?.split(' ') ?? [];
  return fields.slice(13, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
}

export function batchMediaTable(bench: BatchMediaBench): string {
  const { gold, diamond, encode, recipients } = bench;
  const seconds = (value: number) => `${value.toFixed(2)} CPU s`;
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const batch = gold.preparation + gold.each.reduce((sum, value) => sum + value, 0);
  const remux = median(bench.remux);
  const rows: [string, string][] = [
    ['remux of the base', seconds(remux)],
    ['encoding the base', seconds(encode)],
    ['gold, preparing once', seconds(gold.preparation)],
    ['gold, a recipient', `${seconds(mean(gold.each))}, median ${median(gold.each).toFixed(2)}`],
    ['gold recipient / remux', `${(median(gold.each) / remux).toFixed(2)}   goal ≤ 2`],
    [`${recipients} encoded anew / gold batch`, `${((recipients * encode) / batch).toFixed(0)}   goal ≥ 100`],
    ['diamond, preparing once', seconds(diamond.preparation)],
    [`diamond, a recipient (${diamond.spanSeconds} s)`, seconds(mean(diamond.each))],
    ['diamond recipient / encoding', `${((100 * mean(diamond.each)) / encode).toFixed(1)} %   goal ≤ 4 %`],
    ['peak memory of the process', `${(bench.ownPeakBytes / 2 ** 20).toFixed(0)} MB`],
  ];
  return rows.map(([name, value]) => `${name.padEnd(34)}${value}`).join('\n');
}
