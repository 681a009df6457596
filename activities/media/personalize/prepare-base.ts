import { join } from 'node:path';
import type {
  OpenedBase,
  PrepareBaseInput,
  PrepareBaseResult,
  PreparedBase,
  PlacedSpan,
  PreparedSpan,
  SpansDocument,
} from '../../../workflows/contract/personalized.js';
import type { ArtifactId } from '../../../workflows/contract/documents.js';
import { invalidInput, transientFailure } from '../../failures.js';
import { withHeartbeat } from '../../heartbeat.js';
import { withScratch } from '../../scratch.js';
import { StretchesApartError } from '../aac/stretch.js';
import { probe, runFfmpeg } from '../ffmpeg/run.js';
import { readMovie } from '../mp4/movie.js';
import { baseAudioBitRate, reencodeArguments, soundArguments } from './base-commands.js';
import { frameAt } from './frame-rates.js';
import type { PersonalizeDeps } from './open-base.js';
import { decodedSize, pictureFormOf } from './picture-form.js';
import { listenAround } from './span-surroundings.js';
import { spliceSound } from './splice-sound.js';
import { openWav } from './wav-window.js';

const version = 3;
const step = 'preparation';
const timeoutMs = 3 * 3600 * 1000;

/**
 * Makes an opened base ready for its spans. Where only sound changes, the pictures are copied as they are; where
 * pictures change, they are encoded once with a closed group from every border on. Sound of another encoder that
 * ours does not join to is encoded once, too.
 * @throws ApplicationFailure `spans_outside_base`, `base_broken`
 */
export function createPrepareBase(deps: PersonalizeDeps) {
  return async function prepareBase(input: PrepareBaseInput): Promise<PrepareBaseResult> {
    return withHeartbeat(step, 2, async ({ signal, report }) => {
      const { opened, spans } = input;
      const { insertMode } = input.options;
      const changesPictures = insertMode === 'diamond' || insertMode === 'platinum';
      const { value, cached } = await deps.cache.through<{ prepared: ArtifactId }>(
        { activity: 'prepareBase', version, inputs: { opened, spans, changesPictures } },
        async () => {
          const { message: _, ...base } = await deps.artifacts.readJson<OpenedBase>(opened);
          const document = await deps.artifacts.readJson<SpansDocument>(spans);
          const laid = document.spans.map((span) => placeSpan(span, base));
          const media = await withScratch(deps.scratchDir, (dir) =>
            prepareMedia(deps, { base, spans: laid, changesPictures }, { dir, signal, report }),
          );
          const heard = await listen(deps, media.sound, laid);
          const whole: PreparedBase = { ...base, ...media, spans: heard };
          const prepared = await deps.artifacts.publishJson(whole);
          const files = [whole.sound, ...(whole.video === null ? [] : [whole.video])];
          return { value: { prepared }, artifacts: [prepared, ...files] };
        },
        signal,
      );
      return { ...value, cached };
    });
  };
}

/** From seconds to samples and pictures. */
export function placeSpan(
  span: SpansDocument['spans'][number],
  base: Pick<OpenedBase, 'samples' | 'sampleRate' | 'frames' | 'frameRate'>,
): PlacedSpan {
  const startSample = Math.round(span.startSeconds * base.sampleRate);
  const endSample = Math.min(base.samples, Math.round(span.endSeconds * base.sampleRate));
  if (startSample < 0 || endSample <= startSample) {
    const seconds = (base.samples / base.sampleRate).toFixed(1);
    throw invalidInput({
      code: 'spans_outside_base',
      detail: `A span from ${span.startSeconds} to ${span.endSeconds} s does not lie in a base of ${seconds} s.`,
    });
  }
  const startFrame = Math.max(0, Math.min(base.frames - 1, frameAt(span.startSeconds, base.frameRate)));
  const after = frameAt(span.endSeconds, base.frameRate) + 1;
  const endFrame = Math.max(startFrame + 1, Math.min(base.frames, after));
  return { startSample, endSample, startFrame, endFrame, text: span.text };
}

async function listen(
  { artifacts }: PersonalizeDeps,
  soundId: ArtifactId,
  spans: readonly PlacedSpan[],
): Promise<PreparedSpan[]> {
  const sound = await openWav(await artifacts.fetch(soundId));
  try {
    const surroundings = await listenAround(sound, spans);
    return spans.flatMap((span, index) => {
      const around = surroundings[index];
      return around === undefined ? [] : [{ ...span, surroundings: around }];
    });
  } finally {
    await sound.close();
  }
}

interface Work {
  dir: string;
  signal: AbortSignal;
  report: (fraction: number) => void;
}

type Media = Pick<
  PreparedBase,
  | 'video'
  | 'sound'
  | 'samples'
  | 'sampleRate'
  | 'channels'
  | 'audioBitRate'
  | 'frames'
  | 'pictureForm'
  | 'width'
  | 'height'
>;

async function prepareMedia(
  deps: PersonalizeDeps,
  {
    base,
    spans,
    changesPictures,
  }: { base: Omit<OpenedBase, 'message'>; spans: PlacedSpan[]; changesPictures: boolean },
  { dir, signal, report }: Work,
): Promise<Media> {
  const { video, sound, samples, sampleRate, channels, audioBitRate, frames, width, height } = base;
  const asItIs = {
    ...{ video, sound, samples, sampleRate, channels, audioBitRate, frames, width, height },
    pictureForm: null,
  };
  if (video === null) return asItIs;
  const source = await deps.artifacts.fetch(video);
  const joins = await ownSoundJoins(deps, { source, base, spans }, signal);
  if (joins && !changesPictures) return asItIs;

  const target = join(dir, 'prepared.mp4');
  const groupsAt = spans.flatMap(({ startFrame, endFrame }) => [startFrame, endFrame]);
  await runFfmpeg(deps.tools, {
    args: reencodeArguments({
      ...{ source, target },
      picture: changesPictures ? { frameRate: base.frameRate, groupsAt } : null,
      sound: joins ? 'copy' : { channels },
    }),
    timeoutMs,
    signal,
    onProgress: ({ seconds }) => {
      report(Math.min(0.9, (seconds * sampleRate) / samples));
    },
  });
  const movie = await readMovie(target);
  const pictures = movie.tracks.find(({ kind }) => kind === 'video')?.samples ?? [];
  if (changesPictures) {
    const unready = groupsAt.find((frame) => frame < pictures.length && pictures[frame]?.isSync !== true);
    if (unready !== undefined) throw broken(`no group begins with picture ${unready}`);
  }
  const prepared = await deps.artifacts.publishFile(target, 'mp4');
  const form = changesPictures ? await readPictures(deps, target, signal) : {};
  const shown = { ...asItIs, ...form, video: prepared, frames: pictures.length };
  if (joins) return shown;

  const wav = join(dir, 'prepared.wav');
  await runFfmpeg(deps.tools, { args: soundArguments(target, wav), timeoutMs, signal });
  const decoded = await openWav(wav);
  await decoded.close();
  return {
    ...shown,
    sound: await deps.artifacts.publishFile(wav, 'wav'),
    ...{ samples: decoded.samples, sampleRate: decoded.sampleRate, channels: decoded.channels },
    audioBitRate: channels === 1 ? baseAudioBitRate.mono : baseAudioBitRate.stereo,
  };
}

/** Tries each span with the base's own sound: where its frames do not fade as ours do, nothing would fit. */
async function ownSoundJoins(
  deps: PersonalizeDeps,
  { source, base, spans }: { source: string; base: Omit<OpenedBase, 'message'>; spans: PlacedSpan[] },
  signal: AbortSignal,
): Promise<boolean> {
  const movie = await readMovie(source);
  const sound = await openWav(await deps.artifacts.fetch(base.sound));
  try {
    const edits = await Promise.all(
      spans.map(async ({ startSample, endSample }) => ({
        ...{ start: startSample, end: endSample },
        pcm: await sound.read(startSample, endSample - startSample),
      })),
    );
    await spliceSound(deps.tools, {
      path: source,
      movie,
      sound,
      bitsPerSecond: base.audioBitRate,
      edits,
      signal,
    });
    return true;
  } catch (error) {
    if (error instanceof StretchesApartError) return false;
    throw error;
  } finally {
    await sound.close();
  }
}

/** Form and size of pictures that were encoded; recordings that lie on their side were turned then. */
async function readPictures(
  deps: PersonalizeDeps,
  path: string,
  signal: AbortSignal,
): Promise<Pick<PreparedBase, 'pictureForm' | 'width' | 'height'>> {
  const { streams } = await probe(deps.tools, path, { signal });
  const picture = streams.find(({ kind }) => kind === 'video');
  if (picture === undefined) throw broken('it has no picture');
  return { pictureForm: pictureFormOf(picture), ...decodedSize(picture) };
}

function broken(what: string) {
  return transientFailure({ code: 'base_broken', detail: `The prepared base was not published: ${what}.` });
}
