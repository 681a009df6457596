import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ArtifactStore } from '../../activities/artifacts.js';
import { createMoveMouth, type LipsyncDeps } from '../../activities/lipsync/move-mouth.js';
import { createSyncLips } from '../../activities/lipsync/sync-lips.js';
import { createVisemeLipSync } from '../../activities/lipsync/viseme/viseme.js';
import { probe } from '../../activities/media/ffmpeg/run.js';
import { createOpenBase } from '../../activities/media/personalize/open-base.js';
import { createPrepareBase } from '../../activities/media/personalize/prepare-base.js';
import { createRenderRecipient } from '../../activities/media/personalize/render-recipient.js';
import { createEspeakVoice } from '../../activities/tts/espeak.js';
import type { PersonalizedOptions, PreparedBase } from '../../workflows/contract/personalized.js';
import { createFolderStore, createMemoryCache } from '../support/folder-store.js';
import { measureMouth } from '../support/mouth-opening.js';
import { runActivity } from '../support/quiet-environment.js';
import { ffmpeg } from '../support/raw-clips.js';
import { createTestFolder } from '../support/services.js';
import { publishVoice, type TalkingBase } from '../support/talking-base.js';
import { filmPortrait } from '../support/talking-portrait.js';
import { decodeFrames } from '../support/video-frames.js';

const tools = { ffmpegPath: 'ffmpeg', ffprobePath: 'ffprobe' };
const ids = { jobId: 'job', userId: 'user' };
const voice = createEspeakVoice();
const providers = {
  viseme: createVisemeLipSync({
    speak: (text, language, signal) => voice.speak({ text, language, voiceId: null, speed: 1 }, signal),
  }),
};

let folder: Awaited<ReturnType<typeof createTestFolder>>;
let artifacts: ArtifactStore;
let deps: LipsyncDeps;
/** Filmed with the camera on its side: the file says how to turn it. */
let turned: string;
let spoken: TalkingBase;

beforeAll(async () => {
  folder = await createTestFolder('lip-sync-bases');
  artifacts = await createFolderStore(join(folder.path, 'artifacts'));
  const scratchDir = join(folder.path, 'scratch');
  deps = { artifacts, cache: createMemoryCache(), scratchDir, tools, providers };
  spoken = await filmPortrait(folder.path, { voice, text: 'Hello Ann.', name: 'upright.mp4' });
  turned = join(folder.path, 'turned.mp4');
  const onItsSide = join(folder.path, 'on-its-side.mp4');
  await ffmpeg(
    ...['-i', spoken.path, '-vf', 'crop=216:360:200:0,transpose=clock', '-c:a', 'copy'],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '14', '-pix_fmt', 'yuv420p', onItsSide],
  );
  await ffmpeg('-i', onItsSide, '-c', 'copy', '-metadata:s:v', 'rotate=90', turned);
});
afterAll(async () => {
  voice.close();
  await folder.remove();
});

it('a recording that lies on its side is turned before its mouth is looked for', async () => {
  const options: PersonalizedOptions = {
    ...{ insertMode: 'diamond', namePosition: 'start', text: '{name}', language: 'en', transcript: null },
    ...{ spans: null, markers: null, naturalSpeed: true, gapSeconds: 0.12, convert: false },
    voice: { provider: 'espeak', voiceId: null, modelId: null, speed: 1, credentialId: null, sample: null },
    batch: { enabled: false, splitSilenceDb: -40, splitSilenceSeconds: 0.18, gapHint: null },
    lipSync: { provider: 'viseme', fallback: false },
    silence: { db: -30, seconds: 0.3 },
  };
  const base = await artifacts.publishFile(turned, 'mp4');
  const { opened } = await runActivity(createOpenBase(deps), { ...ids, base, options });
  const span = { ...spoken.timeOf('Ann'), text: '{name}' };
  const spans = await artifacts.publishJson({ spans: [span], message: null });
  const { prepared } = await runActivity(createPrepareBase(deps), { ...ids, opened, spans, options });
  const document = await artifacts.readJson<PreparedBase>(prepared);
  expect(document).toMatchObject({ width: 216, height: 360 });

  const voices = [await publishVoice(artifacts, voice, 'Barbara')];
  const request = { ...ids, position: 0, prepared, voices, options };
  const { clip, message } = await runActivity(createMoveMouth(deps), { ...request, spanIndex: 0 });
  expect(message).toBeNull();
  const { file } = await runActivity(createRenderRecipient(deps), { ...request, clips: [clip] });
  const made = await framesOf(await artifacts.fetch(file));
  const { gaps } = await measureMouth(made);
  const [place] = document.spans;
  if (place === undefined) throw new Error('there is no span');
  const within = gaps.slice(place.startFrame, place.endFrame + made.frames - document.frames);
  const outside = gaps.slice(0, place.startFrame);
  // She smiles with open lips all along, and closes them only to say a B.
  expect(Math.min(...outside)).toBeGreaterThan(5);
  expect(Math.min(...within)).toBeLessThan(1.5);
});

it('a whole video that lies on its side is turned, too, and keeps its colours', async () => {
  const sound = join(folder.path, 'said.wav');
  await ffmpeg('-i', spoken.path, '-vn', '-c:a', 'pcm_s16le', sound);
  const request = { ...ids, video: await artifacts.publishFile(turned, 'mp4'), provider: 'viseme' as const };
  const result = await runActivity(createSyncLips(deps), {
    ...{ ...request, audio: await artifacts.publishFile(sound, 'wav') },
  });
  expect(result).toMatchObject({ width: 216, height: 360 });
  const path = await artifacts.fetch(result.video);
  const [before, after] = [await probe(tools, turned), await probe(tools, path)];
  const colours = ({ streams: [picture] }: typeof before) => [
    ...[picture?.colorSpace, picture?.colorPrimaries, picture?.colorTransfer, picture?.colorRange],
  ];
  expect(colours(before)).toEqual(['bt709', 'bt709', 'bt709', 'tv']);
  expect(colours(after)).toEqual(colours(before));
  // The face's colours beside the mouth are those that were given.
  const [one, other] = [await framesOf(turned), await framesOf(path)];
  const [a, b] = [await readFile(one.path), await readFile(other.path)];
  const rows = 216 * 100;
  const frame = (216 * 360 * 3) / 2;
  const shift = Array.from({ length: 20 }, (_value, n) => difference(a, b, n * frame, rows));
  expect(Math.max(...shift)).toBeLessThan(1.5);
  const { gaps } = await measureMouth(other);
  expect(Math.max(...gaps)).toBeGreaterThan(4);
});

const framesOf = (path: string) => decodeFrames(path, `${path}.yuv`, { width: 216, height: 360 });

/** Mean difference of so many bytes. */
function difference(a: Buffer, b: Buffer, from: number, count: number): number {
  let sum = 0;
  for (let n = from; n < from + count; n += 1) sum += Math.abs((a[n] ?? 0) - (b[n] ?? 0));
  return sum / count;
}
