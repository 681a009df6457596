import type { ArtifactStore } from '../../activities/artifacts.js';
import { withHeartbeat } from '../../activities/heartbeat.js';
import { createPackageBatch, type PackageDeps } from '../../activities/media/personalize/package-batch.js';
import type { PoolActivities } from '../../workers/pools.js';
import type {
  ContentDocument,
  PictureDocument,
  Scene,
  ScriptDocument,
  VoiceDocument,
} from '../../workflows/contract/documents.js';
import { createBatchSketches } from './batch-sketches.js';

/** Which activity ran, for which scene, segment or recipient (from 0), in the order of their start. */
export interface Call {
  activity: string;
  item: number;
}

export interface SketchOptions {
  artifacts: ArtifactStore;
  sceneCount: number;
  /** What packs a batch, which is no sketch. */
  packing: Pick<PackageDeps, 'scratchDir' | 'listRecipients'>;
  calls: Call[];
  /** Runs inside an activity before it publishes; it may throw, wait or do what a test wants to see. */
  before?: (call: Call, signal: AbortSignal) => Promise<void>;
}

/** Runs `work` as the activity of a step, with its heartbeats and whatever the test wants to see. */
export type Sketch = <T>(stepName: string, call: Call, work: () => Promise<T>) => Promise<T>;

export type SketchActivities = Pick<PoolActivities, 'llm' | 'tts' | 'lipsync' | 'media'>;

/**
 * Activities that publish true documents with tiny media, so that a workflow test takes milliseconds where
 * rendering takes seconds. The media themselves are tested where they are made.
 */
export function createSketchActivities(options: SketchOptions): SketchActivities {
  const { artifacts, calls, sceneCount } = options;

  const step: Sketch = (stepName, call, work) =>
    withHeartbeat(stepName, call.item, async ({ signal }) => {
      calls.push(call);
      await options.before?.(call, signal);
      return work();
    });
  const bytes = (name: string, extension: string) => artifacts.publishBytes(Buffer.from(name), extension);

  const batch = createBatchSketches(artifacts, step);
  return {
    llm: {
      writeContent: (input) =>
        step('content', { activity: 'writeContent', item: 0 }, async () => {
          const content: ContentDocument = {
            title: 'Tides',
            description: 'Why the sea rises and falls',
            language: input.options.language,
            sections: scenes(sceneCount).map(({ heading, narration }) => ({ heading, text: narration })),
            message: 'written from the prompt alone',
          };
          return { content: await artifacts.publishJson(content), message: content.message, cached: false };
        }),

      writeScript: ({ content }) =>
        step('scripts', { activity: 'writeScript', item: 0 }, async () => {
          const { title, description, language } = await artifacts.readJson<ContentDocument>(content);
          const script: ScriptDocument = {
            title,
            description,
            language,
            scenes: scenes(sceneCount),
            message: null,
          };
          return { script: await artifacts.publishJson(script), sceneCount, message: null, cached: false };
        }),
    },

    tts: {
      ...batch.tts,
      speakScene: ({ script, sceneNumber }) =>
        step('voices', { activity: 'speakScene', item: sceneNumber }, async () => {
          const { narration } = await sceneOf(artifacts, script, sceneNumber);
          const voice: VoiceDocument = {
            audio: await bytes(`voice of ${narration}`, 'wav'),
            samples: 48_000,
            words: [],
            phonemes: [],
          };
          return { voice: await artifacts.publishJson(voice), durationSeconds: 1, cached: false };
        }),
    },

    lipsync: batch.lipsync,

    media: {
      ...batch.media,

      packageBatch: createPackageBatch({ artifacts, ...options.packing }),

      drawPicture: ({ script, sceneNumber }) =>
        step('images', { activity: 'drawPicture', item: sceneNumber }, async () => {
          const scene = await sceneOf(artifacts, script, sceneNumber);
          const picture: PictureDocument = {
            background: await bytes(`background of ${scene.heading}`, 'png'),
            overlays: [],
          };
          return { picture: await artifacts.publishJson(picture), cached: false };
        }),

      timeCaptions: ({ voices }) =>
        step('captions', { activity: 'timeCaptions', item: 0 }, async () => ({
          captions: await artifacts.publishJson({ voices }),
          vtt: await bytes('WEBVTT\n', 'vtt'),
          srt: await bytes('1\n', 'srt'),
          ass: await bytes('[Script Info]\n', 'ass'),
          cached: false,
        })),

      planComposition: ({ pictures, voices }) =>
        step('segments', { activity: 'planComposition', item: 0 }, async () => ({
          composition: await artifacts.publishJson({ pictures, voices }),
          segmentFrames: pictures.map((_, index) => 30 + index),
          durationSeconds: pictures.length,
          cached: false,
        })),

      renderSegment: ({ composition, index }) =>
        step('segments', { activity: 'renderSegment', item: index + 1 }, async () => ({
          units: [
            await bytes(`overlap before ${index} of ${composition}`, 'h264'),
            await bytes(`segment ${index} of ${composition}`, 'h264'),
          ].slice(index === 0 ? 1 : 0),
          cached: false,
        })),

      mixAudio: ({ composition }) =>
        step('assembly', { activity: 'mixAudio', item: 0 }, async () => ({
          audio: await bytes(`sound of ${composition}`, 'm4a'),
          cached: false,
        })),

      assemble: ({ units, audio }) =>
        step('assembly', { activity: 'assemble', item: 1 }, async () => ({
          video: await bytes(`${units.join()} with ${audio}`, 'mp4'),
          durationSeconds: (units.length + 1) / 2,
          width: 1280,
          height: 720,
          bytes: 1234,
          cached: false,
        })),

      drawThumbnail: ({ video }) =>
        step('thumbnail', { activity: 'drawThumbnail', item: 0 }, async () => ({
          thumbnail: await bytes(`thumbnail of ${video}`, 'webp'),
          cached: false,
        })),
    },
  };
}

async function sceneOf(artifacts: ArtifactStore, script: string, number: number): Promise<Scene> {
  const document = await artifacts.readJson<ScriptDocument>(script);
  const scene = document.scenes.find((candidate) => candidate.number === number);
  if (scene === undefined) throw new Error(`no scene ${number}`);
  return scene;
}

function scenes(count: number): Scene[] {
  return Array.from({ length: count }, (_, index) => ({
    number: index + 1,
    heading: `Heading ${index + 1}`,
    narration: `Narration ${index + 1}.`,
    bullets: [],
    imagePrompt: '',
    imageArtifact: null,
  }));
}
