/**
 * Ten scenes against a hundred, all media work of both from pictures and voices to the file at 720p, each in a
 * process of its own: CPU seconds a scene, and the highest memory of the process.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createMediaActivities } from '../../activities/media/activities.js';
import { createMemoryCache } from '../support/folder-store.js';
import { runActivity } from '../support/quiet-environment.js';
import { createSample, sampleOptions } from './media-sample.js';

export interface ScaleRun {
  scenes: number;
  videoSeconds: number;
  cpuSeconds: number;
  ownPeakBytes: number;
  /** Largest message that a workflow's history would hold. */
  messageBytes: number;
}

/** @returns the runs in order. Linux only: a process learns from the system what its programs took. */
export async function benchScale(sceneCounts: readonly number[]): Promise<ScaleRun[]> {
  const runs: ScaleRun[] = [];
  for (const scenes of sceneCounts) {
    const args = ['--import', 'tsx', fileURLToPath(import.meta.url), String(scenes)];
    const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 1024 ** 2 });
    runs.push(JSON.parse(stdout) as ScaleRun);
  }
  return runs;
}

export function scaleTable(runs: readonly ScaleRun[]): string {
  const [few, many] = [runs[0], runs.at(-1)];
  if (!few || !many) throw new Error('at least one run');
  const perScene = ({ cpuSeconds, scenes }: ScaleRun) => cpuSeconds / scenes;
  const megabytes = (bytes: number) => `${(bytes / 1024 ** 2).toFixed(0)} MB`;
  const rows = runs.map((run): [string, string] => [
    `${run.scenes} scenes, ${run.videoSeconds.toFixed(0)} s`,
    `${run.cpuSeconds.toFixed(1)} CPU s, ${perScene(run).toFixed(2)} a scene; peak ${megabytes(run.ownPeakBytes)}; ` +
      `largest message ${(run.messageBytes / 1024).toFixed(1)} KB`,
  ]);
  rows.push(['CPU a scene, most / fewest', `${(perScene(many) / perScene(few)).toFixed(3)}   goal ≤ 1.15`]);
  rows.push(['memory, most / fewest', `${(many.ownPeakBytes / few.ownPeakBytes).toFixed(3)}   goal about 1`]);
  return rows.map(([name, value]) => `${name.padEnd(30)}${value}`).join('\n');
}

const ids = { jobId: 'bench', userId: 'bench' };

async function measure(scenes: number): Promise<ScaleRun> {
  const folder = await mkdtemp(join(tmpdir(), 'callsheet-scale-'));
  try {
    const tools = { ffmpegPath: 'ffmpeg', ffprobePath: 'ffprobe' };
    const options = { ...sampleOptions, resolution: '720p' as const };
    const sample = await createSample(folder, tools, { options, sceneCount: scenes });
    const before = await cpuSeconds();
    const media = createMediaActivities({ ...sample.deps, cache: createMemoryCache() });
    const { script, pictures, voices } = sample;
    const { captions } = await runActivity(media.timeCaptions, { ...ids, script, voices, options });
    const planning = { ...ids, pictures, voices, captions, options };
    const planned = await runActivity(media.planComposition, planning);
    const { composition, segmentFrames } = planned;
    const units: string[] = [];
    for (const index of segmentFrames.keys()) {
      units.push(...(await runActivity(media.renderSegment, { ...ids, composition, index })).units);
    }
    const { audio } = await runActivity(media.mixAudio, { ...ids, composition });
    const joining = { ...ids, composition, units, audio };
    await runActivity(media.assemble, joining);
    const messages = [planning, planned, joining].map((message) => JSON.stringify(message).length);
    return {
      ...{ scenes, videoSeconds: planned.durationSeconds, cpuSeconds: (await cpuSeconds()) - before },
      ownPeakBytes: process.resourceUsage().maxRSS * 1024,
      messageBytes: Math.max(...messages),
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Of this process and of the programs that it has waited for. Source of the fields: proc(5). */
async function cpuSeconds(): Promise<number> {
  const fields = (await readFile('/proc/self/stat', 'utf8')).split(') ')[1]?.split(' ') ?? [];
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / 100;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(JSON.stringify(await measure(Number(process.argv[2]))));
  process.exit();
}
