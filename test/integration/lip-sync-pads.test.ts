import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ArtifactStore } from '../../activities/artifacts.js';
import type { LipSyncProvider } from '../../activities/lipsync/lip-sync.js';
import { createMoveMouth, type LipsyncDeps } from '../../activities/lipsync/move-mouth.js';
import { createSyncLips } from '../../activities/lipsync/sync-lips.js';
import { createOpenBase } from '../../activities/media/personalize/open-base.js';
import { createPrepareBase } from '../../activities/media/personalize/prepare-base.js';
import { createEspeakVoice } from '../../activities/tts/espeak.js';
import type { LipSyncPads } from '../../workflows/contract/personalized.js';
import { createFolderStore, createMemoryCache } from '../support/folder-store.js';
import { runActivity } from '../support/quiet-environment.js';
import { createTestFolder } from '../support/services.js';
import { makeTalkingBase, publishVoice, type TalkingBase } from '../support/talking-base.js';
import { batchOptions } from '../workflows/batch-lab.js';

const tools = { ffmpegPath: 'ffmpeg', ffprobePath: 'ffprobe' };
const ids = { jobId: 'job', userId: 'user' };
const voice = createEspeakVoice();
/** What the provider was given, call by call. */
const given: (Readonly<LipSyncPads> | undefined)[] = [];
const wav2lip: LipSyncProvider = {
  name: 'wav2lip',
  version: 1,
  async moveMouth({ clip, outPath, pads }) {
    given.push(pads);
    await copyFile(clip.path, outPath);
    return { clip: { ...clip, path: outPath }, changedFrames: 0 };
  },
};

let folder: Awaited<ReturnType<typeof createTestFolder>>;
let artifacts: ArtifactStore;
let deps: LipsyncDeps;
let spoken: TalkingBase;

beforeAll(async () => {
  folder = await createTestFolder('lip-sync-pads');
  artifacts = await createFolderStore(join(folder.path, 'artifacts'));
  const scratchDir = join(folder.path, 'scratch');
  deps = { artifacts, cache: createMemoryCache(), scratchDir, tools, providers: { wav2lip } };
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=160x90:r=10'];
  spoken = await makeTalkingBase(folder.path, { voice, text: 'Hello Ann.', picture });
});
afterAll(async () => {
  voice.close();
  await folder.remove();
});

/** Runs `work` with these pads one after the other; whether each came from the cache, and what was asked of Wav2Lip. */
async function withPads(
  work: (pads: LipSyncPads | undefined) => Promise<{ cached: boolean }>,
  ...pads: (LipSyncPads | undefined)[]
) {
  given.length = 0;
  const cached: boolean[] = [];
  for (const one of pads) cached.push((await work(one)).cached);
  return { cached, given: [...given] };
}

const [narrow, wide]: LipSyncPads[] = [
  [0, 20, 0, 0],
  [0, 21, 0, 0],
];
const asked = [undefined, undefined, narrow, narrow, wide];
const once = { cached: [false, true, false, true, false], given: [undefined, narrow, wide] };

it('a whole video is made once for each choice of pads', async () => {
  const video = await artifacts.publishFile(spoken.path, 'mp4');
  const request = { ...ids, video, audio: video, provider: 'wav2lip' as const };
  const syncLips = (pads?: LipSyncPads) =>
    runActivity(createSyncLips(deps), { ...request, ...(pads && { pads }) });
  expect(await withPads(syncLips, ...asked)).toEqual(once);
});

it('a span is made once for each choice of pads', async () => {
  const options = (pads?: LipSyncPads) =>
    batchOptions({
      insertMode: 'diamond',
      lipSync: { provider: 'wav2lip', fallback: false, ...(pads && { pads }) },
    });
  const base = await artifacts.publishFile(spoken.path, 'mp4');
  const { opened } = await runActivity(createOpenBase(deps), { ...ids, base, options: options() });
  const span = { ...spoken.timeOf('Ann'), text: '{name}' };
  const spans = await artifacts.publishJson({ spans: [span], message: null });
  const place = { ...ids, opened, spans, options: options() };
  const { prepared } = await runActivity(createPrepareBase(deps), place);
  const voices = [await publishVoice(artifacts, voice, 'Bob')];
  const moveMouth = (pads?: LipSyncPads) =>
    runActivity(createMoveMouth(deps), {
      ...{ ...ids, position: 0, prepared, voices, spanIndex: 0 },
      options: options(pads),
    });
  expect(await withPads(moveMouth, ...asked)).toEqual(once);
});
