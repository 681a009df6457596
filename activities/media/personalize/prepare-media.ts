import { join } from 'node:path';
import type {
  OpenedBase,
  PlacedSpan,
  PreparedBase,
  SpanRequest,
} from '../../../workflows/contract/personalized.js';
import { transientFailure } from '../../failures.js';
import { StretchesApartError } from '../aac/stretch.js';
import { probe, runFfmpeg } from '../ffmpeg/run.js';
import { readMovie, type Movie, type Track } from '../mp4/movie.js';
import { baseAudioBitRate, reencodeArguments, soundArguments } from './base-commands.js';
import { startsOf, trackOf, type PersonalizeDeps } from './open-base.js';
import { decodedSize, pictureFormOf } from './picture-form.js';
import { placeSpans, type BaseTimes } from './place-spans.js';
import { spliceSound } from './splice-sound.js';
import { openWav } from './wav-window.js';

const timeoutMs = 3 * 3600 * 1000;

type Base = Omit<OpenedBase, 'message'>;
type PreparedMedia = Omit<PreparedBase, 'spans'>;

interface Work {
  dir: string;
  signal: AbortSignal;
  report: (fraction: number) => void;
}

/**
 * The sound and pictures that recipients are made from, and where the spans lie in them.
 * @throws ApplicationFailure as `placeSpans`, and `base_broken`
 */
export async function prepareMedia(
  deps: PersonalizeDeps,
  {
    base,
    requests,
    changesPictures,
  }: { base: Base; requests: readonly SpanRequest[]; changesPictures: boolean },
  work: Work,
): Promise<{ media: PreparedMedia; placed: PlacedSpan[] }> {
  const { dir, signal } = work;
  const place = (times: BaseTimes) => placeSpans(requests, times, { changesPictures });
  const asItIs: PreparedMedia = { ...base, pictureForm: null };
  if (base.video === null) return { media: asItIs, placed: place(base) };
  const source = await deps.artifacts.fetch(base.video);
  const movie = await readMovie(source);
  const expected = place(changesPictures ? timesWhenEncoded(base, movie) : base);
  const joins = await ownSoundJoins(deps, { source, movie, base, spans: expected }, signal);
  if (joins && !changesPictures) return { media: asItIs, placed: expected };

  const target = join(dir, 'prepared.mp4');
  const reencode = (spans: readonly PlacedSpan[]) =>
    reencodeBase(
      deps,
      { source, target, base, groupsAt: changesPictures ? groupsOf(spans) : null, joins },
      work,
    );
  let made = await reencode(expected);
  const isUnready = (spans: readonly PlacedSpan[]) =>
    changesPictures && groupsOf(spans).some((frame) => made.pictures[frame]?.isSync === false);
  // Pictures of no constant rate may become some more or fewer than their time says.
  const again = place({ ...base, ...made.facts });
  if (isUnready(again)) made = await reencode(again);

  const video = await deps.artifacts.publishFile(target, 'mp4');
  const sound = joins ? {} : await soundOf(deps, { target, dir, channels: base.channels }, signal);
  const media = { ...asItIs, ...made.facts, ...sound, video };
  const placed = place(media);
  if (isUnready(placed)) throw broken('a span does not begin with a group of pictures');
  return { media, placed };
}

/** Pictures are encoded at a constant rate from the beginning of the file, whenever the first of them came. */
function timesWhenEncoded(base: Base, movie: Movie): BaseTimes {
  const { numerator, denominator } = base.frameRate;
  const seconds = trackOf(movie, 'video')?.presentedSeconds ?? 0;
  const frames = Math.max(1, Math.round((seconds * numerator) / denominator));
  return { ...base, pictureStartSeconds: 0, frames };
}

const groupsOf = (spans: readonly PlacedSpan[]) =>
  spans.flatMap(({ startFrame, endFrame }) => [startFrame, endFrame]);

async function reencodeBase(
  deps: PersonalizeDeps,
  {
    source,
    target,
    base,
    groupsAt,
    joins,
  }: {
    source: string;
    target: string;
    base: Base;
    /** Null copies the pictures. */
    groupsAt: readonly number[] | null;
    joins: boolean;
  },
  { signal, report }: Work,
): Promise<{ pictures: Track['samples']; facts: Partial<PreparedMedia> }> {
  await runFfmpeg(deps.tools, {
    args: reencodeArguments({
      ...{ source, target },
      picture: groupsAt === null ? null : { frameRate: base.frameRate, groupsAt },
      sound: joins ? 'copy' : { channels: base.channels },
    }),
    timeoutMs,
    signal,
    onProgress: ({ seconds }) => {
      report(Math.min(0.9, (seconds * base.sampleRate) / base.samples));
    },
  });
  const pictures = trackOf(await readMovie(target), 'video')?.samples ?? [];
  const made = await probe(deps.tools, target, { signal });
  const picture = made.streams.find(({ kind }) => kind === 'video');
  if (picture === undefined) throw broken('it has no picture');
  // Recordings that lie on their side are turned when they are encoded.
  const form = groupsAt === null ? {} : { pictureForm: pictureFormOf(picture), ...decodedSize(picture) };
  return { pictures, facts: { ...form, ...startsOf(made), frames: pictures.length } };
}

/** The sound of a base that was encoded anew. */
async function soundOf(
  deps: PersonalizeDeps,
  { target, dir, channels }: { target: string; dir: string; channels: 1 | 2 },
  signal: AbortSignal,
) {
  const wav = join(dir, 'prepared.wav');
  await runFfmpeg(deps.tools, { args: soundArguments(target, wav), timeoutMs, signal });
  const decoded = await openWav(wav);
  await decoded.close();
  return {
    sound: await deps.artifacts.publishFile(wav, 'wav'),
    ...{ samples: decoded.samples, sampleRate: decoded.sampleRate, channels: decoded.channels },
    audioBitRate: channels === 1 ? baseAudioBitRate.mono : baseAudioBitRate.stereo,
  };
}

/** Tries each span with the base's own sound: where its frames do not fade as ours do, nothing would fit. */
async function ownSoundJoins(
  deps: PersonalizeDeps,
  { source, movie, base, spans }: { source: string; movie: Movie; base: Base; spans: PlacedSpan[] },
  signal: AbortSignal,
): Promise<boolean> {
  const sound = await openWav(await deps.artifacts.fetch(base.sound));
  try {
    const edits = await Promise.all(
      spans.map(async ({ startSample, endSample }) => ({
        ...{ start: startSample, end: endSample },
        pcm: await sound.read(startSample, endSample - startSample),
      })),
    );
    const bitsPerSecond = base.audioBitRate;
    await spliceSound(deps.tools, { path: source, movie, sound, bitsPerSecond, edits, signal });
    return true;
  } catch (error) {
    if (error instanceof StretchesApartError) return false;
    throw error;
  } finally {
    await sound.close();
  }
}

function broken(what: string) {
  return transientFailure({ code: 'base_broken', detail: `The prepared base was not published: ${what}.` });
}
