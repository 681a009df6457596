import type { ArtifactStore } from '../../activities/artifacts.js';
import type {
  LipsyncActivities,
  MediaActivities,
  TtsActivities,
} from '../../workflows/activity-interfaces.js';
import type { PreparedBase, SpansDocument } from '../../workflows/contract/personalized.js';
import type { Sketch } from './sketches.js';

type BatchSketches = {
  tts: Pick<TtsActivities, 'findSpans' | 'speakBatch' | 'speakRecipient'>;
  lipsync: LipsyncActivities;
  media: Pick<MediaActivities, 'openBase' | 'prepareBase' | 'renderRecipient' | 'convertVideo'>;
};

const span = { startSeconds: 1, endSeconds: 1.5, text: '{name}' };
const made = { durationSeconds: 2, width: 1280, height: 720, bytes: 1234, cached: false };

/** The activities of a batch and of the jobs of one media step; each publishes a tiny file of its own. */
export function createBatchSketches(artifacts: ArtifactStore, step: Sketch): BatchSketches {
  const bytes = (name: string, extension: string) => artifacts.publishBytes(Buffer.from(name), extension);
  const clipOf = (what: string) => bytes(`clip of ${what}`, 'mp4');

  return {
    tts: {
      findSpans: ({ options }) =>
        step('preparation', { activity: 'findSpans', item: 0 }, async () => {
          const document: SpansDocument = { spans: options.spans ?? [span], message: null };
          const spans = await artifacts.publishJson(document);
          return { spans, spanCount: document.spans.length, message: 'found by its silence', cached: false };
        }),

      speakBatch: ({ from, to }) =>
        step('voices', { activity: 'speakBatch', item: from }, () =>
          Promise.resolve({ spoken: to - from, singly: 0, cached: false }),
        ),

      speakRecipient: ({ jobId, position, prepared }) =>
        step('recipients', { activity: 'speakRecipient', item: position }, async () => {
          const { spans } = await artifacts.readJson<PreparedBase>(prepared);
          const audio = await bytes(`words of ${jobId} ${position}`, 'wav');
          const voice = await artifacts.publishJson({ audio, samples: 24_000, words: [], phonemes: [] });
          return { voices: spans.map(() => voice), cached: false };
        }),
    },

    lipsync: {
      moveMouth: ({ jobId, position, spanIndex }) =>
        step('recipients', { activity: 'moveMouth', item: position }, async () => ({
          clip: await clipOf(`${jobId} ${position} ${spanIndex}`),
          message: null,
          cached: false,
        })),

      syncLips: ({ video, audio }) =>
        step('lip_sync', { activity: 'syncLips', item: 0 }, async () => ({
          ...made,
          video: await bytes(`${video} saying ${audio}`, 'mp4'),
        })),
    },

    media: {
      openBase: ({ base }) =>
        step('preparation', { activity: 'openBase', item: 0 }, async () => ({
          opened: await artifacts.publishJson({ base }),
          message: null,
          cached: false,
        })),

      prepareBase: ({ opened, spans: spansId }) =>
        step('preparation', { activity: 'prepareBase', item: 0 }, async () => {
          const { spans } = await artifacts.readJson<SpansDocument>(spansId);
          return { prepared: await artifacts.publishJson({ opened, spans }), cached: false };
        }),

      renderRecipient: ({ jobId, position, voices, clips, options }) =>
        step('recipients', { activity: 'renderRecipient', item: position }, async () => {
          const content = `${jobId} ${position} says ${voices.join()} with ${clips.join()}`;
          const extension = options.insertMode === 'silver' ? 'mp3' : 'mp4';
          const file = await bytes(content, extension);
          return { file, durationSeconds: 2, bytes: content.length, cached: false };
        }),

      convertVideo: ({ source }) =>
        step('conversion', { activity: 'convertVideo', item: 0 }, async () => ({
          ...made,
          video: await bytes(`${source} converted`, 'mp4'),
        })),
    },
  };
}
